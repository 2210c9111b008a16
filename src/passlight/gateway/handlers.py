"""What each route does, once it is known who asks and what."""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from passlight.core.kernel.clock import Clock
from passlight.gateway import schemas
from passlight.gateway.answers import status_out
from passlight.gateway.auth import Principal
from passlight.gateway.checkins import Checkins
from passlight.gateway.doors import Doors
from passlight.gateway.errors import RefusedError, milliseconds
from passlight.gateway.issuing import Issuing
from passlight.gateway.place_schemas import PlacesOut, PlacesRequest
from passlight.gateway.published import Published
from passlight.gateway.records import Records
from passlight.gateway.verifying import Verifying
from passlight.journal.spool import Spool


class Handlers:
    """The routes' handlers; each returns a status and an answer."""

    def __init__(
        self,
        published: Published,
        *,
        clock: Clock,
        spool: Spool,
        issuing: Issuing,
        verifying: Verifying,
        checkins: Checkins,
        records: Records,
        doors: Doors,
        database: Callable[[], bool],
    ) -> None:
        self._published = published
        self._clock = clock
        self._spool = spool
        self._issuing = issuing
        self._verifying = verifying
        self._checkins = checkins
        self._records = records
        self._doors = doors
        self._database = database

    async def healthz(self, _: None, __: None) -> tuple[int, schemas.HealthOut]:
        """Say whether this gateway can serve."""
        now = self._clock.now()
        age = self._published.book_age(now)
        why = []
        if age is None:
            why.append("no status book")
        if self._published.keys.trust is None:
            why.append("no trust list")
        health = schemas.HealthOut(
            ready=not why,
            why=why,
            book_age_seconds=None if age is None else round(age, 1),
            people=len(self._published.book),
            database=self._published.connected and self._database(),
            waiting=self._spool.waiting,
            set_aside=self._spool.set_aside,
            now_ms=milliseconds(now),
        )
        return (503 if why else 200), health

    async def time(self, _: None, __: None) -> tuple[int, schemas.TimeOut]:
        """Say the time."""
        return 200, schemas.TimeOut(now_ms=milliseconds(self._clock.now()))

    async def trust(self, _: None, __: None) -> tuple[int, Any]:
        """Give the trust list as it was signed."""
        if not self._published.keys.document:
            raise RefusedError(503, "no-key", retry_after=2)
        return 200, json.loads(self._published.keys.document)

    async def codes(
        self, principal: Principal, asked: schemas.CodesRequest
    ) -> tuple[int, schemas.CodesOut]:
        """Make codes."""
        return 200, await self._issuing.issue(principal, asked)

    async def me(self, principal: Principal, _: None) -> tuple[int, schemas.StatusOut]:
        """Say one's own status."""
        now = self._clock.now()
        if self._published.book.as_of is None:
            raise RefusedError(503, "no-book", retry_after=2)
        assert principal.ordinal is not None
        standing = self._published.book.at(principal.ordinal, int(now.timestamp()))
        return 200, status_out(self._published, standing, now=now)

    async def verifications(
        self, principal: Principal, asked: schemas.VerificationRequest
    ) -> tuple[int, schemas.VerificationOut]:
        """Answer a checker."""
        return 200, await self._verifying.verify(principal, asked)

    async def records(
        self, principal: Principal, asked: schemas.RecordsRequest
    ) -> tuple[int, schemas.RecordsOut]:
        """Take records."""
        return await self._records.take(principal, asked)

    async def door(self, principal: Principal, asked: schemas.DoorQuery) -> tuple[int, msgspec.Raw]:
        """Give the signed door document."""
        return 200, msgspec.Raw(self._doors.document(principal, asked))

    async def door_statuses(
        self, principal: Principal, asked: schemas.StatusesQuery
    ) -> tuple[int, msgspec.Raw]:
        """Give the signed status feed."""
        found = await self._doors.feed.message(principal, epoch=asked.epoch, since=asked.since)
        return 200, msgspec.Raw(found)

    async def door_records(
        self, principal: Principal, asked: schemas.DoorRecordsRequest
    ) -> tuple[int, schemas.DoorRecordsOut]:
        """Take a gate's records."""
        return 200, await self._doors.records.take(principal, asked)

    async def door_places(
        self, principal: Principal, asked: PlacesRequest
    ) -> tuple[int, PlacesOut]:
        """Lend a door places, and hear whom it let in and out."""
        return 200, await self._doors.places.settle(principal, asked)

    async def checkins(
        self, principal: Principal, asked: schemas.CheckinRequest
    ) -> tuple[int, schemas.CheckinOut]:
        """Take a check-in."""
        return 200, await self._checkins.check_in(principal, asked)
