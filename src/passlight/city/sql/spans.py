"""Spans as SQL: the measures of several packs in turn, each cut to its pack's time.

``convert`` gives every pack its own measures, ``keep`` lets those that are open at the change go
on under the pack before. Where a measure starts and ends is told across packs.
"""
# ruff: noqa: S608 - every part of the SQL is ours; texts go through Dialect.text

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from passlight.city.dialect import BIGINT, EVER, NEVER, Dialect
from passlight.city.sql.occurrences import NONE
from passlight.city.sql.phases import KEY, MEASURE
from passlight.city.sql.points import NEED_FIELDS
from passlight.city.sql.stages import Statement

_SAME = ("p", *KEY)
_CHAIN = ("p", "rule", "t1", "t2")


@dataclass(frozen=True, slots=True)
class SpanOf:
    """A stretch of time and the kept measures of the pack in force; None under no pack."""

    start: int
    end: int
    measures: str | None
    keeps: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Writes the measures of all spans together, with the column ``span`` beside MEASURE."""

    dialect: Dialect
    spans: Sequence[SpanOf]

    @property
    def joined(self) -> bool:
        """Return whether there is more than one span, so that measures must be cut."""
        return len(self.spans) > 1

    def statements(self) -> Iterator[Statement]:
        """Yield the statements; the last one makes ``measures_all``."""
        if not self.joined:
            only = self.spans[0].measures
            every = f"SELECT *, {self.dialect.big(0)} AS span FROM {only}"
            yield Statement("measures_all", every if only else self._nothing(), kept=False)
            return
        cut: list[str | None] = []
        before: str | None = None
        for place, span in enumerate(self.spans):
            own = span.measures
            if own is not None and span.keeps and before is not None and span.start > EVER:
                yield Statement(f"held_{place}", self._held(before, own, span.start), kept=True)
                own = f"held_{place}"
            if own is not None:
                yield Statement(f"cut_{place}", self._cut(own, span), kept=True)
            cut.append(f"cut_{place}" if own is not None else None)
            before = own
        ended = yield from self._tell(cut, "ended", backwards=True)
        told = yield from self._tell(ended, "told", backwards=False)
        parts = [
            f"SELECT *, {self.dialect.big(place)} AS span FROM {name}"
            for place, name in enumerate(told)
            if name is not None
        ]
        yield Statement("measures_all", " UNION ALL ".join(parts) or self._nothing(), kept=False)

    def _nothing(self) -> str:
        types = dict.fromkeys((*MEASURE, "span"), BIGINT)
        piece = self.dialect.struct_type({"s": BIGINT, "e": BIGINT})
        needs = self.dialect.struct_type(NEED_FIELDS)
        types |= {
            "closing": self.dialect.list_type(BIGINT),
            "needs": self.dialect.list_type(needs),
            "pieces": self.dialect.list_type(piece),
        }
        columns = ", ".join(
            f"{self.dialect.null(type_)} AS {name}" for name, type_ in types.items()
        )
        return f"SELECT {columns} WHERE FALSE"

    def _held(self, before: str, new: str, change: int) -> str:
        """Return the old pack's chains that are open at the change, and the new pack's others."""
        at = self.dialect.big(change)
        open_ = f"SELECT * FROM {before} WHERE mstart < {at} AND mend > {at}"
        chains = f"SELECT DISTINCT {', '.join(_CHAIN)} FROM ({open_}) o"
        kept = f"({chains}) k WHERE {_equal(_CHAIN, 'k', 'm')}"
        return (
            f"SELECT m.* FROM {before} m WHERE EXISTS (SELECT 1 FROM {kept}) UNION ALL "
            f"SELECT m.* FROM {new} m WHERE NOT EXISTS (SELECT 1 FROM {kept})"
        )

    def _cut(self, measures: str, span: SpanOf) -> str:
        low, high = self.dialect.big(span.start), self.dialect.big(span.end)
        part = self.dialect.struct({"s": f"greatest(x.s, {low})", "e": f"least(x.e, {high})"})
        parts = self.dialect.filter(self.dialect.transform("pieces", "x", part), "y", "y.s < y.e")
        columns = ", ".join(MEASURE)
        return (
            f"SELECT {columns}, {parts} AS pieces FROM {measures} "
            f"WHERE greatest(mstart, {low}) < least(mend, {high})"
        )

    def _tell(
        self, names: Sequence[str | None], prefix: str, *, backwards: bool
    ) -> Generator[Statement, None, list[str | None]]:
        """Yield what tells each span's ends or starts by its neighbour's; return the names."""
        told: list[str | None] = list(names)
        order = range(len(names) - 1, -1, -1) if backwards else range(len(names))
        for place in order:
            name = names[place]
            step = 1 if backwards else -1
            change = self.spans[place].end if backwards else self.spans[place].start
            if name is None or not EVER < change < NEVER:
                continue
            neighbour = told[place + step]
            write = self._told_end if backwards else self._told_start
            yield Statement(f"{prefix}_{place}", write(name, neighbour, change), kept=True)
            told[place] = f"{prefix}_{place}"
        return told

    def _beside(self, name: str, neighbour: str | None) -> str:
        """Return the join of a span's measures with the same ones of its neighbour."""
        if neighbour is None:
            nobody = f"(SELECT * FROM {name} WHERE FALSE)"
            return f"FROM {name} m LEFT JOIN {nobody} a ON {_equal(_SAME, 'a', 'm')}"
        # Where measures of one key follow each other, the last one speaks for them.
        ranked = (
            f"SELECT *, row_number() OVER (PARTITION BY {', '.join(_SAME)} "
            f"ORDER BY seq DESC) AS place FROM {neighbour} WHERE t2 <> {NONE}"
        )
        columns = ", ".join((*MEASURE, "pieces"))
        last = (
            f"SELECT {columns} FROM {neighbour} WHERE t2 = {NONE} UNION ALL "
            f"SELECT {columns} FROM ({ranked}) r WHERE place = 1"
        )
        return f"FROM {name} m LEFT JOIN ({last}) a ON {_equal(_SAME, 'a', 'm')}"

    def _told_end(self, name: str, after: str | None, change: int) -> str:
        at = self.dialect.big(change)
        over, none = f"m.mend <= {at}", f"(a.p IS NULL OR a.mstart > {at})"
        empty = self.dialect.list_of([], BIGINT)
        no_need = self.dialect.list_of([], self.dialect.struct_type(NEED_FIELDS))
        alone = {"mend": at, "closing": empty, "needs": no_need}
        told = {
            column: f"CASE WHEN {over} THEN m.{column} WHEN {none} THEN {value} ELSE a.{column} END"
            for column, value in alone.items()
        }
        return f"SELECT {_columns(told)} {self._beside(name, after)}"

    def _told_start(self, name: str, before: str | None, change: int) -> str:
        at = self.dialect.big(change)
        told = {
            "mstart": f"CASE WHEN m.mstart >= {at} THEN m.mstart "
            f"WHEN a.mend >= {at} THEN a.mstart ELSE {at} END"
        }
        return f"SELECT {_columns(told)} {self._beside(name, before)}"


def _equal(columns: Sequence[str], one: str, other: str) -> str:
    return " AND ".join(f"{one}.{column} = {other}.{column}" for column in columns)


def _columns(told: dict[str, str]) -> str:
    return ", ".join(f"{told.get(name, f'm.{name}')} AS {name}" for name in (*MEASURE, "pieces"))
