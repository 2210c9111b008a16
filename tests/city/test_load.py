"""A store says at every time of knowledge what ``core.facts`` says: that is the oracle here."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from passlight.city.columns import PAYLOAD_COLUMNS, instant, micros
from passlight.city.load import Loaded, load_facts
from passlight.city.store import FORMAT, MANIFEST, Store, StoreError, open_store
from passlight.core.facts.book import FactBook
from passlight.core.facts.dates import is_dated
from passlight.core.facts.fact import Fact
from passlight.core.facts.history import current_facts
from passlight.core.facts.intake import is_manual
from passlight.core.facts.kinds import KINDS, FieldType, kind_rank
from tests.city.versions import deliveries

NAMES = tuple(KINDS)


@pytest.fixture(scope="module", params=[1, 2])
def loaded(
    request, tmp_path_factory
) -> tuple[list[Fact], FactBook, Loaded, list[tuple[int, str, int]]]:
    """Return deliveries as a book and as a store cut into many ranges and buckets."""
    facts = deliveries(request.param, 300)
    book = FactBook()
    told = [
        (number, fact.fact_id, fact.ver)
        for number, fact in enumerate(facts)
        if book.add(fact) is not None
    ]
    found = load_facts(
        enumerate(facts),
        tmp_path_factory.mktemp("store"),
        persons={*book.persons, "z-without-facts"},
        people_a_bucket=4,
        facts_a_range=150,
    )
    return facts, book, found, told


def instants(facts: list[Fact]) -> list[datetime | None]:
    """Return every time at which knowledge may change, each one microsecond before, and None."""
    recorded = sorted({micros(fact.recorded_at) for fact in facts})
    return [None, *(instant(at - back) for at in recorded for back in (0, 1))]


def column(kind: str, fact: Fact) -> dict[str, Any]:
    """Return the payload of a fact as columns, the way the brief of a store says it."""
    found: dict[str, Any] = dict.fromkeys(PAYLOAD_COLUMNS)
    for name, form in KINDS[kind].fields.items():
        value = fact.payload.get(name)
        if form is FieldType.INSTANT and value:
            found[f"p_{name}"] = micros(datetime.fromisoformat(value).astimezone(UTC))
        elif form is FieldType.NUMBER and value is not None:
            shown = (
                float("inf") if value > 10**309 else float("-inf") if value < -(10**309) else value
            )
            found["p_value_number" if name == "value" else f"p_{name}"] = float(shown)
        elif form is not FieldType.OBJECT and form is not FieldType.INSTANT:
            found[f"p_{name}"] = value
    if is_manual(fact) and fact.payload.get("expires_at"):
        expires = datetime.fromisoformat(fact.payload["expires_at"])
        found["p_expires_at"] = micros(expires.astimezone(UTC))
    if kind == "waiver.granted":
        selector = fact.payload["measure"]
        rules = selector["rule"]
        found["p_waiver_rules"] = [rules] if isinstance(rules, str) else rules
        phase = selector.get("phase")
        found["p_waiver_phase"] = -1 if phase == 10**12 else None if phase is None else int(phase)
        found["p_waiver_fact"] = selector.get("fact")
    return found


def row_of(fact: Fact) -> dict[str, Any]:
    until = fact.occurred_until
    return {
        "subject": fact.subject,
        "fact_id": fact.fact_id,
        "ver": fact.ver,
        "kind": kind_rank(fact.kind),
        "occurred_at": micros(fact.occurred_at),
        "occurred_until": None if until is None else micros(until),
        "recorded_at": micros(fact.recorded_at),
        "source": fact.source,
        "dated": is_dated(fact),
        **column(fact.kind, fact),
    }


def test_at_every_time_of_knowledge_the_same_facts_hold(loaded):
    facts, book, found, _ = loaded
    store = found.store
    connection = duckdb.connect()
    files = [str(store.facts(bucket)) for bucket in store.buckets]
    people = [str(store.people(bucket)) for bucket in store.buckets]
    connection.execute(
        "CREATE TABLE f AS SELECT f.*, subject FROM read_parquet($f, hive_partitioning = false) f"
        " JOIN read_parquet($p, hive_partitioning = false) USING (person)",
        {"f": files, "p": people},
    )
    compared = 0
    wanted_ids = {}
    for known_at in instants(facts):
        held = [
            one for one in current_facts(facts, known_at=known_at) if one.subject in book.persons
        ]
        k = None if known_at is None else micros(known_at)
        rows = connection.execute(
            "SELECT * FROM f WHERE ($k IS NULL OR recorded_at <= $k) AND (superseded_at IS NULL"
            " OR $k < superseded_at) ORDER BY subject, occurred_at, kind, fact",
            {"k": k},
        )
        names = [one[0] for one in rows.description]
        got = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
        held.sort(key=lambda one: (one.subject, one.occurred_at, kind_rank(one.kind), one.fact_id))
        assert len(got) == len(held)
        for row, fact in zip(got, held, strict=True):
            wanted_ids[row["fact"]] = fact.fact_id
            if row["p_waiver_rules"] is not None:
                row["p_waiver_rules"] = json.loads(row["p_waiver_rules"])
            wanted = row_of(fact)
            assert {name: row[name] for name in wanted} == wanted
            compared += 1
    assert compared > 3_000
    # A fact's number orders as its id does.
    assert [name for _, name in sorted(wanted_ids.items())] == sorted(wanted_ids.values())


def test_people_are_numbered_by_their_names_in_buckets(loaded):
    _, book, found, _ = loaded
    store = found.store
    connection = duckdb.connect()
    rows = [
        (bucket, *row)
        for bucket in store.buckets
        for row in connection.execute(
            "SELECT person, subject FROM read_parquet(?, hive_partitioning = false)",
            [str(store.people(bucket))],
        ).fetchall()
    ]
    names = sorted({*book.persons, "z-without-facts"})
    assert rows == [(number // 4, number, name) for number, name in enumerate(names)]
    assert store.people_count == len(names)


def test_contradictions_are_told_as_the_book_tells_them(loaded):
    _, _, found, told = loaded
    assert told
    assert list(found.contradictions) == told


def test_rows_lie_in_the_order_that_readers_rely_on(loaded):
    _, _, found, _ = loaded
    for bucket in found.store.buckets:
        rows = duckdb.execute(
            "SELECT person, occurred_at, kind, fact FROM read_parquet(?)",
            [str(found.store.facts(bucket))],
        ).fetchall()
        assert rows == sorted(rows)


def test_linked_holds_all_facts_of_all_who_were_ever_named(loaded):
    facts, book, found, _ = loaded
    store = found.store
    named = {
        fact.payload[end]
        for fact in facts
        if fact.kind.startswith("identity.") and fact.payload
        for end in ("a", "b")
    }
    linked = dict(duckdb.execute("FROM read_parquet(?)", [str(store.linked_people)]).fetchall())
    assert named & book.persons >= set(linked.values()) > {"p-1"}
    files = [str(store.facts(bucket)) for bucket in store.buckets]
    wanted = duckdb.execute(
        "SELECT * FROM read_parquet($f, hive_partitioning = false) WHERE person IN "
        "(SELECT unnest($n)) ORDER BY ALL",
        {"f": files, "n": list(linked)},
    ).fetchall()
    got = duckdb.execute("FROM read_parquet(?) ORDER BY ALL", [str(store.linked)]).fetchall()
    assert got == wanted


def test_no_facts_make_an_empty_store_with_all_parts(tmp_path):
    store = load_facts([], tmp_path / "none", persons=()).store
    assert (store.people_count, store.manifest.facts, len(store.buckets)) == (0, 0, 0)
    for part in (store.linked, store.linked_people, store.others, store.deliveries, store.asked):
        # All of a result: what is left of it would be in the way of the next test.
        rows = duckdb.execute("SELECT count(*) FROM read_parquet(?)", [str(part)]).fetchall()
        assert rows == [(0,)]
    alone = load_facts([], tmp_path / "one", persons={"p"}).store
    assert (alone.people_count, alone.manifest.facts, len(alone.buckets)) == (1, 0, 1)
    assert not alone.told_of_sources
    # A file says nothing of sources then; a log says that none of them delivered (E47).
    assert Store(alone.folder, replace(alone.manifest, up_to_seq=0)).told_of_sources


def test_a_folder_that_was_not_finished_is_no_store(tmp_path):
    with pytest.raises(StoreError, match="never finished"):
        open_store(tmp_path)
    folder = tmp_path / "store"
    load_facts(enumerate(deliveries(5, 20)), folder)
    assert open_store(folder).manifest.facts > 0
    assert not (folder / ".work").exists()
    manifest = folder / MANIFEST
    manifest.write_text(manifest.read_text().replace(f'"format": {FORMAT}', '"format": 1'))
    with pytest.raises(StoreError, match="another version"):
        open_store(folder)
    manifest.write_text("{")
    with pytest.raises(StoreError, match="cannot be read"):
        open_store(folder)


def test_a_new_load_leaves_nothing_of_the_old_one(tmp_path):
    load_facts(enumerate(deliveries(5, 60)), tmp_path, people_a_bucket=2)
    store = load_facts(enumerate(deliveries(5, 60)[:3]), tmp_path).store
    assert store.manifest.facts <= 3
    assert sorted(one.name for one in (tmp_path / "facts").iterdir()) == ["bucket=000"]


def test_a_load_that_dies_leaves_no_manifest(tmp_path, monkeypatch: Any):
    load_facts(enumerate(deliveries(5, 20)), Path(tmp_path))

    def broken():
        yield from enumerate(deliveries(6, 20))
        raise OSError("the file ends in the middle")

    with pytest.raises(OSError, match="middle"):
        load_facts(broken(), Path(tmp_path))
    with pytest.raises(StoreError):
        open_store(Path(tmp_path))
