"""``passlight evaluate``: the colours of everyone in a facts file, without a database."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

import click
from tqdm import tqdm

from passlight.cli.inputs import (
    BadUsageError,
    check_target,
    complain,
    read_pack,
    read_points,
    read_time,
    unreadable,
)
from passlight.core.facts.book import FactBook
from passlight.core.facts.form import parse_line
from passlight.core.facts.intake import check_future
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.pack import Pack
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.core.status.freshness import deliveries_of
from passlight.core.status.line import status_line

_BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Reading:
    """What a facts file gave: the book, and how many of its lines were refused."""

    book: FactBook = field(default_factory=FactBook)
    facts: int = 0
    refused: int = 0

    def refuse(self, problems: Iterable[Problem]) -> None:
        """Say on standard error what is wrong with one line, in one line."""
        self.refused += 1
        complain(problems)


def read_facts(lines: Iterable[bytes], *, name: str) -> Reading:
    """Return the facts of a file; every bad line is told on standard error and left out."""
    reading = Reading()
    for number, raw in enumerate(lines, start=1):
        line = (raw.removeprefix(_BOM) if number == 1 else raw).strip()
        if not line:
            continue
        try:
            fact = parse_line(line, file=name, number=number)
        except ProblemError as error:
            reading.refuse(error.problems)
            continue
        doubts = check_future(fact, instant=fact.recorded_at)
        if doubts:
            if fact.about_person:
                reading.book.persons.add(fact.subject)
            reading.refuse(_placed(doubt, name, number) for doubt in doubts)
            continue
        reading.facts += 1
        twin = reading.book.add(fact)
        if twin is not None:
            reading.refuse([_contradiction(fact.fact_id, fact.ver, name, number)])
    return reading


def _placed(doubt: Problem, name: str, number: int) -> Problem:
    return Problem(
        code=doubt.code,
        message=doubt.message,
        remedy=doubt.remedy,
        file=name,
        line=number,
        field=doubt.field,
    )


def _contradiction(fact_id: str, ver: int, name: str, number: int) -> Problem:
    return Problem(
        code="intake.contradiction",
        message=f"{fact_id!r} version {ver} already says something else; the first recorded holds.",
        remedy="Send a correction as the next version.",
        file=name,
        line=number,
        field="ver",
    )


@click.command("evaluate")
@click.option("--pack", "pack_folder", required=True, type=click.Path(path_type=Path), help="Pack.")
@click.option("--facts", required=True, help="Facts file (JSON Lines), or - for standard input.")
@click.option("--at", "at_text", help="The instant to answer for, with an offset.")
@click.option("--known-at", "known_text", help="What was known then; without it, everything.")
@click.option("--points", type=click.Path(path_type=Path), help="Many moments: CSV at,known_at.")
@click.option("--subjects", type=click.Path(path_type=Path), help="More subjects, one a line.")
@click.option(
    "--engine", type=click.Choice(["person"]), default="person", show_default=True, help="Engine."
)
@click.option("--out", type=click.Path(path_type=Path), help="Write here, not to standard output.")
@click.option("--json", "as_json", is_flag=True, help="Write the summary as JSON.")
def command(
    pack_folder: Path,
    facts: str,
    at_text: str | None,
    known_text: str | None,
    points: Path | None,
    subjects: Path | None,
    engine: str,  # noqa: ARG001 - one engine so far; the option is part of the format
    out: Path | None,
    as_json: bool,
) -> None:
    """Write one line a person: the colour at a moment, why, and until when.

    One pack is applied at every moment, whatever its effective dates. Exit status 1 means that
    lines of the facts file were left out; each is told on standard error.
    """
    try:
        pack = read_pack(pack_folder)
        moments = _moments(at_text, known_text, points)
        named = _named(subjects)
        if out is not None:
            check_target(out)
        reading = open_facts(facts)
        tally: Counter[str] = Counter()
        with _output(out) as sink:
            for line, colour in _lines(pack, reading.book, moments, named):
                sink.write(line)
                tally[colour] += 1
    except BadUsageError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    _summary(reading, tally, to_stdout=out is not None, as_json=as_json)
    sys.exit(1 if reading.refused else 0)


Moment = tuple[datetime, datetime | None]


def _moments(at_text: str | None, known_text: str | None, points: Path | None) -> list[Moment]:
    if points is not None and at_text is None:
        if known_text is not None:
            raise BadUsageError("--known-at does not go with --points; write it in the file.")
        return read_points(points)
    if at_text is None or points is not None:
        message = "Say when: --at 2020-03-01T10:00:00+08:00, or --points FILE for many moments."
        raise BadUsageError(message)
    known_at = read_time(known_text, "--known-at") if known_text is not None else None
    return [(read_time(at_text, "--at"), known_at)]


def _named(path: Path | None) -> set[str]:
    if path is None:
        return set()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error
    return {line.strip() for line in text.splitlines() if line.strip()}


def open_facts(facts: str) -> Reading:
    """Return the facts of a named file, or of standard input when it is ``-``."""
    if facts == "-":
        return read_facts(_shown(sys.stdin.buffer), name="-")
    try:
        with Path(facts).open("rb") as source:
            return read_facts(_shown(source), name=facts)
    except OSError as error:
        message = f"{facts}: cannot be read ({error.strerror}). Name a facts file (JSON Lines)."
        raise BadUsageError(message) from error


def _shown(source: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines, with a progress bar on a terminal and only there."""
    yield from tqdm(source, desc="facts", unit=" lines", disable=None, file=sys.stderr)


def _lines(
    pack: Pack, book: FactBook, moments: list[Moment], named: set[str]
) -> Iterator[tuple[bytes, str]]:
    """Yield the lines, moment by moment, each moment sorted by subject in code-point order."""
    schedule = PackSchedule.only(pack)
    areas = AreaHistory.of(book.area_facts, schedule.area_codes)
    deliveries = deliveries_of(book.source_facts) if book.source_facts else None
    subjects = sorted(book.persons | named)
    for at, known_at in moments:
        clusters = book.clusters(known_at)
        for subject in tqdm(subjects, desc="people", disable=None, file=sys.stderr):
            members = clusters.get(subject, frozenset((subject,)))
            timeline = evaluate(
                schedule,
                book.versions(members),
                areas=areas,
                known_at=known_at,
                identified=subject in book.persons,
                subject=subject,
                members=members,
                deliveries=deliveries,
            )
            status = timeline.status(at)
            yield status_line(status), status.colour.value


@contextmanager
def _output(out: Path | None) -> Iterator[IO[bytes]]:
    """Yield where lines go; a file appears under its name only when it is whole."""
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("wb") as sink:
            yield sink
        part.replace(out)
    except OSError as error:
        raise BadUsageError(
            f"{out}: cannot be written ({error.strerror}). Choose another."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _summary(reading: Reading, tally: Counter[str], *, to_stdout: bool, as_json: bool) -> None:
    """Say what was done, on standard output when the lines went to a file."""
    counts = {
        "facts": reading.facts,
        "refused": reading.refused,
        "lines": sum(tally.values()),
        **{name: tally[name] for name in ("green", "yellow", "red", "unknown", "closed")},
    }
    text = ", ".join(f"{name} {count}" for name, count in counts.items())
    click.echo(json.dumps(counts) if as_json else text, err=not to_stdout)
