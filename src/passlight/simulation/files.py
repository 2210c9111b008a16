"""The simulated district as files: what agencies would send, and beside it the truth.

============================  ================================================================
``district.json``             size, seed, period, units, venues with entrances, areas
``people.jsonl``              the register: key, name, document, household
``feeds/*.jsonl``             one file a publication; names sort in order of publication
``visits.csv``                every visit, the input of ``passlight trace``
``cases.csv``                 every confirmed case, the input of ``passlight trace``
``truth/facts.jsonl``         what truly happened, for ``passlight evaluate``
``truth/lines.jsonl``         each line of the feeds that is not simply true, and what it is
``truth/reconciliation.json`` for each file what must land, change nothing, be put aside
``truth/colours.jsonl``       everybody's colour at the end, by the seed's three sentences
============================  ================================================================

The same arguments give the same bytes.
"""

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from passlight.simulation.calendar import ZONE, iso
from passlight.simulation.feeds import FeedFile, What, as_line, make_feeds, true_facts
from passlight.simulation.histories import AREAS, Event, listings
from passlight.simulation.venues import VenuePlan
from passlight.simulation.visits import Visit
from passlight.simulation.world import World, true_colours

Progress = Callable[[str, int], object]
INFECTIOUS_BEFORE = timedelta(days=2)  # field/08 3.2


def write_files(world: World, folder: Path, *, progress: Progress | None = None) -> dict[str, int]:
    """Write everything below ``folder`` and return how much of what."""
    tell = progress or (lambda _what, _done: None)
    (folder / "feeds").mkdir(parents=True, exist_ok=True)
    (folder / "truth").mkdir(exist_ok=True)
    _json(folder / "district.json", district_summary(world))
    _lines(folder / "people.jsonl", _people(world))
    _lines(folder / "truth" / "facts.jsonl", true_facts(world.events, seed=world.seed))
    tell("people", len(world.population.residents))
    counts = _write_feeds(world, folder, tell)
    colours = true_colours(world, at=world.period.ends_at)
    rows = ({"subject": key, "colour": colour} for key, colour in sorted(colours.items()))
    _lines(folder / "truth" / "colours.jsonl", rows)
    _write_cases(world, folder / "cases.csv")
    visits = _write_visits(world, folder / "visits.csv", tell)
    return {
        "people": len(world.population.residents),
        "households": world.population.residents[-1].household + 1,
        "venues": len(world.venues),
        "facts": len(world.events),
        **counts,
        "visits": visits,
    }


def district_summary(world: World) -> dict[str, Any]:
    """Return the units, venues, areas and period as JSON."""
    return {
        "seed": world.seed,
        "from": iso(world.period.starts_at),
        "until": iso(world.period.ends_at),
        "people": len(world.population.residents),
        "units": [asdict(unit) for unit in world.population.units],
        "venues": [_venue(plan) for plan in world.venues],
        "areas": [asdict(area) for area in AREAS],
        "listings": [
            {
                "area": listing.area,
                "level": listing.level,
                "from": iso(listing.starts_at),
                "until": None if listing.ends_at is None else iso(listing.ends_at),
            }
            for listing in listings(world.period)
        ],
    }


def feed_files(world: World) -> Iterable[FeedFile]:
    """Return the feed files of ``world`` in order of publication."""
    documents = {person.key: person.document for person in world.population.residents}
    return make_feeds(world.events, documents, period=world.period, seed=world.seed)


def write_feed(file: FeedFile, folder: Path) -> Path:
    """Write one feed file as its agency sends it, and return its path."""
    path = folder / file.name
    _text(path, (line.text for line in file.lines))
    return path


def _write_feeds(world: World, folder: Path, tell: Progress) -> dict[str, int]:
    marked: list[Mapping[str, Any]] = []
    expected: dict[str, Mapping[str, int]] = {}
    files = lines = 0
    for file in feed_files(world):
        write_feed(file, folder / "feeds")
        expected[file.name] = file.reconciliation
        marked += [
            {"file": file.name, "line": n, "what": line.what, "fact_id": line.fact_id}
            for n, line in enumerate(file.lines, 1)
            if line.what is not What.TRUE
        ]
        files += 1
        lines += len(file.lines)
        tell("feed lines", len(file.lines))
    _lines(folder / "truth" / "lines.jsonl", marked)
    _json(folder / "truth" / "reconciliation.json", expected)
    return {"feed_files": files, "feed_lines": lines, "marked_lines": len(marked)}


def _people(world: World) -> Iterable[Mapping[str, Any]]:
    for person in world.population.residents:
        yield {
            "key": person.key,
            "name": person.name,
            "name_en": person.name_en,
            "document": {"type": person.document.type, "number": person.document.number},
            "born": person.born.isoformat(),
            "phone": person.phone,
            "household": person.household,
            "village": person.village,
        }


def _venue(plan: VenuePlan) -> dict[str, Any]:
    return {**asdict(plan.venue), "id": str(plan.venue.id), "unit": plan.unit}


def _write_cases(world: World, path: Path) -> None:
    cases = [event for event in world.events if event.kind == "case.confirmed"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["subject", "case_id", "infectious_from", "isolated_at"])
        for event in sorted(cases, key=lambda event: (event.occurred_at, event.subject)):
            writer.writerow(_case_row(event))


def _case_row(event: Event) -> list[str]:
    since = iso(event.occurred_at - INFECTIOUS_BEFORE)
    return [event.subject, event.payload["case_id"], since, iso(event.occurred_at)]


def _write_visits(world: World, path: Path, tell: Progress) -> int:
    movements, total = world.movements(), 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["subject", "venue", "zone", "entered_at", "left_at"])
        for visits in days_of(world, movements.of_day):
            writer.writerows(_visit_row(visit) for visit in visits)
            total += len(visits)
            tell("visits", len(visits))
    return total


def days_of(world: World, of_day: Callable[[Any], list[Visit]]) -> Iterable[list[Visit]]:
    """Yield the visits of each local day that began and ended inside the period."""
    starts, ends = world.period.starts_at, world.period.ends_at
    day = starts.astimezone(ZONE).date()
    while datetime(day.year, day.month, day.day, tzinfo=ZONE) < ends:
        found = of_day(day)
        yield [v for v in found if starts <= v.entered_at and v.left_at <= ends]
        day += timedelta(days=1)


def _visit_row(visit: Visit) -> list[str]:
    return [
        visit.subject,
        str(visit.venue),
        visit.zone,
        visit.entered_at.isoformat(timespec="seconds"),
        visit.left_at.isoformat(timespec="seconds"),
    ]


def _json(path: Path, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    _text(path, (as_line(row) for row in rows))


def _text(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
