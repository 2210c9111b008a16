"""Reads the KCDC's two tables: patients (three dates each) and routes (a place a day).

Dates have no time; they are days in Korea. A day begins a case, and an end counts from the
start of its day in this feed: the list says that the patient had left on that day. A patient
of whom the list says "released" or "deceased" without a date stays what the last dated fact
says, and is listed as a doubt: a colour is lifted by a dated fact, never by a guess.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from passlight.agencies.agency import RowAgency
from passlight.agencies.reading import Survey, survey, unreadable
from passlight.agencies.rows import Reading, Row
from passlight.agencies.table import Record, put_aside, read_header, read_table
from passlight.core.facts.fact import Fact, Op
from passlight.core.facts.intake import check_intake
from passlight.core.kernel.problem import Problem, ProblemError

SOURCE = "kcdc"
KOREA = timezone(timedelta(hours=9))
PATIENTS = frozenset(["patient_id", "confirmed_date", "released_date", "deceased_date", "state"])
ROUTES = frozenset(["patient_id", "date", "province", "city", "type", "latitude", "longitude"])
ENDED = frozenset(["released", "deceased"])
_PATIENT_ID = re.compile(r"[0-9]{1,20}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read(found: Survey, reading: Reading) -> Iterator[Row]:
    """Yield one row for every patient, or for every stop on a route.

    Raises:
        ProblemError: when the columns are of neither table.
    """
    columns, row = (PATIENTS, _patient) if _is_patients(found) else (ROUTES, _stop)
    for record in read_table(found, columns=columns, progress=reading.progress):
        yield record.refused or _judged(record, row(record, reading), reading)


def belongs(path: Path) -> bool:
    """Return whether a file of a folder is one of the two tables."""
    names = set(read_header(survey(path)))
    return names >= PATIENTS or names >= ROUTES


def _is_patients(found: Survey) -> bool:
    names = set(read_header(found))
    if names >= PATIENTS:
        return True
    if names >= ROUTES:
        return False
    message = "The first line is neither PatientInfo's nor PatientRoute's."
    raise unreadable(found.path, "feeds.columns", message, line=1)


def _judged(record: Record, row: Row, reading: Reading) -> Row:
    """Return the row, put aside when one of its facts is doubtful as of the publication."""
    for fact in row.facts:
        for problem in check_intake(fact, published_at=reading.published_at):
            return put_aside(record, problem)
    return row


def _patient(record: Record, reading: Reading) -> Row:
    try:
        patient = _patient_id(record)
        confirmed = _day(record, "confirmed_date")
        released = _day(record, "released_date")
        deceased = _day(record, "deceased_date")
    except ProblemError as error:
        problem = error.problems[0]
        return put_aside(record, problem, value=record.cells.get(problem.field or "", ""))
    if confirmed is None:
        return put_aside(record, _no_confirmation())
    make = _FactMaker(patient, reading.published_at)
    case = {"case_id": f"{SOURCE}:{patient}"}
    facts = [make.fact("confirmed", "case.confirmed", confirmed, payload=case)]
    if released is not None:
        facts.append(make.fact("discharged", "case.discharged", released, payload=case))
    if deceased is not None:
        facts.append(make.fact("deceased", "person.deceased", deceased, payload=case))
    doubts = _doubts(record, ends=released is not None or deceased is not None)
    return Row(line=record.line, facts=tuple(facts), doubts=doubts)


def _doubts(record: Record, *, ends: bool) -> tuple[Problem, ...]:
    state = record.cells["state"].strip()
    if state in ENDED and not ends:
        return (
            Problem(
                code="feeds.kcdc-end-undated",
                message=f"The row says {state} and gives no date; the case stays open.",
                remedy="Ask the source for the date.",
                line=record.line,
                field="released_date" if state == "released" else "deceased_date",
                params={"state": state},
            ),
        )
    return ()


def _stop(record: Record, reading: Reading) -> Row:
    try:
        patient = _patient_id(record)
        day = _day(record, "date")
    except ProblemError as error:
        problem = error.problems[0]
        return put_aside(record, problem, value=record.cells.get(problem.field or "", ""))
    if day is None:
        return put_aside(record, _no_date(), value=record.cells["date"])
    names = {key: record.cells[key].strip() for key in ("province", "city", "type")}
    where = {key: record.cells[key].strip() for key in ("latitude", "longitude")}
    place = _place_id(*names.values(), *where.values())
    make = _FactMaker(patient, reading.published_at)
    fact = make.fact(
        f"stay:{record.cells['date'].strip()}:{place}",
        "stay",
        day,
        until=day + timedelta(days=1),
        payload={"area": place, **names, **where},
    )
    return Row(line=record.line, facts=(fact,))


class _FactMaker:
    """Makes the facts of one patient; ids are stable, so a list that comes again adds nothing."""

    def __init__(self, patient: str, published_at: datetime) -> None:
        self.subject = f"{SOURCE}:{patient}"
        self.published_at = published_at

    def fact(
        self,
        key: str,
        kind: str,
        at: datetime,
        *,
        payload: dict[str, Any],
        until: datetime | None = None,
    ) -> Fact:
        return Fact(
            fact_id=f"{self.subject}:{key}",
            ver=1,
            op=Op.ASSERT,
            kind=kind,
            subject=self.subject,
            occurred_at=at,
            occurred_until=until,
            recorded_at=self.published_at,
            source=SOURCE,
            payload=payload,
        )


def _patient_id(record: Record) -> str:
    text = record.cells["patient_id"].strip()
    if not _PATIENT_ID.fullmatch(text):
        raise ProblemError(
            Problem(
                code="feeds.kcdc-patient",
                message="The row names no patient.",
                remedy="Ask the source for the patient's number.",
                line=record.line,
                field="patient_id",
            )
        )
    return text


def _day(record: Record, column: str) -> datetime | None:
    """Return the start of the day in a cell; None when it is empty."""
    text = record.cells[column].strip()
    if not text:
        return None
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=KOREA).astimezone(UTC)
    except ValueError:
        raise ProblemError(
            Problem(
                code="feeds.day-form",
                message="The date is not written YYYY-MM-DD or does not exist.",
                remedy="Ask the source for the date.",
                line=record.line,
                field=column,
            )
        ) from None


def _no_confirmation() -> Problem:
    return Problem(
        code="feeds.kcdc-unconfirmed",
        message="The patient has no date of confirmation.",
        remedy="Ask the source for the date; without it nobody is given a colour.",
        field="confirmed_date",
    )


def _no_date() -> Problem:
    return Problem(
        code="feeds.kcdc-stop-undated",
        message="The stop has no date.",
        remedy="Ask the source for the date.",
        field="date",
    )


def _place_id(*parts: str) -> str:
    return "k-" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


AGENCY = RowAgency(
    name="kcdc",
    suffixes=(".csv",),
    freshness=timedelta(days=2),
    read=read,
    header=True,
    belongs=belongs,
)
