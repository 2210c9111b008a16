"""Lists of risk areas as two provinces publish them: whole, daily, late, and once broken.

Each list replaces the one before it. Each publisher's broken export loses most of its rows and
must be held; a day on which a list is missing changes nothing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from passlight.agencies.risk_areas.place import area_id
from passlight.simulation.names import TOWNS, VILLAGES
from passlight.simulation.outbreak.draws import Draws
from passlight.simulation.outbreak.hours import DAY, HOUR, MINUTE, instant

PUBLISHERS = (("云屿省", "北"), ("星洲省", "南"))
PUBLISHED_AT = 8 * HOUR
AREAS_A_PUBLISHER = 14
LATE_MINUTES = (5, 20, 60, 180, 480)
LISTED_DAYS = (5, 9, 14, 21)
MISSING_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskArea:
    """A place elsewhere and when it was on its province's list, at one level, [from, until)."""

    area: str
    names: tuple[str, str, str, str]
    level: str
    from_day: int
    until_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedList:
    """One list as it was published: its places by area id, and whether it is broken."""

    publisher: int
    at: int
    arrives: int
    levels: dict[str, str]
    document: dict[str, Any]
    broken: bool

    @property
    def name(self) -> str:
        """Return the file's name."""
        return f"{instant(self.at):%Y%m%dT%H}-risk-{self.publisher}.json"


def make_areas(draws: Draws, days: int) -> tuple[tuple[RiskArea, ...], ...]:
    """Return the places of each publisher."""
    return tuple(
        tuple(_area(draws, publisher, number, days) for number in range(AREAS_A_PUBLISHER))
        for publisher in range(len(PUBLISHERS))
    )


def _area(draws: Draws, publisher: int, number: int, days: int) -> RiskArea:
    province, side = PUBLISHERS[publisher]
    town = TOWNS[number % len(TOWNS)][0]
    village = VILLAGES[number % len(VILLAGES)][0]
    names = (province, f"{side}屿市", town, f"{village}{number + 1}号院")
    begins = int(draws.one("listed from", publisher, number) * days) - 10
    stays = draws.between("listed for", LISTED_DAYS, publisher, number)
    # Half of them all the time: a list that truly empties is held like a broken one, and waits
    # for an officer, of whom this world has none.
    begins, ends = (begins, begins + stays) if number % 2 else (-10, days + 1)
    high = draws.chance(0.5, "listed high", publisher, number)
    return RiskArea(
        area=area_id(*names),
        names=names,
        level="high" if high else "medium",
        from_day=begins,
        until_day=ends,
    )


def lists_of_day(
    draws: Draws, areas: tuple[tuple[RiskArea, ...], ...], day: int, days: int
) -> Iterator[PublishedList]:
    """Yield the lists that are published on ``day``."""
    for publisher, own in enumerate(areas):
        if day > 0 and draws.chance(MISSING_SHARE, "list missing", publisher, day):
            continue
        broken = day == 1 + int(draws.one("list broken", publisher) * (days - 1))
        listed = [area for area in own if area.from_day <= day < area.until_day]
        shown = listed[: len(listed) // 4] if broken else listed
        at = day * DAY + PUBLISHED_AT
        late = draws.between("list late", LATE_MINUTES, publisher, day) * MINUTE
        yield PublishedList(
            publisher=publisher,
            at=at,
            arrives=at + late,
            levels={area.area: area.level for area in shown},
            document=_document(shown, at),
            # Under four rows lost of four the breaker has nothing to hold.
            broken=broken and len(shown) * 2 < len(listed),
        )


def _document(shown: list[RiskArea], at: int) -> dict[str, Any]:
    data: dict[str, Any] = {"end_update_time": f"{instant(at):%Y-%m-%d %H}时"}
    for key, count, level in (
        ("highlist", "hcount", "high"),
        ("middlelist", "mcount", "medium"),
    ):
        rows = [area.names for area in shown if area.level == level]
        data[count] = len(rows)
        data[key] = [
            {"province": province, "city": city, "county": county, "communitys": [name]}
            for province, city, county, name in rows
        ]
    return {"data": data}


def list_bytes(published: PublishedList) -> bytes:
    """Return the file as published."""
    return json.dumps(published.document, ensure_ascii=False).encode()
