"""Preview: how many people a pack would recolour, counted over the stored facts.

Counted person by person, in small steps that a page or a command asks for one after another, or
for a city set-based (``office.recompute.previewing``). No request is long, and a broken-off count
goes on where it was.
"""

from collections import Counter
from datetime import datetime

from django.db import transaction

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.colour import Colour
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.timeline import Timeline
from passlight.office.accounts.models import User
from passlight.office.facts.queries import last_seq
from passlight.office.packs.models import PackPublication, Preview, StoredPack
from passlight.office.packs.schedule import (
    in_force,
    latest_seq,
    publications_up_to,
    schedule_of,
)
from passlight.office.people.models import Person
from passlight.office.statuses.evaluation import LogReader
from passlight.office.statuses.switching import PEOPLE_MIN, city_installed
from passlight.runtime.settings import read_number

PEOPLE_A_STEP = 500


def start_preview(
    stored: StoredPack, *, effective_from: datetime | None, user: User | None, clock: Clock
) -> Preview:
    """Begin to count what ``stored`` would change from that moment on.

    A city is counted set-based, by a process that the jobs process starts; a village here.
    """
    now = clock.now()
    people = Person.objects.count()
    large = people >= read_number("PASSLIGHT_SWITCH_PEOPLE", PEOPLE_MIN, least=0, most=2**31)
    return Preview.objects.create(
        pack=stored,
        effective_from=max(effective_from or now, stored.effective_from),
        known_seq=last_seq(),
        after_seq=latest_seq(),
        total=people,
        started_at=now,
        started_by=user,
        engine=Preview.Engine.CITY if large and city_installed() else Preview.Engine.PERSON,
    )


def step_preview(preview_id: int, *, clock: Clock) -> Preview:
    """Count the next people and return the preview.

    One that is finished, or counted by a process of its own, is returned as it is.
    """
    with transaction.atomic():
        # The preview alone is locked: the office may not change a pack, so it may not lock one.
        locked = Preview.objects.select_for_update(of=("self",))
        preview = locked.select_related("pack").get(pk=preview_id)
        if preview.finished_at is None and preview.engine == Preview.Engine.PERSON:
            _count(preview, clock)
            preview.save()
    return preview


def _count(preview: Preview, clock: Clock) -> None:
    people = list(
        Person.objects.filter(ordinal__gte=preview.position)
        .order_by("ordinal")
        .values_list("ordinal", "facts_key")[:PEOPLE_A_STEP]
    )
    if people:
        before, after = schedules_of(preview)
        old, new = (
            LogReader().situation(schedule, up_to=preview.known_seq).evaluate(dict(people))
            for schedule in (before, after)
        )
        changes, causes = Counter(preview.changes), Counter(preview.causes)
        for ordinal, _ in people:
            was, becomes = old[ordinal], new[ordinal]
            if isinstance(was, Timeline) and isinstance(becomes, Timeline):
                _compare(was, becomes, preview.effective_from, changes, causes)
            else:
                preview.failed += 1
        preview.changes, preview.causes = dict(changes), dict(causes)
        preview.evaluated += len(people)
        preview.position = people[-1][0] + 1
    if len(people) < PEOPLE_A_STEP:
        preview.total = preview.evaluated
        preview.finished_at = clock.now()


def _compare(
    was: Timeline,
    becomes: Timeline,
    moment: datetime,
    changes: Counter[str],
    causes: Counter[str],
) -> None:
    old, new = was.colour(moment), becomes.colour(moment)
    if old is new:
        return
    step = f"{old.value}>{new.value}"
    changes[step] += 1
    causes[f"{step}|{_cause(becomes, moment) or _cause(was, moment) or ''}"] += 1


def _cause(timeline: Timeline, moment: datetime) -> str | None:
    segments = timeline.segments(moment)
    return segments[0].reason if segments[0].colour is not Colour.GREEN else None


def schedules_of(preview: Preview) -> tuple[PackSchedule, PackSchedule]:
    """Return the rules that a preview compares: those in force, and those with its pack."""
    publications = publications_up_to(preview.after_seq)
    candidate = PackPublication(
        seq=preview.after_seq + 1,
        pack=preview.pack,
        effective_from=preview.effective_from,
        effective_until=preview.pack.effective_until,
        published_at=preview.started_at,
    )
    return schedule_of(in_force(publications)), schedule_of(in_force([*publications, candidate]))
