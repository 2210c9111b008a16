"""The whole city at once: every shipped pack over everybody, beside a bare scan by person.

A seeded city is written as a fact store (``city_store``). Then, in processes of their own and one
after the other: a scan of the columns that a pack reads, grouped by person and nothing decided,
and the full evaluation with a time of knowledge, its compact answers written to Parquet. The
ratio says what rules cost on top of touching the facts. Spark runs on the same files, those of the
smallest and of the largest size: a quarter of an hour for 25 million people.

    .venv/bin/python -m bench city --people 25000000

writes ``build/city/results.json`` and ``growth.svg``, and removes the stores. A store of 25 million
people takes 1.7 GB of disk, and what a run spills beside it at most 6 GB more.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

from bench.city_child import richest
from bench.city_store import build
from bench.row import Row
from passlight.runtime.packs import shipped_packs
from passlight.simulation.outbreak.plots import Series, line_plot

FOLDER = Path(__file__).parent.parent / "build" / "city"
SIZES = (1_000_000, 5_000_000, 10_000_000, 25_000_000)
VILLAGE = 20_000
PROFILED = 1_000_000
TIMEOUT = 3_600


def child(what: str, store: Path, name: str) -> dict[str, Any]:
    """Return what one run in a process of its own measured."""
    command = [sys.executable, "-m", "bench.city_child", what, str(store), name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if done.returncode:
        raise RuntimeError(f"{what} {name}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"what": what, "pack": name, **found}


def measure(store: Path, people: int, name: str, rounds: int) -> list[dict[str, Any]]:
    """Return the median run of each kind, taken in turns."""
    runs = [(child("bare", store, name), child("evaluate", store, name)) for _ in range(rounds)]
    found = []
    for each in zip(*runs, strict=True):
        middle = dict(sorted(each, key=lambda one: one["wall"])[len(each) // 2])
        middle["peak_mb"] = max(one["peak_mb"] for one in each)
        middle["cpu"] = median(one["cpu"] for one in each)
        found.append({"people": people, **middle})
    return found


def run(seconds: float, people: int | None = None) -> list[Row]:
    """Return the figures for so many people, and for the smaller sizes that show the growth.

    Asked for less than a second a figure, it measures a village under one pack, and no Spark: that
    it runs, and nothing more.
    """
    brief = seconds < 1
    people = people or (VILLAGE if brief else SIZES[0])
    names = sorted(one.parent.name for one in shipped_packs().glob("*/pack.yaml"))
    rich = richest(names)
    if brief:
        names = [rich]
    sizes = sorted({*(size for size in SIZES if size < people), people})
    results: list[dict[str, Any]] = []
    for size in tqdm(sizes, desc="sizes", disable=None):
        store = FOLDER / f"people-{size}"
        build(store, size, quiet=False)
        wanted = names if size == people else [rich]
        for name in tqdm(wanted, desc=f"{size:,} people", disable=None):
            rounds = 3 if size <= SIZES[0] and not brief else 1
            results += measure(store, size, name, rounds=rounds)
        if size <= max(sizes[0], PROFILED):
            results.append({"people": size, **child("profile", store, rich)})
        if size in {sizes[0], people} and not brief:
            results.append({"people": size, **child("spark", store, rich)})
        (FOLDER / "results.json").write_text(json.dumps(results, indent=1) + "\n")
        shutil.rmtree(store)
    (FOLDER / "growth.svg").write_text(growth(results, rich) + "\n")
    return list(rows(results))


def growth(results: list[dict[str, Any]], rich: str) -> str:
    """Return the plot of processor seconds by millions of people: evaluation and bare scan."""
    found = {
        what: sorted(
            (one["people"] / 1e6, one["cpu"])
            for one in results
            if (one["what"], one["pack"]) == (what, rich)
        )
        for what in ("evaluate", "bare")
    }
    series = [
        Series("evaluation", [took for _, took in found["evaluate"]], "c1"),
        Series("bare scan", [took for _, took in found["bare"]], "c3"),
    ]
    label = f"Processor seconds of {rich} by millions of people"
    places = [people for people, _ in found["bare"]]
    return line_plot(series, label=label, horizontal="M people", alone=True, places=places)


def rows(results: list[dict[str, Any]]) -> list[Row]:
    """Return the lines of the table."""
    bare = {(one["people"], one["pack"]): one for one in results if one["what"] == "bare"}
    found: list[Row] = []
    for one in results:
        beside = bare[one["people"], one["pack"]]
        who = f"{one['pack']}, {one['people'] / 1e6:g} M people"
        if one["what"] in {"evaluate", "spark"}:
            ratio = one["wall"] / beside["wall"]
            scan = f"scan by person, {beside['wall']:.1f} s"
            found += [
                Row(
                    name=f"{one['what']}, {who}",
                    value=one["wall"],
                    unit="s",
                    compared_with=scan,
                    ratio=ratio,
                ),
                Row(
                    name=f"processor, {one['what']}, {who}",
                    value=one["cpu"],
                    unit="s",
                    compared_with=f"the scan's {beside['cpu']:.1f} s",
                    ratio=one["cpu"] / beside["cpu"],
                ),
                Row(name=f"peak memory, {one['what']}, {who}", value=one["peak_mb"], unit="MB"),
            ]
        if one["what"] == "profile":
            whole = sum(one["operators"].values())
            found += [
                Row(name=f"operators, {who}: {name}", value=100 * took / whole, unit="%")
                for name, took in list(one["operators"].items())[:6]
            ]
    return found
