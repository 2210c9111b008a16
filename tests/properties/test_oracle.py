"""The evaluator against the oracle, at every boundary and one minute beside it.

The same comparison must catch bugs: each seeded mutation below changes one comparison of the
product, as field/08 4.2 lists them, and has to be found by the very same examples.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from passlight.core.facts import history
from passlight.core.facts.fact import Fact, Op
from passlight.core.kernel.calendar import Elapsed
from passlight.core.kernel.colour import Colour
from passlight.core.kernel.interval import Interval
from passlight.core.rules import points
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.load import load_pack
from passlight.core.rules.schedule import PackSchedule
from passlight.core.rules.terms import DatedParameter
from passlight.core.status import evaluate as evaluation
from passlight.core.status import occurrence, plan, reach, timeline
from passlight.runtime.packs import read_pack_folder, shipped_packs
from tests.properties.histories import (
    DAY,
    LISTED,
    ORIGIN,
    SPAN,
    STEPS,
    STORIES,
    WHATS,
    at,
    fact_of,
    histories,
)
from tests.properties.oracle import Paper, colour, next_minute_of_change

PACK = load_pack(read_pack_folder(shipped_packs() / "shanghai-2020-02"))
SCHEDULE = PackSchedule.only(PACK)
AREAS = AreaHistory.of([LISTED])


def minute_of(instant: datetime) -> int:
    return round((instant - ORIGIN) / timedelta(minutes=1))


def papers_of(facts: list[Fact]) -> list[Paper]:
    names = {"person.deceased": "deceased", "travel.arrived": "arrived-other"}
    papers = []
    for fact in facts:
        what = names.get(fact.kind, fact.kind)
        if fact.payload.get("from_area") == "420106":
            what = "arrived-key"
        key = fact.payload.get("case_id") or fact.payload.get("order_id") or ""
        minute, came_in = minute_of(fact.occurred_at), minute_of(fact.recorded_at)
        torn = fact.op is Op.RETRACT
        papers.append(Paper(fact.fact_id, fact.ver, torn, what, key, minute, came_in))
    return papers


def edges(facts: list[Fact]) -> tuple[list[int], list[int]]:
    """Return the minutes and the moments of knowledge worth asking: each edge, ± 1."""
    occurred = {minute_of(fact.occurred_at) for fact in facts}
    occurred |= {minute + 14 * DAY for minute in occurred}
    known = {minute_of(fact.recorded_at) for fact in facts}
    beside = lambda found: sorted({minute + step for minute in found for step in (-1, 0, 1)})  # noqa: E731
    return beside(occurred) or [0], beside(known)[-12:] or [0]


def mismatches(facts: list[Fact]) -> Iterator[str]:
    """Yield each moment at which evaluator and oracle differ."""
    papers = papers_of(facts)
    minutes, knowns = edges(facts)
    for known in knowns:
        timeline = evaluation.evaluate(
            SCHEDULE, facts, areas=AREAS, known_at=at(known), subject="p"
        )
        for minute in minutes:
            found, wanted = timeline.colour(at(minute)).value, colour(papers, minute, known)
            if found != wanted:
                yield f"at {minute} known {known}: {found}, the oracle says {wanted}"


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_the_evaluator_agrees_with_the_oracle_on_every_edge(facts: list[Fact]) -> None:
    assert not list(mismatches(facts))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(size=3))
def test_next_change_is_the_first_minute_that_differs(facts: list[Fact]) -> None:
    timeline = evaluation.evaluate(SCHEDULE, facts, areas=AREAS, subject="p")
    limit = SPAN + 16 * DAY
    change = timeline.status(at(0)).next_change
    found = minute_of(change.at) if change else None
    assert found == next_minute_of_change(papers_of(facts), 0, 10**9, limit)


# --- The suite must be able to fail: seeded bugs -------------------------------------------


def fixed_histories() -> list[list[Fact]]:
    """Return 250 histories drawn with a fixed seed from the same grid as the generator."""
    rng = random.Random(20200217)
    found = []
    for _ in range(250):
        facts: list[Fact] = []
        for number in range(rng.randint(1, 4)):
            facts += one_fact(rng, number)
        minute = rng.randrange(SPAN // 360) * 360
        for number, what in enumerate(rng.choice(STORIES), start=10):
            facts.append(fact_of(what, "1", number, 1, minute, minute))
            minute += rng.choice(STEPS)
        found.append(facts)
    return found


def one_fact(rng: random.Random, number: int) -> list[Fact]:
    what, key = rng.choice(list(WHATS)), rng.choice("12")
    minute = max(0, rng.randrange(SPAN // 360) * 360 + rng.choice((0, 0, 0, 1, -1)))
    delay = rng.choice((0, 0, 1, 360, 2 * DAY))
    versions = [fact_of(what, key, number, 1, minute, minute + delay)]
    if rng.random() < 0.3:
        torn = rng.random() < 0.6
        moved = minute if torn else max(0, minute - rng.choice((360, DAY)))
        versions.append(fact_of(what, key, number, 2, moved, minute + delay + 360, torn))
    return versions


HISTORIES = fixed_histories()


def caught() -> bool:
    return any(True for facts in HISTORIES for _ in mismatches(facts))


def test_without_a_seeded_bug_nothing_is_found() -> None:
    """Positive control for all mutations: the unchanged product agrees on the same examples."""
    assert not caught()


def compiled_anew(patch: pytest.MonkeyPatch) -> None:
    """Let packs be compiled with the bug, and without it again afterwards."""
    patch.setattr(plan, "_PLANS", {})


def shifted(patch: pytest.MonkeyPatch, *, start: timedelta, end: timedelta) -> None:
    original = timeline.Line.__init__

    def piece(one: Interval) -> Interval:
        return Interval(one.start and one.start + start, one.end and one.end + end)

    def line(self, measures):
        moved = [one._replace(pieces=tuple(map(piece, one.pieces))) for one in measures]
        original(self, moved)

    patch.setattr(timeline.Line, "__init__", line)


def closed_end(patch: pytest.MonkeyPatch) -> None:
    shifted(patch, start=timedelta(0), end=timedelta(microseconds=1))


def open_start(patch: pytest.MonkeyPatch) -> None:
    shifted(patch, start=timedelta(microseconds=1), end=timedelta(0))


def later_release(patch: pytest.MonkeyPatch) -> None:
    def since(case, wanted, instant):
        return [one for one in case.person.counted(wanted) if one[0] > instant]

    patch.setattr(reach, "_since", since)


def any_key(patch: pytest.MonkeyPatch) -> None:
    original = reach._next

    def next_(point, pack):
        return original(replace(point, same=None), pack)

    compiled_anew(patch)
    patch.setitem(reach._COMPILED, points.Next, next_)


def known_before(patch: pytest.MonkeyPatch) -> None:
    original = history.current_facts

    def current(facts, *, known_at):
        earlier = known_at - timedelta(microseconds=1) if known_at is not None else None
        return original(facts, known_at=earlier)

    patch.setattr(evaluation, "current_facts", current)


def ignore_retraction(patch: pytest.MonkeyPatch) -> None:
    original = history.current_facts

    def current(facts, *, known_at):
        return original([one for one in facts if one.op is Op.ASSERT], known_at=known_at)

    patch.setattr(evaluation, "current_facts", current)


def first_version_holds(patch: pytest.MonkeyPatch) -> None:
    original = history.current_facts

    def current(facts, *, known_at):
        kept = [one for one in facts if one.ver == 1 or one.op is Op.RETRACT]
        return original(kept, known_at=known_at)

    patch.setattr(evaluation, "current_facts", current)


def drop_or_confirmed(patch: pytest.MonkeyPatch) -> None:
    original = reach._earliest

    def earliest(point, pack):
        return original(points.Earliest(point.points[:1]), pack)

    compiled_anew(patch)
    patch.setitem(reach._COMPILED, points.Earliest, earliest)


def one_minute_less(patch: pytest.MonkeyPatch) -> None:
    original = DatedParameter.at
    compiled_anew(patch)
    patch.setattr(
        DatedParameter,
        "at",
        lambda self, instant: Elapsed(original(self, instant).delta - timedelta(minutes=1)),
    )


def one_minute_more(patch: pytest.MonkeyPatch) -> None:
    original = DatedParameter.at
    compiled_anew(patch)
    patch.setattr(
        DatedParameter,
        "at",
        lambda self, instant: Elapsed(original(self, instant).delta + timedelta(minutes=1)),
    )


def every_area(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(occurrence, "_area_matches", lambda *args, **kwargs: (True, None))


def weakest_colour(patch: pytest.MonkeyPatch) -> None:
    for one in Colour:
        patch.setitem(vars(one), "strictness", 4 - one.strictness)


def from_recorded(patch: pytest.MonkeyPatch) -> None:
    original = occurrence._triggered

    def triggered(*args):
        found = original(*args)
        for one in found:
            one.start = one.trigger.recorded_at
        return found

    patch.setattr(occurrence, "_triggered", triggered)


def closed_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(evaluation, "_CLOSING", frozenset())


def skipped_phase_stays(patch: pytest.MonkeyPatch) -> None:
    """E09: a release at the very start must leave nothing; here it waits for a later one."""
    original = reach._next

    def next_(point, pack):
        lookup = original(point, pack)

        def waiting(case):
            found = lookup(case)
            if found[0] is not None and found[0] <= case.start:
                return None, (), ()
            return found

        return waiting

    compiled_anew(patch)
    patch.setitem(reach._COMPILED, points.Next, next_)


MUTATIONS: list[Callable[[pytest.MonkeyPatch], None]] = [
    closed_end,
    open_start,
    later_release,
    any_key,
    known_before,
    ignore_retraction,
    first_version_holds,
    drop_or_confirmed,
    one_minute_less,
    one_minute_more,
    every_area,
    weakest_colour,
    from_recorded,
    closed_is_forgotten,
    skipped_phase_stays,
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.__name__)
def test_a_seeded_bug_is_found(mutation: Callable[[pytest.MonkeyPatch], None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        mutation(patch)
        assert caught(), f"{mutation.__name__} survived"
