"""A book of fact versions, opened at the person: what evaluation of many people reads from."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime

from passlight.core.facts.fact import Fact
from passlight.core.facts.identity import KINDS_OF_IDENTITY, clusters


class FactBook:
    """Every version of every fact, by fact and by subject.

    A correction may name another subject than the version before it, so a subject's page holds
    all versions of every fact that ever named it.
    """

    __slots__ = ("_areas", "_identity", "_numbers", "_pages", "_sources", "_versions")

    def __init__(self) -> None:
        # A fact by itself until it comes a second time: most never do, and a city has millions.
        self._versions: dict[str, Fact | list[Fact]] = {}
        # By number, for the facts that came more than once.
        self._numbers: dict[str, dict[int, Fact]] = {}
        self._pages: dict[str, list[str]] = {}
        self._areas: dict[str, None] = {}
        self._identity: dict[str, None] = {}
        self._sources: dict[str, None] = {}

    @property
    def persons(self) -> AbstractSet[str]:
        """Return every subject that ever was a person's, or was registered."""
        return self._pages.keys()

    def register(self, subject: str) -> None:
        """Open a page for somebody of whom no fact is kept."""
        self._pages.setdefault(subject, [])

    def add(self, fact: Fact) -> Fact | None:
        """Keep one version; return the one already held that contradicts it, if any."""
        held = self._versions.get(fact.fact_id)
        twin = before = None
        if held is None:
            self._versions[fact.fact_id] = fact
        else:
            if isinstance(held, Fact):
                held = self._versions[fact.fact_id] = [held]
            before = held[-1]
            twin = self._first_of(held, fact.ver)
            held.append(fact)
        if fact.kind.startswith("area."):
            self._areas[fact.fact_id] = None
        elif not fact.about_person:
            self._sources[fact.fact_id] = None
        elif before is None or before.subject != fact.subject:
            self._pages.setdefault(fact.subject, []).append(fact.fact_id)
        if fact.kind in KINDS_OF_IDENTITY:
            self._identity[fact.fact_id] = None
        return twin if twin is not None and not twin.same_content(fact) else None

    def _first_of(self, held: list[Fact], ver: int) -> Fact | None:
        """Return the version of that number, the first that came, of those held."""
        numbers = self._numbers.setdefault(held[0].fact_id, {})
        numbers.setdefault(held[-1].ver, held[-1])
        return numbers.get(ver)

    @property
    def area_facts(self) -> list[Fact]:
        """Return every version of every fact that ever was about an area."""
        return self._all_versions(self._areas)

    @property
    def source_facts(self) -> list[Fact]:
        """Return every version of every fact that ever was about a source."""
        return self._all_versions(self._sources)

    def clusters(self, known_at: datetime | None) -> Mapping[str, frozenset[str]]:
        """Return who is one person with whom, as known at ``known_at``."""
        if not self._identity:
            return {}
        return clusters(self._all_versions(self._identity), known_at=known_at)

    def versions(self, members: Iterable[str]) -> list[Fact]:
        """Return all versions of every fact that ever named one of these subjects."""
        fact_ids = {fact_id: None for name in members for fact_id in self._pages.get(name, ())}
        return self._all_versions(fact_ids)

    def _all_versions(self, fact_ids: Iterable[str]) -> list[Fact]:
        found: list[Fact] = []
        for fact_id in fact_ids:
            held = self._versions[fact_id]
            if isinstance(held, Fact):
                found.append(held)
            else:
                found.extend(held)
        return found
