"""Places in PostgreSQL: one short transaction under the lock of a zone's row."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import psycopg

from passlight.core.entry.plans import PlanVersion, resolve
from passlight.core.entry.zone_limits import ZoneLimits, zone_limits
from passlight.core.entry.zone_places import (
    Ask,
    DoorAccount,
    EndedBy,
    LeaseAccount,
    Settlement,
    ZoneAccount,
    greet,
    lent_seconds,
    settle,
)
from passlight.core.places.hall import HallState, plan_path

ENDED_A_REPLY = 200
Connection = psycopg.Connection[Any]

PLACE = """
SELECT h.id, h.state, u.path, z.id, z.code, z.cap
FROM venues_entrance e
JOIN venues_venue v ON v.id = e.venue_id
JOIN accounts_unit u ON u.id = v.unit_id
JOIN halls_hall h ON h.venue_id = v.id
JOIN halls_zone z ON z.hall_id = h.id
  AND (z.code = e.zone OR (e.zone = '' AND z.kind = 'hall'))
WHERE e.venue_id = %s AND e.code = %s AND e.active AND v.active AND z.kind <> 'outside'
ORDER BY z.id LIMIT 1
"""
PLANS = """
SELECT p.id::text, u.path, p.hall_id, p.effective_from, p.published_at, p.changes
FROM halls_plan p JOIN accounts_unit u ON u.id = p.unit_id
WHERE p.withdrawn_at IS NULL AND p.effective_from <= %s
  AND (p.hall_id = %s OR (p.hall_id IS NULL AND starts_with(%s, u.path)))
"""
LOCK = "UPDATE halls_zone SET turn = turn + 1 WHERE id = %s"
DOOR = """
INSERT INTO halls_door_places
  (zone_id, entrance, device, is_gate, session, request, greeted, standing, lent, seen_at, digest)
VALUES (%s, %s, %s, %s, 0, 0, false, 0, 0, %s, '')
ON CONFLICT (zone_id, entrance, device) DO UPDATE SET is_gate = EXCLUDED.is_gate
RETURNING id, session, request, greeted, standing, lent, lent_until, digest, reply
"""
ELSEWHERE = """
SELECT (SELECT coalesce(sum(standing + CASE WHEN lent_until > %(now)s THEN lent ELSE 0 END), 0)
        FROM halls_door_places WHERE zone_id = %(zone)s AND id <> %(door)s)
     + (SELECT coalesce(sum(count), 0) FROM halls_hold WHERE zone_id = %(zone)s AND until > %(now)s)
"""
INSIDE = """
SELECT count(*), count(*) FILTER (WHERE own_of_id IS NULL)
FROM halls_lease WHERE zone_id = %s AND closed_at IS NULL
"""
KNOWN = """
SELECT id::text, zone_id, closed_at IS NULL, coalesce(own_of_id::text, '')
FROM halls_lease WHERE id = ANY(%s::uuid[])
"""
OPEN = """
INSERT INTO halls_lease
  (id, zone_id, own_of_id, entrance, opened_at, closed_at, closed_by, exit_entrance, told)
SELECT l.id, %s, l.own_of, %s, %s, NULL, '', '', false
FROM unnest(%s::uuid[], %s::bigint[]) AS l (id, own_of)
ON CONFLICT (id) DO NOTHING
"""
DEPARTED = """
INSERT INTO halls_lease
  (id, zone_id, own_of_id, entrance, opened_at, closed_at, closed_by, exit_entrance, told)
SELECT l.id, %s, NULL, '', %s, %s, 'exit', %s, false FROM unnest(%s::uuid[]) AS l (id)
ON CONFLICT (id) DO NOTHING
"""
END = """
UPDATE halls_lease SET closed_at = %s, closed_by = %s, exit_entrance = %s
WHERE id = ANY(%s::uuid[]) AND closed_at IS NULL
"""
ADOPT = "UPDATE halls_lease SET own_of_id = %s WHERE id = ANY(%s::uuid[])"
TELL = "UPDATE halls_lease SET told = true WHERE id = ANY(%s::uuid[])"
HOLD = "INSERT INTO halls_hold (zone_id, count, entrance, made_at, until) VALUES (%s,%s,%s,%s,%s)"
UNTOLD = """
SELECT id::text FROM halls_lease
WHERE own_of_id = %s AND closed_at IS NOT NULL AND NOT told ORDER BY closed_at LIMIT %s
"""
KEEP = """
UPDATE halls_door_places SET session = %s, request = %s, greeted = %s, standing = %s, lent = %s,
  lent_until = %s, seen_at = %s, digest = %s, reply = %s::jsonb
WHERE id = %s
"""


class UncountedError(Exception):
    """Nobody counts people behind this door."""


class ConflictError(Exception):
    """The number of an answered request, with another content: a copied device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesAsked:
    """One request, and who asks."""

    venue: str
    entrance: str
    device: str
    is_gate: bool
    ask: Ask
    digest: bytes
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Zone:
    """A zone as this door meets it."""

    id: int
    state: HallState
    limits: ZoneLimits
    cap: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Door:
    """The row of the door that asks."""

    id: int
    account: DoorAccount
    lent_until: datetime | None
    digest: bytes
    reply: dict[str, Any] | None


def store_places(connection: Connection, asked: PlacesAsked) -> dict[str, Any]:
    """Return the reply to a request, after all that follows from it is written.

    Raises:
        UncountedError: no hall, or a zone without a cap.
        StaleRequestError: the report no longer holds; the door greets again.
        ConflictError: this request was answered, and it said something else.
    """
    connection.execute(LOCK, (_place(connection, asked)[3],))
    zone = _zone(connection, asked)  # read after the lock: a hall closed meanwhile lends nothing
    door = _door(connection, asked, zone)
    ask = asked.ask
    if not ask.session:
        return _greet(connection, asked, zone, door)
    if (ask.session, ask.request) == (door.account.session, door.account.request) and door.reply:
        if door.digest != asked.digest:
            raise ConflictError
        return door.reply
    return _settle(connection, asked, zone, door)


def _place(connection: Connection, asked: PlacesAsked) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(
        PLACE, (asked.venue, asked.entrance)
    ).fetchone()
    if row is None:
        raise UncountedError
    return row


def _zone(connection: Connection, asked: PlacesAsked) -> _Zone:
    hall, state, path, zone, code, cap = _place(connection, asked)
    plans = (
        PlanVersion(
            id=plan,
            unit=plan_path(unit, of_hall),
            effective_from=effective_from,
            published_at=published_at,
            changes={k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()},
        )
        for plan, unit, of_hall, effective_from, published_at, changes in connection.execute(
            PLANS, (asked.now, hall, path)
        )
    )
    limits = zone_limits(
        resolve(plans, plan_path(path, hall), asked.now).values,
        zone=code,
        zone_cap=cap,
        state=HallState(state),
        entrance=asked.entrance,
        is_gate=asked.is_gate,
    )
    if limits.cap is None:
        raise UncountedError
    return _Zone(id=zone, state=HallState(state), limits=limits, cap=limits.cap)


def _door(connection: Connection, asked: PlacesAsked, zone: _Zone) -> _Door:
    given = (zone.id, asked.entrance, asked.device, asked.is_gate, asked.now)
    row = connection.execute(DOOR, given).fetchone()
    assert row is not None
    account = DoorAccount(
        session=row[1], request=row[2], greeted=row[3], standing=row[4], lent=row[5]
    )
    if row[6] is None or row[6] <= asked.now:
        account = replace(account, lent=0)
    return _Door(id=row[0], account=account, lent_until=row[6], digest=bytes(row[7]), reply=row[8])


def _greet(connection: Connection, asked: PlacesAsked, zone: _Zone, door: _Door) -> dict[str, Any]:
    account = greet(door.account, asked.ask)
    inside, _ = connection.execute(INSIDE, (zone.id,)).fetchone() or (0, 0)
    _keep(connection, asked, door, account, until=door.lent_until, reply=None)
    return _reply(asked, zone, session=account.session, inside=inside)


def _settle(connection: Connection, asked: PlacesAsked, zone: _Zone, door: _Door) -> dict[str, Any]:
    ask, known = _known(connection, asked, zone)
    (elsewhere,) = connection.execute(
        ELSEWHERE, {"now": asked.now, "zone": zone.id, "door": door.id}
    ).fetchone() or (0,)
    inside, pooled = connection.execute(INSIDE, (zone.id,)).fetchone() or (0, 0)
    done = settle(
        ZoneAccount(
            cap=zone.cap,
            state=zone.state,
            share=zone.limits.share,
            reserved=zone.limits.reserved,
            block=zone.limits.block,
            inside=inside,
            pooled=pooled,
            elsewhere=int(elsewhere),
        ),
        door.account,
        ask,
        name=str(door.id),
        known=known,
    )
    lent = lent_seconds(
        ticket_seconds=zone.limits.ticket_seconds, stay_seconds=zone.limits.stay_seconds
    )
    until = asked.now + timedelta(seconds=lent)
    _write(connection, asked, zone, door, done, until=until)
    ended = [row[0] for row in connection.execute(UNTOLD, (door.id, ENDED_A_REPLY))]
    reply = {
        **_reply(asked, zone, session=ask.session, inside=done.inside),
        "granted": done.granted,
        "granted_due": done.granted_due,
        "expires_in": zone.limits.ticket_seconds,
        "standing": done.standing,
        "ended": ended,
    }
    until = max(until, door.lent_until or until)
    _keep(connection, asked, door, done.door, until=until, reply=reply)
    return reply


def _known(
    connection: Connection, asked: PlacesAsked, zone: _Zone
) -> tuple[Ask, dict[str, LeaseAccount]]:
    """Return the report without leases of other zones, which are ended at once, and the rest.

    Ending one takes no lock of its zone: it only ever makes room there.
    """
    ask = asked.ask
    named = [*ask.admitted, *ask.own, *ask.left]
    rows = connection.execute(KNOWN, (named,)).fetchall()
    known = {row[0]: LeaseAccount(open=row[2], own_of=row[3]) for row in rows if row[1] == zone.id}
    foreign = {row[0] for row in rows} - set(known)
    if foreign:
        left = [lease for lease in ask.left if lease in foreign]
        connection.execute(END, (asked.now, EndedBy.EXIT.value, asked.entrance, left))
        ask = replace(
            ask,
            admitted=_without(ask.admitted, foreign),
            own=_without(ask.own, foreign),
            left=_without(ask.left, foreign),
        )
    return ask, known


def _write(
    connection: Connection,
    asked: PlacesAsked,
    zone: _Zone,
    door: _Door,
    done: Settlement,
    *,
    until: datetime,
) -> None:
    """Write what a settlement opens, ends, adopts and holds."""
    now, by = asked.now, asked.entrance
    if done.opened:
        owners = [int(own_of) if own_of else None for own_of in done.opened.values()]
        connection.execute(OPEN, (zone.id, by, now, list(done.opened), owners))
    if done.departed:
        connection.execute(DEPARTED, (zone.id, now, now, by, list(done.departed)))
    if done.ended:
        connection.execute(END, (now, EndedBy.EXIT.value, by, list(done.ended)))
    if done.adopted:
        connection.execute(ADOPT, (door.id, list(done.adopted)))
    if done.told:
        connection.execute(TELL, (list(done.told),))
    if done.held:
        connection.execute(HOLD, (zone.id, done.held, by, now, until))


def _keep(
    connection: Connection,
    asked: PlacesAsked,
    door: _Door,
    account: DoorAccount,
    *,
    until: datetime | None,
    reply: dict[str, Any] | None,
) -> None:
    connection.execute(
        KEEP,
        (
            *(account.session, account.request, account.greeted, account.standing, account.lent),
            *(until, asked.now, asked.digest, None if reply is None else json.dumps(reply)),
            door.id,
        ),
    )


def _reply(asked: PlacesAsked, zone: _Zone, *, session: int, inside: int) -> dict[str, Any]:
    return {
        "request": asked.ask.request,
        "session": session,
        "granted": 0,
        "granted_due": 0,
        "expires_in": 0,
        "standing": 0,
        "inside": inside,
        "cap": zone.cap,
        "state": zone.state.value,
        "stay_seconds": zone.limits.stay_seconds,
        "ended": [],
    }


def _without(leases: Iterable[str], foreign: set[str]) -> tuple[str, ...]:
    return tuple(lease for lease in leases if lease not in foreign)
