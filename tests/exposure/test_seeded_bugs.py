"""Bugs put into the SQL and into the definition on purpose: the oracle finds every one."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from passlight.city.duckdb_engine import DuckEngine
from passlight.city.trace import trace
from passlight.city.trace_sql import _SHIFT, SIZES
from passlight.core.exposure import exposure as exposure_module
from passlight.core.exposure import window as window_module
from passlight.core.exposure.parameters import TracingParameters
from tests.exposure.oracle import MINUTE
from tests.exposure.test_trace import expected_of, found_by, recorded, register, told, windows_of
from tests.exposure.worlds import edges, worlds

COUNT = 400
NUMBERS = ((30, 10), (30, 0))


def big(number):
    return f"CAST({number} AS BIGINT)"


AIR = f"least(direct_until - begun, {big(30 * MINUTE)})"
ENDED = f"direct_until + ventilation * {AIR} AS ended"
EVER_AFTER = big(2**61)
MINUTES = f"((greatest({big(0)}, ended - begun)) // {MINUTE}) AS minutes"
DIRECT = f"((greatest({big(0)}, direct_until - begun)) // {MINUTE}) AS direct_minutes"

SQL_BUGS = {
    "closed end": [
        ("v.entered_at < w.ended", "v.entered_at <= w.ended"),
        ("ended > begun", "ended >= begun"),
    ],
    "an empty visit counts": [("ended > begun", "ended >= begun")],
    "lingering not capped": [(AIR, "(direct_until - begun)")],
    "lingering of the visit before it was cut": [
        ("SELECT c.case_id,", "SELECT v.left_at - v.entered_at AS whole, c.case_id,"),
        (AIR, AIR.replace("direct_until - begun", "whole")),
    ],
    "isolation cuts the air too": [
        ("SELECT c.case_id,", "SELECT c.isolated_at, c.case_id,"),
        (ENDED, f"least({ENDED[:-9]}, coalesce(isolated_at, {EVER_AFTER})) AS ended"),
    ],
    "no infectious time": [("greatest(v.entered_at, c.infectious_from)", "v.entered_at")],
    "no isolation": [
        (f"least(v.left_at, coalesce(c.isolated_at, {EVER_AFTER}))", "v.left_at"),
    ],
    "threshold must be passed": [(f" >= {big(10)}", f" > {big(10)}")],
    "zone ignored": [(" AND w.zone = v.zone", "")],
    "own visit": [(" AND (w.subject IS NULL OR w.subject <> v.subject)", "")],
    "rounded up": [(MINUTES, MINUTES.replace("ended - begun)", f"ended - begun) + {MINUTE - 1}"))],
    "direct to the end": [(DIRECT, DIRECT.replace("direct_until", "ended"))],
    "who came before is not looked for": [(str(_SHIFT + 1 - SIZES[0]), str(_SHIFT + 1))],
    "one unit short of who came before": [
        (str(_SHIFT + 1 - size), str(_SHIFT + 2 - size)) for size in SIZES[:2]
    ],
    "last bin left out": [(") + 1)) AS bin", "))) AS bin")],
    "long stays forgotten": [(f"{big(4)} AS level", f"{big(40)} AS level")],
    "long windows forgotten": [("END = 3", "END = 30")],
    "a pair found in every bin": [(" AND w.bin = v.bin", "")],
}

CORE_BUGS = {
    "closed end": ("exposure", [("if until <= since:", "if until < since:")]),
    "threshold must be passed": (
        "exposure",
        [("exposure.minutes >= minutes_min", "exposure.minutes > minutes_min")],
    ),
    "zone ignored": (
        "exposure",
        [
            ("(window.venue, window.zone) != (visit.venue, visit.zone)", "False"),
            ("(window.venue, window.zone), []", "window.venue, []"),
            ("(visit.venue, visit.zone), ()", "visit.venue, ()"),
        ],
    ),
    "own visit": ("exposure", [("window.subject == visit.subject", "False")]),
    "rounded up": ("exposure", [("until - since) // _MINUTE", "since - until) // -_MINUTE + 1")]),
    "direct to the end": ("exposure", [("min(until, window.direct_until)", "until")]),
    "starts with the window": (
        "exposure",
        [("max(window.since, visit.entered_at)", "window.since")],
    ),
    "lingering not capped": (
        "window",
        [("min(stay, timedelta(minutes=parameters.linger_minutes))", "stay")],
    ),
    "lingering of the visit before it was cut": (
        "window",
        [("end + _linger(end - since,", "end + _linger(visit.left_at - visit.entered_at,")],
    ),
    "isolation cuts the air too": (
        "window",
        [
            (
                "until=end + _linger(end - since, factor, parameters),",
                "until=sooner(case.infectious.end, end + _linger(end - since, factor, parameters)),",
            )
        ],
    ),
    "no infectious time": ("window", [("later(case.infectious.start, ", "later(None, ")]),
    "no isolation": ("window", [("sooner(case.infectious.end, visit", "sooner(None, visit")]),
}


class Wrong(DuckEngine):
    """An engine whose queries are changed on their way."""

    changes = ()

    def keep(self, name, sql):
        for number, (old, new) in enumerate(self.changes):
            if old in sql:
                self.done.add(number)
                sql = sql.replace(old, new)
        super().keep(name, sql)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worlds")
    engine = Wrong(temporary=folder / "spill", threads=2)
    (visits, cases), (more, others) = worlds(COUNT, seed="bugs"), edges()
    visits, cases = visits + more, cases + others
    expected = {
        numbers: expected_of(visits, cases, linger=numbers[0], least=numbers[1])
        for numbers in NUMBERS
    }
    yield SimpleNamespace(
        engine=engine,
        tables=register(engine, folder, visits, cases),
        visits=visits,
        cases=cases,
        expected=expected,
    )
    engine.close()


def sql_is_right(prepared, changes):
    engine = prepared.engine
    engine.changes, engine.done = changes, set()
    right = True
    for linger, least in NUMBERS:
        trace(engine, prepared.tables, linger_minutes=linger, minutes_min=least)
        right = right and found_by(engine) == prepared.expected[linger, least]
    assert engine.done == set(range(len(changes))), "the SQL no longer reads like this"
    return right


def test_the_sql_is_right_without_a_bug(prepared):
    assert sql_is_right(prepared, [])


@pytest.mark.parametrize("bug", SQL_BUGS)
def test_a_bug_in_the_sql_is_found(prepared, bug):
    assert not sql_is_right(prepared, SQL_BUGS[bug])


def changed(module, changes):
    source = Path(module.__file__).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in source, "the definition no longer reads like this"
        source = source.replace(old, new)
    copy = ModuleType(module.__name__)
    exec(compile(source, module.__file__, "exec"), copy.__dict__)
    return copy


def core_is_right(prepared, module, changes):
    modules = {"window": window_module, "exposure": exposure_module}
    if module:
        modules[module] = changed(modules[module], changes)
    windows = windows_of(
        prepared.cases,
        recorded(prepared.visits),
        TracingParameters(),
        case_windows=modules["window"].case_windows,
    )
    find = modules["exposure"].exposures_of
    seen = recorded(prepared.visits)
    return all(
        sorted(map(told, find(windows, seen, minutes_min=least))) == prepared.expected[30, least]
        for _, least in NUMBERS
    )


def test_the_definition_is_right_without_a_bug(prepared):
    assert core_is_right(prepared, None, [])
    assert sys.modules[window_module.__name__] is window_module


@pytest.mark.parametrize("bug", CORE_BUGS)
def test_a_bug_in_the_definition_is_found(prepared, bug):
    assert not core_is_right(prepared, *CORE_BUGS[bug])
