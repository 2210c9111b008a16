"""Venue check-in: a resident scanned a venue code; durable before it is acknowledged."""

from datetime import datetime
from typing import Literal

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.colour import Colour
from passlight.core.places.venue_code import Presence, VenueCode, VenueCodeError
from passlight.core.verification.venue_codes import verify_venue_code
from passlight.gateway.answers import entrance_out, status_out, venue_out
from passlight.gateway.auth import Principal
from passlight.gateway.errors import RefusedError, milliseconds
from passlight.gateway.keys import NoKeyError
from passlight.gateway.published import Entrance, Published, Venue
from passlight.gateway.schemas import CheckinOut, CheckinRequest
from passlight.journal.entry import ConflictError, Entry, JournalError, Receipt
from passlight.journal.spool import Spool


class Checkins:
    """Takes check-ins."""

    def __init__(self, published: Published, *, clock: Clock, spool: Spool) -> None:
        self._published = published
        self._clock = clock
        self._spool = spool

    def read_token(self, token: str) -> VenueCode:
        """Return what a genuine and current venue code says.

        Raises:
            VenueCodeError: when it is not.
            NoKeyError: when there is no trust list yet.
        """
        keys = self._published.keys
        if keys.trust is None:
            raise NoKeyError("no trust list yet")
        now = int(self._clock.now().timestamp())
        return verify_venue_code(token, trust=keys.trust, realm=keys.realm, now=now)

    async def check_in(self, principal: Principal, asked: CheckinRequest) -> CheckinOut:
        """Record the check-in and return the venue and one's own status.

        Raises:
            RefusedError: when the code or the venue is not good, or the journal cannot take it.
        """
        code, venue, door = self._place(asked.venue_token)
        now = self._clock.now()
        assert principal.ordinal is not None
        if self._published.book.as_of is None:
            raise RefusedError(503, "no-book", retry_after=2)
        standing = self._published.book.at(principal.ordinal, int(now.timestamp()))
        receipt = await self._append(
            Entry(
                key=asked.key,
                kind="checkin",
                actor=principal.handle,
                occurred_at=now,
                claim={"venue_token": asked.venue_token},
                fields={
                    "device": principal.device,
                    "venue_id": venue.id,
                    "entrance": door.code,
                    "ordinal": principal.ordinal,
                    # What the page showed; a check-in is presence and never a reason for a colour.
                    "answer": "" if standing.colour is Colour.UNKNOWN else standing.colour.value,
                },
                payload={
                    "presence": _presence(code),
                    "zone": code.zone,
                    "made_on": code.issued_on.isoformat(),
                },
            )
        )
        return self._out(code, venue, door, receipt, principal.ordinal, now)

    def _place(self, token: str) -> tuple[VenueCode, Venue, Entrance]:
        try:
            code = self.read_token(token)
        except VenueCodeError as error:
            raise RefusedError(400, "bad-venue-code", more={"reason": error.reason}) from None
        except NoKeyError:
            raise RefusedError(503, "no-key", retry_after=2) from None
        venue = self._published.venues.get(str(code.venue_id))
        door = venue.entrances.get(code.entrance) if venue else None
        if venue is None or door is None:
            raise RefusedError(404, "unknown-venue")
        if not venue.active:
            raise RefusedError(409, "venue-closed")
        return code, venue, door

    async def _append(self, entry: Entry) -> Receipt:
        try:
            return await self._spool.append(entry)
        except ConflictError:
            raise RefusedError(409, "key-conflict") from None
        except JournalError:
            raise RefusedError(503, "journal-full", retry_after=5) from None

    def _out(
        self,
        code: VenueCode,
        venue: Venue,
        door: Entrance,
        receipt: Receipt,
        ordinal: int,
        now: datetime,
    ) -> CheckinOut:
        standing = self._published.book.at(ordinal, int(now.timestamp()))
        status = status_out(self._published, standing, now=now)
        return CheckinOut(
            venue=venue_out(venue),
            entrance=entrance_out(door),
            presence=_presence(code),
            colour=status.colour,
            reason=status.reason,
            advice=status.advice,
            until=status.until,
            sampled_at=status.sampled_at,
            as_of=status.as_of,
            recorded_at=receipt.acknowledged_at.isoformat(),
            repeated=receipt.repeated,
            now_ms=milliseconds(now),
        )


def _presence(code: VenueCode) -> Literal["weak", "strong"]:
    return "strong" if code.presence is Presence.STRONG else "weak"
