"""What tracing counts by: every number of it, in one place, with a hash (field/08 3.2).

None of these numbers is law; each is a setting that a health office answers for. An exposure
keeps the hash of the parameters it was found with, so that another number finds it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Any

from passlight.core.kernel.canonical import content_hash
from passlight.core.places.venue import VenueClass


class Ventilation(IntEnum):
    """How long the air of a zone stays dangerous, as a factor of the lingering time."""

    OUTDOORS = 0
    NORMAL = 1
    POOR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Dwell:
    """How long people stay in a kind of venue when nobody recorded that they left (E33).

    ``usual_minutes`` is what is assumed; ``certain_minutes`` is what may be held against
    somebody: the shortest stay that a check-in at such a place means.
    """

    usual_minutes: int
    certain_minutes: int

    def __post_init__(self) -> None:
        assert 0 <= self.certain_minutes <= self.usual_minutes, self


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """From how many people on a zone waits for an officer instead of speaking by itself.

    More than ``people_max``, or more than ``share_percent_max`` of those who were there, where
    the share counts only from ``share_people_min`` people on: two of three is no crowd.
    """

    people_max: int = 200
    share_percent_max: int = 50
    share_people_min: int = 20

    def __post_init__(self) -> None:
        assert self.people_max >= 0, self
        assert 0 <= self.share_percent_max <= 100, self  # noqa: PLR2004  # percent
        assert self.share_people_min >= 0, self


USUAL_DWELL: Mapping[VenueClass, Dwell] = MappingProxyType(
    {
        VenueClass.HOSPITAL: Dwell(usual_minutes=120, certain_minutes=15),
        VenueClass.HALL: Dwell(usual_minutes=60, certain_minutes=10),
        VenueClass.SCHOOL: Dwell(usual_minutes=480, certain_minutes=30),
        VenueClass.MALL: Dwell(usual_minutes=60, certain_minutes=10),
        VenueClass.OFFICE: Dwell(usual_minutes=480, certain_minutes=30),
        VenueClass.TRANSPORT: Dwell(usual_minutes=45, certain_minutes=5),
        VenueClass.HOUSING: Dwell(usual_minutes=480, certain_minutes=10),
        VenueClass.PARK: Dwell(usual_minutes=90, certain_minutes=10),
        VenueClass.CHECKPOINT: Dwell(usual_minutes=5, certain_minutes=0),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingParameters:
    """The numbers of one way to trace.

    ``lead_hours`` is how long before onset or sampling somebody already infects others.
    ``minutes_min`` holds for one pair of visits. ``stay_hours_max`` bounds a visit: a
    check-out days later is one that was forgotten, not a stay.
    """

    lead_hours: int = 48
    linger_minutes: int = 30
    minutes_min: int = 10
    stay_hours_max: int = 16
    dwell: Mapping[VenueClass, Dwell] = field(default_factory=lambda: USUAL_DWELL)
    cap: Cap = Cap()

    def __post_init__(self) -> None:
        assert min(self.lead_hours, self.linger_minutes, self.minutes_min) >= 0, self
        assert self.stay_hours_max > 0, self
        assert self.dwell.keys() == set(VenueClass), "every class of venue has a dwell"

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as the JSON object that is hashed and stored."""
        return {
            "lead_hours": self.lead_hours,
            "linger_minutes": self.linger_minutes,
            "minutes_min": self.minutes_min,
            "stay_hours_max": self.stay_hours_max,
            "dwell": {
                kind.value: {
                    "usual_minutes": dwell.usual_minutes,
                    "certain_minutes": dwell.certain_minutes,
                }
                for kind, dwell in self.dwell.items()
            },
            "cap": {
                "people_max": self.cap.people_max,
                "share_percent_max": self.cap.share_percent_max,
                "share_people_min": self.cap.share_people_min,
            },
        }

    @property
    def params_hash(self) -> str:
        """Return ``sha256:`` and the digest of the canonical JSON form (RFC 8785)."""
        return content_hash(self.to_json())
