"""From a red scan to green at the door: the fact is corrected, the worker recolours, it is closed.

Nobody writes a colour. The expected colours are the rule's own: a confirmed case is red
until the fact is withdrawn (the pack of ``tests/statuses/cast.py``), then green.
"""

from datetime import UTC

import pytest

from passlight.core.incidents.steps import Channel, Step
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.models import Role
from passlight.office.facts.models import FactVersion
from passlight.office.incidents import actions, corrections, follow
from passlight.office.incidents.models import CorrectionRequest, StoredIncident
from passlight.office.incidents.recording import read
from passlight.office.people.models import Person
from tests.incidents.hall import add_person, add_record, add_staff, make_world
from tests.incidents.test_actions import land_positive
from tests.statuses import cast
from tests.statuses.moments import at


@pytest.fixture
def world(db):
    made = make_world()
    made.clock.at = at("2026-03-01 10:00").astimezone(UTC)
    return made


def verified(world, person):
    """Follow a red record of ``person`` and take it to the street office's verification."""
    key = person.visits_key if person is not None else None
    add_record(world.venue, f"r-{key}", clock=world.clock, visits_key=key)
    follow.follow_records(world.clock)
    stored = StoredIncident.objects.get(visits_key=key, closed_at=None)
    actions.record_step(
        stored.pk, Step.ISOLATED, actor=world.leader, clock=world.clock, note="一号隔离间"
    )
    actions.receive(stored.pk, actor=world.leader, clock=world.clock)
    for step, body in ((Step.STREET_TOLD, ""), (Step.LEADING_GROUP_TOLD, "leading-group")):
        actions.record_step(
            stored.pk,
            step,
            actor=world.leader,
            clock=world.clock,
            channel=Channel.GROUP,
            who="值班员",
            body=body,
        )
    actions.acknowledge(stored.pk, actor=world.street, clock=world.clock)
    actions.record_step(stored.pk, Step.VERIFYING, actor=world.street, clock=world.clock)
    return stored


def test_from_a_red_scan_to_green_at_the_door(world):
    person = add_person()
    cast.put_in_force(cast.one_rule(), world.clock)
    cast.registered([person], _moved(world.clock))
    cast.land(cast.confirmed(person, world.clock.now()), clock=_moved(world.clock))
    publisher = cast.run_worker(world.clock)
    assert cast.shown(person)[-1][1] == "red"

    stored = verified(world, person)
    corrections.declare_data_error(
        stored.pk,
        reason="姓名相同，证件不同",
        fact_id=f"cdc:case-{person.ordinal}",
        actor=world.street,
        clock=world.clock,
    )
    assert read(stored).done.keys() >= {Step.DATA_ERROR, Step.DISTRICT_TOLD}
    asked = CorrectionRequest.objects.get(incident=stored)
    world.clock.move(minutes=11)
    corrections.decide_correction(
        asked.pk, corrected=True, answer="来源确认登记有误", actor=world.officer, clock=world.clock
    )
    latest = FactVersion.objects.filter(fact_id=asked.fact_id).order_by("-ver").first()
    assert (latest.op, latest.ver, latest.source) == ("retract", 2, "manual")
    assert latest.payload["officer"] == world.street.badge
    assert latest.payload["approver"] == world.officer.badge
    cast.run_worker(world.clock, publisher)
    assert cast.shown(person)[-1][1] == "green"

    actions.release(stored.pk, note="绿码放行", actor=world.leader, clock=world.clock)
    actions.close(stored.pk, actor=world.leader, clock=world.clock)
    stored.refresh_from_db()
    assert (stored.end, stored.step) == ("data-error", "closed")
    assert stored.closed_at == world.clock.now()


def _moved(clock):
    """The cast's helpers ask their clock for ``moment``."""
    clock.moment = clock.now()
    return clock


def prepared(world):
    person = add_person()
    land_positive(person, world.clock)
    return person, verified(world, person)


def declare(world, stored, **given):
    fields = {"reason": "采样登记错误", "fact_id": "lab:1", "actor": world.street, **given}
    return corrections.declare_data_error(stored.pk, clock=world.clock, **fields)


def code_of(refused):
    return refused.value.problems[0].code.removeprefix("incidents.refused.")


def test_a_corrected_payload_is_signed_by_two_and_lives_a_while(world):
    _, stored = prepared(world)
    declare(world, stored, proposed={"value": "negative"})
    asked = CorrectionRequest.objects.get()
    corrections.decide_correction(
        asked.pk, corrected=True, answer="阴性", actor=world.officer, clock=world.clock
    )
    latest = FactVersion.objects.filter(fact_id="lab:1").order_by("-ver").first()
    assert latest.payload["value"] == "negative"
    assert {"officer", "approver", "basis", "expires_at"} <= latest.payload.keys()
    # 1 March 10:00 in Shanghai and 14 days
    assert latest.payload["expires_at"] == "2026-03-15T02:00:00+00:00"


@pytest.mark.parametrize(
    "proposed", [{"value": None}, {"value": 5}, {"value": ""}, {"sampled_at": "yesterday"}]
)
def test_a_proposed_payload_that_no_agency_could_send_does_not_land(world, proposed):
    _, stored = prepared(world)
    declare(world, stored, proposed=proposed)
    with pytest.raises(ProblemError):
        corrections.decide_correction(
            CorrectionRequest.objects.get().pk,
            corrected=True,
            answer="a",
            actor=world.officer,
            clock=world.clock,
        )
    assert FactVersion.objects.filter(fact_id="lab:1").count() == 1
    assert Step.CORRECTED not in read(stored).done


def test_one_person_or_one_organisation_never_decides_alone(world):
    """E46, design.md 7: two people from two organisations."""
    _, stored = prepared(world)
    declare(world, stored)
    asked = CorrectionRequest.objects.get()
    inside = add_staff(Role.DISTRICT_OFFICE, world.town, "陆遥")
    for actor, why in ((world.street, "not-yours"), (inside, "one-organisation")):
        with pytest.raises(ProblemError) as refused:
            corrections.decide_correction(
                asked.pk, corrected=True, answer="a", actor=actor, clock=world.clock
            )
        assert code_of(refused) == why
    assert FactVersion.objects.filter(fact_id="lab:1").count() == 1


def test_one_human_being_with_two_accounts_never_decides_alone(world):
    """The officer's own street account: by person, or made by the officer on the users' page."""
    _, stored = prepared(world)
    declare(world, stored)
    asked = CorrectionRequest.objects.get()
    human = add_person("310118199002020022", "何远")
    given = {"corrected": True, "answer": "a", "clock": world.clock}
    for both in ({"person": human}, {"added_by": world.officer}):
        for name, value in both.items():
            setattr(world.street, name, value)
        world.street.save()
        if "person" in both:
            world.officer.person = human
            world.officer.save()
        with pytest.raises(ProblemError) as refused:
            corrections.decide_correction(asked.pk, actor=world.officer, **given)
        assert code_of(refused) == "one-organisation"
        world.street.person = None
        world.street.save()
    assert FactVersion.objects.filter(fact_id="lab:1").count() == 1
    world.street.added_by = None
    world.street.save()
    corrections.decide_correction(asked.pk, actor=world.officer, **given)  # the control


def test_an_incident_of_somebody_unknown_corrects_nobody_s_fact(world):
    """Or a hand-made incident without a person would turn anybody green."""
    friend = add_person("310118199002020022", "王小兰")
    land_positive(friend, world.clock)
    unknown = verified(world, None)
    with pytest.raises(ProblemError) as refused:
        declare(world, unknown)
    assert code_of(refused) == "not-their-fact"
    declare(world, unknown, fact_id="", fact_known=False)
    asked = CorrectionRequest.objects.get()
    given = {"answer": "a", "actor": world.officer, "clock": world.clock}
    with pytest.raises(ProblemError) as refused:
        corrections.decide_correction(asked.pk, corrected=True, fact_id="lab:1", **given)
    assert code_of(refused) == "not-their-fact"
    assert FactVersion.objects.filter(fact_id="lab:1").count() == 1
    corrections.decide_correction(asked.pk, corrected=False, **given)


def test_nobody_corrects_a_fact_about_somebody_else(world):
    other = add_person("310118199002020022", "王小兰")
    land_positive(other, world.clock)
    person = add_person()
    stored = verified(world, person)
    with pytest.raises(ProblemError) as refused:
        declare(world, stored)
    assert code_of(refused) == "not-their-fact"
    with pytest.raises(ProblemError) as refused:
        declare(world, stored, fact_id="")
    assert code_of(refused) == "no-fact"


def test_a_fact_that_changed_meanwhile_is_looked_at_again(world):
    person, stored = prepared(world)
    declare(world, stored)
    world.clock.move(minutes=1)
    land_positive(person, world.clock)  # the laboratory sends its own new version
    with pytest.raises(ProblemError) as refused:
        corrections.decide_correction(
            CorrectionRequest.objects.get().pk,
            corrected=True,
            answer="a",
            actor=world.officer,
            clock=world.clock,
        )
    assert code_of(refused) == "fact-changed"


def test_a_refusal_lands_nothing_and_is_not_decided_twice(world):
    _, stored = prepared(world)
    declare(world, stored)
    asked = CorrectionRequest.objects.get()
    given = {"answer": "结果无误", "actor": world.officer, "clock": world.clock}
    corrections.decide_correction(asked.pk, corrected=False, **given)
    assert FactVersion.objects.filter(fact_id="lab:1").count() == 1
    assert Step.NOT_CORRECTED in read(stored).done
    with pytest.raises(ProblemError) as refused:
        corrections.decide_correction(asked.pk, corrected=True, **given)
    assert code_of(refused) == "decided"
    assert Person.objects.count() == 1


def test_a_fact_that_the_street_cannot_find_is_named_by_the_district(world):
    _, stored = prepared(world)
    declare(world, stored, fact_id="", fact_known=False)
    asked = CorrectionRequest.objects.get()
    given = {"corrected": True, "answer": "已查明", "actor": world.officer, "clock": world.clock}
    with pytest.raises(ProblemError) as refused:
        corrections.decide_correction(asked.pk, **given)
    assert code_of(refused) == "no-fact"
    corrections.decide_correction(asked.pk, fact_id="lab:1", **given)
    latest = FactVersion.objects.filter(fact_id="lab:1").order_by("-ver").first()
    assert latest.op == "retract"
