"""``passlight pack``: write, check, test, explain, compare rule packs, without a database."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import click

from passlight.cli import pack_new, pack_preview, pack_schema
from passlight.cli.evaluate import open_facts
from passlight.cli.inputs import BadUsageError, read_pack, read_time
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.difference import differences
from passlight.core.rules.load import load_pack
from passlight.core.rules.pack import Pack
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.core.status.explain import explain as explanation
from passlight.core.status.freshness import deliveries_of
from passlight.core.status.line import status_to_json
from passlight.core.status.scenario import ScenarioResult, run_scenarios
from passlight.runtime.packs import read_pack_folder

FOLDER = click.Path(path_type=Path)


@click.group("pack")
def command() -> None:
    """Write, check, test, explain, compare and preview rule packs."""


command.add_command(pack_new.command)
command.add_command(pack_preview.command)
command.add_command(pack_schema.command)


def _told(run: Callable[..., None]) -> Callable[..., None]:
    """Turn unusable input into exit status 2 and one line a problem."""

    @wraps(run)
    def wrapped(**options: Any) -> None:
        try:
            run(**options)
        except BadUsageError as error:
            click.echo(str(error), err=True)
            sys.exit(2)

    return wrapped


@command.command("check")
@click.argument("folder", type=FOLDER)
@click.option(
    "--beside",
    multiple=True,
    type=FOLDER,
    help="Another pack of the same office; the two may not claim the same time. Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@_told
def check(folder: Path, beside: tuple[Path, ...], as_json: bool) -> None:
    """Say everything that is wrong with a pack; exit status 1 when something is.

    Its own scenarios run too: a pack whose tests fail is not good.
    """
    if not (folder / "pack.yaml").is_file():
        raise BadUsageError(f"{folder}: is no rule pack. Name a folder with a pack.yaml.")
    others = [read_pack(other) for other in beside]
    try:
        pack = load_pack(read_pack_folder(folder))
        results = _run_scenarios(folder, pack)
        problems = (*failed_scenarios(results), *_overlaps(folder, pack, others))
        if problems:
            raise ProblemError(*problems)
    except ProblemError as error:
        if as_json:
            fields = ("code", "message", "remedy", "file", "line", "field")
            found = [{name: getattr(one, name) for name in fields} for one in error.problems]
            click.echo(json.dumps({"pack": None, "problems": found}, ensure_ascii=False))
        for problem in () if as_json else error.problems:
            click.echo(str(problem), err=True)
        sys.exit(1)
    summary = {
        "pack": pack.key,
        "hash": pack.hash,
        "rules": len(pack.rules),
        "scenarios": len(results),
        "problems": [],
    }
    line = f"{pack.key} is good: {len(pack.rules)} rules, {pack.hash}"
    click.echo(json.dumps(summary, ensure_ascii=False) if as_json else line)
    if not results and not as_json:
        click.echo("It has no scenarios yet: write some in tests/*.yaml.")


def failed_scenarios(results: list[ScenarioResult]) -> list[Problem]:
    """Return a problem for everything that did not come out as a scenario expects."""
    return [
        Problem(
            code="packs.test-failed",
            message=f"scenario {result.id} fails: {failure}",
            remedy="Correct the rule or the scenario.",
            file=result.file,
            line=result.line,
        )
        for result in results
        for failure in result.failures
    ]


def _overlaps(folder: Path, pack: Pack, others: list[Pack]) -> tuple[Problem, ...]:
    """Return the problems of a pack that claims the time of another one."""
    try:
        PackSchedule.of([pack, *others])
    except ProblemError as error:
        text = (folder / "pack.yaml").read_text(encoding="utf-8").splitlines()
        lines = (number for number, line in enumerate(text, start=1) if "effective:" in line)
        line = next(lines, 1)
        return tuple(replace(one, file="pack.yaml", line=line) for one in error.problems)
    return ()


@command.command("test")
@click.argument("folder", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@_told
def test(folder: Path, as_json: bool) -> None:
    """Run the pack's own scenarios; exit status 1 when one does not hold."""
    pack = read_pack(folder)
    results = run_tests(folder, pack)
    if not results:
        raise BadUsageError(f"{folder}: has no scenarios. Write some in tests/*.yaml.")
    failed = [result for result in results if result.failures]
    if as_json:
        found = [
            {"id": one.id, "file": one.file, "line": one.line, "failures": list(one.failures)}
            for one in results
        ]
        click.echo(json.dumps({"pack": pack.key, "scenarios": found}, ensure_ascii=False))
    else:
        for result in failed:
            for failure in result.failures:
                click.echo(f"{result.file}:{result.line}: {result.id}: {failure}", err=True)
        click.echo(f"{pack.key}: {len(results) - len(failed)} of {len(results)} scenarios hold")
    sys.exit(1 if failed else 0)


def run_tests(folder: Path, pack: Pack) -> list[ScenarioResult]:
    """Return the results of every scenario file of a pack folder.

    Raises:
        BadUsageError: when a file of scenarios is not YAML.
    """
    try:
        return _run_scenarios(folder, pack)
    except ProblemError as error:
        raise BadUsageError(str(error)) from error


def _run_scenarios(folder: Path, pack: Pack) -> list[ScenarioResult]:
    return [
        result
        for path, text in read_pack_folder(folder).items()
        if path.startswith("tests/")
        for result in run_scenarios(
            text, file=path, pack_named=lambda name: _sibling(folder, name), default=pack
        )
    ]


def _sibling(folder: Path, name: str) -> Pack:
    return read_pack(folder.resolve().parent / Path(name).name)


@command.command("explain")
@click.argument("folder", type=FOLDER)
@click.option("--facts", required=True, help="Facts file (JSON Lines), or - for standard input.")
@click.option("--at", "at_text", required=True, help="The instant, with an offset.")
@click.option("--subject", required=True, help="Whose colour.")
@click.option("--known-at", "known_text", help="What was known then; without it, everything.")
@click.option("--json", "as_json", is_flag=True, help="Write the status as JSON.")
@_told
def explain(
    folder: Path, facts: str, at_text: str, subject: str, known_text: str | None, as_json: bool
) -> None:
    """Tell in Chinese and English why one person has this colour."""
    pack = read_pack(folder)
    at = read_time(at_text, "--at")
    known_at = read_time(known_text, "--known-at") if known_text else None
    reading = open_facts(facts)
    book = reading.book
    schedule = PackSchedule.only(pack)
    members = book.clusters(known_at).get(subject, frozenset((subject,)))
    status = evaluate(
        schedule,
        book.versions(members),
        areas=AreaHistory.of(book.area_facts, schedule.area_codes),
        known_at=known_at,
        identified=subject in book.persons,
        subject=subject,
        members=members,
        deliveries=deliveries_of(book.source_facts) or None,
    ).status(at)
    sentences = list(explanation(status))
    if as_json:
        told = {
            **status_to_json(status),
            "pack": pack.key,
            "pack_hash": pack.hash,
            "explanation": [text.to_json() for text in sentences],
        }
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for text in sentences:
            click.echo(text.zh)
            click.echo(f"  {text.en}")
    sys.exit(1 if reading.refused else 0)


@command.command("diff")
@click.argument("old", type=FOLDER)
@click.argument("new", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Write the differences as JSON.")
@_told
def diff(old: Path, new: Path, as_json: bool) -> None:
    """Say what differs between two packs; exit status 1 when something does."""
    found = list(differences(read_pack(old), read_pack(new)))
    if as_json:
        click.echo(json.dumps({"differences": found}, ensure_ascii=False))
    else:
        for line in found or ["The packs decide alike."]:
            click.echo(line)
    sys.exit(1 if found else 0)
