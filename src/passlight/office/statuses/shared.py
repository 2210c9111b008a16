"""What facts about more than one person say: areas, who is whom, deliveries, followed by number.

Read once and then kept up to date with the facts that come, so that a pass of the worker costs
what its new facts cost and not what the city has gathered.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from passlight.core.facts.fact import AREA_PREFIX, Fact
from passlight.core.facts.identity import KINDS_OF_IDENTITY, clusters
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.freshness import Deliveries, deliveries_of
from passlight.office.facts import queries

_DELIVERED = "source.delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """New versions of the log, and all versions of the same facts that landed before them."""

    facts: tuple[Fact, ...]
    earlier: tuple[Fact, ...]

    @staticmethod
    def between(*, after: int, up_to: int) -> "News":
        """Return the news with a number in ``(after, up_to]``."""
        facts = queries.facts_between(after=after, up_to=up_to)
        # Of all, not of corrections alone: a first version may come after the second.
        known = queries.versions_of_facts({fact.fact_id for fact in facts}, up_to=after)
        return News(facts=tuple(facts), earlier=tuple(known))

    @property
    def versions(self) -> tuple[Fact, ...]:
        """Return every version that is new or stood before a new one."""
        return self.earlier + self.facts


class SharedFacts:
    """The facts that concern more people than they name, as of one number of the log."""

    def __init__(self) -> None:
        self._up_to: int | None = None
        self._areas: dict[int, Fact] = {}
        self._deliveries: dict[int, Fact] = {}
        self._links = Links()
        self._history: tuple[PackSchedule, int, AreaHistory] | None = None

    def read(self, up_to: int) -> None:
        """Be as the log is at ``up_to``, which never goes down for one reader."""
        if self._up_to is None:
            self._keep(queries.shared_facts(up_to=up_to))
            self._up_to = up_to
        elif up_to > self._up_to:
            self.follow(News.between(after=self._up_to, up_to=up_to), up_to=up_to)

    def follow(self, news: News, *, up_to: int) -> None:
        """Take the news that lead from where this stands to ``up_to``."""
        self._keep(news.versions)
        self._up_to = up_to

    def _keep(self, versions: Sequence[Fact]) -> None:
        """Keep what concerns others, with every version of each such fact."""
        areas = {fact.fact_id for fact in versions if fact.subject.startswith(AREA_PREFIX)}
        identity = {fact.fact_id for fact in versions if fact.kind in KINDS_OF_IDENTITY}
        delivered = {fact.fact_id for fact in versions if fact.kind == _DELIVERED}
        for fact in versions:
            assert fact.seq is not None, "facts of the log have numbers"
            if fact.fact_id in areas:
                self._areas[fact.seq] = fact
            if fact.fact_id in delivered:
                self._deliveries[fact.seq] = fact
        if identity:
            self._links.add(fact for fact in versions if fact.fact_id in identity)

    @property
    def area_facts(self) -> Collection[Fact]:
        """Return every version of the facts that ever were about an area."""
        return self._areas.values()

    @property
    def clusters(self) -> Mapping[str, frozenset[str]]:
        """Return who is one person with whom now; the same object follows what is read."""
        return self._links.clusters

    def ever_linked(self, subject: str) -> frozenset[str]:
        """Return everybody whom a word on who is whom may ever have joined to ``subject``."""
        return self._links.ever.get(subject, frozenset((subject,)))

    def clusters_known_at(self, known_at: datetime) -> Mapping[str, frozenset[str]]:
        """Return who was one person with whom as known then."""
        return clusters(self._links.facts, known_at=known_at)

    def areas(self, schedule: PackSchedule) -> AreaHistory:
        """Return the history of areas with the schedule's own codes."""
        known = len(self._areas)
        if self._history is None or self._history[0] is not schedule or self._history[1] != known:
            history = AreaHistory.of(self._areas.values(), schedule.area_codes)
            self._history = (schedule, known, history)
        return self._history[2]

    def deliveries(self, schedule: PackSchedule) -> Deliveries | None:
        """Return when sources delivered, where a pack in force asks for it (E47)."""
        return deliveries_asked(schedule, self._deliveries.values)


class Links:
    """Who is whom, worked out anew only for those of whom something new is said.

    ``ever`` joins whom any version of one fact, or a fact about one pair, ever named; nothing
    that is said outside such a circle changes a cluster inside it.
    """

    def __init__(self) -> None:
        self.ever: dict[str, frozenset[str]] = {}
        self.clusters: dict[str, frozenset[str]] = {}
        self._said: dict[frozenset[str], dict[int, Fact]] = {}
        self._named: dict[str, frozenset[str]] = {}

    @property
    def facts(self) -> list[Fact]:
        """Return every version of every fact that ever said who is whom."""
        return [fact for said in self._said.values() for fact in said.values()]

    def add(self, versions: Iterable[Fact]) -> None:
        """Take versions of facts that are or were words on who is whom, all of each fact."""
        touched: set[frozenset[str]] = set()
        by_fact: dict[str, list[Fact]] = defaultdict(list)
        for fact in versions:
            by_fact[fact.fact_id].append(fact)
        for fact_id, told in by_fact.items():
            circle = self._join({*self._named.get(fact_id, ()), *named_by_links(told)})
            self._named[fact_id] = circle
            said = self._said.setdefault(circle, {})
            said.update((fact.seq, fact) for fact in told if fact.seq is not None)
            touched.add(circle)
        for circle in touched & self._said.keys():
            self._settle(circle)

    def _join(self, names: set[str]) -> frozenset[str]:
        """Return the circle that holds ``names`` and all that was joined to them before."""
        old = {self.ever[name] for name in names if name in self.ever}
        circle = frozenset(names).union(*old)
        if old == {circle}:
            return circle
        said: dict[int, Fact] = {}
        for part in old:
            said |= self._said.pop(part, {})
        self._said[circle] = said
        self.ever.update(dict.fromkeys(circle, circle))
        return circle

    def _settle(self, circle: frozenset[str]) -> None:
        """Work out the clusters of one circle from all that was said inside it."""
        found = clusters(self._said[circle].values(), known_at=None)
        for name in circle:
            if name in found:
                self.clusters[name] = found[name]
            else:
                self.clusters.pop(name, None)


def deliveries_asked(
    schedule: PackSchedule, told: Callable[[], Iterable[Fact]]
) -> Deliveries | None:
    """Return when sources delivered as ``told``; None where no pack in force asks for it."""
    if not any(pack.mandatory for pack in schedule.packs):
        return None
    return deliveries_of(told())


def named_by_links(told: Iterable[Fact]) -> set[str]:
    """Return whom the versions of a fact name as a pair; a withdrawal may name nobody."""
    return {
        str(fact.payload[name])
        for fact in told
        if fact.kind in KINDS_OF_IDENTITY
        for name in ("a", "b")
        if fact.payload.get(name)
    }
