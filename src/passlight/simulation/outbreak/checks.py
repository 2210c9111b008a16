"""Independent checkers: each asks one question of a finished world, and counts what it looked at.

None of them believes what the product worked out; all but the reproduction of receipts do
without any of its evaluation.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from passlight.simulation.outbreak.clerk import GREEN, UNKNOWN, Clerk, ListSheet, Sheet, sheet_of
from passlight.simulation.outbreak.doors import BEHIND_MAX
from passlight.simulation.outbreak.loop import Outbreak, Receipt
from passlight.simulation.outbreak.receipts import reproduced
from passlight.simulation.outbreak.sent_log import What
from passlight.simulation.outbreak.shared_air import derived_by_hand
from passlight.simulation.outbreak.town import subject_of

TOLD_FAILURES = 5
CASES_BY_HAND = 200
NOONS_BY_HAND = 100_000
WITHDRAWN_WITHIN = 15 * 60


@dataclass(slots=True)
class Finding:
    """What one checker found: how much it looked at, and the first things that are wrong."""

    check: str
    looked_at: int = 0
    wrong: int = 0
    failures: list[str] = field(default_factory=list)

    def see(self, good: bool, words: Callable[[], str]) -> None:  # noqa: FBT001
        """Count one thing; remember the first ones that are wrong."""
        self.looked_at += 1
        if not good:
            self.wrong += 1
            if len(self.failures) < TOLD_FAILURES:
                self.failures.append(words())

    @property
    def good(self) -> bool:
        """Return whether nothing is wrong, and something was looked at."""
        return self.wrong == 0 and self.looked_at > 0


def make_clerk(world: Outbreak, *, truth: bool = False) -> Clerk:
    """Return a clerk with every sheet that was sent whole; with ``truth``, with what was so.

    The truth is known the moment it happens: no delay, no mistake, nothing missing.
    """
    clerk = Clerk(
        world.setting.pack,
        visitors=(subject_of(person) for person in world.town.visitors().tolist()),
    )
    for sheet in _sheets(world, truth=truth):
        clerk.file(sheet)
    held: set[int] = set()
    for number, published in enumerate(world.lists):
        if published.broken:
            held.add(number)
            continue
        clerk.file_list(
            ListSheet(
                publisher=published.publisher,
                at=published.at,
                came=published.at if truth else published.arrives,
                areas=frozenset(published.levels),
            )
        )
    return clerk


def _sheets(world: Outbreak, *, truth: bool) -> Iterator[Sheet]:
    """Yield the sheets about the people who are watched, with every version of each fact."""
    watched = {subject_of(person) for person in np.flatnonzero(world.watched).tolist()}
    if not truth:
        about = {line.fact_id for line in world.senders.sent if _subject(line.text) in watched} | {
            line.fact_id for line in world.senders.sent if line.fact_id.startswith(_DELIVERIES)
        }
        for line in world.senders.sent:
            if line.what not in {What.SPOILT, What.DUPLICATE} and line.fact_id in about:
                yield sheet_of(line.text)
        return
    for one in world.senders.truth:
        yield Sheet(
            id=one.fact_id,
            ver=1,
            gone=False,
            kind=one.kind,
            subject=subject_of(one.person),
            at=one.at,
            until=one.until,
            came=one.at,
            source=one.source,
            says=dict(one.payload),
        )


_DELIVERIES = "site:delivery-"
_SUBJECT = '"subject":"'


def _subject(text: str) -> str:
    """Return whom a line is about; empty for one that is cut before it says so."""
    _, found, rest = text.partition(_SUBJECT)
    return rest.split('"', 1)[0] if found else ""


def check_verdicts(world: Outbreak, clerk: Clerk) -> Finding:
    """Check that every verdict at a door is what the clerk works out from the facts known then."""
    found = Finding("verdicts")
    for receipt in world.receipts:
        wanted = clerk.colour(subject_of(receipt.person), receipt.at, receipt.known)
        shown = receipt.answer.colour.value
        found.see(shown == wanted, lambda: _says(receipt, f"the clerk says {wanted}"))  # noqa: B023
    noons = list(world.noons.items())
    for (person, day), colour in noons[:: 1 + len(noons) // NOONS_BY_HAND]:
        at = day * 86_400 + 43_200
        wanted = clerk.colour(subject_of(person), at, (at - 1) // 10 * 10)
        words = (
            f"{subject_of(person)} at noon of day {day}: {colour.value}, the clerk says {wanted}"
        )
        found.see(colour.value == wanted, lambda: words)  # noqa: B023
    return found


def check_retractions(world: Outbreak) -> Finding:
    """Check that a version which is known to hold no longer colours nobody, anywhere."""
    found = Finding("retractions")
    ended: dict[tuple[str, str], int] = {}
    subjects: dict[str, str] = {}
    changed = {line.fact_id for line in world.senders.sent if line.ver > 1}
    lines = (line for line in world.senders.sent if line.fact_id in changed)
    sheets = [sheet_of(line.text) for line in lines if line.what is not What.SPOILT]
    for sheet in sorted(sheets, key=lambda one: one.ver):
        before = subjects.get(sheet.id)
        if sheet.gone:
            for one in {before or sheet.subject, sheet.subject}:
                key = (one, sheet.id)
                ended[key] = min(ended.get(key, sheet.came), sheet.came)
        elif before is not None and before != sheet.subject:
            ended[before, sheet.id] = sheet.came
        subjects[sheet.id] = sheet.subject
    for receipt in world.receipts:
        subject = subject_of(receipt.person)
        for fact in receipt.answer.facts:
            gone = ended.get((subject, fact))
            good = gone is None or gone > receipt.known
            found.see(good, lambda: _says(receipt, f"names {fact}, withdrawn before"))  # noqa: B023
    _check_last_colours(world, ended, found)
    _check_withdrawals(world, found)
    return found


def _check_last_colours(world: Outbreak, ended: dict[tuple[str, str], int], found: Finding) -> None:
    """Look at the last colour of everybody whom a withdrawn fact named."""
    last = world.setting.last_second
    for (subject, fact), gone in sorted(ended.items()):
        if gone <= last and world.watched[int(subject.removeprefix("p-"))]:
            answer = world.colours.answer(int(subject.removeprefix("p-")), last, last)
            words = f"{subject} is {answer.colour.value} by {fact}, withdrawn before the end"
            found.see(fact not in answer.facts, lambda: words)  # noqa: B023


def _check_withdrawals(world: Outbreak, found: Finding) -> None:
    """Look whether what tracing derived from a case that was taken back was withdrawn in time."""
    arrives: dict[str, int] = {}
    for line in world.senders.sent:
        if line.what is What.RETRACTION:
            arrives[line.fact_id] = min(arrives.get(line.fact_id, line.arrives), line.arrives)
    for case in world.tracing.cases:
        if case.withdrawn_at is None:
            continue
        for one in case.told:
            if one.kind == "exposure.derived":
                at = arrives.get(one.fact_id)
                good = at is not None and at <= case.withdrawn_at + WITHDRAWN_WITHIN
                found.see(good, lambda: f"{one.fact_id} stands, its case does not")  # noqa: B023


def check_late_green(world: Outbreak, clerk: Clerk) -> Finding:
    """Check that nobody was refused after their release was due and known at the door."""
    found = Finding("late-green")
    for receipt in world.receipts:
        if receipt.admitted:
            continue
        subject = subject_of(receipt.person)
        due = clerk.colour(subject, receipt.at, receipt.known)
        found.see(due not in {GREEN, UNKNOWN}, lambda: _says(receipt, f"{due} was due"))  # noqa: B023
        behind = receipt.at - receipt.known
        line = world.doors.online(np.array([receipt.venue]), np.array([receipt.at]))[0]
        found.see(
            not line or behind <= BEHIND_MAX,
            lambda: _says(receipt, f"its door is {behind} s behind"),  # noqa: B023
        )
    return found


def check_counts(world: Outbreak) -> Finding:
    """Check that every line that was sent is found again, once, and where it belongs."""
    found = Finding("counts")
    last = world.setting.last_second
    wanted: dict[str, Counter[str]] = defaultdict(Counter)
    for line in world.senders.sent:
        if line.arrives < last:
            wanted[line.source][line.what.outcome] += 1
            wanted[line.source]["declared"] += 1
    for published in world.lists:
        wanted["risk-areas"]["declared"] += len(published.levels)
        wanted["risk-areas"]["held"] += len(published.levels) if published.broken else 0
    for source in sorted(wanted.keys() | world.intake.counts.keys()):
        counts, sent = world.intake.counts[source], wanted[source]
        parts = counts.landed + counts.unchanged + counts.quarantined + counts.held
        found.see(counts.declared == parts, lambda: f"{source}: {counts} do not add up")  # noqa: B023
        for name in ("declared", "quarantined", "held"):
            own = getattr(counts, name)
            words = f"{source}: {own} {name}, {sent[name]} were sent"
            found.see(own == sent[name], lambda: words)  # noqa: B023
        if source != "risk-areas":
            words = f"{source}: {counts.landed} landed, {sent['landed']} were to"
            found.see(counts.landed == sent["landed"], lambda: words)  # noqa: B023
    with world.intake.facts_path.open("rb") as file:
        landed = sum(1 for _ in file)
    words = f"{landed} facts in the file, {len(world.facts)} were read"
    found.see(landed == len(world.facts), lambda: words)
    return found


def check_people(world: Outbreak, clerk: Clerk) -> Finding:
    """Check that the people counted by colour on the last noon are the clerk's people."""
    found = Finding("people")
    day = world.setting.days - 1
    noon = day * 86_400 + 43_200
    known = (noon - 1) // 10 * 10
    shown = Counter(colour.value for (_, on), colour in world.noons.items() if on == day)
    marked = {person for person, on in world.noons if on == day}
    watched = np.flatnonzero(world.watched)
    others = np.setdiff1d(watched, np.array(sorted(marked), dtype=np.int64))
    strangers = int(np.isin(others, world.visitors).sum())
    for identified, count in ((True, len(others) - strangers), (False, strangers)):
        colours = world.colours.plain(
            np.full(count, noon), np.full(count, known), identified=identified
        )
        shown.update({colour.value: number for colour, number in colours.items()})
    wanted = Counter(clerk.colour(subject_of(person), noon, known) for person in watched.tolist())
    for colour in sorted(wanted.keys() | shown.keys()):
        words = f"{shown[colour]} people are {colour}, the clerk counts {wanted[colour]}"
        found.see(shown[colour] == wanted[colour], lambda: words)  # noqa: B023
    found.see(shown.total() == len(watched), lambda: f"{shown.total()} people are counted")
    return found


def check_exposures(world: Outbreak) -> Finding:
    """Check that tracing found what everybody against everybody gives, and nothing else."""
    found = Finding("exposures")
    traced = [case for case in world.tracing.cases if case.days]
    for case in traced[:: 1 + len(traced) // CASES_BY_HAND]:
        wanted = derived_by_hand(world, case)
        shown = {
            (one.visit_key, one.case_visit_key): (one.minutes, one.direct_minutes)
            for one in case.exposures
        }
        for key in sorted(wanted.keys() | shown.keys()):
            words = (
                f"{case.fact.fact_id}, visits {key}: {shown.get(key)}, by hand {wanted.get(key)}"
            )
            found.see(wanted.get(key) == shown.get(key), lambda: words)  # noqa: B023
    return found


def check_receipts(world: Outbreak) -> Finding:
    """Check that each receipt is the same bytes again, from the facts file that was written."""
    found = Finding("receipts")
    for receipt, same in reproduced(world):
        found.see(same, lambda: _says(receipt, "is not reproduced"))  # noqa: B023
    return found


def _says(receipt: Receipt, words: str) -> str:
    return (
        f"{subject_of(receipt.person)} at {receipt.at}, known {receipt.known}: "
        f"{receipt.answer.colour.value}; {words}"
    )


def check_world(world: Outbreak) -> list[Finding]:
    """Return what every checker found in a finished world."""
    clerk = make_clerk(world)
    return [
        check_verdicts(world, clerk),
        check_retractions(world),
        check_late_green(world, clerk),
        check_counts(world),
        check_people(world, clerk),
        check_exposures(world),
        check_receipts(world),
    ]
