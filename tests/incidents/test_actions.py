"""The same sentences through the office, on PostgreSQL: who may do what, and who is told.

The scenarios' expected values stand in their files; here every line is said by the user whose
role the line names.
"""

import inspect
import re
import threading

import pytest
from django.db import connection, connections

from passlight.core.incidents import allowed
from passlight.core.incidents.steps import Channel, FindingKind, Step
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.actions import add_unit
from passlight.office.accounts.models import Role, UnitKind, User
from passlight.office.facts.actions import land_facts
from passlight.office.facts.intake import NewFact
from passlight.office.incidents import actions, corrections, evidence, opening
from passlight.office.incidents.models import CorrectionRequest, StoredIncident
from passlight.office.incidents.queries import (
    incidents_visible,
    listed,
    open_incidents,
    unacknowledged,
)
from passlight.office.incidents.recording import broken_at, read
from passlight.office.notices.actions import mark_seen
from passlight.office.notices.models import Notice
from passlight.runtime.catalogue import catalogue
from tests.incidents.cases import cases, instant
from tests.incidents.hall import ENTROPY, add_person, add_staff, add_venue, make_world

ROLES = {"checker": "checker", "duty-leader": "leader", "street": "street", "district": "officer"}


@pytest.fixture
def world(db):
    return make_world()


def found(world, person=None, kind=FindingKind.RED, venue=None):
    return actions.open_by_hand(
        venue or world.venue,
        kind,
        actor=world.checker,
        person=person,
        clock=world.clock,
        entropy=ENTROPY,
    )


def told_street(world, stored):
    """Take an incident to the street office: found, isolated, told."""
    clock = world.clock
    actions.record_step(stored.pk, Step.ISOLATED, actor=world.checker, clock=clock, note="一号")
    actions.receive(stored.pk, actor=world.leader, clock=clock)
    for step, body in ((Step.STREET_TOLD, ""), (Step.LEADING_GROUP_TOLD, "leading-group")):
        actions.record_step(
            stored.pk,
            step,
            actor=world.leader,
            clock=clock,
            channel=Channel.PHONE,
            who="值班员",
            body=body,
        )
    return StoredIncident.objects.get(pk=stored.pk)


def land_positive(person, clock):
    fact = NewFact(
        fact_id="lab:1",
        kind="lab.result",
        subject=person.facts_key,
        occurred_at=clock.now(),
        source="lab",
        payload={"value": "positive"},
    )
    land_facts([fact], batch_id="b", clock=clock).require_all()


def say(world, stored, row):
    """Say one line of a scenario as its user."""
    actor, step = world.users[ROLES[row["by"]]], Step(row["step"]) if "step" in row else None
    given = {"actor": actor, "clock": world.clock}
    note = row.get("note", "")
    if row.get("what") == "reopened":
        return actions.reopen(stored.pk, reason=note, **given)
    if row.get("what") == "excused":
        return actions.excuse_step(stored.pk, step, note=note, **given)
    if step is Step.DATA_ERROR:
        return corrections.declare_data_error(
            stored.pk, reason=note, fact_id="lab:1", channel=None, **given
        )
    if step in (Step.CORRECTED, Step.NOT_CORRECTED):
        asked = CorrectionRequest.objects.get(incident=stored, decided_at=None)
        return corrections.decide_correction(
            asked.pk, corrected=step is Step.CORRECTED, answer=note, **given
        )
    if step is Step.ACKNOWLEDGED:
        return actions.acknowledge(stored.pk, **given)
    channel = Channel(row["how"]) if "how" in row else None
    return actions.record_step(
        stored.pk,
        step,
        channel=channel,
        who=row.get("who", ""),
        body=row.get("body", ""),
        note=note,
        **given,
    )


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_office_goes_through_the_steps_of_the_plan(world, case, monkeypatch):
    person = add_person()
    world.clock.at = instant(case.events[0]["at"])
    land_positive(person, world.clock)
    if case.bodies != ("leading-group",):
        from passlight.office.incidents import opening
        from passlight.office.incidents.plan import IncidentPlan

        plan = IncidentPlan(version="", minutes={}, bodies=case.bodies)
        monkeypatch.setattr(opening, "plan_for", lambda *_: plan)
    stored = found(world, person, FindingKind(case.finding))
    for row in case.events[1:]:
        world.clock.at = instant(row["at"])
        if "refused" not in row:
            say(world, stored, row)
            continue
        if row.get("step") in ("corrected", "not-corrected"):
            continue  # there is nothing to decide before there is a request
        with pytest.raises(ProblemError) as refused:
            say(world, stored, row)
        assert refused.value.problems[0].code == f"incidents.refused.{row['refused']}", row
    incident = read(stored)
    stored.refresh_from_db()
    assert (stored.closed_at is not None) is case.ends["closed"]
    assert stored.end == case.ends["end"]
    assert len(incident.rounds) == case.ends["rounds"]
    assert [step for step in Step if step in incident.done] == case.ends["steps"]
    assert broken_at(stored) is None


def test_each_role_does_its_own_steps_and_no_other(world):
    """field/06 3.10: posts note and isolate, the leader receives, the street verifies."""
    stored = found(world)
    for name, step in (
        ("street", Step.ISOLATED),
        ("officer", Step.ISOLATED),
        ("checker", Step.ACKNOWLEDGED),
        ("leader", Step.VERIFYING),
        ("clerk", Step.CLOSED),
        ("leader", Step.DISPOSED),
        ("street", Step.CORRECTED),
        ("officer", Step.CORRECTED),
    ):
        with pytest.raises(ProblemError) as refused:
            actions.record_step(
                stored.pk, step, actor=world.users[name], clock=world.clock, note="n"
            )
        assert refused.value.problems[0].code in {
            "incidents.refused.not-yours",
            "incidents.refused.own-command",
        }, (name, step)
    assert read(stored).done.keys() == {Step.FOUND}


def test_a_post_acts_on_its_own_finding_alone(world):
    stored = found(world)
    other = add_staff(Role.CHECKER, world.town, "顾一鸣")
    assert not incidents_visible(other).exists()
    with pytest.raises(ProblemError):
        actions.record_step(stored.pk, Step.ISOLATED, actor=other, clock=world.clock)
    assert list(incidents_visible(world.checker)) == [stored]


def test_a_hand_over_waits_until_it_is_accepted_and_the_hall_keeps_sight(world):
    neighbour = add_unit(
        kind=UnitKind.TOWN, name="云桥镇", name_en="Yunqiao", parent=world.district
    )
    there = add_staff(Role.STREET_OFFICE, neighbour, "秦川")
    stored = told_street(world, found(world))
    actions.acknowledge(stored.pk, actor=world.street, clock=world.clock)
    assert not incidents_visible(there).exists()
    actions.hand_over(stored.pk, to=there, actor=world.street, clock=world.clock, note="户籍所在")
    stored.refresh_from_db()
    assert stored.owner == world.street
    assert Notice.objects.filter(code="messages.incident_assigned", user=there).exists()
    with pytest.raises(ProblemError):
        actions.accept(stored.pk, actor=world.leader, clock=world.clock)
    actions.decline(stored.pk, reason="人已不在本镇", actor=there, clock=world.clock)
    stored.refresh_from_db()
    assert stored.owner == world.street
    actions.hand_over(stored.pk, to=there, actor=world.street, clock=world.clock)
    actions.accept(stored.pk, actor=there, clock=world.clock)
    stored.refresh_from_db()
    assert (stored.owner, stored.deputy) == (there, world.street)
    for user in (world.leader, world.street, world.checker, there, world.officer):
        assert incidents_visible(user).filter(pk=stored.pk).exists(), user.display_name
    assert len(read(stored).units) == 2


def test_what_nobody_reads_goes_to_the_deputy_and_then_up(world):
    """Limits are the defaults: isolated 10:26, leader told 10:36, street told 10:46."""
    second = add_staff(Role.DUTY_LEADER, world.town, "吴敏")
    stored = found(world)
    actions.record_step(stored.pk, Step.ISOLATED, actor=world.checker, clock=world.clock)
    assert actions.escalate(world.clock) is False
    assert read(stored).escalated == {}
    world.clock.move(minutes=11)  # 10:32, leader told was due 10:31
    actions.escalate(world.clock)
    actions.escalate(world.clock)
    assert read(stored).escalated == {Step.DUTY_LEADER_TOLD: 1}
    assert [event.to for event in read(stored).events][-1] == second.badge
    world.clock.move(minutes=10)  # 10:42, once more the limit
    actions.escalate(world.clock)
    told = [event.to for event in read(stored).events if event.what == "escalated"]
    assert told == [second.badge, world.street.badge, second.badge]  # street told is late, too
    late = Notice.objects.filter(code="messages.step_late", user=second)
    assert late.first().params["owner"]["zh"] == "林*满"


def test_a_notice_that_nobody_opens_goes_to_the_next_and_reading_stops_it(world):
    """The plan sets no minutes here, so it is the default of ten; 10:21 is when it was found."""
    second = add_staff(Role.DUTY_LEADER, world.town, "吴敏")
    stored, other = found(world), found(world, venue=add_venue(world.town, "第二大厅"))
    for each in (world.leader, world.officer):  # they look at the other one
        mark_seen(each, other.pk, clock=world.clock)
    # Every step of both is done in time: only the reading is missing.
    quiet = {"limits": {**dict.fromkeys(stored.limits, 24 * 60), "unread": 10}}
    StoredIncident.objects.update(**quiet)

    def passed_on():
        told = Notice.objects.filter(code="messages.incident_unread", channel="in-app")
        return [(one.incident, one.user) for one in told.order_by("created_at", "pk")]

    world.clock.move(minutes=9)
    actions.escalate(world.clock)
    assert passed_on() == []  # in time
    world.clock.move(minutes=1)
    actions.escalate(world.clock)
    actions.escalate(world.clock)
    # The leader has not read: their colleague is told, once. The officer is the last one up,
    # and the guard who found it belongs to no roster: the first on duty is told.
    assert {pair for pair in passed_on() if pair[1] == second} == {(stored.pk, second)}
    assert len(passed_on()) == len(set(passed_on()))
    assert second.pk in {one.pk for one in User.objects.filter(notices__incident=stored.pk)}
    mark_seen(second, stored.pk, clock=world.clock)
    before = passed_on()
    world.clock.move(minutes=20)
    actions.escalate(world.clock)
    after = [pair for pair in passed_on() if pair not in before]
    assert (stored.pk, world.street) not in after  # read by the second: it stops there
    Notice.objects.filter(user=second).update(state="sent", read_at=None)  # control: unread again
    actions.escalate(world.clock)
    assert (stored.pk, world.street) in passed_on()


def test_a_village_with_nobody_on_duty_still_gets_through(world):
    village = add_unit(kind=UnitKind.VILLAGE, name="东塘村", name_en="Dongtang", parent=world.town)
    guide = add_staff(Role.GUIDE, village, "汪洋")
    stored = actions.open_by_hand(
        add_venue(village, "东塘村服务站"),
        FindingKind.RED,
        actor=guide,
        clock=world.clock,
        entropy=ENTROPY,
    )
    assert (stored.owner, stored.deputy) == (guide, world.leader)
    told = Notice.objects.filter(code="messages.incident_found", incident=stored.pk)
    assert world.leader.pk in set(told.values_list("user", flat=True))
    world.leader.locked_at = world.clock.now()
    world.leader.save()
    second = actions.open_by_hand(
        stored.venue, FindingKind.RED, actor=guide, clock=world.clock, entropy=ENTROPY
    )
    assert second.deputy == world.street  # nobody leads: the street office itself
    world.clock.move(minutes=30)
    actions.escalate(world.clock)
    told = {event.to for event in read(second).events if event.what == "escalated"}
    assert world.officer.badge in told


def test_two_halls_of_one_street_are_two_lists_and_one_queue(world):
    other = add_venue(world.town, "青汀街道第二大厅")
    first, second = told_street(world, found(world)), told_street(world, found(world, venue=other))
    assert set(unacknowledged(world.street)) == {first, second}
    assert (first.number, second.number) == ("0608-01", "0608-01")
    actions.acknowledge(first.pk, actor=world.street, clock=world.clock)
    assert list(unacknowledged(world.street)) == [second]


def test_the_list_has_late_ones_first_and_then_the_oldest(world):
    early = told_street(world, found(world))
    actions.acknowledge(early.pk, actor=world.street, clock=world.clock)
    actions.record_step(early.pk, Step.VERIFYING, actor=world.street, clock=world.clock)
    world.clock.move(minutes=1)
    late = found(world)
    world.clock.move(minutes=6)
    middle = found(world)
    rows = listed(open_incidents(world.leader), world.clock.now())
    assert [row.stored for row in rows] == [late, early, middle]
    assert [row.is_late for row in rows] == [True, False, False]
    assert rows[0].waits.step is Step.ISOLATED
    assert rows[0].age.total_seconds() == 360


def test_a_closed_one_is_reopened_unless_the_person_has_another(world):
    person = add_person()
    stored = told_street(world, found(world, person))
    clock = world.clock
    actions.acknowledge(stored.pk, actor=world.street, clock=clock)
    actions.record_step(stored.pk, Step.VERIFYING, actor=world.street, clock=clock)
    actions.dispose(stored.pk, measures="居家", actor=world.street, clock=clock)
    actions.close(stored.pk, actor=world.leader, clock=clock)
    clock.move(minutes=5)
    again = found(world, person)
    assert again != stored
    with pytest.raises(ProblemError) as refused:
        actions.reopen(stored.pk, reason="有误", actor=world.street, clock=clock)
    assert refused.value.problems[0].code == "incidents.refused.other-open"


def test_a_step_that_is_refused_leaves_nothing_behind(world):
    stored = found(world)
    before = stored.log.count(), Notice.objects.count()
    with pytest.raises(ProblemError):
        actions.close(stored.pk, actor=world.street, clock=world.clock)
    assert (stored.log.count(), Notice.objects.count()) == before


@pytest.mark.django_db(transaction=True)
def test_two_who_record_one_step_at_once_record_it_once():
    world = make_world()
    stored = told_street(world, found(world))
    others = [world.street, add_staff(Role.STREET_OFFICE, world.town, "秦川")]
    start, outcomes = threading.Barrier(2, timeout=20), []

    def work(actor):
        try:
            start.wait()
            actions.acknowledge(stored.pk, actor=actor, clock=world.clock)
            outcomes.append("done")
        except ProblemError as error:
            outcomes.append(error.problems[0].code)
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=work, args=(actor,)) for actor in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["done", "incidents.refused.done-already"]
    assert broken_at(stored) is None
    steps = [event.step for event in read(stored).events]
    assert steps.count(Step.ACKNOWLEDGED) == 1


def test_every_kind_of_finding_has_its_words():
    for kind in FindingKind:
        for prefix in ("kind", "kind_word"):
            assert set(catalogue()[f"incidents.{prefix}.{kind}"]) == {"zh", "en"}
    for step in Step:
        assert f"incidents.step.{step}" in catalogue()


def test_every_refusal_of_the_core_has_its_words():
    """Counted from the source: each code that the rules can give is in the catalogue."""
    for module in (allowed, actions, corrections, evidence, opening):
        source = inspect.getsource(module)
        codes = set(re.findall(r'refused?\(\s*"([a-z-]+)"', source))
        codes |= set(re.findall(r'"incidents\.refused\.([a-z-]+)"', source))
        assert codes, module
        for code in codes:
            assert f"incidents.refused.{code}" in catalogue(), (module.__name__, code)


def test_a_list_costs_the_same_queries_for_each_incident(world, django_assert_max_num_queries):
    for _ in range(3):
        found(world)
    with django_assert_max_num_queries(6):
        assert len(listed(open_incidents(world.leader), world.clock.now())) == 3
    assert connection.vendor == "postgresql"
