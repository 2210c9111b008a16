"""Whom a change of packs may leave with a question or a contradiction to look into.

Such doubts decide no colour, so no row of colours tells them; they open a task. Whoever may have
one is found here, a few too many rather than one too few, and the worker looks at each.
"""
# ruff: noqa: S608 - every part of the SQL is ours; paths and texts go through quoted()

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import duckdb

from passlight.city.columns import payload_column
from passlight.city.sql.packs import SAME_THING
from passlight.city.store import Store
from passlight.city.writing import files, quoted
from passlight.core.facts.kinds import KINDS, kind_rank
from passlight.core.rules.pack import DuringForm, Rule, TriggerForm
from passlight.core.rules.schedule import PackSchedule
from passlight.office.recompute.served import Served
from passlight.office.statuses.shared import SharedFacts

_CURRENT: Final = "superseded_at is null"


class Doubtful:
    """Finds them in a store, bucket by bucket."""

    def __init__(self, packs: PackSchedule, store: Store, served: Served) -> None:
        self._store = store
        self._served = served
        self._engine = duckdb.connect(
            config={"autoinstall_known_extensions": False, "threads": 1, "memory_limit": "1GB"}
        )
        shared = SharedFacts()
        shared.read(store.manifest.up_to_seq or 0)
        self._conditions = [*_contradictions(packs), *_coarse(packs, shared, self._asked())]
        self._keep_circles(shared)

    def close(self) -> None:
        """Give the engine's memory back."""
        self._engine.close()

    def _asked(self) -> list[str]:
        query = f"select area from {files([self._store.asked])} order by area"
        return [area for (area,) in self._engine.execute(query).fetchall()]

    def _keep_circles(self, shared: SharedFacts) -> None:
        """Keep everybody who is linked to somebody with a doubt: the doubt is theirs as well."""
        self._engine.execute("create temp table circle (subject varchar)")
        if not self._conditions:
            return
        found = self._engine.execute(
            f"select subject from {files([self._store.linked_people])} "
            f"where person in ({self._persons(self._store.linked)})"
        )
        linked = {
            member for (subject,) in found.fetchall() for member in shared.ever_linked(subject)
        }
        if linked:
            self._engine.execute("insert into circle select unnest(?)", [sorted(linked)])

    def ordinals(self, bucket: int) -> set[int]:
        """Return the ordinals of those of a bucket who may have a doubt."""
        if not self._conditions or not self._served.files:
            return set()
        people = files([self._store.people(bucket)])
        found = self._engine.execute(
            f"select s.ordinal from {people} n join {files(self._served.files)} s "
            f"on s.subject = n.subject where n.person in "
            f"({self._persons(self._store.facts(bucket))}) "
            "or n.subject in (select subject from circle)"
        )
        return {ordinal for (ordinal,) in found.fetchall()}

    def _persons(self, facts: Path) -> str:
        """Return the query of those of whom one of these facts makes a doubt."""
        linked = files([self._store.linked_people])
        return " union ".join(
            condition.format(facts=files([facts]), linked=linked) for condition in self._conditions
        )


def _contradictions(packs: PackSchedule) -> Iterator[str]:
    """Yield queries of people whose facts say two things about one.

    Somebody who is linked may contradict the other handle's facts: one such fact is enough.
    """
    for kind, (key, value) in SAME_THING.items():
        if not any(kind in pack.rankings for pack in packs.packs):
            continue
        fields = KINDS[kind].fields
        thing, told = payload_column(key, fields[key]), payload_column(value, fields[value])
        of_kind = f"kind = {kind_rank(kind)} and {_CURRENT} and {thing} <> ''"
        yield (
            f"select person from {{facts}} where {of_kind} group by person, {thing} "
            f"having count(*) > 1 and (min({told}) <> max({told}) or count({told}) < count(*))"
        )
        yield (
            f"select person from {{facts}} where {of_kind} "
            "and person in (select person from {linked})"
        )


def _coarse(packs: PackSchedule, shared: SharedFacts, asked: Iterable[str]) -> Iterator[str]:
    """Yield queries of people of whom a fact names an area that is larger than a listed one."""
    history = shared.areas(packs)
    named = list(asked)
    reading = {(*_reads_areas(rule), pack.zone) for pack in packs.packs for rule in pack.rules}
    for kinds, levels, zone in sorted(reading, key=str):
        listings = history.known(None, zone=zone)
        coarse = [area for area in named if levels and listings.inside(area, levels)]
        if coarse:
            ranks = ", ".join(str(kind_rank(kind)) for kind in kinds)
            areas = ", ".join(map(quoted, coarse)).replace("{", "{{").replace("}", "}}")
            yield (
                f"select person from {{facts}} where kind in ({ranks}) and {_CURRENT} "
                f"and (p_area in ({areas}) or p_from_area in ({areas}))"
            )


def _reads_areas(rule: Rule) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the kinds of facts whose area a rule compares with the lists, and their levels."""
    form = rule.form
    if isinstance(form, TriggerForm) and form.area is not None:
        return form.filter.kinds, form.area.levels
    if isinstance(form, DuringForm):
        return form.stays, form.levels
    return (), ()
