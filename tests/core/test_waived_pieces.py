"""A measure that a waiver cuts in two, under another one that is stricter for a while.

By hand, pack jiangsu-2021: in a controlled zone from day 0 on, without an end (yellow); a waiver
of 48 hours from day 2 (green for the trip); a close contact assessed on day 1 (red, 14 days
central, then yellow). Day 16: the contact's yellow begins, the zone's second piece still holds.
"""

from datetime import UTC, datetime, timedelta

from passlight.core.facts.fact import Fact, Op
from passlight.core.kernel.colour import Colour
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.load import load_pack
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.runtime.packs import read_pack_folder, shipped_packs

ORIGIN = datetime(2021, 9, 1, 2, tzinfo=UTC)


def fact(
    fact_id: str,
    kind: str,
    day: float,
    subject: str = "p",
    until: float | None = None,
    **payload: object,
) -> Fact:
    at = ORIGIN + timedelta(days=day)
    return Fact(
        fact_id=fact_id,
        ver=1,
        op=Op.ASSERT,
        kind=kind,
        subject=subject,
        occurred_at=at,
        occurred_until=None if until is None else ORIGIN + timedelta(days=until),
        recorded_at=at,
        source="cdc",
        payload=payload,
    )


def test_both_pieces_of_a_waived_measure_may_wait_below_a_stricter_one() -> None:
    facts = [
        fact("zone", "stay", 0, area="320500"),
        fact("contact", "exposure.assessed", 1, **{"class": "close"}),
        fact(
            "trip",
            "waiver.granted",
            2,
            until=4,
            measure={"rule": "in-controlled-zone"},
            officer="o",
            basis="b",
        ),
    ]
    listing = fact(
        "list", "area.listed", -1, subject="area:320500", area="320500", level="controlled"
    )
    pack = load_pack(read_pack_folder(shipped_packs() / "jiangsu-2021"))
    timeline = evaluate(PackSchedule.only(pack), facts, areas=AreaHistory.of([listing]))
    found = {
        day: timeline.colour(ORIGIN + timedelta(days=day))
        for day in (0, 1, 3, 5, 14.99, 15, 30, 60)
    }
    assert found == {
        0: Colour.YELLOW,
        1: Colour.RED,
        3: Colour.RED,
        5: Colour.RED,
        14.99: Colour.RED,
        15: Colour.YELLOW,
        30: Colour.YELLOW,
        60: Colour.YELLOW,
    }
