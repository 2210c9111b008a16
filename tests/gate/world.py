"""A whole realm in a test: an office that signs, phones that show, and a clock that can be moved.

Everything is signed by the product's own issuing code; what a door shall *conclude* from it is
written in the tests by hand.
"""

import json
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nacl.public import PrivateKey

from passlight.core.codes import envelope
from passlight.core.codes.chain import chain
from passlight.core.codes.epochs import epoch_at
from passlight.core.codes.issuing import Issuer, issue_phone, phone_text
from passlight.core.codes.layout import (
    START_ZERO,
    Purpose,
    chain_salt,
    minutes_of,
    phone_lifetime_seconds,
)
from passlight.core.codes.trust import Realm, TrustedKey, TrustList, seal
from passlight.core.kernel.base64url import base64url
from passlight.gate.assembly import Gate, assemble
from passlight.gate.config import GateConfig
from passlight.gate.devices import Devices
from passlight.gate.state import DoorState, Identity

REALM = "cn-310118"
OFFSET = 480
VENUE = "5f8b1c5e-2d7c-4b2a-9a53-6f0f6a1b7c11"
DEVICE = "0d1f7a52-6d0b-4b0e-8d57-3d8a5f3f9e01"
HOUR = 3600
# Monday, 23 November 2026, 08:00 in the realm.
T0 = int(datetime(2026, 11, 23, 0, 0, tzinfo=UTC).timestamp())
SIZE = 1_000_000


class VirtualClock:
    """Wall and monotonic clock of one machine; either can be moved by itself."""

    def __init__(self, now: int = T0) -> None:
        self.wall = float(now)
        self.ticks = 1000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.wall, UTC)

    def monotonic(self) -> float:
        return self.ticks

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.ticks += seconds


class Entropy:
    def token(self, size: int) -> bytes:
        return os.urandom(size)


@dataclass
class Phone:
    """One resident's code on a phone."""

    world: "World"
    index: int
    colour: int = 1
    sampled_hours: float | None = 10
    lifetime: int = 0
    start: int | None = None

    def __post_init__(self) -> None:
        now = self.world.true_now()
        self.start = minutes_of(now) if self.start is None else self.start
        slots = phone_lifetime_seconds(self.lifetime) // 20
        salt = chain_salt(start=self.start, lifetime=self.lifetime, slot_code=1)
        self.values = chain(os.urandom(16), salt=salt, slots=slots)
        sampled = None if self.sampled_hours is None else int(now - self.sampled_hours * HOUR)
        self.signed = issue_phone(
            self.world.phone_issuer,
            colour=self.colour,
            start=self.start,
            lifetime=self.lifetime,
            sampled_at=sampled,
            index=self.index,
            anchor=self.values[0],
            tag=0,
        )

    def text(self, *, at: float | None = None) -> str:
        now = self.world.true_now() if at is None else at
        slot = int(now - (START_ZERO + 60 * self.start)) // 20
        return phone_text(self.signed, slot=slot, value=self.values[slot + 1])


@dataclass
class World:
    """The office of one realm and its true time."""

    clock: VirtualClock
    entrance: str = "east"
    freshness: int = 3600
    standing: int | None = None
    emergency: bool = True
    restricted: dict[int, list[list[int]]] = field(default_factory=dict)
    staff: list[int] = field(default_factory=list)
    started: list[int] = field(default_factory=list)
    policies: list[dict[str, Any]] = field(default_factory=list)
    seq: int = 1
    drift: float = 0.0
    """How much the true time differs from the door's wall clock."""
    gates: list[Gate] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root_seed, self.phone_seed = os.urandom(32), os.urandom(32)
        self.root = Issuer.of_seed(self.root_seed, realm=REALM, purpose=Purpose.LIST, slot_code=0)
        self.phone_issuer = Issuer.of_seed(
            self.phone_seed, realm=REALM, purpose=Purpose.PHONE, slot_code=1
        )
        self.seal_key = PrivateKey.generate()
        self.policies = self.policies or [
            policy("visitor", 48),
            policy("staff", 24),
            policy("staff-reentry", 48),
        ]
        for each in self.policies:
            each["freshness_seconds"] = self.freshness

    def true_now(self) -> int:
        return int(self.clock.wall + self.drift)

    def trust(
        self, *, sequence: int = 1, expires_in: int = 7 * 86_400, at: int | None = None
    ) -> bytes:
        now = self.true_now() if at is None else at
        keys = [
            TrustedKey(
                realm=REALM,
                purpose=Purpose.PHONE,
                public_key=self.phone_issuer.public_key,
                slot_code=1,
                starts_from=now - 86_400,
                signs_until=now + 6 * 86_400,
                starts_until=now + 9 * 86_400,
                listed_until=now + 12 * 86_400,
            )
        ]
        listed = TrustList.of(
            keys,
            sequence=sequence,
            expires_at=now + expires_in,
            realms={REALM: Realm(offset=OFFSET)},
        )
        return seal(listed, signer=self.root)

    def door(self, *, made_at: int | None = None, days: int = 7, **changes: Any) -> bytes:
        made = self.true_now() if made_at is None else made_at
        payload = {
            "format": 1,
            "realm": REALM,
            "venue": VENUE,
            "entrance": self.entrance,
            "zone": "hall",
            "venue_name": {"zh": "青禾镇便民中心", "en": "Qinghe service hall"},
            "entrance_name": {"zh": "东门", "en": "East gate"},
            "hall": None,
            "plan": "qinghe",
            "plan_version": "1",
            "policies": self.policies,
            "offset": OFFSET,
            "emergency": self.emergency,
            "one_of": "either",
            "one_of_minutes": 30,
            "standing_places": self.standing,
            "made_at": instant(made),
            "effective_until": instant(made + days * 86_400),
            "seal": base64url(bytes(self.seal_key.public_key)),
        }
        payload.update(changes)
        raw = json.dumps(payload, ensure_ascii=False).encode()
        return envelope.seal_envelope(raw, kind=envelope.DOOR, signer=self.root)

    def feed(
        self,
        *,
        as_of: int | None = None,
        epoch: int | None = None,
        since: int = 0,
        seq: int | None = None,
        signer: Issuer | None = None,
    ) -> bytes:
        at = self.true_now() if as_of is None else as_of
        payload = {
            "realm": REALM,
            "epoch": epoch_at(at, offset=OFFSET) if epoch is None else epoch,
            "size": SIZE,
            "as_of": at,
            "seq": self.seq if seq is None else seq,
            "since": since,
            "entries": [[index, line] for index, line in sorted(self.restricted.items())],
            "staff": {VENUE: self.staff},
            "started": {VENUE: self.started},
        }
        raw = json.dumps(payload).encode()
        return envelope.seal_envelope(raw, kind=envelope.STATUSES, signer=signer or self.root)

    @property
    def epoch(self) -> int:
        return epoch_at(self.true_now(), offset=OFFSET)

    def config(self, folder: Path, **changes: Any) -> GateConfig:
        made = GateConfig(
            url="http://127.0.0.1:1",
            roots=(),
            venue=VENUE,
            entrance=self.entrance,
            direction="in",
            barrier_seconds=5.0,
            folder=folder,
            spool_rows=10_000,
            battery_clock=True,
            devices={},
        )
        return replace(made, **changes)

    def enrol(self, folder: Path) -> None:
        state = DoorState(folder)
        state.enrol(Identity(device=DEVICE, realm=REALM, roots=(self.root.public_key,)))
        state.close()

    def start(
        self,
        folder: Path,
        *,
        devices: Devices | None = None,
        boot_id: str = "boot-1",
        **changes: Any,
    ) -> Gate:
        """Return the door as it starts from its folder, enrolled on the first time."""
        if not (folder / "identity.json").exists() and not changes.pop("stranger", False):
            self.enrol(folder)
        transport = changes.pop("transport", None)
        gate = assemble(
            self.config(folder, **changes),
            clock=self.clock,
            entropy=Entropy(),
            devices=devices or Devices(),
            boot_id=boot_id,
            transport=transport,
        )
        self.gates.append(gate)
        return gate

    def cut_power(self, gate: Gate) -> None:
        """End the door as a power cut does: nothing is finished, stored or said."""
        gate.state.close()

    def stop_all(self) -> None:
        """Close every file of every door that was started."""
        for gate in self.gates:
            gate.door.close()
            gate.opened.spool.close()
            gate.state.close()

    def teach(self, gate: Gate) -> None:
        """Let the door hear everything once, as its uplink would."""
        gate.knowledge.take_trust(self.trust())
        gate.knowledge.take_door(self.door())
        as_of = gate.knowledge.take_feed(self.feed(), epoch=self.epoch)
        assert gate.keeper.discipline(self.true_now(), as_of=as_of, round_trip=0.1)


def instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def policy(role: str, hours: int | None, **changes: Any) -> dict[str, Any]:
    """S4 三(二): green, a negative test of 48 h (staff at the start of work: 24 h)."""

    def failure(outcome: str, words: str) -> dict[str, Any]:
        return {"outcome": outcome, "say": {"zh": words, "en": words}, "basis": "setting"}

    stops = {
        "red": "isolate",
        "yellow": "isolate",
        "unknown": "ask",
        "expired": "ask",
        "not-found": "ask",
        "closed": "ask",
        "full": "ask",
        "registration": "ask",
        "guardian": "ask",
    }
    if hours is not None:
        stops |= {"test": "refuse", "test-none": "refuse"}
    made = {
        "id": f"qinghe@1/service-hall/{role}",
        "role": role,
        "venue_class": "service-hall",
        "colours": ["green"],
        "test": None if hours is None else {"hours_max": hours, "counts": "elapsed"},
        "temperature": None,
        "mask": False,
        "registration": True,
        "questions": [],
        "unobserved": {"room": failure("ask", "room")},
        "failures": {name: failure(outcome, name) for name, outcome in stops.items()},
        "freshness_seconds": 3600,
        "basis": "setting",
    }
    made.update(changes)
    return made
