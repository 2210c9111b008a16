"""The small tables of a store against the person evaluator's own: areas, identities, silences.

``core.rules.areas``, ``core.facts.identity`` and ``core.status.freshness`` are the oracles; they
share nothing with ``city`` but the rows of ``areas.csv``.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from passlight.city.areas import AreaTables
from passlight.city.columns import instant, micros
from passlight.city.days import after
from passlight.city.freshness import silences
from passlight.city.identity import members
from passlight.city.load import load_facts
from passlight.city.others import read_others
from passlight.core.facts.book import FactBook
from passlight.core.facts.form import fact_from_json
from passlight.core.kernel.calendar import CalendarDays, Elapsed, Years, add
from passlight.core.kernel.interval import Interval, merge
from passlight.core.rules.areas import AreaCodes, AreaHistory, AreaRow
from passlight.core.rules.pack import MandatorySource, WhenStale
from passlight.core.rules.terms import Text
from passlight.core.status.freshness import deliveries_of, stale_intervals
from tests.agencies.files import feed, real
from tests.city import differential
from tests.city.versions import AREAS, LEVELS, ORIGIN, deliveries

ZONES = (ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/St_Johns"))
DAY = timedelta(days=1)


def codes(seed: int) -> AreaCodes:
    """Return rows of areas.csv: successors, several at once, rings, parents that change."""
    random = Random(seed)
    rows = []
    for _ in range(random.choice((0, 6, 12))):
        start = random.choice((None, ORIGIN, ORIGIN + 2 * DAY))
        end = random.choice((None, ORIGIN + DAY, ORIGIN + 3 * DAY))
        if start and end and end <= start:
            end = None
        rows.append(
            AreaRow(
                area=random.choice(AREAS),
                parent=random.choice((None, *AREAS)),
                valid=Interval(start, end),
                successor=random.choice((None, *AREAS)),
            )
        )
    return AreaCodes.of(rows)


@pytest.fixture(scope="module", params=range(3))
def world(request, tmp_path_factory):
    facts = deliveries(100 + request.param, 160)
    book = FactBook()
    for fact in facts:
        book.add(fact)
    folder = tmp_path_factory.mktemp("store")
    others = read_others(load_facts(enumerate(facts), folder).store)
    random = Random(request.param)
    recorded = sorted({fact.recorded_at for fact in facts})
    times = [None, *random.sample(recorded, 5)]
    return request.param, book, others, times


def covers(tables: AreaTables, area: str) -> dict[bool, list[tuple]]:
    found: dict[bool, list[tuple]] = {False: [], True: []}
    for one in tables.covers([area]):
        told = (one.listing_id, one.level, one.from_at, one.until_at, one.listing_until)
        found[one.inside].append((one.listed_at, *told, one.delisting_id))
    return {inside: sorted(rows, key=str) for inside, rows in found.items()}


def number(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def core_covers(
    listings, area: str, *, inside: bool, levels: tuple[str, ...] = LEVELS
) -> list[tuple]:
    search = listings.inside if inside else listings.covering
    return sorted(
        (
            (
                micros(one.listing.fact.occurred_at),
                one.listing.fact.fact_id,
                one.listing.level,
                number(one.when.start),
                number(one.when.end),
                number(one.listing.when.end),
                one.listing.delisted.fact_id if one.listing.delisted else None,
            )
            for one in search(area, levels)
        ),
        key=str,
    )


def test_areas_are_covered_as_the_person_evaluator_says(world):
    seed, book, others, times = world
    found = 0
    for zone in ZONES:
        rows = codes(seed)
        history = AreaHistory.of(book.area_facts, rows)
        for known_at in times:
            listings = history.known(known_at, zone=zone)
            tables = AreaTables(others.areas, rows, zone=zone, known_at=number(known_at))
            for area in AREAS:
                got = covers(tables, area)
                for inside in (False, True):
                    wanted = core_covers(listings, area, inside=inside)
                    assert got[inside] == wanted, (seed, zone, known_at, area)
                    found += len(wanted)
                names = {(one.identity, one.from_at, one.until_at) for one in tables.names([area])}
                assert names == {
                    (name, number(when.start), number(when.end))
                    for name, when, _ in listings.covers(area)
                }
    assert found > 500


@pytest.mark.parametrize("said", ["420100", ["420100"]])
def test_only_a_listing_says_what_lies_above(said, tmp_path):
    """By hand: b-1 lies in 420000 as its listing says; the delisting's word is kept and ignored.

    So the list of 420000 covers b-1, and that of 420100, which only the delisting names, does not.
    """
    told = (
        ("over", "area.listed", {"area": "420000", "level": "key"}),
        ("beside", "area.listed", {"area": "420100", "level": "key"}),
        ("here", "area.listed", {"area": "b-1", "level": "high", "parent": "420000"}),
        ("out", "area.delisted", {"area": "b-1", "level": "high", "parent": said}),
    )
    facts = [
        fact_from_json(
            {
                "fact_id": fact_id,
                "ver": 1,
                "op": "assert",
                "kind": kind,
                "subject": f"area:{payload['area']}",
                "occurred_at": (ORIGIN + days * DAY).isoformat(),
                "recorded_at": (ORIGIN + days * DAY).isoformat(),
                "source": "list",
                "payload": payload,
            }
        )
        for days, (fact_id, kind, payload) in enumerate(told)
    ]
    others = read_others(load_facts(enumerate(facts), tmp_path).store)
    tables = AreaTables(others.areas, AreaCodes(), zone=ZONES[0], known_at=None)
    listings = AreaHistory.of(facts).known(None, zone=ZONES[0])
    wanted = {("over", micros(ORIGIN), None), ("here", *(micros(ORIGIN + n * DAY) for n in (2, 3)))}
    set_based = {(one[1], one[3], one[4]) for one in covers(tables, "b-1")[False]}
    person = {(one[1], one[3], one[4]) for one in core_covers(listings, "b-1", inside=False)}
    assert set_based == wanted
    assert person == wanted


def test_who_is_one_person_is_as_the_person_evaluator_says(world):
    _, book, others, times = world
    linked = 0
    for known_at in times:
        wanted = {
            (others.people[one], others.people[other])
            for one, group in book.clusters(known_at).items()
            for other in group
            if one in others.people and other in others.people
        }
        alone = {(one, one) for one, _ in wanted} - {
            pair for pair in wanted if sum(pair[0] == one for one, _ in wanted) > 1
        }
        assert set(members(others, number(known_at))) == wanted - alone
        linked += len(wanted)
    assert linked > 20


@pytest.mark.parametrize(
    "within",
    [
        Elapsed(timedelta(hours=6)),
        Elapsed(timedelta(hours=11)),
        CalendarDays(days=1),
        CalendarDays(days=0, inclusive=True),
    ],
)
def test_sources_are_silent_as_the_person_evaluator_says(world, within):
    _, book, others, times = world
    pack = differential.pack("jiangsu-2021")
    mandatory = tuple(
        MandatorySource(
            source=name, within=within, when_stale=WhenStale.UNKNOWN, text=Text("陈旧", "stale")
        )
        for name in ("lab", "cdc", "nobody")
    )
    for zone in ZONES:
        here = replace(pack, zone=zone, mandatory=mandatory)
        for known_at in times:
            told = stale_intervals(here, deliveries_of(book.source_facts), known_at=known_at)
            wanted = [
                (source.source, [(number(one.start), number(one.end)) for one in merge(found)])
                for source, found in told
            ]
            got = [
                (one.source.source, list(one.stretches))
                for one in silences(here, others, number(known_at))
            ]
            assert got == wanted


HOUR = timedelta(hours=1)


def delivered(fact_id: str, ver: int, hours: float, **given: str) -> dict[str, object]:
    at = (ORIGIN + hours * HOUR).isoformat()
    told = {"kind": "source.delivered", "subject": "source:lab", "op": "assert", **given}
    return {
        "fact_id": fact_id,
        "ver": ver,
        "occurred_at": at,
        "recorded_at": at,
        "source": "lab",
        "payload": {},
        **told,
    }


def test_a_delivery_that_was_taken_back_is_none(tmp_path):
    """By hand: the laboratory must deliver every 6 hours, and delivered at 0, 5, 9, 12 and 20.

    That of 5 is retracted at 10, that of 9 is said again at 11 (nothing changes by it, but 11 is
    a delivery too), that of 12 turns out at 13 to be of another source; 20's is retracted under
    another kind and subject at 21. Nobody delivers by taking back.
    """
    told = (
        delivered("a", 1, 0),
        delivered("b", 1, 5),
        delivered("c", 1, 9),
        delivered("b", 2, 10, op="retract"),
        delivered("c", 2, 11),
        delivered("d", 1, 12),
        delivered("d", 2, 13, subject="source:cdc"),
        delivered("e", 1, 20),
        delivered("e", 2, 21, op="retract", kind="stay", subject="p"),
        delivered("c", 2, 22),
    )
    # Known at (hours): the hours without the laboratory.
    wanted = {
        9.5: [(None, 0), (15, None)],
        10.5: [(None, 0), (6, 9), (15, None)],
        12.5: [(None, 0), (6, 9), (18, None)],
        13.5: [(None, 0), (6, 9), (17, None)],
        20.5: [(None, 0), (6, 9), (17, 20), (26, None)],
        None: [(None, 0), (6, 9), (17, None)],
    }
    facts = [fact_from_json(one) for one in told]
    book = FactBook()
    for fact in facts:
        book.add(fact)
    others = read_others(load_facts(enumerate(facts), tmp_path).store)
    name = Text("陈旧", "stale")
    lab = MandatorySource(
        source="lab", within=Elapsed(6 * HOUR), when_stale=WhenStale.UNKNOWN, text=name
    )
    here = replace(differential.pack("jiangsu-2021"), mandatory=(lab,))

    def micro(hours: float | None) -> int | None:
        return None if hours is None else micros(ORIGIN + hours * HOUR)

    for hours, silent in wanted.items():
        expected = [(micro(start), micro(end)) for start, end in silent]
        known_at = None if hours is None else ORIGIN + hours * HOUR
        ((_, found),) = stale_intervals(here, deliveries_of(book.source_facts), known_at=known_at)
        assert [(number(one.start), number(one.end)) for one in merge(found)] == expected, hours
        (one,) = silences(here, others, number(known_at))
        assert list(one.stretches) == expected, hours


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_calendar_days_are_the_same_worked_out_apart(zone):
    random = Random(7)
    durations = [
        Elapsed(timedelta(hours=25)),
        *(
            CalendarDays(days=days, counts_first=first, inclusive=whole, release=release)
            for days in (0, 1, 14)
            for first in (False, True)
            for whole in (False, True)
            for release in (datetime.min.time(), datetime(1, 1, 1, 2, 30).time())
        ),
        *(Years(years) for years in (0, 1, 3, 4, 100)),
    ]
    edges = [
        datetime(2022, 3, 26, 23, 0, tzinfo=UTC),  # Berlin: the night before 02:30 is skipped
        datetime(2022, 10, 29, 22, 0, tzinfo=UTC),  # and the one in which it comes twice
        datetime(2020, 2, 28, 16, 0, tzinfo=UTC),  # 29 February in Shanghai
        datetime(1900, 1, 1, tzinfo=UTC),  # local mean time
    ]
    for edge in edges:
        for _ in range(12):
            at = edge + timedelta(
                minutes=random.randrange(-3000, 3000), seconds=random.choice((0, 1))
            )
            for duration in durations:
                assert instant(after(micros(at), duration, zone)) == add(at, duration, zone=zone)


@pytest.mark.data
def test_the_real_lists_cover_what_the_person_evaluator_says(tmp_path):
    """All places that the 77 lists of spring 2022 name, and what lies above."""
    lines = feed("risk-areas", real("risk-areas"), out=tmp_path / "out").facts
    facts = [fact_from_json(line) for line in lines]
    store = load_facts(enumerate(facts), tmp_path / "store").store
    others = read_others(store)
    assert len(others.areas) == len(facts) > 0
    zone = ZONES[0]
    history = AreaHistory.of(facts)
    levels = tuple(sorted({fact.payload["level"] for fact in facts}))
    named = sorted({fact.payload["area"] for fact in facts})
    named += sorted({area.rpartition("/")[0] for area in named if "/" in area})
    recorded = sorted({fact.recorded_at for fact in facts})
    found = 0
    for known_at in (None, recorded[len(recorded) // 2]):
        listings = history.known(known_at, zone=zone)
        tables = AreaTables(others.areas, AreaCodes(), zone=zone, known_at=number(known_at))
        for area in named:
            got = covers(tables, area)
            for inside in (False, True):
                wanted = core_covers(listings, area, inside=inside, levels=levels)
                assert got[inside] == wanted
                found += len(wanted)
    # Each listing covers its own place at least.
    assert found > sum(fact.kind == "area.listed" for fact in facts)
