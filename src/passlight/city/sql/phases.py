"""The phases of a rule as SQL: from its occurrences to its measures.

A measure's columns are MEASURE; ``mend`` is NEVER while the end is open. The facts that close it
and what it still needs are told only where somebody reads them.
"""
# ruff: noqa: S608 - every part of the SQL is ours; texts go through Dialect.text

from dataclasses import dataclass, replace

from passlight.city.columns import micros
from passlight.city.dialect import BIGINT, NEVER, Dialect
from passlight.city.sql.occurrences import NONE, Occurring
from passlight.city.sql.points import NEED_FIELDS, Look, Reached, Setting
from passlight.city.sql.stages import Stages
from passlight.core.kernel.colour import Colour
from passlight.core.rules.pack import Existing, Phase, Rule

KEY = ("rule", "phase", "t1", "t2")
MEASURE = ("p", "pack", *KEY, "strict", "mstart", "mend", "seq", "closing", "needs")


@dataclass(slots=True)
class _Chain:
    """Where a chain of phases stands: still going on, the last end, the first yellow."""

    alive: str
    prev_until: str | None = None
    yellow_since: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """Writes the measures of one rule; ``rule_number`` orders like the ids of rules.

    ``since``: measures that ended by then are left out.
    """

    setting: Setting
    rule: Rule
    rule_number: int
    pack_number: int
    occurring: Occurring
    since: int

    @property
    def _dialect(self) -> Dialect:
        return self.setting.dialect

    def sql(self, source: str) -> str:
        """Return the query of the measures, over occurrences with the lists beside them."""
        stages = Stages(source)
        chain = _Chain(alive="TRUE")
        structs = [self._phase(phase, stages, chain) for phase in self.rule.phases]
        big = self._dialect.big
        seq = "o_start" if self.occurring.several else big(0)
        head = {
            "p": "p",
            "pack": big(self.pack_number),
            "rule": big(self.rule_number),
            "t1": "t1",
            "t2": "t2",
            "seq": seq,
        }
        if len(structs) == 1:
            fields = head | {name: value for name, value in structs[0].items() if name != "ok"}
            columns = ", ".join(f"{fields[name]} AS {name}" for name in MEASURE)
            return stages.select(columns, where=structs[0]["ok"])
        type_ = self._dialect.struct_type(self._field_types())
        items = [self._dialect.struct(fields) for fields in structs]
        listed = self._dialect.filter(self._dialect.list_of(items, type_), "m", "m.ok")
        own = ", ".join(f"{value} AS {name}" for name, value in head.items())
        spread = stages.select(f"{own}, {self._dialect.each(listed)} AS m")
        columns = ", ".join(name if name in head else f"m.{name} AS {name}" for name in MEASURE)
        return f"SELECT {columns} FROM ({spread}) s"

    def _field_types(self) -> dict[str, str]:
        needs = self._dialect.list_type(self._dialect.struct_type(NEED_FIELDS))
        return {
            "ok": "BOOLEAN",
            "phase": BIGINT,
            "strict": BIGINT,
            "mstart": BIGINT,
            "mend": BIGINT,
            "closing": self._dialect.list_type(BIGINT),
            "needs": needs,
        }

    def _phase(self, phase: Phase, stages: Stages, chain: _Chain) -> dict[str, str]:
        """Return the fields of one phase's measure; the chain goes on behind it."""
        let, big = stages.let, self._dialect.big
        look = Look(
            setting=self.setting, stages=stages, as_of="o_start", prev_until=chain.prev_until
        )
        start = let(look.of(phase.starts).at)
        begun = f"{chain.alive} AND {start} IS NOT NULL"
        if self.occurring.trigger:
            begun = f"{begun} AND (o_expiry IS NULL OR {start} < o_expiry)"
        chain.alive = alive = let(f"({begun})")
        end = self._end(phase, replace(look, as_of=start), start)
        if phase.colour is Colour.YELLOW and self.occurring.trigger:
            end = self._capped(end, chain, start, look)
        if self.occurring.trigger:
            end = self._expired(end, look)
        skipped = let(f"({end.at} IS NOT NULL AND {end.at} <= {start})")
        chain.prev_until = let(f"CASE WHEN {skipped} THEN {start} ELSE {end.at} END")
        lasts = f"coalesce({end.at}, {big(NEVER)}) > {big(self.since)}"
        return {
            "ok": f"{alive} AND NOT {skipped} AND {lasts}",
            "phase": big(phase.index),
            "strict": big(phase.colour.strictness),
            "mstart": start,
            "mend": f"coalesce({end.at}, {big(NEVER)})",
            "closing": look.facts_of(end),
            "needs": look.needs_of(end),
        }

    def _end(self, phase: Phase, look: Look, start: str) -> Reached:
        """Return the end of a phase; under ``convert`` a changed parameter moves an open end (E39).

        The new end is never before the change: nothing ends in the past.
        """
        pack, let = self.setting.pack, look.stages.let
        end = look.of(phase.ends)
        end = replace(end, at=let(end.at))
        if not phase.parameters or pack.existing_measures is Existing.KEEP:
            return end
        found = {at for name in phase.parameters for at in pack.parameters[name].changes()}
        for change in sorted(micros(at) for at in found):
            at = self._dialect.big(change)
            later = replace(look, as_of=change).of(phase.ends)
            moved = let(f"({start} < {at} AND ({end.at} IS NULL OR {end.at} > {at}))")
            new = f"CASE WHEN {later.at} < {at} THEN {at} ELSE {later.at} END"
            end = self._either(look, moved, replace(later, at=new), end)
        return end

    def _capped(self, end: Reached, chain: _Chain, start: str, look: Look) -> Reached:
        """Return the end within the pack's cap, counted from the first yellow of the chain."""
        cap, let = self.setting.pack.chained_yellow, look.stages.let
        if cap is None:
            return end
        own = f"CASE WHEN {chain.alive} THEN {start} END"
        since = f"coalesce({chain.yellow_since}, {own})" if chain.yellow_since else own
        chain.yellow_since = let(since)
        limit = let(self.setting.calendar.add(chain.yellow_since, cap, let))
        over = let(f"({limit} IS NOT NULL AND ({end.at} IS NULL OR {end.at} > {limit}))")
        return self._either(look, over, Reached(limit, (), end.needs), end)

    def _expired(self, end: Reached, look: Look) -> Reached:
        """Return the end no later than a fact entered by hand counts."""
        over = f"(o_expiry IS NOT NULL AND ({end.at} IS NULL OR {end.at} > o_expiry))"
        return self._either(look, look.stages.let(over), Reached("o_expiry"), end)

    def _either(self, look: Look, condition: str, one: Reached, other: Reached) -> Reached:
        """Return one end where the condition holds, else the other."""
        let = look.stages.let
        at = let(f"CASE WHEN {condition} THEN {one.at} ELSE {other.at} END")
        if not self.setting.telling:
            return Reached(at)

        def chosen(some: str, others: str) -> tuple[str, ...]:
            if some == others:
                return (some,)
            return (let(f"CASE WHEN {condition} THEN {some} ELSE {others} END"),)

        facts = chosen(look.facts_of(one), look.facts_of(other))
        return Reached(at, facts, chosen(look.needs_of(one), look.needs_of(other)))


def no_measures(dialect: Dialect) -> str:
    """Return a query of measures that gives none."""
    needs = dialect.list_type(dialect.struct_type(NEED_FIELDS))
    types = dict.fromkeys(MEASURE, BIGINT)
    types |= {"closing": dialect.list_type(BIGINT), "needs": needs}
    columns = ", ".join(f"{dialect.null(types[name])} AS {name}" for name in MEASURE)
    return f"SELECT {columns} WHERE FALSE"


__all__ = ["KEY", "MEASURE", "NONE", "Phases", "no_measures"]
