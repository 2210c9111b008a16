"""One world from its setting to its report: run, checked, measured, written."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from passlight.simulation.outbreak.checks import Finding, check_world
from passlight.simulation.outbreak.loop import Outbreak, Progress, run_outbreak
from passlight.simulation.outbreak.measures import delays, measure
from passlight.simulation.outbreak.page import write_pages
from passlight.simulation.outbreak.setting import Setting
from passlight.simulation.outbreak.unguarded import infections_unguarded

MORE_CHECKS = Callable[[Outbreak], list[Finding]]


def command_of(setting: Setting) -> str:
    """Return the command that runs exactly this world again."""
    return (
        f"passlight simulate --check --seed {setting.seed} --people {setting.people} "
        f"--days {setting.days} --pack {setting.pack}"
    )


def checked(
    setting: Setting,
    *,
    progress: Progress | None = None,
    more: MORE_CHECKS | None = None,
) -> list[Finding]:
    """Run one world and return what every checker found."""
    with tempfile.TemporaryDirectory(prefix="passlight-world-") as folder:
        world = run_outbreak(setting, Path(folder), progress=progress)
        return check_world(world) + (more(world) if more else [])


def reported(
    setting: Setting,
    folder: Path,
    *,
    progress: Progress | None = None,
    more: MORE_CHECKS | None = None,
) -> list[Finding]:
    """Run one world and write report.json and its two pages; return what the checkers found."""
    folder.mkdir(parents=True, exist_ok=True)
    # First, for what it takes of memory is given back before the other world begins.
    unguarded = infections_unguarded(setting, progress=progress)
    with tempfile.TemporaryDirectory(prefix="passlight-world-") as place:
        world = run_outbreak(setting, Path(place), progress=progress)
        findings = check_world(world) + (more(world) if more else [])
        report = _report(world, findings, unguarded)
    (folder / "report.json").write_text(
        json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    write_pages(report, folder)
    return findings


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """Return the JSON object of what one checker found."""
    return {
        "check": finding.check,
        "good": finding.good,
        "looked_at": finding.looked_at,
        "wrong": finding.wrong,
        "failures": finding.failures,
    }


def _report(world: Outbreak, findings: list[Finding], unguarded: list[int]) -> dict[str, Any]:
    setting = world.setting
    return {
        "setting": {
            "seed": setting.seed,
            "people": setting.people,
            "days": setting.days,
            "pack": setting.pack,
        },
        "command": command_of(setting),
        "checks": [finding_to_json(one) for one in findings],
        "measures": measure(world, findings, unguarded=unguarded),
        "delays": delays(world),
        "series": {"infections": world.new_by_day, "infections_unguarded": unguarded},
    }
