"""How old a test may be at the door of a hall: said beside one's own code, decided at the door."""

from datetime import datetime

from passlight.office.packs.queries import pack_in_force
from passlight.office.packs.schedule import compiled


def visitor_test_hours(now: datetime) -> int | None:
    """Return the hours that the pack in force asks of a visitor; None when it asks for no test.

    A hall may ask for less or more by its own plan: its door says so.
    """
    stored = pack_in_force(now=now)
    if stored is None:
        return None
    policies = (policy for policy in compiled(stored.hash).admission if policy.role == "visitor")
    policy = next(policies, None)
    return policy.test_age_hours_max(now) if policy else None
