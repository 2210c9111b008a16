"""Door document (门岗文件): all that one door needs to decide by itself, signed by the office.

This is the payload; the envelope is signed like the trust list, in the context
``passlight/door/<realm>``.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from passlight.core.entry.form import Form, fail, instant_text, load_json
from passlight.core.entry.policy import DoorPolicy
from passlight.core.entry.policy_form import policy_from_json
from passlight.core.kernel.limits import DOOR_DOCUMENT_BYTES_MAX, DOOR_POLICIES_MAX
from passlight.core.places.venue import ENTRANCE_CODE, ZONE_CODE
from passlight.core.rules.admission import ROLES
from passlight.core.rules.terms import Text

FORMAT: Final = 1
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PLAN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@/-]{0,127}|")
_SEAL: Final = re.compile(r"(?:[A-Za-z0-9_-]{43})?")
_OFFSET_MINUTES_MAX: Final = 14 * 60
_PLACES_MAX: Final = 100_000


class OneOf(StrEnum):
    """What a door asks to be scanned: its venue code, the visitor's code, or either; never both."""

    VENUE_CODE = "venue-code"
    SENTINEL = "sentinel"
    EITHER = "either"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorDocument:
    """One entrance: its names, its policies by role, its share of places, until when it holds.

    ``standing_places`` None: this door counts nobody. ``seal`` is base64url of the X25519 key to
    which records are sealed.
    """

    realm: str
    venue: UUID
    entrance: str
    zone: str
    venue_name: Text
    entrance_name: Text
    hall: UUID | None
    plan: str
    plan_version: str
    policies: tuple[DoorPolicy, ...]
    offset: int
    emergency: bool
    one_of: OneOf
    one_of_minutes: int
    standing_places: int | None
    made_at: datetime
    effective_until: datetime
    seal: str = ""

    def policy(self, role: str) -> DoorPolicy:
        """Return the policy for ``role``; a role that the door does not name is a visitor."""
        found = {policy.role: policy for policy in self.policies}
        return found.get(role, found["visitor"])

    def is_in_force(self, now: datetime) -> bool:
        """Return whether the door may still decide by this document."""
        return now < self.effective_until

    def to_json(self) -> dict[str, Any]:
        """Return the payload that is signed."""
        return {
            "format": FORMAT,
            "realm": self.realm,
            "venue": str(self.venue),
            "entrance": self.entrance,
            "zone": self.zone,
            "venue_name": self.venue_name.to_json(),
            "entrance_name": self.entrance_name.to_json(),
            "hall": str(self.hall) if self.hall is not None else None,
            "plan": self.plan,
            "plan_version": self.plan_version,
            "policies": [policy.to_json() for policy in self.policies],
            "offset": self.offset,
            "emergency": self.emergency,
            "one_of": self.one_of.value,
            "one_of_minutes": self.one_of_minutes,
            "standing_places": self.standing_places,
            "made_at": instant_text(self.made_at),
            "effective_until": instant_text(self.effective_until),
            "seal": self.seal,
        }


def door_from_text(text: str | bytes) -> DoorDocument:
    """Return the document of a payload's bytes.

    Raises:
        ProblemError: it is torn, too long or has a gap; the former document stays in use.
    """
    return door_from_json(load_json(text, bytes_max=DOOR_DOCUMENT_BYTES_MAX))


def door_from_json(value: object) -> DoorDocument:
    """Return the document of a payload.

    Raises:
        ProblemError: naming the field that is wrong, or the policy's gap.
    """
    form = Form.of(value, required=_KEYS, optional=("seal",))
    if form.entries["format"] != FORMAT:
        fail("format", "unknown-format", "is of another version.", "Update the door's software.")
    policies = tuple(
        policy_from_json(item, f"policies.{index}")
        for index, item in enumerate(form.items("policies", most=DOOR_POLICIES_MAX))
    )
    _check_roles(policies)
    standing = form.entries["standing_places"]
    made_at, until = form.instant("made_at"), form.instant("effective_until")
    if until <= made_at:
        fail("effective_until", "contradiction", "ends before it starts.", "Ask the office.")
    return DoorDocument(
        realm=form.matching("realm", re.compile(r"[a-z0-9-]{1,24}"), remedy="A realm's name."),
        venue=UUID(form.matching("venue", _UUID, remedy="A UUID in small letters.")),
        entrance=form.matching("entrance", ENTRANCE_CODE, remedy="The entrance's code."),
        zone=form.matching("zone", ZONE_CODE, remedy="The zone's code."),
        venue_name=form.both("venue_name"),
        entrance_name=form.both("entrance_name"),
        hall=_hall(form),
        plan=form.matching("plan", _PLAN, remedy="A plan's id."),
        plan_version=form.matching("plan_version", _PLAN, remedy="A plan's version."),
        policies=policies,
        offset=form.whole("offset", least=-_OFFSET_MINUTES_MAX, most=_OFFSET_MINUTES_MAX),
        emergency=form.flag("emergency"),
        one_of=form.choice("one_of", OneOf),
        one_of_minutes=form.whole("one_of_minutes", least=0, most=24 * 60),
        standing_places=None
        if standing is None
        else form.whole("standing_places", least=0, most=_PLACES_MAX),
        made_at=made_at,
        effective_until=until,
        seal=form.matching("seal", _SEAL, remedy="Base64url of 32 bytes."),
    )


_KEYS: Final = frozenset(
    {
        *("format", "realm", "venue", "entrance", "zone", "venue_name", "entrance_name", "hall"),
        *("plan", "plan_version", "policies", "offset", "emergency", "one_of", "one_of_minutes"),
        *("standing_places", "made_at", "effective_until"),
    }
)


def _hall(form: Form) -> UUID | None:
    if form.entries["hall"] is None:
        return None
    return UUID(form.matching("hall", _UUID, remedy="A UUID in small letters."))


def _check_roles(policies: tuple[DoorPolicy, ...]) -> None:
    roles = [policy.role for policy in policies]
    if "visitor" not in roles:
        fail("policies", "no-visitor", "has no policy for visitors.", "Add one.")
    twice = [role for role in ROLES if roles.count(role) > 1]
    if twice:
        fail("policies", "role-twice", f"has {twice[0]} twice.", "One policy a role.")
