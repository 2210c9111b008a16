"""Publishing: one pass of the worker, from the facts that are new to the rows doors read.

What has been published is the position: the heartbeat moves in the transaction that adds the
rows, so a worker killed between two transactions repeats at most work that changes nothing.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from passlight.core.kernel.clock import Clock
from passlight.core.rules.areas import AreaCodes
from passlight.core.rules.schedule import PackSchedule
from passlight.office.packs.schedule import schedule
from passlight.office.people.models import Person
from passlight.office.statuses.changes import Ended
from passlight.office.statuses.evaluation import LogReader, Situation
from passlight.office.statuses.models import Heartbeat, Publication, Request, Switch
from passlight.office.statuses.reasons import store_reasons
from passlight.office.statuses.rows import Row, append_rows, cut_to, differing, row_of
from passlight.office.statuses.shared import News, SharedFacts
from passlight.office.statuses.switching import SwitchError, Switching, begin_switch
from passlight.office.statuses.tasks import doubts, failures, open_tasks
from passlight.office.statuses.touched import touched_by

log = logging.getLogger("passlight.worker")

CHANNEL = "passlight_statuses"
FACTS_A_PASS = 2_000
PEOPLE_A_BATCH = 500
HEARTBEAT_EVERY = timedelta(seconds=2)
REQUESTS_A_PASS = 200
_NEWEST = """
select coalesce((select max(seq) from facts_fact), 0),
       coalesce((select max(seq) from packs_publication), 0),
       coalesce((select max(seq) from recompute_request), 0)
"""
_SWITCH_FIELDS = (
    *("state", "finished_at", "bucket", "people_done", "changed", "publishing_at"),
    "fault",
)
_PEOPLE = "select ordinal, facts_key from people_person where facts_key = any(%s)"


class Publisher:
    """Evaluates and publishes; the one writer of colours, used by one leading worker."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._schedule: tuple[int, PackSchedule] | None = None
        self._reader = LogReader()
        self._at = _heartbeat()
        self._latest = _latest_publication()
        self._switching: Switching | None = None
        # What a step is about to write besides the rows and the position.
        self._moved: Switch | None = None

    def close(self) -> None:
        """End what was started beside this process."""
        if self._switching is not None:
            self._switching.stop()

    def step(self) -> bool:
        """Do one bounded pass and return whether there is more to do at once.

        A pass follows some facts and then sweeps some people, so that neither waits for the
        other: facts may come without end, and a new pack still reaches everybody.
        """
        started = self._clock.now()
        newest, packs_seq, asked = _newest()
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
        requests = min(asked, self._at.request_seq + REQUESTS_A_PASS)
        if requests > self._at.request_seq:
            self._answer(requests, up_to, packs_seq, current)
        waits = self._sweeping(packs_seq) and not self._sweep(up_to, packs_seq, current)
        return not caught_up or asked > requests or (self._sweeping(packs_seq) and not waits)

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
        people = _people(touched.subjects)
        self._leave_to_facts(people)
        *batches, last = [*_batches(people)] or [{}]
        for batch in batches:
            self._publish(situation, batch, packs_seq)
        if touched.everybody and any(pack.mandatory for pack in current.packs):
            self._ask_for_a_sweep(packs_seq, up_to)
        # The position moves with the last rows, in their transaction: mostly there is but one.
        self._at.fact_seq, self._at.at = up_to, at
        self._publish(situation, last, packs_seq)

    def _answer(self, up_to: int, facts: int, packs_seq: int, current: PackSchedule) -> None:
        """Evaluate again those for whom a recompute found something else than is served."""
        asked = Request.objects.filter(seq__gt=self._at.request_seq, seq__lte=up_to)
        ordinals = set(asked.values_list("ordinal", flat=True))
        rows = Person.objects.filter(ordinal__in=ordinals)
        people = dict(rows.values_list("ordinal", "facts_key"))
        situation = self._reader.situation(current, up_to=facts)
        self._leave_to_facts(people)
        self._at.request_seq = up_to
        self._publish(situation, people, packs_seq)

    def _leave_to_facts(self, people: Iterable[int]) -> None:
        """Keep a switch, whose results are older, from those who are being evaluated now."""
        if self._at.switch is not None:
            self._switch_at_hand().touched.update(people)

    def _ask_for_a_sweep(self, packs_seq: int, fact_seq: int) -> None:
        """Begin a round; one that is under way is finished first, or its end would never come."""
        under_way = self._at.sweep_ordinal > 0 or self._at.switch is not None
        if self._at.sweep_seq == packs_seq and under_way:
            self._at.sweep_again = True
        else:
            self._begin_round(packs_seq, fact_seq)

    def _begin_round(self, packs_seq: int, fact_seq: int) -> None:
        if self._switching is not None:
            self._switching.discard()
        self._switching = None
        begun = begin_switch(self._clock, packs_seq=packs_seq, fact_seq=fact_seq)
        self._at.switch = begun.pk if begun is not None else None
        self._at.sweep_seq, self._at.sweep_ordinal = packs_seq, 0
        self._at.sweep_again = False

    def _sweeping(self, packs_seq: int) -> bool:
        return self._at.packs_seq != packs_seq or self._at.sweep_ordinal >= 0

    def _sweep(self, up_to: int, packs_seq: int, current: PackSchedule) -> bool:
        """Carry a change to the next people; resumable. Return whether there was something to do.

        A city is carried set-based by a switch; a village, and who came to the city since the
        switch began, person by person.
        """
        if self._at.sweep_seq != packs_seq or self._at.sweep_ordinal < 0:
            self._begin_round(packs_seq, up_to)
            self._beat(at=self._at.at)
        if self._at.switch is not None:
            return self._carry(up_to, packs_seq, current)
        people = Person.objects.filter(ordinal__gte=self._at.sweep_ordinal).order_by("ordinal")
        batch = dict(people.values_list("ordinal", "facts_key")[:PEOPLE_A_BATCH])
        if batch:
            situation = self._reader.situation(current, up_to=up_to)
            self._at.sweep_ordinal = max(batch) + 1
            self._publish(situation, batch, packs_seq)
        if len(batch) < PEOPLE_A_BATCH:
            self._at.packs_seq = packs_seq
            if self._at.sweep_again:
                self._begin_round(packs_seq, up_to)
            else:
                self._at.sweep_ordinal = -1
            self._beat(at=self._at.at)
        return True

    def _carry(self, up_to: int, packs_seq: int, current: PackSchedule) -> bool:
        """Publish the next changes that the switch's process found."""
        switching = self._switch_at_hand()
        try:
            found = switching.batch()
        except SwitchError as error:
            log.error("the switch failed (%s); going on person by person", error)  # noqa: TRY400
            self._end_switch(Switch.State.FAILED, then_from=0)
            return True
        if found is None:
            return False
        if isinstance(found, Ended):
            self._end_switch(Switch.State.DONE, then_from=found.ordinals)
            return True
        # Judged now, after the facts of this pass: an older result is for the untouched alone.
        left = [one for one in found.changes if one.ordinal not in switching.touched]
        asked = [one.ordinal for one in left if one.row is None]
        rows = Person.objects.filter(ordinal__in=asked) if asked else Person.objects.none()
        people = dict(rows.values_list("ordinal", "facts_key"))
        if found.ends:
            switching.row.bucket += 1
            switching.row.people_done += found.people
            log.info("%s", switching.told())
        self._moved = switching.row
        situation = self._reader.situation(current, up_to=up_to)
        self._publish(situation, people, packs_seq, [one.row for one in left if one.row])
        return True

    def _switch_at_hand(self) -> Switching:
        """Return the switch under way; after a restart, with whom facts have touched since."""
        if self._switching is None:
            assert self._at.switch is not None, "asked for while there is one"
            row = Switch.objects.get(pk=self._at.switch)
            codes = schedule(row.packs_seq).area_codes
            touched = touched_since(row.fact_seq, self._at.fact_seq, codes=codes)
            self._switching = Switching(row, self._clock, touched=touched)
        return self._switching

    def _end_switch(self, state: Switch.State, *, then_from: int) -> None:
        """End a switch; a sweep goes on from ``then_from``, over whom it did not cover."""
        switching = self._switch_at_hand()
        row = switching.row
        row.state, row.finished_at = state.value, self._clock.now()
        self._moved = row
        self._at.switch, self._at.sweep_ordinal = None, then_from
        self._switching = None
        self._beat(at=self._at.at)
        switching.discard()

    def _publish(
        self,
        situation: Situation,
        people: Mapping[int, str],
        packs_seq: int,
        others: Iterable[Row] = (),
    ) -> None:
        """Publish what changed for ``people`` and ``others``, with the position, in one go."""
        # The log of publications is in the order of time too, whatever the clock does.
        now = self._latest = max(self._clock.now(), self._latest)
        found = situation.evaluate(people) if people else {}
        rows = [row_of(ordinal, found[ordinal], now) for ordinal in sorted(people)]
        changed = differing([*rows, *(cut_to(row, now) for row in others)], now)
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
            if self._moved is not None:
                self._moved.changed += len(changed)
                self._moved.publishing_at = self._moved.publishing_at or now
            self._beat(at=self._at.at)

    def _beat(self, *, at: datetime) -> None:
        self._at.at = at
        with transaction.atomic(), connection.cursor() as cursor:
            self._at.save(force_update=True)
            if self._moved is not None:
                self._moved.save(update_fields=_SWITCH_FIELDS)
            cursor.execute("select pg_notify(%s, %s)", [CHANNEL, str(self._at.publication_seq)])
        self._moved = None


def _newest() -> tuple[int, int, int]:
    """Return the numbers of the newest fact, publication of a pack, and request."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST)
        facts, packs, requests = cursor.fetchone()
    return facts, packs, requests


def touched_since(after: int, up_to: int, *, codes: AreaCodes) -> set[int]:
    """Return the people whom the facts in ``(after, up_to]`` touched, as they were followed."""
    shared = SharedFacts()
    shared.read(after)
    found: set[int] = set()
    for first in range(after, up_to, FACTS_A_PASS):
        last = min(up_to, first + FACTS_A_PASS)
        news = News.between(after=first, up_to=last)
        shared.follow(news, up_to=last)
        found |= _people(touched_by(news, shared, codes=codes).subjects).keys()
    return found


def _people(subjects: Iterable[str]) -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, [list(subjects)])
        return dict(cursor.fetchall())


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
