"""The table of roles × actions, and every address of every app walked under every role."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from passlight.office import urls
from passlight.office.accounts import actions
from passlight.office.accounts.models import Role, Unit, UnitKind, User
from passlight.office.accounts.roles import ACTIONS, allowed, visible_units
from passlight.office.accounts.roles_document import render
from passlight.runtime.clock import SystemClock, SystemEntropy

ROOT = Path(__file__).parents[2]
SAMPLES = {
    "uuid": str(uuid.UUID(int=1)),
    "int": "1",
    "slug": "a",
    "str": "a",
    "path": "a",
}


def add_user(role: Role, unit: Unit | None, name: str = "") -> User:
    new = actions.NewUser(
        username=name or role.value,
        password="correct horse staple",
        role=role,
        unit=unit,
        display_name="岗位",
        display_name_en="Post",
    )
    return actions.add_user(new, clock=SystemClock(), entropy=SystemEntropy())


def district() -> Unit:
    return actions.add_unit(kind=UnitKind.DISTRICT, name="测试区", name_en="Test District")


# field/06 3.10, read from its table by hand: a few cells that must never move.
@pytest.mark.parametrize(
    ("role", "action", "may"),
    [
        (Role.STEWARD, "feeds.change", True),
        (Role.AUDITOR, "feeds.change", False),
        (Role.AUDITOR, "people.access", True),
        (Role.STEWARD, "people.access", False),
        (Role.STEWARD, "people.find", False),
        (Role.STEWARD, "people.view", False),
        (Role.STEWARD, "people.reveal", False),
        (Role.CHECKER, "people.find", False),
        (Role.CHECKER, "door.use", True),
        (Role.VENUE_OPERATOR, "people.view", False),
        (Role.PARTNER, "statuses.view", False),
        (Role.RESIDENT, "users.view", False),
    ],
)
def test_cells_of_the_role_table(db: None, role: Role, action: str, may: bool) -> None:
    assert allowed(add_user(role, district()), action) is may


def test_no_action_writes_a_colour() -> None:
    assert not [action for action in ACTIONS if re.search("colo|status.*(change|set)", action)]


def test_a_right_ends_at_the_own_subtree(db: None) -> None:
    top = district()
    town = actions.add_unit(kind=UnitKind.TOWN, name="甲镇", name_en="A", parent=top)
    other = actions.add_unit(kind=UnitKind.TOWN, name="乙镇", name_en="B", parent=top)
    village = actions.add_unit(kind=UnitKind.VILLAGE, name="丙村", name_en="C", parent=town)
    user = add_user(Role.STREET_OFFICE, town)
    assert [allowed(user, "users.change", unit) for unit in (town, village, other, top)] == [
        True,
        True,
        False,
        False,
    ]
    assert set(visible_units(user)) == {town, village}


def test_nobody_and_the_locked_may_do_nothing(db: None) -> None:
    user = add_user(Role.STEWARD, district())
    assert allowed(user, "feeds.view"), "control"
    actions.lock_user(user, reason="left", clock=SystemClock())
    assert not any(allowed(user, action) for action in ACTIONS)
    assert not any(allowed(AnonymousUser(), action) for action in ACTIONS)
    with pytest.raises(KeyError):
        allowed(user, "feeds.veiw")


def test_the_document_is_the_table() -> None:
    written = (ROOT / "docs" / "roles.md").read_text(encoding="utf-8")
    assert written == render(), "run: python -m django roles_document > docs/roles.md"


def routes(
    patterns: list[URLPattern | URLResolver], before: str = "/"
) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        text = str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, before + text)
        else:
            yield before + text, pattern


def sample(route: str) -> str:
    """Return an address of this route that names nothing that exists."""
    return re.sub(r"<(?:(\w+):)?\w+>", lambda m: SAMPLES[m[1] or "str"], route)


ROUTES = list(routes(get_resolver().url_patterns))


def test_the_walk_finds_the_routes() -> None:
    """Control of the walk: it sees the pages that are known to be there."""
    known = {route for route, _ in ROUTES}
    assert {"/login/", "/users/", "/people/access/", "/me/grant/"} <= known


@pytest.mark.parametrize(("route", "pattern"), ROUTES, ids=[route for route, _ in ROUTES])
def test_every_route_names_its_action(route: str, pattern: URLPattern) -> None:
    view = getattr(pattern.callback, "view_class", pattern.callback)
    assert hasattr(view, "action"), (
        f"{route} needs @requires(action) or @public of accounts.roles, outermost or "
        "inside decorators that keep its attributes"
    )
    assert view.action is None or view.action in ACTIONS


def refused(*_: object, **__: object) -> HttpResponse:
    """Return a refusal without its page."""
    return HttpResponse(status=403)


@pytest.mark.django_db
def test_every_role_meets_exactly_what_the_table_says(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: no page is open to a role by accident. Method: every role asks every address."""
    # Thousands of refusals: that a refusal has a page, and where sessions lie, is tested elsewhere.
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    monkeypatch.setattr(urls, "handler403", refused, raising=False)
    unit = district()
    clients = {role: Client() for role in Role}
    for role, client in clients.items():
        client.force_login(add_user(role, unit))
    wrong = []
    for route, pattern in ROUTES:
        view = getattr(pattern.callback, "view_class", pattern.callback)
        action = getattr(view, "action", None)
        if action in (None, "*") or "logout" in route:
            continue
        for method in ("get", "post"):
            answer = getattr(Client(), method)(sample(route))
            sent_to_login = answer.status_code == 302 and answer["Location"].startswith("/login/")
            if not (sent_to_login or answer.status_code in (401, 403, 405)):
                wrong.append((route, method, "nobody", answer.status_code))
            for role, client in clients.items():
                client.raise_request_exception = False
                status = getattr(client, method)(sample(route)).status_code
                is_refused = status == 403
                if status == 405 or (role in ACTIONS[action]) != is_refused:
                    continue
                if is_refused and action == "me.use":
                    continue  # a resident's account that is bound to nobody
                wrong.append((route, method, role.value, status))
    assert wrong == []
