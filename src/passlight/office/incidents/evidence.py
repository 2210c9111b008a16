"""Evidence files: a recording or screenshot, looked at for what it is, sealed, named by digest."""

import base64
import hashlib
from uuid import UUID

from django.db import transaction

from passlight.core.incidents.event import Evidence, What
from passlight.core.incidents.steps import Channel, Step
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import allowed
from passlight.office.incidents.models import EvidenceFile, StoredIncident
from passlight.office.incidents.queries import incidents_visible
from passlight.office.incidents.recording import add, hold
from passlight.office.incidents.refusing import refused
from passlight.office.people.models import Person
from passlight.office.people.queries import log_evidence
from passlight.office.people.vault import Cell, vault

BYTES_MAX = 5 * 1024 * 1024
FILES_MAX = 20
# What a phone makes of a screenshot or a recorded call, by its first bytes; nothing that runs.
_TYPES: tuple[tuple[str, int, bytes], ...] = (
    ("image/png", 0, b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", 0, b"\xff\xd8\xff"),
    ("image/webp", 8, b"WEBP"),
    ("audio/wav", 8, b"WAVE"),
    ("audio/mpeg", 0, b"ID3"),
    ("audio/mpeg", 0, b"\xff\xfb"),
    ("audio/amr", 0, b"#!AMR"),
    ("audio/ogg", 0, b"OggS"),
    ("audio/mp4", 4, b"ftypM4A"),
    ("audio/mp4", 4, b"ftyp3gp"),
)


def media_type_of(data: bytes) -> str | None:
    """Return what the bytes are, by themselves and not by a name; None when we keep no such."""
    for name, start, mark in _TYPES:
        if data[start : start + len(mark)] == mark:
            return name
    return None


def check_file(data: bytes) -> str:
    """Return the media type of a file that may be kept.

    Raises:
        ProblemError: when it is empty, too big, or nothing we keep.
    """
    media_type = media_type_of(data)
    if len(data) > BYTES_MAX:
        raise refused(
            "file-size", "The file is too big.", field="file", megabytes=str(BYTES_MAX // 1024**2)
        )
    if media_type is None:
        raise refused("file-type", "Send a picture or a recording.", field="file")
    return media_type


def add_evidence(
    incident: UUID,
    data: bytes,
    *,
    step: Step,
    actor: User,
    clock: Clock,
    entropy: Entropy,
    channel: Channel = Channel.SYSTEM,
) -> EvidenceFile:
    """Seal a file beside an incident and add the event that names its digest.

    Raises:
        ProblemError: when the file cannot be kept, or the step it proves is not done.
    """
    media_type = check_file(data)
    digest = hashlib.sha256(data)
    with transaction.atomic():
        visible = incidents_visible(actor).filter(pk=incident).exists()
        if not visible or not allowed(actor, "incidents.note"):
            raise refused("not-yours", "This incident is not of your unit.", field="file")
        held = hold(incident)
        if EvidenceFile.objects.filter(incident=held.stored).count() >= FILES_MAX:
            raise refused("file-count", "There are too many files already.", field="file")
        event = add(
            held,
            What.EVIDENCE,
            actor=actor,
            clock=clock,
            step=step,
            evidence=Evidence(channel=channel, who="", digest=digest.hexdigest()),
        )
        file = EvidenceFile(
            id=UUID(bytes=entropy.token(16), version=4),
            incident=held.stored,
            event=event.number,
            media_type=media_type,
            size=len(data),
            digest=digest.digest(),
            added_by=actor,
            added_at=event.recorded_at,
        )
        (file.sealed,) = vault().seal([(_cell(file), base64.b64encode(data).decode())])
        file.save(force_insert=True)
        return file


def open_file(file: EvidenceFile, *, actor: User, clock: Clock) -> bytes:
    """Return the bytes of an evidence file as they came in, and write the access row.

    Call it inside the transaction that answers.

    Raises:
        ErasedError: when its incident's key was destroyed.
        UnloggedReadError: outside ``transaction.atomic``.
    """
    incident = file.incident
    person = Person.objects.filter(visits_key=incident.visits_key or "").first()
    if person is not None:
        place = incident.venue.name
        log_evidence(person, actor=actor, case=incident.number, place=place, clock=clock)
    data = base64.b64decode(vault().unseal(_cell(file), bytes(file.sealed)))
    assert hashlib.sha256(data).digest() == bytes(file.digest), "the seal binds the bytes"
    return data


def files_of(stored: StoredIncident) -> list[EvidenceFile]:
    """Return what is kept beside an incident, without the bytes."""
    rows = EvidenceFile.objects.filter(incident=stored).defer("sealed")
    return list(rows.select_related("added_by").order_by("event"))


def _cell(file: EvidenceFile) -> Cell:
    return Cell(
        holder=f"incident:{file.incident_id}",
        table="incidents_evidence",
        column="sealed",
        row=str(file.pk),
    )
