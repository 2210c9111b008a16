"""The office's side of an installation, played by SQL as the owner: people, venues, statuses.

The rows are those that the worker, the venues app and the people app publish; the gateway
reads them under its own role.
"""

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.kernel.clock import Clock
from passlight.core.places.venue_code import Presence
from passlight.core.verification.venue_codes import realm_day, sign_venue_code
from passlight.runtime.clock import SystemClock
from passlight.runtime.keys import KeyFolder
from tests.gateway.device import Device

RED = {"zh": "确诊病例，治疗中", "en": "Confirmed case, in treatment"}
RED_ADVICE = {"zh": "请联系社区", "en": "Contact your community"}


class ShiftedClock:
    """The machine's clock, moved by ``by``; a test moves it on."""

    def __init__(self) -> None:
        self.by = timedelta(0)
        self._real = SystemClock()

    def now(self) -> datetime:
        return self._real.now() + self.by

    def monotonic(self) -> float:
        return self._real.monotonic() + self.by.total_seconds()

    def advance(self, **amount: float) -> None:
        self.by += timedelta(**amount)


class Office:
    """Publishes statuses and venues of one installation."""

    def __init__(self, *, url: str, keys: Path, realm: str, public_url: str, clock: Clock) -> None:
        self.url = url
        self.keys = KeyFolder(keys)
        self.realm = realm
        self.public_url = public_url
        self.clock = clock
        self.seq = 0

    def sql(self, query: str, *given: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query, given)
            return cursor.fetchall() if cursor.description else []

    def add_reason(self, key: str, colour: str, reason: dict[str, str] = RED) -> None:
        self.sql(
            "INSERT INTO statuses_reason (key, colour, reason, advice)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            *(key, colour, json.dumps(reason), json.dumps(RED_ADVICE)),
        )

    def add_person(self, ordinal: int) -> str:
        """Return the person's key in the domain of visits."""
        visits = "v-" + uuid.uuid4().hex
        self.sql(
            "INSERT INTO people_person (id, ordinal, facts_key, visits_key, registered_at)"
            " VALUES (%s, %s, %s, %s, %s)",
            *(uuid.uuid4(), ordinal, "p-" + uuid.uuid4().hex, visits, self.clock.now()),
        )
        return visits

    def publish(
        self,
        ordinal: int,
        *segments: tuple[float | None, str, str | None],
        sampled_at: datetime | None = None,
        state: str = "active",
    ) -> None:
        """Publish a person's line: (from, colour, reason) of each segment; then a heartbeat."""
        self.seq += 1
        rows = [
            {"from": start, "colour": colour, "reason": reason}
            for start, colour, reason in segments
        ]
        self.sql(
            "INSERT INTO statuses_publication"
            " (seq, ordinal, segments, sampled_at, state, as_of, fact_seq, packs_seq)"
            " VALUES (%s, %s, %s, %s, %s, %s, 0, 0)",
            *(self.seq, ordinal, json.dumps(rows), sampled_at, state, self.clock.now()),
        )
        self.beat()

    def beat(self) -> None:
        """Say that everything is known up to now."""
        self.sql(
            "INSERT INTO statuses_heartbeat (id, at, fact_seq, publication_seq, packs_seq,"
            " sweep_seq, sweep_ordinal) VALUES (1, %s, 0, %s, 0, 0, -1)"
            " ON CONFLICT (id) DO UPDATE SET at = excluded.at,"
            " publication_seq = excluded.publication_seq",
            *(self.clock.now(), self.seq),
        )
        self.sql("NOTIFY passlight_statuses")

    def add_venue(
        self, *, freshness: int = 3600, active: bool = True, entrance: str = "east"
    ) -> str:
        venue = str(uuid.uuid4())
        now = self.clock.now()
        self.sql(
            "INSERT INTO accounts_unit (kind, name, name_en, path)"
            " VALUES ('district', '示例区', 'Example district', '/1/') ON CONFLICT DO NOTHING"
        )
        self.sql(
            "INSERT INTO venues_venue (id, name, name_en, address, kind, unit_id,"
            " freshness_seconds, active, registered_at)"
            " SELECT %s, '示例大厅', 'Example hall', '示例路 1 号', 'hall', min(id), %s, %s, %s"
            " FROM accounts_unit",
            *(venue, freshness, active, now),
        )
        self.sql(
            "INSERT INTO venues_entrance (venue_id, code, zone, name, name_en, active)"
            " VALUES (%s, %s, '', '东门', 'East gate', true)",
            *(venue, entrance),
        )
        self.sql("NOTIFY passlight_venues")
        return venue

    def revoke(self, *, jti: str = "", handle: str = "") -> None:
        self.sql(
            "INSERT INTO accounts_revocation (jti, handle, revoked_at) VALUES (%s, %s, %s)",
            *(jti, handle, datetime.now(UTC)),
        )

    def venue_token(self, venue: str, *, entrance: str = "east", days: int = 365) -> str:
        issuer = Issuer.of_seed(
            self.keys.read("venue"), realm=self.realm, purpose=Purpose.VENUE, slot_code=0
        )
        return sign_venue_code(
            issuer,
            venue_id=uuid.UUID(venue),
            entrance=entrance,
            zone="",
            presence=Presence.WEAK,
            issued_on=realm_day(int(self.clock.now().timestamp()), offset=480),
            days=days,
        )

    def resident(self, ordinal: int) -> Device:
        return self._device("resident", ordinal=ordinal)

    def checker(self, *venues: str) -> Device:
        return self._device("checker", venues=list(venues))

    def _device(self, role: str, **given: Any) -> Device:
        return Device(
            self.clock, self.public_url, self.realm, self.keys.read("grant"), role, **given
        )

    def records(self, kind: str | None = None) -> list[tuple[Any, ...]]:
        """Return key, kind, visits key, answer and payload of every record, oldest first."""
        return self.sql(
            "SELECT key, kind, visits_key, answer, payload FROM records_record"
            " WHERE %s::text IS NULL OR kind = %s ORDER BY spool_seq",
            *(kind, kind),
        )
