"""Places: whatever the network and the power do, a zone's cap is never passed.

The truth is counted by the test's own world (``escrow``): people inside + places any door may
still use. Controls: a naive counter, a door that takes late replies, and a server that takes
tickets back when they expire, each pass the cap.
"""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passlight.core.entry.places import Arrival, ArrivalKind, DoorPlaces, group_leases
from passlight.core.entry.zone_places import TICKET_SECONDS
from passlight.core.places.hall import HallState
from tests.halls.escrow import STAY, STEPS, LateDoor, Server, World, converse

A, B, C = (f"00000000-0000-4000-8000-00000000000{n}" for n in "abc")
number = st.integers(0, 11)


def random_run(seed: int, world: World, steps: int) -> World:
    """Run random steps until the cap is passed, or to the end."""
    random = Random(seed)
    for _ in range(steps):
        world.step(random.choice(STEPS), random.randrange(12), random.randrange(12))
        if world.worst > world.server.cap:
            break
    return world


def new_server(**given: object) -> Server:
    return Server(cap=8, shares={"north": 2, "south": 1, "phone": 0}, **given)  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(STEPS), number, number), max_size=90))
def test_no_order_of_events_passes_the_cap(steps: list[tuple[str, int, int]]) -> None:
    """Interleavings, lost replies, repeats, reordering, silence, restarts, double exits."""
    world = World(server=new_server())
    for step in steps:
        world.step(*step)
        assert world.worst <= world.server.cap, step


def test_long_random_runs_pass_it_never_and_use_it_well() -> None:
    """The same over long runs, which also admit people: an empty hall would be safe, too."""
    admitted = 0
    for seed in range(25):
        world = random_run(seed, World(server=new_server()), 600)
        assert world.worst <= world.server.cap, seed
        admitted += world.admitted
    assert admitted > 25 * 20, "and restarts are frequent here"


def test_control_a_door_that_takes_late_replies_passes_the_cap() -> None:
    """Control: without the rule of the latest request, the same runs find an overshoot."""
    worst = [
        random_run(seed, World(server=new_server(), make_door=LateDoor), 600).worst
        for seed in range(25)
    ]
    assert max(worst) > 8


def test_control_tickets_taken_back_when_they_expire_pass_the_cap() -> None:
    """Control: a silent door may have used its tickets just before; the stay must be over."""
    worst = [
        random_run(seed, World(server=new_server(reclaim_after=TICKET_SECONDS)), 600).worst
        for seed in range(25)
    ]
    assert max(worst) > 8


def test_control_a_server_that_believes_old_sessions_passes_the_cap() -> None:
    """Control: a request of a former process, arriving late, replaces what the door holds."""
    worst = [
        random_run(seed, World(server=new_server(believes_old_sessions=True)), 600).worst
        for seed in range(25)
    ]
    assert max(worst) > 8


def test_control_nothing_held_for_a_door_that_forgot_passes_the_cap() -> None:
    """Control: those whom it let in are still inside."""
    worst = [
        random_run(seed, World(server=new_server(holds_for_the_forgetful=False)), 600).worst
        for seed in range(25)
    ]
    assert max(worst) > 8


def test_control_a_naive_counter_passes_the_cap() -> None:
    """Control: two doors that each read "7 of 8" and admit make 9."""
    inside, cap = 7, 8
    seen = {"north": inside, "south": inside}
    for heard in seen.values():
        inside += heard < cap
    assert inside == 9


def talk(door: DoorPlaces, server: Server, now: float, *, want: int = 0, due: int = 0) -> None:
    converse(door, server, "north", now, want=want, due=due)


def test_a_door_without_network_lives_on_its_standing_share() -> None:
    """2 standing + 3 borrowed: five go in; after the tickets' minute only the share is reused."""
    server, door = new_server(), DoorPlaces()
    assert door.unused(0) == 0, "a door that was never answered holds nothing"
    talk(door, server, 0, want=3)
    assert door.unused(0) == 5
    leases = [f"00000000-0000-4000-8000-00000000010{n}" for n in range(6)]
    assert [door.take(lease, 10) for lease in leases] == [True] * 5 + [False]
    assert set(door.borrowed) == set(leases[:3]), "what expires is used first"
    for lease in leases[:5]:
        door.give_back(lease, 20)
    assert door.unused(20) == 2


def test_tickets_expire_by_the_doors_own_clock_from_when_it_asked() -> None:
    server, door = new_server(), DoorPlaces()
    talk(door, server, 99)
    sent = door.ask(100, want=3)
    assert door.granted(server.receive("north", sent, 100), 140)
    assert door.unused(100 + TICKET_SECONDS - 0.1) == 5
    assert door.unused(100 + TICKET_SECONDS) == 2


def test_taking_and_giving_back_twice_is_once() -> None:
    server, door = new_server(), DoorPlaces()
    talk(door, server, 0)
    assert door.take(A, 1)
    assert door.take(A, 2)
    assert door.unused(2) == 1
    door.give_back(A, 3)
    door.give_back(A, 4)
    assert door.unused(4) == 2
    assert not door.take(A, 5), "a visit that is over does not begin again"


def test_who_left_by_another_door_frees_the_share_they_came_in_on() -> None:
    """North admits on its share, south reports the exit, north hears of it once and confirms."""
    server, north, south = new_server(), DoorPlaces(), DoorPlaces()
    talk(north, server, 0)
    north.take(A, 1)
    north.take(B, 1)
    assert north.unused(1) == 0
    south.give_back(A, 2)
    converse(south, server, "south", 2)
    assert not any(lease.open for lease in server.leases.values()), "the exit came first"
    talk(north, server, 3)
    assert sorted(x for x, lease in server.leases.items() if lease.open) == [B]
    talk(north, server, 4)
    assert north.unused(4) == 1
    talk(north, server, 5)
    talk(north, server, 6)
    assert server.leases[A].told


def test_a_stay_times_out_at_the_door_too() -> None:
    server, door = new_server(), DoorPlaces()
    talk(door, server, 0)
    door.take(A, 1)
    door.take(B, 1)
    assert door.unused(STAY) == 0
    assert door.unused(STAY + 1) == 2


def test_closing_gives_all_places_back() -> None:
    server, door = new_server(), DoorPlaces()
    talk(door, server, 0, want=2)
    door.take(A, 1)
    server.state = HallState.CLOSED
    talk(door, server, 2, want=2)
    assert (door.unused(2), door.tickets, door.take(B, 2)) == (0, 0, False)
    server.state = HallState.OPEN
    talk(door, server, 3)
    assert door.unused(3) == 2
    assert server.doors["north"].charged == 2


def test_what_was_kept_survives_a_power_cut_and_tickets_do_not() -> None:
    server, door = new_server(), DoorPlaces()
    talk(door, server, 0, want=3)
    for lease in (A, B, C):
        door.take(lease, 1)
    door.take("00000000-0000-4000-8000-0000000000dd", 1)
    again = DoorPlaces.from_json(door.to_json(5), 1000)
    assert (again.unused(1000), again.tickets) == (1, 0)
    assert again.report(1000)["admitted"] == [A, B, C]


def test_companions_take_a_place_each_or_none_goes_in() -> None:
    server, door = new_server(), DoorPlaces()
    talk(door, server, 0)
    three, two = group_leases(A, 3), group_leases(A, 2)
    assert three[0] == A
    assert three[:2] == two
    assert len(set(three)) == 3
    assert not door.take_group(three, 1)
    assert door.unused(1) == 2
    assert door.take_group(two, 1)
    assert door.unused(1) == 0


def test_walk_ins_and_early_appointments_leave_the_reserved_places_to_due_ones() -> None:
    """Cap 8, share of north 2, 3 reserved: 8 - 2 - 3 = 3 for walk-ins, then 3 for due ones."""
    server, door = new_server(reserved=3), DoorPlaces()
    talk(door, server, 0, want=6)
    assert door.unused(0) == 5
    talk(door, server, 1, want=1, due=5)
    assert (door.unused(1), door.unused(1, due=True)) == (5, 8)
    for n in range(5):
        assert door.take(f"00000000-0000-4000-8000-00000000020{n}", 2)
    appointment = Arrival(kind=ArrivalKind.APPOINTMENT, due_at=1_000)
    early = appointment.is_due(800, early_seconds=120)
    due = appointment.is_due(880, early_seconds=120)
    assert (early, due) == (False, True)
    assert not door.take(A, 2, due=early)
    assert door.take(A, 2, due=due)
    assert not Arrival().is_due(10**9, early_seconds=120)


def test_a_smaller_share_is_charged_until_the_door_has_said_so() -> None:
    server, door = new_server(), DoorPlaces()
    talk(door, server, 0)
    server.shares["north"] = 0
    sent = door.ask(1)
    reply = server.receive("north", sent, 1)
    assert (reply["standing"], server.doors["north"].charged) == (0, 2)
    door.granted(reply, 1)
    talk(door, server, 2)
    assert server.doors["north"].charged == 0


@pytest.mark.parametrize("lost", [True, False])
def test_a_door_that_forgot_everything_is_charged_until_those_inside_have_timed_out(
    lost: bool,
) -> None:
    """5 lent to the first boot: held for a stay when its state is lost, replaced when kept."""
    server, door = new_server(), DoorPlaces()
    talk(door, server, 0, want=3)
    again = DoorPlaces() if lost else DoorPlaces.from_json(door.to_json(1), 1)
    talk(again, server, 1, want=9)
    assert again.unused(1) == (3 if lost else 8)
    server.sweep(1 + STAY + TICKET_SECONDS)
    talk(again, server, 1 + STAY + TICKET_SECONDS, want=9)
    assert again.unused(1 + STAY + TICKET_SECONDS) == 8
