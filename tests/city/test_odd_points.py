"""Points that no shipped pack has: both evaluators, and what is worked by hand.

Each was a difference between the two once.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from passlight.city.duckdb_engine import DuckEngine
from passlight.city.evaluate import told_lines
from passlight.city.load import load_facts
from passlight.core.facts.book import FactBook
from passlight.core.facts.fact import Fact, Op
from passlight.core.rules.load import load_pack
from passlight.core.rules.pack import Pack
from passlight.core.rules.schedule import PackSchedule
from tests.city.differential import person_lines
from tests.city.generator import World

TEXT = {"zh": "理由", "en": "reason"}


def pack(rule: dict[str, Any], *, params: dict[str, Any] | None = None) -> Pack:
    """Return a pack of one rule in a zone whose clocks change; every phase is red."""
    more = {"colour": "red", "reason": TEXT, "advice": TEXT, "open_ended": True}
    phases = [{**more, **phase} for phase in rule.pop("phases")]
    head = {
        "id": "odd",
        "version": "1",
        "timezone": "Europe/Berlin",
        "effective": ["2020-01-01T00:00", None],
        "published_at": "2020-01-01T00:00",
        "existing_measures": "convert",
    }
    whole = {"id": "r", "basis": {"text": "规定", "ref": "test"}, "phases": phases, **rule}
    text = {"pack": head, "params": params or {}}
    return load_pack({"pack.yaml": json.dumps(text), "rules/r.yaml": json.dumps([whole])})


def fact(kind: str, subject: str, day: str, **payload: Any) -> Fact:
    at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return Fact(
        fact_id=kind,
        ver=1,
        op=Op.ASSERT,
        kind=kind,
        subject=subject,
        occurred_at=at,
        occurred_until=None,
        recorded_at=at,
        source="site",
        payload=payload,
    )


def told(made: Pack, facts: list[Fact], at: str, folder: Path) -> dict[str, Any]:
    """Return the one line that both evaluators write."""
    book = FactBook()
    for one in facts:
        book.add(one)
    moment = (datetime.fromisoformat(at), None)
    world = World(schedule=PackSchedule.only(made), book=book, facts=facts, moments=[moment])
    ((_, (wanted,)),) = person_lines(world)
    store = load_facts(enumerate(facts), folder / "store", persons=book.persons).store
    engine = DuckEngine(threads=1)
    try:
        ((_, _, line),) = told_lines(engine, store, world.schedule, world.moments)
    finally:
        engine.close()
    assert line == wanted
    found: dict[str, Any] = json.loads(line)
    return found


def test_the_earliest_of_one_point_that_is_not_reached_names_no_fact(tmp_path: Path) -> None:
    """The discharge is missing, so nothing has been reached through the lifting."""
    both = [{"next": {"kind": "order.lifted"}}, {"next": {"kind": "case.discharged"}}]
    made = pack(
        {"on": {"kind": "order.started"}, "phases": [{"until": {"earliest": [{"latest": both}]}}]}
    )
    facts = [
        fact("order.started", "p", "2020-02-01", order_id="1"),
        fact("order.lifted", "p", "2020-02-02", order_id="1"),
    ]
    (measure,) = told(made, facts, "2020-02-03T00:00:00Z", tmp_path)["measures"]
    assert measure["facts"] == ["order.started"]
    assert [need["en"] for need in measure["needs"]] == ["Lifted by: discharge"]


def test_days_count_by_the_clock_of_a_delisting_years_ahead(tmp_path: Path) -> None:
    """Delisted in the winter of 2023, asked about in the summer of 2020: midnight is at +01:00."""
    week = {"calendar": "7d", "day_zero": "occurred_date"}
    during = {"all": [{"stay": "residence"}, {"listed": ["high"]}]}
    made = pack({"during": during, "phases": [{"until": {"after": ["listing.until", week]}}]})
    facts = [
        fact("residence", "p", "2020-01-01", area="110000"),
        fact("area.listed", "area:110000", "2020-01-05", area="110000", level="high"),
        fact("area.delisted", "area:110000", "2023-01-10", area="110000"),
    ]
    for at in ("2020-02-01T00:00:00Z", "2020-07-01T00:00:00Z"):
        found = told(made, facts, at, tmp_path / at[:7])
        assert found["valid_until"] == "2023-01-17T00:00:00+01:00"


def test_days_count_by_the_clock_of_a_parameter_years_ahead(tmp_path: Path) -> None:
    """From 2 January 2026 one test is enough: the first phase ends then, the second a week on."""
    week = {"calendar": "7d", "day_zero": "occurred_date"}
    made = pack(
        {
            "on": {"kind": "order.started"},
            "phases": [
                {"until": {"nth": {"kind": "lab.result", "n": "param.n"}}},
                {"until": {"after": ["prev.until", week]}},
            ],
        },
        params={"n": {"2020-01-01": "2", "2026-01-02": "1"}},
    )
    facts = [
        fact("order.started", "p", "2020-07-01", order_id="1"),
        fact("lab.result", "p", "2020-07-02", value="neg"),
    ]
    found = told(made, facts, "2020-07-03T00:00:00Z", tmp_path)
    assert found["valid_until"] == "2026-01-02T00:00:00+01:00"
    assert found["next_change"] == {"at": "2026-01-09T00:00:00+01:00", "colour": "green"}


def test_a_fact_that_is_awaited_and_counted_from_restarts_the_clock_once(tmp_path: Path) -> None:
    """Overdue from midnight on, the test's own day among it: before the test, and after it.

    Between the test as what was awaited and the same test as what is counted from lies nothing.
    """
    none = {"calendar": "0d", "day_zero": "occurred_date"}
    since = ["policy.effective", "lab.result"]
    made = pack(
        {"absence": {"kind": "lab.result", "max_gap": none, "since": since}, "phases": [{}]}
    )
    facts = [fact("lab.result", "p", "2020-02-02T12:00:00", value="neg")]
    found = told(made, facts, "2020-02-02T06:00:00Z", tmp_path)
    assert [(one["from"], one["until"]) for one in found["measures"]] == [
        ("2020-01-01T00:00:00+01:00", "2020-02-02T13:00:00+01:00"),
        ("2020-02-02T00:00:00+01:00", None),
    ]
