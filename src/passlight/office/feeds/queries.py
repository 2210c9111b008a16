"""Reads of the feeds' pages: freshness, batches that need a person, reasons."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet, Sum

from passlight.agencies.registry import agency
from passlight.office.feeds.models import Batch, BatchState, Doubt, Feed, QuarantinedRow
from passlight.office.pages.language import current_language
from passlight.runtime.catalogue import Language, text

#: A batch that has not moved for so long was left by a process that died.
STILL_AFTER = timedelta(seconds=60)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How old the newest of a feed is, against how old it may be."""

    feed: Feed
    last: Batch | None
    at: datetime | None
    limit: timedelta
    late: timedelta | None
    quarantined_share: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason with how many rows it kept out or put in doubt."""

    code: str
    text: str
    english: str
    count: int
    line: int | None


def freshness(*, now: datetime) -> list[Freshness]:
    """Return every feed with its newest finished batch."""
    return [_freshness(feed, now=now) for feed in Feed.objects.order_by("agency", "name")]


def _freshness(feed: Feed, *, now: datetime) -> Freshness:
    done = feed.batches.filter(state=BatchState.COMPLETE)
    last = done.order_by("-received_at").first()
    at = last.received_at if last else None
    limit = agency(feed.agency).freshness
    overdue = now - at - limit if at else None
    return Freshness(
        feed=feed,
        last=last,
        at=at,
        limit=limit,
        late=overdue if overdue is not None and overdue > timedelta(0) else None,
        quarantined_share=week_share(feed, now=now),
    )


def week_share(feed: Feed, *, now: datetime) -> str:
    """Return which part of the feed's rows of seven days was put aside."""
    sums = feed.batches.filter(received_at__gt=now - WEEK).aggregate(
        aside=Sum("quarantined"), all=Sum("declared")
    )
    return percent(sums["aside"] or 0, sums["all"] or 0)


def percent(part: int, whole: int) -> str:
    """Return ``0.22%``."""
    return f"{100 * part / whole if whole else 0:.2f}%"


def batches(*, feed: Feed | None, only_open: bool, now: datetime) -> QuerySet[Batch]:
    """Return the batches, newest first."""
    found = Batch.objects.select_related("feed").order_by("-received_at", "-pk")
    if feed is not None:
        found = found.filter(feed=feed)
    return found.filter(_needs_somebody(now)) if only_open else found


def waiting(*, now: datetime) -> int:
    """Return how many batches are held or were interrupted."""
    still = Q(state=BatchState.LANDING, touched_at__lt=now - STILL_AFTER)
    held = Q(state=BatchState.HELD, lists__content__isnull=False)
    return Batch.objects.filter(held | still).distinct().count()


def interrupted(batch: Batch, *, now: datetime) -> bool:
    """Return whether the process that landed the batch has died."""
    return batch.state == BatchState.LANDING and batch.touched_at < now - STILL_AFTER


def can_release(batch: Batch) -> bool:
    """Return whether the batch holds a list that may still be applied."""
    held = batch.lists.filter(content__isnull=False).first()
    if batch.state != BatchState.HELD or held is None:
        return False
    newest = (
        batch.feed.lists.filter(applied_at__isnull=False)
        .order_by("-published_at")
        .values_list("published_at", flat=True)
        .first()
    )
    return newest is None or held.published_at >= newest


def quarantine_reasons(batch: Batch) -> list[Reason]:
    """Return why rows were put aside, most frequent first."""
    return _grouped(batch.quarantined_rows.all())


def doubts(batch: Batch) -> list[Reason]:
    """Return what is in doubt, most frequent first."""
    return _grouped(batch.doubts.all())


def _grouped(rows: "QuerySet[QuarantinedRow] | QuerySet[Doubt]") -> list[Reason]:
    found = rows.values("code").annotate(count=Count("pk"), line=Min("line"))
    reasons = []
    for row in found.order_by("-count", "code"):
        first = rows.filter(code=row["code"]).order_by("line").values_list("params").first()
        params = first[0] if first else {}
        reasons.append(_reason(row["code"], params, count=row["count"], line=row["line"]))
    return reasons


def _reason(code: str, params: dict[str, str], *, count: int, line: int | None) -> Reason:
    return Reason(
        code=code,
        text=reason_text(code, params, current_language()),
        english=reason_text(code, params, "en"),
        count=count,
        line=line,
    )


def reason_text(code: str, params: dict[str, str], language: Language) -> str:
    """Return what a reason says; one that another part gave no text is named by its code."""
    try:
        return text(code, language, **params)
    except (KeyError, IndexError):
        return text("feeds.reason-other", language, code=code)


def _needs_somebody(now: datetime) -> Q:
    return (
        Q(state__in=[BatchState.HELD, BatchState.UNREADABLE])
        | Q(quarantined__gt=0)
        | Q(state=BatchState.LANDING, touched_at__lt=now - STILL_AFTER)
    )
