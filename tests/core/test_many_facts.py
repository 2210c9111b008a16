"""One person with thousands of facts, one fact with thousands of versions: no square of them.

The bounds are processor time and far above what is needed (0.3 s each); with work that grows
by the square these took 50 s and 5 s.
"""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from passlight.core.facts.book import FactBook
from passlight.core.facts.fact import Fact, Op
from passlight.core.kernel.colour import Colour
from passlight.core.rules.load import load_pack
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.runtime.packs import read_pack_folder, shipped_packs

ORIGIN = datetime(2022, 4, 20, tzinfo=UTC)
SCHEDULE = PackSchedule.of([load_pack(read_pack_folder(shipped_packs() / "jiangsu-2021"))])


def fact(fact_id: str, kind: str, hours: float, **payload: object) -> Fact:
    instant = ORIGIN + timedelta(hours=hours)
    return Fact(
        fact_id=fact_id,
        ver=1,
        op=Op.ASSERT,
        kind=kind,
        subject="p",
        occurred_at=instant,
        occurred_until=None,
        recorded_at=instant,
        source="cdc",
        payload=payload,
    )


def test_a_person_with_thousands_of_contacts_and_tests() -> None:
    """Close contact, once an hour: red from the first to 14 days after the last, yellow to its cap."""
    facts = [fact(f"e{n}", "exposure.assessed", n, **{"class": "close"}) for n in range(3000)]
    facts += [fact(f"t{n}", "lab.result", n, value="neg", sample_id=str(n)) for n in range(3000)]
    started = time.process_time()
    timeline = evaluate(SCHEDULE, facts, members={"p"})
    colours = [segment.colour for segment in timeline.segments(ORIGIN)]
    assert timeline.status(ORIGIN).colour is Colour.RED
    assert time.process_time() - started < 10
    assert colours == [Colour.RED, Colour.YELLOW, Colour.GREEN]
    last = ORIGIN + timedelta(hours=2999)
    assert timeline.colour(last + timedelta(days=14, seconds=-1)) is Colour.RED
    assert timeline.colour(last + timedelta(days=14)) is Colour.YELLOW


def test_a_fact_with_thousands_of_versions() -> None:
    book = FactBook()
    first = fact("c", "case.confirmed", 0, case_id="1")
    started = time.process_time()
    assert [book.add(replace(first, ver=number)) for number in range(1, 20_001)] == [None] * 20_000
    assert time.process_time() - started < 2
    # Control: what contradicts a version is still told, and told by the first that came.
    other = replace(first, ver=7, payload={"case_id": "2"})
    assert book.add(other) == replace(first, ver=7)
    assert book.add(replace(first, ver=7)) is None
