"""Worlds in which everything happens to a fact that can: beside those of ``generator``.

Instants lie a microsecond beside each other and on the edges of packs; corrections make another
kind of a fact, or move it from a person to an area; five people are linked and parted again and
again, some of them known by that alone; lists name parents in rings; waivers touch.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from passlight.core.facts.fact import AREA_PREFIX, SOURCE_PREFIX, Fact
from passlight.core.rules.schedule import PackSchedule
from tests.city.generator import (
    AREAS,
    BESIDE,
    DAY,
    GRID,
    SECOND,
    Maker,
    World,
    world_of,
)

MICROSECOND = timedelta(microseconds=1)
NEAR = (*BESIDE, -MICROSECOND, timedelta(0), MICROSECOND)
ODD_AREAS = (
    *AREAS,
    *("old-1", "old-2", "new-1", "ring-1", "ring-2", "ring-3", "110000", "420106001"),
    *("420106001002", "b-1/3/x", "b-1/3/x/y/z", "/x", "x/"),
)
LEVELS = ("high", "medium", "key")
SAYINGS = ("identity.link", "identity.unlink", "identity.not_same")


class OddMaker(Maker):
    """Makes one odd world of so many people."""

    def __init__(self, schedule: PackSchedule, *, seed: int, people: int) -> None:
        super().__init__(schedule, seed=seed)
        self.people = people
        self.words.areas.update(ODD_AREAS)
        self.durations = [one for one in self.durations if one] or [DAY]
        found: set[datetime] = set()
        for pack in schedule.packs:
            found.update(edge for edge in pack.effective if edge is not None)
            found.add(pack.published_at)
            found.update(at for one in pack.parameters.values() for at in one.changes())
        self.edges = sorted(found)
        self.words.origins = [edge - 12 * DAY for edge in self.edges]

    def anybody(self) -> str:
        return f"p-{self.random.randrange(self.people):03}"

    def instant(self, near: list[datetime]) -> datetime:
        """Return an instant on an edge, a duration from one before, or on the grid; or beside."""
        random = self.random
        if self.chance(0.12):
            base = random.choice(self.edges)
        elif near and self.chance(0.6):
            step = random.choice((timedelta(0), DAY, *self.durations, *self.durations))
            base = random.choice(near) + (step if self.chance(0.8) else -step)
        else:
            base = random.choice(self.words.origins) + random.randrange(24 * 4) * GRID
        found = base + random.choice(NEAR)
        self.instants.add(found)
        return found

    def _befall(self, made: Fact) -> None:
        super()._befall(made)
        if self.chance(0.4):
            self._become_another(made)

    def _become_another(self, made: Fact) -> None:
        """Deliver a version of another kind, perhaps about somebody or something else."""
        last = max(one.ver for one in self.facts if one.fact_id == made.fact_id)
        ver = last + self.random.choice((0, 1))
        at = made.recorded_at + self.random.choice((timedelta(0), MICROSECOND, GRID, 3 * DAY))
        area = self.random.choice(ODD_AREAS)
        subject, kind, payload = made.subject, "stay", {"area": area}
        if subject.startswith((AREA_PREFIX, SOURCE_PREFIX)) or self.chance(0.2):
            subject = self.anybody()
        elif made.kind in SAYINGS or self.chance(0.3):
            kind = self.random.choice(SAYINGS)
            payload = {"a": self.anybody(), "b": self.anybody()}
        elif self.chance(0.5):
            subject, kind = f"{AREA_PREFIX}{area}", "area.listed"
            payload["level"] = self.random.choice(LEVELS)
        else:
            wanted = self.random.choice(self.filters)
            kind = self.random.choice(wanted.kinds)
            payload = self.payload(kind, wanted, made.occurred_at, [subject])
        self.deliver(
            replace(made, ver=ver, kind=kind, subject=subject, payload=payload, recorded_at=at)
        )

    def value(self, kind: str, name: str, form: Any, at: datetime, cases: list[str]) -> Any:
        if name in {"sample_id", "case_id", "order_id"}:
            own = [f"{cases[0]}-{number}" for number in range(3)]
            return self.random.choice((*cases, *own, "shared"))
        return super().value(kind, name, form, at, cases)

    def links(self, people: int) -> None:
        super().links(people)
        for first in range(0, people - 5, 11):
            group = [f"p-{first + place:03}" for place in range(5)]
            named = [*group, f"named-only-{first}"]
            for _ in range(self.random.randrange(2, 10)):
                a, b = self.random.sample(named, 2)
                kind = self.random.choice(("identity.link", "identity.link", *SAYINGS))
                self.fact(self.random.choice(named), kind, {"a": a, "b": b}, self.instant([]))

    def waiver(self, subject: str, near: list[datetime]) -> None:
        for _ in range(self.random.choice((1, 1, 2, 3))):
            super().waiver(subject, near)
            last = self.facts[-1]
            end = last.occurred_until
            if end is not None and "measure" in last.payload and self.chance(0.4):
                until = end + self.random.choice(self.durations)
                self.fact(subject, "waiver.granted", dict(last.payload), end, until=until)

    def lists(self) -> None:
        super().lists()
        for _ in range(20):
            area, at = self.random.choice(ODD_AREAS), self.instant([])
            payload = {"area": area, "level": self.random.choice(LEVELS)}
            if self.chance(0.6):
                payload["parent"] = self.random.choice(ODD_AREAS)
            until = at + self.random.choice(self.durations) if self.chance(0.4) else None
            self.fact(f"{AREA_PREFIX}{area}", "area.listed", payload, at, until=until)


def odd_world(
    schedule: PackSchedule, *, people: int, seed: int, moments: int, knowledge: int
) -> World:
    """Return an odd world, with moments of which some lie exactly on the edges of packs."""
    maker = OddMaker(schedule, seed=seed, people=people)
    world = world_of(maker, schedule, people=people, moments=moments, knowledge=knowledge)
    known = [moment[1] for moment in world.moments]
    more = [
        (maker.random.choice(maker.edges) + maker.random.choice((timedelta(0), -MICROSECOND)), one)
        for one in known[:2]
    ]
    late = [(moment[0], maker.random.choice(maker.edges) - SECOND) for moment in world.moments[:1]]
    # An end before its start is no fact.
    facts = [
        one
        for one in world.facts
        if one.occurred_until is None or one.occurred_until >= one.occurred_at
    ]
    assert len(facts) == len(world.facts)
    return replace(world, moments=sorted({*world.moments, *more, *late}, key=str))
