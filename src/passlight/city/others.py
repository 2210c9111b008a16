"""The small part of a store: facts about areas and identities, and deliveries of sources.

They are few beside those about people. Python reads them whole and works out from them, for each
time of knowledge, the small tables that SQL joins with everybody.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import duckdb

from passlight.city.store import Store
from passlight.core.facts.identity import KINDS_OF_IDENTITY
from passlight.core.facts.kinds import KINDS, kind_rank

_LISTED, _DELISTED = kind_rank("area.listed"), kind_rank("area.delisted")
_IDENTITY = frozenset(kind_rank(name) for name in KINDS_OF_IDENTITY)
_NAMES = tuple(KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaVersion:
    """A version of a listing or of a delisting, in microseconds."""

    fact: int
    fact_id: str
    listed: bool
    occurred_at: int
    occurred_until: int | None
    recorded_at: int
    superseded_at: int | None
    dated: bool
    area: str
    level: str | None
    list_id: str | None
    parent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkVersion:
    """A version of a word on whether two are one person."""

    fact: int
    kind: str
    occurred_at: int
    recorded_at: int
    superseded_at: int | None
    a: str
    b: str


V = TypeVar("V", AreaVersion, LinkVersion)


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """What a store says about areas, identities and sources."""

    areas: tuple[AreaVersion, ...]
    links: tuple[LinkVersion, ...]
    deliveries: Mapping[str, Sequence[tuple[int, int | None]]] | None
    """When each source delivered, and from when on that is known to be none; None when nothing
    was ever told of any."""
    people: Mapping[str, int]
    """The numbers of all whom a fact of identity ever named."""
    asked: tuple[str, ...]
    """The areas that facts about people name."""
    crowded: frozenset[int]
    """Who has more versions of facts than the store's ``crowd``."""
    ranges: Mapping[int, tuple[int, int]]
    """The earliest and the latest instant that facts of a kind, by its rank, name."""
    facts_of: Mapping[int, int]
    """How many versions there are about those whom a fact of identity ever named."""


def known(versions: Iterable[V], known_at: int | None) -> list[V]:
    """Return the versions in force as known at an instant; None knows everything."""
    if known_at is None:
        return [one for one in versions if one.superseded_at is None]
    return [
        one
        for one in versions
        if one.recorded_at <= known_at
        and (one.superseded_at is None or known_at < one.superseded_at)
    ]


def read_others(store: Store) -> Others:
    """Return the small part of a store."""
    connection = duckdb.connect(config={"threads": 1})
    try:
        rows = connection.execute(
            "SELECT kind, fact, fact_id, occurred_at, occurred_until, recorded_at, superseded_at, "
            "dated, p_area, p_level, p_list_id, p_parent, p_a, p_b FROM read_parquet(?)",
            [str(store.others)],
        ).fetchall()
        named = "SELECT subject, person FROM read_parquet(?)"
        people = dict(connection.execute(named, [str(store.linked_people)]).fetchall())
        asked = connection.execute("SELECT area FROM read_parquet(?)", [str(store.asked)])
        areas = tuple(area for (area,) in asked.fetchall())
        told = "SELECT source, recorded_at, withdrawn_at FROM read_parquet(?) ORDER BY ALL"
        times: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
        for source, at, ended in connection.execute(told, [str(store.deliveries)]).fetchall():
            times[source].append((at, ended))
        counted = "SELECT person FROM read_parquet(?)"
        crowded = connection.execute(counted, [str(store.crowded)]).fetchall()
        told = "SELECT kind, low, high FROM read_parquet(?)"
        ranges = connection.execute(told, [str(store.ranges)]).fetchall()
        counted = "SELECT person, count(*) FROM read_parquet(?) GROUP BY person"
        facts_of = dict(connection.execute(counted, [str(store.linked)]).fetchall())
    finally:
        connection.close()
    return Others(
        areas=tuple(_area(row) for row in rows if row[0] in {_LISTED, _DELISTED}),
        links=tuple(_link(row) for row in rows if row[0] in _IDENTITY),
        deliveries=times if store.told_of_sources else None,
        people=people,
        asked=areas,
        crowded=frozenset(person for (person,) in crowded),
        ranges={kind: (low, high) for kind, low, high in ranges},
        facts_of=facts_of,
    )


def _area(row: tuple[Any, ...]) -> AreaVersion:
    kind, fact, fact_id, since, until, recorded, superseded, dated, *payload = row
    area, level, list_id, parent, _, _ = payload
    return AreaVersion(
        fact=fact,
        fact_id=fact_id,
        listed=kind == _LISTED,
        occurred_at=since,
        occurred_until=until,
        recorded_at=recorded,
        superseded_at=superseded,
        dated=dated,
        area=area,
        level=level,
        list_id=list_id,
        parent=parent or None,
    )


def _link(row: tuple[Any, ...]) -> LinkVersion:
    kind, fact, _, since, _, recorded, superseded, *_, a, b = row
    return LinkVersion(
        fact=fact,
        kind=_NAMES[kind],
        occurred_at=since,
        recorded_at=recorded,
        superseded_at=superseded,
        a=a,
        b=b,
    )
