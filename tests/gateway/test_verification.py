"""Verification over HTTP: seven answers, one reason, from the book (PL1 5 and 6)."""

import uuid
from datetime import timedelta

import pytest

from passlight.runtime.clock import SystemEntropy
from passlight.runtime.sealed import Sealer, Use
from tests.gateway.conftest import Running
from tests.gateway.device import Device, HeldCode
from tests.gateway.office import Office

RULE = "demo@1/confirmed/0"


class Door:
    """A checker at a venue, and a resident with a code."""

    def __init__(self, office: Office, gateway: Running, *, freshness: int = 3600) -> None:
        self.office, self.gateway = office, gateway
        office.add_reason(RULE, "red")
        self.visits = office.add_person(7)
        office.publish(
            7, (None, "green", None), sampled_at=office.clock.now() - timedelta(hours=5, minutes=15)
        )
        self.venue = office.add_venue(freshness=freshness)
        gateway.knows(office)
        self.checker = office.checker(self.venue)
        self.phone = office.resident(7)

    def code(self, *, lifetime: int = 0) -> HeldCode:
        draft = self.phone.draft(lifetime=lifetime)
        answer = self.phone.ask(self.gateway.client, draft)
        assert answer.status_code == 200, answer.text
        return draft

    def scan(self, text: str | None, *, checker: Device | None = None, **given):
        asked = {
            "text": text,
            "venue": self.venue,
            "entrance": "east",
            "interaction": str(uuid.uuid4()),
            **given,
        }
        return (checker or self.checker).post(self.gateway.client, "/v1/verifications", asked)

    def answer(self, text: str | None, **given) -> tuple[str, str]:
        response = self.scan(text, **given)
        assert response.status_code == 200, response.text
        return response.json()["answer"], response.json()["reason"]["code"]

    def now(self):
        return self.gateway.clock.now()


@pytest.fixture
def door(office: Office, gateway: Running) -> Door:
    return Door(office, gateway)


def test_green_then_a_fact_turns_the_same_code_red_in_its_next_slot(door: Door) -> None:
    code = door.code()
    said = door.scan(code.text(door.now())).json()
    # PL1 2.7 by hand: sampled 5 h 15 min ago, counted from the end of its ten minutes.
    assert (said["answer"], said["kind"], said["test_age_hours"]) == ("green", "hot", 5)
    assert said["reason"]["zh"] and said["reason"]["en"] and said["recorded"] is True
    assert said["place"]["venue"]["name"] == "示例大厅"
    # Control: the next slot without a fact is green as well.
    door.gateway.clock.advance(seconds=20)
    door.office.beat()
    door.gateway.knows(door.office)
    assert door.answer(code.text(door.now())) == ("green", "green")
    door.office.publish(7, (None, "red", RULE))
    began = door.gateway.clock.monotonic()
    door.gateway.knows(door.office)
    door.gateway.clock.advance(seconds=20)
    said = door.scan(code.text(door.now())).json()
    assert (said["answer"], said["reason"]["code"]) == ("red", RULE)
    assert said["reason"]["en"] == "Confirmed case, in treatment"
    assert said["advice"]["en"] == "Contact your community"
    assert door.gateway.clock.monotonic() - began - 20 < 2


def test_red_by_time_alone(door: Door) -> None:
    """No message comes at the change; no code may outlive it, so the person is asked for."""
    soon = int(door.now().timestamp()) + 60
    door.office.publish(7, (None, "green", None), (soon, "red", RULE))
    door.gateway.knows(door.office)
    sealer = Sealer(door.office.keys.read("lookup"))

    def ask() -> tuple[str, str]:
        token = sealer.seal(
            Use.SUBJECT,
            ordinal=7,
            checker=door.checker.handle,
            venue=door.venue,
            now=door.now(),
            entropy=SystemEntropy(),
        )
        return door.answer(None, subject_token=token)

    assert ask() == ("green", "green")
    door.gateway.clock.advance(seconds=60)
    assert ask() == ("red", RULE)


def test_the_lookup_opens_for_this_checker_alone(door: Door) -> None:
    said = door.scan(door.code().text(door.now())).json()
    sealer = Sealer(door.office.keys.read("lookup"))
    handle = sealer.open(Use.LOOKUP, said["lookup"], checker=door.checker.handle, now=door.now())
    assert (handle.ordinal, handle.venue) == (7, door.venue)


def test_every_verification_is_recorded_once_with_the_visits_key(door: Door) -> None:
    code = door.code()
    door.answer(code.text(door.now()))
    door.answer("PL1:nonsense")
    rows = door.gateway.until(
        lambda: (
            len(door.office.records("verification")) == 2 and door.office.records("verification")
        )
    )
    assert [(row[2], row[3]) for row in rows] == [(door.visits, "green"), (None, "not-found")]


def test_repeat_within_and_across_interactions(door: Door) -> None:
    code, first = door.code(), str(uuid.uuid4())
    text = code.text(door.now())
    one = door.scan(text, interaction=first).json()
    again = door.scan(text, interaction=first).json()
    assert one == again  # the same reading, the same answer and the same record
    said = door.scan(text).json()
    assert (said["answer"], said["reason"]["code"], said["lookup"]) == (
        "undetermined",
        "repeat",
        None,
    )
    door.gateway.clock.advance(seconds=20)
    assert door.answer(code.text(door.now()))[0] == "green"


def test_old_early_expired_and_foreign_codes(door: Door) -> None:
    code = door.code()
    door.gateway.clock.advance(seconds=60)
    assert door.answer(code.text(door.now(), ahead=-2)) == ("expired", "slot-old")
    assert door.answer(code.text(door.now(), ahead=2)) == ("undetermined", "slot-ahead")
    assert door.answer(code.text(door.now()).lower()) == ("not-found", "not-pl1")
    signed = bytearray(code.signed)
    signed[1] ^= 0x40
    forged = HeldCode(
        start=code.start, lifetime=0, slot_code=1, values=code.values, signed=bytes(signed)
    )
    assert door.answer(forged.text(door.now()))[0] == "not-found"
    text = code.text(door.now(), ahead=-1)
    door.gateway.clock.advance(minutes=11)
    assert door.answer(text) == ("expired", "expired")


def test_closed_unknown_and_withdrawn_people(door: Door) -> None:
    code = door.code()
    door.office.publish(7, state="unknown")
    door.gateway.knows(door.office)
    assert door.answer(code.text(door.now())) == ("expired", "withdrawn")
    door.office.publish(7, state="closed")
    door.gateway.knows(door.office)
    door.gateway.clock.advance(seconds=20)
    assert door.answer(code.text(door.now())) == ("closed", "person-closed")


def test_a_book_older_than_the_venue_allows_is_undetermined_and_says_its_time(
    office: Office, gateway: Running
) -> None:
    door = Door(office, gateway, freshness=300)
    cold = door.code(lifetime=4)
    as_of = gateway.gateway.published.book.as_of
    gateway.clock.advance(seconds=290)
    fresh = door.scan(cold.text(door.now())).json()
    assert (fresh["answer"], fresh["as_of"]) == ("green", as_of.isoformat())
    gateway.clock.advance(seconds=20)
    stale = door.scan(cold.text(door.now())).json()
    assert (stale["answer"], stale["reason"]["code"]) == ("undetermined", "stale")
    assert stale["as_of"] == as_of.isoformat()


def test_a_clock_set_back_is_unsure(door: Door) -> None:
    code = door.code()
    text = code.text(door.now())
    door.gateway.clock.advance(minutes=-1)
    # The device's clock went back with ours, so its proof is good.
    assert door.answer(text)[1] == "clock-unsure"


def test_wrong_venue_entrance_and_role(door: Door) -> None:
    text = door.code().text(door.now())
    other = door.office.add_venue()
    door.gateway.knows(door.office)
    refused = door.scan(text, venue=other)
    assert (refused.status_code, refused.json()["error"]) == (403, "wrong-venue")
    refused = door.scan(text, entrance="west")
    assert (refused.status_code, refused.json()["error"]) == (404, "unknown-venue")
    refused = door.scan(text, checker=door.phone)
    assert (refused.status_code, refused.json()["error"]) == (403, "wrong-role")
    refused = door.scan(None)
    assert (refused.status_code, refused.json()["error"]) == (400, "one-of")
    assert "answer" not in refused.json()


def test_a_venue_out_of_use_is_closed(office: Office, gateway: Running) -> None:
    door = Door(office, gateway)
    code = door.code()
    office.sql("UPDATE venues_venue SET active = false")
    office.sql("NOTIFY passlight_venues")
    gateway.until(lambda: not gateway.gateway.published.venues[door.venue].active)
    assert door.answer(code.text(door.now())) == ("closed", "venue-closed")


def test_a_document_is_answered_from_the_same_book(door: Door) -> None:
    sealer = Sealer(door.office.keys.read("lookup"))

    def token(ordinal: int, *, venue: str = "", checker: str = "") -> str:
        return sealer.seal(
            Use.SUBJECT,
            ordinal=ordinal,
            checker=checker or door.checker.handle,
            venue=venue or door.venue,
            now=door.now(),
            entropy=SystemEntropy(),
        )

    said = door.scan(None, subject_token=token(7)).json()
    assert (said["answer"], said["kind"], said["test_age_hours"]) == ("green", "document", 5)
    assert door.answer(None, subject_token=token(8)) == ("undetermined", "unknown-status")
    for bad in (token(7, venue=str(uuid.uuid4())), token(7, checker="c-2"), "AAAA"):
        refused = door.scan(None, subject_token=bad)
        assert (refused.status_code, refused.json()["error"]) == (400, "bad-subject")
    late = token(7)
    door.gateway.clock.advance(seconds=121)
    assert door.scan(None, subject_token=late).json()["error"] == "bad-subject"
