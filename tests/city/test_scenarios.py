"""Every scenario's facts through DuckDB too: E01-E30, E38-E50 and each shipped pack's own tests.

The expected bytes are the person evaluator's, which tests/scenarios hold to the expectations that
were written by hand. Scenarios under the same packs and lists share a store: their people and
facts get a name of their own, in the same order as before.
"""

import copy
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest

from passlight.city.duckdb_engine import DuckEngine
from passlight.city.evaluate import told_lines
from passlight.city.load import load_facts
from passlight.core.facts.book import FactBook
from passlight.core.facts.fact import SOURCE_PREFIX, Fact, Op
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status import scenario
from tests.city.differential import differences
from tests.city.generator import Moment, World
from tests.scenarios import test_acceptance


@dataclass
class Together:
    """Scenarios that can share one store."""

    schedule: PackSchedule
    facts: list[Fact] = field(default_factory=list)
    moments: set[Moment] = field(default_factory=set)
    names: list[str] = field(default_factory=list)


def collected() -> dict[tuple[object, ...], Together]:
    """Return the facts and moments of every scenario, as its runner reads them."""
    found: dict[tuple[object, ...], Together] = {}

    class Collecting(scenario._Scenario):
        def failures(self) -> Iterator[str]:
            yield from super().failures()
            facts = [*self.book.versions(sorted(self.book.persons)), *self.book.area_facts]
            facts = list({(one.fact_id, one.ver, one.recorded_at): one for one in facts}.values())
            heard = self.case.get("deliveries") or {}
            times = {
                source: [self.times.read(one) for one in some] for source, some in heard.items()
            }
            shared = [one for one in facts if not one.about_person]
            key = (
                tuple(id(pack) for pack in self.schedule.packs),
                self.schedule.always,
                repr(shared),
                repr(times) if "deliveries" in self.case else None,
            )
            group = found.get(key)
            if group is None:
                group = found[key] = Together(self.schedule)
                group.facts += shared
                group.facts += deliveries(times) if "deliveries" in self.case else []
            number = f"s{len(group.names):03}"
            group.names.append(str(self.case.get("id")))
            group.facts += [named(one, number) for one in facts if one.about_person]
            for entry in self.case["expect"]:
                if "at" in entry:
                    known = self.times.read(entry["known"]) if entry.get("known") else None
                    group.moments.add((self.times.read(entry["at"]), known))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenario, "_Scenario", Collecting)
        list(test_acceptance.results())
    return found


def named(fact: Fact, number: str) -> Fact:
    payload = copy.deepcopy(dict(fact.payload))
    for key in ("a", "b"):
        if fact.kind.startswith("identity.") and key in payload:
            payload[key] = f"{number}:{payload[key]}"
    if fact.kind == "waiver.granted" and "fact" in payload.get("measure", {}):
        payload["measure"]["fact"] = f"{number}:{payload['measure']['fact']}"
    return replace(
        fact,
        fact_id=f"{number}:{fact.fact_id}",
        subject=f"{number}:{fact.subject}",
        payload=payload,
    )


def deliveries(times: dict[str, list[datetime]]) -> list[Fact]:
    told = [(source, at) for source, some in times.items() for at in some]
    # A source that nobody heard of still tells that deliveries are told at all.
    told = told or [("nobody", datetime.fromisoformat("1990-01-01T00:00:00+00:00"))]
    return [
        Fact(
            fact_id=f"delivery-{number}",
            ver=1,
            op=Op.ASSERT,
            kind="source.delivered",
            subject=f"{SOURCE_PREFIX}{source}",
            occurred_at=at,
            occurred_until=None,
            recorded_at=at,
            source=source,
            payload={},
        )
        for number, (source, at) in enumerate(told)
    ]


def test_every_scenario_is_the_same_for_the_city(tmp_path: Path) -> None:
    groups = collected()
    sizes = defaultdict(int)
    for number, group in enumerate(groups.values()):
        book = FactBook()
        for fact in group.facts:
            book.add(fact)
        moments = sorted(group.moments, key=str)
        if not book.persons or not moments:
            continue
        world = World(schedule=group.schedule, book=book, facts=group.facts, moments=moments)
        folder = tmp_path / f"store-{number}"
        store = load_facts(enumerate(group.facts), folder, persons=book.persons).store
        engine = DuckEngine(threads=1)
        told = told_lines(engine, store, group.schedule, moments)
        compared, differing = differences(world, ((moment, line) for moment, _, line in told))
        engine.close()
        assert not differing, f"{group.names}\n" + "\n".join(differing)
        sizes["compared"] += compared
        sizes["scenarios"] += len(group.names)
    assert sizes["scenarios"] > 95
    assert sizes["compared"] > 500
