"""A pack comes in force: who is carried over, when, and what holds before.

Expected segments are worked out by hand; T is test_publishing's.
"""

from datetime import timedelta

import pytest

from passlight.gateway.book import Line, StatusBook
from passlight.office.statuses.models import Heartbeat
from passlight.office.statuses.publishing import Publisher
from tests.statuses.cast import (
    confirmed,
    land,
    one_rule,
    people,
    published,
    put_in_force,
    registered,
    run_worker,
    shown,
)
from tests.statuses.moments import HandClock, T, fact

T_SECONDS = 1772330400
DAY = 86400


@pytest.fixture
def hand():
    return HandClock(T - timedelta(days=20))


def test_without_a_pack_nobody_is_green(db, hand):
    (one,) = people(1)
    registered([one], hand)
    run_worker(hand)
    assert (published(one).state, shown(one)) == ("unknown", [(None, "unknown")])


def test_before_the_first_pack_holds_nobody_is_green_and_from_then_on_no_timer_is_needed(db, hand):
    """The rules come in force tomorrow: unknown until then, then the colour, in one row."""
    one, two = people(2)
    registered([one, two], hand)
    land(confirmed(one, hand.moment), clock=hand)
    hand.set(T)
    put_in_force(one_rule("1", "red"), hand, effective_from=T + timedelta(days=1))
    run_worker(hand)
    assert shown(one) == [(None, "unknown"), (T_SECONDS + DAY, "red")]
    for person, colour in ((one, "red"), (two, "green")):
        row = published(person)
        line = Line.of_publication(
            ordinal=0, segments=row.segments, sampled_at=None, state=row.state
        )
        book = StatusBook()
        book.put(line, now=T_SECONDS)
        assert book.at(0, T_SECONDS + DAY - 1).colour == "unknown"
        assert book.at(0, T_SECONDS + DAY).colour == colour


def test_a_new_pack_is_carried_to_everybody_in_batches_and_goes_on_where_it_stopped(
    db, hand, monkeypatch
):
    monkeypatch.setattr("passlight.office.statuses.publishing.PEOPLE_A_BATCH", 3)
    persons = people(8)
    put_in_force(one_rule("1", "red"), hand)
    registered(persons, hand)
    land(*[confirmed(one, hand.moment) for one in persons[:5]], clock=hand)
    run_worker(hand)
    assert [shown(one)[0][1] for one in persons] == ["red"] * 5 + ["green"] * 3
    hand.move(hours=1)
    put_in_force(one_rule("2", "yellow"), hand, effective_from=None)
    stopped = Publisher(hand)
    assert stopped.step()  # one batch of three, then the worker is gone
    assert [shown(one)[0][1] for one in persons] == ["yellow"] * 3 + ["red"] * 2 + ["green"] * 3
    assert Heartbeat.objects.get().sweep_ordinal == 3
    run_worker(hand)
    assert [shown(one)[0][1] for one in persons] == ["yellow"] * 5 + ["green"] * 3
    beat = Heartbeat.objects.get()
    assert (beat.packs_seq, beat.sweep_ordinal) == (2, -1)


@pytest.mark.parametrize("kind", ["lab.sampled", "source.delivered"])
def test_facts_without_end_do_not_keep_a_new_pack_from_anybody(db, hand, monkeypatch, kind):
    """Two facts land before every pass of one fact; eight people in batches of three are 3 passes.

    ``source.delivered`` concerns everybody itself: it may ask for another round, not for this
    one to begin again.
    """
    monkeypatch.setattr("passlight.office.statuses.publishing.PEOPLE_A_BATCH", 3)
    persons = people(8)
    source = ", mandatory: [{source: lab, within: 24h, when_stale: badge, text: {zh: 数据未到, en: Data is late}}]}\nrules"
    first, second = (
        {"pack.yaml": one_rule(*named)["pack.yaml"].replace("}\nrules", source)}
        for named in (("1", "red"), ("2", "yellow"))
    )
    put_in_force(first, hand)
    registered(persons, hand)
    land(*[confirmed(one, hand.moment) for one in persons], clock=hand)
    publisher = run_worker(hand)
    assert {shown(one)[0][1] for one in persons} == {"red"}
    hand.move(minutes=1)
    put_in_force(second, hand, effective_from=None)
    monkeypatch.setattr("passlight.office.statuses.publishing.FACTS_A_PASS", 1)
    subject = "source:lab" if kind == "source.delivered" else persons[0].facts_key
    for round_ in range(3):
        hand.move(minutes=1)
        land(
            *[fact(f"{round_}:{n}", kind, subject, hand.moment, source="lab") for n in (1, 2)],
            clock=hand,
        )
        assert publisher.step()
    beat = Heartbeat.objects.get()
    assert beat.packs_seq == 2
    assert {shown(one)[0][1] for one in persons} == {"yellow"}
    assert beat.fact_seq == 19, "control: facts are followed all the while, three of six"
    run_worker(hand, publisher)
    beat = Heartbeat.objects.get()
    assert (beat.fact_seq, beat.sweep_ordinal, beat.sweep_again) == (22, -1, False)


def test_a_pack_of_the_future_is_in_the_row_already(db, hand):
    (one,) = people(1)
    put_in_force(one_rule("1", "red"), hand)
    land(confirmed(one, hand.moment), clock=hand)
    hand.set(T)
    put_in_force(one_rule("2", "yellow"), hand, effective_from=T + timedelta(days=1))
    run_worker(hand)
    # Confirmed at T−20d; yellow lasts 60 days at most by the pack's cap.
    assert shown(one) == [
        (None, "red"),
        (T_SECONDS + DAY, "yellow"),
        (T_SECONDS + 40 * DAY, "green"),
    ]
