"""What the parts of an incident are called in messages; a person only under a mask."""

from collections.abc import Mapping

from passlight.core.incidents.steps import Step
from passlight.core.kernel.masking import mask_name
from passlight.office.accounts.models import User
from passlight.office.incidents.models import StoredIncident
from passlight.office.incidents.plan import LEADING_GROUP
from passlight.office.pages.formats import time_of_day
from passlight.office.venues.models import Entrance, Venue
from passlight.runtime.catalogue import Language, both

SYSTEM = "system"
Both = Mapping[Language, str]


def named(row: Venue | Entrance) -> Both:
    """Return a place's two names."""
    return {"zh": row.name, "en": row.name_en or row.name}


def kind_words(kind: str) -> Both:
    """Return what was found, in words."""
    return both(f"incidents.kind.{kind}")


def step_words(step: Step | str | None) -> Both:
    """Return a step's name; None is the answer to a hand-over."""
    return both(f"incidents.step.{step}" if step is not None else "incidents.step.hand-over")


def body_words(body: str) -> Both:
    """Return the name of a body that the plan names: its own words, but for the leading group."""
    if body == LEADING_GROUP:
        return both("incidents.leading_group")
    return {"zh": body, "en": body}


def masked_user(user: User | None) -> Both:
    """Return a colleague's name under its mask, as messages and pages beside the street show it."""
    if user is None:
        return {"zh": "*", "en": "*"}
    return {
        "zh": mask_name(user.display_name),
        "en": mask_name(user.display_name_en or user.display_name),
    }


def entrance_words(stored: StoredIncident) -> Both:
    """Return where it was found: the entrance, or the venue itself."""
    door = Entrance.objects.filter(venue_id=stored.venue_id, code=stored.entrance).first()
    return named(door) if door is not None else named(stored.venue)


def facts_of(stored: StoredIncident) -> dict[str, object]:
    """Return what every message about an incident may say."""
    return {
        "hall": named(stored.venue),
        "at": time_of_day(stored.found_at),
        "kind": kind_words(stored.kind),
        "number": stored.number,
        "entrance": entrance_words(stored),
    }
