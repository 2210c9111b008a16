"""One pack as SQL statements: from the facts that are known to the measures of everybody."""
# ruff: noqa: S608 - every part of the SQL is ours; texts go through Dialect.text

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from passlight.city.columns import payload_column
from passlight.city.dialect import BIGINT, Dialect
from passlight.city.sql.calendar import Calendar
from passlight.city.sql.filters import counts, kinds_are, measured, no_negatives, passes
from passlight.city.sql.occurrences import Forms, Names, Occurring
from passlight.city.sql.phases import MEASURE, Phases, no_measures
from passlight.city.sql.points import NeedTexts, Setting
from passlight.city.sql.stages import Statement
from passlight.city.sql.waivers import Waivers
from passlight.core.facts.kinds import KINDS
from passlight.core.rules.pack import DuringForm, Pack, Rule, TriggerForm
from passlight.core.rules.points import Filter, Next, Nth, walk

# Facts of these kinds speak of the same thing when the key is equal, and contradict each other
# when the value differs (field/08 1.6).
SAME_THING = {"lab.result": ("sample_id", "value"), "order.started": ("order_id", "type")}


@dataclass(frozen=True, slots=True, kw_only=True)
class PackQueries:
    """Writes the statements of one pack; ``number`` tells its names from those of others.

    ``telling``: facts and needs are read; ``keyed``: measures are compared by their facts.
    """

    dialect: Dialect
    calendar: Calendar
    pack: Pack
    number: int
    rule_numbers: dict[str, int]
    needs: NeedTexts
    telling: bool
    keyed: bool
    since: int

    @property
    def measures(self) -> str:
        """Return the name under which the measures are kept."""
        return f"measures_{self.number}"

    @property
    def waivers(self) -> Waivers:
        """Return the waivers of this pack."""
        return Waivers(
            dialect=self.dialect,
            calendar=self.calendar,
            pack=self.pack,
            number=self.number,
            rule_numbers=self.rule_numbers,
        )

    @property
    def several(self) -> bool:
        """Return whether measures of one key may follow each other within the pack."""
        return any(self._forms().of(rule).several for rule in self.pack.rules)

    @property
    def levels(self) -> set[str]:
        """Return the levels of lists that any rule reads."""
        found: set[str] = set()
        for rule in self.pack.rules:
            if isinstance(rule.form, DuringForm):
                found.update(rule.form.levels)
            elif isinstance(rule.form, TriggerForm) and rule.form.area is not None:
                found.update(rule.form.area.levels)
        return found

    @property
    def within(self) -> set[str]:
        """Return the areas inside which any rule asks whether somebody was."""
        areas = (
            rule.form.area
            for rule in self.pack.rules
            if isinstance(rule.form, TriggerForm) and rule.form.area is not None
        )
        return {area.within for area in areas if area.within is not None}

    @property
    def reads_areas(self) -> bool:
        """Return whether any rule reads areas at all."""
        return bool(self.levels or self.within)

    def _names(self) -> Names:
        return Names(
            facts=f"facts_{self.number}" if self.pack.rankings else "facts_now",
            few=f"few_{self.number}" if self.pack.rankings else "facts_few",
            people="people_now",
            cover=f"cover_{self.number}",
            identity=f"identity_{self.number}",
        )

    def _forms(self) -> Forms:
        return Forms(
            dialect=self.dialect,
            calendar=self.calendar,
            pack=self.pack,
            names=self._names(),
            number=self.number,
            since=self.since,
            keyed=self.keyed or self.telling or bool(self.pack.waivers),
        )

    def statements(self) -> Iterator[Statement]:
        """Yield the statements in the order in which they run."""
        if self.pack.rankings:
            yield from self._set_aside()
            yield Statement(f"facts_{self.number}", self._settled("facts_now"), kept=False)
            yield Statement(f"few_{self.number}", self._settled("facts_few"), kept=False)
        forms = self._forms()
        found = [(rule, forms.of(rule)) for rule in self.pack.rules]
        for place, (rule, occurring) in enumerate(found):
            # Read twice where points look for facts: once for whom, once for when.
            looks = bool(self._filters((rule,)))
            yield from occurring.before
            yield Statement(self._occurrences(place), occurring.sql, kept=looks)
        filters = self._filters(self.pack.rules)
        if filters:
            looking = [place for place, (rule, _) in enumerate(found) if self._filters((rule,))]
            yield Statement(f"lists_{self.number}", self._lists(filters, looking), kept=True)
        parts = [
            self._measures(place, rule, occurring, filters)
            for place, (rule, occurring) in enumerate(found)
        ]
        measures = " UNION ALL ".join(parts) if parts else no_measures(self.dialect)
        if self.pack.waivers:
            yield from self.waivers.statements()
            measures = self.waivers.cut(measures)
        else:
            measures = self._whole(measures)
        yield Statement(self.measures, measures, kept=True)

    def _occurrences(self, place: int) -> str:
        return f"occurrences_{self.number}_{place}"

    # Contradictions

    def _set_aside(self) -> Iterator[Statement]:
        """Yield the statements that keep the facts that a better source contradicts."""
        parts = []
        for place, (kind, (key, value)) in enumerate(SAME_THING.items()):
            ranking = self.pack.rankings.get(kind)
            if ranking is None:
                continue
            fields = KINDS[kind].fields
            named, told = payload_column(key, fields[key]), payload_column(value, fields[value])
            ranks = " ".join(
                f"WHEN {self.dialect.text(source)} THEN {better}"
                for better, source in enumerate(dict.fromkeys(ranking))
            )
            rank = f"CASE f.source {ranks} ELSE {len(ranking)} END" if ranks else "0"
            of_kind = kinds_are((kind,), "f")
            # Two values are not both negative, and hardly anybody has another one at all.
            several = (
                f"SELECT f.p FROM facts_few f WHERE {of_kind} "
                f"AND coalesce(f.{told}, 'None') <> 'neg'"
            )
            own = f"SELECT f.p, f.fact, f.{named} AS thing, {rank} AS rank, "
            # A value that is missing reads like the text None: so it does for one person too.
            own += f"coalesce(f.{told}, 'None') AS told FROM facts_now f WHERE "
            own += f"{of_kind} AND f.{named} <> '' AND f.p IN ({several})"
            said = f"said_{self.number}_{place}"
            yield Statement(said, own, kept=True)
            contradicted = (
                f"SELECT p, thing, min(rank) AS best FROM {said} o GROUP BY p, thing "
                "HAVING min(told) <> max(told)"
            )
            parts.append(
                f"SELECT o.p, o.fact FROM {said} o JOIN ({contradicted}) c "
                "ON c.p = o.p AND c.thing = o.thing WHERE o.rank > c.best"
            )
        if not parts:
            null = self.dialect.null(BIGINT)
            parts.append(f"SELECT {null} AS p, {null} AS fact WHERE FALSE")
        yield Statement(f"aside_{self.number}", " UNION ALL ".join(parts), kept=True)

    def _settled(self, facts: str) -> str:
        return (
            f"SELECT f.* FROM {facts} f WHERE NOT EXISTS (SELECT 1 FROM aside_{self.number} a "
            "WHERE a.p = f.p AND a.fact = f.fact)"
        )

    # Lists of counted facts

    def _filters(self, rules: Sequence[Rule]) -> dict[Filter, "_Listed"]:
        """Return what the points of some rules look for, and what they read of it."""
        found: dict[Filter, _Listed] = {}
        for rule in rules:
            for phase in rule.phases:
                for point in (*walk(phase.starts), *walk(phase.ends)):
                    if isinstance(point, Next):
                        listed = found.setdefault(point.filter, _Listed(len(found), set()))
                        if point.same is not None:
                            listed.same.add(point.same)
                    elif isinstance(point, Nth):
                        listed = found.setdefault(point.filter, _Listed(len(found), set()))
                        listed.daily = listed.daily or point.every is not None
                        if point.reset_on is not None:
                            found.setdefault(point.reset_on, _Listed(len(found), set()))
        return found

    def _lists(self, filters: "dict[Filter, _Listed]", looking: Sequence[int]) -> str:
        """Return the query of the counted facts of everybody with an occurrence that asks."""
        dialect = self.dialect
        people = " UNION ".join(f"SELECT p FROM {self._occurrences(place)}" for place in looking)
        columns, sorted_ = [], []
        for wanted, listed in filters.items():
            fields = self._fields(wanted, listed)
            type_ = dialect.struct_type({name: kind for name, (_, kind) in fields.items()})
            item = dialect.struct({name: value for name, (value, _) in fields.items()})
            name = listed.column
            columns.append(
                f"{dialect.collect(item, passes(dialect, wanted, 'f'), type_)} AS {name}"
            )
            sorted_.append(f"{dialect.sort(name)} AS {name}")
        few = all(map(no_negatives, filters))
        facts = self._names().few if few else self._names().facts
        kinds = tuple(dict.fromkeys(kind for wanted in filters for kind in wanted.kinds))
        return (
            f"SELECT p, {', '.join(sorted_)} FROM (SELECT f.p, {', '.join(columns)} "
            f"FROM {facts} f WHERE {kinds_are(kinds, 'f')} "
            f"AND f.p IN ({people}) GROUP BY f.p) l"
        )

    def _fields(self, wanted: Filter, listed: "_Listed") -> dict[str, tuple[str, str]]:
        """Return the fields of a counted fact; the first four are the order of counting."""
        fields = {
            "counts": (counts(self.calendar, wanted.kinds, "f"), BIGINT),
            "occurred_at": ("f.occurred_at", BIGINT),
            "kind": ("CAST(f.kind AS BIGINT)", BIGINT),
            "fact": ("f.fact", BIGINT),
            "measured": (measured(self.calendar, wanted.kinds, "f"), BIGINT),
        }
        if listed.daily:
            # A fact known by its date is measured as that day ends.
            day = self.calendar.day(measured(self.calendar, wanted.kinds, "f"))
            fields["day"] = (f"{day} - CASE WHEN f.dated THEN 1 ELSE 0 END", BIGINT)
        for key in sorted(listed.same):
            value = self._forms().same_key(key, wanted.kinds, "f")
            # Nothing is shared by two that lack it; an empty text could be a value.
            fields[f"k_{key}"] = (f"coalesce('=' || {value}, '')", self.dialect.text_type)
        return fields

    # Measures

    def _measures(
        self, place: int, rule: Rule, occurring: Occurring, filters: "dict[Filter, _Listed]"
    ) -> str:
        own = self._filters((rule,))
        source = f"SELECT * FROM {self._occurrences(place)}"
        if own:
            columns = []
            for wanted in own:
                listed = filters[wanted]
                fields = self._fields(wanted, listed)
                type_ = self.dialect.struct_type({name: kind for name, (_, kind) in fields.items()})
                empty = self.dialect.list_of([], type_)
                columns.append(f"coalesce(l.{listed.column}, {empty}) AS {listed.column}")
            source = (
                f"SELECT o.*, {', '.join(columns)} FROM {self._occurrences(place)} o "
                f"LEFT JOIN lists_{self.number} l ON l.p = o.p"
            )
        setting = Setting(
            dialect=self.dialect,
            calendar=self.calendar,
            pack=self.pack,
            moments=occurring.moments,
            lists={wanted: listed.column for wanted, listed in filters.items()},
            trigger=occurring.trigger,
            needs=self.needs,
            # A waiver may name a measure's first fact, and that may be the one that ends it.
            telling=self.telling or bool(self.pack.waivers),
        )
        return Phases(
            setting=setting,
            rule=rule,
            rule_number=self.rule_numbers[rule.id],
            pack_number=self.number,
            occurring=occurring,
            since=self.since,
        ).sql(source)

    def _whole(self, measures: str) -> str:
        piece = self.dialect.struct({"s": "mstart", "e": "mend"})
        type_ = self.dialect.struct_type({"s": BIGINT, "e": BIGINT})
        pieces = self.dialect.list_of([piece], type_)
        if not self.telling and not self.keyed:
            # Nobody reads them: every measure is its own one piece.
            pieces = self.dialect.null(self.dialect.list_type(type_))
        return f"SELECT {', '.join(MEASURE)}, {pieces} AS pieces FROM ({measures}) m"


@dataclass(slots=True)
class _Listed:
    """A list of counted facts: its number, the keys compared with triggers, whether days count."""

    number: int
    same: set[str]
    daily: bool = False

    @property
    def column(self) -> str:
        return f"l{self.number}"
