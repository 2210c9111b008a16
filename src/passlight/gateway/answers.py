"""Putting a standing into words: one's own status, and the parts that answers share."""

from datetime import UTC, datetime
from typing import Any, Literal

from passlight.core.kernel.colour import Colour
from passlight.gateway.book import Standing
from passlight.gateway.errors import milliseconds
from passlight.gateway.published import Entrance, Published, Reason, Venue
from passlight.gateway.schemas import (
    Both,
    EntranceOut,
    NextChange,
    ReasonOut,
    StatusOut,
    VenueOut,
)
from passlight.runtime.catalogue import both

ColourWord = Literal["green", "yellow", "red", "unknown", "closed"]


def message(code: str) -> Both:
    """Return a message of the catalogue in both languages."""
    texts = both(code)
    return Both(zh=texts["zh"], en=texts["en"])


def words(texts: Any) -> Both:
    """Return published words in both languages."""
    return Both(zh=texts["zh"], en=texts["en"])


def iso(seconds: int | None) -> str | None:
    """Return POSIX seconds as ISO 8601 in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def colour_word(colour: Colour) -> ColourWord:
    """Return the colour as answers write it."""
    return colour.value


def published_reason(published: Published, standing: Standing) -> Reason | None:
    """Return the words behind a standing; None when it has none, or none have come yet."""
    return published.reasons.get(standing.reason) if standing.reason else None


def status_out(published: Published, standing: Standing, *, now: datetime) -> StatusOut:
    """Return one's own status."""
    assert published.book.as_of is not None
    reason = published_reason(published, standing)
    key = standing.reason or ""
    change = None
    if standing.next_colour is not None:
        at = iso(standing.until)
        assert at is not None
        change = NextChange(at=at, colour=colour_word(standing.next_colour))
    return StatusOut(
        colour=colour_word(standing.colour),
        reason=ReasonOut(key=key, zh=reason.reason["zh"], en=reason.reason["en"])
        if reason
        else None,
        advice=words(reason.advice) if reason else None,
        until=iso(standing.until),
        next_change=change,
        sampled_at=iso(standing.sampled_at),
        as_of=published.book.as_of.isoformat(),
        now_ms=milliseconds(now),
    )


def venue_out(venue: Venue) -> VenueOut:
    """Return a venue as answers name it."""
    return VenueOut(id=venue.id, name=venue.name, name_en=venue.name_en, address=venue.address)


def entrance_out(door: Entrance) -> EntranceOut:
    """Return an entrance as answers name it."""
    return EntranceOut(code=door.code, zone=door.zone, name=door.name, name_en=door.name_en)
