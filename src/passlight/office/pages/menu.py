"""The left menu: a list that every app contributes to.

An app with pages keeps ``menu.py``::

    from passlight.office.pages.menu import Entry, register

    register(Entry(code="feeds.menu", route="feeds:index", icon="up", action="…", order=20))

``code`` is a message, ``route`` a URL name, ``action`` a row of the roles table: who may not do
it does not see it. ``count`` may say how much waits there; ``late`` shows that count in ink.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

from passlight.office.pages.language import message
from passlight.runtime.catalogue import text

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest

    from passlight.office.accounts.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the menu."""

    code: str
    route: str
    icon: str
    action: str
    order: int
    count: Callable[["User"], int | None] | None = None
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of the menu as this user sees it now."""

    url: str
    icon: str
    text: str
    english: str
    current: bool
    count: int | None
    late: bool


_entries: list[Entry] = []


def register(*entries: Entry) -> None:
    """Add lines to the menu; the same line twice is one line."""
    for entry in entries:
        if entry not in _entries:
            _entries.append(entry)


def entries_for(user: "User | AnonymousUser") -> list[Entry]:
    """Return the lines this user may see, in their order."""
    from passlight.office.accounts.roles import allowed

    if not user.is_authenticated:
        return []
    ordered = sorted(_entries, key=lambda entry: (entry.order, entry.code))
    return [entry for entry in ordered if allowed(user, entry.action)]


def items_for(request: "HttpRequest") -> list[Item]:
    """Return the menu of this request's user; the line nearest to the page is current."""
    entries = [(entry, reverse(entry.route)) for entry in entries_for(request.user)]
    nearest = max((url for _, url in entries if request.path.startswith(url)), key=len, default="")
    return [_item(entry, url, request, current=url == nearest) for entry, url in entries]


def _item(entry: Entry, url: str, request: "HttpRequest", *, current: bool) -> Item:
    waiting = entry.count(request.user) if entry.count else None  # type: ignore[arg-type]
    return Item(
        url=url,
        icon=entry.icon,
        text=message(entry.code),
        english=text(entry.code, "en"),
        current=current,
        count=waiting or None,
        late=entry.late and bool(waiting),
    )
