"""Properties of facts, rules and status that hold for every history (field/08 4.3)."""

import random
from datetime import timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passlight.core.facts.book import FactBook
from passlight.core.facts.fact import Fact, Op
from passlight.core.facts.form import fact_line, parse_line
from passlight.core.facts.history import current_facts
from passlight.core.facts.identity import clusters
from passlight.core.kernel.colour import Colour
from passlight.core.kernel.interval import Interval, merge
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.load import load_pack
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.core.status.line import status_line
from passlight.core.status.timeline import Timeline
from passlight.runtime.packs import read_pack_folder, shipped_packs
from tests.properties.histories import LISTED, at, fact_of, facts, histories, minutes

PACKS = {
    name: load_pack(read_pack_folder(shipped_packs() / name))
    for name in ("shanghai-2020-02", "jiangsu-2021")
}
AREAS = AreaHistory.of([LISTED])
RUN = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
TRIGGERS = ("case.suspected", "case.confirmed", "order.started", "arrived-key")
RELEASES = ("case.ruled_out", "case.discharged", "order.lifted")
packs = st.sampled_from(sorted(PACKS))


def timeline(
    history: list[Fact], pack: str = "shanghai-2020-02", known: int | None = None
) -> Timeline:
    known_at = at(known) if known is not None else None
    schedule = PackSchedule.only(PACKS[pack])
    return evaluate(schedule, history, areas=AREAS, known_at=known_at, subject="p")


def instants(history: list[Fact]) -> list:
    edges = {fact.occurred_at for fact in history} | {at(0)}
    edges |= {edge + timedelta(days=14) for edge in edges}
    return sorted(
        {
            edge + step
            for edge in edges
            for step in (timedelta(0), timedelta(minutes=1), timedelta(minutes=-1))
        }
    )


def told(line: Timeline, moments: list) -> list[bytes]:
    return [status_line(line.status(moment)) for moment in moments]


@RUN
@given(histories(), packs, st.randoms(use_true_random=False))
def test_shuffled_and_delivered_twice_tells_the_same(
    history: list[Fact], pack: str, rng: random.Random
) -> None:
    """E50: any order, any batches, replayed twice: identical segments and explanation."""
    shuffled = [*history, *history]
    rng.shuffle(shuffled)
    moments = instants(history)
    assert told(timeline(shuffled, pack), moments) == told(timeline(history, pack), moments)
    assert timeline(shuffled, pack).segments() == timeline(history, pack).segments()


@RUN
@given(histories(), st.randoms(use_true_random=False))
def test_a_book_filled_in_any_order_tells_the_same(history: list[Fact], rng: random.Random) -> None:
    shuffled = list(history)
    rng.shuffle(shuffled)
    book = FactBook()
    for fact in shuffled:
        book.add(fact)
    moments = instants(history)
    assert told(timeline(book.versions(["p"])), moments) == told(timeline(history), moments)


@RUN
@given(histories())
def test_a_fact_written_and_read_is_the_same_fact(history: list[Fact]) -> None:
    assert [parse_line(fact_line(fact)) for fact in history] == history


@RUN
@given(histories(), facts(99), packs)
def test_a_retracted_fact_leaves_nothing(history: list[Fact], extra: list[Fact], pack: str) -> None:
    first = extra[0]
    gone = fact_of("person.deceased", "", 99, 9, 0, 0, torn=True)
    gone = Fact(
        **{**{name: getattr(gone, name) for name in Fact.__slots__}, "fact_id": first.fact_id}
    )
    with_it = timeline([*history, *extra, gone], pack)
    without = timeline(history, pack)
    moments = instants([*history, *extra])
    assert told(with_it, moments) == told(without, moments)


@RUN
@given(histories(), minutes(), st.integers(0, 10_000))
def test_nothing_changes_between_two_records(history: list[Fact], minute: int, step: int) -> None:
    recorded = sorted(fact.recorded_at for fact in history)
    start = at(minute)
    end = next((when for when in recorded if when > start), start + timedelta(days=9))
    between = min(start + timedelta(minutes=step), end - timedelta(microseconds=1))
    schedule = PackSchedule.only(PACKS["shanghai-2020-02"])
    lines = [
        evaluate(schedule, history, areas=AREAS, known_at=known, subject="p")
        for known in (start, between)
    ]
    moments = instants(history)
    assert told(lines[0], moments) == told(lines[1], moments)


@RUN
@given(histories(), packs, minutes(), st.integers(0, 10_000))
def test_the_answer_holds_until_valid_until(
    history: list[Fact], pack: str, minute: int, step: int
) -> None:
    line = timeline(history, pack)
    status = line.status(at(minute))
    end = status.valid_until or at(minute) + timedelta(days=9)
    between = min(at(minute) + timedelta(minutes=step), end - timedelta(microseconds=1))
    later = line.status(between)
    assert later.colour is status.colour
    assert [one.key for one in later.measures] == [one.key for one in status.measures]


@RUN
@given(histories(), packs, minutes())
def test_next_change_really_changes(history: list[Fact], pack: str, minute: int) -> None:
    line = timeline(history, pack)
    status = line.status(at(minute))
    change = status.next_change
    if change is None:
        assert all(one.colour is status.colour for one in line.segments(since=at(minute)))
    else:
        assert line.colour(change.at) is change.colour is not status.colour
        assert line.colour(change.at - timedelta(microseconds=1)) is status.colour
        assert status.valid_until is not None
        assert status.valid_until <= change.at


@RUN
@given(histories(), packs)
def test_segments_agree_with_the_status_at_every_edge(history: list[Fact], pack: str) -> None:
    line = timeline(history, pack)
    segments = line.segments()
    for moment in instants(history):
        held = [one for one in segments if one.start is None or one.start <= moment][-1]
        status = line.status(moment)
        reason = status.reason.reason_key if status.reason else None
        assert (held.colour, held.reason) == (status.colour, reason)


@RUN
@given(histories(), facts(99, TRIGGERS))
def test_one_more_trigger_never_lowers_a_colour(history: list[Fact], extra: list[Fact]) -> None:
    """Confirmation is left out where a suspicion is open: it ends that measure and is red itself."""
    before, after = timeline(history), timeline([*history, extra[0]])
    for moment in instants([*history, *extra]):
        lowered = after.colour(moment).strictness < before.colour(moment).strictness
        if lowered:
            # Only a closed code, or a suspicion that became a confirmation already discharged.
            assert extra[0].kind == "case.confirmed", (moment, extra)


@RUN
@given(histories(), facts(99, RELEASES))
def test_one_more_release_never_raises_a_colour(history: list[Fact], extra: list[Fact]) -> None:
    before, after = timeline(history), timeline([*history, extra[0]])
    for moment in instants([*history, *extra]):
        assert after.colour(moment).strictness <= before.colour(moment).strictness


@RUN
@given(histories(), packs)
def test_whoever_is_not_green_is_told_why_in_both_languages(history: list[Fact], pack: str) -> None:
    line = timeline(history, pack)
    for moment in instants(history):
        status = line.status(moment)
        if status.colour in {Colour.YELLOW, Colour.RED}:
            assert status.measures
            assert status.measures[0].colour is status.colour
            for measure in status.measures:
                reason = measure.phase.reason
                assert reason.zh
                assert reason.en
                assert reason.zh != reason.en
        else:
            assert not status.measures


@RUN
@given(histories(), minutes(), minutes())
def test_a_waiver_never_lowers_another_rule(history: list[Fact], start: int, end: int) -> None:
    pack = PACKS["jiangsu-2021"]
    waiver = Fact(
        fact_id="w",
        ver=1,
        op=Op.ASSERT,
        kind="waiver.granted",
        subject="p",
        occurred_at=at(start),
        occurred_until=at(max(start, end)),
        recorded_at=at(start),
        source="office",
        payload={
            "measure": {"rule": ["left-listed-area", "infected"]},
            "officer": "o",
            "basis": "b",
        },
    )
    listed = AreaHistory.of(
        [
            Fact(
                **{
                    **{n: getattr(LISTED, n) for n in Fact.__slots__},
                    "payload": {"area": "420100", "level": "high"},
                }
            )
        ]
    )
    schedule = PackSchedule.only(pack)
    before = evaluate(schedule, history, areas=listed, subject="p")
    after = evaluate(schedule, [*history, waiver], areas=listed, subject="p")
    for moment in instants([*history, waiver]):
        kept = [m.key for m in before.status(moment).measures if m.rule.id != "left-listed-area"]
        now = after.status(moment)
        assert [m.key for m in now.measures if m.rule.id != "left-listed-area"] == kept
        covered = at(start) <= moment < min(at(max(start, end)), at(start) + timedelta(hours=48))
        left = [m for m in now.measures if m.rule.id == "left-listed-area"]
        assert not (covered and left)


@RUN
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.booleans())))
def test_link_and_unlink_undo_each_other(pairs: list[tuple[str, str, bool]]) -> None:
    """After a link and its unlink, everyone is who they were without that pair."""
    links = []
    for number, (a, b, undone) in enumerate(pairs):
        kinds = ["identity.link", *(["identity.unlink"] if undone else [])]
        for step, kind in enumerate(kinds):
            links.append(
                Fact(
                    fact_id=f"l{number}-{step}",
                    ver=1,
                    op=Op.ASSERT,
                    kind=kind,
                    subject=a,
                    occurred_at=at(10 * number + step),
                    occurred_until=None,
                    recorded_at=at(10 * number + step),
                    source="office",
                    payload={"a": a, "b": b},
                )
            )
    last = {}
    for a, b, undone in pairs:
        last[frozenset((a, b))] = undone
    groups = [{name} for name in "abcd"]
    for pair, undone in last.items():
        if not undone:
            joined = [group for group in groups if group & pair]
            groups = [group for group in groups if not group & pair] + [set().union(*joined)]
    found = clusters(links, known_at=None)
    for group in groups:
        for name in group:
            assert found.get(name, frozenset((name,))) == frozenset(group)


@RUN
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50))),
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50))),
)
def test_intervals_are_the_minutes_that_they_say(ones: list, holes: list) -> None:
    """Against plain sets of minutes: merge and without."""

    def inside(pairs: list) -> set[int]:
        return {minute for start, end in pairs for minute in range(start, end)}

    intervals = [Interval(at(start), at(end)) for start, end in ones]
    gaps = [Interval(at(start), at(end)) for start, end in holes]
    merged = merge(intervals)
    covered = {m for m in range(51) if any(one.covers(at(m)) for one in merged)}
    assert covered == inside(ones)
    left = [piece for one in merged for piece in one.without(gaps)]
    assert {m for m in range(51) if any(one.covers(at(m)) for one in left)} == inside(
        ones
    ) - inside(holes)
    assert all(one.end < two.start for one, two in pairwise(merged))


@RUN
@given(histories(), minutes())
def test_what_was_shown_can_always_be_told_again(history: list[Fact], minute: int) -> None:
    """A record that comes later never changes ``colour(t, k)`` of an earlier k."""
    known = [fact for fact in history if fact.recorded_at <= at(minute)]
    moments = instants(history)
    assert told(timeline(known, known=minute), moments) == told(
        timeline(history, known=minute), moments
    )
    assert current_facts(known, known_at=at(minute)) == current_facts(history, known_at=at(minute))
