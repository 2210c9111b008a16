"""PostgreSQL away for ten minutes: codes, doors and check-ins go on, and nothing is lost.

A server of this test's own is really stopped and started; the ten minutes pass on the
injected clock.
"""

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from passlight.gateway.assembly import GatewayConfig, assemble
from passlight.runtime.clock import SystemEntropy
from passlight.runtime.database import DATABASE, Role, role_passwords
from passlight.runtime.postgres import EmbeddedPostgres
from passlight.runtime.settings import child_environment, read_settings
from tests.gateway.conftest import PUBLIC_URL, Running
from tests.gateway.office import Office, ShiftedClock

REALM = read_settings().realm


@pytest.fixture
def own(tmp_path: Path) -> Iterator[SimpleNamespace]:
    """An installation with a PostgreSQL of its own."""
    home = tmp_path / "home"
    environment = child_environment(
        PASSLIGHT_HOME=str(home), PASSLIGHT_KEYS=str(home / "keys"), PASSLIGHT_DATABASE_URL=""
    )
    done = subprocess.run(
        [sys.executable, "-m", "passlight.cli.main", "migrate", "--quiet"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    server = EmbeddedPostgres(home / "postgres")
    password = role_passwords(SimpleNamespace(keys=home / "keys"))["gateway"]
    clock = ShiftedClock()
    running: list[Running] = []

    def url() -> str:
        return server.url(DATABASE, role=Role.GATEWAY.login, password=password)

    def start() -> Running:
        config = GatewayConfig(
            name="gateway-1",
            realm=REALM,
            public_url=PUBLIC_URL,
            keys=home / "keys",
            folder=home / "gateways" / "gateway-1",
            database_url=url,
        )
        running.append(Running(assemble(config, clock=clock, entropy=SystemEntropy()), clock))
        return running[-1]

    office = Office(
        url=server.url(DATABASE),
        keys=home / "keys",
        realm=REALM,
        public_url=PUBLIC_URL,
        clock=clock,
    )
    yield SimpleNamespace(server=server, start=start, office=office, clock=clock)
    for one in running:
        one.stop()
    server.stop(mode="immediate")


def ask(phone, gateway: Running, *, lifetime: int) -> tuple[int, str]:
    answer = phone.ask(gateway.client, phone.draft(lifetime=lifetime))
    said = answer.json()
    return answer.status_code, said.get("error") or said["codes"][0]["kind"]


def scan(checker, gateway: Running, venue: str, text: str) -> dict:
    asked = {"text": text, "venue": venue, "entrance": "east", "interaction": str(uuid.uuid4())}
    return checker.post(gateway.client, "/v1/verifications", asked).json()


@pytest.mark.fault
def test_ten_minutes_without_postgresql(own: SimpleNamespace) -> None:
    office, clock, start = own.office, own.clock, own.start
    for ordinal in range(1, 8):
        office.add_person(ordinal)
        office.publish(ordinal, (None, "green", None))
    venue, strict = office.add_venue(freshness=3600), office.add_venue(freshness=300)
    gateway = start()
    gateway.knows(office)
    office.beat()
    gateway.until(lambda: gateway.gateway.published.book_age(clock.now()) < 2)
    phones = {ordinal: office.resident(ordinal) for ordinal in range(1, 8)}
    checker, token = office.checker(venue, strict), office.venue_token(venue)
    acknowledged: set[str] = set()

    own.server.stop(mode="immediate")
    gateway.until(lambda: not gateway.gateway.published.connected)
    as_of = gateway.gateway.published.book.as_of
    # Hot while the book is at most 30 s old …
    assert ask(phones[1], gateway, lifetime=0) == (200, "hot")
    clock.advance(seconds=20)
    assert ask(phones[2], gateway, lifetime=0) == (200, "hot")
    clock.advance(seconds=15)
    # … then cold (field/09 3.3); the phone is told so.
    assert ask(phones[3], gateway, lifetime=0) == (409, "hot-unavailable")
    assert ask(phones[3], gateway, lifetime=2) == (200, "cold")
    draft = phones[4].draft(lifetime=2)
    assert phones[4].ask(gateway.client, draft).status_code == 200
    for minute in range(10):
        clock.advance(seconds=60)
        said = scan(checker, gateway, venue, draft.text(clock.now()))
        assert (said["answer"], said["as_of"]) == ("green", as_of.isoformat()), minute
        assert said["recorded"] is True
        acknowledged.add(said["verification"])
        key = str(uuid.uuid4())
        answer = phones[5].post(gateway.client, "/v1/checkins", {"key": key, "venue_token": token})
        assert answer.status_code == 200, answer.text
        acknowledged.add(key)
    # The hospital's door needs a younger book: a person decides there.
    late = scan(checker, gateway, strict, draft.text(clock.now()))
    assert (late["answer"], late["reason"]["code"]) == ("undetermined", "stale")
    acknowledged.add(late["verification"])

    # A gateway that is restarted in the outage starts from its copy; the age counts on.
    gateway.stop()
    gateway = start()
    assert gateway.gateway.published.book.as_of == as_of
    clock.advance(seconds=20)
    said = scan(checker, gateway, venue, draft.text(clock.now()))
    assert (said["answer"], said["as_of"]) == ("green", as_of.isoformat())
    acknowledged.add(said["verification"])
    assert ask(phones[6], gateway, lifetime=2) == (200, "cold")

    own.server.start()
    office.url = own.server.url(DATABASE)
    office.publish(7, (None, "red", None))
    gateway.until(lambda: gateway.gateway.published.connected, seconds=20)
    gateway.knows(office)
    assert ask(phones[6], gateway, lifetime=0) == (200, "hot")
    gateway.until(lambda: gateway.gateway.spool.waiting == 0, seconds=20)
    stored = [row[0] for row in office.records() if row[1] != "issue"]
    assert len(stored) == len(set(stored))
    assert set(stored) == acknowledged
    assert len(office.records("issue")) == 6


@pytest.mark.fault
def test_without_database_and_copy_nothing_is_decided(own: SimpleNamespace) -> None:
    own.server.stop(mode="immediate")
    start: Callable[[], Running] = own.start
    gateway = start()
    health = gateway.client.get("/v1/healthz")
    assert (health.status_code, health.json()["why"]) == (503, ["no status book", "no trust list"])
    phone = own.office.resident(1)
    # Without a trust list nobody can be known either.
    assert phone.get(gateway.client, "/v1/me").status_code == 401
