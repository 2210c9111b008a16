"""The chains of ``nth``: facts in the order in which they were measured, each linked or not.

After each fact that counts the chain is built anew from all that count by then; the first one
with which it is long enough reaches the point.
"""

from collections.abc import Callable
from dataclasses import dataclass

from passlight.city.dialect import BIGINT, Dialect

_ONE = "CAST(1 AS BIGINT)"


@dataclass(frozen=True, slots=True)
class Chain:
    """The SQL of a chain: when it is long enough (NULL: not), and the one there is in the end.

    ``links`` are the facts of the chain that is long enough; ``count`` and ``mark`` are how many
    links the last chain has and what its last one left: when the next may follow, or its day.
    """

    at: str
    links: str
    count: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """How facts are linked; ``x`` is a fact of the person's list.

    ``mark`` is what a link leaves for the next one to be compared with: the earliest instant for
    it (``gap``), or its own day (``every``); neither when both are False.
    """

    dialect: Dialect
    wanted: str
    mark: str
    gap: bool
    every: bool

    def events(self, good: str, bad: str | None) -> str:
        """Return the facts and the resets in the order in which they count."""
        if bad is None:
            return self.dialect.transform(good, "x", self._event("0", self.mark))
        one = self.dialect.transform(good, "x", self._event("0", self.mark))
        other = self.dialect.transform(bad, "x", self._event("1", "0"))
        return self.dialect.sort(self.dialect.concat([one, other]))

    def _event(self, resets: str, mark: str) -> str:
        return self.dialect.struct(
            {
                "counts": "x.counts",
                "resets": self.dialect.big(int(resets)),
                "fact": "x.fact",
                "measured": "x.measured",
                "mark": f"CAST({mark} AS BIGINT)",
            }
        )

    def chain(self, good: str, bad: str | None, let: Callable[[str], str]) -> Chain:
        """Return the chain; ``let`` names a value."""
        dialect = self.dialect
        events = let(self.events(good, bad))
        places = dialect.series(_ONE, dialect.size(events))
        numbered = let(dialect.transform(places, "i", self._numbered(events)))
        taken = dialect.sort(dialect.head(numbered, "i"))
        chains = let(
            dialect.transform(
                places, "i", dialect.fold(taken, self._none(), ("a", "x"), self._linked())
            )
        )
        long_enough = f"{dialect.field(dialect.at(chains, 'i'), 'n')} >= {self.wanted}"
        hit = let(dialect.first(dialect.filter(places, "i", long_enough)))
        final = let(dialect.last(chains))
        return Chain(
            at=let(dialect.field(dialect.at(events, hit), "counts")),
            links=dialect.field(dialect.at(chains, hit), "facts"),
            count=f"coalesce({dialect.field(final, 'n')}, {dialect.big(0)})",
            mark=dialect.field(final, "mark"),
        )

    def _numbered(self, events: str) -> str:
        one = self.dialect.at(events, "i")
        fields = {name: self.dialect.field(one, name) for name in ("measured", "resets")}
        fields["place"] = "i"
        fields |= {name: self.dialect.field(one, name) for name in ("fact", "mark")}
        return self.dialect.struct(fields)

    def _state(self, count: str, mark: str, facts: str) -> str:
        return self.dialect.struct({"n": count, "mark": mark, "facts": facts})

    def _none(self) -> str:
        zero = self.dialect.big(0)
        return self._state(zero, zero, self.dialect.list_of([], BIGINT))

    def _linked(self) -> str:
        """Return the chain ``a`` with the event ``x``."""
        own = self.dialect.list_of(["x.fact"], BIGINT)
        longer = self._state(f"a.n + {_ONE}", "x.mark", self.dialect.concat(["a.facts", own]))
        cases = [(f"a.n >= {self.wanted}", "a"), ("x.resets = 1", self._none())]
        if self.every:
            cases.append(("a.n > 0 AND x.mark = a.mark", "a"))
            cases.append(
                (f"a.n > 0 AND x.mark <> a.mark + {_ONE}", self._state(_ONE, "x.mark", own))
            )
        elif self.gap:
            cases.append(("a.n > 0 AND x.measured < a.mark", "a"))
        written = " ".join(f"WHEN {condition} THEN {value}" for condition, value in cases)
        return f"CASE {written} ELSE {longer} END"
