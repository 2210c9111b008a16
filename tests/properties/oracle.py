"""An oracle for the Shanghai table (S20) that shares no line with the product.

It is written from the table in field/08 2.A and asks the question minute by minute, the way a
clerk with a stack of paper would: is there an order that nobody lifted yet, a case not yet
discharged, a suspicion neither ruled out nor confirmed, an arrival less than fourteen days ago?
Times are whole minutes since an origin; facts are plain tuples.
"""

from dataclasses import dataclass

DAY = 24 * 60


@dataclass(frozen=True)
class Paper:
    """One sheet: what, which key, when it happened, when it came in; later sheets replace it."""

    sheet: str
    version: int
    torn_up: bool
    what: str
    key: str
    minute: int
    came_in: int


def stack_at(papers: list[Paper], known: int) -> list[Paper]:
    """Return the sheets that hold for a clerk who has seen all that came in up to ``known``."""
    seen = [paper for paper in papers if paper.came_in <= known]
    kept = []
    for paper in seen:
        if paper.torn_up:
            continue
        if any(other.sheet == paper.sheet and other.version > paper.version for other in seen):
            continue
        kept.append(paper)
    return kept


def open_since(stack: list[Paper], minute: int, what: str, closers: tuple[str, ...]) -> bool:
    """Return whether something started by ``minute`` and none of its closers came by then."""
    for start in stack:
        if start.what != what or start.minute > minute:
            continue
        closed = False
        for end in stack:
            if (
                end.what in closers
                and end.key == start.key
                and start.minute <= end.minute <= minute
            ):
                closed = True
        if not closed:
            return True
    return False


def colour(papers: list[Paper], minute: int, known: int) -> str:
    """Return the colour by the table of February 2020."""
    stack = stack_at(papers, known)
    if any(p.what in {"deceased", "closed"} and p.minute <= minute for p in stack):
        return "closed"
    if open_since(stack, minute, "order.started", ("order.lifted",)):
        return "red"
    if open_since(stack, minute, "case.confirmed", ("case.discharged",)):
        return "red"
    if open_since(stack, minute, "case.suspected", ("case.ruled_out", "case.confirmed")):
        return "red"
    for paper in stack:
        if paper.what == "arrived-key" and 0 <= minute - paper.minute < 14 * DAY:
            return "yellow"
    return "green"


def next_minute_of_change(papers: list[Paper], minute: int, known: int, limit: int) -> int | None:
    """Return the first later minute whose colour differs, found by trying every minute."""
    now = colour(papers, minute, known)
    for later in range(minute + 1, limit):
        if colour(papers, later, known) != now:
            return later
    return None
