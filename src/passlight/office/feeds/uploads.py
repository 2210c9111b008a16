"""Files that were uploaded: kept until they have landed, landed beside the request.

The request answers at once; a thread lands the file and the page follows the batch. A process
that dies leaves file and batch, and the steward resumes it from the page.
"""

import logging
import os
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connections

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.models import User
from passlight.office.feeds.actions import Delivery, land, receive_file
from passlight.office.feeds.models import Batch, BatchState

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

logger = logging.getLogger(__name__)
#: Landings that one process runs at a time; more wait their turn.
LANDINGS_AT_ONCE = 2
_turns = threading.BoundedSemaphore(LANDINGS_AT_ONCE)


def receive_upload(
    file: "UploadedFile[bytes]",
    *,
    agency: str,
    mapping: str,
    as_of: datetime | None,
    actor: User,
    clock: Clock,
    entropy: Entropy,
) -> Batch:
    """Keep an uploaded file and return its batch; landing it is the next step."""
    draft = _folder() / f"{entropy.token(16).hex()}.new"
    with draft.open("xb") as kept:
        for piece in file.chunks():
            kept.write(piece)
        kept.flush()
        os.fsync(kept.fileno())
    batch = receive_file(
        Delivery(
            agency=agency,
            path=draft,
            file_name=Path(file.name or "file").name,
            as_of=as_of,
            mapping=mapping,
            received_by=actor,
        ),
        clock=clock,
    )
    if batch.state == BatchState.LANDING:
        draft.replace(kept_file(batch))
    else:
        draft.unlink()
    return batch


def kept_file(batch: Batch) -> Path:
    """Return where the uploaded file of a batch is kept while it lands."""
    return _folder() / f"batch-{batch.pk}"


def land_kept(batch: Batch, *, clock: Clock) -> None:
    """Land a kept file now and remove it; what is wrong with it is on the batch."""
    path = kept_file(batch)
    try:
        land(batch, path, clock=clock)
    except ProblemError as error:
        logger.warning("batch %s: %s", batch.pk, error.problems[0].code)
    state = Batch.objects.values_list("state", flat=True).get(pk=batch.pk)
    if state != BatchState.LANDING:
        path.unlink(missing_ok=True)


def land_beside(batch: Batch, *, clock: Clock) -> None:
    """Land a kept file in a thread of its own."""

    def run() -> None:
        with _turns:
            try:
                land_kept(batch, clock=clock)
            except Exception:
                # The batch stays as it was; the page offers to resume it.
                logger.exception("batch %s was interrupted", batch.pk)
            finally:
                connections.close_all()

    threading.Thread(target=run, name=f"batch-{batch.pk}", daemon=True).start()


def _folder() -> Path:
    folder: Path = settings.PASSLIGHT.home / "feeds"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
