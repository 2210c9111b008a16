"""Reading the log: lists for people, and everything known about a person for the engine."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery

from passlight.core.facts.fact import Fact
from passlight.core.facts.identity import KINDS_OF_IDENTITY
from passlight.office.facts.models import FactVersion
from passlight.office.facts.rows import to_fact

#: A list shows the newest of these; counting millions of rows would answer nobody's question.
LISTED_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FactFilter:
    """What a list of facts is narrowed to; days are the installation's."""

    kind: str = ""
    source: str = ""
    subject: str = ""
    since: date | None = None
    until: date | None = None


def facts_listed(wanted: FactFilter) -> QuerySet[FactVersion]:
    """Return the newest versions that match, newest first, ``LISTED_MAX`` at most."""
    rows = FactVersion.objects.order_by("-seq")
    for name in ("kind", "source"):
        value = getattr(wanted, name)
        if value:
            rows = rows.filter(**{name: value})
    if wanted.subject:
        rows = rows.filter(subject=wanted.subject)
    if wanted.since:
        rows = rows.filter(occurred_at__gte=_start_of(wanted.since))
    if wanted.until:
        rows = rows.filter(occurred_at__lt=_start_of(wanted.until + timedelta(days=1)))
    return rows[:LISTED_MAX]


def versions_of(fact_id: str) -> list[FactVersion]:
    """Return every version of a fact, newest version first."""
    return list(FactVersion.objects.filter(fact_id=fact_id).order_by("-ver"))


def sources() -> list[str]:
    """Return the sources that have reported anything (a loose index scan: few, in few steps)."""
    found: list[str] = []
    while True:
        rows = FactVersion.objects.filter(source__gt=found[-1]) if found else FactVersion.objects
        following = rows.order_by("source").values_list("source", flat=True).first()
        if following is None:
            return found
        found.append(following)


def last_seq() -> int:
    """Return the number of the newest fact that is committed; 0 when there is none."""
    newest: int | None = FactVersion.objects.aggregate(newest=Max("seq"))["newest"]
    return newest or 0


def facts_of(subjects: Collection[str], *, up_to: int | None = None) -> list[Fact]:
    """Return every version of every fact that ever named one of ``subjects``, by number.

    A correction may move a fact to somebody else: its later versions come along, so that the
    earlier ones are seen to be superseded.
    """
    named = FactVersion.objects.filter(subject__in=list(subjects))
    rows = FactVersion.objects.filter(fact_id__in=Subquery(named.values("fact_id")))
    if up_to is not None:
        rows = rows.filter(seq__lte=up_to)
    return [to_fact(row) for row in rows.order_by("seq")]


def name_areas(subjects: Collection[str]) -> bool:
    """Return whether a fact about one of ``subjects`` names an area."""
    rows = FactVersion.objects.filter(subject__in=list(subjects))
    return rows.filter(payload__has_any_keys=["from_area", "area"]).exists()


def area_facts(*, after: int = 0, up_to: int | None = None) -> list[Fact]:
    """Return every version of the facts about areas of which one is new since ``after``.

    A version that is not about an area, or withdraws the fact under another subject, comes too.
    """
    about = Q(subject__startswith="area:")
    new = FactVersion.objects.filter(seq__gt=after)
    if up_to is not None:
        new = new.filter(seq__lte=up_to)
    found = _every_version(new.filter(about), up_to)
    if after:
        ever = FactVersion.objects.filter(about, fact_id=OuterRef("fact_id"))
        found += _every_version(new.filter(~about, Exists(ever), ver__gt=1), up_to)
    return list({fact.seq: fact for fact in found}.values())


def identity_facts(*, up_to: int | None = None) -> list[Fact]:
    """Return every version of the facts that say, or once said, who is whom."""
    rows = FactVersion.objects.filter(kind__in=KINDS_OF_IDENTITY)
    if up_to is not None:
        rows = rows.filter(seq__lte=up_to)
    return _every_version(rows, up_to)


def _every_version(some: QuerySet[FactVersion], up_to: int | None) -> list[Fact]:
    """Return all versions of the facts of which ``some`` are versions, by number."""
    rows = FactVersion.objects.filter(fact_id__in=Subquery(some.values("fact_id")))
    if up_to is not None:
        rows = rows.filter(seq__lte=up_to)
    return [to_fact(row) for row in rows.order_by("seq")]


def delivery_facts(*, up_to: int | None = None) -> list[Fact]:
    """Return the facts that say when a source delivered."""
    rows = FactVersion.objects.filter(kind="source.delivered")
    if up_to is not None:
        rows = rows.filter(seq__lte=up_to)
    return [to_fact(row) for row in rows.order_by("seq")]


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(settings.TIME_ZONE))
