"""Landing facts: numbers in the order of commit, nothing twice, nothing overwritten.

Goal: whoever has read up to n can rely on never meeting a smaller number (design 3, "Order").
Expected values are counted by hand from what each test hands in.
"""

import threading
import time
from datetime import timedelta

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from passlight.core.facts.fact import Op
from passlight.core.kernel.problem import ProblemError
from passlight.office.facts.actions import land_facts, retract_facts
from passlight.office.facts.models import FactVersion
from passlight.runtime.database import Role
from tests.statuses.moments import HandClock, T, fact


def confirmed(number: int, **more):
    return fact(
        f"cdc:case-{number}",
        "case.confirmed",
        f"p-{number:032x}",
        T - timedelta(hours=2),
        case_id=str(number),
        **more,
    )


def land(*facts, clock=None, batch="b1"):
    return land_facts(facts, batch_id=batch, clock=clock or HandClock())


def test_numbers_without_gaps_and_our_time(db):
    first = land(confirmed(1), confirmed(2))
    assert (first.landed, first.unchanged, first.first_seq, first.last_seq) == (2, 0, 1, 2)
    second = land(confirmed(3))
    assert (second.first_seq, second.last_seq) == (3, 3)
    assert list(FactVersion.objects.order_by("seq").values_list("seq", "recorded_at")) == [
        (1, T),
        (2, T),
        (3, T),
    ]


def test_the_same_fact_three_times_is_one_version(db):
    """E12, within one landing and across landings."""
    assert land(confirmed(1), confirmed(1)).unchanged == 1
    again = land(confirmed(1), clock=HandClock(T + timedelta(hours=1)))
    assert (again.landed, again.unchanged, again.last_seq) == (0, 1, None)
    assert FactVersion.objects.count() == 1


def test_a_feed_without_versions_gets_the_next_one_when_the_content_changes(db):
    land(confirmed(1))
    moved = fact("cdc:case-1", "case.confirmed", f"p-{1:032x}", T - timedelta(hours=3), case_id="1")
    assert land(moved).landed == 1
    assert (
        land(confirmed(1)).landed == 1
    )  # back to what it was: news again, since the last word was another
    assert list(FactVersion.objects.order_by("seq").values_list("ver", flat=True)) == [1, 2, 3]


def test_a_known_version_with_other_content_is_refused_by_name_and_the_rest_lands(db):
    land(confirmed(1, ver=1))
    other = fact(
        "cdc:case-1", "case.confirmed", f"p-{1:032x}", T - timedelta(hours=9), ver=1, case_id="1"
    )
    landing = land(confirmed(2, ver=1), other, confirmed(3, ver=1))
    assert landing.landed == 2
    assert [
        (refusal.position, refusal.problem.params["fact_id"]) for refusal in landing.refused
    ] == [(1, "cdc:case-1")]
    with pytest.raises(ProblemError, match="cdc:case-1 version 1"):
        landing.require_all()
    assert FactVersion.objects.get(fact_id="cdc:case-1").occurred_at == T - timedelta(hours=2)


def test_a_new_number_on_unchanged_content_is_no_news(db):
    land(confirmed(1, ver=1))
    assert land(confirmed(1, ver=2)).unchanged == 1


def test_versions_may_come_in_any_order(db):
    second = fact(
        "cdc:case-1", "case.confirmed", f"p-{1:032x}", T - timedelta(hours=9), ver=2, case_id="1"
    )
    land(second)
    land(confirmed(1, ver=1))
    assert list(FactVersion.objects.order_by("seq").values_list("ver", flat=True)) == [2, 1]


def test_retracting(db):
    land(confirmed(1))
    done = retract_facts(
        ["cdc:case-1", "cdc:case-9"],
        reason="data_error",
        source="cdc",
        batch_id="r",
        clock=HandClock(),
    )
    assert done.landed == 1
    assert [refusal.problem.code for refusal in done.refused] == ["facts.nothing-to-retract"]
    row = FactVersion.objects.get(ver=2)
    assert (row.op, row.kind, row.subject, row.payload) == (
        "retract",
        "case.confirmed",
        f"p-{1:032x}",
        {"reason": "data_error"},
    )
    again = retract_facts(
        ["cdc:case-1"], reason="twice", source="cdc", batch_id="r2", clock=HandClock()
    )
    assert (again.landed, again.unchanged) == (0, 1)


def test_our_time_never_runs_backwards(db):
    clock = HandClock(T)
    land(confirmed(1), clock=clock)
    clock.move(hours=-1)
    land(confirmed(2), clock=clock)
    assert list(FactVersion.objects.order_by("seq").values_list("recorded_at", flat=True)) == [T, T]


def test_a_fact_of_the_future_does_not_land(db):
    """E18: five minutes are tolerated, not a minute more."""
    near = fact("s:1", "case.confirmed", "p-1", T + timedelta(minutes=5), case_id="1")
    far = fact("s:2", "case.confirmed", "p-2", T + timedelta(minutes=5, seconds=1), case_id="2")
    landing = land(near, far)
    assert landing.landed == 1
    assert [refusal.problem.code for refusal in landing.refused] == ["intake.future"]


def test_a_manual_red_without_basis_expiry_and_second_approver_does_not_land(db):
    """E46, at the one door to the log: no caller can go round it."""
    red = fact(
        "manual:1",
        "order.started",
        "p-1",
        T - timedelta(hours=1),
        source="manual",
        order_id="1",
        type="central",
    )
    landing = land(red)
    assert (landing.landed, len(landing.refused)) == (0, 1)
    assert FactVersion.objects.count() == 0


@pytest.mark.parametrize("role", [Role.OFFICE, Role.EVALUATOR, Role.GATEWAY])
def test_nobody_but_the_owner_changes_a_fact(role, role_urls):
    land(confirmed(1))
    with psycopg.connect(role_urls[role], autocommit=True) as other:
        for statement in (
            "update facts_fact set subject = 'p-2'",
            "delete from facts_fact",
            "truncate facts_fact",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                other.execute(statement)
    assert FactVersion.objects.get().subject == f"p-{1:032x}"


def test_a_grant_by_mistake_is_not_enough_to_change_a_fact(role_urls):
    land(confirmed(1))
    with connection.cursor() as cursor:
        cursor.execute("grant update, delete on facts_fact to passlight_office")
    try:
        with psycopg.connect(role_urls[Role.OFFICE], autocommit=True) as other:
            for statement in ("update facts_fact set subject = 'x'", "delete from facts_fact"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                    other.execute(statement)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("revoke update, delete on facts_fact from passlight_office")
    with transaction.atomic():  # control: the trigger lets the owner pass
        assert FactVersion.objects.filter(seq=1).update(batch_id="b9") == 1


def test_the_office_role_can_land(as_role):
    with as_role(Role.OFFICE):
        assert land(confirmed(1)).landed == 1


# Two writers and a reader. A writer takes its numbers, waits, then commits; the reader notes
# what it sees up to the highest number. Meeting a number below one already seen is the fault.


def late_arrivals(url: str, write) -> int:
    """Return how many numbers came to light below a number that had been read before."""
    stop = threading.Event()
    late: set[int] = set()

    def read() -> None:
        seen: set[int] = set()
        with psycopg.connect(url, autocommit=True) as reader:
            while not stop.is_set():
                now = {row[0] for row in reader.execute("select seq from facts_fact")}
                late.update(n for n in now - seen if seen and n < max(seen))
                seen |= now
                time.sleep(0.002)

    watcher = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(name,)) for name in ("a", "b")]
    watcher.start()
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    time.sleep(0.02)
    stop.set()
    watcher.join()
    return len(late)


def test_a_reader_never_meets_a_smaller_number_later(role_urls):
    def write(name: str) -> None:
        for n in range(12):
            with transaction.atomic():
                land_facts(
                    [fact(f"{name}:{n}", "case.confirmed", "p-1", T, case_id=f"{name}{n}")],
                    batch_id=name,
                    clock=HandClock(),
                )
                time.sleep(0.01 if (n + (name == "a")) % 2 else 0)
        connection.close()

    assert late_arrivals(role_urls[Role.OWNER], write) == 0
    assert list(FactVersion.objects.order_by("seq").values_list("seq", flat=True)) == list(
        range(1, 25)
    )


def test_control_without_the_lock_a_reader_does(role_urls):
    """Numbers from a sequence and no lock: who read up to the later meets the smaller one after."""
    with connection.cursor() as cursor:
        cursor.execute("create sequence control_numbers")
    insert = (
        "insert into facts_fact values (nextval('control_numbers'), %s, 1, 'assert',"
        " 'case.confirmed', 'p-1', now(), null, now(), 's', 'b', '{}')"
    )
    owner = role_urls[Role.OWNER]
    try:
        with psycopg.connect(owner) as slow, psycopg.connect(owner) as fast:
            slow.execute(insert, ["slow"])  # takes the smaller number, commits last
            fast.execute(insert, ["fast"])
            fast.commit()
            with psycopg.connect(owner, autocommit=True) as reader:
                seen = reader.execute("select max(seq) from facts_fact").fetchone()[0]
                slow.commit()
                late = reader.execute("select count(*) from facts_fact where seq < %s", [seen])
                assert late.fetchone()[0] == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("drop sequence control_numbers")


def test_one_number_cannot_be_given_twice(db):
    land(confirmed(1))
    row = FactVersion.objects.get()
    row.fact_id = "other"
    with pytest.raises(IntegrityError):
        row.save(force_insert=True)


def test_thousands_a_second(db, record_property):
    facts = [confirmed(n) for n in range(5000)]
    before = time.perf_counter()
    assert land(*facts).landed == 5000
    seconds = time.perf_counter() - before
    record_property("facts_per_second", round(5000 / seconds))
    print(f"{5000 / seconds:,.0f} facts a second")
    assert seconds < 5000 / 1000
    assert Op.ASSERT in set(FactVersion.objects.values_list("op", flat=True).distinct())
