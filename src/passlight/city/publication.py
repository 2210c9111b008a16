"""Published exposure events, in and out: the two layouts of the New Zealand lists of 2021.

A published time is what the clock on the wall showed, ``d/mm/yyyy, h:mm am``, without an offset.
Twice a year that is not one instant. Then the window takes the widest reading: it begins at the
earlier and ends at the later of the two that the clocks before and after the change give. Nobody
who was there is missed because of a clock.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from passlight.core.kernel.problem import Problem, ProblemError

AUCKLAND: Final = ZoneInfo("Pacific/Auckland")
#: Until September 2021, and from then on.
FIRST_LAYOUT: Final = (
    *("id", "Event", "Location", "City", "Start", "End", "Advice", "LAT", "LNG", "Added"),
)
SECOND_LAYOUT: Final = (*FIRST_LAYOUT, "Updated")
LAYOUTS: Final = (FIRST_LAYOUT, SECOND_LAYOUT)
NEEDED: Final = ("id", "Event", "Location", "Start", "End")
#: What of an event is the venue that visits name.
Match = Literal["id", "event", "location"]

_TIME = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4}),?\s+(\d{1,2}):(\d{2})\s*([ap])\.?m\.?", re.IGNORECASE
)
_TIME_HELP = "Write it like 4/10/2021, 6:15 pm."
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedEvent:
    """One row of a publication: a place, when it was dangerous, and what to do."""

    id: str
    event: str
    location: str
    since: datetime
    until: datetime
    city: str = ""
    advice: str = ""
    latitude: str = ""
    longitude: str = ""
    added: str = ""
    updated: str = "NA"

    def venue(self, match: Match) -> str:
        """Return the name by which visits are matched."""
        return {"id": self.id, "event": self.event, "location": self.location}[match]


@dataclass(slots=True)
class ReadPublication:
    """The events of a file in its order, and what was wrong with the rows left out."""

    events: list[PublishedEvent] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def is_publication(path: Path) -> bool:
    """Return whether the first line of a file is the header of one of the layouts."""
    with path.open("rb") as source:
        head = source.readline(4096).decode("utf-8-sig", "replace")
    return _columns_of(next(csv.reader([head]), [])) is not None


def read_publication(path: Path, *, timezone: ZoneInfo = AUCKLAND) -> ReadPublication:
    """Return the events of a file; a row that cannot be believed is told with its line.

    Raises:
        ProblemError: when the file has none of the layouts.
        OSError: when it cannot be read.
    """
    # Bytes that are no UTF-8 stay in their row, so that only that row is put aside.
    text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    rows = _rows(text)
    header = next(rows, (1, []))[1]
    columns = _columns_of(header)
    if columns is None:
        raise ProblemError(
            _problem(
                "layout",
                "has none of the layouts of a publication.",
                f"Its first line must name {', '.join(NEEDED)}.",
                file=str(path),
                line=1,
            )
        )
    read = ReadPublication()
    for line, cells in rows:
        try:
            read.events.append(_event(cells, columns, len(header), timezone))
        except ProblemError as error:
            read.problems.append(_placed(error.problems[0], str(path), line))
    return read


def write_publication(
    events: Iterable[PublishedEvent],
    *,
    layout: Sequence[str] = SECOND_LAYOUT,
    timezone: ZoneInfo = AUCKLAND,
) -> str:
    """Return the text of a publication.

    A published minute has no seconds: a start is rounded down and an end up, so that a window
    never gets shorter; whole minutes come back as they were.
    """
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(layout)
    for event in events:
        until = event.until
        if until.second or until.microsecond:
            until += _MINUTE
        cells = {
            "id": event.id,
            "Event": event.event,
            "Location": event.location,
            "City": event.city,
            "Start": local_text(event.since, timezone=timezone),
            "End": local_text(until, timezone=timezone),
            "Advice": event.advice,
            "LAT": event.latitude,
            "LNG": event.longitude,
            "Added": event.added,
            "Updated": event.updated,
        }
        writer.writerow([cells[name] for name in layout])
    return sink.getvalue()


def local_text(instant: datetime, *, timezone: ZoneInfo) -> str:
    """Return ``d/mm/yyyy, h:mm am``, seconds left out."""
    local = instant.astimezone(timezone)
    half = "am" if local.hour < 12 else "pm"  # noqa: PLR2004  # noon
    hour = local.hour % 12 or 12
    return f"{local.day}/{local.month:02}/{local.year}, {hour}:{local.minute:02} {half}"


def read_local(text: str, *, timezone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the earliest and the latest instant that a published time can mean.

    They differ only within an hour that the clocks showed twice, or never.

    Raises:
        ValueError: when it is not a time of this form.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    day, month, year, hour, minute = (int(match[group]) for group in range(1, 6))
    if not 1 <= hour <= 12:  # noqa: PLR2004  # the face of a clock
        raise ValueError(text)
    hour = hour % 12 + (12 if match[6].lower() == "p" else 0)
    local = datetime(year, month, day, hour, minute, tzinfo=timezone)
    readings = [local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    return min(readings), max(readings)


def _columns_of(header: Sequence[str]) -> dict[str, int] | None:
    """Return where each column stands; None when this is no header of a publication."""
    names = [name.strip() for name in header]
    if len(set(names)) != len(names) or not set(NEEDED) <= set(names):
        return None
    return {name: place for place, name in enumerate(names)}


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not blank with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begun = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = ["", ""]  # too few for any layout: told as such, with its line
        if cells:
            yield begun, cells
        begun = reader.line_num + 1


def _event(
    cells: Sequence[str], columns: dict[str, int], width: int, timezone: ZoneInfo
) -> PublishedEvent:
    if len(cells) != width:
        raise ProblemError(
            _problem(
                "cells",
                f"has {len(cells)} cells where the first line has {width}.",
                "A comma or a quote is missing; ask the publisher for this row again.",
            )
        )
    said = {name: cells[place].strip() for name, place in columns.items()}
    for name, text in said.items():
        if any("\udc80" <= letter <= "\udcff" or letter == "\0" for letter in text):
            remedy = "Save the file as UTF-8, or ask the publisher for this row again."
            raise ProblemError(_problem("encoding", "is not UTF-8.", remedy, field=name))
        if not text and name in NEEDED:
            remedy = "Ask the publisher for this row again."
            raise ProblemError(_problem("missing", "is missing.", remedy, field=name))
    since, _ = _instant(said["Start"], "Start", timezone)
    _, until = _instant(said["End"], "End", timezone)
    if until <= since:
        raise ProblemError(
            _problem(
                "order",
                f"{said['End']!r} is not after the start, {said['Start']!r}.",
                "Ask the publisher which date was meant; nothing is guessed.",
                field="End",
            )
        )
    return PublishedEvent(
        id=said["id"],
        event=said["Event"],
        location=said["Location"],
        since=since,
        until=until,
        city=said.get("City", ""),
        advice=said.get("Advice", ""),
        latitude=said.get("LAT", ""),
        longitude=said.get("LNG", ""),
        added=said.get("Added", ""),
        updated=said.get("Updated", "NA"),
    )


def _instant(text: str, name: str, timezone: ZoneInfo) -> tuple[datetime, datetime]:
    try:
        return read_local(text, timezone=timezone)
    except (ValueError, OverflowError):
        message = f"{text!r} is not a time."
        raise ProblemError(_problem("time", message, _TIME_HELP, field=name)) from None


def _placed(problem: Problem, file: str, line: int) -> Problem:
    return Problem(
        code=problem.code,
        message=problem.message,
        remedy=problem.remedy,
        file=file,
        line=line,
        field=problem.field,
    )


def _problem(
    code: str,
    message: str,
    remedy: str,
    *,
    field: str | None = None,
    file: str | None = None,
    line: int | None = None,
) -> Problem:
    return Problem(
        code=f"trace.{code}", message=message, remedy=remedy, field=field, file=file, line=line
    )
