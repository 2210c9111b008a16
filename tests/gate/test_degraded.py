"""Degraded states: the door admits what it verified, refuses or asks; it never admits on trust.

Each row names what is broken, what stands before the door, and the outcome worked out by hand.
The control is a door that believes what it is shown or told (``naive``): in every row where
something is wrong with the visitor or the server, it would have let them in.
"""

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from passlight.core.codes import base45, envelope
from passlight.core.codes.issuing import Issuer, issue_phone, phone_text
from passlight.core.codes.layout import BODY_LENGTH, Body, Purpose
from passlight.core.kernel.base64url import base64url, from_base64url
from passlight.core.kernel.problem import ProblemError
from passlight.core.rules.admission import Outcome
from passlight.gate.assembly import Gate
from passlight.gate.decision import Decision, Observations
from passlight.gate.devices import Devices
from passlight.gate.ports import Health, Reading
from passlight.gate.spool import FILE, SpoolError
from tests.gate.test_engine import lend
from tests.gate.world import HOUR, REALM, Phone, VirtualClock, World, policy

ADMIT, ASK, REFUSE, ISOLATE = Outcome.ADMIT, Outcome.ASK, Outcome.REFUSE, Outcome.ISOLATE
RED = 13
"""This person is red on the list."""


def naive(text: str) -> Outcome:
    """Return what a door does that reads the colour out of a code and believes it."""
    raw = base45.decode(text.removeprefix("PL1:"))
    if raw is None or len(raw) < BODY_LENGTH:
        return ASK
    return ADMIT if Body.decode(raw[:BODY_LENGTH], purpose=Purpose.PHONE).colour == 1 else REFUSE


@pytest.fixture
def world() -> Iterator[World]:
    world = World(VirtualClock(), restricted={RED: [[0, 2]]})
    yield world
    world.stop_all()


def show(gate: Gate, text: str, **observed: Any) -> Decision:
    return asyncio.run(gate.door.present(text, Observations(**observed)))


@dataclass(frozen=True)
class Row:
    name: str
    before: Callable[[World, Path], tuple[Gate, str]]
    outcome: Outcome
    reason: str
    naive: bool = True
    """Whether a door that believes would have admitted."""


ROWS: list[Row] = []


def row(outcome: Outcome, reason: str, *, naive: bool = True) -> Callable[[Any], Any]:
    def keep(before: Callable[[World, Path], tuple[Gate, str]]) -> Any:
        ROWS.append(Row(before.__name__, before, outcome, reason, naive))
        return before

    return keep


def taught(world: World, folder: Path, **changes: Any) -> Gate:
    gate = world.start(folder, **changes)
    world.teach(gate)
    return gate


@row(ADMIT, "status")
def nothing_is_wrong(world: World, folder: Path) -> tuple[Gate, str]:
    return taught(world, folder), Phone(world, index=7).text()


@row(ASK, "stale")
def the_feed_is_stale(world: World, folder: Path) -> tuple[Gate, str]:
    gate, cold = taught(world, folder), Phone(world, index=RED, lifetime=40)
    world.clock.pass_(3601)
    return gate, cold.text()


@row(ASK, "no-list")
def the_feed_is_missing(world: World, folder: Path) -> tuple[Gate, str]:
    gate = world.start(folder)
    gate.knowledge.take_trust(world.trust())
    gate.knowledge.take_door(world.door())
    gate.keeper.discipline(world.true_now(), as_of=world.true_now(), round_trip=0.1)
    return gate, Phone(world, index=RED).text()


@row(ASK, "no-list")
def only_yesterdays_feed_is_here(world: World, folder: Path) -> tuple[Gate, str]:
    gate = taught(world, folder)
    world.clock.pass_(24 * HOUR)
    return gate, Phone(world, index=RED).text()


@row(ASK, "clock-unsure")
def the_clock_was_never_set(world: World, folder: Path) -> tuple[Gate, str]:
    gate = world.start(folder)
    for take in (
        lambda: gate.knowledge.take_trust(world.trust()),
        lambda: gate.knowledge.take_door(world.door()),
        lambda: gate.knowledge.take_feed(world.feed(), epoch=world.epoch),
    ):
        take()
    return gate, Phone(world, index=7).text()


@row(ASK, "clock-unsure")
def the_clock_is_behind_what_has_passed(world: World, folder: Path) -> tuple[Gate, str]:
    gate = taught(world, folder)
    old = Phone(world, index=7)
    text = old.text()
    gate.state.keep_time(gate.keeper.stored)
    gate.knowledge.store()
    world.cut_power(gate)
    world.clock.pass_(300)
    world.clock.wall -= 400  # the battery was weak: a picture of five minutes ago looks fresh
    return world.start(folder, boot_id="boot-2"), text


@row(ASK, "clock-unsure")
def power_was_cut_on_a_board_without_a_clock(world: World, folder: Path) -> tuple[Gate, str]:
    gate = taught(world, folder, battery_clock=False)
    gate.state.keep_time(gate.keeper.stored)
    gate.knowledge.store()
    world.cut_power(gate)
    return world.start(folder, boot_id="boot-2", battery_clock=False), Phone(world, index=7).text()


@row(ASK, "clock-unsure")
def the_machine_slept(world: World, folder: Path) -> tuple[Gate, str]:
    """The wall clock went on and the monotonic one did not: an old picture would look fresh."""
    gate, phone = taught(world, folder), Phone(world, index=7)
    text = phone.text()
    world.clock.wall += 3000
    return gate, text


@row(ASK, "status")
def the_disk_is_full(world: World, folder: Path) -> tuple[Gate, str]:
    gate = taught(world, folder)
    gate.opened.spool._db.execute("PRAGMA max_page_count = 24")  # SQLite's own "disk is full"
    with pytest.raises(SpoolError, match="full"):
        while True:
            gate.opened.spool.append(lambda _: b"x", key=world.seal_key.public_key)
    return gate, Phone(world, index=7).text()


@row(ASK, "status")
def the_spool_holds_all_it_may(world: World, folder: Path) -> tuple[Gate, str]:
    gate = taught(world, folder)
    gate.opened.spool.rows_max = 0
    return gate, Phone(world, index=7).text()


@row(ASK, "encoding", naive=False)
def the_reader_gives_garbage(world: World, folder: Path) -> tuple[Gate, str]:
    return taught(world, folder), "PL1:" + "\x00码" * 87


@row(ASK, "not-pl1", naive=False)
def the_reader_gives_a_megabyte(world: World, folder: Path) -> tuple[Gate, str]:
    return taught(world, folder), "9" * 1_000_000


@row(ASK, "signature")
def the_code_is_forged(world: World, folder: Path) -> tuple[Gate, str]:
    """Signed by somebody's own key under our key id: green, fresh, well formed."""
    own = Issuer.of_seed(os.urandom(32), realm=REALM, purpose=Purpose.PHONE, slot_code=1)
    forger = Issuer(
        realm=REALM,
        purpose=Purpose.PHONE,
        slot_code=1,
        public_key=own.public_key,
        sign=own.sign,
        kid=world.phone_issuer.kid,
    )
    real = Phone(world, index=7)
    signed = issue_phone(
        forger, colour=1, start=real.start or 0, lifetime=0, sampled_at=None, index=7,
        anchor=real.values[0], tag=0,
    )  # fmt: skip
    return taught(world, folder), phone_text(signed, slot=0, value=real.values[1])


@row(ASK, "repeat")
def the_code_was_shown_before(world: World, folder: Path) -> tuple[Gate, str]:
    gate, text = taught(world, folder), Phone(world, index=7).text()
    assert show(gate, text).admits
    show(gate, Phone(world, index=8).text())
    return gate, text


@row(ASK, "slot-old")
def the_code_is_an_old_picture(world: World, folder: Path) -> tuple[Gate, str]:
    gate, text = taught(world, folder), Phone(world, index=7).text()
    world.clock.pass_(61)
    return gate, text


@row(ASK, "trust-stale")
def the_trust_list_has_expired(world: World, folder: Path) -> tuple[Gate, str]:
    gate = world.start(folder)
    gate.knowledge.take_trust(world.trust(expires_in=HOUR))
    gate.knowledge.take_door(world.door())
    gate.knowledge.take_feed(world.feed(), epoch=world.epoch)
    gate.keeper.discipline(world.true_now(), as_of=world.true_now(), round_trip=0.1)
    world.clock.pass_(HOUR)
    return gate, Phone(world, index=7).text()


def lied_to(world: World, gate: Gate, lie: Callable[[], Any]) -> tuple[Gate, str]:
    """Let the server lie about the red person; the lie must be refused."""
    with pytest.raises(ProblemError):
        lie()
    return gate, Phone(world, index=RED).text()


@row(ISOLATE, "status")
def the_server_forges_the_feed(world: World, folder: Path) -> tuple[Gate, str]:
    gate = taught(world, folder)
    own = Issuer.of_seed(os.urandom(32), realm=REALM, purpose=Purpose.LIST, slot_code=0)
    world.restricted = {}
    forged = world.feed(signer=own, seq=9)
    return lied_to(world, gate, lambda: gate.knowledge.take_feed(forged, epoch=world.epoch))


@row(ISOLATE, "status")
def the_server_changes_a_signed_feed(world: World, folder: Path) -> tuple[Gate, str]:
    gate, made = taught(world, folder), json.loads(world.feed(seq=9))
    said = json.loads(from_base64url(made["payload"]))
    made["payload"] = base64url(json.dumps({**said, "entries": []}).encode())
    changed = json.dumps(made).encode()
    return lied_to(world, gate, lambda: gate.knowledge.take_feed(changed, epoch=world.epoch))


@row(ISOLATE, "status")
def the_server_rolls_the_feed_back(world: World, folder: Path) -> tuple[Gate, str]:
    held, world.restricted = world.restricted, {}
    old = world.feed(seq=1, as_of=world.true_now() - 600)
    world.restricted, world.seq = held, 2
    gate = taught(world, folder)
    return lied_to(world, gate, lambda: gate.knowledge.take_feed(old, epoch=world.epoch))


@row(ISOLATE, "status")
def the_server_rolls_the_feed_back_after_a_restart(world: World, folder: Path) -> tuple[Gate, str]:
    held, world.restricted = world.restricted, {}
    old = world.feed(seq=1, as_of=world.true_now() - 600)
    world.restricted, world.seq = held, 2
    first = taught(world, folder)
    first.knowledge.store()
    first.state.keep_time(first.keeper.stored)
    world.cut_power(first)
    gate = world.start(folder)
    return lied_to(world, gate, lambda: gate.knowledge.take_feed(old, epoch=world.epoch))


@row(ISOLATE, "status")
def the_server_sends_a_feed_of_the_future(world: World, folder: Path) -> tuple[Gate, str]:
    gate = taught(world, folder)
    world.restricted = {}
    future = world.feed(seq=9, as_of=world.true_now() + 61, epoch=world.epoch)
    return lied_to(world, gate, lambda: gate.knowledge.take_feed(future, epoch=world.epoch))


@row(ISOLATE, "status")
def the_server_gives_another_epochs_feed(world: World, folder: Path) -> tuple[Gate, str]:
    gate = taught(world, folder)
    world.restricted = {}
    other = world.feed(seq=9, epoch=world.epoch + 1)
    return lied_to(world, gate, lambda: gate.knowledge.take_feed(other, epoch=world.epoch))


def lax(world: World) -> list[dict[str, Any]]:
    return [policy(role, None, colours=["green", "yellow", "red"]) for role in ("visitor", "staff")]


@row(ISOLATE, "status")
def the_server_forges_the_door_document(world: World, folder: Path) -> tuple[Gate, str]:
    gate = taught(world, folder)
    own = Issuer.of_seed(os.urandom(32), realm=REALM, purpose=Purpose.LIST, slot_code=0)
    made = json.loads(from_base64url(json.loads(world.door())["payload"]))
    raw = json.dumps({**made, "policies": lax(world)}).encode()
    forged = envelope.seal_envelope(raw, kind=envelope.DOOR, signer=own)
    return lied_to(world, gate, lambda: gate.knowledge.take_door(forged))


@row(ISOLATE, "status")
def the_server_gives_an_older_door_document(world: World, folder: Path) -> tuple[Gate, str]:
    old = world.door(made_at=world.true_now() - 86_400, policies=lax(world))
    gate = taught(world, folder)
    return lied_to(world, gate, lambda: gate.knowledge.take_door(old))


@row(ISOLATE, "status")
def the_server_gives_another_doors_document(world: World, folder: Path) -> tuple[Gate, str]:
    gate = taught(world, folder)
    other = world.door(entrance="west", policies=lax(world), made_at=world.true_now() + 30)
    return lied_to(world, gate, lambda: gate.knowledge.take_door(other))


@row(ISOLATE, "status")
def a_policy_has_a_gap(world: World, folder: Path) -> tuple[Gate, str]:
    """A policy that names no outcome for red is refused whole; the former one stays in use."""
    gate = taught(world, folder)
    gapped = policy("visitor", 48)
    del gapped["failures"]["red"]
    bad = world.door(policies=[gapped], made_at=world.true_now() + 30)
    return lied_to(world, gate, lambda: gate.knowledge.take_door(bad))


@row(ASK, "status")
def the_door_document_has_expired(world: World, folder: Path) -> tuple[Gate, str]:
    gate = world.start(folder)
    gate.knowledge.take_trust(world.trust())
    gate.knowledge.take_door(world.door(made_at=world.true_now() - 86_400, days=1))
    gate.knowledge.take_feed(world.feed(), epoch=world.epoch)
    gate.keeper.discipline(world.true_now(), as_of=world.true_now(), round_trip=0.1)
    return gate, Phone(world, index=7).text()


@row(ASK, "trust-stale")
def the_device_is_not_enrolled(world: World, folder: Path) -> tuple[Gate, str]:
    return world.start(folder, stranger=True), Phone(world, index=7).text()


@row(ASK, "status")
def the_office_revoked_the_device(world: World, folder: Path) -> tuple[Gate, str]:
    gate = taught(world, folder)
    gate.state.stop()
    gate.knowledge.store()
    gate.state.keep_time(gate.keeper.stored)
    world.cut_power(gate)
    return world.start(folder), Phone(world, index=7).text()


@row(ASK, "trust-stale")
def every_file_of_knowledge_is_torn(world: World, folder: Path) -> tuple[Gate, str]:
    gate = taught(world, folder)
    gate.knowledge.store()
    gate.state.keep_time(gate.keeper.stored)
    world.cut_power(gate)
    for name in ("trust.json", "door.json", "feeds.json", "floors.json", "time.json"):
        path = folder / name
        path.write_bytes(path.read_bytes()[:-7])
    again = world.start(folder)
    assert len(again.torn) == 5
    return again, Phone(world, index=7).text()


@row(ADMIT, "status")
def the_spool_is_broken(world: World, folder: Path) -> tuple[Gate, str]:
    gate = taught(world, folder)
    gate.knowledge.store()
    gate.state.keep_time(gate.keeper.stored)
    world.cut_power(gate)
    gate.opened.spool.close()
    (folder / FILE).write_bytes(os.urandom(20_000))
    again = world.start(folder)
    assert again.opened.set_aside is not None
    return again, Phone(world, index=7).text()


@row(ASK, "status")
def no_place_is_left_and_the_server_is_away(world: World, folder: Path) -> tuple[Gate, str]:
    world.standing = 1
    gate = taught(world, folder)
    lend(gate, standing=1)
    assert show(gate, Phone(world, index=8).text()).admits
    return gate, Phone(world, index=7).text()


@row(ASK, "clock-unsure")
def five_phones_are_off_by_the_same(world: World, folder: Path) -> tuple[Gate, str]:
    """PL1 7: it is the door's clock then; the sixth visitor is asked for, and not turned away."""
    gate = taught(world, folder)
    for index in range(20, 24):
        text = Phone(world, index=index).text()
        world.clock.pass_(40)
        assert show(gate, text).reason == "slot-old"
        world.clock.pass_(60)
    text = Phone(world, index=24).text()
    world.clock.pass_(40)
    return gate, text


class Dead:
    """A device that never answers."""

    name = "dead"

    async def run(self) -> None:
        await asyncio.Event().wait()

    def health(self) -> Health:
        raise AssertionError("nobody asks on the decision's path")

    async def read(self) -> Reading | None:
        await asyncio.Event().wait()
        return None

    async def open(self, seconds: float) -> bool:
        raise OSError("no such device")


class Fahrenheit(Dead):
    async def read(self) -> Reading | None:
        return Reading(tenths=979, thermometer="t-1")


@row(ASK, "status")
def the_thermometer_is_dead(world: World, folder: Path) -> tuple[Gate, str]:
    return measured(world, folder, Dead())


@row(ASK, "status")
def the_thermometer_means_fahrenheit(world: World, folder: Path) -> tuple[Gate, str]:
    return measured(world, folder, Fahrenheit())


def measured(world: World, folder: Path, thermometer: Any) -> tuple[Gate, str]:
    ask = {"outcome": "ask", "say": {"zh": "体温", "en": "temperature"}, "basis": "setting"}
    for each in world.policies:
        each["temperature"] = {"limit": 373, "required": True}
        each["unobserved"]["temperature"] = ask
        each["failures"]["temperature"] = {**ask, "outcome": "isolate"}
    gate = taught(world, folder, devices=Devices(thermometer=thermometer))
    return gate, Phone(world, index=7).text()


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_a_degraded_door_never_admits_on_trust(case: Row, world: World, tmp_path: Path) -> None:
    gate, text = case.before(world, tmp_path / "door")
    decision = show(gate, text)
    assert (decision.verdict.outcome, decision.reason) == (case.outcome, case.reason)
    if decision.admits:
        assert decision.recorded and decision.answer == "green"
    assert (naive(text) is ADMIT) == case.naive  # the control: belief would have let them in
