"""What one door is told: the pack's policies, the plan's values over them, its share of places."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from passlight.core.entry.door_document import DoorDocument, OneOf
from passlight.core.entry.plan_keys import PlanValue
from passlight.core.entry.plans import PlanVersion, ResolvedPlan, next_change, resolve
from passlight.core.entry.policy import DoorPolicy, policy_class, policy_from_pack
from passlight.core.entry.zone_limits import zone_limits
from passlight.core.kernel.canonical import content_hash
from passlight.core.kernel.colour import Colour
from passlight.core.places.hall import HallState, ZoneKind, plan_path
from passlight.core.places.venue import VenueClass
from passlight.core.rules.admission import SETTING, AdmissionPolicy, Failure, Outcome
from passlight.core.rules.terms import Text
from passlight.office.halls.finding import hall_of_venue, zone_of_entrance
from passlight.office.halls.models import Hall
from passlight.office.halls.plans import versions
from passlight.office.packs.schedule import compiled, in_force, latest_seq, publications_up_to
from passlight.office.venues.models import Entrance, Venue
from passlight.runtime.catalogue import both

LIFETIME = timedelta(days=7)
ONE_OF_MINUTES = 30
# Where no pack in force says anything about a class of venue: who cannot be told green is asked.
_UNSAID = {
    "red": Outcome.REFUSE,
    "yellow": Outcome.ASK,
    "unknown": Outcome.ASK,
    "expired": Outcome.ASK,
    "not-found": Outcome.ASK,
    "closed": Outcome.ASK,
    "full": Outcome.ASK,
    "guardian": Outcome.ASK,
}


def door_document(
    venue_id: UUID | str, entrance: str, at: datetime, *, seal: str = ""
) -> DoorDocument:
    """Return what the door must know at ``at``, and until when that holds: seven days at most.

    It ends at the next change of a plan or pack that is known today, so a door that hears
    nothing never goes on by what has been replaced.

    Raises:
        Entrance.DoesNotExist: for a door that is not there.
    """
    door = Entrance.objects.select_related("venue__unit").get(venue_id=venue_id, code=entrance)
    venue, hall = door.venue, hall_of_venue(venue_id)
    known = versions()
    path = plan_path(venue.unit.path, hall.pk if hall is not None else None)
    plan = resolve(known, path, at)
    pack, source, pack_ends = _pack(at)
    version = plan_version(plan)
    return DoorDocument(
        realm=settings.PASSLIGHT.realm,
        venue=venue.pk,
        entrance=door.code,
        zone=door.zone,
        venue_name=Text(zh=venue.name, en=venue.name_en),
        entrance_name=Text(zh=door.name, en=door.name_en),
        hall=hall.pk if hall is not None else None,
        plan=source,
        plan_version=version,
        policies=tuple(_policies(pack, venue, plan, source=f"{source}@{version}")),
        offset=_offset_minutes(at),
        emergency=_flag(plan, "door.emergency", usual=venue.kind == VenueClass.HOSPITAL),
        one_of=OneOf(str(plan.values.get("door.one-of", OneOf.EITHER))),
        one_of_minutes=_whole(plan, "door.one-of.minutes", ONE_OF_MINUTES),
        standing_places=_standing(hall, door, plan),
        # Whole seconds are written; what holds is judged at the moment itself, for a pack may
        # have begun within this very second.
        made_at=at.replace(microsecond=0),
        effective_until=_until(known, path, at, pack_ends).replace(microsecond=0),
        seal=seal,
    )


def plan_version(plan: ResolvedPlan) -> str:
    """Return a short name of exactly these values; the same values have the same name."""
    values = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in plan.values.items()
    }
    return content_hash(values).removeprefix("sha256:")[:12]


def _pack(at: datetime) -> tuple[tuple[AdmissionPolicy, ...], str, datetime | None]:
    """Return the policies of the pack in force, its name, and when another takes over."""
    for held in in_force(publications_up_to(latest_seq())):
        if held.interval.covers(at):
            pack = compiled(held.publication.pack.hash)
            return pack.admission, f"{pack.id}/{pack.version}", held.interval.end
    return (), SETTING, None


def _policies(
    pack: tuple[AdmissionPolicy, ...], venue: Venue, plan: ResolvedPlan, *, source: str
) -> Iterator[DoorPolicy]:
    kind = policy_class(VenueClass(venue.kind))
    found = [policy for policy in pack if policy.venue_class == kind]
    if not any(policy.role == "visitor" for policy in found):
        yield _unsaid(kind, source=source, freshness_seconds=venue.freshness_seconds)
    for policy in found:
        yield policy_from_pack(
            policy,
            plan.at,
            dict(_fitting(policy, plan.values)),
            source=source,
            freshness_seconds=venue.freshness_seconds,
        )


def _fitting(
    policy: AdmissionPolicy, values: Mapping[str, PlanValue]
) -> Iterator[tuple[str, PlanValue]]:
    """Yield the values that this policy has an outcome for.

    A plan holds for every venue below its unit; a park's policy that names no fever is not
    given a limit by the plan of the halls.
    """
    needs = {"test": "test", "temperature": "temperature", "mask": "mask"}
    for name, value in values.items():
        requirement = needs.get(name.partition(".")[0])
        if requirement is None or policy.failure(requirement) is not None:
            watched = requirement in {None, "test"} or requirement in policy.unobserved
            bare = name == "temperature.required" and policy.temperature is None
            if watched and not (bare and "temperature.limit" not in values):
                yield name, value


def _unsaid(kind: str, *, source: str, freshness_seconds: int) -> DoorPolicy:
    failures = {
        requirement: Failure(
            requirement=requirement, outcome=outcome, say=_say(f"halls.door.{requirement}")
        )
        for requirement, outcome in _UNSAID.items()
    }
    if kind == policy_class(VenueClass.HOSPITAL):  # care is never refused
        failures["red"] = Failure(
            requirement="red", outcome=Outcome.ASK, say=_say("halls.door.red_care")
        )
    room = Failure(requirement="room", outcome=Outcome.ASK, say=_say("halls.door.room"))
    return DoorPolicy(
        id=f"{source}/{kind}/visitor",
        role="visitor",
        venue_class=kind,
        colours=(Colour.GREEN,),
        test=None,
        temperature=None,
        mask=False,
        registration=False,
        questions=(),
        unobserved={"room": room},
        failures=failures,
        freshness_seconds=freshness_seconds,
        basis=SETTING,
    )


def _say(code: str) -> Text:
    words = both(code)
    return Text(zh=words["zh"], en=words["en"])


def _standing(hall: Hall | None, door: Entrance, plan: ResolvedPlan) -> int | None:
    """Return the door's own share of places; None where nobody is counted."""
    zone = zone_of_entrance(hall, door.zone) if hall is not None else None
    if hall is None or zone is None or not ZoneKind(zone.kind).counts:
        return None
    limits = zone_limits(
        plan.values,
        zone=zone.code,
        zone_cap=zone.cap,
        state=HallState(hall.state),
        entrance=door.code,
    )
    return None if limits.cap is None else min(limits.share, limits.cap)


def _until(
    known: list[PlanVersion], path: tuple[str, ...], at: datetime, pack_ends: datetime | None
) -> datetime:
    ends = [at + LIFETIME, next_change(known, path, at), pack_ends]
    return min(end for end in ends if end is not None and end > at)


def _offset_minutes(at: datetime) -> int:
    offset = at.astimezone(ZoneInfo(settings.TIME_ZONE)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds() // 60)


def _flag(plan: ResolvedPlan, name: str, *, usual: bool) -> bool:
    value = plan.values.get(name)
    return value if isinstance(value, bool) else usual


def _whole(plan: ResolvedPlan, name: str, usual: int) -> int:
    value = plan.values.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else usual
