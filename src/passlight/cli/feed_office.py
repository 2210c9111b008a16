"""The part of ``passlight feed`` that lands files in this installation's database."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from passlight.agencies.rows import Reading, Reconciliation
from passlight.cli.feed_report import Report, Request, progress_bar
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.runtime.clock import SystemClock

if TYPE_CHECKING:
    from passlight.office.feeds.models import Batch


def land_files(request: Request, report: Report) -> Reconciliation:
    """Land every file in turn and return what became of all rows.

    A file that cannot be read is named, and the others still land.

    Raises:
        ProblemError: when there is no database to land in.
    """
    _set_up()
    from django.db import DatabaseError

    try:
        return _land_all(request, report)
    except DatabaseError as error:
        raise ProblemError(
            Problem(
                code="feeds.database",
                message=f"The database refused or went away ({_first_line(error)}).",
                remedy="What was landed is kept; run passlight migrate, then feed the files again.",
            )
        ) from error


def _land_all(request: Request, report: Report) -> Reconciliation:
    total = Reconciliation()
    for path in request.files:
        report.file = path.name
        try:
            batch = _land(request, path)
        except ProblemError as error:
            for problem in error.problems:
                report.unreadable(problem)
            continue
        _tell(batch, report)
        total += batch.reconciliation
    return total


def _set_up() -> None:
    """Load Django under the role that this process was given (the office's by default)."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "passlight.office.settings")  # noqa: TID251  # set, not read
    import django
    from django.db import DatabaseError, connection

    django.setup()
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        raise ProblemError(
            Problem(
                code="feeds.no-database",
                message=f"The installation's database does not answer ({_first_line(error)}).",
                remedy="Run passlight migrate, or write to a file with --out.",
            )
        ) from None


def _land(request: Request, path: Path) -> "Batch":
    from passlight.office.feeds.actions import Delivery, land, receive_file
    from passlight.office.feeds.models import BatchState

    clock = SystemClock()
    delivery = Delivery(
        agency=request.agency.name,
        path=path,
        file_name=path.name,
        as_of=request.as_of,
        mapping=request.mapping_text,
    )
    batch = receive_file(delivery, clock=clock)
    if batch.state == BatchState.UNREADABLE:
        from passlight.office.feeds.queries import reason_text

        params = {str(key): str(value) for key, value in batch.reason_params.items()}
        message = reason_text(batch.reason, params, "en")
        raise ProblemError(Problem(code=batch.reason, message=message, file=path.name))
    with progress_bar(path, batch.size_bytes) as advance:
        return land(
            batch,
            path,
            clock=clock,
            progress=Reading(now=clock.now(), progress=advance),
            vanish_percent_max=request.breaker.vanish_percent_max,
            release=request.breaker.release,
        )


def _tell(batch: "Batch", report: Report) -> None:
    """Say what the batch put aside, holds and doubts."""
    from passlight.office.feeds.queries import reason_text

    for row in batch.quarantined_rows.order_by("line").iterator():
        report.quarantined(
            Problem(
                code=row.code,
                message=reason_text(row.code, row.params, "en"),
                line=row.line,
                field=row.field or None,
            ),
            raw=row.raw,
        )
    for doubt in batch.doubts.order_by("line").iterator():
        message = reason_text(doubt.code, doubt.params, "en")
        report.finding(
            Problem(code=doubt.code, message=message, line=doubt.line, field=doubt.field or None)
        )
    if batch.reason:
        message = reason_text(batch.reason, batch.reason_params, "en")
        report.finding(Problem(code=batch.reason, message=message))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
