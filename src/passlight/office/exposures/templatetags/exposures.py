"""``{% load exposures %}``: what a person may know of where they were exposed."""

from typing import Any

from django import template

from passlight.office.exposures.ledger import SOURCE
from passlight.office.exposures.queries import place_of
from passlight.office.pages import formats
from passlight.office.pages.language import message
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
