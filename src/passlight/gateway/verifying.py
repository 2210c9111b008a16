"""Verification at a door: one of seven answers, one reason, from memory.

The code is judged by ``core.verification`` with the status book in place of a list. The
answer waits for the journal's fsync for 300 ms at most and never for the database: it
says in ``recorded`` whether its record was durable when it was given, and a journal
that is full or slow never keeps an answer from a door.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Literal

import msgspec

from passlight.core.codes.layout import Body, Purpose
from passlight.core.codes.permutation import EpochPermutation
from passlight.core.entry.presented import Presented
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.colour import Colour
from passlight.core.kernel.entropy import Entropy
from passlight.core.verification.answer import Answer, DoorAnswer
from passlight.core.verification.inputs import ClockState, VerificationPolicy
from passlight.core.verification.replay import ReplaySet
from passlight.core.verification.status_source import ListState
from passlight.core.verification.verify import verify
from passlight.gateway.answers import entrance_out, message, published_reason, venue_out, words
from passlight.gateway.auth import Principal
from passlight.gateway.book import UNKNOWN, Standing, StatusBook
from passlight.gateway.door_feed import STATES
from passlight.gateway.doors import check_door
from passlight.gateway.errors import RefusedError, milliseconds
from passlight.gateway.identifiers import make_uuid
from passlight.gateway.keys import NoKeyError
from passlight.gateway.limits import BoundedMap
from passlight.gateway.published import Entrance, Published, Reason, Venue
from passlight.gateway.schemas import (
    AnswerReason,
    Both,
    Place,
    PresentedIn,
    VerificationOut,
    VerificationRequest,
)
from passlight.gateway.verdicts import grid, presented_of, role_at, test_hours, verdict_of
from passlight.journal.entry import Entry, JournalError
from passlight.journal.spool import Spool
from passlight.runtime.sealed import SealedError, Sealer, Use

_Kind = Literal["hot", "cold", "paper", "document"]
RECORD_SECONDS = 0.3
SAME_SECONDS = 120
SAME_KEPT = 20_000
# Two machines' clocks differ by a little; a book this much ahead does not make ours unsure.
CLOCK_SKEW = 2
# Answers after which a checker may ask who this is; a picture of an old code is none of them.
_NAMED = {DoorAnswer.GREEN, DoorAnswer.YELLOW, DoorAnswer.RED, DoorAnswer.CLOSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class _BookView:
    """The book as the list of one epoch (PL1 6)."""

    book: StatusBook
    permutation: EpochPermutation
    as_of: int
    now: int

    @property
    def size(self) -> int:
        """Return n."""
        return self.permutation.size

    def state(self, index: int) -> ListState:
        """Return the state of an index at this moment."""
        return STATES[self.book.at(self.permutation.ordinal_of(index), self.now).colour]


@dataclass(frozen=True, slots=True, kw_only=True)
class _BookSource:
    """All that this gateway knows of statuses."""

    published: Published
    now: int

    def view(self, *, realm: str, purpose: Purpose, epoch: int | None) -> _BookView | None:
        """Return the book under the epoch's own permutation; None when its key is not held."""
        book, keys = self.published.book, self.published.keys
        if book.as_of is None or purpose is not Purpose.PHONE or epoch is None:
            return None
        if realm != keys.realm:
            return None
        try:
            permutation = keys.permutation(epoch)
        except NoKeyError:
            return None
        as_of = int(book.as_of.timestamp())
        return _BookView(book=book, permutation=permutation, as_of=as_of, now=self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _GatewayAnswer:
    """What a door is told, before it is written out."""

    answer: DoorAnswer
    reason: AnswerReason
    advice: Both | None = None
    kind: _Kind | None = None
    ordinal: int | None = None
    sampled_at: int | None = None
    body: Body | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """An answer that was given, and when."""

    at: int
    found: _GatewayAnswer
    out: VerificationOut


class Verifying:
    """Answers checkers and gates."""

    def __init__(
        self,
        published: Published,
        *,
        clock: Clock,
        entropy: Entropy,
        spool: Spool,
        sealer: Sealer,
    ) -> None:
        self._published = published
        self._clock = clock
        self._entropy = entropy
        self._spool = spool
        self._sealer = sealer
        self._replays: BoundedMap[str, ReplaySet] = BoundedMap(100_000)
        self._same: BoundedMap[bytes, _Given] = BoundedMap(SAME_KEPT)

    async def verify(self, principal: Principal, asked: VerificationRequest) -> VerificationOut:
        """Return the answer.

        Raises:
            RefusedError: when the question itself is not allowed.
        """
        venue, door = self._place(principal, asked)
        if (asked.text is None) == (asked.subject_token is None):
            raise RefusedError(400, "one-of")
        now = int(self._clock.now().timestamp())
        same = _same_key(principal, asked)
        known = self._same.get(same)
        if known is None or now - known.at >= SAME_SECONDS:
            if asked.presented is not None:  # a bad one is refused before anything is used up
                _presented(asked.presented, _plain(DoorAnswer.UNDETERMINED, "no-list"))
            found = self._answer(principal, asked, venue, now)
            out = await self._recorded(principal, asked, venue, door, found)
            known = _Given(at=now, found=found, out=out)
            self._same.put(same, known)
        # The same code in the same open interaction (PL1 5, step 16) keeps its answer; what a
        # guard observed since then is judged anew.
        return self._with_verdict(known, asked, now)

    def _with_verdict(self, given: _Given, asked: VerificationRequest, now: int) -> VerificationOut:
        held = self._published.doors.get((asked.venue, asked.entrance))
        if asked.presented is None or held is None:
            return given.out
        if not held.door.is_in_force(self._clock.now()):
            return given.out
        role = role_at(
            self._published, venue=asked.venue, ordinal=given.found.ordinal, claimed=asked.role
        )
        presented = _presented(asked.presented, given.found)
        verdict = verdict_of(held.door, role, presented, now=now)
        return msgspec.structs.replace(given.out, verdict=verdict)

    def _place(self, principal: Principal, asked: VerificationRequest) -> tuple[Venue, Entrance]:
        check_door(principal, asked.venue, asked.entrance)
        venue = self._published.venues.get(asked.venue)
        door = venue.entrances.get(asked.entrance) if venue else None
        if venue is None or door is None:
            raise RefusedError(404, "unknown-venue")
        return venue, door

    def _answer(
        self, principal: Principal, asked: VerificationRequest, venue: Venue, now: int
    ) -> _GatewayAnswer:
        if asked.subject_token is not None:
            ordinal = self._subject(principal, asked)
            freshness = self._freshness(venue, asked.entrance)
            return self._of_document(ordinal, venue, now, freshness=freshness)
        assert asked.text is not None
        if not venue.active:
            return _plain(DoorAnswer.CLOSED, "venue-closed")
        trust = self._published.keys.trust
        if trust is None:
            return _plain(DoorAnswer.UNDETERMINED, "trust-stale")
        as_of = self._published.book.as_of
        floor = 0 if as_of is None else int(as_of.timestamp()) - CLOCK_SKEW
        answer = verify(
            asked.text,
            now=now,
            trust=trust,
            source=_BookSource(published=self._published, now=now),
            policy=VerificationPolicy(freshness_seconds=self._freshness(venue, asked.entrance)),
            replay=self._replay(venue.id),
            # The server's own clock is kept by the machine; the book says when it is behind.
            clock=ClockState(disciplined_at=now, floor=floor),
            interaction=f"{principal.handle}/{asked.interaction}",
        )
        return self._of_code(answer, now)

    def _replay(self, venue: str) -> ReplaySet:
        """Return the codes seen at a venue: its doors share them."""
        found = self._replays.get(venue)
        if found is None:
            found = ReplaySet()
            self._replays.put(venue, found)
        return found

    def _subject(self, principal: Principal, asked: VerificationRequest) -> int:
        assert asked.subject_token is not None
        try:
            handle = self._sealer.open(
                Use.SUBJECT, asked.subject_token, checker=principal.handle, now=self._clock.now()
            )
        except SealedError:
            raise RefusedError(400, "bad-subject") from None
        if handle.venue != asked.venue:
            raise RefusedError(400, "bad-subject")
        return handle.ordinal

    def _freshness(self, venue: Venue, entrance: str) -> int:
        """Return how old statuses may be: the venue's class, or a plan that is stricter."""
        held = self._published.doors.get((venue.id, entrance))
        policies = held.door.policies if held is not None else ()
        return min([venue.freshness_seconds, *(policy.freshness_seconds for policy in policies)])

    def _of_document(
        self, ordinal: int, venue: Venue, now: int, *, freshness: int
    ) -> _GatewayAnswer:
        if not venue.active:
            return _plain(DoorAnswer.CLOSED, "venue-closed")
        age = self._published.book_age(self._clock.now())
        if age is None or age > freshness:
            return _plain(DoorAnswer.UNDETERMINED, "stale", kind="document")
        standing = self._published.book.at(ordinal, now)
        if standing.colour is Colour.UNKNOWN:
            return _plain(DoorAnswer.UNDETERMINED, "unknown-status", kind="document")
        if standing.colour is Colour.CLOSED:
            return _plain(DoorAnswer.CLOSED, "person-closed", kind="document", ordinal=ordinal)
        reason, advice = self._words(standing.colour, standing)
        return _GatewayAnswer(
            answer=DoorAnswer(standing.colour.value),
            reason=reason,
            advice=advice,
            kind="document",
            ordinal=ordinal,
            sampled_at=standing.sampled_at,
        )

    def _of_code(self, answer: Answer, now: int) -> _GatewayAnswer:
        """Return core's answer in words, with what the book knows besides."""
        kind: _Kind | None = answer.kind.value if answer.kind is not None else None
        ordinal = self._ordinal(answer)
        standing = UNKNOWN if ordinal is None else self._published.book.at(ordinal, now)
        if answer.reason == "withdrawn" and standing.colour is Colour.CLOSED:
            return _plain(
                DoorAnswer.CLOSED, "person-closed", kind=kind, ordinal=ordinal, body=answer.body
            )
        colour = answer.answer.colour
        if colour is None:
            return _plain(
                answer.answer, answer.reason, kind=kind, ordinal=ordinal, body=answer.body
            )
        reason, advice = self._words(colour, standing)
        # A test that came after the code was made is in the book alone.
        samples = [s for s in (answer.sampled_from, standing.sampled_at) if s is not None]
        return _GatewayAnswer(
            answer=answer.answer,
            reason=reason,
            advice=advice,
            kind=kind,
            ordinal=ordinal,
            sampled_at=max(samples, default=None),
            body=answer.body,
        )

    def _ordinal(self, answer: Answer) -> int | None:
        """Return whose code it is, when the code is genuine."""
        if answer.body is None or answer.epoch is None:
            return None
        try:
            permutation = self._published.keys.permutation(answer.epoch)
        except NoKeyError:
            return None
        if answer.body.index >= permutation.size:
            return None
        return permutation.ordinal_of(answer.body.index)

    def _words(self, colour: Colour, standing: Standing) -> tuple[AnswerReason, Both | None]:
        """Return the one reason of a coloured answer: the published one."""
        if colour is not standing.colour:
            code = "green" if colour is Colour.GREEN else "older-code"
            return _reason(code), None
        if standing.reason is None:
            return _reason("green" if colour is Colour.GREEN else "unpublished"), None
        found: Reason | None = published_reason(self._published, standing)
        if found is None:
            return _reason("unpublished"), None
        said = words(found.reason)
        return AnswerReason(code=standing.reason, zh=said.zh, en=said.en), words(found.advice)

    async def _recorded(
        self,
        principal: Principal,
        asked: VerificationRequest,
        venue: Venue,
        door: Entrance,
        found: _GatewayAnswer,
    ) -> VerificationOut:
        instant = self._clock.now()
        number = make_uuid(self._entropy)
        as_of = self._published.book.as_of
        body_hash = _body_hash(found.body)
        hours = test_hours(found.sampled_at, int(instant.timestamp()))
        entry = Entry(
            key=number,
            kind="verification",
            actor=principal.handle,
            occurred_at=instant,
            claim={"verification": number},
            fields={
                "device": principal.device,
                "venue_id": venue.id,
                "entrance": door.code,
                "ordinal": found.ordinal,
                "answer": found.answer.value,
                "reason": found.reason.code,
                "body_hash": body_hash,
            },
            payload={
                "interaction": asked.interaction,
                "kind": found.kind,
                "as_of": as_of.isoformat() if as_of else None,
                "test_age_hours": hours,
            },
        )
        lookup = None
        if found.ordinal is not None and found.answer in _NAMED:
            lookup = self._sealer.seal(
                Use.LOOKUP,
                ordinal=found.ordinal,
                checker=principal.handle,
                venue=venue.id,
                now=instant,
                entropy=self._entropy,
            )
        return VerificationOut(
            answer=found.answer.value,
            reason=found.reason,
            advice=found.advice,
            test_age_hours=hours,
            sampled_from=grid(found.sampled_at),
            as_of=as_of.isoformat() if as_of else None,
            lookup=lookup,
            verification=number,
            place=Place(venue=venue_out(venue), entrance=entrance_out(door)),
            kind=found.kind,
            recorded=await self._append(entry),
            now_ms=milliseconds(instant),
        )

    async def _append(self, entry: Entry) -> bool:
        """Return whether the entry was on disk in time; it is written in any case."""
        try:
            async with asyncio.timeout(RECORD_SECONDS):
                await self._spool.append(entry)
        except (JournalError, TimeoutError):
            return False
        return True


def _plain(
    answer: DoorAnswer,
    code: str,
    *,
    kind: _Kind | None = None,
    ordinal: int | None = None,
    body: Body | None = None,
) -> _GatewayAnswer:
    """Return an answer that is no colour."""
    return _GatewayAnswer(
        answer=answer, reason=_reason(code), kind=kind, ordinal=ordinal, body=body
    )


def _reason(code: str) -> AnswerReason:
    said = message(f"gateway.reason-{code}")
    return AnswerReason(code=code, zh=said.zh, en=said.en)


def _body_hash(body: Body | None) -> str | None:
    return None if body is None else hashlib.sha256(body.encode()).hexdigest()


def _presented(given: PresentedIn, found: _GatewayAnswer) -> Presented:
    genuine = found.kind if found.ordinal is not None else None
    return presented_of(
        given,
        answer=found.answer.value,
        reason=found.reason.code,
        sampled_at=found.sampled_at,
        kind=genuine,
    )


def _same_key(principal: Principal, asked: VerificationRequest) -> bytes:
    parts = (principal.handle, asked.venue, asked.entrance, asked.interaction)
    scanned = asked.text if asked.text is not None else f"subject {asked.subject_token}"
    return hashlib.sha256("\0".join((*parts, scanned)).encode("utf-8", "replace")).digest()
