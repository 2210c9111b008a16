"""Clocks and escalations, with times worked out by hand."""

from datetime import timedelta

import pytest

from passlight.core.incidents import allowed
from passlight.core.incidents.allowed import append
from passlight.core.incidents.clocks import StepLimits, due, escalations, hand_over_due
from passlight.core.incidents.event import AbnormalFinding, Evidence, IncidentEvent, What
from passlight.core.incidents.steps import Channel, FindingKind, Step
from passlight.core.kernel.problem import ProblemError
from tests.incidents.cases import instant

LIMITS = StepLimits(
    seconds={Step.ISOLATED: 300, Step.DUTY_LEADER_TOLD: 600, Step.STREET_TOLD: 600},
    hand_over_seconds=120,
)


def opened():
    return append(
        None,
        IncidentEvent(
            number=1,
            what=What.OPENED,
            at=instant("10:00"),
            recorded_at=instant("10:00"),
            actor="checker",
            finding=AbnormalFinding(kind=FindingKind.RED),
            to="checker",
            deputy="leader",
            unit="hall",
            bodies=("leading-group",),
        ),
    )


def add(incident, what, at, **fields):
    event = IncidentEvent(
        number=len(incident.events) + 1,
        what=what,
        at=instant(at),
        recorded_at=instant(at),
        actor=fields.pop("actor", "checker"),
        **fields,
    )
    return append(incident, event)


def test_a_first_step_that_nobody_records_stops_no_clock():
    """10:00 + 5 min isolated, + 10 min leader told, + 10 min street told = 10:05, 10:15, 10:25."""
    waiting = {found.step: found.due_at for found in due(opened(), LIMITS, instant("10:00"))}
    assert waiting == {
        Step.ISOLATED: instant("10:05"),
        Step.DUTY_LEADER_TOLD: instant("10:15"),
        Step.STREET_TOLD: instant("10:25"),
    }


def test_a_step_done_early_moves_the_next_clock():
    incident = add(opened(), What.STEP, "10:01", step=Step.ISOLATED)
    (leader, street) = due(incident, LIMITS, instant("10:12"))
    assert (leader.due_at, leader.late) == (instant("10:11"), timedelta(minutes=1))
    assert (street.due_at, street.is_late) == (instant("10:21"), False)


@pytest.mark.parametrize(
    ("at", "times"),
    # due 10:05, limit 5 min: told at the limit, then 1, 3 and 7 limits later
    [
        *(("10:05", 0), ("10:06", 1), ("10:09", 1), ("10:10", 2)),
        *(("10:19", 2), ("10:20", 3), ("10:39", 3), ("10:40", 4)),
    ],
)
def test_escalation_goes_up_at_growing_intervals(at, times):
    incident, told = opened(), 0
    limits = StepLimits(seconds={Step.ISOLATED: 300})
    while escalations(incident, limits, instant(at)) == (Step.ISOLATED,):
        incident = add(incident, What.ESCALATED, at, step=Step.ISOLATED, to=f"level-{told}")
        told += 1
        assert told < 10
    assert told == times


def test_a_hand_over_that_nobody_answers_is_escalated_and_stays_with_its_owner():
    incident = add(opened(), What.HANDED_OVER, "10:01", to="leader", deputy="vice", unit="hall")
    assert incident.owner == "checker"
    assert hand_over_due(incident, LIMITS) == instant("10:03")
    assert escalations(incident, LIMITS, instant("10:03")) == ()
    assert escalations(incident, LIMITS, instant("10:04")) == (None,)
    incident = add(incident, What.ESCALATED, "10:04", to="vice")
    assert escalations(incident, LIMITS, instant("10:04")) == ()
    incident = add(incident, What.ACCEPTED, "10:05", actor="vice")
    assert (incident.owner, incident.deputy) == ("leader", "vice")
    assert hand_over_due(incident, LIMITS) is None


def test_what_is_closed_has_no_clock_and_a_step_without_a_limit_none_either():
    incident = opened()
    for step in (Step.ISOLATED, Step.DUTY_LEADER_TOLD, Step.STREET_TOLD):
        evidence = Evidence(channel=Channel.PHONE, who="w")
        incident = add(incident, What.STEP, "10:01", step=step, evidence=evidence)
    assert due(incident, LIMITS, instant("12:00")) == ()


def test_a_full_log_takes_no_more_notes_and_still_goes_to_its_end(monkeypatch):
    monkeypatch.setattr(allowed, "INCIDENT_EVENTS_MAX", 3)
    incident = opened()
    for _ in range(2):
        incident = add(incident, What.NOTED, "10:01", note="n")
    with pytest.raises(ProblemError) as refused:
        add(incident, What.NOTED, "10:02", note="n")
    assert refused.value.problems[0].code == "incidents.refused.too-many"
    assert Step.ISOLATED in add(incident, What.STEP, "10:02", step=Step.ISOLATED).done
