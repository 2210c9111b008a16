"""Venue check-in: a resident scanned a venue code; durable before it is acknowledged."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from passlight.core.entry.decide import decide
from passlight.core.entry.presented import Presented, Registered, RegisteredBy
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.colour import Colour
from passlight.core.places.venue_code import Presence, VenueCode, VenueCodeError
from passlight.core.verification.answer import DoorAnswer
from passlight.core.verification.venue_codes import verify_venue_code
from passlight.gateway.answers import entrance_out, status_out, venue_out
from passlight.gateway.auth import Principal
from passlight.gateway.book import Standing
from passlight.gateway.errors import RefusedError, milliseconds
from passlight.gateway.keys import NoKeyError
from passlight.gateway.published import Entrance, Published, Venue
from passlight.gateway.schemas import AsksOut, CheckinOut, CheckinRequest
from passlight.gateway.verdicts import grid, role_at, verdict_out
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
                claim={"venue_token": asked.venue_token, **_together(asked)},
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
                    **_together(asked),
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
            **self._door(venue, door, ordinal, standing, int(now.timestamp())),
        )

    def _door(
        self, venue: Venue, door: Entrance, ordinal: int, standing: Standing, now: int
    ) -> dict[str, Any]:
        """Return what the venue's door will do, as far as a code can say it, and what it asks.

        Mask, questions and temperature are seen at the door itself: here they stop nobody.
        """
        held = self._published.doors.get((venue.id, door.code))
        if held is None or not held.door.is_in_force(datetime.fromtimestamp(now, UTC)):
            return {}
        role = role_at(self._published, venue=venue.id, ordinal=ordinal, claimed=None)
        policy = held.door.policy(role)
        by_code = replace(policy, mask=False, questions=(), temperature=None)
        presented = Presented(
            answer=_ANSWERS[standing.colour],
            reason=standing.reason or "",
            sampled_from=grid(standing.sampled_at),
            registered=Registered(how=RegisteredBy.CODE),
        )
        verdict = decide(by_code, presented, now=now, offset=held.door.offset)
        test = policy.test
        return {
            "verdict": verdict_out(verdict, role=role, policy=policy.id),
            "asks": AsksOut(
                test_hours=test.hours_max if test else None,
                test_days=test.days_max if test else None,
                mask=policy.mask,
            ),
        }


_ANSWERS = {
    Colour.GREEN: DoorAnswer.GREEN,
    Colour.YELLOW: DoorAnswer.YELLOW,
    Colour.RED: DoorAnswer.RED,
    Colour.UNKNOWN: DoorAnswer.UNDETERMINED,
    Colour.CLOSED: DoorAnswer.CLOSED,
}


def _together(asked: CheckinRequest) -> dict[str, Any]:
    """Return who came along, for the claim and the record; nothing for who came alone."""
    if not asked.companions:
        return {}
    return {"companions": asked.companions, "joins": asked.joins}


def _presence(code: VenueCode) -> Literal["weak", "strong"]:
    return "strong" if code.presence is Presence.STRONG else "weak"
