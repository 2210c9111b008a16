"""Who is one person with whom, as known at one moment (field/08 1.7), for everybody at once."""

from collections import defaultdict
from collections.abc import Iterable

from passlight.city.others import LinkVersion, Others, known


def members(others: Others, known_at: int | None) -> list[tuple[int, int]]:
    """Return (person, member) for each person who is linked to another, themselves among them.

    Who has no line of their own is nobody's member: no fact names them.
    """
    people = others.people
    rows: list[tuple[int, int]] = []
    for group in groups(others.links, known_at):
        numbers = sorted(people[subject] for subject in group if subject in people)
        if len(numbers) > 1:
            rows.extend((one, other) for one in numbers for other in numbers)
    return sorted(rows)


def groups(links: Iterable[LinkVersion], known_at: int | None) -> list[frozenset[str]]:
    """Return the groups of two and more that are linked; the last word on a pair holds."""
    in_force = known(links, known_at)
    in_force.sort(key=lambda one: (one.occurred_at, _RANK[one.kind], one.fact))
    last = {tuple(sorted((one.a, one.b))): one.kind for one in in_force}
    head: dict[str, str] = {}

    def find(subject: str) -> str:
        root = subject
        while head.setdefault(root, root) != root:
            root = head[root]
        while head[subject] != root:
            head[subject], subject = root, head[subject]
        return root

    for (a, b), kind in last.items():
        if kind == "identity.link":
            head[find(a)] = find(b)
    found: dict[str, set[str]] = defaultdict(set)
    for subject in head:
        found[find(subject)].add(subject)
    return [frozenset(group) for group in found.values() if len(group) > 1]


_RANK = {"identity.link": 0, "identity.unlink": 1, "identity.not_same": 2}
