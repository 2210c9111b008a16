"""Roles × actions: the one table that the permission check, the docs and the tests read.

Nobody sets a colour, so there is no action for it. A new page names its action here; the
walk over all addresses (``tests/office/test_routes.py``) refuses a page that has none.
"""

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar, cast

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from passlight.office.accounts.models import Role, Unit, User

if TYPE_CHECKING:
    from django.db.models import QuerySet

_HALL = (Role.COUNTER_CLERK, Role.HALL_MANAGER, Role.DUTY_LEADER)
_STREET = (Role.STREET_OFFICE,)
_DISTRICT = (Role.DISTRICT_OFFICE,)
_CONTROL = (Role.STEWARD, Role.AUDITOR)

# action → who may do it, each inside the subtree of their own unit
ACTIONS: Mapping[str, frozenset[Role]] = {
    action: frozenset(roles)
    for action, roles in {
        # A resident's own pages; staff see their own on their own resident account.
        "me.use": (Role.RESIDENT,),
        # The door
        "door.use": (Role.CHECKER,),
        # Their own account, for those who work on the office's pages
        "account.use": (Role.VENUE_OPERATOR, *_HALL, *_STREET, *_DISTRICT, *_CONTROL),
        # Being told, and whom to tell
        "notices.use": (
            *(Role.VENUE_OPERATOR, Role.GUIDE, *_HALL, *_STREET, *_DISTRICT, *_CONTROL),
        ),
        "notices.contacts": (Role.HALL_MANAGER, Role.DUTY_LEADER, *_STREET, *_DISTRICT),
        # People
        "people.register": (Role.COUNTER_CLERK, *_STREET),
        "people.find": (*_HALL, *_STREET, *_DISTRICT),
        "people.view": (*_HALL, *_STREET, *_DISTRICT),
        "people.reveal": (*_STREET, *_DISTRICT),
        "people.revoke": (Role.COUNTER_CLERK, *_STREET, *_DISTRICT),
        "people.tasks": _STREET,
        "people.handles": _CONTROL,
        "people.access": (Role.AUDITOR,),
        # Users
        "users.view": (*_STREET, *_DISTRICT, Role.AUDITOR),
        "users.change": (*_STREET, *_DISTRICT),
        # Facts and feeds: no personal fields on any of these pages
        "feeds.view": _CONTROL,
        "feeds.change": (Role.STEWARD,),
        "facts.view": _CONTROL,
        # Rules
        "packs.view": (*_DISTRICT, *_CONTROL),
        "packs.change": (Role.STEWARD,),
        "packs.publish": (Role.STEWARD,),
        # Statuses by handle
        "statuses.view": _CONTROL,
        # The whole city computed again, by handle
        "recompute.view": _CONTROL,
        "recompute.start": (Role.STEWARD,),
        # Venues
        "venues.view": (Role.VENUE_OPERATOR, *_STREET, *_DISTRICT),
        "venues.change": (Role.VENUE_OPERATOR, *_STREET),
        "venues.activate": _STREET,
        # Halls: who works there sees who is inside; who is in charge corrects a count
        "halls.view": (Role.GUIDE, *_HALL, *_STREET, *_DISTRICT, Role.AUDITOR),
        "halls.change": (*_STREET, *_DISTRICT),
        "halls.correct": (Role.HALL_MANAGER, Role.DUTY_LEADER),
        "halls.state": (Role.HALL_MANAGER, Role.DUTY_LEADER, *_STREET, *_DISTRICT),
        # Plans come down the tree; a hall manager changes their own hall's alone
        "plans.view": (Role.HALL_MANAGER, Role.DUTY_LEADER, *_STREET, *_DISTRICT, Role.AUDITOR),
        "plans.change": (Role.HALL_MANAGER, *_STREET, *_DISTRICT),
        "rosters.view": (Role.HALL_MANAGER, Role.DUTY_LEADER, *_STREET, *_DISTRICT),
        "rosters.change": (Role.HALL_MANAGER, *_STREET, *_DISTRICT),
        # Gates: who may let a device in confirms what somebody else began
        "gates.view": (Role.HALL_MANAGER, *_STREET, *_DISTRICT, Role.STEWARD),
        "gates.change": (Role.HALL_MANAGER, *_STREET, *_DISTRICT),
        # What doors recorded
        "records.view": (Role.HALL_MANAGER, Role.DUTY_LEADER, *_STREET, Role.AUDITOR),
        "records.counts": (Role.VENUE_OPERATOR, *_STREET, *_DISTRICT),
        # Incidents (field/06 3.10): posts open, the hall's people act, the street verifies
        "incidents.view": (
            *(Role.CHECKER, Role.VENUE_OPERATOR, Role.GUIDE),
            *(*_HALL, *_STREET, *_DISTRICT, Role.AUDITOR),
        ),
        "incidents.open": (Role.CHECKER, Role.VENUE_OPERATOR, Role.GUIDE, *_HALL),
        "incidents.hall": (Role.CHECKER, Role.VENUE_OPERATOR, Role.GUIDE, *_HALL),
        "incidents.lead": (Role.HALL_MANAGER, Role.DUTY_LEADER),
        "incidents.hand-over": (*_HALL, *_STREET),
        "incidents.note": (
            *(Role.CHECKER, Role.VENUE_OPERATOR, Role.GUIDE),
            *(*_HALL, *_STREET, *_DISTRICT),
        ),
        "incidents.street": _STREET,
        "incidents.reopen": _STREET,
        "incidents.district": _DISTRICT,
        "incidents.corrections": (*_DISTRICT, Role.AUDITOR),
        "incidents.decide": _DISTRICT,
        "incidents.overview": (*_STREET, *_DISTRICT),
        # Tracing: by venue and dose, no names; what it finds over a cap, two people release
        "exposures.view": (*_STREET, *_DISTRICT, Role.AUDITOR),
        "exposures.release": _DISTRICT,
        "exposures.parameters": (*_DISTRICT, *_CONTROL),
        "exposures.change": _DISTRICT,
        "exposures.publish": _DISTRICT,
    }.items()
}

# One person may not hold both (field/06 3.10): author and approver, steward and auditor.
INCOMPATIBLE: tuple[frozenset[Role], ...] = (
    frozenset({Role.STREET_OFFICE, Role.DISTRICT_OFFICE}),
    frozenset({Role.STEWARD, Role.AUDITOR}),
)

# role → the roles it may give to others, and take, lock and unlock. Whoever could give away
# more than the work below them would be steward and auditor by tomorrow.
_BELOW_STREET = frozenset({Role.CHECKER, Role.VENUE_OPERATOR, Role.GUIDE, *_HALL})
GIVES: Mapping[Role, frozenset[Role]] = {
    Role.STREET_OFFICE: _BELOW_STREET,
    Role.DISTRICT_OFFICE: frozenset(Role) - {Role.RESIDENT},
}

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def allowed(user: User | AnonymousUser, action: str, unit: Unit | None = None) -> bool:
    """Return whether ``user`` may do ``action``, and in ``unit`` when one is named.

    Raises:
        KeyError: when no such action exists; a misspelt one must not pass for a refusal.
    """
    roles = ACTIONS[action]
    if not user.is_authenticated or not user.is_active or user.role not in roles:
        return False
    return unit is None or (user.unit is not None and user.unit.contains(unit))


def gives(user: User, role: str) -> bool:
    """Return whether ``user`` may give ``role`` to somebody, and change who has it."""
    return role in GIVES.get(Role(user.role), frozenset())


def visible_units(user: User) -> "QuerySet[Unit]":
    """Return the unit of ``user`` and everything below it."""
    if user.unit is None:
        return Unit.objects.none()
    return Unit.objects.filter(path__startswith=user.unit.path)


def requires(action: str, *, api: bool = False) -> Callable[[View], View]:
    """Return a decorator that lets a view be called by those who may do ``action``.

    Who is not logged in is sent to the login page; ``api`` answers 401 or 403 as JSON.
    """
    assert action in ACTIONS, action

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def checked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if not request.user.is_authenticated:
                if api:
                    return JsonResponse({"error": "accounts.log-in"}, status=401)
                return redirect_to_login(request.get_full_path())
            if not allowed(request.user, action):
                if api:
                    return JsonResponse({"error": "accounts.not-allowed"}, status=403)
                raise PermissionDenied(action)
            return view(request, *args, **kwargs)

        checked.action = action  # type: ignore[attr-defined]
        return cast("View", checked)

    return decorate


def public(view: View) -> View:
    """Mark a view that anybody may call: login, health, language, styleguide."""
    view.action = None  # type: ignore[attr-defined]
    return view


def signed_in_user(request: HttpRequest) -> User:
    """Return the user of a request that ``requires`` has let through."""
    assert isinstance(request.user, User), "only behind requires()"
    return request.user
