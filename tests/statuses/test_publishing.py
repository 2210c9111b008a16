"""From a landed fact to the row that doors read.

Expected segments are worked out by hand from the clauses of the pack named in each test.
T = 2026-03-01 10:00 +08 = 1772330400 (``date -d '2026-03-01T10:00+08:00' +%s``).
"""

from datetime import timedelta

import psycopg
import pytest

from passlight.core.facts.fact import Op
from passlight.gateway.book import Line, StatusBook
from passlight.office.facts.actions import retract_facts
from passlight.office.people.models import Person
from passlight.office.statuses import evaluation
from passlight.office.statuses.models import Heartbeat, Publication, Reason, Task
from passlight.office.statuses.publishing import Publisher
from passlight.office.statuses.queries import segment_at
from passlight.runtime.database import Role
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
    touched = touched_by(after=5, up_to=6, codes=AreaCodes())
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
    touched = touched_by(after=4, up_to=5, codes=AreaCodes())
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


def test_the_evaluator_role_suffices(under_shanghai, as_role):
    (one,) = people(1)
    registered([one], under_shanghai)
    with as_role(Role.EVALUATOR):
        run_worker(under_shanghai)
    assert shown(one) == [(None, "green")]


COLOURS = (
    "insert into statuses_publication values (99, 0, '[]', null, 'active', now(), 0, 0)",
    "update statuses_publication set segments = '[]'",
    "delete from statuses_publication",
    "truncate statuses_publication",
    "insert into statuses_reason values ('x', 'red', '{}', '{}')",
    "update statuses_heartbeat set at = now()",
)
BEYOND_THE_EVALUATOR = (
    "update statuses_publication set segments = '[]'",
    "delete from statuses_publication",
    "update statuses_reason set colour = 'green'",
    "insert into facts_fact values (1, 'x', 1, 'assert', 'k', 's', now(), null, now(), 's', 'b', '{}')",
    "insert into packs_publication values (1, now(), null, now(), '', null, 1)",
    "select name_sealed from people_person",
)


@pytest.mark.parametrize(
    ("role", "statements"),
    [(Role.OFFICE, COLOURS), (Role.GATEWAY, COLOURS), (Role.EVALUATOR, BEYOND_THE_EVALUATOR)],
)
def test_what_each_role_may_not_write(role_urls, role, statements):
    """Nobody but the evaluator writes a colour, and the evaluator writes nothing else."""
    with psycopg.connect(role_urls[role], autocommit=True) as other:
        for statement in statements:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                other.execute(statement)


def test_a_worker_started_again_publishes_nothing_new(under_shanghai):
    persons = people(4)
    registered(persons, under_shanghai)
    run_worker(under_shanghai)
    before = log()
    Heartbeat.objects.update(fact_seq=0)  # as if the position had been lost
    run_worker(under_shanghai)
    assert log() == before
    assert Person.objects.count() == 4
