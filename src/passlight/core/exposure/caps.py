"""Caps: a zone that would colour a crowd waits for an officer (field/08 3.2).

A stadium under one code, or a case who scanned the wrong poster, must not make ten thousand
people yellow before anybody has looked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from passlight.core.exposure.exposure import Exposure
from passlight.core.exposure.parameters import Cap

#: case, venue, zone
CasePlace = tuple[str, str, str]


class HeldWhy(StrEnum):
    """Which of the two limits was passed; the number of people is named first."""

    PEOPLE = "people"
    SHARE = "share"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldZone:
    """What one case found in one zone and nobody is told of before an officer releases it."""

    case_id: str
    venue: str
    zone: str
    people: int
    present: int
    why: HeldWhy


def case_place(exposure: Exposure) -> CasePlace:
    """Return what a cap is counted over."""
    return (exposure.case_id, exposure.venue, exposure.zone)


def held_zones(
    exposures: Iterable[Exposure], *, present: Mapping[CasePlace, int], cap: Cap
) -> list[HeldZone]:
    """Return the zones that wait for an officer, sorted by case, venue and zone.

    ``present`` counts the people who were in the zone while it was dangerous; a person with
    many visits is one person.
    """
    people: dict[CasePlace, set[str]] = {}
    for exposure in exposures:
        people.setdefault(case_place(exposure), set()).add(exposure.subject)
    held = []
    for place in sorted(people):
        why = _why(len(people[place]), present.get(place, 0), cap)
        if why is not None:
            case_id, venue, zone = place
            held.append(
                HeldZone(
                    case_id=case_id,
                    venue=venue,
                    zone=zone,
                    people=len(people[place]),
                    present=present.get(place, 0),
                    why=why,
                )
            )
    return held


def _why(people: int, present: int, cap: Cap) -> HeldWhy | None:
    if people > cap.people_max:
        return HeldWhy.PEOPLE
    if people >= cap.share_people_min and people * 100 > present * cap.share_percent_max:
        return HeldWhy.SHARE
    return None
