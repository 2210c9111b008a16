"""Who is the same person, as of one moment of knowledge (field/08 1.7, E41).

Links, unlinks and decisions that two are *not* the same are facts. Facts keep the subject they
were sent with; the cluster is worked out each time, so an unlink undoes a link without a trace
in any fact.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from passlight.core.facts.fact import Fact
from passlight.core.facts.history import current_facts, versions_of_kinds

KINDS_OF_IDENTITY = frozenset({"identity.link", "identity.unlink", "identity.not_same"})


def clusters(facts: Iterable[Fact], *, known_at: datetime | None) -> Mapping[str, frozenset[str]]:
    """Return the subjects that are one person, by each subject that is linked to another.

    A subject that is missing stands alone. The last word on a pair holds. ``facts`` hold all
    versions of the facts in question, of whatever kind each version is.
    """
    told = versions_of_kinds(facts, KINDS_OF_IDENTITY)
    word: dict[frozenset[str], str] = {}
    for fact in current_facts(told, known_at=known_at):
        if fact.kind in KINDS_OF_IDENTITY:
            word[frozenset((fact.payload["a"], fact.payload["b"]))] = fact.kind
    neighbours: dict[str, set[str]] = defaultdict(set)
    for pair, kind in word.items():
        if kind == "identity.link":
            for subject in pair:
                neighbours[subject] |= pair
    found: dict[str, frozenset[str]] = {}
    for subject in neighbours:
        if subject not in found:
            members = _reach(subject, neighbours)
            found |= dict.fromkeys(members, members)
    return found


def _reach(subject: str, neighbours: Mapping[str, set[str]]) -> frozenset[str]:
    members = {subject}
    waiting = [subject]
    while waiting:
        new = neighbours[waiting.pop()] - members
        members |= new
        waiting.extend(new)
    return frozenset(members)
