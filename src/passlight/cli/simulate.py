"""``passlight simulate``: a fictional district as files, and into the database when asked."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from passlight.core.kernel.problem import ProblemError
from passlight.runtime.clock import SystemClock

if TYPE_CHECKING:
    from passlight.simulation.world import World


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
@click.option("--people", type=int, default=10_000, show_default=True, help="How many residents.")
@click.option("--days", type=int, default=14, show_default=True, help="Days before --at.")
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed, the same bytes."
)
@click.option("--at", callback=_moment, help="End of the period, with an offset (default: now).")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the files.")
@click.option("--into-database", is_flag=True, help="Also register people and venues, and feed.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(
    *,
    people: int,
    days: int,
    seed: int,
    at: datetime,
    out: Path,
    into_database: bool,
    as_json: bool,
) -> None:
    """Make a fictional district: people, households, venues, visits, and what agencies send.

    Names are from a storybook cast and resident ids from region 999999, which is nobody's.
    OUT/truth says what is true of the files, so that any reading of them can be checked.
    """
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
