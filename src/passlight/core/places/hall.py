"""Service hall (政务服务大厅): its levels, the zones people move between, and its states."""

from enum import StrEnum
from uuid import UUID


class HallLevel(StrEnum):
    """The four levels of halls (seed 004: district centre, branch, town or street, village)."""

    DISTRICT = "district"
    BRANCH = "branch"
    TOWN = "town"
    VILLAGE = "village"


class ZoneKind(StrEnum):
    """What a zone of a hall is for (seed 004 三(二)1: 分区管理).

    ``OUTSIDE`` is the guide desk with seats in the open: who is served there never counts
    as inside (seed 000 三).
    """

    OUTSIDE = "outside"
    SCREENING = "screening"
    HALL = "hall"
    COUNTERS = "counters"
    ISOLATION = "isolation"

    @property
    def counts(self) -> bool:
        """Return whether people in such a zone count as inside."""
        return self is not ZoneKind.OUTSIDE


class HallState(StrEnum):
    """How far a hall is open; limited lets fewer in at a time, closed nobody."""

    OPEN = "open"
    LIMITED = "limited"
    CLOSED = "closed"


class DutyRole(StrEnum):
    """Who is on duty for what: the rows of a duty roster (seed 004 三(二)5 and 6)."""

    DUTY_LEADER = "duty-leader"
    STREET_OFFICE = "street-office"
    LEADING_GROUP = "leading-group"


def plan_path(unit_path: str, hall: UUID | None = None) -> tuple[str, ...]:
    """Return where a unit, or a hall inside it, stands in the tree that plans come down.

    ``unit_path`` is a unit's ``/1/4/9/``; a hall is one level below its unit.
    """
    units = tuple(unit_path.strip("/").split("/"))
    return units if hall is None else (*units, f"hall:{hall}")
