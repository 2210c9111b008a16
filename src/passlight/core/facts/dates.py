"""Facts known by their date alone: the instants that stand for the day (field/08 1.1).

A date becomes a point by its role: what starts something starts with the day, what ends
something ends with the next day. The day is that of the pack's time zone.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from passlight.core.facts.fact import Fact
from passlight.core.kernel.calendar import local_date, next_day, start_of_day


def is_dated(fact: Fact) -> bool:
    """Return whether the fact is known by its date, not to the instant."""
    return fact.payload.get("precision") == "date"


def begins_at(fact: Fact, zone: ZoneInfo) -> datetime:
    """Return when a fact starts something; one known by its date starts with that day."""
    if is_dated(fact):
        return start_of_day(local_date(fact.occurred_at, zone=zone), zone=zone)
    return fact.occurred_at


def releases_at(fact: Fact, zone: ZoneInfo) -> datetime:
    """Return when a fact ends something; one known by its date does with the next day."""
    return next_day(fact.occurred_at, zone=zone) if is_dated(fact) else fact.occurred_at


def until(fact: Fact, zone: ZoneInfo) -> datetime | None:
    """Return when what the fact states is over; the day of a date belongs to it."""
    if fact.occurred_until is None or not is_dated(fact):
        return fact.occurred_until
    return next_day(fact.occurred_until, zone=zone)
