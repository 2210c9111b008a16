"""Who shows no code of their own, and the guard who looks: minors, paper, a check-in, care.

Outcomes are worked out by hand from the policy in world.py (48 h, red and yellow isolated), from
field/01 1.2 (venue code or sentinel; documents and hand registers; care exempt) and S4 三(二)1.
"""

import asyncio
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

import pytest

from passlight.core.rules.admission import Outcome
from passlight.core.verification.answer import DoorAnswer
from passlight.gate.assembly import Gate
from passlight.gate.decision import Decision, Looked
from passlight.gate.ports import GuardKey, Pressed, Reading
from passlight.gate.process import DoorProcess
from tests.gate.test_degraded import RED, ROWS, Row
from tests.gate.test_engine import lend, records, show
from tests.gate.world import HOUR, Phone, VirtualClock, World

GUARD = "g-17"


@pytest.fixture
def world() -> Iterator[World]:
    world = World(VirtualClock(), restricted={13: [[0, 2]]})
    yield world
    world.stop_all()


@pytest.fixture
def gate(world: World, tmp_path: Path) -> Gate:
    gate = world.start(tmp_path / "door")
    world.teach(gate)
    return gate


def did(action: Awaitable[Decision | None]) -> Decision | None:
    async def wait() -> Decision | None:
        return await action

    return asyncio.run(wait())


def certain(action: Awaitable[Decision | None]) -> Decision:
    decision = did(action)
    assert decision is not None
    return decision


class Server:
    """Answers about whoever checked in by these signs; a document is nobody's."""

    def __init__(self, **known: Looked) -> None:
        self.known = known

    async def look_up(self, document: object) -> Looked | None:
        return None

    async def arrival(self, signs: str) -> Looked | None:
        return self.known.get(signs)


def looked(answer: str, *, at: int, hours: float = 10) -> Looked:
    sampled = int(at - hours * HOUR)
    return Looked(
        answer=DoorAnswer(answer), reason="status", sampled_from=sampled, lookup="c2VhbGVk"
    )


def test_a_minor_goes_in_with_the_guardian_and_by_a_guards_look(world: World, gate: Gate) -> None:
    holder = show(gate, Phone(world, index=7).text())
    assert holder.admits
    asked = certain(gate.door.accompany(guard=GUARD))
    assert (asked.verdict.outcome, asked.verdict.requirement) == (Outcome.ASK, "unknown")
    assert asked.visit != holder.visit
    let_in = certain(gate.door.vouch(guard=GUARD))
    assert let_in.admits and let_in.answer == "undetermined"  # let in, and never green
    brother = certain(gate.door.accompany(guard=GUARD))  # of the same guardian
    assert brother.verdict.outcome is Outcome.ASK
    last = records(world, gate)[2]
    assert (last["kind"], last["role"], last["requirement"]) == ("admit", "companion", "unknown")
    assert last["registered"] == {"how": "guardian", "reference": holder.visit}
    assert (last["guard"], last["who"], last["findings"]) == (GUARD, None, ["unknown"])


@pytest.mark.parametrize("index", [None, 13])
def test_a_minor_without_an_admitted_guardian_is_not_taken(
    world: World, gate: Gate, index: int | None
) -> None:
    """Nobody before, or a guardian who is isolated (S4 三(二)5)."""
    if index is not None:
        assert show(gate, Phone(world, index=index).text()).verdict.outcome is Outcome.ISOLATE
    assert did(gate.door.accompany(guard=GUARD)) is None
    assert did(gate.door.vouch(guard=GUARD)) is None


def test_a_minor_of_long_ago_is_nobodys(world: World, gate: Gate) -> None:
    show(gate, Phone(world, index=7).text())
    world.clock.pass_(31)
    assert did(gate.door.accompany(guard=GUARD)) is None


def test_a_minor_takes_a_place_and_is_held_when_there_is_none(world: World, tmp_path: Path) -> None:
    """Two places: guardian and one child; the second child waits, and no key makes room."""
    world.standing = 2
    gate = world.start(tmp_path / "door")
    world.teach(gate)
    lend(gate, standing=2)
    show(gate, Phone(world, index=7).text())
    certain(gate.door.accompany(guard=GUARD))
    assert certain(gate.door.vouch(guard=GUARD)).lease
    full = certain(gate.door.accompany(guard=GUARD))
    assert "full" in [found.requirement for found in full.verdict.findings]
    still = certain(gate.door.vouch(guard=GUARD))
    assert not still.admits and not still.lease


def test_paper_registers_and_only_a_guards_look_lets_in(world: World, gate: Gate) -> None:
    asked = show(gate, "paper:P-0608-12")
    assert (asked.verdict.outcome, asked.verdict.requirement) == (Outcome.ASK, "unknown")
    seen = certain(gate.door.observe(guard=GUARD))  # mask and questions alone make nobody known
    assert seen.verdict.outcome is Outcome.ASK
    assert certain(gate.door.vouch(guard=GUARD)).admits
    last = records(world, gate)[-1]
    assert (last["kind"], last["requirement"], last["guard"]) == ("admit", "unknown", GUARD)
    assert last["who"] == {"paper": "P-0608-12"}
    assert last["registered"] == {"how": "paper", "reference": "P-0608-12"}
    assert did(gate.door.accompany(guard=GUARD)) is None  # a slip proves no guardian


def test_a_check_in_by_the_posted_code_needs_no_second_scan(world: World, gate: Gate) -> None:
    """Field/01 1.2: never both. The guard compares four signs; the colour is the server's."""
    gate.door._lookup = Server(A3F2=looked("green", at=world.true_now()))
    named = show(gate, "a3f2")
    assert (named.verdict.outcome, named.verdict.requirement) == (Outcome.ASK, "unknown")
    assert "登记" in named.verdict.say.zh  # a check-in by itself opens nothing
    assert certain(gate.door.observe(guard=GUARD)).admits
    last = records(world, gate)[-1]
    assert last["registered"] == {"how": "code", "reference": "venue-code"}
    assert (last["kind"], last["answer"], last["who"]) == ("admit", "green", {"lookup": "c2VhbGVk"})


@pytest.mark.parametrize(
    ("answer", "hours", "outcome"),
    [("red", 10, Outcome.ISOLATE), ("yellow", 10, Outcome.ISOLATE), ("green", 49, Outcome.REFUSE)],
)
def test_a_check_in_is_judged_like_a_code(
    world: World, gate: Gate, answer: str, hours: int, outcome: Outcome
) -> None:
    gate.door._lookup = Server(A3F2=looked(answer, at=world.true_now(), hours=hours))
    show(gate, "A3F2")
    assert certain(gate.door.observe(guard=GUARD)).verdict.outcome is outcome
    assert did(gate.door.vouch(guard=GUARD)) is None


def test_a_check_in_that_nobody_knows_lets_nobody_in(world: World, gate: Gate) -> None:
    gate.door._lookup = Server()
    show(gate, "A3F2")
    assert certain(gate.door.observe(guard=GUARD)).verdict.outcome is Outcome.ASK
    assert not certain(gate.door.vouch(guard=GUARD)).admits
    # Without the server the code itself remains: the same person shows it and goes in.
    assert show(gate, Phone(world, index=7).text()).admits


@pytest.mark.parametrize(
    ("hours", "index"), [(49, 7), (10, 13)], ids=["a test of 49 hours", "red on the list"]
)
def test_no_key_lets_in_what_no_look_can_settle(
    world: World, gate: Gate, hours: int, index: int
) -> None:
    stopped = show(gate, Phone(world, index=index, sampled_hours=hours).text())
    assert stopped.verdict.outcome in {Outcome.REFUSE, Outcome.ISOLATE}
    assert did(gate.door.vouch(guard=GUARD)) is None


def test_a_fever_is_measured_and_never_looked_away(world: World, tmp_path: Path) -> None:
    """A thermometer that is there must have measured, whoever vouches (S0 必测温)."""
    stop = {"outcome": "ask", "say": {"zh": "体温", "en": "temperature"}, "basis": "setting"}
    for each in world.policies:
        each["temperature"] = {"limit": 373, "required": True}
        each["failures"]["temperature"] = {**stop, "outcome": "isolate"}
        each["unobserved"]["temperature"] = stop
    gate = world.start(tmp_path / "door")
    world.teach(gate)
    show(gate, "paper:1")
    assert not certain(gate.door.vouch(guard=GUARD)).admits

    class Warm:
        async def read(self) -> Reading:
            return Reading(tenths=375, thermometer="t-1")

    gate.door._thermometer = Warm()  # type: ignore[assignment]
    assert show(gate, "paper:2").verdict.outcome is Outcome.ISOLATE


def test_a_door_that_cannot_decide_lets_no_guard_decide_for_it(
    world: World, gate: Gate, tmp_path: Path
) -> None:
    show(gate, "paper:1")
    world.clock.pass_(8 * 24 * HOUR)
    assert show(gate, "paper:1").verdict.outcome is Outcome.ASK
    assert not certain(gate.door.vouch(guard=GUARD)).admits


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_no_key_makes_a_degraded_door_admit_on_trust(case: Row, tmp_path: Path) -> None:
    """Whatever is broken: looking at a phone proves no code, and a guard is no list."""
    world = World(VirtualClock(), restricted={RED: [[0, 2]]})
    try:
        gate, text = case.before(world, tmp_path / "door")
        first = show(gate, text)
        for press in (gate.door.observe, gate.door.vouch, gate.door.accompany):
            pressed = did(press(guard=GUARD))
            if pressed is not None and pressed.admits:
                assert pressed.recorded and pressed.answer == "green"
        if not first.admits:
            assert did(gate.door.accompany(guard=GUARD)) is None
    finally:
        world.stop_all()


def test_by_a_plan_that_has_ended_nobody_is_judged(world: World, tmp_path: Path) -> None:
    """The document ends where the next plan begins; until the new one is here the door asks."""
    gate = world.start(tmp_path / "door")
    world.teach(gate)
    gate.knowledge.take_door(world.door(effective_until="2026-11-23T00:10:00Z"))
    world.clock.pass_(9 * 60)
    assert show(gate, Phone(world, index=7).text()).admits  # control: it holds to its last minute
    world.clock.pass_(61)
    for hours in (10, 49):  # neither green by the old 48 h, nor refused by them
        late = show(gate, Phone(world, index=8, sampled_hours=hours).text())
        assert late.verdict.outcome is Outcome.ASK and "规定" in late.verdict.say.zh
    gate.knowledge.take_door(world.door(plan_version="2"))
    assert show(gate, Phone(world, index=9).text()).admits


def test_emergency_care_is_refused_at_no_door(world: World, tmp_path: Path) -> None:
    """A hall gives no care itself; whoever comes to give it or to fetch somebody goes in."""
    world.emergency = False
    gate = world.start(tmp_path / "door")
    world.teach(gate)
    care = certain(gate.door.emergency(guard=GUARD))
    assert (care.admits, care.verdict.requirement) == (True, "emergency")
    assert records(world, gate)[-1]["guard"] == GUARD


def test_a_card_beside_a_code_asks_about_both_in_turn(world: World, gate: Gate) -> None:
    """A card that nobody answers for does not undo the code, nor the code the card."""
    gate.door._lookup = Server()
    from passlight.core.kernel.documents import read_document
    from passlight.gate.ports import ShownDocument

    card = ShownDocument(document=read_document("resident-id", "11010519491231002X"), source="id")
    text = Phone(world, index=7).text()

    async def both() -> list[Decision]:
        return list(await asyncio.gather(gate.door.present(text), gate.door.present(card)))

    first, second = asyncio.run(both())
    assert first.admits
    assert (second.verdict.outcome, second.reason) == (Outcome.ASK, "no-connection")
    assert [row["kind"] for row in records(world, gate)] == ["admit", "ask"]


def test_the_keys_reach_the_door(world: World, gate: Gate) -> None:
    process = DoorProcess(gate)

    async def pressed() -> list[Any]:
        await process.take(_slip())
        after = await process.take(Pressed(key=GuardKey.ADMIT_AFTER_ASKING, source="g-17"))
        minor = await process.take(Pressed(key=GuardKey.MINOR, source="g-17"))
        return [after, minor]

    after, minor = asyncio.run(pressed())
    assert after is not None and after.admits and minor is None


def _slip() -> Any:
    from passlight.gate.ports import Scan

    return Scan(text="paper:P-1", source="code")
