"""Issuing codes (PL1 3): hot while the book is fresh, cold in reserve, none for an unknown."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from passlight.core.codes.epochs import (
    OVERLAP_MINUTES,
    epoch_end,
    epoch_end_seconds,
    epoch_of,
    epoch_start,
)
from passlight.core.codes.issuing import Issuer, issue_phone
from passlight.core.codes.layout import (
    BODY_LENGTH,
    COLD_LIFETIME_MAX,
    HOT_LIFETIME,
    START_ZERO,
    minutes_of,
    phone_lifetime_seconds,
)
from passlight.core.kernel.base64url import base64url
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.colour import Colour
from passlight.core.kernel.entropy import Entropy
from passlight.gateway.answers import message, status_out
from passlight.gateway.auth import Principal
from passlight.gateway.book import Standing
from passlight.gateway.errors import RefusedError, milliseconds
from passlight.gateway.keys import NoKeyError
from passlight.gateway.limits import BoundedMap
from passlight.gateway.published import Published
from passlight.gateway.quota import REMEMBERED, Quota
from passlight.gateway.schemas import (
    CodeRequest,
    CodesOut,
    CodesRequest,
    IssuedCode,
    RefusedCode,
)
from passlight.journal.entry import Entry, JournalError
from passlight.journal.spool import Spool

HOT_BOOK_AGE = timedelta(seconds=30)
# Longer than any code lives: a book this old says nothing about anybody.
COLD_BOOK_AGE = timedelta(hours=26)
EPOCHS_AHEAD = 3
COLD_START_SPREAD = 90
MINUTE = 60
MADE_KEPT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A request that may be fulfilled."""

    place: int
    request: CodeRequest
    kind: Literal["hot", "cold"]
    epoch: int
    standing: Standing


class Issuing:
    """Makes codes for residents."""

    def __init__(
        self, published: Published, *, clock: Clock, entropy: Entropy, spool: Spool
    ) -> None:
        self._published = published
        self._clock = clock
        self._entropy = entropy
        self._spool = spool
        self._quota = Quota()
        self._quota.restore(spool.noted("issue", since=clock.now() - REMEMBERED))
        # A phone whose answer was lost asks again with the same chain: the same code then.
        self._made: BoundedMap[tuple[str, CodeRequest], bytes] = BoundedMap(MADE_KEPT)

    async def issue(self, principal: Principal, asked: CodesRequest) -> CodesOut:
        """Return the codes that may be made; at least one.

        Raises:
            RefusedError: when none may; the first one's reason.
        """
        instant = self._clock.now()
        now = int(instant.timestamp())
        standing = self._standing(principal, now)
        outcomes = await asyncio.gather(
            *(self._one(principal, place, one, now) for place, one in enumerate(asked.requests))
        )
        codes = [outcome for outcome in outcomes if isinstance(outcome, IssuedCode)]
        refusals = [
            (place, outcome)
            for place, outcome in enumerate(outcomes)
            if isinstance(outcome, RefusedError)
        ]
        if not codes:
            raise refusals[0][1]
        offset = self._published.keys.offset
        present = epoch_of(minutes_of(now), offset=offset)
        return CodesOut(
            now_ms=milliseconds(instant),
            epoch_end_ms=epoch_end_seconds(present, offset=offset) * 1000,
            codes=codes,
            refused=[_refused(place, error) for place, error in refusals],
            status=status_out(self._published, standing, now=instant),
        )

    def _standing(self, principal: Principal, now: int) -> Standing:
        assert principal.ordinal is not None
        if self._published.book.as_of is None or self._published.keys.trust is None:
            raise RefusedError(503, "no-book", retry_after=2)
        standing = self._published.book.at(principal.ordinal, now)
        if standing.colour is Colour.UNKNOWN:
            raise RefusedError(409, "no-status")
        if standing.colour is Colour.CLOSED:
            raise RefusedError(403, "status-closed")
        return standing

    async def _one(
        self, principal: Principal, place: int, request: CodeRequest, now: int
    ) -> IssuedCode | RefusedError:
        try:
            issuer, key = self._published.keys.issuer(now)
            if request.slot_code != key.slot_code:
                raise RefusedError(400, "slot-code")
            wanted = self._check(principal, place, request, now)
            starts_at = START_ZERO + request.start * MINUTE
            if not key.starts_from <= starts_at < key.starts_until:
                raise RefusedError(503, "no-key", retry_after=5)
            signed = self._made.get((principal.handle, request))
            if signed is None:
                signed = await self._make(principal, wanted, issuer, now)
        except RefusedError as error:
            return error
        except NoKeyError:
            return RefusedError(503, "no-key", retry_after=5)
        body = base64url(signed)
        return IssuedCode(request=place, body=body, kind=wanted.kind)

    def _check(self, principal: Principal, place: int, request: CodeRequest, now: int) -> _Wanted:
        """Return what is to be made, when start, lifetime, book and status allow it."""
        offset = self._published.keys.offset
        epoch = epoch_of(request.start, offset=offset)
        cold = HOT_LIFETIME < request.lifetime <= COLD_LIFETIME_MAX
        self._check_start(request, now=now, epoch=epoch, cold=cold)
        self._check_book(cold=cold)
        end = START_ZERO + request.start * MINUTE + phone_lifetime_seconds(request.lifetime)
        latest = START_ZERO + (epoch_end(epoch, offset=offset) + OVERLAP_MINUTES) * MINUTE
        if end > latest:
            raise RefusedError(400, "lifetime", more={"latest_end_ms": latest * 1000})
        assert principal.ordinal is not None
        worse = self._published.book.first_worse(principal.ordinal, now)
        if worse is not None and end > worse:
            raise RefusedError(409, "change-ahead", more={"latest_end_ms": worse * 1000})
        # A code of a later day carries the colour that time will have brought by then.
        moment = max(now, START_ZERO + request.start * MINUTE)
        return _Wanted(
            place=place,
            request=request,
            kind="cold" if cold else "hot",
            epoch=epoch,
            standing=self._published.book.at(principal.ordinal, moment),
        )

    def _check_start(self, request: CodeRequest, *, now: int, epoch: int, cold: bool) -> None:
        minute = minutes_of(now)
        if minute - 1 <= request.start <= minute:
            return
        offset = self._published.keys.offset
        present = epoch_of(minute, offset=offset)
        ahead = present < epoch <= present + EPOCHS_AHEAD
        after_dawn = request.start - epoch_start(epoch, offset=offset)
        if not (cold and ahead and after_dawn <= COLD_START_SPREAD):
            raise RefusedError(409, "start-range")

    def _check_book(self, *, cold: bool) -> None:
        age = self._published.book_age(self._clock.now())
        if age is None or age > COLD_BOOK_AGE.total_seconds():
            raise RefusedError(503, "no-book", retry_after=5)
        if not cold and age > HOT_BOOK_AGE.total_seconds():
            raise RefusedError(409, "hot-unavailable", retry_after=30)

    async def _make(self, principal: Principal, wanted: _Wanted, issuer: Issuer, now: int) -> bytes:
        """Sign a code, and give it out once the journal has it."""
        offset = self._published.keys.offset
        epoch = None if wanted.kind == "hot" else wanted.epoch
        if epoch is None:
            self._quota.take_hot(principal.handle, now=now)
        else:
            present = epoch_of(minutes_of(now), offset=offset)
            self._quota.take_cold(principal.handle, epoch, present=present)
        try:
            signed = self._sign(principal, wanted, issuer)
            await self._spool.append(self._entry(principal, wanted, signed))
        except (JournalError, NoKeyError) as error:
            self._quota.give_back(principal.handle, epoch=epoch)
            if isinstance(error, JournalError):
                raise RefusedError(503, "journal-full", retry_after=5) from None
            raise
        self._made.put((principal.handle, wanted.request), signed)
        return signed

    def _sign(self, principal: Principal, wanted: _Wanted, issuer: Issuer) -> bytes:
        assert principal.ordinal is not None
        permutation = self._published.keys.permutation(wanted.epoch)
        if principal.ordinal >= permutation.size:
            raise NoKeyError("the epoch's list is too small for this person")
        # The office knows the document and puts each epoch's tag into the grant; where it did
        # not, a random byte: a false tag asks for a look, it never refuses (PL1 2.6).
        tag = principal.tags.get(wanted.epoch, self._entropy.token(1)[0])
        return issue_phone(
            issuer,
            colour=wanted.standing.colour.strictness,
            start=wanted.request.start,
            lifetime=wanted.request.lifetime,
            sampled_at=wanted.standing.sampled_at,
            index=permutation.index_of(principal.ordinal),
            anchor=bytes.fromhex(wanted.request.anchor),
            tag=tag & 0xFF,
        )

    def _entry(self, principal: Principal, wanted: _Wanted, signed: bytes) -> Entry:
        body_hash = hashlib.sha256(signed[:BODY_LENGTH]).hexdigest()
        note = "hot" if wanted.kind == "hot" else f"cold:{wanted.epoch}"
        return Entry(
            key=f"issue:{body_hash}",
            kind="issue",
            actor=principal.handle,
            occurred_at=self._clock.now(),
            claim={"body": body_hash},
            fields={
                "device": principal.device,
                "ordinal": principal.ordinal,
                "body_hash": body_hash,
            },
            payload={
                "kind": wanted.kind,
                "start": wanted.request.start,
                "lifetime": wanted.request.lifetime,
                "epoch": wanted.epoch,
            },
            note=note,
        )


def _refused(place: int, error: RefusedError) -> RefusedCode:
    words = message(f"gateway.error-{error.code}")
    if "latest_end_ms" in error.more:
        return RefusedCode(
            request=place,
            error=error.code,
            message=words,
            latest_end_ms=error.more["latest_end_ms"],
        )
    return RefusedCode(request=place, error=error.code, message=words)
