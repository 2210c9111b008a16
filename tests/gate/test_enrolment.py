"""A door and the real office: let in by two people, put out of service, wiped by a signed order.

The door speaks through Django's own test client, so both sides are the product's.
"""

import asyncio
import json
import queue
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.test import Client

from passlight.core.codes import envelope
from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.kernel.problem import ProblemError
from passlight.core.rules.admission import Outcome
from passlight.gate.assembly import Gate
from passlight.gate.client import DoorClient, RefusedError
from passlight.gate.enrolment import enrol
from passlight.gate.files import StateFolder
from passlight.gate.state import DoorState, Identity
from passlight.gate.timekeeping import StoredTime, TimeKeeper
from passlight.gate.wiping import read_order
from passlight.office.gates.enrolment import confirm, invite
from passlight.office.gates.models import GateDevice, GateReceipt
from passlight.office.gates.service import order_wipe, revoke
from passlight.runtime.clock import SystemClock, SystemEntropy
from tests.gate.test_engine import show
from tests.gate.world import REALM, VENUE, Phone, VirtualClock, World
from tests.gates.conftest import CLOCK, ENTROPY, Cast, cast, keys

__all__ = ["cast", "keys"]
URL = "https://code.example.cn"


@pytest.fixture(autouse=True)
def an_office_at_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PASSLIGHT", replace(settings.PASSLIGHT, public_url=URL))


@pytest.fixture
def world() -> Iterator[World]:
    world = World(VirtualClock(int(SystemClock().now().timestamp())))
    yield world
    world.stop_all()


class Desk:
    """Runs a door in a thread of its own, and the office's part here, where its database is."""

    def __init__(self) -> None:
        self._calls: queue.Queue[tuple[Callable[[], Any], Future[Any]] | None] = queue.Queue()

    async def ask(self, call: Callable[[], Any]) -> Any:
        answer: Future[Any] = Future()
        self._calls.put((call, answer))
        return await asyncio.wrap_future(answer)

    def run(self, door: Coroutine[Any, Any, Any]) -> Any:
        outcome: Future[Any] = Future()

        def live() -> None:
            try:
                outcome.set_result(asyncio.run(door))
            except Exception as error:  # noqa: BLE001  # it is handed on
                outcome.set_exception(error)
            self._calls.put(None)

        thread = threading.Thread(target=live)
        thread.start()
        while (asked := self._calls.get(timeout=30)) is not None:
            call, answer = asked
            try:
                answer.set_result(call())
            except Exception as error:  # noqa: BLE001  # it is handed on
                answer.set_exception(error)
        thread.join()
        return outcome.result()


class Wire(httpx.AsyncBaseTransport):
    """Carries a door's requests to the office's views; there is no gateway."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if not request.url.path.startswith("/gates/"):
            return httpx.Response(503, json={"error": "no-gateway"})
        return await self._desk.ask(lambda: self._answer(request))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        names = ("dpop", "authorization")
        headers = {name: request.headers[name] for name in names if name in request.headers}
        answer = Client(enforce_csrf_checks=True).post(
            request.url.path, request.content, content_type="application/json", headers=headers
        )
        return httpx.Response(answer.status_code, content=answer.content)


def enrolled(
    cast: Cast, folder: Path, *, entrance: str = "east", roots: tuple[bytes, ...] = ()
) -> Identity:
    """Enrol a door whose configuration names ``entrance``; the second colleague types what it shows."""
    made = invite(cast.entrance, name="东门1号", actor=cast.first, clock=CLOCK, entropy=ENTROPY)
    desk, state, shown = Desk(), DoorState(folder), []
    key = state.key(SystemEntropy())
    keeper = TimeKeeper(SystemClock(), stored=StoredTime(), boot_id="b", battery_clock=False)

    def type_in() -> None:
        device = GateDevice.objects.get(thumbprint=key.thumbprint)
        if device.state == "pending":
            confirm(device.pk, shown[0], actor=cast.second, clock=CLOCK, entropy=ENTROPY)

    async def nap(_: float) -> None:
        await desk.ask(type_in)

    async def live() -> Identity:
        client = DoorClient(
            URL, key=key, keeper=keeper, entropy=SystemEntropy(), grant=str, transport=Wire(desk)
        )
        return await enrol(
            client,
            state=state,
            key=key,
            token=made.token,
            roots=roots,
            place=(str(cast.entrance.venue_id), entrance),
            show=shown.append,
            monotonic=SystemClock().monotonic,
            sleep=nap,
        )

    try:
        return desk.run(live())
    finally:
        state.close()


def started(world: World, folder: Path) -> tuple[Gate, Desk]:
    """Start the enrolled door; what it knows is signed by a realm of the test."""
    desk = Desk()
    gate = world.start(folder, transport=Wire(desk), url=URL)
    gate.knowledge._roots = (world.root.public_key,)
    gate.knowledge.realm, gate.knowledge._place = REALM, (VENUE, "east")
    world.teach(gate)
    assert show(gate, Phone(world, index=1).text()).admits
    return gate, desk


def test_two_people_and_six_digits_let_a_door_in(cast: Cast, tmp_path: Path) -> None:
    identity = enrolled(cast, tmp_path / "door")
    device = GateDevice.objects.get(pk=identity.device)
    assert (device.state, device.invited_by, device.confirmed_by) == (
        "active",
        cast.first,
        cast.second,
    )
    assert identity.realm == settings.PASSLIGHT.realm and len(identity.roots) == 1
    state = DoorState(tmp_path / "door")
    assert state.identity == identity and state.grant.count(".") == 2
    assert (tmp_path / "door" / "device.key").stat().st_mode & 0o777 == 0o600
    state.close()


def test_a_token_of_another_door_enrols_nothing(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="another door"):
        enrolled(cast, tmp_path / "door", entrance="west")
    assert not (tmp_path / "door" / "identity.json").exists()


def test_other_signers_than_the_configuration_pins_are_refused(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="Others sign there"):
        enrolled(cast, tmp_path / "door", roots=(bytes(32),))


def test_a_revoked_door_stops_by_itself_and_stays_stopped(
    cast: Cast, world: World, tmp_path: Path
) -> None:
    identity = enrolled(cast, tmp_path / "door")
    gate, desk = started(world, tmp_path / "door")
    assert gate.uplink is not None
    revoke(
        GateDevice.objects.get(pk=identity.device), reason="lost", actor=cast.second, clock=CLOCK
    )
    gate.uplink._call_office = True  # as the gateway tells it with its next answer
    with pytest.raises(RefusedError, match="revoked"):
        desk.run(gate.uplink.renew())
    assert show(gate, Phone(world, index=2).text()).verdict.outcome is Outcome.ASK
    gate.knowledge.store()
    world.cut_power(gate)
    again = world.start(tmp_path / "door", transport=Wire(desk), url=URL)
    assert again.door.status.revoked


def test_a_wipe_order_of_the_office_destroys_everything_and_is_answered(
    cast: Cast, world: World, tmp_path: Path
) -> None:
    identity = enrolled(cast, tmp_path / "door")
    gate, desk = started(world, tmp_path / "door")
    assert gate.uplink is not None
    device = GateDevice.objects.get(pk=identity.device)
    order_wipe(device, reason="sold", actor=cast.second, clock=CLOCK, entropy=ENTROPY)
    gate.uplink._call_office = True
    with pytest.raises(RefusedError, match="wipe"):
        desk.run(gate.uplink.renew())
    receipt = GateReceipt.objects.get(device_id=identity.device)
    assert receipt.left == 1  # the gateway was away: one record could not be sent, and it says so
    device.refresh_from_db()
    assert device.state == "wiped"
    left = sorted(path.name for path in (tmp_path / "door").iterdir())
    assert left == ["boot.json", "lock", "wiped.json"]
    everything = b"".join((tmp_path / "door" / name).read_bytes() for name in left)
    assert b"trust" not in everything and len(everything) < 4096


def test_a_strangers_wipe_order_is_no_order(world: World, tmp_path: Path) -> None:
    identity = Identity(device="d-1", realm="cn-310118", roots=(world.root.public_key,))
    stranger = Issuer.of_seed(bytes(32), realm="cn-310118", purpose=Purpose.LIST, slot_code=0)

    def order(signer: Issuer, kind: str = envelope.WIPE, device: str = "d-1") -> Any:
        said = {"realm": "cn-310118", "device": device, "order": "n-1"}
        return json.loads(
            envelope.seal_envelope(json.dumps(said).encode(), kind=kind, signer=signer)
        )

    assert read_order(order(world.root), identity) == "n-1"  # the control: the office's own
    assert read_order(order(stranger), identity) is None
    assert read_order(order(world.root, kind=envelope.DOOR), identity) is None
    assert read_order(order(world.root, device="d-2"), identity) is None
    for nonsense in (None, "wipe", {"wipe": True}, 7):
        assert read_order(nonsense, identity) is None


def test_a_state_folder_serves_one_process_and_shows_no_file_to_others(tmp_path: Path) -> None:
    state = DoorState(tmp_path / "door")
    with pytest.raises(ProblemError, match="another door"):
        DoorState(tmp_path / "door")
    assert (tmp_path / "door").stat().st_mode & 0o777 == 0o700
    state.close()
    StateFolder(tmp_path / "door").write("x", b"content")
    (tmp_path / "door" / "x").write_bytes(b"torn")
    again = DoorState(tmp_path / "door")
    assert again.folder.read("x") is None and again.torn == ["x"]
    assert (tmp_path / "door" / "x.torn-1").read_bytes() == b"torn"
    again.close()


def test_a_wiped_folder_that_is_enrolled_anew_is_wiped_no_more(tmp_path: Path) -> None:
    """Else a door that was sold and set up again would never keep its time and its knowledge."""
    state = DoorState(tmp_path / "door")
    state.wipe({"by": "operator", "left": 0})
    assert state.is_wiped, "positive control"
    state.enrol(Identity(device="d-2", realm=REALM, roots=(bytes(32),)))
    assert not state.is_wiped
    state.close()
