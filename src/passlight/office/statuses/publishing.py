"""Publishing: one pass of the worker, from the facts that are new to the rows doors read.

What has been published is the position: the heartbeat moves in the transaction that adds the
rows, so a worker killed between two transactions repeats at most work that changes nothing.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.colour import Colour
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.timeline import Timeline
from passlight.office.facts.queries import last_seq
from passlight.office.packs.schedule import latest_seq, schedule
from passlight.office.people.models import Person
from passlight.office.statuses.evaluation import (
    EvaluationFailure,
    LogReader,
    Situation,
)
from passlight.office.statuses.models import Heartbeat, Publication
from passlight.office.statuses.reasons import FAILED_KEY, store_reasons
from passlight.office.statuses.segments import from_moment, sampled_at, to_published
from passlight.office.statuses.tasks import doubts, failures, open_tasks
from passlight.office.statuses.touched import touched_by

log = logging.getLogger("passlight.worker")

CHANNEL = "passlight_statuses"
FACTS_A_PASS = 2_000
PEOPLE_A_BATCH = 500
HEARTBEAT_EVERY = timedelta(seconds=2)
#: How much of an error's text a task keeps.
DETAIL_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What would be published about one person now."""

    ordinal: int
    segments: list[dict[str, object]]
    sampled_at: datetime | None
    state: str
    failure: str | None = None


class Publisher:
    """Evaluates and publishes; the one writer of colours, used by one leading worker."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._schedule: tuple[int, PackSchedule] | None = None
        self._reader = LogReader()
        self._at = _heartbeat()
        self._latest = _latest_publication()

    def step(self) -> bool:
        """Do one bounded pass and return whether there is more to do at once.

        A pass follows some facts and then sweeps some people, so that neither waits for the
        other: facts may come without end, and a new pack still reaches everybody.
        """
        started = self._clock.now()
        packs_seq, current = self._packs()
        newest = last_seq()
        position = self._at.fact_seq
        up_to = min(newest, position + FACTS_A_PASS)
        if up_to > position:
            self._follow_facts(position, up_to, packs_seq, current)
        if self._sweeping(packs_seq):
            self._sweep(up_to, packs_seq, current)
        # Read after ``started``: all that was committed before it is at most ``newest``.
        caught_up = self._at.fact_seq >= newest
        due = up_to > position or started - self._at.at >= HEARTBEAT_EVERY
        if caught_up and due:
            self._beat(at=started)
        return not caught_up or self._sweeping(packs_seq)

    def _packs(self) -> tuple[int, PackSchedule]:
        newest = latest_seq()
        if self._schedule is None or self._schedule[0] != newest:
            current = schedule(newest)
            store_reasons(current)
            self._schedule = (newest, current)
        return self._schedule

    def _follow_facts(
        self, position: int, up_to: int, packs_seq: int, current: PackSchedule
    ) -> None:
        touched = touched_by(after=position, up_to=up_to, codes=current.area_codes)
        situation = self._reader.situation(current, up_to=up_to)
        people = Person.objects.filter(facts_key__in=touched.subjects)
        for batch in _batches(dict(people.values_list("ordinal", "facts_key"))):
            self._publish(situation, batch, packs_seq)
        if touched.everybody and any(pack.mandatory for pack in current.packs):
            self._ask_for_a_sweep(packs_seq)
        self._at.fact_seq = up_to
        self._beat(at=self._at.at)

    def _ask_for_a_sweep(self, packs_seq: int) -> None:
        """Begin a round; one that is under way is finished first, or its end would never come."""
        if self._at.sweep_seq == packs_seq and self._at.sweep_ordinal > 0:
            self._at.sweep_again = True
        else:
            self._at.sweep_seq, self._at.sweep_ordinal = packs_seq, 0

    def _sweeping(self, packs_seq: int) -> bool:
        return self._at.packs_seq != packs_seq or self._at.sweep_ordinal >= 0

    def _sweep(self, up_to: int, packs_seq: int, current: PackSchedule) -> None:
        """Evaluate the next people after a change that concerns everybody; resumable."""
        if self._at.sweep_seq != packs_seq or self._at.sweep_ordinal < 0:
            self._at.sweep_seq, self._at.sweep_ordinal = packs_seq, 0
            self._at.sweep_again = False
        people = Person.objects.filter(ordinal__gte=self._at.sweep_ordinal).order_by("ordinal")
        batch = dict(people.values_list("ordinal", "facts_key")[:PEOPLE_A_BATCH])
        if batch:
            situation = self._reader.situation(current, up_to=up_to)
            self._at.sweep_ordinal = max(batch) + 1
            self._publish(situation, batch, packs_seq)
        if len(batch) < PEOPLE_A_BATCH:
            self._at.packs_seq = packs_seq
            self._at.sweep_ordinal = 0 if self._at.sweep_again else -1
            self._at.sweep_again = False
            self._beat(at=self._at.at)

    def _publish(self, situation: Situation, people: Mapping[int, str], packs_seq: int) -> None:
        """Publish what changed for ``people``, with the position, in one transaction."""
        # The log of publications is in the order of time too, whatever the clock does.
        now = self._latest = max(self._clock.now(), self._latest)
        found = situation.evaluate(people)
        held = _in_force(sorted(people))
        rows = [_row(ordinal, found[ordinal], now) for ordinal in sorted(people)]
        changed = [row for row in rows if _differs(row, held.get(row.ordinal), now)]
        with transaction.atomic():
            first = self._at.publication_seq + 1
            Publication.objects.bulk_create(
                Publication(
                    seq=first + place,
                    ordinal=row.ordinal,
                    segments=row.segments,
                    sampled_at=row.sampled_at,
                    state=row.state,
                    as_of=now,
                    fact_seq=situation.up_to,
                    packs_seq=packs_seq,
                )
                for place, row in enumerate(changed)
            )
            open_tasks(
                [
                    *failures((row.ordinal, row.failure) for row in changed if row.failure),
                    *doubts(found, now),
                ],
                fact_seq=situation.up_to,
                now=now,
            )
            self._at.publication_seq += len(changed)
            self._beat(at=self._at.at)

    def _beat(self, *, at: datetime) -> None:
        self._at.at = at
        with transaction.atomic(), connection.cursor() as cursor:
            self._at.save(force_update=True)
            cursor.execute("select pg_notify(%s, %s)", [CHANNEL, str(self._at.publication_seq)])


def _heartbeat() -> Heartbeat:
    """Return the position, made on the first start: nothing done, everybody to be swept."""
    found, _ = Heartbeat.objects.get_or_create(
        pk=1,
        defaults={
            # Nothing is evaluated yet, so nothing can be vouched for.
            "at": datetime.fromtimestamp(0, UTC),
            "fact_seq": 0,
            "publication_seq": 0,
            "packs_seq": 0,
            "sweep_seq": 0,
            "sweep_ordinal": -1,
            "sweep_again": False,
        },
    )
    return found


def _latest_publication() -> datetime:
    newest = Publication.objects.order_by("-seq").values_list("as_of", flat=True).first()
    return newest or datetime.fromtimestamp(0, UTC)


def _batches(people: Mapping[int, str]) -> Iterator[dict[int, str]]:
    ordered = sorted(people.items())
    for start in range(0, len(ordered), PEOPLE_A_BATCH):
        yield dict(ordered[start : start + PEOPLE_A_BATCH])


def _row(ordinal: int, found: Timeline | EvaluationFailure, now: datetime) -> Row:
    if isinstance(found, EvaluationFailure):
        return _failed(ordinal, found.error)
    try:
        segments = to_published(found.segments(now))
        # A state holds for good: who is unknown only until rules take effect is active.
        colours = {Colour(str(segment["colour"])) for segment in segments}
        state = _STATES.get(colours.pop()) if len(colours) == 1 else None
        return Row(
            ordinal=ordinal,
            segments=segments,
            sampled_at=sampled_at(found.counted(now)),
            state=(state or Publication.State.ACTIVE).value,
        )
    except Exception as error:  # noqa: BLE001  # as above: this person's alone
        return _failed(ordinal, error)


_STATES = {
    Colour.CLOSED: Publication.State.CLOSED,
    Colour.UNKNOWN: Publication.State.UNKNOWN,
}


def _failed(ordinal: int, error: Exception) -> Row:
    log.error("person %s: %s: %s", ordinal, type(error).__name__, error)
    return Row(
        ordinal=ordinal,
        segments=[{"from": None, "colour": Colour.UNKNOWN.value, "reason": FAILED_KEY}],
        sampled_at=None,
        state=Publication.State.UNKNOWN.value,
        failure=f"{type(error).__name__}: {error}"[:DETAIL_CHARS],
    )


def _in_force(ordinals: Sequence[int]) -> dict[int, Publication]:
    rows = Publication.objects.filter(ordinal__in=ordinals).order_by("ordinal", "-seq")
    return {row.ordinal: row for row in rows.distinct("ordinal")}


def _differs(row: Row, held: Publication | None, now: datetime) -> bool:
    return (
        held is None
        or row.state != held.state
        or row.sampled_at != held.sampled_at
        or row.segments != from_moment(held.segments, now)
    )
