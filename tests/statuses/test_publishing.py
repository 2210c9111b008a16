"""From a landed fact to the row that doors read.

Expected segments are worked out by hand from the clauses of the pack named in each test.
T = 2026-03-01 10:00 +08 = 1772330400 (``date -d '2026-03-01T10:00+08:00' +%s``).
"""

from datetime import timedelta

import pytest

from passlight.core.facts.fact import Op
from passlight.office.facts.actions import retract_facts
from passlight.office.people.models import Person
from passlight.office.statuses import evaluation
from passlight.office.statuses.models import Heartbeat, Publication, Reason, Task
from passlight.office.statuses.queries import segment_at
from passlight.office.statuses.shared import News, SharedFacts
from tests.statuses.cast import (
    KEY_AREA,
    arrival,
    confirmed,
    discharged,
    land,
    list_key_area,
    log,
    one_rule,
    people,
    published,
    put_in_force,
    registered,
    run_worker,
    shanghai,
    shown,
)
from tests.statuses.moments import HandClock, T, at, fact

T_SECONDS = 1772330400
DAY = 86400


@pytest.fixture
def hand():
    return HandClock(T - timedelta(days=20))


@pytest.fixture
def under_shanghai(db, hand):
    put_in_force(shanghai(), hand)
    list_key_area(hand)
    return hand


def test_registering_publishes_green(under_shanghai):
    """E01."""
    (one,) = people(1)
    registered([one], under_shanghai)
    run_worker(under_shanghai)
    row = published(one)
    assert (row.seq, row.state, row.segments) == (
        1,
        "active",
        [{"from": None, "colour": "green", "reason": None}],
    )


def test_e06_as_it_happens(under_shanghai):
    """Arrival T, confirmed T+2d, discharged T+6d: yellow, red, yellow again to T+14d."""
    clock = under_shanghai
    (one,) = people(1)
    publisher = run_worker(clock)
    clock.set(T)
    land(arrival(one, T), clock=clock)
    run_worker(clock, publisher)
    assert shown(one) == [(None, "yellow"), (T_SECONDS + 14 * DAY, "green")]
    clock.set(T + timedelta(days=2))
    land(confirmed(one, clock.moment), clock=clock)
    run_worker(clock, publisher)
    assert shown(one) == [(None, "red")]
    clock.set(T + timedelta(days=6))
    land(discharged(one, clock.moment), clock=clock)
    run_worker(clock, publisher)
    assert shown(one) == [(None, "yellow"), (T_SECONDS + 14 * DAY, "green")]
    assert Publication.objects.count() == 4  # green before all that, then these three


def test_a_change_by_time_needs_no_timer(under_shanghai):
    """E03 at a gateway that holds the row and nothing else: yellow at T+14d−1s, green at T+14d."""
    (one,) = people(1)
    under_shanghai.set(T)
    land(arrival(one, T), clock=under_shanghai)
    run_worker(under_shanghai)
    segments = published(one).segments
    end = T + timedelta(days=14)
    assert segment_at(segments, end - timedelta(seconds=1))["colour"] == "yellow"
    assert segment_at(segments, end)["colour"] == "green"
    under_shanghai.set(end + timedelta(days=1))
    run_worker(under_shanghai)
    assert Publication.objects.count() == 1  # time passed, nothing to publish


def test_nothing_is_published_twice(under_shanghai):
    (one,) = people(1)
    registered([one], under_shanghai)
    publisher = run_worker(under_shanghai)
    land(
        fact("lab:1", "lab.sampled", one.facts_key, under_shanghai.moment, sample_id="1"),
        clock=under_shanghai,
    )
    run_worker(under_shanghai, publisher)
    assert Publication.objects.count() == 1
    assert Heartbeat.objects.get().fact_seq == 3


def test_a_negative_test_is_published_with_its_sampling(under_shanghai):
    (one,) = people(1)
    under_shanghai.set(T)
    land(
        fact(
            "lab:1",
            "lab.result",
            one.facts_key,
            T,
            sample_id="1",
            value="neg",
            sampled_at="2026-03-01T02:00:00+08:00",
        ),
        clock=under_shanghai,
    )
    run_worker(under_shanghai)
    assert published(one).sampled_at == at("2026-03-01 02:00")


def test_a_retraction_takes_the_colour_back(under_shanghai):
    """E14: red by a confirmation, green once it is withdrawn."""
    (one,) = people(1)
    under_shanghai.set(T)
    land(confirmed(one, T), clock=under_shanghai)
    publisher = run_worker(under_shanghai)
    assert shown(one) == [(None, "red")]
    under_shanghai.set(T + timedelta(days=3))
    retract_facts(
        [f"cdc:case-{one.ordinal}"],
        reason="data_error",
        source="cdc",
        batch_id="r",
        clock=under_shanghai,
    )
    run_worker(under_shanghai, publisher)
    assert shown(one) == [(None, "green")]


def test_a_correction_moves_a_fact_from_one_person_to_another(under_shanghai):
    one, other = people(2)
    registered([one, other], under_shanghai)
    under_shanghai.set(T)
    land(confirmed(one, T), clock=under_shanghai)
    publisher = run_worker(under_shanghai)
    assert [shown(one), shown(other)] == [[(None, "red")], [(None, "green")]]
    land(
        fact(
            f"cdc:case-{one.ordinal}",
            "case.confirmed",
            other.facts_key,
            T,
            case_id=str(one.ordinal),
        ),
        clock=under_shanghai,
    )
    run_worker(under_shanghai, publisher)
    assert [shown(one), shown(other)] == [[(None, "green")], [(None, "red")]]


def test_a_listed_area_touches_who_named_one_above_or_below_it(under_shanghai):
    """Listing 990200 colours who left 990203 (below); 990000 (above) gets no colour (E22); 990300 is left alone."""
    below, same, above, apart = people(4)
    registered([below, same, above, apart], under_shanghai)
    under_shanghai.set(T)
    land(
        arrival(below, T, area="990203"),
        arrival(same, T, area="990200"),
        arrival(above, T, area="990000"),
        arrival(apart, T, area="990300"),
        clock=under_shanghai,
    )
    publisher = run_worker(under_shanghai)
    assert {shown(one)[0][1] for one in (below, same, above, apart)} == {"green"}
    before = Publication.objects.count()
    list_key_area(under_shanghai, "990200")
    run_worker(under_shanghai, publisher)
    assert [shown(one)[0][1] for one in (below, same, above, apart)] == [
        "yellow",
        "yellow",
        "green",
        "green",
    ]
    assert Publication.objects.count() == before + 2


def test_a_fact_is_withdrawn_under_whatever_kind_and_subject(under_shanghai):
    """Its id alone names it: a listing withdrawn as somebody's stay, a link as a test."""
    one, other = people(2)
    registered([one, other], under_shanghai)
    under_shanghai.set(T)
    pair = {"a": one.facts_key, "b": other.facts_key}
    land(
        arrival(one, T),
        fact("link", "identity.link", one.facts_key, T, **pair),
        clock=under_shanghai,
    )
    publisher = run_worker(under_shanghai)
    assert [shown(each)[0][1] for each in (one, other)] == ["yellow", "yellow"]
    nobody = "desk-1"
    land(fact("link", "lab.result", nobody, T, op=Op.RETRACT), clock=under_shanghai)
    run_worker(under_shanghai, publisher)
    assert [shown(each)[0][1] for each in (one, other)] == ["yellow", "green"]
    land(fact(f"list:{KEY_AREA}", "stay", nobody, T, op=Op.RETRACT), clock=under_shanghai)
    run_worker(under_shanghai, publisher)
    assert [shown(each)[0][1] for each in (one, other)] == ["green", "green"]


def test_an_area_known_too_coarsely_is_a_question_once(under_shanghai):
    """E22: 990202 is listed, the person is known to come from somewhere in 990200: no colour, one task."""
    (one,) = people(1)
    list_key_area(under_shanghai, "990202")
    under_shanghai.set(T)
    land(arrival(one, T, area="990200"), clock=under_shanghai)
    publisher = run_worker(under_shanghai)
    assert shown(one)[0][1] == "green"
    land(fact("lab:1", "lab.sampled", one.facts_key, T, sample_id="1"), clock=under_shanghai)
    run_worker(under_shanghai, publisher)
    (task,) = Task.objects.all()
    assert (task.ordinal, task.kind, task.detail) == (
        0,
        "question",
        "arrived-from-key-area: rail:0 / list:990202",
    )


def test_a_silent_source_makes_nobody_greener(db, hand):
    """E47: with deliveries every 24 h asked for, green ends 24 h after the last one, in the row itself."""
    hand.set(T)
    files = one_rule()
    source = ", mandatory: [{source: lab, within: 24h, when_stale: unknown, text: {zh: 数据未到, en: Data is late}}]}\nrules"
    put_in_force({"pack.yaml": files["pack.yaml"].replace("}\nrules", source)}, hand)
    (one,) = people(1)
    registered([one], hand)
    publisher = run_worker(hand)
    assert shown(one) == [(None, "unknown")]
    for day in (0, 1):
        hand.set(T + timedelta(days=day))
        land(
            fact(f"lab:{day}", "source.delivered", "source:lab", hand.moment, source="lab"),
            clock=hand,
        )
        run_worker(hand, publisher)
        assert shown(one) == [(None, "green"), (T_SECONDS + (day + 1) * DAY, "unknown")]


def read_between(after, up_to):
    shared = SharedFacts()
    shared.read(up_to)
    return News.between(after=after, up_to=up_to), shared


def test_whom_an_area_touches(under_shanghai):
    from passlight.core.rules.areas import AreaCodes
    from passlight.office.statuses.touched import touched_by

    below, same, above, apart = people(4)
    land(
        arrival(below, under_shanghai.moment, area="990203"),
        arrival(same, under_shanghai.moment, area="990200"),
        arrival(above, under_shanghai.moment, area="990000"),
        arrival(apart, under_shanghai.moment, area="990300"),
        clock=under_shanghai,
    )
    list_key_area(under_shanghai, "990200")
    touched = touched_by(*read_between(5, 6), codes=AreaCodes())
    assert touched.subjects == {below.facts_key, same.facts_key, above.facts_key}


def test_whom_an_area_touches_by_a_fact_that_names_two(under_shanghai):
    """A stay is read by its ``area``, whatever other area its sender adds."""
    from passlight.core.rules.areas import AreaCodes
    from passlight.office.statuses.touched import touched_by

    staying, coming, apart = people(3)
    now = under_shanghai.moment
    land(
        fact("s:0", "stay", staying.facts_key, now, area="990200", from_area="990900"),
        fact("a:1", "travel.arrived", coming.facts_key, now, area="990900", from_area="990200"),
        fact("s:2", "stay", apart.facts_key, now, area="990900", from_area="990800"),
        clock=under_shanghai,
    )
    list_key_area(under_shanghai, "990200")
    touched = touched_by(*read_between(4, 5), codes=AreaCodes())
    assert touched.subjects == {staying.facts_key, coming.facts_key}


def test_linked_identities_share_their_facts_until_they_are_unlinked(under_shanghai):
    """E41: both are red while linked; the green one is green again after."""
    green, red = people(2)
    registered([green, red], under_shanghai)
    under_shanghai.set(T)
    land(confirmed(red, T), clock=under_shanghai)
    publisher = run_worker(under_shanghai)
    under_shanghai.move(hours=1)
    land(
        fact(
            "id:1",
            "identity.link",
            green.facts_key,
            under_shanghai.moment,
            source="desk",
            a=green.facts_key,
            b=red.facts_key,
            evidence="same document",
        ),
        clock=under_shanghai,
    )
    run_worker(under_shanghai, publisher)
    assert [shown(green), shown(red)] == [[(None, "red")], [(None, "red")]]
    under_shanghai.move(hours=1)
    land(
        fact(
            "id:2",
            "identity.unlink",
            green.facts_key,
            under_shanghai.moment,
            source="desk",
            a=red.facts_key,
            b=green.facts_key,
        ),
        clock=under_shanghai,
    )
    run_worker(under_shanghai, publisher)
    assert [shown(green), shown(red)] == [[(None, "green")], [(None, "red")]]


def test_who_has_died_is_closed(under_shanghai):
    """E48."""
    (one,) = people(1)
    under_shanghai.set(T)
    land(fact("civil:1", "person.deceased", one.facts_key, T, source="civil"), clock=under_shanghai)
    run_worker(under_shanghai)
    assert (published(one).state, shown(one)) == ("closed", [(None, "closed")])


def test_a_negative_that_a_better_source_contradicts_has_no_age(db, hand):
    """Conflict of one sample (field/08 1.6): the pack ranks cdc before site; cdc says positive."""
    files = {
        "pack.yaml": one_rule()["pack.yaml"].replace(
            "cap:", "sources: {lab.result: [cdc, site]}, cap:"
        )
    }
    put_in_force(files, hand)
    one, two = people(2)
    hand.set(T)
    for person, better in ((one, "pos"), (two, "neg")):
        for source, value in (("site", "neg"), ("cdc", better)):
            sample = {"sample_id": "7", "value": value}
            fact_id = f"{source}:{person.ordinal}"
            land(
                fact(fact_id, "lab.result", person.facts_key, T, source=source, **sample),
                clock=hand,
            )
    run_worker(hand)
    assert published(one).sampled_at is None
    assert published(two).sampled_at == T


def test_nothing_is_sampled_after_its_result(under_shanghai):
    (one,) = people(1)
    under_shanghai.set(T)
    odd = {"sample_id": "1", "value": "neg", "sampled_at": "2999-01-01T00:00:00+08:00"}
    land(fact("lab:1", "lab.result", one.facts_key, T, **odd), clock=under_shanghai)
    run_worker(under_shanghai)
    assert published(one).sampled_at == T


def test_one_persons_fault_is_theirs_alone(under_shanghai, monkeypatch):
    """A person whose evaluation raises is unknown, with a task; the others go on (no wrong colour)."""
    persons = people(3)
    registered(persons, under_shanghai)
    honest = evaluation.evaluate

    def faulty(*args, **kwargs):
        if kwargs["subject"] == persons[1].facts_key:
            raise RuntimeError("a rule met what it cannot read")
        return honest(*args, **kwargs)

    monkeypatch.setattr(evaluation, "evaluate", faulty)
    publisher = run_worker(under_shanghai)
    assert [shown(one)[0][1] for one in persons] == ["green", "unknown", "green"]
    assert published(persons[1]).state == "unknown"
    task = Task.objects.get()
    assert (task.ordinal, task.kind) == (1, "evaluation-failed")
    assert Reason.objects.filter(key=published(persons[1]).segments[0]["reason"]).exists()
    monkeypatch.setattr(
        evaluation, "evaluate", honest
    )  # control: the fault away, the colour is back
    land(
        fact("lab:1", "lab.sampled", persons[1].facts_key, under_shanghai.moment, sample_id="1"),
        clock=under_shanghai,
    )
    run_worker(under_shanghai, publisher)
    assert shown(persons[1]) == [(None, "green")]


def test_every_reason_is_there_before_its_first_use(under_shanghai):
    (one,) = people(1)
    under_shanghai.set(T)
    land(arrival(one, T), clock=under_shanghai)
    run_worker(under_shanghai)
    keys = {part["reason"] for row in Publication.objects.all() for part in row.segments} - {None}
    assert keys == {"shanghai-2020-02@2020.02.17/arrived-from-key-area/0"}
    reason = Reason.objects.get(key=keys.pop())
    assert (reason.colour, reason.reason["zh"]) == ("yellow", "重点地区来沪未满14天")
    assert set(reason.advice) == {"zh", "en"}


def test_the_heartbeat_vouches_for_what_is_evaluated_and_no_more(under_shanghai, monkeypatch):
    monkeypatch.setattr("passlight.office.statuses.publishing.FACTS_A_PASS", 2)
    publisher = run_worker(under_shanghai)
    assert Heartbeat.objects.get().at == under_shanghai.moment
    before = under_shanghai.moment
    under_shanghai.move(minutes=1)
    registered(people(5), under_shanghai)
    assert publisher.step()  # two of five: the others are committed before now and not evaluated
    assert Heartbeat.objects.get().at == before
    run_worker(under_shanghai, publisher)
    assert Heartbeat.objects.get().at == under_shanghai.moment
    under_shanghai.move(seconds=5)
    run_worker(under_shanghai, publisher)  # nothing to do: it beats all the same
    assert Heartbeat.objects.get().at == under_shanghai.moment


def test_a_worker_started_again_publishes_nothing_new(under_shanghai):
    persons = people(4)
    registered(persons, under_shanghai)
    run_worker(under_shanghai)
    before = log()
    Heartbeat.objects.update(fact_seq=0)  # as if the position had been lost
    run_worker(under_shanghai)
    assert log() == before
    assert Person.objects.count() == 4
