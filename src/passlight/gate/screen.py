"""What the screen shows: nothing that the decision does not say, and no name, ever."""

from typing import Final, Literal

from passlight.core.rules.admission import Outcome
from passlight.core.rules.terms import Text
from passlight.core.verification.answer import DoorAnswer
from passlight.gate.assembly import Gate
from passlight.gate.decision import Decision
from passlight.gate.ports import DisplayState, ShownVerdict
from passlight.runtime.catalogue import both

Screen = Literal["idle", "checking", "result"]
Field = Literal["green", "yellow", "red", "unknown", "ink"]
_COLOURS: Final[dict[DoorAnswer, Field]] = {
    DoorAnswer.GREEN: "green",
    DoorAnswer.YELLOW: "yellow",
    DoorAnswer.RED: "red",
}


def field_of(decision: Decision) -> Field:
    """Return the large colour: only where colour and act agree, else ink (ui 5)."""
    outcome, colour = decision.verdict.outcome, _COLOURS.get(decision.answer, "unknown")
    if outcome is Outcome.ADMIT:
        return "green" if colour == "green" else "ink"
    if outcome is Outcome.ISOLATE:
        return colour if colour in {"yellow", "red"} else "ink"
    if outcome is Outcome.ASK and colour == "unknown":
        return "unknown"
    return "ink"


def state_of(
    gate: Gate, screen: Screen, decision: Decision | None = None, *, opened: bool | None = None
) -> DisplayState:
    """Return the whole state of the screen; ``opened``: whether the barrier took the order."""
    door, places = gate.knowledge.door, gate.door.memory.places
    capped = gate.door.notice_cap()
    verdict = decision.verdict if decision is not None else None
    return DisplayState(
        screen=screen,
        venue=door.venue_name if door is not None else _unnamed(),
        entrance=door.entrance_name if door is not None else Text("", ""),
        verdict=None
        if verdict is None
        else ShownVerdict(
            outcome=verdict.outcome, requirement=verdict.requirement, prompt=verdict.prompt
        ),
        answer=decision.answer.value if decision is not None else "",
        say=_said(decision, opened=opened) if decision is not None else None,
        field=field_of(decision) if decision is not None else "ink",
        temperature=decision.temperature if decision is not None else None,
        test_hours=verdict.age_hours if verdict is not None else None,
        offline=not gate.door.status.online(),
        as_of=gate.knowledge.as_of,
        waiting=gate.opened.spool.waiting,
        inside=places.inside if capped else None,
        cap=places.cap if capped else None,
        clock_sure=gate.keeper.is_sure,
        asks=door.one_of.value if door is not None else "sentinel",
        care=door is not None and door.emergency,
    )


def _said(decision: Decision, *, opened: bool | None) -> Text:
    """Return the words; a barrier that stayed shut is somebody's matter, not the visitor's."""
    if decision.admits and opened is False:
        said = both("gate.barrier-shut")
        return Text(said["zh"], said["en"])
    return decision.verdict.say


def _unnamed() -> Text:
    said = both("gate.not-enrolled")
    return Text(said["zh"], said["en"])
