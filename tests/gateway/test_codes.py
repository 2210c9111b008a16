"""Codes over HTTP: hot while the book is fresh, cold in reserve, none for an unknown (PL1 3)."""

from datetime import timedelta

from passlight.core.codes import signing
from passlight.core.codes.layout import Body, Purpose
from tests.gateway.conftest import Running
from tests.gateway.office import Office


def test_a_green_person_gets_a_hot_code_that_the_phone_can_check(
    office: Office, gateway: Running
) -> None:
    office.add_person(7)
    sampled = office.clock.now() - timedelta(hours=19)
    office.publish(7, (None, "green", None), sampled_at=sampled)
    gateway.knows(office)
    phone = office.resident(7)
    draft = phone.draft()
    answer = phone.ask(gateway.client, draft)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert [code["kind"] for code in said["codes"]] == ["hot"]
    assert said["status"]["colour"] == "green"
    assert abs(said["now_ms"] / 1000 - office.clock.now().timestamp()) < 5
    # PL1 3.7: signature by the published key, own anchor, start, lifetime, slot code.
    body = Body.decode(draft.signed[:34], purpose=Purpose.PHONE)
    assert (body.colour, body.start, body.lifetime) == (1, draft.start, 0)
    assert body.middle == draft.values[0]
    assert body.test_hours in {18, 19}  # on the 10-minute grid
    trust = gateway.gateway.published.keys.trust
    assert trust is not None
    key = trust.keys[body.kid]
    message = signing.signature_input(
        kid=body.kid,
        context=f"passlight/PL1/phone/{office.realm}".encode(),
        body=draft.signed[:34],
    )
    assert signing.is_signed(message, signature=draft.signed[34:], public_key=key.public_key)


def test_every_code_is_in_the_issue_log_once(office: Office, gateway: Running) -> None:
    visits = office.add_person(7)
    office.publish(7, (None, "green", None))
    gateway.knows(office)
    phone = office.resident(7)
    hot = phone.draft()
    first = phone.ask(gateway.client, hot).json()["codes"]
    # The same chain asked again, because the answer was lost: the same code, not another.
    again = phone.ask(gateway.client, hot).json()["codes"]
    assert first == again
    rows = gateway.until(lambda: office.records("issue"))
    assert len(rows) == 1
    assert rows[0][2] == visits


def test_hot_is_refused_too_soon_and_cold_goes_on(office: Office, gateway: Running) -> None:
    office.publish(7, (None, "green", None))
    gateway.knows(office)
    phone = office.resident(7)
    assert phone.ask(gateway.client, phone.draft()).status_code == 200
    both = phone.ask(gateway.client, phone.draft(), phone.draft(lifetime=4))
    assert both.status_code == 200
    assert [code["kind"] for code in both.json()["codes"]] == ["cold"]
    assert [code["error"] for code in both.json()["refused"]] == ["hot-too-soon"]
    alone = phone.ask(gateway.client, phone.draft())
    assert (alone.status_code, alone.json()["error"]) == (429, "hot-too-soon")
    assert int(alone.headers["Retry-After"]) <= 120
    gateway.clock.advance(minutes=2, seconds=1)
    office.beat()
    gateway.until(lambda: (gateway.gateway.published.book_age(gateway.clock.now()) or 99) < 5)
    assert phone.ask(gateway.client, phone.draft()).json()["codes"][0]["kind"] == "hot"


def test_a_cold_code_is_replaced_three_times_and_a_kill_does_not_reset_that(
    office: Office, gateway: Running, start_gateway
) -> None:
    office.publish(7, (None, "green", None))
    gateway.knows(office)
    phone = office.resident(7)
    for _ in range(4):
        assert phone.ask(gateway.client, phone.draft(lifetime=2)).status_code == 200
    fifth = phone.ask(gateway.client, phone.draft(lifetime=2))
    assert (fifth.status_code, fifth.json()["error"]) == (429, "cold-too-many")
    gateway.stop()
    again = start_gateway()
    again.knows(office)
    fifth = phone.ask(again.client, phone.draft(lifetime=2))
    assert (fifth.status_code, fifth.json()["error"]) == (429, "cold-too-many")


def test_unknown_closed_and_absent_people_get_no_code(office: Office, gateway: Running) -> None:
    office.publish(1, state="unknown")
    office.publish(2, state="closed")
    office.publish(3, (None, "green", None))
    gateway.knows(office)
    for ordinal, status, error in (
        (1, 409, "no-status"),
        (2, 403, "status-closed"),
        (0, 409, "no-status"),
        (4, 409, "no-status"),
        (10**8, 409, "no-status"),
    ):
        phone = office.resident(ordinal)
        answer = phone.ask(gateway.client, phone.draft())
        assert (answer.status_code, answer.json()["error"]) == (status, error), ordinal
        assert set(answer.json()["message"]) == {"zh", "en"}


def test_starts_and_lifetimes_outside_the_range(office: Office, gateway: Running) -> None:
    office.publish(7, (None, "green", None))
    gateway.knows(office)
    phone = office.resident(7)
    minute = phone.draft().start
    for start, lifetime, error in (
        (minute - 2, 0, "start-range"),
        (minute + 1, 0, "start-range"),
        (minute + 1, 4, "start-range"),
        (minute - 2, 4, "start-range"),
        (minute + 30 * 1440, 4, "start-range"),
        (minute, 104, "lifetime"),  # 26 h from now always ends after epoch end + 2 h, but at 04:00
    ):
        if error == "lifetime" and gateway.clock.now().hour == 20:
            continue
        answer = phone.ask(gateway.client, phone.draft(start=start, lifetime=lifetime))
        assert answer.json().get("error") == error, (start - minute, lifetime, answer.text)
        assert "now_ms" in answer.json()
    # The next three epochs, 04:00–05:30 of UTC+8: minutes 0…90 after 20:00Z.
    offset = (20 * 60 - (minute % 1440)) % 1440
    for day, delta, good in (
        (0, 0, True),
        (1, 90, True),
        (2, 0, True),
        (3, 0, False),
        (0, 91, False),
        (0, -1, False),
    ):
        start = minute + offset + day * 1440 + delta
        if offset == 0 and day == 0:
            continue
        answer = phone.ask(gateway.client, phone.draft(start=start, lifetime=4))
        assert (answer.status_code == 200) is good, (day, delta, answer.text)


def test_no_code_outlives_the_next_change_to_a_worse_colour(
    office: Office, gateway: Running
) -> None:
    soon = int(gateway.clock.now().timestamp()) + 300
    office.publish(7, (None, "green", None), (soon, "yellow", "r"))
    # Red that ends is no obstacle: the change is to a better colour.
    office.publish(8, (None, "red", "r"), (soon, "green", None))
    gateway.knows(office)
    phone = office.resident(7)
    refused = phone.ask(gateway.client, phone.draft())
    assert (refused.status_code, refused.json()["error"]) == (409, "change-ahead")
    assert refused.json()["latest_end_ms"] == soon * 1000
    short = phone.draft(lifetime=106)  # two minutes
    assert phone.ask(gateway.client, short).status_code == 200
    other = office.resident(8)
    draft = other.draft()
    assert other.ask(gateway.client, draft).status_code == 200
    assert Body.decode(draft.signed[:34], purpose=Purpose.PHONE).colour == 3


def test_own_status_says_why_and_until_when(office: Office, gateway: Running) -> None:
    office.add_reason("demo@1/confirmed/0", "red")
    until = int(gateway.clock.now().timestamp()) + 86_400
    office.publish(7, (None, "red", "demo@1/confirmed/0"), (until, "green", None))
    gateway.knows(office)
    said = office.resident(7).get(gateway.client, "/v1/me").json()
    assert said["colour"] == "red"
    assert said["reason"] == {
        "key": "demo@1/confirmed/0",
        "zh": "确诊病例，治疗中",
        "en": "Confirmed case, in treatment",
    }
    assert said["next_change"]["colour"] == "green"
    # Time alone brings the change: nothing is published in between.
    gateway.clock.advance(days=1, seconds=5)
    phone = office.resident(7)
    assert phone.get(gateway.client, "/v1/me").json()["colour"] == "green"
