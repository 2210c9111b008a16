"""A schedule of packs made ready for one set of moments: what is the same for every bucket."""
# ruff: noqa: S608 - every part of the SQL is ours; texts go through Dialect.text

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from passlight.city.areas import AreaTables
from passlight.city.base_colours import Base, base_of, end_of, span_at, start_of
from passlight.city.columns import micros
from passlight.city.crowded import Crowded, crowded_people
from passlight.city.dialect import BIGINT, EVER, NEVER
from passlight.city.engine import Engine
from passlight.city.identity import members
from passlight.city.others import Others, read_others
from passlight.city.sql.answers import Answers
from passlight.city.sql.calendar import Calendar
from passlight.city.sql.facts_view import FactsView, kinds_read
from passlight.city.sql.occurrences import NONE
from passlight.city.sql.packs import PackQueries
from passlight.city.sql.points import NeedTexts
from passlight.city.sql.spans import SpanOf, Spans
from passlight.city.sql.stages import Statement
from passlight.city.sql.standing import Standing
from passlight.city.sql.zones import horizon
from passlight.city.store import Store
from passlight.core.facts.kinds import kind_rank
from passlight.core.rules.pack import Existing, Pack
from passlight.core.rules.schedule import Epoch, PackSchedule
from passlight.core.status.line import LineRow

Number = Callable[[str | None], int]
UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A moment asked about: its place among all, which time of knowledge, which epoch."""

    place: int
    at: datetime
    known: int
    span: int


@dataclass(slots=True, kw_only=True)
class Compiled:
    """The packs of one schedule as known, the moments that see them so, and their statements."""

    engine: Engine
    store: Store
    epochs: tuple[Epoch, ...]
    codes: PackSchedule
    known_at: list[int | None]
    asked: list[Asked]
    telling: bool
    others: Others
    needs: NeedTexts = field(default_factory=NeedTexts)
    packs: list[PackQueries] = field(default_factory=list)
    bases: list[Base] = field(default_factory=list)
    other_ids: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    linked: bool = False
    crowded: Crowded | None = None
    apart: dict[int, list[LineRow]] = field(default_factory=dict)

    @property
    def times(self) -> int:
        """Return how many times of knowledge there are."""
        return len(self.known_at)

    @property
    def since(self) -> int:
        """Return the earliest instant asked about."""
        return min(micros(one.at) for one in self.asked)

    def zone(self, span: int) -> ZoneInfo:
        """Return the zone in which an epoch tells times: its pack's, else that of any pack."""
        packs = (self.epochs[span].pack, *(epoch.pack for epoch in self.epochs))
        return next((pack.zone for pack in packs if pack is not None), UTC_ZONE)

    def number(self, pack: Pack) -> int:
        """Return the number of a pack."""
        return next(one.number for one in self.packs if one.pack is pack)

    def prepare(self) -> None:
        """Work out the small tables and register them."""
        packs = list({id(epoch.pack): epoch.pack for epoch in self.epochs if epoch.pack}.values())
        self.rules = sorted({rule.id for pack in packs for rule in pack.rules})
        numbers = {rule: number for number, rule in enumerate(self.rules)}
        needed = self._needed_since()
        calendars = self._calendars(packs)
        self.packs = [
            PackQueries(
                dialect=self.engine.dialect,
                calendar=calendars[pack.zone.key],
                pack=pack,
                number=number,
                rule_numbers=numbers,
                needs=self.needs,
                telling=self.telling,
                keyed=len(self.epochs) > 1,
                since=needed,
            )
            for number, pack in enumerate(packs)
        ]
        self.bases = [
            base_of(self.epochs, self.others, known_at, since=self.since)
            for known_at in self.known_at
        ]
        self._register()
        self._set_apart()

    def _set_apart(self) -> None:
        """Leave out of SQL whoever has more facts than it should hold at once."""
        most = self.store.manifest.crowd
        people = crowded_people(self.others, self.known_at, most=most)
        if people:
            self.crowded = Crowded(self, people)
            self.crowded.register()
            if self.telling:
                self.apart = self.crowded.rows()

    def _needed_since(self) -> int:
        """Return until when a measure may have ended and be forgotten.

        Where packs follow each other, what touches a change still tells where others start.
        """
        changes = [
            start_of(later)
            for place, later in enumerate(self.epochs[1:], start=1)
            if later.pack is not None and any(epoch.pack for epoch in self.epochs[:place])
        ]
        return min([self.since, *(change - 1 for change in changes)])

    def _calendars(self, packs: Sequence[Pack]) -> dict[str, Calendar]:
        """Return the calendar of each zone, with no more changes than the facts can meet."""
        low, high = self._range(kinds_read(packs)) if packs else (0, 0)
        reach = max((horizon(pack) for pack in packs), default=0)
        zones = {pack.zone.key: pack.zone for pack in packs}
        return {
            key: Calendar(
                dialect=self.engine.dialect,
                zone=zone,
                low=low - reach,
                high=high + reach,
                number=number,
            )
            for number, (key, zone) in enumerate(sorted(zones.items()))
        }

    def _range(self, kinds: set[str]) -> tuple[int, int]:
        """Return the earliest and the latest instant that any fact, pack or moment names."""
        found = [micros(one.at) for one in self.asked]
        for epoch in self.epochs:
            found += [edge for edge in (start_of(epoch), end_of(epoch)) if EVER < edge < NEVER]
            if epoch.pack is not None and epoch.pack.effective.start is not None:
                found.append(micros(epoch.pack.effective.start))
            if epoch.pack is not None:
                changed = (one.changes() for one in epoch.pack.parameters.values())
                found += [micros(at) for times in changed for at in times]
        # A stay in a listed area may end long after the last fact about a person.
        for area in self.others.areas:
            found += [area.occurred_at, area.occurred_until or area.occurred_at]
        for kind in kinds:
            found += self.others.ranges.get(kind_rank(kind), ())
        return min(found), max(found)

    def _register(self) -> None:
        engine = self.engine
        known = [(kid, NEVER if k is None else k) for kid, k in enumerate(self.known_at)]
        engine.register_rows("knowledge", {"kid": BIGINT, "k": BIGINT}, known)
        rows = [
            (one.place, one.known, micros(one.at), one.span, self._pack_number(one.span))
            for one in self.asked
        ]
        columns = dict.fromkeys(("moment", "kid", "t", "span", "pack"), BIGINT)
        engine.register_rows("moments", columns, rows)
        steps = [
            (kid, at, colour) for kid, base in enumerate(self.bases) for at, colour in base.steps
        ]
        columns = dict.fromkeys(("kid", "t", "colour"), BIGINT)
        engine.register_rows("base_rows", columns, steps)
        dialect = engine.dialect
        step = dialect.struct({"t": "t", "colour": "colour"})
        type_ = dialect.struct_type({"t": BIGINT, "colour": BIGINT})
        engine.keep(
            "base_steps",
            f"SELECT kid, {dialect.sort('steps')} AS steps FROM (SELECT kid, "
            f"{dialect.collect(step, None, type_)} AS steps FROM base_rows GROUP BY kid) s",
        )
        linked = [
            (kid, person, member)
            for kid, known_at in enumerate(self.known_at)
            for person, member in members(self.others, known_at)
        ]
        self.linked = bool(linked)
        engine.register_rows("members", dict.fromkeys(("kid", "person", "member"), BIGINT), linked)
        self._register_areas()

    def _pack_number(self, span: int) -> int:
        pack = self.epochs[span].pack
        return -1 if pack is None else self.number(pack)

    def _register_areas(self) -> None:
        numbers: dict[str, int] = {}

        def number(fact_id: str | None) -> int:
            if fact_id is None:
                return NONE
            return -1 - numbers.setdefault(fact_id, len(numbers))

        text = self.engine.dialect.text_type
        tables: dict[tuple[str, int], AreaTables] = {}
        for queries in self.packs:
            covers: list[tuple[object, ...]] = []
            names: list[tuple[object, ...]] = []
            for kid, known_at in enumerate(self.known_at):
                if not queries.reads_areas:
                    break
                key = (queries.pack.zone.key, kid)
                if key not in tables:
                    tables[key] = AreaTables(
                        self.others.areas,
                        self.codes.area_codes,
                        zone=queries.pack.zone,
                        known_at=known_at,
                    )
                covers += self._covers(tables[key], queries, kid, number)
                names += self._names(tables[key], queries, kid)
            self.engine.register_rows(f"cover_{queries.number}", _cover_columns(text), covers)
            self.engine.register_rows(f"identity_{queries.number}", _name_columns(text), names)
        self.other_ids = list(numbers)

    def _covers(
        self, tables: AreaTables, queries: PackQueries, kid: int, number: Number
    ) -> Iterator[tuple[object, ...]]:
        """Yield the listings that a pack reads, by the areas that facts name."""
        for one in tables.covers(self.others.asked):
            if one.level in queries.levels:
                until = NEVER if one.until_at is None else one.until_at
                listing_until = NEVER if one.listing_until is None else one.listing_until
                yield (
                    *(kid, one.area, number(one.listing_id), one.level, one.from_at, until),
                    *(listing_until, number(one.delisting_id), one.inside),
                )

    def _names(
        self, tables: AreaTables, queries: PackQueries, kid: int
    ) -> Iterator[tuple[object, ...]]:
        """Yield the areas of which a pack asks, by those that facts name and that lie inside."""
        for name in tables.names(self.others.asked) if queries.within else ():
            if name.identity in queries.within:
                start = EVER if name.from_at is None else name.from_at
                end = NEVER if name.until_at is None else name.until_at
                yield kid, name.area, name.identity, start, end

    def statements(self) -> list[Statement]:
        """Return what is run for a bucket, up to where everybody stands."""
        dialect = self.engine.dialect
        packs = [queries.pack for queries in self.packs]
        facts = FactsView(
            dialect=dialect,
            known_at=self.known_at,
            # Compact rows tell when the last negative test was, whatever the packs read.
            kinds=kinds_read(packs) | (set() if self.telling else {"lab.result"}),
            linked=self.linked,
            calendars=list({one.calendar.number: one.calendar for one in self.packs}.values()),
        )
        found: list[Statement] = []
        for queries in self.packs:
            found.extend(queries.statements())
        spans = Spans(
            dialect=dialect,
            spans=[
                SpanOf(
                    start=start_of(epoch),
                    end=end_of(epoch),
                    measures=None
                    if epoch.pack is None
                    else self.packs[self.number(epoch.pack)].measures,
                    keeps=epoch.pack is not None and epoch.pack.existing_measures is Existing.KEEP,
                )
                for epoch in self.epochs
            ],
        )
        found.extend(spans.statements())
        standing = Standing(
            dialect=dialect,
            closing=self._closing(),
            times=self.times,
            since=self.since,
            base=self.only_base(),
            apart=not self.telling,
            whole=not spans.joined and not any(queries.pack.waivers for queries in self.packs),
            merged=spans.joined or any(queries.several for queries in self.packs),
        )
        found.extend(standing.statements())
        return [*facts.statements(), facts.few(found), *found]

    def only_base(self) -> int | None:
        """Return the one colour of the base, at all times; None when it changes."""
        colours = {colour for base in self.bases for _, colour in base.steps}
        return colours.pop() if len(colours) == 1 else None

    def _closing(self) -> list[tuple[int, Calendar | None]]:
        """Return whose days a closing fact's date is: of the pack in force then, or of the next."""
        found: list[tuple[int, Calendar | None]] = []
        for place, epoch in enumerate(self.epochs):
            later = (*self.epochs[place:], *reversed(self.epochs))
            pack = next((one.pack for one in later if one.pack is not None), None)
            calendar = self.packs[self.number(pack)].calendar if pack is not None else None
            found.append((end_of(epoch), calendar))
        return found

    def answers(self) -> Answers:
        """Return the answers of these packs."""
        return Answers(dialect=self.engine.dialect, packs=self.packs, times=self.times)

    def open_bucket(self, bucket: int) -> None:
        """Make the views of one bucket."""
        parts = {"people": self.store.people(bucket), "facts": self.store.facts(bucket)}
        for name, file in parts.items():
            if self.crowded is not None and self.crowded.in_bucket(bucket):
                self.engine.register_parquet(f"all_{name}_of_bucket", [file])
                rows = self.crowded.without(f"all_{name}_of_bucket")
                self.engine.view(f"{name}_of_bucket", rows)
            else:
                self.engine.register_parquet(f"{name}_of_bucket", [file])
        if self.linked:
            self.engine.register_parquet("facts_of_linked", [self.store.linked])

    def run(self, statements: Sequence[Statement]) -> None:
        """Run statements."""
        for one in statements:
            if one.kept:
                self.engine.keep(one.name, one.sql)
            else:
                self.engine.view(one.name, one.sql)


def _cover_columns(text: str) -> dict[str, str]:
    columns = dict.fromkeys(("kid", "area", "listing", "level", "from_at", "until_at"), BIGINT)
    columns |= dict.fromkeys(("listing_until", "delisting"), BIGINT)
    return columns | {"area": text, "level": text, "inside": "BOOLEAN"}


def _name_columns(text: str) -> dict[str, str]:
    columns = dict.fromkeys(("kid", "area", "identity", "from_at", "until_at"), BIGINT)
    return columns | {"area": text, "identity": text}


def compile_schedule(
    engine: Engine,
    store: Store,
    schedule: PackSchedule,
    moments: Sequence[tuple[datetime, datetime | None]],
    *,
    telling: bool,
) -> list[Compiled]:
    """Return the schedule made ready: one part for each set of packs that was known.

    A pack that is not published yet is not known; moments that see the same packs share a part.
    """
    others = read_others(store)
    parts: dict[tuple[tuple[object, ...], ...], Compiled] = {}
    for place, (at, known) in enumerate(moments):
        epochs = schedule.epochs(known_at=known)
        key = tuple((id(epoch.pack), start_of(epoch)) for epoch in epochs)
        part = parts.get(key)
        if part is None:
            part = parts[key] = Compiled(
                engine=engine,
                store=store,
                epochs=epochs,
                codes=schedule,
                known_at=[],
                asked=[],
                telling=telling,
                others=others,
            )
        known_at = None if known is None else micros(known)
        if known_at not in part.known_at:
            part.known_at.append(known_at)
        span = span_at(epochs, micros(at))
        kid = part.known_at.index(known_at)
        part.asked.append(Asked(place=place, at=at, known=kid, span=span))
    return list(parts.values())


__all__ = ["Asked", "Compiled", "Path", "compile_schedule"]
