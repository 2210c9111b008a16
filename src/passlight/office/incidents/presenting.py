"""An incident as its page shows it: the column of steps, whom to call, the log."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from passlight.core.incidents.allowed import next_steps
from passlight.core.incidents.clocks import due_at
from passlight.core.incidents.event import Evidence, IncidentEvent, What
from passlight.core.incidents.incident import Incident
from passlight.core.incidents.steps import CLOCKED_FROM, EXCUSABLE, TELLING, Step
from passlight.core.places.hall import DutyRole
from passlight.office.accounts.models import User
from passlight.office.incidents.actions import may_record
from passlight.office.incidents.duty import RESPONSIBLE, Roster
from passlight.office.incidents.models import StoredIncident
from passlight.office.incidents.plan import limits_of
from passlight.office.incidents.wording import (
    SYSTEM,
    Both,
    body_words,
    masked_user,
    step_words,
)
from passlight.office.notices.addresses import address_of
from passlight.office.notices.models import Contact, NoticeChannel
from passlight.office.pages.language import current_language
from passlight.runtime.catalogue import both

_FIRST = (
    *(Step.FOUND, Step.ISOLATED, Step.DUTY_LEADER_TOLD, Step.STREET_TOLD),
    *(Step.LEADING_GROUP_TOLD, Step.ACKNOWLEDGED, Step.VERIFYING),
)
_A = (Step.DISPOSED, Step.CLOSED)
_B = (Step.DATA_ERROR, Step.DISTRICT_TOLD, Step.CORRECTED, Step.RELEASED, Step.CLOSED)
_B_REFUSED = tuple(Step.NOT_CORRECTED if step is Step.CORRECTED else step for step in _B)
CALLS_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """One step of the column: done, now, late or waiting; an open one may hold its form."""

    number: int
    step: Step
    name: Both
    state: str
    event: IncidentEvent | None
    by: Both | None
    used: timedelta | None
    limit: timedelta | None
    due_at: datetime | None
    late: timedelta | None
    form: str
    primary: bool
    excusable: bool
    bodies: tuple[tuple[str, Both], ...]
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Somebody to call about the step that waits, with a number when we have one."""

    name: Both
    unit: Both
    why: Both
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the log."""

    at: datetime
    recorded_at: datetime
    who: Both
    what: Both
    note: str
    evidence: Evidence | None
    since: datetime
    times: int = 1


def step_rows(
    stored: StoredIncident, incident: Incident, user: User, now: datetime
) -> list[StepRow]:
    """Return the column of steps as ``user`` sees it at ``now``."""
    people = people_of(incident)
    limits = limits_of(stored.limits)
    possible = () if incident.closed else next_steps(incident)
    shown = _shown(incident)
    ready = [step for step in shown if step in possible]
    mine = {step for step in ready if may_record(user, stored, step)}
    first = next((step for step in ready if step in mine), None)
    rows = []
    for number, step in enumerate(shown, 1):
        event = incident.done.get(step)
        due = due_at(incident, limits, step)
        late = now - due if event is None and due is not None and now > due else None
        rows.append(
            StepRow(
                number=number,
                step=step,
                name=step_words(step),
                state=_state(event, late, waiting=step not in ready),
                event=event,
                by=name_of(event.actor, people) if event is not None else None,
                used=_used(incident, step),
                limit=limits.of(step),
                due_at=due,
                late=late,
                form=_form(step) if step in mine else "",
                primary=step is first,
                excusable=step in EXCUSABLE,
                bodies=_bodies(incident) if step is Step.LEADING_GROUP_TOLD else (),
                who=_receiver(stored, step, now) if step in mine and step in TELLING else "",
            )
        )
    return rows


def _shown(incident: Incident) -> tuple[Step, ...]:
    if Step.DISPOSED in incident.done:
        return (*_FIRST, *_A)
    if Step.NOT_CORRECTED in incident.done:
        return (*_FIRST, *_B_REFUSED)
    return (*_FIRST, *_B) if Step.DATA_ERROR in incident.done else _FIRST


def _state(event: IncidentEvent | None, late: timedelta | None, *, waiting: bool) -> str:
    if event is not None:
        return "done"
    if late is not None:
        return "late"
    return "wait" if waiting else "now"


def _form(step: Step) -> str:
    if step in TELLING:
        return "told"
    return {
        Step.ISOLATED: "place",
        Step.RELEASED: "note",
        Step.CORRECTED: "decide",
        Step.NOT_CORRECTED: "decide",
    }.get(step, "plain")


_RECEIVERS = {
    Step.DUTY_LEADER_TOLD: DutyRole.DUTY_LEADER,
    Step.STREET_TOLD: DutyRole.STREET_OFFICE,
    Step.LEADING_GROUP_TOLD: DutyRole.LEADING_GROUP,
    Step.DISTRICT_TOLD: DutyRole.LEADING_GROUP,
}


def _receiver(stored: StoredIncident, step: Step, now: datetime) -> str:
    """Return whom the roster names for the other end of the line, to be changed if it was not."""
    people = Roster(now).called(stored.unit, _RECEIVERS[step])
    if not people:
        return ""
    language = current_language()
    unit = people[0].unit
    place = "" if unit is None else unit.name_en if language == "en" else unit.name
    comma = ", " if language == "en" else "，"
    return f"{masked_user(people[0])[language]}{comma}{place}"[:60]


def _used(incident: Incident, step: Step) -> timedelta | None:
    """Return how long a step that is done took, from where its clock started."""
    event = incident.done.get(step)
    starts = [incident.done[b].at for b in CLOCKED_FROM.get(step, ()) if b in incident.done]
    if event is None or not starts or event.at < starts[0]:
        return None
    return event.at - starts[0]


def _bodies(incident: Incident) -> tuple[tuple[str, Both], ...]:
    return tuple(
        (body, body_words(body)) for body in incident.bodies if body not in incident.bodies_told
    )


def ends_open(
    stored: StoredIncident, incident: Incident, user: User, now: datetime
) -> dict[str, object]:
    """Return which of the two ends ``user`` may take now; both are drawn in any case."""
    possible = next_steps(incident)
    due = None
    if Step.VERIFYING in incident.done:
        due = due_at(incident, limits_of(stored.limits), Step.DISPOSED)
    return {
        "due_at": due,
        "late": due is not None and now > due,
        "drawn": incident.rounds[-1].end is None,
        "a": Step.DISPOSED in possible and may_record(user, stored, Step.DISPOSED),
        "b": Step.DATA_ERROR in possible and may_record(user, stored, Step.DATA_ERROR),
    }


def calls(
    stored: StoredIncident, incident: Incident, roster: Roster, reader: User | None = None
) -> list[Call]:
    """Return whom to call now: those of the step that waits, then the first scanner.

    Nobody who reads the page is told to call themselves.
    """
    if incident.closed:
        return []
    waiting = next((step for step in next_steps(incident)), None)
    people: dict[int, tuple[User, Both]] = {}
    for step, role in _called_about(waiting, incident):
        for place, user in enumerate(roster.called(stored.unit, role)):
            # Who is first for a step is called about it, and not as somebody's deputy.
            if place == 0 or user.pk not in people:
                people[user.pk] = (user, step_words(step))
    if stored.opened_by is not None:
        people.setdefault(stored.opened_by.pk, (stored.opened_by, both("incidents.first_scan")))
    others = [pair for pk, pair in people.items() if reader is None or pk != reader.pk]
    return [_call(user, why) for user, why in others[:CALLS_MAX]]


def _called_about(waiting: Step | None, incident: Incident) -> list[tuple[Step, DutyRole]]:
    """Return what to call about, and who takes the news: who is told, not who tells."""
    if waiting is None:
        return []
    found = []
    if waiting is not Step.LEADING_GROUP_TOLD:
        step = {
            Step.ISOLATED: Step.DUTY_LEADER_TOLD,
            Step.STREET_TOLD: Step.ACKNOWLEDGED,
            Step.DISTRICT_TOLD: Step.CORRECTED,
        }.get(waiting, waiting)
        found.append((step, RESPONSIBLE[step]))
    elif Step.ACKNOWLEDGED not in incident.done:
        found.append((Step.ACKNOWLEDGED, RESPONSIBLE[Step.ACKNOWLEDGED]))
    if Step.LEADING_GROUP_TOLD not in incident.done:
        found.append((Step.LEADING_GROUP_TOLD, DutyRole.LEADING_GROUP))
    return found


def _call(user: User, why: Both) -> Call:
    contact = Contact.objects.filter(user=user, channel=NoticeChannel.SMS, removed_at=None).first()
    unit: Both = {"zh": "", "en": ""}
    if user.unit is not None:
        unit = {"zh": user.unit.name, "en": user.unit.name_en}
    phone = address_of(contact) if contact is not None else ""
    return Call(name=masked_user(user), unit=unit, why=why, phone=phone)


def log_lines(incident: Incident) -> list[Line]:
    """Return the log, newest first; the same finding again and again is one line with its count."""
    people = people_of(incident)
    lines: list[Line] = []
    last: IncidentEvent | None = None
    for event in incident.events:
        times, since = 1, event.at
        if last is not None and _is_repeated(last, event):
            before = lines.pop()
            times, since = before.times + 1, before.since
        lines.append(
            Line(
                at=event.at,
                recorded_at=event.recorded_at,
                who=name_of(event.actor, people),
                what=_what(event, people),
                note=event.note,
                evidence=event.evidence,
                since=since,
                times=times,
            )
        )
        last = event
    return lines[::-1]


def _is_repeated(last: IncidentEvent, event: IncidentEvent) -> bool:
    """Return whether a door found the same person again, and nothing was said in between."""
    return (
        last.what is event.what is What.JOINED
        and last.actor == event.actor
        and last.note == event.note
    )


def _what(event: IncidentEvent, people: dict[str, User]) -> Both:
    if event.what in (What.STEP, What.OPENED):
        return step_words(event.step or Step.FOUND)
    words = both(f"incidents.what.{event.what.value}")
    step = step_words(event.step) if event.step is not None else {"zh": "", "en": ""}
    to = name_of(event.to, people) if event.to else {"zh": "", "en": ""}
    return {
        "zh": " ".join(part for part in (words["zh"], step["zh"], to["zh"]) if part),
        "en": " ".join(part for part in (words["en"], step["en"], to["en"]) if part),
    }


def people_of(incident: Incident) -> dict[str, User]:
    """Return the users whom the events name, by badge."""
    badges = {badge for event in incident.events for badge in (event.actor, event.to)}
    found = User.objects.filter(badge__in=badges - {"", SYSTEM}).select_related("unit")
    return {user.badge: user for user in found}


def name_of(badge: str, people: dict[str, User]) -> Both:
    """Return who a badge is, masked; the system says so."""
    if badge == SYSTEM or badge not in people:
        return both("incidents.system")
    return masked_user(people[badge])
