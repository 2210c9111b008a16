"""Taking in files: receive one, land it, release a list that was held."""

import dataclasses
from datetime import datetime
from pathlib import Path

from django.db import transaction

from passlight.agencies.agency import Agency, RowAgency
from passlight.agencies.csv.mapping import FeedMapping, load_mapping
from passlight.agencies.reading import Survey, survey
from passlight.agencies.registry import agency
from passlight.agencies.risk_areas.replacement import VANISH_PERCENT_MAX
from passlight.agencies.rows import Reading
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.office.accounts.models import User
from passlight.office.feeds.lists import held_snapshot, land_list
from passlight.office.feeds.models import Batch, BatchState, Feed
from passlight.office.feeds.rows import land_rows

FILE_NAME_LENGTH_MAX = 255


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A file as it was handed in, by a user on a page or by the operator at the command line."""

    agency: str
    path: Path
    file_name: str
    as_of: datetime | None = None
    mapping: str = ""
    received_by: User | None = None


@transaction.atomic
def receive_file(delivery: Delivery, *, clock: Clock) -> Batch:
    """Return the batch of a file: a new one, or the one that was killed while it landed.

    A file that cannot be read leaves a batch that says so.
    """
    source = agency(delivery.agency)
    feed = feed_for(delivery, clock=clock)
    Feed.objects.select_for_update().get(pk=feed.pk)
    try:
        found, declared, published_at = _survey(source, delivery)
    except ProblemError as error:
        return _unreadable(feed, delivery, error.problems[0], clock=clock)
    unfinished = Batch.objects.filter(
        feed=feed, sha256=found.sha256, state=BatchState.LANDING, mapping=delivery.mapping
    ).first()
    if unfinished is not None:
        return unfinished
    now = clock.now()
    return Batch.objects.create(
        feed=feed,
        file_name=delivery.file_name[:FILE_NAME_LENGTH_MAX],
        sha256=found.sha256,
        size_bytes=found.size_bytes,
        encoding=found.encoding,
        mapping=delivery.mapping,
        state=BatchState.LANDING,
        published_at=published_at,
        received_at=now,
        received_by=delivery.received_by,
        touched_at=now,
        declared=declared,
    )


def land(
    batch: Batch,
    path: Path,
    *,
    clock: Clock,
    progress: Reading | None = None,
    vanish_percent_max: int = VANISH_PERCENT_MAX,
    release: bool = False,
) -> Batch:
    """Land what a received file says, from where it was left, and return its batch.

    Raises:
        ProblemError: when the file is not the one received, or turns out unreadable.
    """
    source = agency(batch.feed.agency)
    mapping = _mapping(batch.mapping)
    try:
        found = survey(path, encoding=mapping.encoding if mapping else None)
        if found.sha256 != batch.sha256:
            raise ProblemError(_other_file(path))
        if not isinstance(source, RowAgency):
            _, snapshot = source.read(path)
            return land_list(
                batch,
                snapshot,
                vanish_percent_max=vanish_percent_max,
                release=release,
                released_by=batch.received_by,
                clock=clock,
            )
        reading = Reading(
            now=clock.now(),
            as_of=batch.published_at,
            mapping=mapping,
            progress=progress.progress if progress else None,
        )
        return land_rows(batch, source, found, reading, clock=clock)
    except ProblemError as error:
        if error.problems[0].code != "feeds.busy":
            _mark_unreadable(batch, error.problems[0], clock=clock)
        raise


def release_list(batch: Batch, *, actor: User, clock: Clock) -> Batch:
    """Apply a list that was held, on the word of ``actor``.

    Raises:
        ProblemError: when a newer list is in force by now, or the batch holds no list.
    """
    return land_list(
        batch,
        held_snapshot(batch),
        vanish_percent_max=100,
        release=True,
        released_by=actor,
        clock=clock,
    )


def feed_for(delivery: Delivery, *, clock: Clock) -> Feed:
    """Return the feed a delivery belongs to, made at its first file."""
    mapping = _mapping(delivery.mapping)
    name = mapping.feed if mapping is not None else delivery.agency
    feed, _ = Feed.objects.get_or_create(
        agency=delivery.agency, name=name, defaults={"created_at": clock.now()}
    )
    return feed


def _survey(source: Agency, delivery: Delivery) -> tuple[Survey, int, datetime | None]:
    if isinstance(source, RowAgency):
        mapping = _mapping(delivery.mapping)
        found = survey(delivery.path, encoding=mapping.encoding if mapping else None)
        return found, source.declared(found), delivery.as_of
    found, snapshot = source.read(delivery.path)
    return found, snapshot.declared, snapshot.published_at


def _mapping(text: str) -> FeedMapping | None:
    return load_mapping(text, file="mapping.yaml") if text else None


def _unreadable(feed: Feed, delivery: Delivery, problem: Problem, *, clock: Clock) -> Batch:
    now = clock.now()
    size = delivery.path.stat().st_size if delivery.path.is_file() else 0
    return Batch.objects.create(
        feed=feed,
        file_name=delivery.file_name[:FILE_NAME_LENGTH_MAX],
        size_bytes=size,
        state=BatchState.UNREADABLE,
        reason=problem.code,
        reason_params=problem.params,
        received_at=now,
        received_by=delivery.received_by,
        touched_at=now,
        finished_at=now,
    )


@transaction.atomic
def _mark_unreadable(batch: Batch, problem: Problem, *, clock: Clock) -> None:
    held = Batch.objects.select_for_update().get(pk=batch.pk)
    if held.state != BatchState.LANDING:
        return
    held.state = BatchState.UNREADABLE
    held.reason, held.reason_params = problem.code, problem.params
    held.touched_at = held.finished_at = clock.now()
    held.save()


def _other_file(path: Path) -> Problem:
    return Problem(
        code="feeds.other-file",
        message="This is not the file that was received.",
        remedy="Feed the file as a new one.",
        file=path.name,
    )
