"""Makes a fact store of facts that come one by one, as from a facts file."""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from passlight.city.building import FACTS_A_RANGE, Building, Progress, silent
from passlight.city.columns import micros
from passlight.city.staging import Work, start_work
from passlight.city.store import CROWD, PEOPLE_A_BUCKET, Store
from passlight.city.writing import write_parquet
from passlight.core.facts.fact import Fact

FACTS_A_CHUNK = 500_000
Numbered = tuple[int, Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A store made of delivered facts, and what the deliveries contradicted.

    ``contradictions`` are (number, fact_id, ver) of each delivery that says something else than
    the first one under the same version: the first recorded stands.
    """

    store: Store
    facts: int
    contradictions: tuple[tuple[int, str, int], ...]


def load_facts(
    facts: Iterable[Numbered],
    folder: Path,
    *,
    persons: Collection[str] = (),
    people_a_bucket: int = PEOPLE_A_BUCKET,
    facts_a_range: int = FACTS_A_RANGE,
    crowd: int = CROWD,
    progress: Progress = silent,
) -> Loaded:
    """Return the store of all delivered versions, each with a number of its own (a line's).

    ``persons`` have a line even when no fact here names them; it is read after ``facts``. Whoever
    has more than ``crowd`` versions is told apart (``city.crowded``).
    """
    work = start_work(folder, token=None)
    count = 0
    for number, batch in enumerate(_batches(facts, FACTS_A_CHUNK)):
        _write_chunk(work, number, batch)
        count += len(batch)
        progress("facts", count, 0)
    building = Building(
        work=work,
        folder=folder,
        people_a_bucket=people_a_bucket,
        facts_a_range=facts_a_range,
        crowd=crowd,
        progress=progress,
    )
    named = work.folder / "persons.csv"
    with named.open("w", encoding="utf-8", newline="") as sink:
        sink.writelines(f"{_quoted(person)}\n" for person in persons)
    write_parquet(work.connection, work.persons, work.csv(named, {"subject": "VARCHAR"}))
    store = building.run()
    told = tuple(sorted(building.copies.contradictions))
    return Loaded(store=store, facts=count, contradictions=told)


def _write_chunk(work: Work, number: int, batch: list[Numbered]) -> None:
    path = work.folder / "chunk.csv"
    with path.open("w", encoding="utf-8", newline="") as sink:
        sink.writelines(_line(place, fact) for place, fact in batch)
    work.keep_chunk(number, path, micros=True)


def _line(place: int, fact: Fact) -> str:
    """Return a line of CSV in the order of ``RAW_COLUMNS``: texts quoted, null without quotes."""
    until = "" if fact.occurred_until is None else micros(fact.occurred_until)
    payload = json.dumps(dict(fact.payload), ensure_ascii=False, separators=(",", ":"))
    return (
        f"{place},{_quoted(fact.fact_id)},{fact.ver},{fact.op.value},{fact.kind},"
        f"{_quoted(fact.subject)},{micros(fact.occurred_at)},{until},{micros(fact.recorded_at)},"
        f"{_quoted(fact.source)},{_quoted(payload)}\n"
    )


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _batches(facts: Iterable[Numbered], size: int) -> Iterator[list[Numbered]]:
    left = iter(facts)
    while batch := list(islice(left, size)):
        yield batch
