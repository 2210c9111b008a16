"""Lands a list that replaces the one before: one transaction a list, one list at a time."""

import dataclasses
from typing import Any

from django.db import transaction

from passlight.agencies.risk_areas.replacement import (
    Listed,
    ListInForce,
    Replacement,
    replace_list,
    unchanged,
)
from passlight.agencies.risk_areas.snapshot import Place, Snapshot
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.office.accounts.models import User
from passlight.office.facts.actions import land_facts
from passlight.office.facts.intake import NewFact
from passlight.office.feeds.models import (
    Batch,
    BatchState,
    Doubt,
    Feed,
    PublishedList,
    QuarantinedRow,
)
from passlight.office.feeds.rows import batch_key, doubt_of, quarantined

REPLACED_AT_ONCE_MAX = 50_000


@transaction.atomic
def land_list(
    batch: Batch,
    snapshot: Snapshot,
    *,
    vanish_percent_max: int,
    release: bool = False,
    released_by: User | None = None,
    clock: Clock,
) -> Batch:
    """Apply or hold one list and return its batch, finished or held."""
    # Lists of one feed go one after the other, whoever feeds them.
    feed = Feed.objects.select_for_update().get(pk=batch.feed_id)
    held = Batch.objects.select_for_update().get(pk=batch.pk)
    current = list_in_force(feed)
    known = PublishedList.objects.filter(feed=feed, list_id=snapshot.list_id).first()
    if known is not None and known.applied_at is not None:
        done = unchanged(current, snapshot)
    else:
        done = replace_list(
            current,
            snapshot,
            vanish_percent_max=vanish_percent_max,
            release=release,
            recorded_at=clock.now(),
        )
    again = held.state == BatchState.HELD
    if done.held is not None and again:
        raise ProblemError(done.held)
    _land(done, held, clock=clock)
    if not again:
        _note(done, held)
    _keep(done, snapshot, feed, held, known, clock=clock)
    _account(done, held, clock=clock)
    if release and done.held is None:
        held.released_at, held.released_by = clock.now(), released_by
    held.save()
    return held


def list_in_force(feed: Feed) -> ListInForce | None:
    """Return the list that was applied last; None before the first."""
    row = (
        PublishedList.objects.filter(feed=feed, listed__isnull=False)
        .order_by("-published_at", "-pk")
        .first()
    )
    if row is None or row.listed is None:
        return None
    return ListInForce(
        list_id=row.list_id,
        published_at=row.published_at,
        listed={
            area: Listed(level=level, list_id=list_id)
            for area, (level, list_id) in row.listed.items()
        },
    )


def held_snapshot(batch: Batch) -> Snapshot:
    """Return the list that a held batch brought, as it was read.

    Raises:
        ProblemError: when the batch brought no list that is held.
    """
    row = batch.lists.filter(content__isnull=False).first()
    if row is None or row.content is None:
        raise ProblemError(
            Problem(
                code="feeds.not-held",
                message="This batch holds no list.",
                remedy="Open the newest batch of the feed.",
            )
        )
    content: dict[str, Any] = row.content
    return Snapshot(
        list_id=row.list_id,
        file=batch.file_name,
        published_at=row.published_at,
        places=tuple(Place(**place) for place in content["places"]),
        refused=(),
        unread=content["unread"],
        counts_agree=content["counts_agree"],
    )


def _land(done: Replacement, batch: Batch, *, clock: Clock) -> None:
    facts = [
        NewFact(
            fact_id=fact.fact_id,
            ver=fact.ver,
            kind=fact.kind,
            subject=fact.subject,
            occurred_at=fact.occurred_at,
            source=fact.source,
            payload=fact.payload,
        )
        for fact in done.facts
    ]
    for start in range(0, len(facts), REPLACED_AT_ONCE_MAX):
        part = facts[start : start + REPLACED_AT_ONCE_MAX]
        land_facts(part, batch_id=batch_key(batch), clock=clock).require_all()


def _note(done: Replacement, batch: Batch) -> None:
    QuarantinedRow.objects.bulk_create(
        [quarantined(batch, row, row.problems[0]) for row in done.refused]
    )
    Doubt.objects.bulk_create([doubt_of(batch, None, doubt) for doubt in done.doubts])


def _keep(
    done: Replacement,
    snapshot: Snapshot,
    feed: Feed,
    batch: Batch,
    known: PublishedList | None,
    *,
    clock: Clock,
) -> None:
    """Remember the list: what is in force, or what is held."""
    if known is not None and known.applied_at is not None:
        return
    row = known or PublishedList(feed=feed, list_id=snapshot.list_id)
    row.batch, row.published_at = batch, snapshot.published_at
    if done.held is not None:
        row.content = {
            "places": [dataclasses.asdict(place) for place in snapshot.places],
            "unread": snapshot.unread,
            "counts_agree": snapshot.counts_agree,
        }
        row.save()
        return
    assert done.in_force is not None
    PublishedList.objects.filter(feed=feed, listed__isnull=False).update(listed=None)
    row.applied_at, row.content = clock.now(), None
    row.listed = {
        area: [place.level, place.list_id] for area, place in done.in_force.listed.items()
    }
    row.save()


def _account(done: Replacement, batch: Batch, *, clock: Clock) -> None:
    counts = done.reconciliation
    batch.landed, batch.unchanged, batch.held = counts.landed, counts.unchanged, counts.held
    batch.closed = counts.closed
    # A held list that is released was judged before: its refused rows stay counted.
    batch.quarantined = max(batch.quarantined, counts.quarantined)
    batch.declared = counts.landed + counts.unchanged + counts.held + batch.quarantined
    batch.state = BatchState.HELD if done.held is not None else BatchState.COMPLETE
    batch.reason = done.held.code if done.held is not None else ""
    batch.reason_params = done.held.params if done.held is not None else {}
    batch.bytes_done = batch.size_bytes
    batch.touched_at = clock.now()
    batch.finished_at = clock.now() if done.held is None else None
