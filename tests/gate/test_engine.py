"""The door's decisions, offline: each outcome is worked out by hand from the policy in world.py."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from nacl.public import SealedBox

from passlight.core.rules.admission import Outcome
from passlight.gate.assembly import Gate
from passlight.gate.decision import Decision
from tests.gate.world import HOUR, Phone, VirtualClock, World


@pytest.fixture
def world() -> Iterator[World]:
    world = World(VirtualClock())
    yield world
    world.stop_all()


@pytest.fixture
def gate(world: World, tmp_path: Path) -> Gate:
    gate = world.start(tmp_path / "door")
    world.teach(gate)
    return gate


def show(gate: Gate, text: str) -> Decision:
    return asyncio.run(gate.door.present(text))


def lend(gate: Gate, *, standing: int) -> None:
    """Let the server answer twice: with a session, then with the standing share."""
    places, now = gate.door.memory.places, gate.keeper.monotonic()
    for request in (1, 2):
        places.ask(now)
        lent = {"request": request, "granted": 0, "granted_due": 0, "expires_in": 60, "session": 1}
        told = {"inside": 0, "cap": standing, "state": "open", "standing": standing}
        places.granted({**lent, **told, "stay_seconds": 4 * HOUR, "ended": []}, now)


def records(world: World, gate: Gate) -> list[dict]:
    box = SealedBox(world.seal_key)
    return [json.loads(box.decrypt(row.sealed)) for row in gate.opened.spool.batch(500)]


def test_green_with_a_fresh_test_goes_in_and_is_recorded_first(world: World, gate: Gate) -> None:
    decision = show(gate, Phone(world, index=7).text())
    assert (decision.verdict.outcome, decision.recorded) == (Outcome.ADMIT, True)
    (record,) = records(world, gate)
    assert (record["kind"], record["answer"], record["role"]) == ("admit", "green", "visitor")
    assert record["who"] == {"realm": "cn-310118", "epoch": world.epoch, "index": 7}
    assert (record["boot"], record["seq"], record["clock"]) == (1, 1, "sure")


def test_red_and_yellow_are_isolated_by_the_list_although_the_code_is_green(
    world: World, tmp_path: Path
) -> None:
    world.restricted = {7: [[0, 2]], 8: [[0, 1]]}
    gate = world.start(tmp_path / "door")
    world.teach(gate)
    for index, answer in ((7, "red"), (8, "yellow")):
        decision = show(gate, Phone(world, index=index).text())
        assert (decision.verdict.outcome, decision.answer) == (Outcome.ISOLATE, answer)


def test_staff_show_24_hours_at_the_start_of_work_and_48_later(
    world: World, tmp_path: Path
) -> None:
    """S4 三(二)4 and 1: 30 h is too old at the start; after one admitted entry it is not."""
    world.staff = [7]
    gate = world.start(tmp_path / "door")
    world.teach(gate)
    old = show(gate, Phone(world, index=7, sampled_hours=30).text())
    assert (old.role, old.verdict.outcome, old.verdict.requirement) == (
        "staff",
        Outcome.REFUSE,
        "test",
    )
    fresh = show(gate, Phone(world, index=7, sampled_hours=20).text())
    assert (fresh.role, fresh.verdict.outcome) == ("staff", Outcome.ADMIT)
    later = show(gate, Phone(world, index=7, sampled_hours=30).text())
    assert (later.role, later.verdict.outcome) == ("staff-reentry", Outcome.ADMIT)


def test_the_same_picture_read_twice_is_one_visitor(world: World, gate: Gate) -> None:
    text = Phone(world, index=7).text()
    first, again = show(gate, text), show(gate, text)
    assert again.again and again.verdict == first.verdict
    assert len(records(world, gate)) == 1


def test_a_copied_picture_is_taken_once(world: World, gate: Gate) -> None:
    text = Phone(world, index=7).text()
    assert show(gate, text).admits
    show(gate, Phone(world, index=8).text())  # somebody else in between
    world.clock.pass_(10)
    copied = show(gate, text)
    assert (copied.verdict.outcome, copied.reason) == (Outcome.ASK, "repeat")


def test_a_code_taken_before_a_power_cut_is_not_taken_after_it(
    world: World, gate: Gate, tmp_path: Path
) -> None:
    text = Phone(world, index=7).text()
    assert show(gate, text).admits
    gate.knowledge.store()
    gate.state.keep_time(gate.keeper.stored)
    world.cut_power(gate)
    world.clock.pass_(15)
    again = world.start(tmp_path / "door", boot_id="boot-2")
    decision = show(again, text)
    assert (decision.verdict.outcome, decision.reason) == (Outcome.ASK, "repeat")


def test_a_megabyte_of_text_is_refused_at_once(world: World, gate: Gate) -> None:
    decision = show(gate, "PL1:" + "A" * 1_000_000)
    assert (decision.verdict.outcome, decision.reason) == (Outcome.ASK, "not-pl1")
    assert decision.answer == "not-found"


def test_what_is_known_too_long_ago_makes_a_cold_code_ask(world: World, gate: Gate) -> None:
    """The class is an hour: at 59 min the list still counts, at 61 min it does not."""
    cold = Phone(world, index=7, lifetime=40)
    world.clock.pass_(59 * 60)
    decision = show(gate, cold.text())
    assert (decision.admits, decision.offline) == (True, True)
    world.clock.pass_(2 * 60)
    decision = show(gate, cold.text())
    assert (decision.verdict.outcome, decision.reason) == (Outcome.ASK, "stale")


def test_a_hot_code_is_knowledge_of_its_own(world: World, gate: Gate) -> None:
    """PL1 6.3: of a hot code the start counts as the moment of knowledge."""
    world.clock.pass_(5 * HOUR)
    decision = show(gate, Phone(world, index=7).text())
    assert decision.admits


def test_the_guards_key_makes_the_unobserved_observed(world: World, tmp_path: Path) -> None:
    said = {"zh": "口罩", "en": "mask"}
    ask = {"outcome": "ask", "say": said, "basis": "setting"}
    for each in world.policies:
        each["mask"] = True
        each["unobserved"]["mask"] = ask
        each["failures"]["mask"] = ask
    gate = world.start(tmp_path / "door")
    world.teach(gate)
    asked = show(gate, Phone(world, index=7).text())
    assert (asked.verdict.outcome, asked.verdict.requirement) == (Outcome.ASK, "mask")
    seen = asyncio.run(gate.door.observe(guard="guard-1"))
    assert seen is not None and seen.admits and seen.visit == asked.visit
    kinds = [(r["kind"], r["mask"], r["guard"]) for r in records(world, gate)]
    assert kinds == [("ask", "unobserved", ""), ("admit", "worn", "guard-1")]
    assert asyncio.run(gate.door.observe(guard="guard-1")) is None  # nobody is asked for any more


def test_emergency_care_is_never_refused_and_keeps_what_was_found(
    world: World, tmp_path: Path
) -> None:
    world.restricted = {7: [[0, 2]]}
    gate = world.start(tmp_path / "door")
    world.teach(gate)
    assert show(gate, Phone(world, index=7).text()).verdict.outcome is Outcome.ISOLATE
    care = asyncio.run(gate.door.emergency(guard="guard-1"))
    assert (care.admits, care.verdict.requirement, care.answer) == (True, "emergency", "red")
    assert records(world, gate)[-1]["findings"] == ["red"]


def test_two_places_are_two_people_and_a_place_comes_back(world: World, tmp_path: Path) -> None:
    """Standing share 2: the third is asked (full), and goes in once the first has left."""
    world.standing = 2
    gate = world.start(tmp_path / "door")
    world.teach(gate)
    lend(gate, standing=2)
    phones = [Phone(world, index=index) for index in (1, 2, 3)]
    assert [show(gate, phone.text()).admits for phone in phones[:2]] == [True, True]
    full = show(gate, phones[2].text())
    assert (full.verdict.outcome, full.verdict.requirement) == (Outcome.ASK, "full")
    world.clock.pass_(20)
    left = asyncio.run(gate.door.leave(phones[0].text()))
    assert left.lease != ""
    world.clock.pass_(20)
    assert show(gate, phones[2].text()).admits
