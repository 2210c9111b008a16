"""Accidents and tricks at a door: no wrong colour, nobody let in unverified, nothing lost.

Each outcome is worked out by hand from the policy in world.py (48 h; staff 24 h at the start of
work; red is isolated). Beside each stands the control: the same without the trick.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from passlight.core.kernel.documents import read_document
from passlight.core.rules.admission import Outcome
from passlight.core.verification.answer import DoorAnswer
from passlight.gate.assembly import Gate
from passlight.gate.client import NoAnswerError, RefusedError
from passlight.gate.decision import Decision, Looked, Observations, ask_a_person
from passlight.gate.ports import ShownDocument
from passlight.gate.process import STATUS, DoorProcess
from passlight.gate.spool import FILE
from tests.gate.test_desk import Server, certain, did
from tests.gate.test_engine import lend, records, show
from tests.gate.world import Phone, VirtualClock, World

ADMIT, ASK, REFUSE, ISOLATE = Outcome.ADMIT, Outcome.ASK, Outcome.REFUSE, Outcome.ISOLATE
GUARD = "g-17"


@pytest.fixture
def world() -> Iterator[World]:
    world = World(VirtualClock())
    yield world
    world.stop_all()


def a_door(world: World, folder: Path, *, places: int | None = None, **changes: Any) -> Gate:
    world.standing = places
    gate = world.start(folder, **changes)
    world.teach(gate)
    if places is not None:
        lend(gate, standing=places)
    return gate


def places(gate: Gate) -> int:
    return gate.door.memory.places.unused(gate.keeper.monotonic())


def leave(gate: Gate, text: str | None = None) -> Decision:
    return certain(gate.door.leave(text))


def test_a_copy_is_taken_by_nobody_although_nobody_came_between(
    world: World, tmp_path: Path
) -> None:
    """PL1 5, step 16: 9 s after the first went in, the next shows the same picture."""
    gate = a_door(world, tmp_path / "door")
    text = Phone(world, index=7).text()
    assert show(gate, text).admits
    world.clock.pass_(9)
    copied = show(gate, text)
    assert (copied.verdict.outcome, copied.reason, copied.again) == (ASK, "repeat", False)


def test_a_finding_grows_no_younger_by_a_guards_key(world: World, tmp_path: Path) -> None:
    """Full; the guard presses every 29 s; meanwhile the visitor becomes red. A key is good 30 s."""
    gate = a_door(world, tmp_path / "door", places=1)
    first = Phone(world, index=1)
    show(gate, first.text())
    assert show(gate, Phone(world, index=2).text()).verdict.requirement == "full"
    world.clock.pass_(29)
    assert certain(gate.door.observe(guard=GUARD)).verdict.outcome is ASK  # control: in time
    world.clock.pass_(29)
    assert did(gate.door.observe(guard=GUARD)) is None
    leave(gate, first.text())
    assert did(gate.door.observe(guard=GUARD)) is None and places(gate) == 1


def test_care_and_a_call_never_name_the_visitor_who_went_in_before(
    world: World, tmp_path: Path
) -> None:
    gate = a_door(world, tmp_path / "door", places=5)
    before = show(gate, Phone(world, index=7).text())
    called = certain(gate.door.ask_staff())
    care = certain(gate.door.emergency(guard=GUARD))
    assert (care.admits, care.visit == before.visit, called.visit == before.visit) == (
        True,
        False,
        False,
    )
    assert [row["who"] is None for row in records(world, gate)] == [False, True, True]
    assert places(gate) == 3  # who comes for care takes a place, too
    world.restricted = {8: [[0, 2]]}
    world.seq += 1
    gate.knowledge.take_feed(world.feed(), epoch=world.epoch)
    show(gate, Phone(world, index=8).text())
    certain(gate.door.emergency(guard=GUARD))  # control: who still stands there is who is meant
    assert records(world, gate)[-1]["who"]["index"] == 8


def test_an_exit_gives_back_one_place_and_only_whose_it_is(world: World, tmp_path: Path) -> None:
    gate = a_door(world, tmp_path / "door", places=5)
    phones = [Phone(world, index=index) for index in range(5)]
    for phone in phones:
        assert show(gate, phone.text()).admits
    for _ in range(4):
        leave(gate, "https://example.cn/poster")  # names nobody
    assert places(gate) == 0
    for _ in range(4):
        leave(gate, phones[0].text())  # a reader reads one picture many times
    world.clock.pass_(30)
    leave(gate, phones[0].text())  # and somebody shows it again later
    assert places(gate) == 1
    leave(gate)  # the guard's key: somebody left, whoever it was
    assert places(gate) == 2
    assert [row["kind"] for row in records(world, gate)[5:]] == ["exit"] * 4


def test_who_came_in_on_paper_leaves_on_paper(world: World, tmp_path: Path) -> None:
    gate = a_door(world, tmp_path / "door", places=2)
    show(gate, Phone(world, index=1).text())
    show(gate, "paper:P-1")
    assert certain(gate.door.vouch(guard=GUARD)).admits
    assert leave(gate, "paper:P-2").lease == ""
    assert leave(gate, "paper:P-1").lease and places(gate) == 1


def test_a_card_that_lies_on_the_reader_is_one_visitor(world: World, tmp_path: Path) -> None:
    gate = a_door(world, tmp_path / "door", places=5)

    class Cards(Server):
        async def look_up(self, document: object) -> Looked | None:
            sampled = world.true_now() - 3600
            return Looked(answer=DoorAnswer.GREEN, reason="s", sampled_from=sampled, lookup="abc")

    gate.door._lookup = Cards()

    def laid(number: str) -> Decision:
        card = ShownDocument(document=read_document("resident-id", number), source="id")
        return certain(gate.door.present(card))

    read = [laid("11010519491231002X") for _ in range(3)]
    assert [decision.again for decision in read] == [False, True, True]
    assert (places(gate), len(records(world, gate))) == (4, 1)
    assert not laid("110105194912310038").again  # control: another card is another person
    assert places(gate) == 3


@pytest.mark.parametrize("care", [False, True], ids=["no record", "emergency care"])
def test_work_begins_only_by_an_admission_of_staff(
    world: World, tmp_path: Path, *, care: bool
) -> None:
    """S4 三(二)4: 24 h at the start of work. 30 h would do only after it."""
    world.staff = [7]
    gate = a_door(world, tmp_path / "door")
    if care:
        show(gate, Phone(world, index=7, sampled_hours=60).text())
        assert certain(gate.door.emergency(guard=GUARD)).admits
    else:
        gate.opened.spool.rows_max = 0
        assert not show(gate, Phone(world, index=7, sampled_hours=20).text()).admits
        gate.opened.spool.rows_max = 100
    world.clock.pass_(60)
    later = show(gate, Phone(world, index=7, sampled_hours=30).text())
    assert (later.role, later.verdict.outcome) == ("staff", REFUSE)


@pytest.mark.parametrize("claimed", ["staff", "staff-reentry", "courier", "companion", "boss"])
def test_a_claimed_role_makes_nobody_staff(world: World, tmp_path: Path, claimed: str) -> None:
    gate = a_door(world, tmp_path / "door")
    seen = Observations(role=claimed)
    found = certain(gate.door.present(Phone(world, index=7, sampled_hours=60).text(), seen))
    assert not found.role.startswith("staff") and found.verdict.outcome is REFUSE


def test_what_a_slow_disk_takes_late_is_not_lost(world: World, tmp_path: Path) -> None:
    """The disk hangs while one is let in and the next is red: both are recorded, in order."""
    world.restricted = {13: [[0, 2]]}
    gate = a_door(world, tmp_path / "door")
    lock = gate.opened.spool._lock

    async def meanwhile() -> list[Decision]:
        lock.acquire()
        texts = [Phone(world, index=index).text() for index in (7, 13)]
        found = [await gate.door.present(text) for text in texts]
        lock.release()
        return found

    first, second = asyncio.run(meanwhile())
    gate.door.close()
    assert (first.verdict.outcome, second.verdict.outcome) == (ASK, ISOLATE)
    kinds = [(row["kind"], row["reason"]) for row in records(world, gate)]
    assert sorted(kinds) == [("admit", "status"), ("ask", "late"), ("isolate", "status")]


def test_a_decision_that_is_given_up_admits_nobody_in_the_records(
    world: World, tmp_path: Path
) -> None:
    gate = a_door(world, tmp_path / "door")
    lock = gate.opened.spool._lock

    async def given_up() -> None:
        lock.acquire()
        task = asyncio.create_task(gate.door.present(Phone(world, index=7).text()))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        lock.release()

    asyncio.run(given_up())
    gate.door.close()
    visits = [(row["kind"], row["reason"], row["visit"]) for row in records(world, gate)]
    assert [visit[:2] for visit in visits] == [("admit", "status"), ("ask", "late")]
    assert visits[0][2] == visits[1][2]


def test_an_uplink_that_waits_for_the_disk_stops_no_decision(world: World, tmp_path: Path) -> None:
    gate = a_door(world, tmp_path / "door")
    gate.state.keep_grant("a.b.c")
    lock, uplink = gate.opened.spool._lock, gate.uplink
    assert uplink is not None

    async def meanwhile() -> tuple[float, Decision]:
        lock.acquire()
        threading.Timer(1.2, lock.release).start()
        begun = time.perf_counter()
        telling = asyncio.create_task(uplink.tell())
        await asyncio.sleep(0)
        decision = await gate.door.present(Phone(world, index=7).text())
        taken = time.perf_counter() - begun
        with pytest.raises(NoAnswerError):
            await telling
        return taken, decision

    taken, decision = asyncio.run(meanwhile())
    assert decision.verdict.outcome is ASK  # no record, no admission
    assert taken < 1.0, "the loop stood still with the disk"


def test_a_spool_that_was_removed_under_the_door_admits_nobody(
    world: World, tmp_path: Path
) -> None:
    gate = a_door(world, tmp_path / "door")
    assert show(gate, Phone(world, index=7).text()).admits  # control
    (tmp_path / "door" / FILE).unlink()
    lost = show(gate, Phone(world, index=8).text())
    assert (lost.verdict.outcome, lost.recorded) == (ASK, False)


def test_a_visitor_whose_record_failed_may_try_again(world: World, tmp_path: Path) -> None:
    """The hall is not full, and the door must not say so."""
    gate = a_door(world, tmp_path / "door", places=5)
    text = Phone(world, index=7).text()
    gate.opened.spool.rows_max = 0
    assert show(gate, text).verdict.outcome is ASK
    gate.opened.spool.rows_max = 100
    world.clock.pass_(3)
    assert (show(gate, text).admits, places(gate)) == (True, 4)


def test_a_revoked_device_stays_revoked_through_a_lost_grant_and_a_restart(
    world: World, tmp_path: Path
) -> None:
    gate = a_door(world, tmp_path / "door")
    gate.state.stop("last.upload.grant")
    gate.state.keep_grant("")  # the gateway takes it no longer
    world.cut_power(gate)
    again = world.start(tmp_path / "door", boot_id="boot-2")
    world.teach(again)
    assert show(again, Phone(world, index=7).text()).verdict.outcome is ASK
    again.state.keep_grant("new.grant.given")  # control: the office took it back
    assert not again.state.is_stopped


def test_a_party_too_large_for_a_record_is_asked_for(world: World, tmp_path: Path) -> None:
    gate = a_door(world, tmp_path / "door")
    for people in (21, 10**9):
        phone = Phone(world, index=people % 1000)
        found = certain(gate.door.present(phone.text(), Observations(companions=people)))
        assert found.verdict.outcome is ASK


def test_a_phone_that_goes_on_to_its_next_slot_is_the_same_visitor(
    world: World, tmp_path: Path
) -> None:
    """PL1 2: a slot has 20 s. Whoever stands there for 5 s may show two of them."""
    gate = a_door(world, tmp_path / "door", places=5)
    phone = Phone(world, index=7)
    world.clock.pass_(18)
    first = show(gate, phone.text())
    world.clock.pass_(5)
    later = show(gate, phone.text())
    assert (later.again, later.visit) == (True, first.visit)
    assert (places(gate), len(records(world, gate))) == (4, 1)
    world.clock.pass_(20)
    assert not show(gate, phone.text()).again  # control: later it is a visit of its own


def test_who_turns_red_between_two_slots_is_isolated(world: World, tmp_path: Path) -> None:
    gate = a_door(world, tmp_path / "door", places=5)
    phone = Phone(world, index=7, lifetime=40)
    world.clock.pass_(18)
    assert show(gate, phone.text()).admits
    world.restricted, world.seq = {7: [[0, 2]]}, 2
    gate.knowledge.take_feed(world.feed(), epoch=world.epoch)
    world.clock.pass_(3)
    red = show(gate, phone.text())
    assert (red.verdict.outcome, red.again) == (ISOLATE, False)


def test_a_full_spool_still_takes_whoever_is_isolated(world: World, tmp_path: Path) -> None:
    """Of 40 rows the last two are kept: the 39th admission is asked for, a red is recorded."""
    world.restricted = {99: [[0, 2]]}
    gate = a_door(world, tmp_path / "door", spool_rows=40)
    admitted = [show(gate, Phone(world, index=index).text()).admits for index in range(40)]
    assert admitted == [True] * 38 + [False] * 2
    red = show(gate, Phone(world, index=99).text())
    assert (red.verdict.outcome, red.recorded) == (ISOLATE, True)
    assert records(world, gate)[-1]["kind"] == "isolate"


def test_a_number_of_a_slip_is_ascii(world: World, tmp_path: Path) -> None:
    """The Kelvin sign is a K to whoever ignores case, and no record could keep it."""
    gate = a_door(world, tmp_path / "door")
    assert show(gate, "paper:\u212a1").reason == "not-pl1"
    assert show(gate, "PAPER:K1").recorded  # control


def test_a_copied_device_stays_stopped_through_a_restart_without_network(
    world: World, tmp_path: Path
) -> None:
    gate = a_door(world, tmp_path / "door")
    assert show(gate, Phone(world, index=6).text()).admits  # control
    assert gate.uplink is not None
    asyncio.run(gate.uplink._branched())
    gate.state.keep_grant("new.grant.given")  # the office's grant does not say which is the copy
    world.cut_power(gate)
    again = world.start(tmp_path / "door", boot_id="boot-2")
    world.teach(again)
    stopped = show(again, Phone(world, index=7).text())
    assert (stopped.verdict.outcome, stopped.verdict.say.en) == (
        ASK,
        ask_a_person("broken").say.en,
    )
    world.cut_power(again)
    world.enrol(tmp_path / "door")
    anew = world.start(tmp_path / "door", boot_id="boot-3")
    world.teach(anew)
    assert show(anew, Phone(world, index=8).text()).admits


@pytest.mark.parametrize("beside", [True, False], ids=["in threads", "control: in the loop"])
def test_a_card_that_stalls_stops_no_decision(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, beside: bool
) -> None:
    """The state folder's disk hangs for 1 s while everything of it is being written."""

    async def in_the_loop(do: Callable[..., Any], *given: Any) -> Any:
        return do(*given)

    if not beside:
        monkeypatch.setattr(asyncio, "to_thread", in_the_loop)
    gate = a_door(world, tmp_path / "door")
    process, uplink, lock = DoorProcess(gate), gate.uplink, gate.state.folder.lock
    assert uplink is not None

    async def meanwhile() -> tuple[float, Decision]:
        lock.acquire()
        threading.Timer(1.0, lock.release).start()
        begun = time.perf_counter()
        writing = [
            asyncio.create_task(step)
            for step in (
                uplink.keep(),
                uplink._branched(),
                uplink._explained(RefusedError(401, "grant-bad", {})),
                uplink._stop(RefusedError(403, "pending", {})),
                process._note(),
            )
        ]
        await asyncio.sleep(0)
        gate.door.status.broken = False
        decision = await gate.door.present(Phone(world, index=7).text())
        taken = time.perf_counter() - begun
        await asyncio.gather(*writing)
        return taken, decision

    taken, decision = asyncio.run(meanwhile())
    assert decision.admits
    assert (taken < 0.9) is beside, "the loop stood still with the card"
    assert gate.state.folder.read_json(STATUS) is not None and gate.state.is_forked
