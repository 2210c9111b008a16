"""Publishing: one pass of the worker, from the facts that are new to the rows doors read.

What has been published is the position: the heartbeat moves in the transaction that adds the
rows, so a worker killed between two transactions repeats at most work that changes nothing.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from passlight.core.kernel.clock import Clock
from passlight.core.rules.schedule import PackSchedule
from passlight.office.packs.schedule import schedule
from passlight.office.people.models import Person
from passlight.office.statuses.evaluation import LogReader, Situation
from passlight.office.statuses.models import Heartbeat, Publication
from passlight.office.statuses.reasons import store_reasons
from passlight.office.statuses.rows import append_rows, differing, row_of
from passlight.office.statuses.shared import News
from passlight.office.statuses.tasks import doubts, failures, open_tasks
from passlight.office.statuses.touched import touched_by

log = logging.getLogger("passlight.worker")

CHANNEL = "passlight_statuses"
FACTS_A_PASS = 2_000
PEOPLE_A_BATCH = 500
HEARTBEAT_EVERY = timedelta(seconds=2)
_NEWEST = """
select coalesce((select max(seq) from facts_fact), 0),
       coalesce((select max(seq) from packs_publication), 0)
"""
_PEOPLE = "select ordinal, facts_key from people_person where facts_key = any(%s)"


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
        newest, packs_seq = _newest()
        current = self._packs(packs_seq)
        position = self._at.fact_seq
        up_to = min(newest, position + FACTS_A_PASS)
        # Read after ``started``: all that was committed before it is at most ``newest``.
        caught_up = up_to >= newest
        if up_to > position:
            at = started if caught_up else self._at.at
            self._follow_facts(position, up_to, packs_seq, current, at=at)
        elif caught_up and started - self._at.at >= HEARTBEAT_EVERY:
            self._beat(at=started)
        if self._sweeping(packs_seq):
            self._sweep(up_to, packs_seq, current)
        return not caught_up or self._sweeping(packs_seq)

    def _packs(self, packs_seq: int) -> PackSchedule:
        if self._schedule is None or self._schedule[0] != packs_seq:
            current = schedule(packs_seq)
            store_reasons(current)
            self._schedule = (packs_seq, current)
        return self._schedule[1]

    def _follow_facts(
        self, position: int, up_to: int, packs_seq: int, current: PackSchedule, *, at: datetime
    ) -> None:
        self._reader.shared.read(position)
        news = News.between(after=position, up_to=up_to)
        self._reader.shared.follow(news, up_to=up_to)
        touched = touched_by(news, self._reader.shared, codes=current.area_codes)
        situation = self._reader.situation(current, up_to=up_to)
        with connection.cursor() as cursor:
            cursor.execute(_PEOPLE, [list(touched.subjects)])
            people = dict(cursor.fetchall())
        *batches, last = [*_batches(people)] or [{}]
        for batch in batches:
            self._publish(situation, batch, packs_seq)
        if touched.everybody and any(pack.mandatory for pack in current.packs):
            self._ask_for_a_sweep(packs_seq)
        # The position moves with the last rows, in their transaction: mostly there is but one.
        self._at.fact_seq, self._at.at = up_to, at
        self._publish(situation, last, packs_seq)

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
        found = situation.evaluate(people) if people else {}
        rows = [row_of(ordinal, found[ordinal], now) for ordinal in sorted(people)]
        changed = differing(rows, now)
        wanted = [
            *failures((row.ordinal, row.failure) for row in changed if row.failure),
            *doubts(found, now),
        ]
        with transaction.atomic():
            self._at.publication_seq = append_rows(
                changed,
                after=self._at.publication_seq,
                as_of=now,
                fact_seq=situation.up_to,
                packs_seq=packs_seq,
            )
            open_tasks(wanted, fact_seq=situation.up_to, now=now)
            self._beat(at=self._at.at)

    def _beat(self, *, at: datetime) -> None:
        self._at.at = at
        with transaction.atomic(), connection.cursor() as cursor:
            self._at.save(force_update=True)
            cursor.execute("select pg_notify(%s, %s)", [CHANNEL, str(self._at.publication_seq)])


def _newest() -> tuple[int, int]:
    """Return the numbers of the newest fact and of the newest publication of a pack."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST)
        facts, packs = cursor.fetchone()
    return facts, packs


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
