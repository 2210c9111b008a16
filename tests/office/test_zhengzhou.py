"""Nobody sets a colour (field/06 T1): every role, every address, and raw SQL as the office.

The name is the city's: in June 2022 people were given red codes by order of officials. Here a
list of people is sent to every address under every role; no status changes and no fact that
gives a colour lands. The control shows that the comparison would notice.
"""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client

from passlight.core.kernel.documents import read_document
from passlight.office import urls
from passlight.office.accounts import actions as accounts
from passlight.office.accounts.models import Role, UnitKind
from passlight.office.people.actions import register_people
from passlight.office.people.identity import NewPerson
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.database import Role as DatabaseRole
from tests.office.test_roles import ROUTES, refused, sample

WATCHED = ("statuses_publication", "statuses_reason", "statuses_heartbeat", "facts_fact")


def watched() -> dict[str, list[str]]:
    rows = {}
    with connection.cursor() as cursor:
        for table in WATCHED:
            cursor.execute(f'SELECT t::text FROM "{table}" AS t ORDER BY 1')
            rows[table] = [row[0] for row in cursor.fetchall()]
    return rows


@pytest.mark.django_db
def test_no_address_writes_a_colour(
    as_role: Callable[[DatabaseRole], AbstractContextManager[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Thousands of refusals: that a refusal has a page is tested elsewhere.
    monkeypatch.setattr(urls, "handler403", refused, raising=False)
    unit = accounts.add_unit(kind=UnitKind.DISTRICT, name="测试区", name_en="Test District")
    people = register_people(
        [
            NewPerson(documents=(read_document("passport", f"SIM{n:06}"),), name="王晓明")
            for n in range(20)
        ]
    )
    clients = []
    for role in Role:
        new = accounts.NewUser(
            username=role.value,
            password="correct horse staple",
            role=role,
            unit=unit,
            display_name="岗",
            display_name_en="Post",
            person=people[0] if role is Role.RESIDENT else None,
        )
        client = Client(raise_request_exception=False)
        client.force_login(accounts.add_user(new, clock=SystemClock(), entropy=SystemEntropy()))
        clients.append(client)
    order = {"colour": "red", "status": "red", "subjects": [p.facts_key for p in people]}
    order |= {
        "subject": people[0].facts_key,
        "ordinal": people[0].ordinal,
        "kind": "case.confirmed",
    }
    before = watched()
    asked = 0
    with as_role(DatabaseRole.OFFICE):
        for route, _ in ROUTES:
            for client in clients:
                if "logout" in route:
                    continue
                address = sample(route).replace(
                    "00000000-0000-0000-0000-000000000001", str(people[0].pk)
                )
                client.post(address, order)
                client.post(address, json.dumps(order), content_type="application/json")
                asked += 2
    assert asked > 500, "control: the list was really sent around"
    assert watched() == before


@pytest.mark.django_db
def test_the_comparison_notices() -> None:
    """Control: as the owner, one row more is seen."""
    before = watched()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO facts_fact (seq, fact_id, ver, op, kind, subject, occurred_at,"
            " recorded_at, source, batch_id, payload) VALUES (1, 'x', 1, 'assert',"
            " 'case.confirmed', 'p-1', %s, %s, 'x', 'x', '{}')",
            [datetime(2026, 3, 1, tzinfo=UTC)] * 2,
        )
    assert watched() != before
