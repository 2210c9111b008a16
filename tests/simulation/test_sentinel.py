"""The demonstration's district and its simulated door, on real processes.

Worker, office, gateway and front run as they do in an installation, on ports of their own.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace

import httpx
import psycopg
import pytest

from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.database import Role
from passlight.runtime.services import free_port, services
from passlight.simulation.device import CheckerDevice, Phone, RefusedError
from passlight.simulation.district import PASSWORD, door_file
from passlight.simulation.sentinel import Sentinel, read_door
from passlight.simulation.world import make_world

CLOCK, ENTROPY = SystemClock(), SystemEntropy()


class Processes:
    """The processes of one installation."""

    def __init__(self, installation):
        self.installation = installation
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        settings = replace(installation.settings, port=port, public_url=self.url)
        self.specs = {spec.name: spec for spec in services(settings)}
        self.running = {}

    def start(self, name):
        spec = self.specs[name]
        self.running[name] = subprocess.Popen(
            spec.command,
            env={**self.installation.environment, **spec.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self, name):
        process = self.running.pop(name)
        process.kill()
        process.wait(timeout=20)

    def stop(self):
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def until_ready(self):
        until(lambda: status(f"{self.url}/healthz") == 200)
        until(lambda: status(f"{self.url}/v1/healthz") == 200)


def status(url):
    try:
        return httpx.get(url, timeout=5).status_code
    except httpx.TransportError:
        return 0


def until(holds, *, seconds=90):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come to hold in time")


def seed(installation):
    done = installation.run("-m", "passlight.simulation.district", role=Role.OFFICE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def rows(installation, query):
    with psycopg.connect(installation.urls[Role.OWNER]) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def demo(installation):
    logins = seed(installation)
    processes = Processes(installation)
    for name in processes.specs:
        processes.start(name)
    try:
        processes.until_ready()
        yield processes, logins
    finally:
        processes.stop()


def phone_of(processes, username):
    phone = Phone(processes.url, clock=CLOCK, entropy=ENTROPY)
    phone.log_in(username, PASSWORD)
    return phone


def test_the_district_is_seeded_once(installation):
    first = seed(installation)
    counts = "select (select count(*) from people_person), (select count(*) from facts_fact), "
    counts += "(select count(*) from venues_venue), (select count(*) from accounts_user), "
    counts += "(select count(*) from halls_zone), (select count(*) from halls_plan), "
    counts += "(select count(*) from halls_staff), (select count(*) from halls_duty)"
    (before,) = rows(installation, counts)
    assert seed(installation) == first
    assert rows(installation, counts) == [before]
    assert before[0] == 400
    assert before[5:] == (2, 6, 3), "a plan and the next one, a roster, three duties"
    assert [login["username"] for login in first] == [
        *("resident-green", "resident-yellow", "resident-red", "checker", "operator"),
        *("clerk", "guide", "manager", "leader", "street", "district", "steward", "auditor"),
    ]
    assert {login["role"] for login in first} >= {"resident", "checker", "steward", "auditor"}
    # A run that was killed before its end is taken up again and doubles nothing.
    door_file(installation.settings).unlink()
    assert seed(installation) == first
    assert rows(installation, counts) == [before]


@pytest.mark.fault
def test_walkers_pass_the_door_and_outlive_the_gateway(demo):
    processes, _ = demo
    installation = processes.installation

    def colours():
        names = ("resident-green", "resident-yellow", "resident-red")
        found = []
        for name in names:
            with phone_of(processes, name) as phone:
                found.append(phone.status()["colour"])
        return found

    assert colours() == ["green", "yellow", "red"]

    with phone_of(processes, "resident-green") as phone:
        assert phone.status()["sampled_at"] is not None
        code = phone.fetch_code()
        assert len(phone.show()) == 178
        assert code.slot_at(phone.now()) < 6  # a hot code begins in this minute or the last
        door = read_door(door_file(installation.settings))
        visit = phone.check_in(door.venue_token, key="0b1c2d3e-0000-4000-8000-000000000001")
        again = phone.check_in(door.venue_token, key="0b1c2d3e-0000-4000-8000-000000000001")
        assert (visit["presence"], visit["colour"]) == ("weak", "green")
        assert (visit["repeated"], again["repeated"]) == (False, True)

    said = []
    sentinel = Sentinel(
        door,
        url=processes.url,
        clock=CLOCK,
        entropy=ENTROPY,
        say=said.append,
    )
    answers = [sentinel.step()["answer"] for _ in door.walkers]
    # district._certain_facts: the third walker arrived from a listed area, the fifth is a case
    assert answers == ["green", "green", "yellow", "green", "red", "green"]

    processes.kill("gateway")
    with pytest.raises(RefusedError):
        sentinel.step()
    stop = threading.Event()
    runner = threading.Thread(target=sentinel.run, args=(stop,), kwargs={"pace": 0.5})
    before = len(said)
    runner.start()
    try:
        until(lambda: any("waiting" in line for line in said[before:]))
        processes.start("gateway")
        until(lambda: any("green" in line for line in said[before:]))
    finally:
        stop.set()
        runner.join(timeout=30)
    assert not runner.is_alive()
    assert not sentinel.pending

    def recorded():
        return dict(rows(installation, "select kind, count(*) from records_record group by kind"))

    found = until(lambda: recorded() if recorded().get("admit", 0) >= 5 else None)
    verified = sum(1 for line in said if line.startswith("walker-"))
    assert found["verification"] >= verified
    acts = Counter(
        row[0]
        for row in rows(
            installation,
            "select answer from records_record where kind in ('admit', 'ask', 'isolate')",
        )
    )
    assert sum(acts.values()) == verified  # each pass once, however often it was sent
    assert found["checkin"] >= 2


@pytest.mark.fault
def test_a_checker_sees_a_masked_name_and_a_document_is_an_equal_path(demo):
    processes, _ = demo
    door = read_door(door_file(processes.installation.settings))
    with (
        CheckerDevice(
            processes.url,
            venue=door.venue,
            entrance=door.entrance,
            clock=CLOCK,
            entropy=ENTROPY,
        ) as checker,
        phone_of(processes, "resident-red") as phone,
    ):
        checker.log_in("checker", PASSWORD)
        phone.fetch_code()
        answer = checker.verify(phone.show())
        assert answer["answer"] == "red"
        identity = checker.identity(answer)
        assert "*" in json.dumps(identity, ensure_ascii=False)
        acknowledged = checker.record("isolate", answer)
        assert len(acknowledged["acknowledged"]) == 1
        world = make_world(people=400, days=20, seed=310118, at=CLOCK.now())
        number = world.population.residents[0].document.number
        kind = world.population.residents[0].document.type.value
        by_document = checker.verify_document(kind, number)
        assert by_document["kind"] == "document"
        with pytest.raises(RefusedError) as unknown:
            checker.verify_document("passport", "NOBODY123")
        assert unknown.value.status == 404


def test_the_process_waits_without_servers_and_ends_on_sigterm(installation):
    settings = installation.settings
    door_file(settings).write_text(
        json.dumps(
            {
                "venue": "6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b",
                "entrance": "main",
                "venue_token": "none",
                "username": "door",
                "walkers": ["walker-01"],
                "password": "none",
            }
        )
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "passlight.simulation.sentinel"],
        env={**installation.environment, "PASSLIGHT_PUBLIC_URL": "http://127.0.0.1:9"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert "waiting" in process.stdout.readline()
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def test_without_a_district_the_door_says_what_to_do(installation):
    done = installation.run("-m", "passlight.simulation.sentinel")
    assert done.returncode == 1
    assert "passlight demo" in done.stderr
