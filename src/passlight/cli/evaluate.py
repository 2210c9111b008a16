"""``passlight evaluate``: the colours of everyone in a facts file, without a database."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import click
from tqdm import tqdm

from passlight.cli.evaluate_city import (
    Moment,
    check_engine,
    city_lines,
    claim_folder,
    holds_store,
    make_store,
    read_store,
    store_folder,
    write_parquet,
)
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
from passlight.core.facts.fact import Fact
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


def facts_of(
    lines: Iterable[bytes], *, name: str, reading: Reading, doubted: Callable[[str], object]
) -> Iterator[tuple[int, Fact]]:
    """Yield each good fact with its line; a bad line is told on standard error and left out.

    ``doubted`` is told who is named by a fact that is doubted: they have a line all the same.
    """
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
                doubted(fact.subject)
            reading.refuse(_placed(doubt, name, number) for doubt in doubts)
            continue
        reading.facts += 1
        yield number, fact


def read_facts(lines: Iterable[bytes], *, name: str) -> Reading:
    """Return the facts of a file; every bad line is told on standard error and left out.

    What contradicts an earlier line is told after them, in order: a store of a whole city knows
    it only when all of it is read, and every engine says the same.
    """
    reading = Reading()
    book = reading.book
    contradicted: list[tuple[int, str, int]] = []
    for number, fact in facts_of(lines, name=name, reading=reading, doubted=book.register):
        if book.add(fact) is not None:
            contradicted.append((number, fact.fact_id, fact.ver))
    for number, fact_id, ver in contradicted:
        reading.refuse([_contradiction(fact_id, ver, name, number)])
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
@click.option("--facts", help="Facts file (JSON Lines), or - for standard input.")
@click.option("--at", "at_text", help="The instant to answer for, with an offset.")
@click.option("--known-at", "known_text", help="What was known then; without it, everything.")
@click.option("--points", type=click.Path(path_type=Path), help="Many moments: CSV at,known_at.")
@click.option("--subjects", type=click.Path(path_type=Path), help="More subjects, one a line.")
@click.option(
    "--engine",
    type=click.Choice(["person", "duckdb", "spark"]),
    default="person",
    show_default=True,
    help="person explains one after the other; duckdb and spark take everybody at once.",
)
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    help="Keep the facts here in the form that duckdb and spark read; later runs need no --facts.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write here; Parquet when it ends in .parquet."
)
@click.option("--json", "as_json", is_flag=True, help="Write the summary as JSON.")
def command(
    pack_folder: Path,
    facts: str | None,
    at_text: str | None,
    known_text: str | None,
    points: Path | None,
    subjects: Path | None,
    engine: str,
    store: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Write one line a person: the colour at a moment, why, and until when.

    One pack is applied at every moment, whatever its effective dates. Exit status 1 means that
    lines of the facts file were left out; each is told on standard error. Every engine writes
    the same bytes.
    """
    try:
        pack = read_pack(pack_folder)
        moments = _moments(at_text, known_text, points)
        named = _named(subjects)
        if out is not None:
            named_files = (facts if facts != "-" else None, points, subjects)
            check_target(out, inputs=[Path(one) for one in named_files if one is not None])
        check_engine(_needed(engine, out))
        reading = Reading()
        tally: Counter[str] = Counter()
        with _answers(engine, store, facts, reading) as answers, _output(out) as sink:
            for line, colour in answers(pack, moments, named):
                sink.write(line)
                tally[colour] += 1
    except BadUsageError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    _summary(reading, tally, to_stdout=out is not None, as_json=as_json)
    sys.exit(1 if reading.refused else 0)


def _needed(engine: str, out: Path | None) -> str:
    """Return the engine that must be installed: Parquet is written by DuckDB whoever evaluates."""
    return "duckdb" if engine == "person" and _is_parquet(out) else engine


def _is_parquet(out: Path | None) -> bool:
    return out is not None and out.suffix == ".parquet"


Answers = Callable[[Pack, "list[Moment]", set[str]], Iterator[tuple[bytes, str]]]


@contextmanager
def _answers(
    engine: str, store: Path | None, facts: str | None, reading: Reading
) -> Iterator[Answers]:
    """Yield what gives the lines, once the facts are read."""
    if engine == "person":
        if store is not None or facts is None:
            message = "--engine person reads --facts FILE; --store is for duckdb and spark."
            raise BadUsageError(message)
        found = open_facts(facts)
        reading.facts, reading.refused = found.facts, found.refused
        yield lambda pack, moments, named: _lines(pack, found.book, moments, named)
        return
    with store_folder(store) as folder:
        fill_store(folder, facts, reading)

        def answers(
            pack: Pack, moments: list[Moment], named: set[str]
        ) -> Iterator[tuple[bytes, str]]:
            return city_lines(folder, pack, moments, named, engine=engine)

        yield answers


def fill_store(folder: Path, facts: str | None, reading: Reading) -> None:
    """Make the store of the facts, unless it is there and nothing else is named."""
    there = holds_store(folder)
    if facts is None:
        if not there:
            message = f"{folder}: holds no facts yet. Name them with --facts FILE."
            raise BadUsageError(message)
        reading.facts = read_store(folder).manifest.facts
        return
    if there:
        message = f"{folder}: holds facts already. Leave --facts out to use them, or name another."
        raise BadUsageError(message)
    persons: set[str] = set()

    def contradicted(number: int, fact_id: str, ver: int) -> None:
        reading.refuse([_contradiction(fact_id, ver, facts, number)])

    with _opened(facts) as lines:
        claim_folder(folder)
        told = facts_of(lines, name=facts, reading=reading, doubted=persons.add)
        make_store(folder, told, persons=persons, contradicted=contradicted)


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
    with _opened(facts) as lines:
        return read_facts(lines, name=facts)


@contextmanager
def _opened(facts: str) -> Iterator[Iterator[bytes]]:
    """Yield the lines of a named file, or of standard input when it is ``-``."""
    if facts == "-":
        yield _shown(sys.stdin.buffer)
        return
    try:
        source = Path(facts).open("rb")  # noqa: SIM115 - what follows is not its failing to open
    except OSError as error:
        message = f"{facts}: cannot be read ({error.strerror}). Name a facts file (JSON Lines)."
        raise BadUsageError(message) from error
    with source:
        yield _shown(source)


def _shown(source: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines, with a progress bar on a terminal and only there."""
    yield from tqdm(source, desc="facts", unit=" lines", disable=None, file=sys.stderr)


def _lines(
    pack: Pack, book: FactBook, moments: list[Moment], named: set[str]
) -> Iterator[tuple[bytes, str]]:
    """Yield the lines, moment by moment, each moment sorted by subject in code-point order."""
    schedule = PackSchedule.only(pack)
    areas = AreaHistory.of(book.area_facts, schedule.area_codes)
    deliveries = deliveries_of(book.source_facts) or None
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
    draft = out.with_name(f"{out.name}.draft")
    try:
        with part.open("wb") as sink:
            yield sink
        if _is_parquet(out):
            write_parquet(part, draft)
            draft.replace(out)
        else:
            part.replace(out)
    except OSError as error:
        raise BadUsageError(
            f"{out}: cannot be written ({error.strerror}). Choose another."
        ) from error
    finally:
        part.unlink(missing_ok=True)
        draft.unlink(missing_ok=True)


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
