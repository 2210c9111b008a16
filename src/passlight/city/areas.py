"""Which listings cover an area, and when, as known at one moment (field/08 1.8): small tables.

The same as ``core.rules.areas`` says for one person, worked out apart from it and for everybody:
for each area that a fact names, every listing of it, above it (it is covered) and below it (it
is known too coarsely), with the stretches of time.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from passlight.city.columns import micros
from passlight.city.days import day_end, day_start
from passlight.city.others import AreaVersion, known
from passlight.core.kernel.limits import AREA_DEPTH_MAX
from passlight.core.rules.areas import AreaCodes, AreaRow

EVER, NEVER = -(2**62), 2**62
_CODE = frozenset({6, 9, 12})


class Cover(NamedTuple):
    """A listing that concerns an area for a while; ``inside`` when it lies below the area."""

    area: str
    listing: int
    listing_id: str
    listed_at: int
    level: str
    from_at: int
    until_at: int | None
    listing_until: int | None
    delisting: int | None
    delisting_id: str | None
    inside: bool


class Known(NamedTuple):
    """A name under which an area goes for a while: its own, a successor's, one above it."""

    area: str
    identity: str
    from_at: int | None
    until_at: int | None


class _Reach(NamedTuple):
    """An area that another one is or lies in, for a while."""

    area: str
    start: int
    end: int
    itself: bool


class _Listed(NamedTuple):
    """A listing with what ended it."""

    fact: AreaVersion
    start: int
    end: int
    delisting: AreaVersion | None


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of ``areas.csv`` in microseconds."""

    parent: str | None
    successor: str | None
    start: int
    end: int


class AreaTables:
    """The small tables of areas as known at one moment."""

    def __init__(
        self,
        versions: Sequence[AreaVersion],
        codes: AreaCodes,
        *,
        zone: ZoneInfo,
        known_at: int | None,
    ) -> None:
        self._rows = {area: [_row(row) for row in rows] for area, rows in codes.rows.items()}
        self._zone = zone
        self._reaches: dict[str, tuple[_Reach, ...]] = {}
        in_force = known(versions, known_at)
        self._parents: dict[str, set[str]] = defaultdict(set)
        for one in in_force:
            if one.parent:
                self._parents[one.area].add(one.parent)
        self._at: dict[str, list[tuple[_Listed, int, int]]] = defaultdict(list)
        self._below: dict[str, list[tuple[_Listed, int, int]]] = defaultdict(list)
        for listed in self._listings(in_force):
            for reach in self._reach(listed.fact.area):
                start, end = max(listed.start, reach.start), min(listed.end, reach.end)
                if start < end:
                    index = self._at if reach.itself else self._below
                    index[reach.area].append((listed, start, end))

    def covers(self, areas: Iterable[str]) -> Iterator[Cover]:
        """Yield the listings that concern each of these areas, stretch by stretch."""
        for area in areas:
            yield from self._cover(area, self._reach(area), self._at, inside=False)
            own = [reach for reach in self._reach(area) if reach.itself]
            yield from self._cover(area, own, self._below, inside=True)

    def names(self, areas: Iterable[str]) -> Iterator[Known]:
        """Yield the names under which each of these areas goes, and those above it."""
        for area in areas:
            for reach in sorted(set(self._reach(area))):
                yield Known(area, reach.area, _start(reach.start), _end(reach.end))

    def _cover(
        self,
        area: str,
        reaches: Iterable[_Reach],
        index: dict[str, list[tuple[_Listed, int, int]]],
        *,
        inside: bool,
    ) -> Iterator[Cover]:
        stretches: dict[int, list[tuple[int, int]]] = defaultdict(list)
        listings: dict[int, _Listed] = {}
        for reach in reaches:
            for listed, start, end in index.get(reach.area, ()):
                first, last = max(start, reach.start), min(end, reach.end)
                if first < last:
                    stretches[listed.fact.fact].append((first, last))
                    listings[listed.fact.fact] = listed
        for number, listed in sorted(listings.items()):
            for first, last in _joined(stretches[number]):
                yield Cover(
                    area=area,
                    listing=number,
                    listing_id=listed.fact.fact_id,
                    listed_at=listed.fact.occurred_at,
                    level=listed.fact.level or "",
                    from_at=first,
                    until_at=_end(last),
                    listing_until=_end(listed.end),
                    delisting=listed.delisting.fact if listed.delisting else None,
                    delisting_id=listed.delisting.fact_id if listed.delisting else None,
                    inside=inside,
                )

    def _reach(self, area: str) -> tuple[_Reach, ...]:
        found = self._reaches.get(area)
        if found is None:
            reaches: list[_Reach] = []
            for name, start, end in self._successors(area, EVER, NEVER, AREA_DEPTH_MAX):
                reaches.append(_Reach(name, start, end, itself=True))
                reaches.extend(self._above(name, start, end, (name,)))
            found = self._reaches[area] = tuple(reaches)
        return found

    def _successors(
        self, area: str, start: int, end: int, depth: int
    ) -> Iterator[tuple[str, int, int]]:
        """Yield the names under which an area goes from ``start`` to ``end``."""
        ended = [row for row in self._rows.get(area, ()) if row.successor and row.end != NEVER]
        if not ended or not depth:
            yield area, start, end
            return
        change = min(row.end for row in ended)
        if start < min(end, change):
            yield area, start, min(end, change)
        if max(start, change) < end:
            for row in ended:
                yield from self._successors(
                    row.successor or area, max(start, change), end, depth - 1
                )

    def _above(self, area: str, start: int, end: int, path: tuple[str, ...]) -> Iterator[_Reach]:
        """Yield what lies above an area; ``path`` is how it was come to, so that no ring turns."""
        if len(path) > AREA_DEPTH_MAX:
            return
        for parent, since, until in self._directly_above(area):
            first, last = max(start, since), min(end, until)
            if first >= last:
                continue
            for name, opened, ended in self._successors(parent, first, last, AREA_DEPTH_MAX):
                if name not in path:
                    yield _Reach(name, opened, ended, itself=False)
                    yield from self._above(name, opened, ended, (*path, name))

    def _directly_above(self, area: str) -> Iterator[tuple[str, int, int]]:
        by_form = _above_by_form(area)
        if by_form is not None:
            yield by_form, EVER, NEVER
        for parent in self._parents.get(area, ()):
            yield parent, EVER, NEVER
        for row in self._rows.get(area, ()):
            if row.parent:
                yield row.parent, row.start, row.end

    def _listings(self, in_force: Iterable[AreaVersion]) -> list[_Listed]:
        """Return every listing with the delisting that ends it, in the order of their starts."""
        endings: dict[str, list[tuple[int, AreaVersion]]] = defaultdict(list)
        beginnings: list[tuple[int, AreaVersion]] = []
        for one in in_force:
            if one.listed:
                beginnings.append((self._begins(one), one))
            else:
                endings[one.area].append((self._releases(one), one))
        beginnings.sort(key=_order)
        for some in endings.values():
            some.sort(key=_order)
        used: dict[int, int] = {}
        return [self._listed(start, one, endings[one.area], used) for start, one in beginnings]

    def _listed(
        self,
        start: int,
        fact: AreaVersion,
        endings: list[tuple[int, AreaVersion]],
        used: dict[int, int],
    ) -> _Listed:
        """Return a listing; ``used`` says of each delisting from when what it ended first was."""
        end = NEVER
        if fact.occurred_until is not None:
            until = fact.occurred_until
            end = day_end(until, self._zone) if fact.dated else until
        # An area that is listed on the day of a delisting, or at its instant, changed its level.
        for at, delisting in endings[bisect_left(endings, start, key=lambda one: one[0]) :]:
            if at >= end:
                break
            if at == start and delisting.dated:
                continue
            again = start >= self._begins(delisting)
            if again and used.get(delisting.fact, start) < start:
                continue
            if _speaks_of(delisting, fact):
                used.setdefault(delisting.fact, start)
                return _Listed(fact, start, at, delisting)
        return _Listed(fact, start, end, None)

    def _begins(self, fact: AreaVersion) -> int:
        return day_start(fact.occurred_at, self._zone) if fact.dated else fact.occurred_at

    def _releases(self, fact: AreaVersion) -> int:
        return day_end(fact.occurred_at, self._zone) if fact.dated else fact.occurred_at


def _row(row: AreaRow) -> _Row:
    start, end = row.valid.start, row.valid.end
    return _Row(
        parent=row.parent,
        successor=row.successor,
        start=EVER if start is None else micros(start),
        end=NEVER if end is None else micros(end),
    )


def _order(one: tuple[int, AreaVersion]) -> tuple[int, int, int]:
    at, fact = one
    return at, fact.occurred_at, fact.fact


def _speaks_of(delisting: AreaVersion, listing: AreaVersion) -> bool:
    """Return whether a delisting that names a level or a list means this listing."""
    pairs = ((delisting.level, listing.level), (delisting.list_id, listing.list_id))
    return all(one is None or other is None or one == other for one, other in pairs)


def _above_by_form(area: str) -> str | None:
    """Return what lies above by the digits of a code, or by the path."""
    if "/" in area:
        return area[: area.rindex("/")]
    if len(area) not in _CODE or not area.isdecimal():
        return None
    if len(area) != min(_CODE):
        return area[:-3]
    for kept in (4, 2):
        if area[kept:] != "0" * (6 - kept):
            return area[:kept] + "0" * (6 - kept)
    return None


def _joined(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the same time as stretches that do not touch, in order."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _start(at: int) -> int | None:
    return None if at == EVER else at


def _end(at: int) -> int | None:
    return None if at == NEVER else at
