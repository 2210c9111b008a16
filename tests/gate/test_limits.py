"""What a door does at its limits: its clock, its barrier, its disk, and a server that is away."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from passlight.core.kernel.documents import read_document
from passlight.core.verification.answer import DoorAnswer
from passlight.gate.decision import Looked
from passlight.gate.devices import Devices
from passlight.gate.ports import ShownDocument
from tests.gate.test_degraded import ASK, REFUSE, Dead, show, taught
from tests.gate.test_engine import records
from tests.gate.world import HOUR, Phone, VirtualClock, World


@pytest.fixture
def world() -> Iterator[World]:
    world = World(VirtualClock())
    yield world
    world.stop_all()


def test_an_unsure_clock_becomes_sure_by_a_signed_exchange_alone(
    world: World, tmp_path: Path
) -> None:
    gate = world.start(tmp_path / "door")
    gate.knowledge.take_trust(world.trust())
    gate.knowledge.take_door(world.door())
    now = world.true_now()
    as_of = gate.knowledge.take_feed(world.feed(), epoch=world.epoch)
    gate.keeper.suggest(now - 7000)  # anybody's word
    assert not gate.keeper.is_sure
    assert not gate.keeper.discipline(now - 7000, as_of=as_of, round_trip=0.1)  # not what is signed
    assert not gate.keeper.discipline(now, as_of=as_of, round_trip=30.0)  # too slow to mean now
    assert show(gate, Phone(world, index=7).text()).verdict.outcome is ASK
    assert gate.keeper.discipline(now, as_of=as_of, round_trip=0.1)
    assert show(gate, Phone(world, index=8).text()).admits


def test_a_sure_clock_yields_to_the_server_only_after_a_day_alone(
    world: World, tmp_path: Path
) -> None:
    gate = taught(world, tmp_path / "door")
    world.clock.pass_(HOUR)
    jump = world.true_now() + 90
    assert not gate.keeper.discipline(jump, as_of=jump, round_trip=0.1)
    world.clock.pass_(24 * HOUR)
    jump = world.true_now() + 90
    assert gate.keeper.discipline(jump, as_of=jump, round_trip=0.1)
    assert gate.keeper.now() == jump
    # The control: what is below the floor is never believed, after however long.
    world.clock.pass_(25 * HOUR)
    gate.keeper.raise_floor(world.true_now())
    assert not gate.keeper.discipline(jump, as_of=jump, round_trip=0.1)


def test_a_wall_clock_set_to_1970_changes_nothing(world: World, tmp_path: Path) -> None:
    gate = taught(world, tmp_path / "door")
    phone = Phone(world, index=7)
    now = world.true_now()
    world.clock.wall = 0.0
    decision = show(gate, phone.text(at=now))
    assert (decision.admits, decision.clock_sure, decision.at) == (True, True, now)


def test_a_dead_barrier_is_said_and_hides_no_verdict(world: World, tmp_path: Path) -> None:
    gate = taught(world, tmp_path / "door", devices=Devices(barrier=Dead()))
    decision = show(gate, Phone(world, index=7).text())
    assert decision.admits
    assert asyncio.run(gate.door.let_in(decision)) is False


def test_nobody_is_let_in_whose_record_is_not_on_the_disk(world: World, tmp_path: Path) -> None:
    opened: list[float] = []

    class Barrier(Dead):
        async def open(self, seconds: float) -> bool:
            opened.append(seconds)
            return True

    gate = taught(world, tmp_path / "door", devices=Devices(barrier=Barrier()))
    good = show(gate, Phone(world, index=7).text())
    assert asyncio.run(gate.door.let_in(good)) is True
    gate.opened.spool.rows_max = 0
    unwritten = show(gate, Phone(world, index=8).text())
    assert asyncio.run(gate.door.let_in(unwritten)) is None
    assert len(opened) == 1


@pytest.mark.parametrize("server", ["hangs", "breaks", "says nonsense"])
def test_an_id_card_waits_250_ms_for_the_server_and_then_asks(
    world: World, tmp_path: Path, server: str
) -> None:
    class Lookup:
        async def look_up(self, document: object) -> Looked | None:
            if server == "hangs":
                await asyncio.Event().wait()
            if server == "breaks":
                raise OSError("gone")
            return None

    gate = taught(world, tmp_path / "door")
    gate.door._lookup = Lookup()
    document = read_document("resident-id", "11010519491231002X")
    begun = time.perf_counter()
    decision = asyncio.run(gate.door.present(ShownDocument(document=document, source="id")))
    assert time.perf_counter() - begun < 0.6
    assert (decision.verdict.outcome, decision.reason) == (ASK, "no-connection")
    assert records(world, gate)[-1]["who"] is None


def test_an_id_card_is_decided_by_the_same_policy(world: World, tmp_path: Path) -> None:
    class Lookup:
        async def look_up(self, document: object) -> Looked | None:
            hours = 49 * HOUR
            return Looked(
                answer=DoorAnswer.GREEN,
                reason="green",
                sampled_from=world.true_now() - hours,
                lookup="abc",
            )

    gate = taught(world, tmp_path / "door")
    gate.door._lookup = Lookup()
    document = read_document("resident-id", "11010519491231002X")
    decision = asyncio.run(gate.door.present(ShownDocument(document=document, source="id")))
    assert (decision.verdict.outcome, decision.verdict.requirement) == (REFUSE, "test")
    (record,) = records(world, gate)
    assert (record["who"], record["registered"]["how"]) == ({"lookup": "abc"}, "document")
    assert "11010519491231002X" not in json.dumps(record)


def test_the_door_admits_care_even_when_it_knows_nothing(world: World, tmp_path: Path) -> None:
    gate = world.start(tmp_path / "door", stranger=True)
    decision = asyncio.run(gate.door.emergency(guard="guard-1"))
    assert decision.admits and decision.verdict.requirement == "emergency"
