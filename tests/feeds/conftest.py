"""A steward, an auditor and a clerk with their sessions, and a delivery by path."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from passlight.office.accounts import actions as accounts
from passlight.office.accounts.models import Role, UnitKind, User
from passlight.office.feeds.actions import Delivery, land, receive_file
from passlight.office.feeds.models import Batch
from passlight.runtime.clock import SystemClock, SystemEntropy

Deliver = Callable[..., Batch]
PASSWORD = "correct horse staple"


@pytest.fixture
def deliver(db: None) -> Deliver:
    """Return a function that receives and lands one file."""

    def run(agency: str, path: Path, **options: object) -> Batch:
        delivery = Delivery(agency=agency, path=path, file_name=path.name)
        clock = SystemClock()
        batch = receive_file(delivery, clock=clock)
        return land(batch, path, clock=clock, **options)  # type: ignore[arg-type]

    return run


@pytest.fixture
def sessions(db: None) -> Callable[[Role], Client]:
    """Return a function that gives the browser of a user of a role."""
    unit = accounts.add_unit(kind=UnitKind.DISTRICT, name="云杉区", name_en="Spruce District")

    def enter(role: Role) -> Client:
        user: User = accounts.add_user(
            accounts.NewUser(
                username=role.value,
                password=PASSWORD,
                role=role,
                unit=unit,
                display_name="数据专员",
                display_name_en="Data steward",
            ),
            clock=SystemClock(),
            entropy=SystemEntropy(),
        )
        client = Client()
        answer = client.post("/login/", {"username": user.username, "password": PASSWORD})
        assert answer.status_code == 302
        return client

    return enter
