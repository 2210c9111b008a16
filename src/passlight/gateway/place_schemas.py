"""What a door asks about places, and what it is told."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from passlight.core.entry.places import EVENTS_A_REPORT, TICKETS_MAX
from passlight.gateway.schemas import Door, Uuid

_Count = Annotated[int, Meta(ge=0, le=1_000)]
_Number = Annotated[int, Meta(ge=0, le=2**53 - 1)]
_Leases = Annotated[list[Uuid], Meta(max_length=EVENTS_A_REPORT)]


class PlacesReport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happened since the server last answered, and what the door holds now."""

    admitted: _Leases
    left: _Leases
    unused: _Count
    own: _Leases = []
    standing: _Count = 0
    fresh: bool = False


class PlacesRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A door's report and what it wants; ``session`` 0 greets (``core.entry.places``)."""

    venue: Uuid
    entrance: Door
    boot: Annotated[str, Meta(max_length=64)] = ""
    session: _Number
    request: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    report: PlacesReport
    want: Annotated[int, Meta(ge=0, le=TICKETS_MAX)] = 0
    due: Annotated[int, Meta(ge=0, le=TICKETS_MAX)] = 0


class PlacesOut(Struct, frozen=True, kw_only=True):
    """What the door may use; a greeting gives a session and nothing else."""

    request: int
    session: int
    granted: int
    granted_due: int
    expires_in: int
    standing: int
    inside: int
    cap: int
    state: Literal["open", "limited", "closed"]
    stay_seconds: int
    ended: list[str]
    now_ms: int
