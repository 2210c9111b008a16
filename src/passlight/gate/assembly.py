"""One door, put together from its configuration, its state folder and its devices."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import httpx

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.documents import Document
from passlight.core.kernel.entropy import Entropy
from passlight.core.verification.answer import DoorAnswer
from passlight.gate.asking import LOOKUP_SECONDS
from passlight.gate.client import DoorClient, NoAnswerError, RefusedError
from passlight.gate.config import GateConfig
from passlight.gate.decision import DoorStatus, Looked
from passlight.gate.devices import Devices
from passlight.gate.engine import Door
from passlight.gate.knowledge import Knowledge
from passlight.gate.memory import DoorMemory
from passlight.gate.spool import FILE, Opened, Spool, open_spool
from passlight.gate.state import DoorState, Identity, machine_boot
from passlight.gate.timekeeping import TimeKeeper
from passlight.gate.uplink import Uplink
from passlight.runtime.device_key import DeviceKey

NOBODY: Final = Identity(device="", realm="", roots=())
SERVER_SECONDS: Final = 10.0


class ServerLookup:
    """Asks the server about a document: office, then gateway, both within the door's limit."""

    def __init__(self, client: DoorClient, *, venue: str, entrance: str, entropy: Entropy) -> None:
        self._client = client
        self._place = {"venue": venue, "entrance": entrance}
        self._entropy = entropy

    async def look_up(self, document: Document) -> Looked | None:
        """Return the answer, or None when there is none."""
        shown = {"type": document.type.value, "number": document.number}
        return await self._answer("/gates/document", shown)

    async def arrival(self, signs: str) -> Looked | None:
        """Return the answer about who checked in here by the venue code, or None."""
        return await self._answer("/gates/arrival", {"check": signs})

    async def _answer(self, path: str, shown: dict[str, str]) -> Looked | None:
        try:
            found = await self._client.post(path, shown)
            answer = await self._client.post(
                "/v1/verifications",
                {
                    **self._place,
                    "interaction": str(UUID(bytes=self._entropy.token(16), version=4)),
                    "subject_token": found["subject_token"],
                },
            )
            return _looked(answer)
        except RefusedError as refused:
            if refused.status == httpx.codes.NOT_FOUND:
                return Looked(
                    answer=DoorAnswer.NOT_FOUND, reason="no-person", sampled_from=None, lookup=""
                )
            return None
        except (NoAnswerError, KeyError, TypeError, ValueError):
            return None


@dataclass(slots=True, kw_only=True)
class Gate:
    """The parts of one running door."""

    config: GateConfig
    state: DoorState
    keeper: TimeKeeper
    knowledge: Knowledge
    opened: Opened
    door: Door
    uplink: Uplink | None
    lookup: DoorClient
    devices: Devices
    torn: list[str] = field(default_factory=list)
    """Names of files that were torn and set aside at this start."""

    async def close(self) -> None:
        """Keep what is known, finish what is being written, let go of the folder."""
        self.door.close()
        if self.uplink is not None:
            if not self.state.is_wiped:
                self.uplink.store()
            await self.uplink.client.close()
        await self.lookup.close()
        self.opened.spool.close()
        self.state.close()


def assemble(
    config: GateConfig,
    *,
    clock: Clock,
    entropy: Entropy,
    devices: Devices,
    boot_id: str | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    announce: Callable[[str], None] = lambda _: None,
) -> Gate:
    """Return the door; one that is not enrolled asks a person for everybody.

    ``boot_id`` names the start of the machine (by default the real one); ``transport`` replaces
    the network.

    Raises:
        ProblemError: another process has the state folder.
        SpoolError, OSError: the disk takes nothing.
    """
    state = DoorState(config.folder, set_aside=announce)
    enrolled = state.identity
    keeper = TimeKeeper(
        clock,
        stored=state.time,
        boot_id=machine_boot() if boot_id is None else boot_id,
        battery_clock=config.battery_clock,
    )
    key = state.key(entropy)

    def client(timeout: float) -> DoorClient:
        return DoorClient(
            config.url,
            key=key,
            keeper=keeper,
            entropy=entropy,
            grant=lambda: state.grant,
            transport=transport,
            timeout=timeout,
        )

    opened = open_spool(config.folder / FILE, boot=state.next_boot(), rows_max=config.spool_rows)
    lookup = client(LOOKUP_SECONDS)
    door = _door(
        config,
        state=state,
        identity=enrolled or NOBODY,
        keeper=keeper,
        spool=opened.spool,
        lookup=lookup,
        devices=devices,
        entropy=entropy,
    )
    uplink = None
    if enrolled is not None:
        server = client(SERVER_SECONDS)
        uplink = _uplink(config, server, key, door, state=state, identity=enrolled, entropy=entropy)
    return Gate(
        config=config,
        state=state,
        keeper=keeper,
        knowledge=door.knowledge,
        opened=opened,
        door=door,
        uplink=uplink,
        lookup=lookup,
        devices=devices,
        torn=list(state.torn),
    )


def _uplink(
    config: GateConfig,
    client: DoorClient,
    key: DeviceKey,
    door: Door,
    *,
    state: DoorState,
    identity: Identity,
    entropy: Entropy,
) -> Uplink:
    """Return the line of an enrolled door; the door says offline until it was heard."""
    uplink = Uplink(
        client,
        key=key,
        door=door,
        state=state,
        identity=identity,
        venue=config.venue,
        entrance=config.entrance,
        entropy=entropy,
    )
    door.status.online = uplink.online
    return uplink


def _door(
    config: GateConfig,
    *,
    state: DoorState,
    identity: Identity,
    keeper: TimeKeeper,
    spool: Spool,
    lookup: DoorClient,
    devices: Devices,
    entropy: Entropy,
) -> Door:
    """Return what decides, with what it knew and remembered before this start."""
    place = {"venue": config.venue, "entrance": config.entrance}
    knowledge = Knowledge(state.folder, keeper, realm=identity.realm, roots=identity.roots, **place)
    memory = DoorMemory(
        spool,
        secret=state.memory_secret(entropy),
        now=keeper.now(),
        monotonic=keeper.monotonic(),
    )
    return Door(
        device=identity.device,
        knowledge=knowledge,
        keeper=keeper,
        spool=spool,
        memory=memory,
        status=DoorStatus(online=lambda: False, revoked=state.is_stopped, broken=state.is_forked),
        entropy=entropy,
        lookup=ServerLookup(lookup, entropy=entropy, **place),
        thermometer=devices.thermometer,
        barrier=devices.barrier,
        barrier_seconds=config.barrier_seconds,
    )


def _looked(answer: dict[str, Any]) -> Looked:
    """Return a gateway's answer, read strictly."""
    sampled, lookup = answer["sampled_from"], answer["lookup"]
    if isinstance(sampled, bool) or not isinstance(sampled, int | None):
        raise TypeError("no time of sampling")
    if not isinstance(lookup, str | None):
        raise TypeError("no look-up")
    return Looked(
        answer=DoorAnswer(answer["answer"]),
        reason=str(answer["reason"]["code"]),
        sampled_from=sampled,
        lookup=lookup or "",
    )
