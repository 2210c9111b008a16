"""A checker's post: the venue and entrance where every check is recorded."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase

from passlight.office.accounts.models import User
from passlight.office.accounts.roles import visible_units
from passlight.office.pages.language import current_language
from passlight.office.venues.models import Entrance, Venue

SESSION_KEY = "post"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where a checker stands."""

    venue: Venue
    entrance: Entrance

    @property
    def name(self) -> str:
        """Return the place as records name it."""
        return f"{self.venue.name} {self.entrance.name}"

    @property
    def place(self) -> dict[str, str]:
        """Return the place in both languages."""
        return {
            "zh": f"{self.entrance.name} · {self.venue.name}",
            "en": f"{self.entrance.name_en} · {self.venue.name_en}",
        }


def posts_for(user: User) -> list[dict[str, Any]]:
    """Return the active venues of the user's units with their open entrances, as the page shows."""
    venues = Venue.objects.filter(unit__in=visible_units(user), active=True)
    shown = [
        {
            "id": venue.pk,
            "text": _word(venue.name, venue.name_en),
            "english": venue.name_en,
            "entrances": [
                {"code": door.code, "text": _word(door.name, door.name_en), "english": door.name_en}
                for door in venue.entrances.all()
                if door.active
            ],
        }
        for venue in venues.order_by("name").prefetch_related("entrances")
    ]
    return [venue for venue in shown if venue["entrances"]]


def find_post(user: User, venue: str, entrance: str) -> Post | None:
    """Return the post, when this user may stand there."""
    try:
        key = UUID(venue)
    except ValueError:
        return None
    found = (
        Entrance.objects.select_related("venue")
        .filter(venue_id=key, code=entrance, active=True, venue__active=True)
        .filter(venue__unit__in=visible_units(user))
        .first()
    )
    return Post(venue=found.venue, entrance=found) if found else None


def remember(session: SessionBase, post: Post) -> None:
    """Keep the post for the next visit of this page."""
    session[SESSION_KEY] = [str(post.venue.pk), post.entrance.code]


def remembered(session: SessionBase, user: User) -> Post | None:
    """Return the post chosen before, while it is still one of the user's."""
    kept = session.get(SESSION_KEY)
    return find_post(user, *kept) if kept else None


def _word(chinese: str, english: str) -> str:
    return english if current_language() == "en" else chinese
