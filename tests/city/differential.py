"""One world through both evaluators, byte by byte: what they say of everybody at every moment.

The person evaluator explains and was proved on scenarios worked by hand and on an oracle of its
own; here it is the measure of the other. The two share nothing below the compiled pack.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from pathlib import Path

from passlight.core.kernel.interval import Interval
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.load import load_pack
from passlight.core.rules.pack import Pack
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.core.status.freshness import deliveries_of
from passlight.core.status.line import status_line
from passlight.runtime.packs import read_pack_folder, shipped_packs
from tests.city.generator import Moment, World

TEST_PACKS = Path(__file__).parent.parent / "scenarios" / "packs"


def pack(name: str) -> Pack:
    """Return a shipped pack, or one of the packs that the scenarios use."""
    folder = shipped_packs() / name
    if not folder.is_dir():
        folder = TEST_PACKS / name
    return load_pack(read_pack_folder(folder))


def shipped() -> list[str]:
    """Return the names of all packs that come with Passlight, whatever they are."""
    return sorted(one.parent.name for one in shipped_packs().glob("*/pack.yaml"))


def person_lines(world: World) -> Iterator[tuple[Moment, list[bytes]]]:
    """Yield what the person evaluator says, moment by moment, subjects in code-point order."""
    book = world.book
    areas = AreaHistory.of(book.area_facts, world.schedule.area_codes)
    deliveries = deliveries_of(book.source_facts) or None
    subjects = sorted(book.persons)
    found: dict[Moment, list[bytes]] = {}

    def known(moment: Moment) -> str:
        return "" if moment[1] is None else moment[1].isoformat()

    for _, group in groupby(sorted(world.moments, key=known), key=known):
        moments = list(group)
        known_at = moments[0][1]
        clusters = book.clusters(known_at)
        for subject in subjects:
            members = clusters.get(subject, frozenset((subject,)))
            timeline = evaluate(
                world.schedule,
                book.versions(sorted(members)),
                areas=areas,
                known_at=known_at,
                identified=True,
                subject=subject,
                members=members,
                deliveries=deliveries,
            )
            for moment in moments:
                found.setdefault(moment, []).append(status_line(timeline.status(moment[0])))
    for moment in world.moments:
        yield moment, found[moment]


def differences(
    world: World, other: Iterable[tuple[Moment, bytes]], *, most: int = 5
) -> tuple[int, list[str]]:
    """Return how many lines were compared, and the first ``most`` that differ, told in full."""
    lines: dict[Moment, list[bytes]] = {}
    for moment, line in other:
        lines.setdefault(moment, []).append(line)
    compared = 0
    told: list[str] = []
    for moment, wanted in person_lines(world):
        had = lines.get(moment, [])
        compared += len(wanted)
        if len(had) != len(wanted):
            told.append(f"{_said(moment)}: {len(wanted)} lines wanted, {len(had)} given")
        for one, two in zip(wanted, had, strict=False):
            if one != two and len(told) < most:
                told.append(f"{_said(moment)}\n  person {one.decode()}  other  {two.decode()}")
    return compared, told


def _said(moment: tuple[datetime, datetime | None]) -> str:
    at, known_at = moment
    return f"at {at.isoformat()}, known at {known_at.isoformat() if known_at else 'all'}"


def schedules() -> list[str]:
    """Return the names of every shipped pack, every test pack, and every change between two."""
    tested = sorted(one.name for one in TEST_PACKS.iterdir() if one.is_dir())
    return [*shipped(), *(f"test:{one}" for one in tested), *(f"change:{one}" for one in CHANGES)]


@cache
def schedule(name: str) -> PackSchedule:
    """Return the schedule of a name; made when a test asks, not when its file is read."""
    kind, _, own = name.rpartition(":")
    return PackSchedule.of(CHANGES[own]()) if kind == "change" else PackSchedule.only(pack(own))


def _later(
    name: str, *, days: int, existing: str, publish: int = 0, until: int | None = None
) -> Pack:
    """Return the next version of a shipped pack, with other durations, in force from that day."""
    files = read_pack_folder(shipped_packs() / name)
    head = files["pack.yaml"].replace(
        "existing_measures: convert", f"existing_measures: {existing}"
    )
    for old, new in (("14d", "10d"), ("7d", "8d"), ("3d", "72h"), ("21d", "20d")):
        head = head.replace(f"value: {old}", f"value: {new}").replace(
            f"yellow: {old}", f"yellow: {new}"
        )
    made = load_pack({**files, "pack.yaml": head})
    assert made.effective.start is not None
    start = made.effective.start + timedelta(days=days)
    end = None if until is None else made.effective.start + timedelta(days=until)
    later = replace(made, version=f"{made.version}-{days}", hash=f"{made.hash}-{days}")
    return later.published(
        effective=Interval(start, end), published_at=start + timedelta(hours=publish)
    )


def _cut(name: str, *, days: int) -> Pack:
    made = pack(name)
    assert made.effective.start is not None
    end = made.effective.start + timedelta(days=days)
    return made.published(
        effective=Interval(made.effective.start, end), published_at=made.published_at
    )


#: Changes from one pack to the next: what is open is converted or kept, published late, with a gap.
CHANGES: dict[str, Callable[[], list[Pack]]] = {
    "town-convert": lambda: [pack("first"), pack("second-convert")],
    "town-keep": lambda: [pack("first"), pack("second-keep")],
    "live": lambda: [pack("live-good"), pack("live-bad"), pack("live-fixed")],
    "jiangsu-convert": lambda: [
        pack("jiangsu-2021"),
        _later("jiangsu-2021", days=20, existing="convert", publish=-30),
    ],
    "jiangsu-keep-late": lambda: [
        pack("jiangsu-2021"),
        _later("jiangsu-2021", days=20, existing="keep", publish=20),
    ],
    "jiangsu-three": lambda: [
        pack("jiangsu-2021"),
        _later("jiangsu-2021", days=12, existing="keep"),
        _later("jiangsu-2021", days=24, existing="convert"),
    ],
    "jiangsu-gap": lambda: [
        _cut("jiangsu-2021", days=15),
        _later("jiangsu-2021", days=18, existing="keep"),
    ],
}
