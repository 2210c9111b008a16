"""When a point is reached, through which facts, and what is still missing.

One function a kind of point; nothing here knows a rule or a colour.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from passlight.core.facts.dates import is_dated
from passlight.core.facts.fact import Fact
from passlight.core.kernel.calendar import Duration, add, local_date, start_of_day
from passlight.core.rules.pack import Pack
from passlight.core.rules.points import (
    After,
    At,
    Earliest,
    Latest,
    Moment,
    Never,
    Next,
    Nth,
    Parameter,
    Point,
)
from passlight.core.rules.terms import Text
from passlight.core.status.occurrence import Occurrence
from passlight.core.status.reading import Counted, PersonFacts

_TESTS = frozenset({"lab.result", "lab.sampled"})


class Need(NamedTuple):
    """An open condition: what would end the measure, how often, measured from when on.

    ``sampled`` is False for facts that are no tests: those are not sampled, they happen.
    """

    text: Text
    missing: int
    from_at: datetime | None
    sampled: bool = True


class Reached(NamedTuple):
    """When a point is reached (None: not, as far as is known), by what, and what is missing."""

    at: datetime | None
    facts: tuple[Fact, ...] = ()
    needs: tuple[Need, ...] = ()


NOT_REACHED = Reached(None)


@dataclass(slots=True, kw_only=True)
class Reach:
    """Looks points up for one occurrence of one rule.

    ``prev_until`` and ``as_of`` move with the phases: where the last one ended, and the date
    whose parameters hold.
    """

    pack: Pack
    facts: PersonFacts
    occurrence: Occurrence
    as_of: datetime
    prev_until: datetime | None = None

    def of(self, point: Point) -> Reached:
        """Return when ``point`` is reached."""
        return _LOOKUPS[type(point)](self, point)

    def _amount(self, amount: Any) -> Any:
        if isinstance(amount, Parameter):
            return self.pack.parameters[amount.name].at(self.as_of)
        return amount

    def _plus(self, instant: datetime, amount: Duration | Parameter) -> datetime:
        return add(instant, self._amount(amount), zone=self.pack.zone)

    def _at(self, point: At) -> Reached:
        if point.moment is Moment.PREV_UNTIL:
            return Reached(self.prev_until)
        instant, facts, text = self.occurrence.moment(point.moment)
        needs = (Need(text, 1, None),) if instant is None and text is not None else ()
        return Reached(instant, facts, needs)

    def _after(self, point: After) -> Reached:
        base = self.of(point.point)
        if base.at is None:
            return base
        return Reached(self._plus(base.at, point.amount), base.facts)

    def _since(self, found: list[Counted], since: datetime) -> Iterator[Counted]:
        """Return what was measured since; the trigger's own kind only after it (field/08 1.6)."""
        own = self.occurrence.trigger.kind if self.occurrence.trigger is not None else None
        # Nothing counts before it is measured, and ``found`` is in the order of counting.
        for place in range(bisect_left(found, since, key=lambda one: one.counts), len(found)):
            one = found[place]
            if one.measured > since or (one.measured == since and one.fact.kind != own):
                yield one

    def _next(self, point: Next) -> Reached:
        since = self.of(point.since)
        if since.at is None:
            return since
        found = self._since(self.facts.counted(point.filter), since.at)
        trigger = self.occurrence.trigger
        for one in found:
            if point.same is None or (trigger and _share(one.fact, trigger, point.same)):
                return Reached(one.counts, (one.fact,))
        from_at = since.at if _TESTS.intersection(point.filter.kinds) else None
        return Reached(None, (), (Need(point.needs, 1, from_at),))

    def _nth(self, point: Nth) -> Reached:
        since = self.of(point.since)
        if since.at is None:
            return since
        wanted: int = self._amount(point.n)
        events = self._events(point, since.at)
        seen: list[tuple[datetime, int, int]] = []
        chain: list[Counted] = []
        for index, (one, resets) in enumerate(events):
            insort(seen, (one.measured, int(resets), index))
            if point.every is None:
                chain = self._chain(seen, events, gap=point.gap, wanted=wanted)
            else:
                chain = self._days_in_a_row(seen, events, wanted=wanted)
            if len(chain) >= wanted:
                return Reached(one.counts, tuple(link.fact for link in chain))
        from_at = since.at
        if chain and point.gap is not None:
            from_at = self._plus(chain[-1].measured, point.gap)
        elif chain and point.every is not None:
            tomorrow = self._day(chain[-1]) + timedelta(days=1)
            from_at = start_of_day(tomorrow, zone=self.pack.zone)
        sampled = not _TESTS.isdisjoint(point.filter.kinds)
        need = Need(point.needs, wanted - len(chain), from_at, sampled)
        return Reached(None, (), (need,))

    def _events(self, point: Nth, since: datetime) -> list[tuple[Counted, bool]]:
        good = self._since(self.facts.counted(point.filter), since)
        events = [(one, False) for one in good]
        if point.reset_on is not None:
            bad = self._since(self.facts.counted(point.reset_on), since)
            events.extend((one, True) for one in bad)
            events.sort(key=lambda event: (event[0].counts, event[1], event[0].fact.fact_id))
        return events

    def _chain(
        self,
        seen: list[tuple[datetime, int, int]],
        events: list[tuple[Counted, bool]],
        *,
        gap: Duration | Parameter | None,
        wanted: int,
    ) -> list[Counted]:
        """Return the chain of facts far enough apart among those seen, in sampling order."""
        chain: list[Counted] = []
        for measured, resets, index in seen:
            if resets:
                chain = []
            elif not chain or gap is None or measured >= self._plus(chain[-1].measured, gap):
                chain.append(events[index][0])
                if len(chain) >= wanted:
                    break
        return chain

    def _days_in_a_row(
        self,
        seen: list[tuple[datetime, int, int]],
        events: list[tuple[Counted, bool]],
        *,
        wanted: int,
    ) -> list[Counted]:
        """Return the chain of facts on consecutive local dates among those seen."""
        chain: list[Counted] = []
        for _, resets, index in seen:
            one = events[index][0]
            if resets:
                chain = []
                continue
            passed = (self._day(one) - self._day(chain[-1])).days if chain else None
            if passed != 0:
                chain = [*chain, one] if passed == 1 else [one]
            if len(chain) >= wanted:
                break
        return chain

    def _day(self, one: Counted) -> date:
        """Return the local date of a fact; one known by its date is measured as that day ends."""
        day = local_date(one.measured, zone=self.pack.zone)
        return day - timedelta(days=1) if is_dated(one.fact) else day

    def _earliest(self, point: Earliest) -> Reached:
        parts = [self.of(part) for part in point.points]
        best: Reached | None = None
        for part in parts:
            if part.at is not None and (best is None or best.at is None or part.at < best.at):
                best = part
        return best or Reached(None, (), _all_needs(parts))

    def _latest(self, point: Latest) -> Reached:
        parts = [self.of(part) for part in point.points]
        facts = tuple(dict.fromkeys(fact.fact_id for part in parts for fact in part.facts))
        by_id = {fact.fact_id: fact for part in parts for fact in part.facts}
        met = tuple(by_id[fact_id] for fact_id in facts)
        instants = [part.at for part in parts]
        if any(instant is None for instant in instants):
            return Reached(None, met, _all_needs(parts))
        return Reached(max(instant for instant in instants if instant is not None), met)

    def _never(self, point: Never) -> Reached:  # noqa: ARG002
        return NOT_REACHED


def _share(one: Fact, other: Fact, key: str) -> bool:
    """Return whether both carry the key with one value; two that lack it have nothing in common."""
    value = one.payload.get(key)
    return value is not None and value == other.payload.get(key)


def _all_needs(parts: list[Reached]) -> tuple[Need, ...]:
    return tuple(dict.fromkeys(need for part in parts if part.at is None for need in part.needs))


_LOOKUPS: dict[type, Callable[[Reach, Any], Reached]] = {
    At: Reach._at,  # noqa: SLF001
    After: Reach._after,  # noqa: SLF001
    Next: Reach._next,  # noqa: SLF001
    Nth: Reach._nth,  # noqa: SLF001
    Earliest: Reach._earliest,  # noqa: SLF001
    Latest: Reach._latest,  # noqa: SLF001
    Never: Reach._never,  # noqa: SLF001
}
