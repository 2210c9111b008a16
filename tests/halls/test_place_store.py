"""Places on a real PostgreSQL, under the gateway's own role: the cap holds under parallel doors.

The truth is the threads' own count; the recount is SQL over the leases.
"""

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import psycopg
import pytest

from passlight.core.entry.places import DoorPlaces
from passlight.core.entry.zone_places import Ask, StaleRequestError
from passlight.core.places.hall import HallState
from passlight.gateway.place_store import (
    ConflictError,
    PlacesAsked,
    UncountedError,
    store_places,
)
from passlight.office.halls.actions import set_state, sweep
from passlight.runtime.database import Role
from tests.halls.conftest import Cast

CAP = 8


def new_lease() -> str:
    return str(uuid.uuid4())


def converse(
    connection: psycopg.Connection[Any], cast: Cast, device: str, sent: dict[str, Any]
) -> dict[str, Any]:
    """Send one request of ``device``, whose first word is its entrance."""
    report = sent["report"]
    asked = PlacesAsked(
        venue=str(cast.hall.venue_id),
        entrance=device.partition(" ")[0],
        device=device,
        is_gate="phone" not in device,
        digest=hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).digest(),
        now=cast.clock.now(),
        ask=Ask(
            session=sent["session"],
            request=sent["request"],
            admitted=tuple(report["admitted"]),
            own=tuple(report["own"]),
            left=tuple(report["left"]),
            unused=report["unused"],
            standing=report["standing"],
            fresh=report["fresh"],
            want=sent["want"],
            due=sent["due"],
        ),
    )
    with connection.transaction():
        return store_places(connection, asked)


def talk(connection: Any, cast: Cast, device: str, door: DoorPlaces, *, want: int = 0) -> None:
    """Speak until the door has a real reply."""
    now = cast.clock.monotonic()
    if not door.session:
        assert door.granted(converse(connection, cast, device, door.ask(now)), now)
    assert door.granted(converse(connection, cast, device, door.ask(now, want=want)), now)


@pytest.fixture
def gateway(committed_cast: Cast, role_urls: dict[Role, str]) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(role_urls[Role.GATEWAY], autocommit=True) as connection:
        yield connection


def open_leases(connection: psycopg.Connection[Any]) -> set[str]:
    rows = connection.execute("SELECT id::text FROM halls_lease WHERE closed_at IS NULL")
    return {row[0] for row in rows}


def test_two_gates_and_a_phone_in_parallel_never_pass_the_cap(
    committed_cast: Cast, role_urls: dict[Role, str]
) -> None:
    """Three threads, three connections, 60 rounds each; who leaves does so by any door."""
    cast = committed_cast
    doors = {name: DoorPlaces() for name in ("north gate", "south gate", "north phone")}
    lock, inside, worst, admitted = threading.Lock(), set[str](), [0], [0]
    failures: list[BaseException] = []

    def work(name: str, seed: int) -> None:
        random, door = Random(seed), doors[name]
        with psycopg.connect(role_urls[Role.GATEWAY], autocommit=True) as connection:
            for _ in range(60):
                now = cast.clock.monotonic()
                with lock:
                    sent = door.ask(now, want=random.randrange(5))
                reply = converse(connection, cast, name, sent)
                with lock:
                    door.granted(reply, now)
                    for _ in range(random.randrange(4)):
                        lease = new_lease()
                        if door.take(lease, now):
                            inside.add(lease)
                            admitted[0] += 1
                    for _ in range(random.randrange(4)):
                        if inside:
                            lease = random.choice(sorted(inside))
                            inside.discard(lease)
                            door.give_back(lease, now)
                    unused = sum(one.unused(now) for one in doors.values())
                    worst[0] = max(worst[0], len(inside) + unused)

    def guarded(name: str, seed: int) -> None:
        try:
            work(name, seed)
        except BaseException as error:  # noqa: BLE001  # a thread's failure is the test's
            failures.append(error)

    threads = [
        threading.Thread(target=guarded, args=(name, seed)) for seed, name in enumerate(doors)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not failures
    assert worst[0] <= CAP
    assert admitted[0] > 60, "the doors were used"
    with psycopg.connect(role_urls[Role.GATEWAY], autocommit=True) as connection:
        for name, door in [*doors.items(), *doors.items()]:
            talk(connection, cast, name, door)
        assert open_leases(connection) == inside
        held = connection.execute(
            "SELECT sum(standing + lent) + (SELECT count(*) FROM halls_lease"
            " WHERE closed_at IS NULL AND own_of_id IS NULL) FROM halls_door_places"
        ).fetchone()
        assert held is not None
        assert held[0] <= CAP


def test_control_reading_and_then_writing_without_the_lock_passes_the_cap(
    committed_cast: Cast, role_urls: dict[Role, str]
) -> None:
    """Control: 7 inside, two doors read before either writes: 9 inside."""
    cast = committed_cast
    zone = cast.hall.zones.get(code="hall").pk
    insert = (
        "INSERT INTO halls_lease (id, zone_id, entrance, opened_at, closed_by, exit_entrance, told)"
        " VALUES (%s, %s, 'north', %s, '', '', false)"
    )
    count = "SELECT count(*) FROM halls_lease WHERE zone_id = %s AND closed_at IS NULL"
    barrier = threading.Barrier(2)

    def admit() -> None:
        with psycopg.connect(role_urls[Role.GATEWAY], autocommit=True) as connection:
            (inside,) = connection.execute(count, (zone,)).fetchone() or (0,)
            barrier.wait(timeout=10)
            if inside < CAP:
                connection.execute(insert, (new_lease(), zone, cast.clock.now()))

    with psycopg.connect(role_urls[Role.GATEWAY], autocommit=True) as connection:
        for _ in range(CAP - 1):
            connection.execute(insert, (new_lease(), zone, cast.clock.now()))
        threads = [threading.Thread(target=admit) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        assert connection.execute(count, (zone,)).fetchone() == (CAP + 1,)


def test_a_second_door_agrees(committed_cast: Cast, gateway: Any) -> None:
    """North admits three, south reads three; one leaves by the south, north reads two."""
    cast, north, south = committed_cast, DoorPlaces(), DoorPlaces()
    talk(gateway, cast, "north gate", north, want=3)
    leases = [new_lease() for _ in range(3)]
    assert all(north.take(lease, 0) for lease in leases)
    talk(gateway, cast, "north gate", north)
    talk(gateway, cast, "south gate", south)
    assert (north.inside, south.inside, south.cap) == (3, 3, CAP)
    south.give_back(leases[0], 0)
    talk(gateway, cast, "south gate", south)
    talk(gateway, cast, "north gate", north)
    assert (north.inside, south.inside) == (2, 2)


def test_the_same_request_has_the_same_answer_and_lends_once(
    committed_cast: Cast, gateway: Any
) -> None:
    cast, door = committed_cast, DoorPlaces()
    talk(gateway, cast, "north gate", door)
    sent = door.ask(0, want=3)
    first = converse(gateway, cast, "north gate", sent)
    assert first["granted"] == 3
    assert converse(gateway, cast, "north gate", sent) == first
    lent = gateway.execute("SELECT lent, standing FROM halls_door_places").fetchone()
    assert lent == (3, 2)
    with pytest.raises(ConflictError):
        converse(gateway, cast, "north gate", {**sent, "want": 4})
    with pytest.raises(StaleRequestError):
        converse(gateway, cast, "north gate", {**sent, "request": sent["request"] - 1})


def test_an_older_session_is_refused_and_its_door_greets_again(
    committed_cast: Cast, gateway: Any
) -> None:
    cast, door, copy = committed_cast, DoorPlaces(), DoorPlaces()
    talk(gateway, cast, "north gate", door)
    talk(gateway, cast, "north gate", copy)
    with pytest.raises(StaleRequestError):
        converse(gateway, cast, "north gate", door.ask(0))
    door.stale()
    talk(gateway, cast, "north gate", door)
    assert door.unused(0) == 2


def test_who_left_elsewhere_is_told_to_the_door_whose_share_they_used(
    committed_cast: Cast, gateway: Any
) -> None:
    cast, north, south = committed_cast, DoorPlaces(), DoorPlaces()
    talk(gateway, cast, "north gate", north)
    lease = new_lease()
    north.take(lease, 0)
    talk(gateway, cast, "north gate", north)
    south.give_back(lease, 0)
    talk(gateway, cast, "south gate", south)
    assert north.unused(0) == 1
    talk(gateway, cast, "north gate", north)
    assert north.unused(0) == 2
    talk(gateway, cast, "north gate", north)
    assert gateway.execute("SELECT told FROM halls_lease").fetchall() == [(True,)]


def test_plan_values_reach_the_door(committed_cast: Cast, gateway: Any) -> None:
    """cap 6 of 8, share 3, stay 30 min; limited: half of 6 is 3, so nothing more is lent."""
    cast, door = committed_cast, DoorPlaces()
    cast.plan(cast.district, cap__hall=6, standing__north=3, lease__minutes=30)
    talk(gateway, cast, "north gate", door, want=9)
    assert (door.cap, door.standing, door.tickets, door.stay_seconds) == (6, 3, 3, 1800)
    set_state(cast.hall, HallState.LIMITED, reason="test", actor=None, clock=cast.clock)
    other = DoorPlaces()
    talk(gateway, cast, "south gate", other, want=9)
    assert (other.cap, other.unused(0)) == (3, 0)


def test_the_sweep_ends_stays_and_takes_back_what_a_silent_door_had(
    committed_cast: Cast, gateway: Any
) -> None:
    """Stay 30 min, tickets 1 min: a silent door's two tickets come back after 31 minutes."""
    cast, door, other = committed_cast, DoorPlaces(), DoorPlaces()
    cast.plan(cast.town, lease__minutes=30)
    talk(gateway, cast, "north gate", door, want=4)
    door.take(new_lease(), 0)
    door.take(new_lease(), 0)
    talk(gateway, cast, "north gate", door)
    assert len(open_leases(gateway)) == 2
    cast.clock.advance(minutes=29)
    sweep(cast.clock)
    assert len(open_leases(gateway)) == 2
    cast.clock.advance(minutes=1)
    sweep(cast.clock)
    assert not open_leases(gateway)
    lent = "SELECT lent FROM halls_door_places"
    assert gateway.execute(lent).fetchall() == [(2,)]
    cast.clock.advance(minutes=1)
    sweep(cast.clock)
    assert gateway.execute(lent).fetchall() == [(0,)]
    talk(gateway, cast, "south gate", other, want=9)
    assert other.unused(cast.clock.monotonic()) == 6, "8 less the share of the north gate"


def test_closing_ends_every_stay_and_lends_nothing(committed_cast: Cast, gateway: Any) -> None:
    cast, door = committed_cast, DoorPlaces()
    talk(gateway, cast, "north gate", door, want=4)
    door.take(new_lease(), 0)
    talk(gateway, cast, "north gate", door)
    set_state(cast.hall, HallState.CLOSED, reason="消毒", actor=None, clock=cast.clock)
    assert not open_leases(gateway)
    talk(gateway, cast, "north gate", door, want=4)
    assert (door.state, door.unused(0), door.inside) == (HallState.CLOSED, 0, 0)
    set_state(cast.hall, HallState.OPEN, reason="", actor=None, clock=cast.clock)
    talk(gateway, cast, "north gate", door, want=9)
    assert door.unused(0) == CAP


def test_a_door_of_no_hall_is_uncounted(committed_cast: Cast, gateway: Any) -> None:
    cast, door = committed_cast, DoorPlaces()
    with pytest.raises(UncountedError):
        converse(gateway, cast, "nowhere gate", door.ask(0))


def test_closing_time_ends_the_day(committed_cast: Cast, gateway: Any) -> None:
    """hours.closes 17:00 in Shanghai is 09:00 UTC; who came at 16:50 is out at 17:00."""
    cast, door = committed_cast, DoorPlaces()
    cast.plan(cast.town, hours__closes="17:00")
    cast.clock.at = datetime(2022, 6, 8, 8, 50, tzinfo=UTC)
    talk(gateway, cast, "north gate", door, want=1)
    door.take(new_lease(), cast.clock.monotonic())
    talk(gateway, cast, "north gate", door)
    cast.clock.at = datetime(2022, 6, 8, 8, 59, 59, tzinfo=UTC)
    sweep(cast.clock)
    assert len(open_leases(gateway)) == 1
    cast.clock.at = datetime(2022, 6, 8, 9, 0, tzinfo=UTC)
    sweep(cast.clock)
    assert not open_leases(gateway)
    assert gateway.execute("SELECT closed_by FROM halls_lease").fetchall() == [("closing",)]


def test_a_hall_that_closes_while_a_door_waits_lends_nothing(
    committed_cast: Cast, gateway: Any, role_urls: dict[Role, str]
) -> None:
    """The office holds the zone's lock and closes; the door that waited sees it closed."""
    cast, door = committed_cast, DoorPlaces()
    talk(gateway, cast, "north gate", door)
    zone = cast.hall.zones.get(code="hall").pk
    replies: list[dict[str, Any]] = []

    def wait() -> None:
        replies.append(converse(gateway, cast, "north gate", door.ask(0, want=4)))

    with psycopg.connect(role_urls[Role.OFFICE]) as office:
        office.execute("UPDATE halls_zone SET turn = turn + 1 WHERE id = %s", (zone,))
        thread = threading.Thread(target=wait)
        thread.start()
        with psycopg.connect(role_urls[Role.OWNER], autocommit=True) as owner:
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            until = time.monotonic() + 10
            while owner.execute(waiting).fetchone() == (0,) and time.monotonic() < until:
                time.sleep(0.02)
        office.execute("UPDATE halls_hall SET state = 'closed' WHERE id = %s", (cast.hall.pk,))
    thread.join(timeout=10)
    assert [(reply["state"], reply["granted"]) for reply in replies] == [("closed", 0)]
