"""Areas: dated codes and parents, and the dated lists of areas that rules read (field/08 1.8).

A listed area covers everything below it. Six-digit codes nest by their digits; smaller areas
have ids of their own with a parent, named in ``areas.csv`` or by the list itself, or written
as a path (``abroad/KR`` lies in ``abroad``). A code that was abolished goes on as its successor.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from passlight.core.facts.dates import begins_at, is_dated, releases_at, until
from passlight.core.facts.fact import Fact
from passlight.core.facts.history import current_facts, fact_order, versions_of_kinds
from passlight.core.kernel.interval import Interval, merge
from passlight.core.kernel.limits import AREA_DEPTH_MAX, AREA_VIEWS_MAX

ALWAYS = Interval(None, None)
UTC_ZONE = ZoneInfo("UTC")
KINDS_OF_AREAS = frozenset({"area.listed", "area.delisted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaRow:
    """One line of ``areas.csv``: an area, its parent and what followed it, while they hold."""

    area: str
    parent: str | None
    valid: Interval
    successor: str | None
    name: str = ""


def digit_parent(area: str) -> str | None:
    """Return the area above by the form of the id: digits of a code, or the path."""
    if "/" in area:
        return area.rpartition("/")[0]
    if not area.isdecimal() or len(area) not in {6, 9, 12}:
        return None
    if len(area) > 6:  # noqa: PLR2004
        return area[:-3]
    if area.endswith("0000"):
        return None
    return f"{area[:2]}0000" if area.endswith("00") else f"{area[:4]}00"


@dataclass(frozen=True, slots=True)
class AreaCodes:
    """What ``areas.csv`` says, by area."""

    rows: Mapping[str, tuple[AreaRow, ...]] = field(default_factory=dict)

    @staticmethod
    def of(rows: Iterable[AreaRow]) -> "AreaCodes":
        """Return the codes of these rows."""
        found: dict[str, list[AreaRow]] = defaultdict(list)
        for row in rows:
            if row not in found[row.area]:
                found[row.area].append(row)
        return AreaCodes({area: tuple(rows) for area, rows in found.items()})

    def all_rows(self) -> Iterable[AreaRow]:
        """Return every row."""
        return (row for rows in self.rows.values() for row in rows)

    def identities(self, area: str) -> list[tuple[str, Interval]]:
        """Return the ids under which the area goes, each with the time that it does."""
        return list(self._identities(area, ALWAYS, depth=0))

    def _identities(
        self, area: str, when: Interval, *, depth: int
    ) -> Iterable[tuple[str, Interval]]:
        ended = [row for row in self.rows.get(area, ()) if row.successor and row.valid.end]
        if not ended or depth >= AREA_DEPTH_MAX:
            yield area, when
            return
        end = min(row.valid.end for row in ended if row.valid.end)
        own = when.intersection(Interval(None, end))
        if own is not None:
            yield area, own
        rest = when.intersection(Interval(end, None))
        if rest is None:
            return
        for row in ended:
            assert row.successor is not None
            yield from self._identities(row.successor, rest, depth=depth + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One entry of a list: an area at a level from its listing to its delisting."""

    fact: Fact
    delisted: Fact | None
    area: str
    level: str
    when: Interval


@dataclass(frozen=True, slots=True)
class Listed:
    """A listing and the time in which it concerns the area that was asked about."""

    listing: Listing
    when: Interval


def pair_listings(facts: Iterable[Fact], *, zone: ZoneInfo = UTC_ZONE) -> list[Listing]:
    """Return every listing with the delisting that ends it, in the order of their starts.

    A delisting ends the listings of its area that are open at its time; where it names a level
    or a list, only those of that level and list. One that ends an earlier listing leaves alone
    what is listed anew at the same instant, or on the day that is all we know of it: the area
    changed its level then. ``zone`` is whose days those of facts known by their date are.
    """
    delisted: dict[str, list[Fact]] = defaultdict(list)
    listed: list[Fact] = []
    for fact in facts:
        if fact.kind == "area.listed":
            listed.append(fact)
        elif fact.kind == "area.delisted":
            delisted[fact.payload["area"]].append(fact)
    listed.sort(key=lambda fact: (begins_at(fact, zone), fact_order(fact)))
    for some in delisted.values():
        some.sort(key=lambda fact: (releases_at(fact, zone), fact_order(fact)))
    ended: dict[str, datetime] = {}
    found: list[Listing] = []
    for fact in listed:
        listing = _listing(fact, delisted[fact.payload["area"]], ended, zone)
        if listing.delisted is not None:
            ended.setdefault(listing.delisted.fact_id, begins_at(fact, zone))
        found.append(listing)
    return found


def _listing(
    fact: Fact, delistings: list[Fact], ended: Mapping[str, datetime], zone: ZoneInfo
) -> Listing:
    """Return the listing; ``ended`` says from when on the first was listed that one ended."""
    start, end = begins_at(fact, zone), until(fact, zone)
    ends = (
        other
        for other in delistings
        if _may_end(other, start, end, ended, zone)
        and _agree(fact, other, "level")
        and _agree(fact, other, "list_id")
    )
    delisting = next(ends, None)
    return Listing(
        fact=fact,
        delisted=delisting,
        area=fact.payload["area"],
        level=fact.payload["level"],
        when=Interval(start, releases_at(delisting, zone) if delisting else end),
    )


def _may_end(
    delisting: Fact,
    start: datetime,
    end: datetime | None,
    ended: Mapping[str, datetime],
    zone: ZoneInfo,
) -> bool:
    """Return whether a delisting can end what is listed from ``start`` until ``end``."""
    first, last = begins_at(delisting, zone), releases_at(delisting, zone)
    if start > last or (start == last and is_dated(delisting)):
        return False
    if end is not None and last >= end:
        return False
    anew = start >= first
    return not (anew and ended.get(delisting.fact_id, start) < start)


def _agree(one: Fact, other: Fact, key: str) -> bool:
    mine, theirs = one.payload.get(key), other.payload.get(key)
    return mine is None or theirs is None or mine == theirs


class Listings:
    """Every listing known at one moment, found by the areas that it covers or lies in."""

    __slots__ = ("_at", "_below", "_codes", "_covers", "_found", "_parents")

    def __init__(
        self, facts: Iterable[Fact], codes: AreaCodes, *, zone: ZoneInfo = UTC_ZONE
    ) -> None:
        self._codes = codes
        self._parents: dict[str, set[str]] = defaultdict(set)
        self._covers: dict[str, list[tuple[str, Interval, bool]]] = {}
        self._found: dict[tuple[str, tuple[str, ...], bool], tuple[Listed, ...]] = {}
        self._at: dict[str, list[Listed]] = defaultdict(list)
        self._below: dict[str, list[Listed]] = defaultdict(list)
        current = list(facts)
        for fact in current:
            # Only a listing may say it: there intake has checked that it is an area.
            if fact.kind == "area.listed" and fact.payload.get("parent"):
                self._parents[fact.payload["area"]].add(fact.payload["parent"])
        for listing in pair_listings(current, zone=zone):
            self._index(listing)

    def _index(self, listing: Listing) -> None:
        for area, when, is_self in self.covers(listing.area):
            held = listing.when.intersection(when)
            if held is not None:
                index = self._at if is_self else self._below
                index[area].append(Listed(listing, held))

    def covers(self, area: str) -> list[tuple[str, Interval, bool]]:
        """Return the areas that cover ``area`` and when; True marks the area itself."""
        found = self._covers.get(area)
        if found is None:
            found = []
            for identity, when in self._codes.identities(area):
                found.append((identity, when, True))
                found.extend(self._above(identity, when, seen={identity}))
            self._covers[area] = found
        return found

    def _above(
        self, area: str, when: Interval, *, seen: set[str]
    ) -> Iterable[tuple[str, Interval, bool]]:
        parents: list[tuple[str, Interval]] = []
        nested = digit_parent(area)
        if nested:
            parents.append((nested, ALWAYS))
        parents.extend((parent, ALWAYS) for parent in sorted(self._parents.get(area, ())))
        rows = self._codes.rows.get(area, ())
        parents.extend((row.parent, row.valid) for row in rows if row.parent)
        for parent, valid in parents:
            held = when.intersection(valid)
            if held is None or len(seen) > AREA_DEPTH_MAX:
                continue
            for identity, known in self._codes.identities(parent):
                both = held.intersection(known)
                if both is not None and identity not in seen:
                    yield identity, both, False
                    yield from self._above(identity, both, seen=seen | {identity})

    def covering(self, area: str, levels: tuple[str, ...]) -> tuple[Listed, ...]:
        """Return the listings of ``levels`` that cover ``area``: of itself or of one above it."""
        return self._search(area, levels, inside=False)

    def inside(self, area: str, levels: tuple[str, ...]) -> tuple[Listed, ...]:
        """Return the listings of ``levels`` that lie inside ``area``: it is known too coarsely."""
        return self._search(area, levels, inside=True)

    def _search(self, area: str, levels: tuple[str, ...], *, inside: bool) -> tuple[Listed, ...]:
        key = (area, levels, inside)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = tuple(self._collect(area, levels, inside=inside))
        return found

    def _collect(self, area: str, levels: tuple[str, ...], *, inside: bool) -> Iterable[Listed]:
        pieces: dict[str, list[Interval]] = defaultdict(list)
        listings: dict[str, Listing] = {}
        for identity, when, is_self in self.covers(area):
            if inside and not is_self:
                continue
            for entry in (self._below if inside else self._at).get(identity, ()):
                held = entry.when.intersection(when)
                if held is not None and entry.listing.level in levels:
                    pieces[entry.listing.fact.fact_id].append(held)
                    listings[entry.listing.fact.fact_id] = entry.listing
        found = [
            Listed(listings[fact_id], held)
            for fact_id, parts in pieces.items()
            for held in merge(parts)
        ]
        return sorted(
            found, key=lambda one: (one.listing.fact.occurred_at, one.listing.fact.fact_id)
        )


class AreaHistory:
    """Every version of every area fact; ``known`` gives the lists as of one moment."""

    __slots__ = ("_codes", "_dated", "_facts", "_recorded", "_views")

    def __init__(self, facts: tuple[Fact, ...], codes: AreaCodes) -> None:
        self._facts = facts
        self._codes = codes
        self._recorded = sorted(fact.recorded_at for fact in facts)
        self._dated = any(is_dated(fact) for fact in facts)
        self._views: dict[tuple[int, ZoneInfo], Listings] = {}

    @staticmethod
    def of(facts: Iterable[Fact], codes: AreaCodes | None = None) -> "AreaHistory":
        """Return the history that these facts tell; facts that never were of areas are left out."""
        kept = tuple(versions_of_kinds(facts, KINDS_OF_AREAS))
        return AreaHistory(kept, codes or AreaCodes())

    def known(self, known_at: datetime | None, *, zone: ZoneInfo = UTC_ZONE) -> Listings:
        """Return the lists as known at ``known_at``; one view serves all who know the same.

        ``zone`` is whose days the dates of facts without an instant are.
        """
        version = len(self._recorded)
        if known_at is not None:
            version = bisect_right(self._recorded, known_at)
        key = (version, zone if self._dated else UTC_ZONE)
        view = self._views.get(key)
        if view is None:
            if len(self._views) >= AREA_VIEWS_MAX:
                self._views.clear()
            current = current_facts(self._facts, known_at=known_at)
            told = (fact for fact in current if fact.kind in KINDS_OF_AREAS)
            view = self._views[key] = Listings(told, self._codes, zone=key[1])
        return view
