"""The door's line against the real gateway: what it learns, how it sets its clock, who may not lie."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.kernel.documents import read_document
from passlight.core.rules.admission import Outcome
from passlight.gate.assembly import Gate
from passlight.gate.client import NoAnswerError, RefusedError
from passlight.gate.engine import Door
from passlight.gate.ports import ShownDocument
from passlight.runtime.sealed import Sealer, Use
from passlight.runtime.signing import seal_key
from tests.gate.line import BadLine
from tests.gate.test_engine import show
from tests.gate.test_forwarding import admit_device, carried
from tests.gate.world import DEVICE, VENUE, Entropy, Phone, VirtualClock, World
from tests.gateway.conftest import Running
from tests.gateway.device import Device
from tests.gateway.office import Office
from tests.halls.test_places_route import add_hall


async def seconds_of(door: Door, texts: Sequence[str]) -> list[float]:
    """The seconds of each decision, from the text's arrival to a durable record."""
    taken = []
    for text in texts:
        begun = time.perf_counter()
        await door.present(text)
        taken.append(time.perf_counter() - begun)
    return taken


@pytest.fixture
def world(office: Office) -> Iterator[World]:
    """Return a realm whose root is the real office's."""
    world = World(VirtualClock(int(office.clock.now().timestamp())))
    world.root = Issuer.of_seed(
        office.keys.read("list"), realm=office.realm, purpose=Purpose.LIST, slot_code=0
    )
    world.seal_key = seal_key(office.keys, Entropy())
    yield world
    world.stop_all()


def a_door(world: World, office: Office, gateway: Running, folder: Path) -> Gate:
    """Return an enrolled door that has never heard anything; the office has its document."""
    line = BadLine(carried(gateway), cuts=0, seed=1)
    line.repeats = False
    gate = world.start(folder, transport=line, url=office.public_url)
    admit_device(office, gate)
    office.sql(
        "INSERT INTO venues_entrance (venue_id, code, zone, name, name_en, active)"
        " VALUES (%s, 'east', 'hall', '东门', 'East gate', true)",
        VENUE,
    )
    now = world.true_now()
    office.sql(
        "INSERT INTO gates_door (venue_id, entrance, version, digest, document, made_at, until)"
        " VALUES (%s, 'east', 1, '', %s, to_timestamp(%s), to_timestamp(%s))",
        *(VENUE, world.door(made_at=now - 60), now - 60, now + 86_400),
    )
    office.sql("NOTIFY passlight_venues")
    office.sql("NOTIFY passlight_doors")
    office.beat()
    return gate


def a_phone(office: Office, gateway: Running, ordinal: int) -> str:
    """Return the code of a resident, issued by the real gateway."""
    phone = Device(
        office.clock, office.public_url, office.realm, office.keys.read("grant"), "resident",
        ordinal=ordinal,
    )  # fmt: skip
    code = phone.draft()
    answer = phone.ask(gateway.client, code)
    assert answer.status_code == 200, answer.text
    return code.text(office.clock.now())


def learn(gate: Gate) -> None:
    """Let the door learn until the gateway has followed its office."""
    assert gate.uplink is not None
    until = time.monotonic() + 10
    while gate.knowledge.door is None or gate.knowledge.as_of is None or not gate.keeper.is_sure:
        assert time.monotonic() < until, gate.uplink.trouble
        gate.uplink._due.clear()
        try:
            asyncio.run(gate.uplink.learn())
        except (NoAnswerError, RefusedError) as error:  # the follower has not read it yet
            gate.uplink.trouble = str(error)
            time.sleep(0.1)


def test_a_door_that_knew_nothing_learns_and_decides(
    world: World, office: Office, gateway: Running, tmp_path: Path
) -> None:
    for ordinal, colour in ((1, "green"), (2, "green")):
        office.add_person(ordinal)
        office.add_reason("r", colour)
        office.publish(ordinal, (None, colour, None), sampled_at=office.clock.now())
    gate = a_door(world, office, gateway, tmp_path / "door")
    assert not gate.keeper.is_sure  # nobody has told it the time yet
    gateway.knows(office)
    learn(gate)
    world.clock.wall = office.clock.now().timestamp()
    assert gate.keeper.is_sure and gate.uplink is not None and gate.uplink.online()
    good, other = a_phone(office, gateway, 1), a_phone(office, gateway, 2)
    assert show(gate, good).admits
    office.add_reason("red", "red")
    office.publish(2, (None, "red", "red"))
    gateway.knows(office)
    asyncio.run(gate.uplink.fetch_feeds())
    red = show(gate, other)
    assert (red.verdict.outcome, red.answer) == (Outcome.ISOLATE, "red")
    asyncio.run(gate.uplink.tell())
    assert office.sql("SELECT count(*) FROM gates_record") == [(2,)]
    named = (
        "SELECT count(*) FROM records_record WHERE key LIKE 'gate:%%' AND visits_key IS NOT NULL"
    )
    assert office.sql(named) == [(2,)]


def test_an_office_that_is_away_keeps_no_news_from_the_door(
    world: World, office: Office, gateway: Running, tmp_path: Path
) -> None:
    """The grant is half over and the office does not answer; the gateway's feed comes all the same."""
    gate = a_door(world, office, gateway, tmp_path / "door")
    gateway.knows(office)
    learn(gate)
    assert gate.uplink is not None
    before = gate.knowledge.as_of
    gate.uplink._call_office = True
    time.sleep(1.1)
    office.beat()
    until = time.monotonic() + 10
    while gate.knowledge.as_of == before:
        assert time.monotonic() < until
        with pytest.raises(RefusedError):
            asyncio.run(gate.uplink.learn())
        time.sleep(0.1)
    assert gate.state.grant


@pytest.mark.parametrize("path", ["/gates/document", "/gates/arrival"])
def test_a_card_or_a_check_in_is_answered_through_office_and_gateway(
    world: World,
    office: Office,
    gateway: Running,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    """The office's part is its sealed token (tests/gates); the gateway and the door are real."""
    sampled = office.clock.now() - timedelta(hours=49)
    office.add_person(1)
    office.publish(1, (None, "green", None), sampled_at=sampled)
    gate = a_door(world, office, gateway, tmp_path / "door")
    gateway.knows(office)
    learn(gate)
    sealer = Sealer.of(office.keys, Entropy())
    carry = carried(gateway)

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.startswith("/gates/"):
            return carry(request)
        assert request.url.path == path
        token = sealer.seal(
            Use.SUBJECT, ordinal=1, checker=DEVICE, venue=VENUE,
            now=office.clock.now(), entropy=Entropy(),
        )  # fmt: skip
        return httpx.Response(200, json={"subject_token": token})

    line = gate.lookup._http._transport
    assert isinstance(line, BadLine)
    line._server = answer
    monkeypatch.setattr("passlight.gate.asking.LOOKUP_SECONDS", 5.0)  # a loaded test machine
    shown = ShownDocument(document=read_document("resident-id", "11010519491231002X"), source="id")
    if path == "/gates/document":
        decision = asyncio.run(gate.door.present(shown))
    else:  # four signs of the page, and a guard's look
        assert show(gate, "A3F2").verdict.outcome is Outcome.ASK
        looked = asyncio.run(gate.door.observe(guard="g-17"))
        assert looked is not None
        decision = looked
    # 49 h old where 48 h is the limit: the gateway says green, the door's own policy refuses.
    assert (decision.answer, decision.verdict.outcome) == ("green", Outcome.REFUSE)
    assert decision.verdict.age_hours in {48, 49}  # the ten-minute grid favours the resident
    assert gate.uplink is not None
    asyncio.run(gate.uplink.tell())
    named = (
        "SELECT count(*) FROM records_record WHERE key LIKE 'gate:%%' AND visits_key IS NOT NULL"
    )
    assert office.sql(named) == [(1 if path == "/gates/document" else 2,)]


def test_a_cap_of_three_lets_three_in_through_the_real_gateway(
    world: World, office: Office, gateway: Running, tmp_path: Path
) -> None:
    """Three places for the zone, all lent to the one door that asks; the fourth is asked for."""
    for ordinal in range(1, 6):
        office.add_person(ordinal)
        office.publish(ordinal, (None, "green", None), sampled_at=office.clock.now())
    world.standing = 1
    gate = a_door(world, office, gateway, tmp_path / "door")
    add_hall(office, VENUE, cap=3)
    gateway.knows(office)
    learn(gate)
    assert gate.uplink is not None
    for _ in range(2):  # the first is the greeting
        asyncio.run(gate.uplink.fetch_places())
    texts = [a_phone(office, gateway, ordinal) for ordinal in range(1, 5)]
    decided = [show(gate, text) for text in texts]
    assert [decision.admits for decision in decided] == [True, True, True, False]
    assert decided[3].verdict.requirement == "full"
    asyncio.run(gate.uplink.fetch_places())
    assert gate.door.memory.places.inside == 3
    asyncio.run(gate.door.leave())  # somebody goes; nobody knows who, and it does not matter
    for _ in range(2):
        asyncio.run(gate.uplink.fetch_places())
    assert gate.door.memory.places.inside == 2
    assert show(gate, a_phone(office, gateway, 5)).admits


class Blackhole(httpx.AsyncBaseTransport):
    """Takes every request and never answers."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("never")


def decisions(world: World, folder: Path, *, transport: Any, seconds: int = 0) -> list[float]:
    gate = world.start(folder, transport=transport)
    world.teach(gate)
    texts = [Phone(world, index=index).text() for index in range(60)]

    async def busy() -> list[float]:
        assert gate.uplink is not None
        gate.state.keep_grant("x.y.z")
        line = asyncio.create_task(gate.uplink.run())
        await asyncio.sleep(0)
        try:
            return await seconds_of(gate.door, texts)
        finally:
            line.cancel()
            await asyncio.gather(line, return_exceptions=True)

    taken = asyncio.run(busy())
    assert gate.opened.spool.waiting == len(texts)
    return taken


@pytest.mark.serial
def test_a_server_that_hangs_delays_no_decision(world: World, tmp_path: Path) -> None:
    """60 people while every request hangs: the slowest decision is far below 300 ms."""
    taken = decisions(world, tmp_path / "door", transport=Blackhole())
    assert sorted(taken)[-2] < 0.3


def test_a_hanging_request_is_given_up_in_time(world: World, tmp_path: Path) -> None:
    gate = world.start(tmp_path / "door", transport=Blackhole())
    assert gate.uplink is not None
    gate.uplink.client._timeout = 0.2
    begun = time.perf_counter()
    with pytest.raises(NoAnswerError):
        asyncio.run(gate.uplink.client.get("/v1/time"))
    assert time.perf_counter() - begun < 2
