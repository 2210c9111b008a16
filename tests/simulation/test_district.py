"""The demonstration's district: made once, taken up again, with its gate let in by two people."""

import json
import socket
import subprocess
import sys
from dataclasses import replace

import psycopg
import pytest

from passlight.gate.config import read_config
from passlight.gate.drivers.registry import build
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.database import Role
from passlight.runtime.services import HOST
from passlight.simulation.cables import Cables
from passlight.simulation.demo_gate import (
    can_reach,
    is_enrolled,
    screen_port,
    state_folder,
    write_config,
)
from passlight.simulation.district import door_file, last_tests_file, read_door

COUNTS = """
    select (select count(*) from people_person), (select count(*) from facts_fact),
           (select count(*) from venues_venue), (select count(*) from accounts_user),
           (select count(*) from halls_zone), (select count(*) from halls_plan),
           (select count(*) from halls_staff), (select count(*) from halls_duty),
           (select count(*) from gates_device), (select count(*) from gates_token)
"""
TESTS = "select count(*) from facts_fact where kind = 'lab.result'"
GATES = """
    select device.state, first.username, second.username, account.locked_at is not null
    from gates_device device join accounts_user first on first.id = device.invited_by_id
    left join accounts_user second on second.id = device.confirmed_by_id
    left join accounts_user account on account.id = device.account_id
"""


def seed(installation):
    done = installation.run("-m", "passlight.simulation.district", role=Role.OFFICE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def rows(installation, query):
    with psycopg.connect(installation.urls[Role.OWNER]) as connection:
        return connection.execute(query).fetchall()


def test_the_district_is_seeded_once_and_its_gate_let_in(installation):
    settings = installation.settings
    assert not is_enrolled(settings)
    first = seed(installation)
    (before,) = rows(installation, COUNTS)
    assert before[0] == 400
    assert before[5:8] == (2, 6, 3), "a plan and the next one, a roster, three duties"
    assert [login["username"] for login in first] == [
        *("resident-green", "resident-yellow", "resident-red", "checker", "operator"),
        *("clerk", "guide", "manager", "leader", "street", "district", "steward", "auditor"),
    ]
    assert {login["role"] for login in first} >= {"hall-manager", "duty-leader", "steward"}
    assert all(login["document"] or login["page"].startswith("/") for login in first)

    # The hall manager made the token, another confirmed it; nobody logs in as the gate.
    assert is_enrolled(settings)
    assert rows(installation, GATES) == [("active", "manager", "street", True)]

    # A run that was killed before its end is taken up again and doubles nothing: neither the
    # district, nor a gate whose key is there and who it is was not yet kept.
    door_file(settings).unlink()
    (state_folder(settings) / "identity.json").unlink()
    assert seed(installation) == first
    assert is_enrolled(settings)
    assert rows(installation, COUNTS) == [before]

    # On a later day all but two of them are tested again, and the next start leaves them alone.
    (negative,) = rows(installation, TESTS)
    last_tests_file(settings).write_text("2026-01-01T00:00:00+08:00", encoding="utf-8")
    assert seed(installation) == first
    (later,) = rows(installation, TESTS)
    assert later[0] == negative[0] + 11, "ten walkers and the green resident"
    grown = rows(installation, COUNTS)
    assert seed(installation) == first
    assert rows(installation, TESTS) == [later]
    assert rows(installation, COUNTS) == grown, "a start on the same day doubles nothing either"

    # What is written for it is what its own reader takes: no unknown field, no missing one.
    cables = Cables.lay()
    try:
        port = screen_port(settings)
        path = write_config(settings, read_door(door_file(settings)), cables, port=port)
        config = read_config(path)
        devices = build(config, clock=SystemClock(), entropy=SystemEntropy())
    finally:
        cables.cut()
    assert config.folder == state_folder(settings)
    assert (config.url, config.entrance) == (settings.public_url, "main")
    assert set(devices.health()) >= {"code", "id_card", "thermometer", "barrier", "speaker"}
    assert screen_port(settings) == port, "the screen stays where it was while that port is free"


@pytest.mark.parametrize(
    ("url", "can"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("https://code.example.cn", True),
        ("http://code.example.cn", False),  # gate.config refuses it
    ],
)
def test_a_gate_stands_only_where_its_address_is_good(installation, url, can):
    assert can_reach(replace(installation.settings, public_url=url)) is can


def test_another_screen_on_the_port_is_passed_by(installation):
    kept = state_folder(installation.settings).parent / "screen-port"
    kept.parent.mkdir(parents=True)
    with socket.create_server((HOST, 0)) as other:
        held = other.getsockname()[1]
        kept.write_text(f"{held}\n")
        assert screen_port(installation.settings) != held


def test_a_district_of_an_earlier_version_says_what_to_do(installation):
    home = installation.settings.home
    door_file(installation.settings).write_text('{"venue": "x", "walkers": ["walker-01"]}')
    done = walkers(installation)
    assert done.returncode == 1
    assert f"rm -r {home}" in done.stderr


def test_without_a_district_the_walkers_say_what_to_do(installation):
    done = walkers(installation)
    assert done.returncode == 1
    assert "passlight demo" in done.stderr


def walkers(installation):
    return subprocess.run(
        [
            *(sys.executable, "-m", "passlight.simulation.walkers"),
            *("--screen", "http://127.0.0.1:9", "--readers", "0", "1", "2"),
        ],
        env=installation.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
