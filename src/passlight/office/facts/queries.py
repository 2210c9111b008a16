"""Reading the log: lists for people, and everything known about a person for the engine."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Max, QuerySet

from passlight.core.facts.fact import Fact
from passlight.core.facts.identity import KINDS_OF_IDENTITY
from passlight.office.facts.models import FactVersion
from passlight.office.facts.rows import FACT_COLUMNS, read_row

#: A list shows the newest of these; counting millions of rows would answer nobody's question.
LISTED_MAX = 10_000
_COLUMNS = ", ".join(FACT_COLUMNS)


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
    named = "fact_id in (select fact_id from facts_fact where subject = any(%s))"
    return read_facts(named, [list(subjects)], up_to=up_to)


def facts_between(*, after: int, up_to: int) -> list[Fact]:
    """Return the versions with a number in ``(after, up_to]``, by number."""
    return read_facts("seq > %s", [after], up_to=up_to)


def versions_of_facts(fact_ids: Collection[str], *, up_to: int) -> list[Fact]:
    """Return every version of these facts, by number."""
    return read_facts("fact_id = any(%s)", [list(fact_ids)], up_to=up_to)


def read_facts(condition: str, values: Sequence[Any], *, up_to: int | None = None) -> list[Fact]:
    """Return the versions that meet a condition of SQL, by number; words of ours alone.

    Row by row without models: the worker reads hundreds of facts for every answer in time.
    """
    bound = "" if up_to is None else f"and seq <= {up_to:d}"
    query = f"select {_COLUMNS} from facts_fact where {condition} {bound} order by seq"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return [read_row(row) for row in cursor.fetchall()]


def name_areas(subjects: Collection[str]) -> bool:
    """Return whether a fact about one of ``subjects`` names an area."""
    rows = FactVersion.objects.filter(subject__in=list(subjects))
    return rows.filter(payload__has_any_keys=["from_area", "area"]).exists()


def shared_facts(*, up_to: int | None = None) -> list[Fact]:
    """Return every version of the facts that concern more people than the one they name.

    Those are the facts about areas, about who is whom and about deliveries. A later version may
    be of another kind, or withdraw the fact under another subject: it comes too.
    """
    kinds = "kind in ('identity.link', 'identity.unlink', 'identity.not_same')"
    abouts = ("subject like 'area:%%'", kinds, "kind = 'source.delivered'")
    some = " union ".join(f"select fact_id from facts_fact where {one}" for one in abouts)  # noqa: S608
    return read_facts(f"fact_id in ({some})", [], up_to=up_to)


def identity_facts(*, up_to: int | None = None) -> list[Fact]:
    """Return every version of the facts that say, or once said, who is whom."""
    told = "fact_id in (select fact_id from facts_fact where kind = any(%s))"
    return read_facts(told, [sorted(KINDS_OF_IDENTITY)], up_to=up_to)


def delivery_facts(*, up_to: int | None = None) -> list[Fact]:
    """Return every version of the facts that say, or once said, when a source delivered."""
    told = "fact_id in (select fact_id from facts_fact where kind = 'source.delivered')"
    return read_facts(told, [], up_to=up_to)


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(settings.TIME_ZONE))
