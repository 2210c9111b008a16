"""``passlight trace``: who shared a room with a case, for how long; no database, no server."""

import csv
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from tqdm import tqdm

from passlight.city.columns import instant, micros
from passlight.city.duckdb_engine import DuckEngine
from passlight.city.engine import Engine
from passlight.city.publication import Match, is_publication, read_publication
from passlight.city.trace import FOUND, WINDOWS, Traced, told, trace, trace_windows
from passlight.city.trace_files import TraceFiles
from passlight.city.trace_rows import VISITS, is_parquet
from passlight.city.trace_sql import COLUMNS, TraceTables
from passlight.cli.evaluate_city import check_engine
from passlight.cli.inputs import BadUsageError, check_target, complain
from passlight.core.exposure.exposure import minutes_by_day

STEPS = 4
MEMORY = "4GB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asked for."""

    visits: tuple[Path, ...]
    cases: tuple[Path, ...]
    windows: tuple[Path, ...]
    match: Match
    default_stay: int | None
    linger_minutes: int
    min_minutes: int
    engine: str
    by_day: ZoneInfo | None


@dataclass(slots=True)
class DayCount:
    """What fell on one day: exposures that touch it, and their minutes of that day."""

    exposures: int = 0
    minutes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The counts that a trace ends with; ``days`` when they were asked for."""

    visits: int
    cases: int
    windows: int
    exposures: int
    people: int
    refused: int
    days: dict[str, DayCount] | None


def _zone(context: click.Context, option: click.Parameter, name: str | None) -> ZoneInfo | None:
    """Return the time zone of a name, as the tz database has it."""
    try:
        return None if name is None else ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        wrong = f"{name!r} is no time zone. Write one like Asia/Shanghai."
        raise click.BadParameter(wrong, context, option) from error


_PATH = click.Path(path_type=Path)
_MINUTES = click.IntRange(0, 60 * 24 * 366)


@click.command("trace")
@click.option(
    "--visits", required=True, multiple=True, type=_PATH, help="Visits: CSV, Parquet or a folder."
)
@click.option("--cases", multiple=True, type=_PATH, help="Cases: CSV or Parquet.")
@click.option(
    "--windows", multiple=True, type=_PATH, help="Instead of cases; a publication will do."
)
@click.option(
    "--match",
    type=click.Choice(["id", "event", "location"]),
    default="id",
    show_default=True,
    help="What of a publication is the venue that visits name.",
)
@click.option("--default-stay", type=_MINUTES, help="Minutes of a visit without left_at.")
@click.option("--linger-minutes", type=_MINUTES, default=30, show_default=True, help="At most.")
@click.option("--min-minutes", type=_MINUTES, default=10, show_default=True, help="For a pair.")
@click.option(
    "--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb", show_default=True
)
@click.option(
    "--by-day", metavar="ZONE", callback=_zone, help="Count minutes by day of a time zone, too."
)
@click.option("--out", type=_PATH, help="Write here: CSV, or Parquet by suffix.")
@click.option("--json", "as_json", is_flag=True, help="Write the summary as JSON.")
def command(out: Path | None, *, as_json: bool, **asked: Any) -> None:
    """Write one line for each visit that shared a zone with a case, with its minutes.

    Times need an offset and are written in UTC. Exit status 1 means that rows were left out;
    each is told on standard error.
    """
    try:
        wanted = Asked(**asked)
        if bool(wanted.cases) == bool(wanted.windows):
            raise BadUsageError("Say whom to trace: --cases FILE, or --windows FILE.")
        check_engine(wanted.engine)
        if out is not None:
            check_target(out, inputs=(*wanted.visits, *wanted.cases, *wanted.windows))
        summary = _run(wanted, out)
    except BadUsageError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    counts = {name: count for name, count in asdict(summary).items() if count is not None}
    days = {} if as_json else counts.pop("days", {})
    text = ", ".join(f"{name} {count}" for name, count in counts.items())
    click.echo(json.dumps(counts) if as_json else text, err=out is None)
    for day, one in days.items():
        click.echo(
            f"{day}: exposures {one['exposures']}, minutes {one['minutes']}", err=out is None
        )
    sys.exit(1 if summary.refused else 0)


def _run(asked: Asked, out: Path | None) -> Summary:
    beside = out.parent if out is not None else None
    with (
        tempfile.TemporaryDirectory(prefix=".trace-", dir=beside) as scratch,
        tqdm(total=STEPS, desc="trace", disable=None, file=sys.stderr) as bar,
    ):

        def say(step: str) -> None:
            bar.set_description(step)
            bar.update()

        files = TraceFiles(Path(scratch), tell=lambda one: complain([one]), shown=_shown)
        try:
            groups, count = files.visits(
                _files(asked.visits), default_stay_minutes=asked.default_stay
            )
            with _engine(asked.engine, Path(scratch)) as engine:
                _register_visits(engine, groups)
                traced, cases = _traced(engine, files, asked, say)
                say("write")
                _write(engine, out)
                days = _by_day(engine, asked.by_day) if asked.by_day is not None else None
        finally:
            files.close()
    return Summary(visits=count, cases=cases, refused=files.refused, days=days, **asdict(traced))


def _by_day(engine: Engine, zone: ZoneInfo) -> dict[str, DayCount]:
    """Return the minutes of each local day: an exposure over midnight is split (E35)."""
    found: defaultdict[str, DayCount] = defaultdict(DayCount)
    query = f"SELECT begun, ended FROM {FOUND}"  # noqa: S608 - a name of ours
    for batch in _shown(engine.rows(query), "days"):
        for begun, ended in batch:
            for day, minutes in minutes_by_day(instant(begun), instant(ended), timezone=zone):
                count = found[day.isoformat()]
                count.exposures += 1
                count.minutes += minutes
    return dict(sorted(found.items()))


def _register_visits(engine: Engine, groups: Sequence[Sequence[Path]]) -> None:
    """Make one view of all visits; where one group is all of it, nothing stands before it."""
    if len(groups) == 1:
        engine.register_parquet("visits", groups[0])
        return
    for number, group in enumerate(groups):
        engine.register_parquet(f"visits_{number}", group)
    chosen = ", ".join(column.name for column in VISITS)
    engine.view(
        "visits",
        " UNION ALL ".join(
            f"SELECT {chosen} FROM visits_{number}"  # noqa: S608 - names are ours
            for number in range(len(groups))
        ),
    )


def _traced(engine: Engine, files: TraceFiles, asked: Asked, say: Any) -> tuple[Traced, int]:
    tables = TraceTables(visits="visits", cases="cases")
    if not asked.windows:
        file, cases = files.cases(asked.cases)
        engine.register_parquet("cases", [file])
        traced = trace(
            engine,
            tables,
            linger_minutes=asked.linger_minutes,
            minutes_min=asked.min_minutes,
            say=say,
        )
        return traced, cases
    published = [path for path in asked.windows if not is_parquet(path) and is_publication(path)]
    own = [path for path in asked.windows if path not in published]
    say("windows")
    found = [files.windows(own)[0], files.write_windows(_published(published, asked, files))]
    engine.register_parquet(WINDOWS, found)
    return trace_windows(engine, tables, minutes_min=asked.min_minutes, say=say), 0


def _published(
    paths: Iterable[Path], asked: Asked, files: TraceFiles
) -> Iterator[tuple[str, str, str, int, int]]:
    """Yield each window of the publications once: one that did not change is in many of them."""
    seen = set()
    for path in paths:
        read = read_publication(path)
        for problem in read.problems:
            files.refuse(problem)
        for event in read.events:
            venue = event.venue(asked.match)
            window = (event.id, venue, "", micros(event.since), micros(event.until))
            if window not in seen:
                seen.add(window)
                yield window


def _files(paths: Sequence[Path]) -> list[Path]:
    """Return the files that are named, and those in the folders that are."""
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = [file for file in sorted(path.iterdir()) if is_parquet(file) or _is_csv(file)]
        if not inside:
            raise BadUsageError(f"{path}: holds no CSV and no Parquet file. Name another folder.")
        files += inside
    return files


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


@contextmanager
def _engine(name: str, scratch: Path) -> Iterator[Engine]:
    if name == "spark":
        from passlight.city.spark_engine import SparkEngine, SparkMissingError

        try:
            engine: Engine = SparkEngine(temporary=scratch)
        except SparkMissingError as error:
            raise BadUsageError(str(error)) from error
    else:
        engine = DuckEngine(temporary=scratch / "spill", memory=MEMORY)
    try:
        yield engine
    finally:
        engine.close()


def _write(engine: Engine, out: Path | None) -> None:
    """Write what was found; a file appears under its name only when it is whole."""
    if out is None:
        _write_csv(engine, sys.stdout)
        sys.stdout.flush()
        return
    part = out.with_name(f"{out.name}.part")
    try:
        if is_parquet(out):
            engine.copy(told(engine), part)
        else:
            with part.open("w", encoding="utf-8", newline="") as sink:
                _write_csv(engine, sink)
        part.replace(out)
    except OSError as error:
        raise BadUsageError(
            f"{out}: cannot be written ({error.strerror}). Choose another."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _write_csv(engine: Engine, sink: IO[str]) -> None:
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(COLUMNS)
    for batch in _shown(engine.rows(told(engine)), "write"):
        writer.writerows(batch)


def _shown(rows: Iterable[Any], word: str) -> Iterable[Any]:
    """Return the rows, with a progress bar on a terminal and only there."""
    found: Iterable[Any] = tqdm(rows, desc=word, disable=None, file=sys.stderr, leave=False)
    return found
