"""``passlight feed``: takes in files from an agency, to the installation or to a facts file."""

import dataclasses
import json
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import click

from passlight.agencies.agency import RowAgency
from passlight.agencies.csv.mapping import load_mapping
from passlight.agencies.files import find_files
from passlight.agencies.filing import (
    Breaker,
    FactsFile,
    balanced,
    facts_file,
    file_rows,
    file_snapshot,
)
from passlight.agencies.reading import survey
from passlight.agencies.registry import FOLDERS, agency
from passlight.agencies.risk_areas.replacement import VANISH_PERCENT_MAX
from passlight.agencies.rows import Reading, Reconciliation
from passlight.cli.feed_report import UNUSABLE, Report, Request, progress_bar
from passlight.cli.inputs import BadUsageError, check_target
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.keys import KeyFolder
from passlight.runtime.settings import read_settings


@click.command()
@click.argument("name", metavar="AGENCY", type=click.Choice(sorted(FOLDERS)))
@click.argument("paths", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as-of", metavar="T", help="When the files were published (with offset).")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write facts here.")
@click.option(
    "--quarantine",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the rows that were put aside here, with the reason of each.",
)
@click.option(
    "--mapping",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Which column is which field (the agency csv needs one).",
)
@click.option("--release", is_flag=True, help="Apply a list that would be held.")
@click.option(
    "--max-vanish",
    metavar="PERCENT",
    type=click.IntRange(0, 100),
    default=VANISH_PERCENT_MAX,
    show_default=True,
    help="Hold a list that loses more.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(
    *,
    name: str,
    paths: tuple[Path, ...],
    as_of: str | None,
    out: Path | None,
    quarantine: Path | None,
    mapping: Path | None,
    release: bool,
    max_vanish: int,
    as_json: bool,
) -> None:
    """Take in files from AGENCY: read, check, put aside what is wrong, and reconcile.

    FILE is a file or a folder; lists are taken in the order of their publication. With --out
    the facts go to a file and no database is needed; without, they land in the installation.
    """
    try:
        for target in filter(None, (out, quarantine)):
            check_target(target, inputs=(*paths, *filter(None, (mapping,))))
    except BadUsageError as error:
        click.echo(str(error), err=True)
        sys.exit(UNUSABLE)
    report = Report(quarantine)
    try:
        request = _request(
            report,
            name,
            paths,
            as_of,
            mapping,
            Breaker(vanish_percent_max=max_vanish, release=release),
        )
        total = _to_file(request, out, report) if out else _to_office(request, report)
        _summarise(total, as_json=as_json)
    except ProblemError as error:
        for problem in error.problems:
            report.unreadable(problem)
    finally:
        report.close()
    sys.exit(report.status)


def _request(
    report: Report,
    name: str,
    paths: tuple[Path, ...],
    as_of: str | None,
    mapping: Path | None,
    breaker: Breaker,
) -> Request:
    read_by = agency(name)
    text = _mapping_text(mapping) if mapping else ""
    parsed = load_mapping(text, file=mapping.name) if mapping else None
    found = find_files(read_by, paths)
    for problem in found.left_out:
        report.say(problem)
    for problem in found.unreadable:
        report.unreadable(problem)
    return Request(
        agency=read_by,
        files=found.files,
        as_of=_instant(as_of),
        mapping=parsed,
        mapping_text=text,
        breaker=breaker,
    )


def _to_file(request: Request, out: Path, report: Report) -> Reconciliation:
    """Write one facts file; when an input cannot be read, no file is left that looks complete."""
    total = Reconciliation()
    with facts_file(out, pseudonym_key=_pseudonym_key) as target:
        for path in request.files:
            report.file = path.name
            total += balanced(_file(request, path, target, report), path)
        if report.unusable:
            raise ProblemError(_nothing_written(out))
    return total


@cache
def _pseudonym_key() -> bytes:
    """Return this installation's key for the subjects of facts files; made at first use."""
    return KeyFolder(read_settings().keys).read_or_make("feed-files", SystemEntropy())


def _file(request: Request, path: Path, target: FactsFile, report: Report) -> Reconciliation:
    if not isinstance(request.agency, RowAgency):
        return file_snapshot(request.agency, path, target, request.breaker, report.told)
    found = survey(path, encoding=request.mapping.encoding if request.mapping else None)
    with progress_bar(path, found.size_bytes) as advance:
        reading = Reading(
            now=SystemClock().now(),
            as_of=request.as_of,
            mapping=request.mapping,
            progress=advance,
        )
        return file_rows(request.agency, found, target, reading, report.told)


def _to_office(request: Request, report: Report) -> Reconciliation:
    from passlight.cli.feed_office import land_files

    return land_files(request, report)


def _summarise(total: Reconciliation, *, as_json: bool) -> None:
    counts = dataclasses.asdict(total)
    if as_json or not sys.stdout.isatty():
        click.echo(json.dumps(counts, separators=(",", ":")))
        return
    click.echo(f"{total.declared:>12,}  rows declared")
    for sign, key in (("=", "landed"), ("+", "unchanged"), ("+", "quarantined"), ("+", "held")):
        click.echo(f"{sign} {counts[key]:>10,}  {key}")
    click.echo(f"{total.closed:>12,}  facts ended by a newer list")


def _mapping_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise ProblemError(
            _usage("The mapping file cannot be read.", "Check its path; it is in UTF-8.", path)
        ) from None


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ProblemError(
            _usage("--as-of is not a time with an offset.", "Write 2022-06-08T10:42:00+08:00.")
        )
    return found.astimezone(UTC)


def _usage(message: str, remedy: str, path: Path | None = None) -> Problem:
    return Problem(
        code="feeds.usage", message=message, remedy=remedy, file=path.name if path else None
    )


def _nothing_written(out: Path) -> Problem:
    return Problem(
        code="feeds.nothing-written",
        message="Nothing was written, because an input could not be read.",
        remedy="Mend or leave out that input.",
        file=out.name,
    )
