"""The lists of facts and statuses: who may read them, what filters do, what they never show."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import translation

from passlight.office.accounts.models import Role, Unit, UnitKind, User
from passlight.office.facts.actions import retract_facts
from passlight.office.facts.words import payload_lines
from passlight.office.pages.sources import source_name_in
from passlight.runtime.clock import SystemClock
from tests.statuses.cast import (
    confirmed,
    land,
    one_rule,
    people,
    put_in_force,
    registered,
    run_worker,
)
from tests.statuses.moments import HandClock, T, fact

READERS = {Role.STEWARD, Role.AUDITOR}


@pytest.fixture
def district(db):
    """Three people: one red; one red and then withdrawn; one green."""
    clock = HandClock(SystemClock().now() - timedelta(hours=5))
    persons = people(3)
    put_in_force(one_rule(), clock)
    registered(persons, clock)
    land(confirmed(persons[0], clock.moment), confirmed(persons[1], clock.moment), clock=clock)
    retract_facts(
        [f"cdc:case-{persons[1].ordinal}"],
        reason="data_error",
        source="cdc",
        batch_id="r",
        clock=clock,
    )
    run_worker(clock)
    return persons


@pytest.fixture
def as_user(db):
    unit = Unit.objects.create(
        kind=UnitKind.DISTRICT, name="云杉区", name_en="Spruce District", path="/1/"
    )

    def log_in(role: Role) -> Client:
        user = User.objects.create(
            username=role.value,
            role=role,
            unit=unit,
            display_name="甲",
            display_name_en="A",
            badge=role.value[:12],
            created_at=T,
        )
        client = Client()
        client.force_login(user)
        return client

    return log_in


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.mark.parametrize("role", list(Role))
def test_who_may_read(district, as_user, role):
    client = as_user(role)
    addresses = [
        "/facts/",
        "/facts/1/",
        "/statuses/",
        "/statuses/tasks/",
        f"/statuses/{district[0].facts_key}/",
    ]
    wanted = 200 if role in READERS else 403
    assert {address: client.get(address).status_code for address in addresses} == dict.fromkeys(
        addresses, wanted
    )


def test_nobody_reads_without_logging_in(district):
    assert Client().get("/statuses/").status_code == 302


def test_facts_are_filtered(district, as_user):
    client = as_user(Role.AUDITOR)
    assert text(client, "/facts/").count("/facts/") > 6
    only = text(client, "/facts/?kind=case.confirmed&lang=en")
    assert "cdc:case-0" in only
    assert "reg:0" not in only
    assert "Withdrawn" in only
    assert "cdc:case-1" not in text(client, f"/facts/?subject={district[0].facts_key}")
    assert "reg:0" in text(client, "/facts/?source=registration")
    assert "No such facts" in text(client, "/facts/?source=registration&kind=lab.result")
    assert client.get("/facts/?since=nonsense").status_code == 200


def test_a_fact_shows_every_version(district, as_user):
    client = as_user(Role.STEWARD)
    page = text(client, "/facts/6/?lang=en")
    assert "cdc:case-1" in page
    assert "Withdrawn" in page
    assert "data_error" in page
    assert "Superseded" in page
    assert client.get("/facts/99/").status_code == 404


def test_a_payload_is_read_in_words_and_nothing_is_left_out():
    """Hand-worked: 12:52 in UTC is 20:52 in Shanghai (+8); what has no name stands as it came."""
    payload = {"value": "neg", "sampled_at": "2026-11-22T12:52:00Z", "lot": "neg", "n": 1}
    with translation.override("zh"):
        assert payload_lines("lab.result", payload) == [
            ("结果", "阴性"),
            ("采样时间", "2026-11-22 20:52:00"),
            ("lot", "neg"),
            ("n", "1"),
        ]
        assert payload_lines("no.such", {"value": "neg"}) == [("结果", "neg")]
    assert source_name_in("cdc", "zh") == "疾控中心"
    assert source_name_in("unheard-of", "en") == "unheard-of"


def test_an_empty_day_says_what_it_is_for(district, as_user):
    assert '<span class="day">发生日从</span>' in text(as_user(Role.STEWARD), "/facts/")


def test_statuses_by_colour(district, as_user):
    client = as_user(Role.AUDITOR)
    red, green = text(client, "/statuses/?colour=red"), text(client, "/statuses/?colour=green")
    keys = [f"/statuses/{one.facts_key}/" for one in district]
    assert [key in red for key in keys] == [True, False, False]
    assert [key in green for key in keys] == [False, True, True]
    assert keys[2] in text(client, f"/statuses/?handle={district[2].facts_key}")


def test_an_escaped_fact_id(db, as_user):
    clock = HandClock(SystemClock().now() - timedelta(hours=1))
    land(
        fact(
            "<script>alert(1)</script>",
            "stay",
            "p-1",
            clock.moment,
            area="990100",
            place="<b>x</b>",
        ),
        clock=clock,
    )
    client = as_user(Role.STEWARD)
    for address in ("/facts/", "/facts/1/"):
        page = text(client, address)
        assert "<script>alert" not in page
        assert "<b>x</b>" not in page
