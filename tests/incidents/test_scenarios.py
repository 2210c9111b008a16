"""The sentences of the plan about an abnormal code, run through the core.

Expected values stand in the YAML files, worked out by hand from the clause that each names.
"""

import pytest

from passlight.core.incidents.allowed import append, may
from passlight.core.incidents.clocks import StepLimits, due, due_at
from passlight.core.incidents.event import AbnormalFinding, Evidence, IncidentEvent, What
from passlight.core.incidents.event_form import event_from_json, event_to_json
from passlight.core.incidents.incident import fold
from passlight.core.incidents.steps import Channel, FindingKind, Step
from tests.incidents.cases import Case, cases, instant


def event_of(case: Case, row: dict, number: int) -> IncidentEvent:
    at = instant(row["at"])
    if row.get("step") == "found":
        return IncidentEvent(
            number=1,
            what=What.OPENED,
            at=at,
            recorded_at=at,
            actor=row["by"],
            finding=AbnormalFinding(kind=FindingKind(case.finding)),
            to=row["by"],
            deputy="duty-leader",
            unit="hall",
            bodies=case.bodies,
        )
    evidence = Evidence(channel=Channel(row["how"]), who=row["who"]) if "how" in row else None
    return IncidentEvent(
        number=number,
        what=What(row.get("what", "step")),
        at=at,
        recorded_at=at,
        actor=row["by"],
        step=Step(row["step"]) if "step" in row else None,
        evidence=evidence,
        body=row.get("body", ""),
        note=row.get("note", ""),
    )


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_core_goes_through_the_steps_of_the_plan(case):
    incident = None
    for row in case.events:
        event = event_of(case, row, 1 if incident is None else len(incident.events) + 1)
        problem = may(incident, event)
        if "refused" in row:
            assert problem is not None, row
            assert problem.code == f"incidents.refused.{row['refused']}", row
            assert problem.params.get("steps", "") == row.get("steps", ""), row
            continue
        assert problem is None, (row, problem)
        incident = append(incident, event)
    assert incident is not None
    ends = case.ends
    assert incident.closed is ends["closed"]
    assert incident.rounds[-1].end == ends["end"]
    assert len(incident.rounds) == ends["rounds"]
    assert [step for step in Step if step in incident.done] == ends["steps"]
    stored = [event_to_json(event) for event in incident.events]
    assert fold(event_from_json(obj) for obj in stored) == incident


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_clocks_show_what_is_late(case):
    limits = StepLimits(seconds={Step(name): value for name, value in case.limits.items()})
    for wanted in case.late:
        now = instant(wanted["at"])
        incident = None
        for row in case.events:
            step = row.get("step")
            over = instant(row["at"]) > now or (instant(row["at"]) == now and step != "found")
            if "refused" in row or (over and row.get("what") != "reopened"):
                continue
            number = 1 if incident is None else len(incident.events) + 1
            incident = append(incident, event_of(case, row, number))
        assert incident is not None
        waiting = {found.step: found for found in due(incident, limits, now)}
        found = waiting[Step(wanted["step"])]
        assert found.due_at == instant(wanted["due"])
        assert found.late.total_seconds() == wanted["seconds"]
        assert found.is_late is (wanted["seconds"] > 0)
        assert due_at(incident, limits, found.step) == found.due_at
