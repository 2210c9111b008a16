"""A hall that runs in one process on a virtual clock: real PostgreSQL, gateway, doors, office.

Everything is the product's own but three things: people's statuses are published as rows (the
worker has tests of its own), a door's look-up of an identity card skips the office's HTTP view
(``tests/gates`` has it) and asks the same gateway, and time stands still between two events.
"""

import asyncio
import json
import os
import uuid
from collections.abc import Coroutine
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from django.conf import settings

from passlight.core.codes.chain import chain
from passlight.core.codes.epochs import epoch_at
from passlight.core.codes.issuing import issue_phone, phone_text
from passlight.core.codes.layout import (
    START_ZERO,
    Purpose,
    chain_salt,
    minutes_of,
    phone_lifetime_seconds,
)
from passlight.core.kernel.base64url import base64url
from passlight.core.kernel.documents import Document, DocumentType
from passlight.core.places.hall import HallLevel, ZoneKind
from passlight.core.places.venue import Entrance as Entry
from passlight.core.places.venue import VenueClass
from passlight.gate.assembly import Gate, assemble
from passlight.gate.config import GateConfig
from passlight.gate.devices import Devices
from passlight.gate.ports import ShownDocument
from passlight.gate.state import DoorState, Identity
from passlight.gateway.assembly import GatewayConfig
from passlight.gateway.assembly import assemble as assemble_gateway
from passlight.office.accounts.actions import NewUser, add_unit, add_user
from passlight.office.accounts.models import Role as UserRole
from passlight.office.accounts.models import Unit, UnitKind, User
from passlight.office.gates.models import GateDevice
from passlight.office.gates.publishing import publish_doors
from passlight.office.gates.service import sign_grant
from passlight.office.halls.actions import ZoneDetails, make_hall
from passlight.office.halls.models import Hall, StaffMember
from passlight.office.halls.planning import NewPlan, publish_plan
from passlight.office.keyring.actions import ensure_keys
from passlight.office.packs.actions import publish_pack, store_pack
from passlight.office.people.models import Person
from passlight.office.statuses.models import Publication
from passlight.office.venues.actions import VenueDetails, register_venue, set_activity
from passlight.office.venues.models import Venue
from passlight.runtime.clock import SystemEntropy
from passlight.runtime.database import Role
from passlight.runtime.keys import KeyFolder
from passlight.runtime.packs import read_pack_folder, shipped_packs
from passlight.runtime.sealed import PURPOSE, Sealer, Use
from passlight.runtime.signing import phone_issuer, public_key_for
from passlight.simulation.hall_traffic import Guest
from tests.gateway.conftest import Running
from tests.gateway.device import Device
from tests.gateway.office import Office
from tests.simulation.hall_doors import CardLookup, Line, PhonePost, VirtualClock

PUBLIC_URL = "https://code.example.cn"
ENTROPY = SystemEntropy()
HOUR = 3600


class HallStack:
    """One town with one hall: three gates, one checker's phone, and whoever is on duty."""

    DOORS = ("north", "south", "east")
    POST = "west"

    def __init__(self, urls: dict[Role, str], folder: Path, *, start: int, people: int) -> None:
        self.clock = VirtualClock(start)
        self.folder = folder
        self.runner = asyncio.Runner()
        self.gates: list[Gate] = []
        self.lines: list[Line] = []
        self.keys = KeyFolder(settings.PASSLIGHT.keys)
        self.realm = settings.PASSLIGHT.realm
        ensure_keys(self.clock, ENTROPY, self.keys, registered=people)
        self.office = Office(
            url=urls[Role.OWNER],
            keys=settings.PASSLIGHT.keys,
            realm=self.realm,
            public_url=PUBLIC_URL,
            clock=self.clock,
        )
        self.sealer = Sealer(self.keys.read_or_make(PURPOSE, ENTROPY))
        self._seq = 0
        self._make_units()
        self._start_gateway(urls[Role.GATEWAY])

    # What there is.

    def _make_units(self) -> None:
        self.district = add_unit(kind=UnitKind.DISTRICT, name="青屿区", name_en="Qingyu District")
        self.town = add_unit(
            kind=UnitKind.TOWN, name="青汀街道", name_en="Qingting", parent=self.district
        )
        self.users: dict[str, User] = {
            name: self._user(role, unit)
            for name, role, unit in (
                ("checker", UserRole.CHECKER, self.town),
                ("leader", UserRole.DUTY_LEADER, self.town),
                ("manager", UserRole.HALL_MANAGER, self.town),
                ("street", UserRole.STREET_OFFICE, self.town),
                ("officer", UserRole.DISTRICT_OFFICE, self.district),
            )
        }

    def _user(self, role: UserRole, unit: Unit) -> User:
        new = NewUser(
            username=f"{role.value}-{uuid.uuid4().hex[:6]}",
            password="a long enough password",
            role=role,
            unit=unit,
            display_name="值班员",
            display_name_en="On duty",
        )
        return add_user(new, clock=self.clock, entropy=ENTROPY)

    def open_hall(
        self, *, cap: int, standing: dict[str, int], stay_minutes: int, block_seconds: int
    ) -> None:
        """Register the hall, its zones, its plan and the pack of the seed, and sign its doors."""
        doors = tuple(
            Entry(code=code, zone="hall", name=code, name_en=code)
            for code in (*self.DOORS, self.POST)
        )
        venue: Venue = register_venue(
            VenueDetails(
                name="青汀街道社区事务受理服务中心",
                name_en="Qingting Community Affairs Centre",
                address="青屿区青汀路12号",
                kind=VenueClass.HALL,
                unit=self.town,
            ),
            doors,
            actor=None,
            clock=self.clock,
            entropy=ENTROPY,
        )
        set_activity(venue, active=True, actor=None, clock=self.clock)
        self.venue, self.venue_id = venue, str(venue.pk)
        zones = (
            ZoneDetails(code="hall", kind=ZoneKind.HALL, name="大厅", name_en="Hall"),
            ZoneDetails(
                code="isolate", kind=ZoneKind.ISOLATION, name="临时隔离区", name_en="Isolation"
            ),
        )
        self.hall: Hall = make_hall(venue, HallLevel.TOWN, zones, clock=self.clock, entropy=ENTROPY)
        changes: dict[str, Any] = {"cap.hall": cap, "lease.minutes": stay_minutes}
        changes |= {f"standing.{code}": share for code, share in standing.items()}
        changes["places.expires.seconds"] = block_seconds
        publish_plan(
            NewPlan(unit=self.town, effective_from=self.clock.now(), changes=changes, reason="t"),
            actor=None,
            clock=self.clock,
            entropy=ENTROPY,
        )
        files = read_pack_folder(shipped_packs() / "qingpu-2022-05")
        stored = store_pack(files, user=None, clock=self.clock)
        publish_pack(stored, effective_from=None, user=None, clock=self.clock)

    def register(self, guests: tuple[Guest, ...]) -> None:
        """Enter everybody, with a status each, and the staff on the roster."""
        now = self.clock.now()
        self.people = Person.objects.bulk_create(
            Person(
                id=uuid.uuid4(),
                ordinal=guest.ordinal,
                facts_key="p-" + uuid.uuid4().hex,
                visits_key="v-" + uuid.uuid4().hex,
                registered_at=now,
            )
            for guest in guests
        )
        StaffMember.objects.bulk_create(
            StaffMember(
                hall=self.hall,
                person=self.people[guest.ordinal],
                post="窗口",
                starts_at=time(8, 0),
                ends_at=time(17, 30),
                added_by=self.users["manager"],
                added_at=now,
            )
            for guest in guests
            if guest.staff
        )
        for key, colour in (("t@1/red/0", "red"), ("t@1/yellow/0", "yellow")):
            self.office.add_reason(key, colour)
        self.publish([(guest, int(self.clock.at)) for guest in guests])
        publish_doors(clock=self.clock)
        self.settle()

    def publish(self, changes: list[tuple[Guest, int]]) -> None:
        """Publish the lines of people as they are known at a moment."""
        rows = []
        for guest, at in changes:
            self._seq += 1
            known = [(since, colour) for since, colour in guest.colours if since <= at]
            sampled = guest.sampled_before(at)
            rows.append(
                Publication(
                    seq=self._seq,
                    ordinal=guest.ordinal,
                    segments=[
                        {
                            "from": since or None,
                            "colour": colour,
                            "reason": None if colour == "green" else f"t@1/{colour}/0",
                        }
                        for since, colour in known
                    ],
                    sampled_at=None if sampled is None else datetime.fromtimestamp(sampled, UTC),
                    state="active",
                    as_of=self.clock.now(),
                    fact_seq=0,
                    packs_seq=0,
                )
            )
        Publication.objects.bulk_create(rows, batch_size=500)
        self.office.seq = self._seq

    # What runs.

    def _start_gateway(self, url: str) -> None:
        config = GatewayConfig(
            name="gateway-1",
            realm=self.realm,
            public_url=PUBLIC_URL,
            keys=settings.PASSLIGHT.keys,
            folder=self.folder / "gateway-1",
            database_url=lambda: url,
        )
        gateway = assemble_gateway(config, clock=self.clock, entropy=ENTROPY)
        self.running = Running(gateway, self.clock)  # type: ignore[arg-type]
        self.published = gateway.published
        self.port = int(self.running.base_url.rsplit(":", 1)[1])

    def settle(self) -> None:
        """Let the gateway know all that is published, as of now."""
        self.office.beat()
        now = self.clock.now()
        self.running.until(
            lambda: (
                self.published.book.as_of is not None
                and self.published.book.as_of >= now
                and self.published.book.seq == self._seq
                and bool(self.published.venues)
            ),
            seconds=30,
        )

    def start_gates(self) -> None:
        """Enrol and start the three gates, and take the checker's post."""
        roots = (public_key_for(self.keys, Purpose.LIST),)
        for code in self.DOORS:
            self.gates.append(self._enrolled(code, roots))
        checker = Device(
            self.clock,
            PUBLIC_URL,
            self.realm,
            self.keys.read("grant"),
            "checker",
            venues=[self.venue_id],
        )
        checker.grant = checker.make_grant(exp=int(self.clock.at) + 24 * HOUR)
        self.post = PhonePost(self, self.POST, checker)

    def new_day(self) -> None:
        """Give the checker a new grant, as logging in does every morning."""
        device = self.post.device
        device.jti = base64url(os.urandom(16))
        device.grant = device.make_grant(exp=int(self.clock.at) + 12 * HOUR)

    def _enrolled(self, code: str, roots: tuple[bytes, ...]) -> Gate:
        folder = self.folder / code
        state = DoorState(folder)
        key = state.key(ENTROPY)
        device = GateDevice.objects.create(
            id=uuid.uuid4(),
            venue=self.venue,
            entrance=code,
            name=code,
            state="active",
            thumbprint=key.thumbprint,
            software="test",
            invited_by=self.users["manager"],
            confirmed_by=self.users["street"],
            enrolled_at=self.clock.now(),
            confirmed_at=self.clock.now(),
        )
        state.enrol(Identity(device=str(device.pk), realm=self.realm, roots=roots))
        state.keep_grant(sign_grant(device, clock=self.clock, entropy=ENTROPY).token)
        state.close()
        config = GateConfig(
            url=PUBLIC_URL,
            roots=roots,
            venue=self.venue_id,
            entrance=code,
            direction="in",
            barrier_seconds=3.0,
            folder=folder,
            spool_rows=10_000,
            battery_clock=True,
            devices={},
        )
        line = Line(self.port)
        self.lines.append(line)

        async def start() -> Gate:
            return assemble(
                config,
                clock=self.clock,
                entropy=ENTROPY,
                devices=Devices(),
                boot_id="boot-1",
                transport=line,
            )

        gate = self.run(start())
        assert gate.uplink is not None
        gate.door._lookup = CardLookup(self, str(device.pk), gate.uplink.client, code)
        return gate

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run one piece of a door's work."""
        return self.runner.run(work)

    def stop(self) -> None:
        for gate in self.gates:
            self.run(gate.close())
        self.runner.close()
        self.running.stop()

    # What people carry.

    def code_of(self, guest: Guest) -> str:
        """Return what the phone of somebody shows now: a hot code, fetched in this minute."""
        now = int(self.clock.at)
        epoch = epoch_at(now, offset=480)
        start = minutes_of(now)
        values = chain(
            os.urandom(16),
            salt=chain_salt(start=start, lifetime=0, slot_code=1),
            slots=phone_lifetime_seconds(0) // 20,
        )
        trust = self.published.keys.trust
        assert trust is not None
        issuer = phone_issuer(trust, self.keys, realm=self.realm, now=now)
        colour = {"green": 1, "yellow": 2, "red": 3}[guest.colour_at(now)]
        signed = issue_phone(
            issuer,
            colour=colour,
            start=start,
            lifetime=0,
            sampled_at=guest.sampled_before(now),
            index=self.published.keys.permutation(epoch).index_of(guest.ordinal),
            anchor=values[0],
            tag=0,
        )
        slot = (now - (START_ZERO + 60 * start)) // 20
        return phone_text(signed, slot=slot, value=values[slot + 1])

    def card_of(self, guest: Guest) -> ShownDocument:
        """Return the card of somebody, as a reader reads it."""
        document = Document(type=DocumentType.PASSPORT, number=f"EXAMPL{guest.ordinal}")
        return ShownDocument(document=document, source="id")

    def subject_token(self, ordinal: int, holder: str) -> str:
        return self.sealer.seal(
            Use.SUBJECT,
            ordinal=ordinal,
            checker=holder,
            venue=self.venue_id,
            now=self.clock.now(),
            entropy=ENTROPY,
        )

    def rows(self, query: str, *given: Any) -> list[tuple[Any, ...]]:
        return self.office.sql(query, *given)

    def entries(self) -> list[dict[str, Any]]:
        """Return what every door recorded: key, kind, visits key and the record itself."""
        found = self.rows(
            "SELECT key, kind, visits_key, payload, occurred_at FROM records_record"
            " WHERE kind IN ('admit','ask','refuse','isolate','exit') ORDER BY occurred_at, key"
        )
        return [
            {
                "key": key,
                "kind": kind,
                "visits_key": visits_key,
                "payload": payload if isinstance(payload, dict) else json.loads(payload),
                "at": occurred_at.timestamp(),
            }
            for key, kind, visits_key, payload, occurred_at in found
        ]
