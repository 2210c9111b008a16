"""Reads one published list whole: what is on it, at which level, from which hour."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from passlight.agencies.masking import masked
from passlight.agencies.reading import Survey, survey, unreadable
from passlight.agencies.risk_areas.place import area_id
from passlight.agencies.rows import Row
from passlight.core.kernel.problem import Problem

SNAPSHOT_BYTES_MAX = 64 * 1024**2
NAME_LENGTH_MAX = 400
BEIJING = timezone(timedelta(hours=8))
#: The file's two lists and the level each stands for, strictest first.
LEVELS = (("highlist", "high"), ("middlelist", "medium"))
COUNTS = {"highlist": "hcount", "middlelist": "mcount"}
_HOUR = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})\s*(\d{1,2})\s*[时時]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One row of a list: a place and its level."""

    row: int
    area: str
    level: str
    province: str
    city: str
    county: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A list as it was published. ``counts_agree`` compares it with its own declared counts."""

    list_id: str
    file: str
    published_at: datetime
    places: tuple[Place, ...]
    refused: tuple[Row, ...]
    #: Refused rows whose place is not known, so that nobody can say what is missing.
    unread: int
    counts_agree: bool

    @property
    def declared(self) -> int:
        """Return how many rows the list holds."""
        return len(self.places) + len(self.refused)


def published_at(path: Path) -> datetime:
    """Return when the list in this file was published.

    Raises:
        ProblemError: when the file is not a list of this feed.
    """
    return read_snapshot(path)[1].published_at


def read_snapshot(path: Path) -> tuple[Survey, Snapshot]:
    """Return the list in one file.

    Raises:
        ProblemError: when the file is not a list of this feed; single bad rows are ``refused``.
    """
    found = survey(path)
    if found.size_bytes > SNAPSHOT_BYTES_MAX:
        raise unreadable(
            path, "feeds.file-large", f"A list has at most {SNAPSHOT_BYTES_MAX} bytes."
        )
    data = _data(path, found)
    hour = _hour(path, data)
    places: list[Place] = []
    refused: list[Row] = []
    seen: dict[str, str] = {}
    unread, total = 0, 0
    for total, (level, field, place) in enumerate(_rows(data), start=1):
        if isinstance(place, str):
            refused.append(_refused(total, "feeds.area-form", field, place))
            unread += 1
            continue
        area = area_id(*place)
        if seen.setdefault(area, level) != level:
            refused.append(_refused(total, "feeds.area-two-levels", field, place[-1]))
            continue
        province, city, county, name = place
        places.append(
            Place(
                row=total,
                area=area,
                level=level,
                province=province,
                city=city,
                county=county,
                name=name,
            )
        )
    return found, Snapshot(
        list_id=_list_id(hour, places),
        file=path.name,
        published_at=hour,
        places=tuple(places),
        refused=tuple(refused),
        unread=unread,
        counts_agree=_counts_agree(data),
    )


def _data(path: Path, found: Survey) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes().decode(found.encoding).removeprefix("\ufeff"))
        data = document["data"]
        complete = all(isinstance(data[key], list) for key, _ in LEVELS)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        message = f"The file is not a list of risk areas ({type(error).__name__})."
        raise unreadable(path, "feeds.snapshot-form", message) from None
    if not complete:
        message = "The file is not a list of risk areas (highlist, middlelist)."
        raise unreadable(path, "feeds.snapshot-form", message)
    return dict(data)


def _hour(path: Path, data: dict[str, Any]) -> datetime:
    match = _HOUR.fullmatch(str(data.get("end_update_time", "")).strip())
    try:
        if match is None:
            raise ValueError
        year, month, day, hour = (int(part) for part in match.groups())
        # "24时" is how some lists write midnight.
        start = datetime(year, month, day, tzinfo=BEIJING)
        if hour > 24:  # noqa: PLR2004  # hours of a day
            raise ValueError
        return (start + timedelta(hours=hour)).astimezone(UTC)
    except ValueError:
        message = "end_update_time does not say the hour of publication."
        raise unreadable(path, "feeds.snapshot-form", message) from None


def _rows(data: dict[str, Any]) -> Iterator[tuple[str, str, tuple[str, str, str, str] | str]]:
    """Yield level, field and either the four names of a place or the text that is none."""
    for key, level in LEVELS:
        for number, group in enumerate(data[key]):
            field = f"{key}[{number}]"
            if not isinstance(group, dict) or not isinstance(group.get("communitys"), list):
                yield level, field, json.dumps(group, ensure_ascii=False)
                continue
            outer = [group.get(part) for part in ("province", "city", "county")]
            for index, name in enumerate(group["communitys"]):
                where = f"{field}.communitys[{index}]"
                names = _names([*outer, name])
                yield level, where, names or json.dumps(name, ensure_ascii=False)


def _names(parts: list[Any]) -> tuple[str, str, str, str] | None:
    texts = [part.strip() for part in parts if isinstance(part, str)]
    good = len(texts) == len(parts) and texts[0] and texts[-1]
    if not good or any(len(text) > NAME_LENGTH_MAX or "\0" in text for text in texts):
        return None
    province, city, county, name = texts
    return province, city, county, name


def _refused(row: int, code: str, field: str, text: str) -> Row:
    message, remedy = {
        "feeds.area-form": ("The row names no place.", "Ask the source for this row again."),
        "feeds.area-two-levels": (
            "The place is also listed at the higher level, which holds.",
            "Ask the source which level is meant.",
        ),
    }[code]
    problem = Problem(code=code, message=message, remedy=remedy, line=row, field=field)
    return Row(line=row, problems=(problem,), raw=masked(text, field="area"))


def _counts_agree(data: dict[str, Any]) -> bool:
    for key, count in COUNTS.items():
        held = sum(
            len(group["communitys"])
            for group in data[key]
            if isinstance(group, dict) and isinstance(group.get("communitys"), list)
        )
        if isinstance(data.get(count), int) and data[count] != held:
            return False
    return True


def _list_id(hour: datetime, places: list[Place]) -> str:
    """Return the list's id: its hour and its content, so a corrected list is another one."""
    rows = sorted(f"{place.level}:{place.area}" for place in places)
    digest = hashlib.sha256("\n".join(rows).encode()).hexdigest()[:8]
    return f"risk-areas:{hour.astimezone(BEIJING):%Y%m%d%H}-{digest}"
