"""The spool and its draining: durable, bounded, exactly once, nothing dropped silently."""

import asyncio
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from passlight.journal.drain import Drainer
from passlight.journal.entry import ConflictError, Entry, FullError
from passlight.journal.spool import Spool
from passlight.runtime.clock import SystemClock
from passlight.runtime.database import Role


class Clock(SystemClock):
    by = timedelta(0)

    def now(self):
        return super().now() + self.by


def entry(key: str, claim: str = "a", **given: Any) -> Entry:
    fields: dict[str, Any] = {
        "kind": "checkin",
        "actor": "r-1",
        "occurred_at": SystemClock().now(),
        "claim": {"token": claim},
        "payload": {"n": 1},
        **given,
    }
    return Entry(key=key, **fields)


@pytest.fixture
def spool(tmp_path: Path):
    made = Spool(tmp_path / "spool", clock=Clock())
    yield made
    made.close()


def test_the_same_is_acknowledged_again_and_something_else_is_a_conflict(spool: Spool) -> None:
    first, again = spool.append_now(entry("k")), spool.append_now(entry("k"))
    assert (first.repeated, again.repeated) == (False, True)
    assert first.acknowledged_at == again.acknowledged_at
    for other in (entry("k", "b"), entry("k", actor="r-2"), entry("k", kind="report")):
        with pytest.raises(ConflictError):
            spool.append_now(other)
    assert spool.waiting == 1


def test_what_we_added_does_not_make_a_repetition_a_conflict(spool: Spool) -> None:
    spool.append_now(entry("k"))
    assert spool.append_now(entry("k", payload={"n": 2}, fields={"answer": "red"})).repeated


def test_many_senders_share_a_commit(tmp_path: Path) -> None:
    spool = Spool(tmp_path, clock=Clock())
    groups: list[int] = []
    original = spool._commit
    spool._commit = lambda batch: (groups.append(len(batch)), original(batch))[1]

    async def send() -> None:
        await asyncio.gather(*(spool.append(entry(f"k{n}")) for n in range(300)))

    asyncio.run(send())
    assert sum(groups) == 300
    assert len(groups) < 100
    spool.close()


def test_a_reopened_spool_remembers(tmp_path: Path) -> None:
    spool = Spool(tmp_path, clock=Clock())
    spool.append_now(entry("k", note="hot"))
    spool.append_now(entry("l"))
    spool.mark_drained([spool.pending(1)[0].seq])
    spool.close()
    again = Spool(tmp_path, clock=Clock())
    assert [stored.key for stored in again.pending(10)] == ["l"]
    assert again.waiting == 1
    assert again.append_now(entry("k", note="hot")).repeated  # drained, and still recognised
    since = SystemClock().now() - timedelta(hours=1)
    assert [(a, n) for a, n, _ in again.noted("checkin", since=since)] == [("r-1", "hot")]
    again.close()


def test_drained_keys_go_after_their_window(tmp_path: Path) -> None:
    clock = Clock()
    spool = Spool(tmp_path, clock=clock, keep=timedelta(days=7))
    spool.append_now(entry("old"))
    spool.mark_drained([1])
    clock.by = timedelta(days=8)
    spool.append_now(entry("new"))
    spool.mark_drained([2])
    assert not spool.append_now(entry("old")).repeated
    assert spool.append_now(entry("new")).repeated
    spool.close()


def test_a_full_spool_refuses_and_keeps_what_it_has(tmp_path: Path) -> None:
    spool = Spool(tmp_path, clock=Clock(), limit_bytes=256 * 1024)
    kept: list[str] = []
    with pytest.raises(FullError):
        for number in range(10_000):
            spool.append_now(entry(f"k{number}", payload={"x": "y" * 500}))
            kept.append(f"k{number}")
    assert kept
    assert spool.append_now(entry("k0", payload={})).repeated  # a repetition takes no room
    # Draining makes room again, by hand of nobody.
    pending = spool.pending(10_000)
    assert [stored.key for stored in pending] == kept
    spool.mark_drained([stored.seq for stored in pending])
    assert not spool.append_now(entry("after")).repeated
    assert [stored.key for stored in spool.pending(10)] == ["after"]
    spool.close()


def row(key: str, **given: Any) -> Entry:
    fields = {"venue_id": None, "entrance": "east", "answer": "green"}
    return entry(key, fields=fields, **given)


@pytest.fixture
def drained(spool: Spool, installation: Any):
    """Return a function that empties the spool and returns the table's keys and payloads."""
    drainer = Drainer(spool, url=lambda: installation.urls[Role.GATEWAY], gateway="g-1")

    def drain() -> list[tuple[str, dict[str, Any]]]:
        with psycopg.connect(installation.urls[Role.GATEWAY]) as connection:
            while batch := spool.pending(100):
                drainer.drain(connection, batch)
        with psycopg.connect(installation.urls[Role.OWNER]) as owner:
            return owner.execute("SELECT key, payload FROM records_record ORDER BY key").fetchall()

    return drain


def test_a_batch_that_was_stored_but_not_marked_is_stored_once(spool: Spool, drained: Any) -> None:
    spool.append_now(row("k"))
    mark = spool.mark_drained
    spool.mark_drained = lambda seqs: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):  # killed between commit and mark
        drained()
    spool.mark_drained = mark
    assert [key for key, _ in drained()] == ["k"]
    assert spool.waiting == 0


def test_a_key_that_another_gateway_used_for_something_else_loses_nobody(
    spool: Spool, drained: Any, installation: Any, tmp_path: Path
) -> None:
    spool.append_now(row("k"))
    spool.append_now(row("same"))
    drained()
    other = Spool(tmp_path / "other", clock=Clock())
    other.append_now(row("k", claim={"token": "b"}, payload={"n": 9}))
    other.append_now(row("same"))
    drainer = Drainer(other, url=lambda: "", gateway="g-2")
    with psycopg.connect(installation.urls[Role.GATEWAY]) as connection:
        drainer.drain(connection, other.pending(10))
    other.close()
    assert drained() == [
        ("k", {"n": 1}),
        ("k#g-2-1", {"n": 9, "conflicts_with": "k"}),
        ("same", {"n": 1}),
    ]


def test_what_the_table_cannot_take_is_set_aside_alone(spool: Spool, drained: Any) -> None:
    for number in range(5):
        spool.append_now(row(f"k{number}"))
    spool.append_now(entry("bad", fields={"answer": "purple"}))
    spool.append_now(row("last"))
    assert [key for key, _ in drained()] == ["k0", "k1", "k2", "k3", "k4", "last"]
    assert (spool.waiting, spool.set_aside) == (0, 1)


def test_the_drainer_goes_on_when_the_database_comes_back(spool: Spool, installation: Any) -> None:
    away = threading.Event()

    def url() -> str:
        if not away.is_set():
            return "postgresql://nobody@127.0.0.1:1/none"
        return installation.urls[Role.GATEWAY]

    drainer = Drainer(spool, url=url, gateway="g-1")
    drainer.start()
    spool.append_now(row("k"))
    assert spool.waiting == 1
    away.set()
    deadline = threading.Event()
    for _ in range(400):
        if spool.waiting == 0:
            break
        deadline.wait(0.05)
    drainer.stop()
    with psycopg.connect(installation.urls[Role.OWNER]) as owner:
        stored = owner.execute("SELECT key, gateway, payload FROM records_record").fetchall()
    assert stored == [("k", "g-1", {"n": 1})]
    assert json.dumps(stored[0][2]) == '{"n": 1}'
