"""The pages: who may see them, what they say while work is under way, and that they name nobody."""

import json
import os
from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.test import Client

from passlight.cli.recompute import command as recompute
from passlight.office.accounts.models import Role, Unit, UnitKind, User
from passlight.office.packs.actions import store_pack
from passlight.office.packs.models import Preview
from passlight.office.recompute.models import Difference, Run
from passlight.office.statuses.models import Heartbeat, Switch
from passlight.office.statuses.publishing import Publisher
from passlight.runtime.clock import SystemClock
from tests.statuses.cast import one_rule, people, put_in_force, registered, run_worker
from tests.statuses.moments import HandClock

READERS = {Role.STEWARD, Role.AUDITOR}


@pytest.fixture
def as_user(db):
    unit = Unit.objects.create(kind=UnitKind.DISTRICT, name="云杉区", name_en="Spruce", path="/1/")

    def log_in(role):
        user, _ = User.objects.get_or_create(
            username=role.value,
            defaults={
                "role": role,
                "unit": unit,
                "display_name": "甲",
                "display_name_en": "A",
                "badge": role.value[:12],
                "created_at": SystemClock().now(),
            },
        )
        client = Client(headers={"Accept-Language": "en"})
        client.cookies["lang"] = "en"
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def town(db):
    clock = HandClock(SystemClock().now() - timedelta(minutes=5))
    persons = people(8)
    put_in_force(one_rule(), clock)
    registered(persons, clock)
    run_worker(HandClock(SystemClock().now()))
    return persons


def row(colour, state="active"):
    part = {"from": None, "colour": colour, "reason": None}
    return {"segments": [part], "sampled_at": None, "state": state}


@pytest.fixture
def run(town):
    now = SystemClock().now()
    made = Run.objects.create(
        state=Run.State.DONE,
        asked_at=now,
        started_at=now,
        finished_at=now,
        at=now,
        fact_seq=8,
        packs_seq=1,
        people=8,
        compared=8,
        counts={"colour": 2},
    )
    for ordinal, state in ((3, "stays"), (5, "corrected")):
        Difference.objects.create(
            run=made,
            ordinal=ordinal,
            kind="colour",
            state=state,
            served=row("green"),
            computed=row("red"),
            found_at=now,
        )
    return made


@pytest.mark.parametrize("role", list(Role))
def test_who_may_see_and_start(run, as_user, role):
    client = as_user(role)
    seen = 200 if role in READERS else 403
    assert client.get("/recompute/").status_code == seen
    assert client.get(f"/recompute/{run.pk}/").status_code == seen
    started = client.post("/recompute/start/").status_code
    assert started == (302 if role is Role.STEWARD else 403)
    assert Run.objects.filter(state="asked").count() == (role is Role.STEWARD)


def test_a_difference_leads_to_the_person_by_handle(run, town, as_user):
    text = as_user(Role.AUDITOR).get(f"/recompute/{run.pk}/").content.decode()
    assert f"/statuses/{town[3].facts_key}/" in text
    assert "Still different" in text
    index = as_user(Role.AUDITOR).get("/recompute/").content.decode()
    assert "Compute now" not in index
    assert "Compute now" in as_user(Role.STEWARD).get("/recompute/").content.decode()
    only = as_user(Role.AUDITOR).get(f"/recompute/{run.pk}/?state=corrected").content.decode()
    assert f"/statuses/{town[5].facts_key}/" in only
    assert f"/statuses/{town[3].facts_key}/" not in only


def test_the_packs_page_shows_how_far_a_switch_is_and_what_happens_when_it_fails(town, as_user):
    """Nine million of 25 in three minutes: 5 min 20 s are left, and the page reloads itself."""
    client = as_user(Role.STEWARD)
    assert "Switching to new rules" not in client.get("/packs/").content.decode()
    now = SystemClock().now()
    switch = Switch.objects.create(
        packs_seq=1,
        fact_seq=8,
        state="running",
        people=25_000_000,
        people_done=9_000_000,
        started_at=now - timedelta(minutes=3),
    )
    Heartbeat.objects.update(switch=switch.pk, packs_seq=0, sweep_seq=1, sweep_ordinal=0, at=now)
    text = client.get("/packs/").content.decode()
    assert "9,000,000 of 25,000,000 people switched" in text
    assert "about 5 min" in text
    assert 'hx-trigger="every 2s"' in text
    Switch.objects.update(state="failed", fault="no memory")
    Heartbeat.objects.update(switch=None, sweep_ordinal=4, at=now - timedelta(hours=1))
    text = client.get("/packs/").content.decode()
    assert "4 of 8 people switched" in text
    assert "no memory" in text
    assert "The worker is not running" in text


def test_the_preview_says_who_counts(town, as_user, monkeypatch):
    client = as_user(Role.STEWARD)
    pack = store_pack(one_rule("2", "yellow"), user=None, clock=HandClock())
    address = f"/packs/{pack.pk}/"
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "0")
    assert client.post(f"{address}preview/").status_code == 302
    assert Preview.objects.get().engine == "city"
    text = client.get(address).content.decode()
    assert "You may leave this page" in text
    monkeypatch.setattr("passlight.office.packs.preview.city_installed", lambda: False)
    monkeypatch.setattr("passlight.office.packs.views.city_installed", lambda: False)
    monkeypatch.setattr("passlight.office.packs.preview.PEOPLE_A_STEP", 3)
    client.post(f"{address}preview/")
    assert Preview.objects.latest("id").engine == "person"
    assert "is not installed" in client.get(address).content.decode()


def test_a_change_is_swept_person_by_person_where_the_extra_is_missing(town, monkeypatch):
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "0")
    monkeypatch.setattr("passlight.office.statuses.switching.city_installed", lambda: False)
    clock = HandClock(SystemClock().now())
    put_in_force(one_rule("2", "yellow"), clock, effective_from=None)
    run_worker(clock, Publisher(clock))
    assert not Switch.objects.exists()
    assert Heartbeat.objects.get().packs_seq == 2


def test_the_operators_command_tells_how_the_last_run_ended(installation):
    """Nothing was ever computed: it says what to do, in words and as JSON."""
    told = installation.run("-m", "passlight.cli.main", "recompute")
    assert (told.returncode, told.stderr) == (0, "")
    assert "passlight recompute --now" in told.stdout
    told = installation.run("-m", "passlight.cli.main", "recompute", "--json")
    assert json.loads(told.stdout) is None


def test_a_run_that_failed_is_no_good_end(db, monkeypatch):
    """Status 1, and why: nobody was compared, so that no difference was found says nothing."""
    fault = "the disk lacks 3.0 GB"
    Run.objects.create(state="failed", asked_at=SystemClock().now(), fault=fault)
    for name in ("PASSLIGHT_ROLE", "DJANGO_SETTINGS_MODULE"):  # the command sets them for good
        monkeypatch.setenv(name, os.environ.get(name, ""))
    done = CliRunner().invoke(recompute, [])
    assert (done.exit_code, fault in done.output) == (1, True)
