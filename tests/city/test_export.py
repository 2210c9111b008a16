"""The fact log in PostgreSQL becomes the same store as a file with the same facts."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from passlight.city.export import export_facts
from passlight.city.load import load_facts
from passlight.city.store import MANIFEST, PARTS, Store, StoreError, open_store
from passlight.core.facts.fact import Fact
from passlight.runtime.database import Role
from tests.city.versions import deliveries

FACTS = 120
COLUMNS = (
    "seq, fact_id, ver, op, kind, subject, occurred_at, occurred_until, recorded_at, source, "
    "batch_id, payload"
)


def log() -> list[Fact]:
    """Return versions as the log holds them: each number once, numbered in order."""
    found: dict[tuple[str, int], Fact] = {}
    for fact in deliveries(11, FACTS):
        found.setdefault((fact.fact_id, fact.ver), fact)
    # Every third number is missing, as after a landing that failed.
    return [replace(fact, seq=seq + seq // 2) for seq, fact in enumerate(found.values(), start=1)]


def land(url: str, facts: list[Fact]) -> None:
    command = f"COPY facts_fact ({COLUMNS}) FROM STDIN"
    with psycopg.connect(url) as connection, connection.cursor().copy(command) as copy:
        for one in facts:
            until, text = one.occurred_until, json.dumps(dict(one.payload))
            copy.write_row(
                [
                    *(one.seq, one.fact_id, one.ver, one.op.value, one.kind, one.subject),
                    *(one.occurred_at, until, one.recorded_at, one.source, "b-1", text),
                ]
            )


def contents(store: Store) -> dict[str, list[Any]]:
    return {
        part: duckdb.execute(
            "FROM read_parquet(?, hive_partitioning = true) ORDER BY ALL",
            [str(store.folder / part / "**" / "*.parquet")],
        ).fetchall()
        for part in PARTS
    }


@pytest.fixture
def evaluator(role_urls):
    """Return a connection of the worker's role, in a zone and style that must not matter."""
    land(role_urls[Role.OWNER], log())
    with psycopg.connect(role_urls[Role.EVALUATOR], autocommit=True) as connection:
        connection.execute("SET TIME ZONE 'America/St_Johns'")
        connection.execute("SET datestyle = 'German'")
        yield connection


def from_file(folder: Path, facts: list[Fact], **options: Any) -> Store:
    return load_facts(((one.seq or 0, one) for one in facts), folder, **options).store


class KilledError(Exception):
    """What stops an export in a test."""


@pytest.mark.django_db(transaction=True)
def test_the_log_and_a_file_of_the_same_facts_make_the_same_store(evaluator, tmp_path):
    cut = {"people_a_bucket": 4, "facts_a_range": 50}
    made = export_facts(evaluator, tmp_path / "log", facts_a_chunk=37, **cut)
    wanted = from_file(tmp_path / "file", log(), **cut)
    assert contents(made) == contents(wanted)
    assert made.manifest.up_to_seq == log()[-1].seq
    assert made.manifest.facts > 60
    # What the log knows later is not in it; whoever has no fact has a line when asked for.
    early = log()[len(log()) // 2].seq
    made = export_facts(
        evaluator, tmp_path / "log", up_to_seq=early, persons="SELECT 'quiet, \"one\"'", **cut
    )
    half = [one for one in log() if (one.seq or 0) <= early]
    wanted = from_file(tmp_path / "file", half, persons={'quiet, "one"'}, **cut)
    assert contents(made) == contents(wanted)
    assert made.manifest.up_to_seq == early

    # KilledError at each step in turn, it goes on; a chunk that is whole is not copied again.
    seen: list[tuple[str, int]] = []
    last = log()[-1].seq
    for step in range(200):
        steps = iter(range(step, -1, -1))

        def stop(what: str, done: int, total: int, steps=steps) -> None:
            seen.append((what, done))
            if next(steps) == 0:
                raise KilledError

        try:
            killed = export_facts(
                evaluator,
                tmp_path / "killed",
                up_to_seq=last,
                facts_a_chunk=100,
                progress=stop,
                **cut,
            )
            break
        except KilledError:
            with pytest.raises(StoreError):
                open_store(tmp_path / "killed")
    assert {what for what, _ in seen} == {"facts", "people", "ranges", "versions", "buckets"}
    assert 10 < step < 199
    assert contents(killed) == contents(from_file(tmp_path / "file", log(), **cut))
    assert not (tmp_path / "killed" / ".work").exists()
    assert (tmp_path / "killed" / MANIFEST).exists()
