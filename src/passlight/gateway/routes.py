"""Every route of the gateway, in one table: what serves requests and what describes them."""

from dataclasses import dataclass
from typing import Any

from passlight.gateway import schemas
from passlight.gateway.auth import GrantRole
from passlight.gateway.limits import Rate, WorkClass
from passlight.gateway.place_schemas import PlacesOut, PlacesRequest

SMALL = 16 * 1024
LARGE = 1024 * 1024
# Five hundred records of a gate, each sealed and in base64.
BATCH = 2 * LARGE


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSpec:
    """One route; ``handler`` is a method of ``Handlers``."""

    method: str
    path: str
    handler: str
    summary: str
    work: WorkClass
    answer: Any
    statuses: tuple[int, ...] = (200,)
    roles: frozenset[GrantRole] = frozenset()
    """Who may ask; empty: anybody, without a grant."""
    rate: Rate | None = None
    request: Any = None
    query: Any = None
    body_limit: int = SMALL
    errors: tuple[int, ...] = ()


_RESIDENT = frozenset({GrantRole.RESIDENT})
_CHECKER = frozenset({GrantRole.CHECKER})
_DOOR = frozenset({GrantRole.CHECKER, GrantRole.GATE})
_GATE = frozenset({GrantRole.GATE})
_SIGNED = (400, 401, 403, 413, 429, 503)

ROUTES = (
    RouteSpec(
        method="GET",
        path="/v1/healthz",
        handler="healthz",
        summary="Whether this gateway is ready, and if not, why.",
        work=WorkClass.READ,
        answer=schemas.HealthOut,
        statuses=(200, 503),
    ),
    RouteSpec(
        method="GET",
        path="/v1/time",
        handler="time",
        summary="The server's time.",
        work=WorkClass.READ,
        answer=schemas.TimeOut,
    ),
    RouteSpec(
        method="GET",
        path="/v1/trust",
        handler="trust",
        summary="The office's signed trust list.",
        work=WorkClass.READ,
        answer=schemas.TrustOut,
        errors=(503,),
    ),
    RouteSpec(
        method="POST",
        path="/v1/codes",
        handler="codes",
        summary="One to four codes for the phone of a resident (PL1 3).",
        work=WorkClass.ISSUE,
        roles=_RESIDENT,
        rate=Rate(burst=20, per_second=0.5),
        request=schemas.CodesRequest,
        answer=schemas.CodesOut,
        errors=(*_SIGNED, 409),
    ),
    RouteSpec(
        method="GET",
        path="/v1/me",
        handler="me",
        summary="A resident's own status.",
        work=WorkClass.ISSUE,
        roles=_RESIDENT,
        rate=Rate(burst=30, per_second=1),
        answer=schemas.StatusOut,
        errors=(401, 403, 429, 503),
    ),
    RouteSpec(
        method="POST",
        path="/v1/verifications",
        handler="verifications",
        summary="A door's scan, or a person found by document: one of seven answers.",
        work=WorkClass.VERIFY,
        roles=_DOOR,
        rate=Rate(burst=60, per_second=10),
        request=schemas.VerificationRequest,
        answer=schemas.VerificationOut,
        errors=(*_SIGNED, 404),
    ),
    RouteSpec(
        method="GET",
        path="/v1/door",
        handler="door",
        summary="The signed door document of an entrance: policies, words, plan.",
        work=WorkClass.READ,
        roles=_DOOR,
        rate=Rate(burst=20, per_second=1),
        query=schemas.DoorQuery,
        answer=schemas.SignedOut,
        errors=(400, 401, 403, 404, 429, 503),
    ),
    RouteSpec(
        method="GET",
        path="/v1/door/statuses",
        handler="door_statuses",
        summary="The signed status feed of an epoch, whole or what changed since.",
        work=WorkClass.READ,
        roles=_DOOR,
        rate=Rate(burst=30, per_second=3),
        query=schemas.StatusesQuery,
        answer=schemas.SignedOut,
        errors=(400, 401, 403, 404, 429, 503),
    ),
    RouteSpec(
        method="POST",
        path="/v1/door/records",
        handler="door_records",
        summary="Sealed records of a gate; answered after the database has committed them.",
        work=WorkClass.WRITE,
        roles=_GATE,
        rate=Rate(burst=60, per_second=5),
        request=schemas.DoorRecordsRequest,
        answer=schemas.DoorRecordsOut,
        body_limit=BATCH,
        errors=_SIGNED,
    ),
    RouteSpec(
        method="POST",
        path="/v1/door/places",
        handler="door_places",
        summary="A door reports who went in and out, and borrows places under its zone's cap.",
        work=WorkClass.WRITE,
        roles=_DOOR,
        rate=Rate(burst=60, per_second=5),
        request=PlacesRequest,
        answer=PlacesOut,
        body_limit=LARGE,
        errors=(*_SIGNED, 404, 409),
    ),
    RouteSpec(
        method="POST",
        path="/v1/records",
        handler="records",
        summary="What was done at a door; acknowledged after it is durable.",
        work=WorkClass.WRITE,
        roles=_CHECKER,
        rate=Rate(burst=30, per_second=5),
        request=schemas.RecordsRequest,
        answer=schemas.RecordsOut,
        statuses=(200, 409),
        body_limit=LARGE,
        errors=_SIGNED,
    ),
    RouteSpec(
        method="POST",
        path="/v1/checkins",
        handler="checkins",
        summary="A resident scanned a venue code; acknowledged after it is durable.",
        work=WorkClass.WRITE,
        roles=_RESIDENT,
        rate=Rate(burst=10, per_second=0.5),
        request=schemas.CheckinRequest,
        answer=schemas.CheckinOut,
        errors=(*_SIGNED, 404, 409),
    ),
)
