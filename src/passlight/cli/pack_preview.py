"""``passlight pack preview``: whom a new pack would recolour, from what to what, and why."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import click
from tqdm import tqdm

from passlight.cli.evaluate import Reading, fill_store, open_facts
from passlight.cli.evaluate_city import check_engine, start_engine, store_folder
from passlight.cli.inputs import BadUsageError, read_pack, read_time
from passlight.core.facts.book import FactBook
from passlight.core.kernel.interval import Interval
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.pack import Pack
from passlight.core.rules.schedule import PackSchedule
from passlight.core.rules.terms import Text
from passlight.core.status.evaluate import evaluate
from passlight.core.status.freshness import deliveries_of

EXAMPLES = 5
_ORDER = ("red", "yellow", "green", "unknown", "closed")


class Shown(NamedTuple):
    """What one person shows under one pack: the colour and the rule that it comes from."""

    colour: str
    rule: str | None
    reason: Text | None


class Step(NamedTuple):
    """A change of colour and the rule behind it: one that now holds, or no longer does."""

    was: str
    becomes: str
    rule: str | None
    holds: bool


@dataclass(slots=True)
class Changes:
    """How many people change, by step; a few of them are named for each."""

    people: int = 0
    other_reason: int = 0
    counts: Counter[Step] = field(default_factory=Counter)
    reasons: dict[Step, Text] = field(default_factory=dict)
    examples: dict[Step, list[str]] = field(default_factory=dict)

    def add(self, subject: str, old: Shown, new: Shown) -> None:
        """Count one person."""
        self.people += 1
        if old.colour == new.colour:
            self.other_reason += old.rule != new.rule
            return
        holds = new.rule is not None
        behind = new if holds else old
        step = Step(old.colour, new.colour, behind.rule, holds)
        self.counts[step] += 1
        if behind.reason is not None:
            self.reasons.setdefault(step, behind.reason)
        named = self.examples.setdefault(step, [])
        if len(named) < EXAMPLES:
            named.append(subject)

    def steps(self) -> list[Step]:
        """Return the steps, the gravest new colours first."""
        return sorted(
            self.counts,
            key=lambda one: (_ORDER.index(one.becomes), _ORDER.index(one.was), one.rule or ""),
        )


def after_switch(old: Pack, new: Pack, at: datetime) -> PackSchedule:
    """Return what holds once ``new`` has followed ``old``; open measures go as the new one says."""
    since = old.effective.start or at
    start = min(new.effective.start or at, at)
    if since >= start:
        return PackSchedule.only(new)
    before = old.published(effective=Interval(since, None), published_at=since)
    return PackSchedule.of(
        [before, new.published(effective=Interval(start, None), published_at=start)]
    )


def colours(
    schedule: PackSchedule, book: FactBook, at: datetime, known_at: datetime | None
) -> Iterator[tuple[str, Shown]]:
    """Yield what everyone shows, by the person engine."""
    areas = AreaHistory.of(book.area_facts, schedule.area_codes)
    deliveries = deliveries_of(book.source_facts) or None
    clusters = book.clusters(known_at)
    for subject in tqdm(sorted(book.persons), desc="people", disable=None, file=sys.stderr):
        members = clusters.get(subject, frozenset((subject,)))
        status = evaluate(
            schedule,
            book.versions(members),
            areas=areas,
            known_at=known_at,
            subject=subject,
            members=members,
            deliveries=deliveries,
        ).status(at)
        first = status.reason
        if first is None:
            yield subject, Shown(status.colour.value, None, None)
        else:
            rule = f"{first.rule.id}/{first.phase.index}"
            yield subject, Shown(status.colour.value, rule, first.phase.reason)


def city_colours(
    folder: Path, engine: str, schedule: PackSchedule, at: datetime, known_at: datetime | None
) -> Iterator[tuple[str, Shown]]:
    """Yield what everyone shows, set-based, over the fact store in ``folder``."""
    from passlight.city.evaluate import evaluate_full
    from passlight.city.store import open_store

    store = open_store(folder)
    running = start_engine(engine, store)
    try:
        with tqdm(
            total=store.people_count, desc="people", disable=None, file=sys.stderr
        ) as progress:
            for _, row in evaluate_full(running, store, schedule, [(at, known_at)]):
                progress.update()
                first = row.measures[0] if row.measures else None
                rule = f"{first.rule}/{first.phase}" if first is not None else None
                reason = first.reason if first is not None else None
                yield row.subject, Shown(row.colour.value, rule, reason)
    finally:
        running.close()


def compare(before: Iterable[tuple[str, Shown]], after: Iterable[tuple[str, Shown]]) -> Changes:
    """Return the changes between two lists of the same people in the same order."""
    changes = Changes()
    for (subject, old), (_, new) in zip(before, after, strict=True):
        changes.add(subject, old, new)
    return changes


@click.command("preview")
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--old", required=True, type=click.Path(path_type=Path), help="The pack in force.")
@click.option("--facts", required=True, help="Facts file (JSON Lines), or - for standard input.")
@click.option("--at", "at_text", required=True, help="The instant to compare, with an offset.")
@click.option("--known-at", "known_text", help="What was known then; without it, everything.")
@click.option(
    "--engine",
    type=click.Choice(["person", "duckdb", "spark"]),
    default="person",
    show_default=True,
    help="person takes one after the other; duckdb and spark take everybody at once.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
def command(
    new: Path,
    old: Path,
    facts: str,
    at_text: str,
    known_text: str | None,
    engine: str,
    as_json: bool,
) -> None:
    """Say how many people the pack NEW would recolour: from what, to what, and why.

    Exit status 1 means that lines of the facts file were left out; each is told on standard error.
    """
    try:
        at = read_time(at_text, "--at")
        known_at = read_time(known_text, "--known-at") if known_text else None
        before, after = read_pack(old), read_pack(new)
        check_engine(engine)
        reading = Reading()
        schedules = (PackSchedule.only(before), after_switch(before, after, at))
        changes = _changes(engine, facts, schedules, at, known_at, reading)
    except BadUsageError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    if as_json:
        told = {"old": before.key, "new": after.key, "at": at.isoformat(), **_as_json(changes)}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for line in _lines(changes):
            click.echo(line)
    sys.exit(1 if reading.refused else 0)


def _changes(
    engine: str,
    facts: str,
    schedules: tuple[PackSchedule, PackSchedule],
    at: datetime,
    known_at: datetime | None,
    reading: Reading,
) -> Changes:
    """Return what changes from one schedule to the other; ``reading`` counts the refused lines."""
    if engine == "person":
        found = open_facts(facts)
        reading.refused = found.refused
        old, new = (colours(one, found.book, at, known_at) for one in schedules)
        return compare(old, new)
    with store_folder(None) as folder:
        fill_store(folder, facts, reading)
        # Spark has one session a process, so the first answer is kept while the second runs.
        shown = dict(city_colours(folder, engine, schedules[0], at, known_at))
        return compare(shown.items(), city_colours(folder, engine, schedules[1], at, known_at))


def _as_json(changes: Changes) -> dict[str, Any]:
    return {
        "people": changes.people,
        "changed": changes.counts.total(),
        "other_reason": changes.other_reason,
        "changes": [
            {
                "from": step.was,
                "to": step.becomes,
                "count": changes.counts[step],
                "rule": step.rule,
                "holds": step.holds,
                "reason": changes.reasons[step].to_json() if step in changes.reasons else None,
                "examples": changes.examples[step],
            }
            for step in changes.steps()
        ],
    }


def _lines(changes: Changes) -> Iterator[str]:
    changed = changes.counts.total()
    yield f"{changed} of {changes.people} people change."
    for step in changes.steps():
        why = "no rule"
        if step.rule is not None:
            text = changes.reasons[step]
            verb = "holds" if step.holds else "no longer holds"
            why = f"{step.rule} {verb}: {text.zh} {text.en}"
        yield f"  {changes.counts[step]:>8}  {step.was} → {step.becomes}  {why}"
    if changes.other_reason:
        yield f"{changes.other_reason} of those who keep their colour have it for another reason."
