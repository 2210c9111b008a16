"""Reading what is published: lists by colour, one person's log, the worker's position."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from passlight.core.kernel.colour import Colour
from passlight.office.packs.schedule import latest_seq
from passlight.office.people.models import Person
from passlight.office.statuses.models import Heartbeat, Publication, Switch
from passlight.office.statuses.switching import seconds_left

#: A list shows so many people at most; a filter finds the others.
LISTED_MAX = 10_000
#: A worker that has not beaten for so long is not running.
STILL_AFTER = timedelta(seconds=60)

# The newest publication of everybody, with its colour at one moment.
_CURRENT = """
select p.ordinal, p.facts_key, s.seq, s.segments, s.state, s.sampled_at, s.as_of, c.colour
  from people_person p
  join lateral (select * from statuses_publication where ordinal = p.ordinal
                order by seq desc limit 1) s on true
  join lateral (select e.value ->> 'colour' as colour
                  from jsonb_array_elements(s.segments) with ordinality e (value, place)
                 where e.value ->> 'from' is null or (e.value ->> 'from')::bigint <= %(now)s
                 order by e.place desc limit 1) c on true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedStatus:
    """What a door is told about one person at one moment."""

    ordinal: int
    handle: str
    colour: Colour
    reason_key: str | None
    changes_at: datetime | None
    changes_to: Colour | None
    sampled_at: datetime | None
    as_of: datetime


def statuses_listed(colour: str, handle: str, *, now: datetime) -> list[PublishedStatus]:
    """Return people by their colour now, ``LISTED_MAX`` at most, in the order of registration."""
    conditions, values = ["true"], {"now": int(now.timestamp()), "limit": LISTED_MAX}
    if colour:
        conditions.append("c.colour = %(colour)s")
        values["colour"] = colour  # type: ignore[assignment]
    if handle:
        conditions.append("p.facts_key like %(handle)s")
        values["handle"] = handle.replace("%", "").replace("_", "") + "%"  # type: ignore[assignment]
    where = " and ".join(conditions)
    query = f"{_CURRENT} where {where} order by p.ordinal limit %(limit)s"  # words of ours
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [_status(row, now) for row in rows]


def colour_counts(*, now: datetime) -> dict[Colour, int]:
    """Return how many people have each colour now; every colour is there, also at nought."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"select x.colour, count(*) from ({_CURRENT}) x group by 1",  # noqa: S608  # words of ours
            {"now": int(now.timestamp())},
        )
        counted = dict(cursor.fetchall())
    return {colour: counted.get(colour.value, 0) for colour in Colour}


def publication_in_force(ordinal: int, *, known_at: datetime | None = None) -> Publication | None:
    """Return what is published about a person, or what was as of ``known_at``."""
    rows = Publication.objects.filter(ordinal=ordinal)
    if known_at is not None:
        rows = rows.filter(as_of__lte=known_at)
    return rows.order_by("-seq").first()


def segment_at(segments: Sequence[Mapping[str, Any]], moment: datetime) -> Mapping[str, Any]:
    """Return the segment of a publication that holds at ``moment``: the gateway's own look-up."""
    seconds = moment.timestamp()
    return [part for part in segments if part["from"] is None or part["from"] <= seconds][-1]


def heartbeat() -> Heartbeat | None:
    """Return how far the worker is, or None before its first pass."""
    return Heartbeat.objects.filter(pk=1).first()


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchProgress:
    """How far a change that concerns everybody has been carried."""

    people: int
    done: int
    set_based: bool
    left: timedelta | None
    """About how long it still takes, once that can be told."""
    row: Switch | None
    """The switch that carries it, while it is being evaluated or published."""
    fault: str
    """Why the set-based way was given up; empty when it was not."""
    stands_still: bool
    """The worker does not beat: nothing moves until it is started."""

    @property
    def percent(self) -> int:
        """Return how much is done."""
        return min(100, 100 * self.done // self.people) if self.people else 0


def switch_progress(*, now: datetime) -> SwitchProgress | None:
    """Return the progress of the change that is being carried to everybody, None when none is."""
    beat = heartbeat()
    newest = latest_seq()
    if beat is None or (beat.packs_seq == newest and beat.sweep_ordinal < 0):
        return None
    row = Switch.objects.filter(pk=beat.switch).first() if beat.switch else None
    failed = Switch.objects.filter(packs_seq=newest, state=Switch.State.FAILED).last()
    people = Person.objects.count()
    if row is not None:
        seconds = seconds_left(row, now=now)
        done, people = row.people_done, max(people, row.people)
    else:
        seconds, done = None, max(0, beat.sweep_ordinal) if beat.sweep_seq == newest else 0
    return SwitchProgress(
        people=people,
        done=min(done, people),
        set_based=row is not None,
        left=None if seconds is None else timedelta(seconds=round(seconds)),
        row=row if row is not None and not row.people_done else None,
        fault=failed.fault if failed is not None and row is None else "",
        stands_still=now - beat.at > STILL_AFTER
        and (row is None or now - row.started_at > STILL_AFTER),
    )


def _status(row: Mapping[str, Any], now: datetime) -> PublishedStatus:
    segments = _decoded(row["segments"])
    current = segment_at(segments, now)
    following = next(
        (
            part
            for part in segments
            if part["from"] is not None
            and part["from"] > now.timestamp()
            and part["colour"] != current["colour"]
        ),
        None,
    )
    return PublishedStatus(
        ordinal=row["ordinal"],
        handle=row["facts_key"],
        colour=Colour(current["colour"]),
        reason_key=current["reason"],
        changes_at=datetime.fromtimestamp(following["from"], UTC) if following else None,
        changes_to=Colour(following["colour"]) if following else None,
        sampled_at=row["sampled_at"],
        as_of=row["as_of"],
    )


def _decoded(value: Any) -> Any:
    import json

    return json.loads(value) if isinstance(value, str) else value
