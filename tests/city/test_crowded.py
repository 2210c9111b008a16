"""People with more facts than SQL should hold at once: told apart, with the same bytes.

The stores here are made with a low limit, so that many people of a world are above it and others
are below; the oracle is the person evaluator over the facts themselves, not over the store.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from passlight.city.columns import FACT_COLUMNS
from passlight.city.crowded import fact_of
from passlight.city.duckdb_engine import DuckEngine
from passlight.city.evaluate import evaluate_compact, told_lines
from passlight.city.load import load_facts
from passlight.city.store import CROWD, Store
from passlight.core.facts.fact import Fact, Op
from passlight.core.facts.kinds import KINDS, FactKind, FieldType
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.core.status.line import status_line
from tests.city.differential import CHANGES, differences, pack, schedule, shipped
from tests.city.generator import World, make_world
from tests.city.test_compact import SCHEDULES as COMPACT
from tests.city.test_compact import given, wanted

LOW = 6
START = datetime(2021, 8, 20, tzinfo=UTC)


def store_of(world: World, folder: Path, *, crowd: int, people_a_bucket: int = 1_000) -> Store:
    """Return the store of a world in which whoever has more than ``crowd`` versions is crowded."""
    return load_facts(
        enumerate(world.facts),
        folder,
        persons=world.book.persons,
        people_a_bucket=people_a_bucket,
        crowd=crowd,
    ).store


@pytest.mark.parametrize("name", [*shipped(), *(f"change:{one}" for one in CHANGES)])
def test_whoever_is_crowded_is_told_the_same(name: str, tmp_path: Path) -> None:
    world = make_world(schedule(name), people=30, seed=5, moments=4, knowledge=2)
    store = store_of(world, tmp_path / "store", crowd=LOW)
    crowded = duckdb.read_parquet(str(store.crowded)).fetchall()
    assert 4 < len(crowded) < len(world.book.persons) - 4, "some of both are there"
    engine = DuckEngine(threads=1)
    told = [
        (moment, line)
        for moment, _, line in told_lines(engine, store, world.schedule, world.moments)
    ]
    engine.close()
    points, differing = differences(world, told)
    assert points >= 30
    assert not differing, "\n".join(differing)


@pytest.mark.parametrize("name", COMPACT)
def test_compact_rows_of_the_crowded_are_the_same(name: str, tmp_path: Path) -> None:
    world = make_world(COMPACT[name](), people=30, seed=12, moments=2, knowledge=2)
    store = store_of(world, tmp_path / "store", crowd=LOW, people_a_bucket=16)
    plain = store_of(world, tmp_path / "plain", crowd=CROWD, people_a_bucket=16)
    engine = DuckEngine(threads=1)
    for number, (at, known_at) in enumerate(world.moments):
        ask = {"at": at, "known_at": known_at}
        out, other = tmp_path / f"out-{number}", tmp_path / f"plain-{number}"
        files = evaluate_compact(engine, store, world.schedule, **ask, out_folder=out)
        others = evaluate_compact(engine, plain, world.schedule, **ask, out_folder=other)
        assert given(files) == wanted(world, (at, known_at))
        assert sampled(engine, files) == sampled(engine, others)
    engine.close()


def sampled(engine: DuckEngine, files: list[Path]) -> list[tuple[object, ...]]:
    names = [str(path) for path in files]
    asked = "SELECT person, sampled_at FROM read_parquet(?) ORDER BY person"
    return engine.connection.execute(asked, [names]).fetchall()


def about(subject: str, number: int, minutes: int) -> Fact:
    """Return a contact or a negative test, in turns."""
    at = START + timedelta(minutes=minutes)
    contact = number % 2 == 0
    return Fact(
        fact_id=f"{subject}:{number}",
        ver=1,
        op=Op.ASSERT,
        kind="exposure.assessed" if contact else "lab.result",
        subject=subject,
        occurred_at=at,
        occurred_until=None,
        recorded_at=at + timedelta(hours=1),
        source="agency",
        payload={"class": "close", "case_id": "c"} if contact else {"value": "neg"},
    )


@pytest.mark.parametrize("crowd", [CROWD, 1_000_000])
def test_a_flood_under_one_number_ends_nothing(crowd: int, tmp_path: Path) -> None:
    """A number that stands for nobody: 6,000 facts about one "person", in 400 MB."""
    flood = [about("000000", number, 10 * number) for number in range(6_000)]
    facts = [*flood, *(about(f"p-{number}", number, 100 * number) for number in range(200))]
    store = load_facts(enumerate(facts), tmp_path / "store", crowd=crowd).store
    engine = DuckEngine(threads=1, memory="400MB")
    schedule = PackSchedule.only(pack("jiangsu-2021"))
    at = START + timedelta(days=42)
    ask = told_lines(engine, store, schedule, [(at, None)])
    if crowd > len(facts):
        with pytest.raises(duckdb.OutOfMemoryException):
            list(ask)  # the control: SQL alone does not get through
        return
    told = {json.loads(line)["subject"]: line for _, _, line in ask}
    engine.close()
    assert len(told) == 201
    status = evaluate(schedule, flood, subject="000000").status(at)
    assert len(status.measures) > 100, "there is something to tell"
    assert told["000000"] == status_line(status)


@pytest.mark.parametrize(("seconds", "colour"), [(-1, "red"), (0, "green")])
def test_a_retraction_counts_from_the_moment_at_which_it_was_known(
    seconds: int, colour: str, tmp_path: Path
) -> None:
    """By hand: a close contact is red; known at or after the retraction, nothing is left of it."""
    contact = about("p", 0, 0)
    taken_back = replace(
        contact, ver=2, op=Op.RETRACT, recorded_at=contact.recorded_at + timedelta(hours=5)
    )
    store = load_facts(
        enumerate([contact, taken_back]), tmp_path / "store", persons={"p"}, crowd=0
    ).store
    known_at = taken_back.recorded_at + timedelta(seconds=seconds)
    engine = DuckEngine(threads=1)
    schedule = PackSchedule.only(pack("jiangsu-2021"))
    told = told_lines(engine, store, schedule, [(START + timedelta(days=1), known_at)])
    assert [json.loads(line)["colour"] for _, _, line in told] == [colour]
    engine.close()


def test_a_kind_that_is_not_known_ends_nothing(tmp_path: Path) -> None:
    """By hand: a log of a later version holds a kind of its own; the contact is red all the same."""
    contact = about("p", 0, 0)
    newer = replace(about("p", 1, 5), kind="later.kind", payload={})
    store = load_facts(enumerate([contact, newer]), tmp_path / "store", crowd=0).store
    engine = DuckEngine(threads=1)
    schedule = PackSchedule.only(pack("jiangsu-2021"))
    told = told_lines(engine, store, schedule, [(START + timedelta(days=1), None)])
    assert [json.loads(line)["colour"] for _, _, line in told] == ["red"]
    engine.close()


def test_a_fact_comes_back_from_the_store_with_all_that_rules_read(tmp_path: Path) -> None:
    """Every kind, every field it knows, and a waiver's three words; the oracle is what went in."""
    sent = [every_field(kind) for kind in KINDS.values() if not kind.name.startswith("area.")]
    sent = [fact for fact in sent if fact.about_person]
    store = load_facts(enumerate(sent), tmp_path / "store").store
    columns = list(FACT_COLUMNS)
    asked = f"SELECT {', '.join(columns)} FROM read_parquet(?)"
    rows = duckdb.execute(asked, [str(store.facts(0))]).fetchall()
    found = [fact_of(dict(zip(columns, row, strict=True)), "p") for row in rows]
    assert sorted(found, key=lambda one: one.fact_id) == sorted(sent, key=lambda one: one.fact_id)


def every_field(kind: FactKind) -> Fact:
    """Return a fact of a kind in which every field says something."""
    values = {
        FieldType.TEXT: "text",
        FieldType.AREA: "320106",
        FieldType.NUMBER: 37.5,
        FieldType.FLAG: True,
        FieldType.INSTANT: (START + timedelta(hours=3)).isoformat(),
    }
    payload = {name: values[form] for name, form in kind.fields.items() if form in values}
    payload |= {"precision": "date", "expires_at": values[FieldType.INSTANT]}
    if kind.name == "waiver.granted":
        payload["measure"] = {"rule": ["close-contact"], "phase": 1, "fact": "f"}
    about_source = kind.name.startswith("source.")
    return Fact(
        fact_id=kind.name,
        ver=1,
        op=Op.ASSERT,
        kind=kind.name,
        subject="source:lab" if about_source else "p",
        occurred_at=START,
        occurred_until=START + timedelta(days=1),
        recorded_at=START + timedelta(hours=1),
        source="manual:desk",
        payload=payload,
    )
