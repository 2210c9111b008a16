"""``{% load exposures %}``: what a person may know of where they were exposed."""

from datetime import datetime
from typing import Any

from django import template

from passlight.office.exposures.ledger import SOURCE
from passlight.office.exposures.queries import place_of
from passlight.office.pages import formats
from passlight.office.pages.language import current_language, message
from passlight.runtime.catalogue import text

register = template.Library()


@register.simple_tag
def exposure_place(fact_id: str) -> dict[str, Any] | None:
    """Return the kind of place and the day of an exposure, never the place or the case.

    None for a fact that tracing did not make.
    """
    if not fact_id.startswith(f"{SOURCE}:"):
        return None
    found = place_of(fact_id)
    if found is None:
        return None
    kind, at = found
    return {
        "kind": message(f"venues.kind.{kind}"),
        "kind_en": text(f"venues.kind.{kind}", "en"),
        "at": at,
        "day_en": formats.short_day(at, "en"),
    }


@register.simple_tag
def time_span(since: datetime, until: datetime) -> str:
    """Return ``2022年6月8日 10:42–11:30``; the day again only where it is another one."""
    language = current_language()
    begins = formats.long_moment(since, language)
    same = formats.long_day(since, language) == formats.long_day(until, language)
    ends = formats.time_of_day(until) if same else formats.long_moment(until, language)
    return f"{begins}–{ends}" if same else f"{begins} – {ends}"
