"""``passlight simulate --check``: outbreaks one after the other, and what their checkers found."""

import json
from pathlib import Path

import click
from tqdm import tqdm

from passlight.simulation.outbreak.checks import Finding
from passlight.simulation.outbreak.report import (
    MORE_CHECKS,
    checked,
    command_of,
    finding_to_json,
    reported,
)
from passlight.simulation.outbreak.setting import Setting


def run_checks(worlds: list[Setting], *, city: bool, report: Path | None, as_json: bool) -> int:
    """Return the exit status: 1 when a checker of any world found something wrong."""
    more: MORE_CHECKS | None = None
    if city:
        from passlight.simulation.outbreak.city_check import check_city  # it needs DuckDB

        more = check_city
    failed: list[Setting] = []
    days = sum(one.days for one in worlds) * (1 if report is None else 2)
    with tqdm(total=days, desc="outbreak", unit=" days", disable=None, leave=False) as bar:
        for world in worlds:
            bar.set_postfix_str(f"seed {world.seed}", refresh=False)
            if report is None:
                findings = checked(world, progress=bar.update, more=more)
            else:
                findings = reported(world, report, progress=bar.update, more=more)
            good = all(one.good for one in findings)
            if not good:
                failed.append(world)
            bar.clear()
            _tell(world, findings, good=good, alone=len(worlds) == 1, as_json=as_json)
    if report is not None:
        click.echo(f"Written: {report / 'report.html'} and report.json", err=True)
    if len(worlds) > 1 and not as_json:
        click.echo(f"{len(worlds) - len(failed)} of {len(worlds)} worlds are right.")
    for world in failed:
        click.echo(f"Run it again: {command_of(world)}{' --city' if city else ''}", err=True)
    return 1 if failed else 0


def _tell(
    world: Setting, findings: list[Finding], *, good: bool, alone: bool, as_json: bool
) -> None:
    if as_json:
        value = {
            "seed": world.seed,
            "good": good,
            "checks": [finding_to_json(one) for one in findings],
            "command": command_of(world),
        }
        click.echo(json.dumps(value, ensure_ascii=False))
        return
    if alone or not good:
        for one in findings:
            mark = "ok" if one.good else "WRONG"
            click.echo(
                f"{one.check:>12} {one.looked_at:>12,} looked at {one.wrong:>8,} wrong  {mark}"
            )
            for failure in one.failures:
                click.echo(f"{'':>14}{failure}")
            if one.looked_at == 0:
                click.echo(f"{'':>14}Nothing to look at: choose more --people or --days.")
