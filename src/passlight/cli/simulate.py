"""``passlight simulate``: a fictional district as files, or an outbreak with everything checked."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from passlight.core.kernel.problem import ProblemError
from passlight.runtime.clock import SystemClock

if TYPE_CHECKING:
    from passlight.simulation.world import World

CHECKED_PEOPLE, CHECKED_DAYS, CHECKED_PACK = 260, 24, "jiangsu-2021"
MADE_PEOPLE, MADE_DAYS = 10_000, 14


def _moment(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime:
    if text is None:
        return SystemClock().now()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("Write it like 2026-11-22T12:00:00+08:00.") from None
    if found.tzinfo is None:
        raise click.BadParameter("It needs an offset, like 2026-11-22T12:00:00+08:00.")
    return found


def _enter(world: "World", out: Path) -> dict[str, int]:
    from passlight.simulation.office_access import set_up_office

    set_up_office()
    from passlight.simulation.intake import enter_world  # its models need Django

    return {f"rows_{name}": number for name, number in enter_world(world, out).items()}


@click.command("simulate")
@click.option(
    "--people", type=int, help=f"How many residents [{MADE_PEOPLE}; with --check {CHECKED_PEOPLE}]."
)
@click.option(
    "--days", type=int, help=f"Days before --at [{MADE_DAYS}; with --check {CHECKED_DAYS}]."
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed, the same bytes."
)
@click.option("--at", callback=_moment, help="End of the period, with an offset (default: now).")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the files.")
@click.option("--into-database", is_flag=True, help="Also register people and venues, and feed.")
@click.option("--check", is_flag=True, help="Run an outbreak instead, and check it on its own.")
@click.option(
    "--seeds", type=click.IntRange(1), help="With --check: so many seeds from --seed on [1]."
)
@click.option("--pack", help=f"With --check: the rules [{CHECKED_PACK}].")
@click.option("--city", is_flag=True, help="With --check: also compare with the city's engine.")
@click.option("--report", type=click.Path(path_type=Path), help="With --check: write pages here.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(
    *,
    people: int | None,
    days: int | None,
    seed: int,
    at: datetime,
    out: Path | None,
    into_database: bool,
    check: bool,
    seeds: int | None,
    pack: str | None,
    city: bool,
    report: Path | None,
    as_json: bool,
) -> None:
    """Make a fictional district: people, households, venues, visits, and what agencies send.

    Names are from a storybook cast and resident ids from region 999999, which is nobody's.
    OUT/truth says what is true of the files, so that any reading of them can be checked.

    With --check an outbreak runs in a town of its own: infection happens inside visits, feeds
    fail, colours keep people from doors. Checkers that share no line with the evaluation then
    look at every answer; exit status 1 and the command that repeats it when one is wrong.
    """
    if check:
        if out is not None or into_database:
            raise click.UsageError("--check writes no district; leave out --out, use --report.")
        people = CHECKED_PEOPLE if people is None else people
        days = CHECKED_DAYS if days is None else days
        seeds, pack = seeds or 1, pack or CHECKED_PACK
        sys.exit(_check(people, days, seed, seeds, pack, city=city, report=report, as_json=as_json))
    if out is None:
        raise click.UsageError("Name a folder: --out FOLDER. Or run an outbreak with --check.")
    alone = {"--seeds": seeds, "--pack": pack, "--city": city or None, "--report": report}
    for option, value in alone.items():
        if value is not None:
            raise click.UsageError(f"{option} goes with --check.")
    people = MADE_PEOPLE if people is None else people
    days = MADE_DAYS if days is None else days
    _make(people, days, seed, at, out, into_database, as_json=as_json)


def _make(
    people: int,
    days: int,
    seed: int,
    at: datetime,
    out: Path,
    into_database: bool,  # the option
    *,
    as_json: bool,
) -> None:
    """Write one district and say what is in it."""
    from passlight.simulation.files import write_files
    from passlight.simulation.world import make_world

    try:
        world = make_world(people=people, days=days, seed=seed, at=at)
        bar = tqdm(unit=" lines", desc="simulating", disable=None, leave=False)

        def progress(what: str, done: int) -> None:
            bar.set_postfix_str(what, refresh=False)
            bar.update(done)

        with bar:
            counts = write_files(world, out, progress=progress)
        if into_database:
            counts |= _enter(world, out)
    except ProblemError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from error
    except OSError as error:
        click.echo(f"{out}: {error.strerror}. Choose a folder that can be written.", err=True)
        raise SystemExit(2) from error
    if as_json:
        click.echo(json.dumps(counts))
        return
    for name, number in counts.items():
        click.echo(f"{name.replace('_', ' '):>16} {number:>12,}")


def _check(
    people: int,
    days: int,
    seed: int,
    seeds: int,
    pack: str,
    *,
    city: bool,
    report: Path | None,
    as_json: bool,
) -> int:
    """Run the outbreaks of these seeds one after the other; a wrong one does not stop the rest."""
    from passlight.cli.main import require_extras  # it imports this module when it is asked for

    require_extras("simulate --check")
    from passlight.cli.simulate_check import run_checks
    from passlight.simulation.outbreak.city_pack import city_pack
    from passlight.simulation.outbreak.setting import Setting, check_setting

    try:
        city_pack(pack)
        worlds = [
            Setting(seed=number, people=people, days=days, pack=pack)
            for number in range(seed, seed + seeds)
        ]
        for world in worlds:
            check_setting(world)
        if report is not None and seeds != 1:
            raise click.UsageError("--report is of one world; leave out --seeds.")
        return run_checks(worlds, city=city, report=report, as_json=as_json)
    except ProblemError as error:
        click.echo(str(error), err=True)
        return 2
    except OSError as error:
        click.echo(f"{error.filename or report}: {error.strerror}. Choose another.", err=True)
        return 2
