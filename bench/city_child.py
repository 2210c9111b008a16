"""One measured run over a store, in a process of its own: its peak memory is nobody else's.

Prints one JSON object. The parent is ``bench.city``.
"""

import argparse
import contextlib
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.city_store import KNOWN, NOW
from passlight.city.duckdb_engine import DuckEngine
from passlight.city.evaluate import evaluate_compact
from passlight.city.spark_engine import SparkEngine
from passlight.city.sql.facts_view import kinds_read
from passlight.city.store import Store, open_store
from passlight.core.rules.load import load_pack
from passlight.core.rules.pack import AbsenceForm, DuringForm, Pack, TriggerForm
from passlight.core.rules.points import Next, Nth, walk
from passlight.core.rules.schedule import PackSchedule
from passlight.runtime.packs import read_pack_folder, shipped_packs

ALWAYS = ("kind", "fact", "occurred_at", "occurred_until", "recorded_at", "superseded_at", "dated")
MEMORY = "6GB"


def pack(name: str) -> Pack:
    return load_pack(read_pack_folder(shipped_packs() / name))


def needed(one: Pack) -> list[str]:
    """Return the columns of facts that the rules of a pack read, and no other."""
    fields: set[str] = set()
    for rule in one.rules:
        form = rule.form
        points = [
            part
            for phase in rule.phases
            for end in (phase.starts, phase.ends)
            for part in walk(end)
        ]
        filters = [form.filter] if isinstance(form, TriggerForm | AbsenceForm) else []
        filters += [point.filter for point in points if isinstance(point, Next | Nth)]
        filters += [point.reset_on for point in points if isinstance(point, Nth) and point.reset_on]
        fields.update(condition.field for wanted in filters for condition in wanted.where)
        fields.update(point.same for point in points if isinstance(point, Next) and point.same)
        fields |= {"area"} if isinstance(form, DuringForm) else set()
        if isinstance(form, TriggerForm) and form.area is not None:
            fields |= {"from_area", "left_at", "arrived_at"}
    kinds = kinds_read([one])
    fields |= {"sampled_at"} if "lab.result" in kinds else set()
    fields |= (
        {"from", "until", "waiver_rules", "waiver_phase", "waiver_fact"} if one.waivers else set()
    )
    return [*ALWAYS, "source", "p_expires_at", *sorted(f"p_{name}" for name in fields)]


def richest(names: list[str]) -> str:
    """Return the pack with the most points in its rules."""

    def points(name: str) -> int:
        phases = [phase for rule in pack(name).rules for phase in rule.phases]
        return sum(len(list(walk(end))) for one in phases for end in (one.starts, one.ends))

    return max(names, key=points)


def bare(store: Store, one: Pack, temporary: Path) -> dict[str, Any]:
    """Scan the same columns and group by person, bucket by bucket: nothing is decided."""
    engine = DuckEngine(temporary=temporary, threads=2, memory=MEMORY)
    columns, people = needed(one), 0
    found = ", ".join(f"max({name}) AS {name}" for name in columns)
    used = " + ".join(f"count({name})" for name in columns)
    for bucket in store.buckets:
        engine.register_parquet("f", [store.facts(bucket)])
        (rows,) = engine.rows(
            f"SELECT count(*), {used} FROM (SELECT person, {found} FROM f GROUP BY person)"
        )
        people += rows[0][0]
    engine.close()
    return {"grouped": people, "columns": columns}


def evaluate(
    store: Store, one: Pack, temporary: Path, engine: DuckEngine | SparkEngine | None = None
) -> dict[str, Any]:
    engine = engine or DuckEngine(temporary=temporary, threads=2, memory=MEMORY)
    files = evaluate_compact(
        engine,
        store,
        PackSchedule.only(one),
        at=NOW,
        known_at=KNOWN,
        out_folder=temporary / "out",
        resume=False,
    )
    engine.close()
    return {"bytes": sum(file.stat().st_size for file in files)}


class Profiled(DuckEngine):
    """DuckDB that adds up what its operators took."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.operators: Counter[str] = Counter()
        self.statements: Counter[str] = Counter()
        self.connection.execute("SET enable_profiling = 'no_output'")

    def keep(self, name: str, sql: str) -> None:
        super().keep(name, sql)
        self._add(name)

    def copy(self, sql: str, target: Path) -> None:
        self.connection.execute("SET preserve_insertion_order = true")
        self.connection.execute(f"COPY ({sql}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
        self._add("answers")
        self.connection.execute("SET preserve_insertion_order = false")

    def _add(self, name: str) -> None:
        told = json.loads(self.connection.get_profiling_information("json"))
        waiting = list(told["operator"])
        while waiting:
            one = waiting.pop()
            self.operators[one["type"]] += one["timing"]
            self.statements[name] += one["timing"]
            waiting += one.get("children", [])


def profile(store: Store, one: Pack, temporary: Path) -> dict[str, Any]:
    """Return what each operator and each statement of the evaluation took, in processor seconds."""
    engine = Profiled(temporary=temporary, threads=2, memory=MEMORY)
    evaluate(store, one, temporary, engine)
    return {
        "operators": {name: round(took, 3) for name, took in engine.operators.most_common()},
        "statements": {name: round(took, 3) for name, took in engine.statements.most_common()},
    }


def spark(store: Store, one: Pack, temporary: Path) -> dict[str, Any]:
    """Evaluate on Spark; starting it is told apart."""
    started = time.monotonic()
    engine = SparkEngine(memory="6g", temporary=temporary)
    up = time.monotonic() - started
    evaluate(store, one, temporary, engine)
    return {"start": up}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["bare", "evaluate", "profile", "spark"])
    parser.add_argument("store", type=Path)
    parser.add_argument("pack")
    options = parser.parse_args()
    store, one = open_store(options.store), pack(options.pack)
    temporary = Path(tempfile.mkdtemp(prefix="run-", dir=options.store.parent))
    started, cpu = time.monotonic(), time.process_time()
    works: dict[str, Callable[..., dict[str, Any]]] = {
        "bare": bare,
        "evaluate": evaluate,
        "profile": profile,
        "spark": spark,
    }
    try:
        found = works[options.what](store, one, temporary)
        wall, cpu = time.monotonic() - started, time.process_time() - cpu
        java_cpu, java_peak = java()
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    print(json.dumps({"wall": wall, "cpu": cpu + java_cpu, "peak_mb": peak() + java_peak, **found}))


def java() -> tuple[float, int]:
    """Return the processor seconds and the peak memory in MB of Java processes below this one."""
    seconds, most = 0.0, 0
    tick = os.sysconf("SC_CLK_TCK")
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if int(_told(status)["PPid"]) == os.getpid():
                parts = (status.parent / "stat").read_text().rpartition(")")[2].split()
                seconds += (int(parts[11]) + int(parts[12])) / tick
                most = max(most, peak(status))
    return seconds, most


def peak(status: Path = Path("/proc/self/status")) -> int:
    """Return the peak memory of a process in MB; rusage would tell its parent's when it began."""
    return int(_told(status)["VmHWM"].split()[0]) // 1024


def _told(status: Path) -> dict[str, str]:
    return dict(line.split(":", 1) for line in status.read_text().splitlines())


if __name__ == "__main__":
    main()
