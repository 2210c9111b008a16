"""``POST /v1/door/places``: a door reports who is inside and borrows places.

The request is ``DoorPlaces.ask()`` of ``core.entry.places`` with venue and entrance beside it,
the answer goes to ``DoorPlaces.granted()``; a door in another language does the same:

* **Greeting.** A process begins with ``session`` 0. The answer gives its session and lends
  nothing; the report of a greeting is not read. Each greeting ends the session before.
* **Report.** ``admitted`` (on tickets) holds every lease since the last answer that was
  *taken*, ``own`` (on the standing share) and ``left`` as many as fit, in order; each is sent
  until an answer was taken that followed it, and may come twice. ``unused`` is all tickets
  still held and not expired, ``standing`` the share held (or its open leases, when more),
  ``fresh`` whether no answer but greetings was ever taken: the state of a former process is
  lost, and what that was charged is held until a stay is over.
* **Numbers.** ``request`` rises by one a request within a process. Only the answer to the
  latest request may be used. The same request again (the same bytes in every field) has the
  same answer; another content under an answered number is 409 ``places-conflict``; an older
  one, or one of an ended session, 409 ``places-stale``: greet again.
* **Answer.** ``granted`` tickets, and ``granted_due`` for due appointments alone, good for one
  admission each within ``expires_in`` seconds *of when the request was made*, on the door's
  monotonic clock. ``standing`` replaces the share. ``ended`` names leases on this door's share
  that ended elsewhere: end them and report them as ``left``. ``closed``: drop every ticket
  and end every lease. ``stay_seconds``: when a lease on the share times out at the door.
* 404 ``no-places``: nobody is counted behind this door; admit without places.
* 503 while the database is away: the door goes on with what it holds.
"""

import hashlib

import msgspec

from passlight.core.entry.zone_places import Ask, StaleRequestError
from passlight.core.kernel.clock import Clock
from passlight.gateway.auth import GrantRole, Principal
from passlight.gateway.database import Database
from passlight.gateway.errors import RefusedError, milliseconds
from passlight.gateway.place_schemas import PlacesOut, PlacesRequest
from passlight.gateway.place_store import (
    ConflictError,
    PlacesAsked,
    UncountedError,
    store_places,
)


class Places:
    """Lends places to doors."""

    def __init__(self, *, clock: Clock, database: Database) -> None:
        self._clock = clock
        self._database = database

    async def settle(self, principal: Principal, asked: PlacesRequest) -> PlacesOut:
        """Return what the door may use, after the commit.

        Raises:
            RefusedError: 403 for another's door, 404 where nobody is counted, 409 when the
                report no longer holds, 503 while the database is away.
        """
        if asked.venue not in principal.venues:
            raise RefusedError(403, "wrong-venue")
        if principal.entrance is not None and asked.entrance != principal.entrance:
            raise RefusedError(403, "wrong-door")
        wanted = _asked(principal, asked, clock=self._clock)
        try:
            reply = await self._database.run(lambda connection: store_places(connection, wanted))
        except UncountedError:
            raise RefusedError(404, "no-places") from None
        except StaleRequestError:
            raise RefusedError(409, "places-stale") from None
        except ConflictError:
            raise RefusedError(409, "places-conflict") from None
        return PlacesOut(**reply, now_ms=milliseconds(self._clock.now()))


def _asked(principal: Principal, asked: PlacesRequest, *, clock: Clock) -> PlacesAsked:
    report = asked.report
    return PlacesAsked(
        venue=asked.venue,
        entrance=asked.entrance,
        device=principal.device,
        is_gate=principal.role is GrantRole.GATE,
        digest=hashlib.sha256(msgspec.json.encode(asked)).digest(),
        now=clock.now(),
        ask=Ask(
            session=asked.session,
            request=asked.request,
            admitted=tuple(report.admitted),
            own=tuple(report.own),
            left=tuple(report.left),
            unused=report.unused,
            standing=report.standing,
            fresh=report.fresh,
            want=asked.want,
            due=asked.due,
        ),
    )
