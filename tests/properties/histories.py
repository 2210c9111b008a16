"""Generators of histories that favour boundaries: a coarse grid, and one unit beside it.

Uniform minutes find boundary bugs hardly ever (field/08 0.5): most events here fall on a grid of
six hours or on an exact distance that a rule names, and some one minute beside.
"""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from passlight.core.facts.fact import Fact, Op

ORIGIN = datetime(2020, 2, 20, 16, 0, tzinfo=UTC)  # midnight in Shanghai
DAY = 24 * 60
SPAN = 24 * DAY
KEYS = ("1", "2")
LISTED = Fact(
    fact_id="list-1",
    ver=1,
    op=Op.ASSERT,
    kind="area.listed",
    subject="area:420100",
    occurred_at=ORIGIN - timedelta(days=60),
    occurred_until=None,
    recorded_at=ORIGIN - timedelta(days=60),
    source="nhc",
    payload={"area": "420100", "level": "key"},
)
# what → payload of the fact, given its key
WHATS = {
    "case.suspected": lambda key: {"case_id": key},
    "case.confirmed": lambda key: {"case_id": key},
    "case.ruled_out": lambda key: {"case_id": key},
    "case.discharged": lambda key: {"case_id": key},
    "order.started": lambda key: {"order_id": key},
    "order.lifted": lambda key: {"order_id": key},
    "arrived-key": lambda key: {"from_area": "420106"},
    "arrived-other": lambda key: {"from_area": "330300"},
    "person.deceased": lambda key: {},
}


# What happens to one case or order, one step after the other.
STORIES = (
    ("case.suspected", "case.ruled_out"),
    ("case.suspected", "case.confirmed", "case.discharged"),
    ("case.suspected", "case.confirmed", "case.ruled_out", "case.discharged"),
    ("case.confirmed", "case.discharged", "case.confirmed"),
    ("order.started", "order.lifted"),
    ("order.started", "order.lifted", "order.started"),
)
STEPS = (0, 0, 1, 359, 360, 361, DAY)


def at(minute: int) -> datetime:
    return ORIGIN + timedelta(minutes=minute)


@st.composite
def minutes(draw: st.DrawFn, limit: int = SPAN) -> int:
    """Return a minute on the grid or one beside it; now and then any minute."""
    grid = draw(st.integers(0, limit // 360)) * 360
    step = draw(st.sampled_from((0, 0, 0, 0, 1, -1)))
    return max(0, grid + step)


@st.composite
def facts(draw: st.DrawFn, number: int, whats: tuple[str, ...] = tuple(WHATS)) -> list[Fact]:
    """Return one fact with its versions: perhaps late, corrected or retracted."""
    what = draw(st.sampled_from(whats))
    key = draw(st.sampled_from(KEYS))
    minute = draw(minutes())
    delay = draw(st.sampled_from((0, 0, 0, 1, 360, 361, 2 * DAY, 15 * DAY)))
    versions = [fact_of(what, key, number, 1, minute, minute + delay)]
    fate = draw(st.sampled_from(("stands", "stands", "stands", "corrected", "retracted")))
    if fate != "stands":
        again = minute + delay + draw(st.sampled_from((1, 360, DAY, 3 * DAY)))
        moved = (
            minute
            if fate == "retracted"
            else max(0, minute + draw(st.sampled_from((-DAY, 360, -360))))
        )
        versions.append(
            fact_of(what, key, number, 2, moved, max(again, moved), fate == "retracted")
        )
    return versions


def fact_of(
    what: str, key: str, number: int, ver: int, minute: int, came_in: int, torn: bool = False
) -> Fact:
    return Fact(
        fact_id=f"f{number}",
        ver=ver,
        op=Op.RETRACT if torn else Op.ASSERT,
        kind="travel.arrived" if what.startswith("arrived") else what,
        subject="p",
        occurred_at=at(minute),
        occurred_until=None,
        recorded_at=at(came_in),
        source="cdc",
        payload=WHATS[what](key),
    )


@st.composite
def histories(draw: st.DrawFn, size: int = 7, whats: tuple[str, ...] = tuple(WHATS)) -> list[Fact]:
    """Return the versions of some facts about one person."""
    count = draw(st.integers(0, size))
    found = [version for number in range(count) for version in draw(facts(number, whats))]
    if whats == tuple(WHATS) and draw(st.booleans()):
        minute = draw(minutes())
        for number, what in enumerate(draw(st.sampled_from(STORIES)), start=size + 1):
            found.append(fact_of(what, draw(st.sampled_from(KEYS[:1])), number, 1, minute, minute))
            minute += draw(st.sampled_from(STEPS))
    return found
