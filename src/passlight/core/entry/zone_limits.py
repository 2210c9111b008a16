"""What a plan says about the places of a zone, with what holds where it says nothing.

Keys of a plan: ``cap.<zone>``, ``standing.<entrance>`` (or ``standing.each-gate``,
``standing.each-phone`` for every one of a kind), ``places.*``, ``lease.minutes``. An entrance
code has eight characters at most, so neither word can be one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from passlight.core.entry.places import STAY_SECONDS
from passlight.core.entry.zone_places import BLOCK, TICKET_SECONDS
from passlight.core.places.hall import HallState

EACH_GATE, EACH_PHONE = "each-gate", "each-phone"
GATE_SHARE, PHONE_SHARE = 2, 0
LIMITED_PERCENT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneLimits:
    """The numbers of one zone, as one door meets them; ``cap`` None: nobody counts here."""

    cap: int | None
    share: int
    reserved: int
    block: int
    ticket_seconds: int
    stay_seconds: int


def zone_limits(
    plan: Mapping[str, object],
    *,
    zone: str,
    zone_cap: int | None,
    state: HallState,
    entrance: str = "",
    is_gate: bool = True,
) -> ZoneLimits:
    """Return the limits of ``zone``; ``zone_cap`` is what its walls allow, whatever the plan.

    A limited hall takes in a part of its cap, half unless the plan says otherwise.
    """
    caps = [cap for cap in (_whole(plan, f"cap.{zone}"), zone_cap) if cap is not None]
    cap = min(caps, default=None)
    if cap is not None and state is HallState.LIMITED:
        cap = cap * _whole_or(plan, "places.limited.percent", LIMITED_PERCENT) // 100
    kind, usual = (EACH_GATE, GATE_SHARE) if is_gate else (EACH_PHONE, PHONE_SHARE)
    share = _whole_or(plan, f"standing.{kind}", usual)
    if is_gate:
        share = _whole_or(plan, f"standing.{entrance}", share)
    minutes = _whole(plan, "lease.minutes")
    return ZoneLimits(
        cap=cap,
        share=share,
        reserved=_whole_or(plan, "places.reserved", 0),
        block=_whole_or(plan, "places.block", BLOCK),
        ticket_seconds=_whole_or(plan, "places.expires.seconds", TICKET_SECONDS),
        stay_seconds=STAY_SECONDS if minutes is None else minutes * 60,
    )


def _whole(plan: Mapping[str, object], name: str) -> int | None:
    value = plan.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _whole_or(plan: Mapping[str, object], name: str, usual: int) -> int:
    value = _whole(plan, name)
    return usual if value is None else value
