"""Clusters: which subjects of the log are one person, as known at a moment (field/08 1.7).

Links are facts, so who is whom is resolved as of any moment, and unlinking restores (E41).
"""

from collections.abc import Iterable
from datetime import datetime

from passlight.core.facts.fact import Fact
from passlight.core.facts.history import current_facts

LINK = "identity.link"


class Clusters:
    """Subjects that are linked, transitively; everybody else is a cluster of one."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._members: dict[str, frozenset[str]] = {}
        for a, b in pairs:
            joined = self.of(a) | self.of(b)
            for member in joined:
                self._members[member] = joined

    def of(self, subject: str) -> frozenset[str]:
        """Return everybody who is the same person as ``subject``, itself included."""
        return self._members.get(subject, frozenset({subject}))

    @classmethod
    def known(cls, facts: Iterable[Fact], *, known_at: datetime | None) -> "Clusters":
        """Return the clusters in force; the latest word about a pair holds."""
        linked: dict[frozenset[str], bool] = {}
        for fact in current_facts(facts, known_at=known_at):
            pair = frozenset({str(fact.payload["a"]), str(fact.payload["b"])})
            linked[pair] = fact.kind == LINK
        return cls(_ordered(pair for pair, held in linked.items() if held and len(pair) > 1))

    @classmethod
    def ever(cls, facts: Iterable[Fact]) -> "Clusters":
        """Return the clusters that any link ever made: whom a change of links may touch."""
        return cls(
            (str(fact.payload["a"]), str(fact.payload["b"])) for fact in facts if fact.kind == LINK
        )


def _ordered(pairs: Iterable[frozenset[str]]) -> list[tuple[str, str]]:
    found = []
    for pair in pairs:
        first, second = sorted(pair)
        found.append((first, second))
    return found
