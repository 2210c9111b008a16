"""Any order of events: no step is lost, an end comes only through its steps, nothing is undone.

The oracle reads the accepted events alone and knows the procedure from ``BEFORE`` below, written
by hand from field/03 2.7 and S4 三(二)5–6; it shares no table with the core.
"""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from passlight.core.incidents import allowed
from passlight.core.incidents.allowed import append, may, next_steps
from passlight.core.incidents.event import AbnormalFinding, Evidence, IncidentEvent, What
from passlight.core.incidents.incident import Incident, fold
from passlight.core.incidents.steps import Channel, FindingKind, Step

START = datetime(2022, 6, 8, 2, 0, tzinfo=UTC)
FIRST = {"found", "isolated", "duty-leader-told", "street-told"}
BEFORE = {
    "acknowledged": {"found", "street-told"},
    "verifying": {"found", "street-told", "acknowledged"},
    "disposed": FIRST | {"acknowledged", "verifying"},
    "data-error": FIRST | {"acknowledged", "verifying"},
    "district-told": FIRST | {"acknowledged", "verifying", "data-error"},
    "corrected": FIRST | {"acknowledged", "verifying", "data-error", "district-told"},
    "not-corrected": FIRST | {"acknowledged", "verifying", "data-error", "district-told"},
    "released": FIRST | {"acknowledged", "verifying", "data-error", "district-told"},
}
KEPT = FIRST | {"leading-group-told"}


def check_history(events: list[IncidentEvent], bodies: set[str]) -> None:
    """Fail when the accepted events break the procedure, reading nothing but the events."""
    done: set[str] = {"found"}
    told: set[str] = set()
    last = closed_at = events[0].recorded_at
    assert events[0].what is What.OPENED
    for event in events[1:]:
        assert event.recorded_at >= last
        assert event.at <= event.recorded_at
        last = event.recorded_at
        if event.what is What.REOPENED:
            assert done & {"disposed", "corrected", "not-corrected"}
            done &= KEPT
            continue
        # A door that was offline may report late what it found before the closing.
        assert "closed" not in done or event.what in (What.NOTED, What.EVIDENCE, What.JOINED)
        assert event.what is not What.JOINED or "closed" not in done or event.at <= closed_at
        if event.what not in (What.STEP, What.EXCUSED):
            continue
        step = str(event.step)
        if step == "leading-group-told":
            assert event.body not in told
            told.add(event.body)
            done |= {step} if told == bodies else set()
            continue
        assert step not in done
        assert BEFORE.get(step, {"found"}) <= done, (step, done)
        pairs = {"disposed": "data-error", "corrected": "not-corrected"}
        pairs |= {b: a for a, b in pairs.items()}
        assert pairs.get(step) not in done
        if step == "released":
            assert done & {"corrected", "not-corrected"}
        if step == "closed":
            assert done & {"disposed", "released"}
            assert told == bodies
            closed_at = event.at
        done.add(step)


class IncidentMachine(RuleBasedStateMachine):
    """Throws events of every kind, in time and out of it, at one incident."""

    def __init__(self) -> None:
        super().__init__()
        self.incident: Incident | None = None
        self.now = START
        self.accepted: list[IncidentEvent] = []

    @initialize(kind=st.sampled_from(FindingKind), bodies=st.sampled_from([0, 1, 2]))
    def open(self, kind: FindingKind, bodies: int) -> None:
        self.offer(
            What.OPENED,
            finding=AbnormalFinding(kind=kind),
            to="first-scan",
            unit="hall",
            bodies=tuple(f"body-{n}" for n in range(bodies)),
        )
        assert self.incident is not None

    def offer(self, what: What, *, back: int = 0, actor: str = "a", **fields: object) -> None:
        number = len(self.accepted) + 1
        event = IncidentEvent(
            number=number,
            what=what,
            at=self.now - timedelta(minutes=back),
            recorded_at=self.now,
            actor=actor,
            **fields,  # type: ignore[arg-type]
        )
        before = self.incident
        problem = may(before, event)
        if problem is None:
            self.incident = append(before, event)
            self.accepted.append(event)
            if before is not None:
                self.kept(before, self.incident)
        else:
            assert problem.code.startswith("incidents.refused.")

    @staticmethod
    def kept(before: Incident, after: Incident) -> None:
        """What was there stays there: events, findings, earlier rounds, units with sight."""
        assert after.events[:-1] == before.events
        assert after.findings[: len(before.findings)] == before.findings
        assert after.rounds[: len(before.rounds) - 1] == before.rounds[:-1]
        assert set(before.units) <= set(after.units)
        if len(after.rounds) > len(before.rounds):
            assert after.rounds[-2] == before.rounds[-1]
        else:
            assert before.done.items() <= after.done.items()

    @rule(minutes=st.integers(0, 30))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(
        step=st.sampled_from(Step),
        back=st.sampled_from([0, 0, 0, 5, 40]),
        said=st.booleans(),
        body=st.sampled_from(["", "body-0", "body-1"]),
        excused=st.sampled_from([False, False, False, True]),
    )
    def any_step(self, *, step: Step, back: int, said: bool, body: str, excused: bool) -> None:
        evidence = Evidence(channel=Channel.PHONE, who="w") if said else None
        what = What.EXCUSED if excused else What.STEP
        note = "n" if said else ""
        self.offer(what, step=step, back=back, evidence=evidence, body=body, note=note)

    @precondition(lambda self: self.incident is not None and next_steps(self.incident))
    @rule(data=st.data(), furthest=st.booleans())
    def next_step(self, *, data: st.DataObject, furthest: bool) -> None:
        """Go on: what ``next_steps`` names must be accepted, once it is said properly."""
        assert self.incident is not None
        possible = next_steps(self.incident)
        step = possible[-1] if furthest else data.draw(st.sampled_from(possible))
        left = [name for name in self.incident.bodies if name not in self.incident.bodies_told]
        count = len(self.accepted)
        self.offer(
            What.STEP,
            step=step,
            evidence=Evidence(channel=Channel.GROUP, who="w"),
            body=left[0] if step is Step.LEADING_GROUP_TOLD else "",
            note="n",
        )
        assert len(self.accepted) == count + 1

    @rule(
        what=st.sampled_from([What.HANDED_OVER, What.ACCEPTED, What.DECLINED]),
        who=st.sampled_from(["a", "b", "c"]),
    )
    def hand_over(self, what: What, who: str) -> None:
        owner = self.incident.owner if self.incident else ""
        self.offer(what, actor=who, to=who, unit=f"unit-{who}", note="n")
        if self.incident is not None and what is not What.ACCEPTED:
            assert self.incident.owner == owner

    @rule(what=st.sampled_from([What.JOINED, What.NOTED, What.ESCALATED, What.REOPENED]))
    def other(self, what: What) -> None:
        finding = AbnormalFinding(kind=FindingKind.RED) if what is What.JOINED else None
        step = Step.STREET_TOLD if what is What.ESCALATED else None
        back = 40 if what is What.JOINED else 0
        self.offer(what, finding=finding, step=step, to="deputy", note="n", back=back)

    def teardown(self) -> None:
        """Judge the whole course at its end: what was accepted is all there is."""
        if self.incident is None:
            return
        assert self.incident.events == tuple(self.accepted)
        check_history(self.accepted, set(self.incident.bodies))
        assert fold(self.accepted) == self.incident
        times = [event.recorded_at for event in self.incident.events]
        assert times == sorted(times)


QUICK = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    # The same examples every time: a control that fails now and then controls nothing.
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
    report_multiple_bugs=False,
    print_blob=False,
)
# A bug must be found; how small an example of it can be made is nobody's question here.
HUNT = settings(QUICK, max_examples=400, phases=[Phase.generate])


def test_no_order_of_events_breaks_the_procedure():
    run_state_machine_as_test(IncidentMachine, settings=QUICK)


@pytest.mark.parametrize(
    ("step", "instead"),
    [
        (Step.DISPOSED, ()),  # an end without its steps
        (Step.ACKNOWLEDGED, (frozenset({Step.FOUND}),)),  # taken up before anybody was told
        (Step.CLOSED, (frozenset({Step.DISPOSED}),)),  # closed without the leading group
        (Step.RELEASED, (frozenset({Step.DATA_ERROR}),)),  # let go before the district decides
    ],
)
def test_a_seeded_bug_is_found(monkeypatch, step, instead):
    """Positive control: with one line of the procedure taken away, the machine fails."""
    wrong = {**allowed.STANDS_ON, step: instead or (frozenset({Step.FOUND}),)}
    monkeypatch.setattr(allowed, "STANDS_ON", wrong)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(IncidentMachine, settings=HUNT)


def test_a_reopening_that_forgets_is_found(monkeypatch):
    """Positive control: overwriting the last round, instead of adding one, fails."""
    real = allowed.with_event

    def overwriting(incident: Incident, event: IncidentEvent) -> Incident:
        after = real(incident, event)
        if event.what is not What.REOPENED:
            return after
        return dataclasses.replace(after, rounds=after.rounds[-1:])

    monkeypatch.setattr(allowed, "with_event", overwriting)
    with pytest.raises((AssertionError, IndexError)):
        run_state_machine_as_test(IncidentMachine, settings=HUNT)
