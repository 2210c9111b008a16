"""Reading people. No log, no read: a sealed field opens only beside its access row.

``masked_identity`` and ``open_identity`` write the row and open the seal in one transaction
and refuse outside of one, so whatever undoes the row also keeps the caller from answering.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import connection

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.documents import Document, DocumentType
from passlight.core.kernel.masking import mask_document, mask_name
from passlight.office.accounts.models import Unit, User
from passlight.office.people.actions import pseudonym
from passlight.office.people.identity import (
    DOCUMENTS_DOMAIN,
    Purpose,
    claim_cell,
    document_cell,
    person_cell,
)
from passlight.office.people.models import Access, DocumentLink, IdentityTask, Person
from passlight.office.people.vault import ErasedError, vault
from passlight.runtime.clock import SystemClock

if TYPE_CHECKING:
    from django.db.models import QuerySet

CLOCK = SystemClock()
MASKED_FIELDS = ("name", "document")
ACCESS_ROWS_MAX = 1_000


class UnloggedReadError(RuntimeError):
    """Somebody tried to read a person's data where no access row could bind them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedIdentity:
    """What a checker or a clerk sees: enough to compare with the person in front of them.

    ``name`` is empty for somebody known by a document alone; both are empty once erased.
    """

    name: str
    document_type: DocumentType | None
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIdentity:
    """The full values that were asked for; shown once and never stored."""

    name: str = ""
    documents: tuple[Document, ...] = ()
    phone: str = ""
    birth: str = ""

    def __repr__(self) -> str:
        return "OpenIdentity(<hidden>)"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEntry:
    """One reading as the person sees it: a unit and a badge, never a colleague's name."""

    at: datetime
    unit: Unit | None
    role: str
    badge: str
    fields: tuple[str, ...]
    masked: bool
    purpose: str
    case: str
    place: str


def find_by_document(document: Document) -> Person | None:
    """Return the person whom this document names now; nobody is ever found by name."""
    handle = pseudonym(DOCUMENTS_DOMAIN, document)
    link = DocumentLink.objects.filter(handle=handle, valid_until=None).select_related("person")
    found = link.first()
    return found.person if found is not None else None


def masked_identity(
    person: Person,
    *,
    actor: User,
    purpose: str,
    place: str = "",
    case: str = "",
    clock: Clock = CLOCK,
) -> MaskedIdentity:
    """Return name and first document under their masks, and write the access row.

    Raises:
        UnloggedReadError: outside ``transaction.atomic``.
    """
    _log(person, actor, MASKED_FIELDS, purpose, masked=True, place=place, case=case, clock=clock)
    name = _field(person, "name_sealed")
    document = next(iter(_documents(person)), None)
    return MaskedIdentity(
        name=mask_name(name) if name else "",
        document_type=document.type if document else None,
        document=mask_document(document) if document else "",
    )


def log_found(
    person: Person, *, actor: User, purpose: str, place: str = "", clock: Clock = CLOCK
) -> None:
    """Write that somebody was found by their document; nothing sealed is opened.

    Raises:
        UnloggedReadError: outside ``transaction.atomic``.
    """
    _log(person, actor, ("document",), purpose, masked=True, place=place, case="", clock=clock)


def log_evidence(
    person: Person, *, actor: User, case: str, place: str = "", clock: Clock = CLOCK
) -> None:
    """Write that somebody opened a recording or screenshot about this person.

    Raises:
        UnloggedReadError: outside ``transaction.atomic``.
    """
    purpose = Purpose.INCIDENT
    _log(person, actor, ("evidence",), purpose, masked=False, place=place, case=case, clock=clock)


def open_identity(
    person: Person,
    *,
    actor: User,
    purpose: str,
    fields: Iterable[str] = Access.FIELDS,
    place: str = "",
    case: str = "",
    clock: Clock = CLOCK,
) -> OpenIdentity:
    """Return the full values of ``fields``, and write the access row that names them.

    Raises:
        UnloggedReadError: outside ``transaction.atomic``.
    """
    wanted = tuple(name for name in Access.FIELDS if name in set(fields))
    assert wanted, "a read names its fields"
    _log(person, actor, wanted, purpose, masked=False, place=place, case=case, clock=clock)
    return OpenIdentity(
        name=_field(person, "name_sealed") if "name" in wanted else "",
        documents=tuple(_documents(person)) if "document" in wanted else (),
        phone=_field(person, "phone_sealed") if "phone" in wanted else "",
        birth=_field(person, "birth_sealed") if "birth" in wanted else "",
    )


def own_identity(person: Person, *, actor: User, clock: Clock = CLOCK) -> MaskedIdentity:
    """Return a person's own masked identity, for their own pages; logged like every read.

    Raises:
        UnloggedReadError: when ``actor`` is not that person, or outside a transaction.
    """
    if actor.person_id != person.pk:
        raise UnloggedReadError("these are the pages of the person themselves")
    return masked_identity(person, actor=actor, purpose=Purpose.OWN, clock=clock)


def access_log(person: Person) -> list[AccessEntry]:
    """Return who read this person's data, newest first; their own pages are left out."""
    rows = (
        Access.objects.filter(person=person)
        .exclude(purpose=Purpose.OWN)
        .select_related("actor", "unit")
        .order_by("-seq")[:ACCESS_ROWS_MAX]
    )
    return [
        AccessEntry(
            at=row.at,
            unit=row.unit,
            role=row.role,
            badge=row.actor.badge,
            fields=tuple(row.fields),
            masked=row.masked,
            purpose=row.purpose,
            case=row.case,
            place=row.place,
        )
        for row in rows
    ]


def accesses() -> "QuerySet[Access]":
    """Return every access row, newest first, for the auditor."""
    return Access.objects.select_related("actor", "unit", "person").order_by("-seq")


def claimed_name(task: IdentityTask, *, actor: User, case: str = "", clock: Clock = CLOCK) -> str:
    """Return the second name of an identity task under its mask, and write the access row."""
    person = task.document.person
    _log(
        person,
        actor,
        ("name",),
        Purpose.CORRECTION,
        masked=True,
        place="",
        case=case or f"task-{task.pk}",
        clock=clock,
    )
    cell = claim_cell(person.pk, task.document_id, bytes(task.name_mark))
    try:
        return mask_name(vault().unseal(cell, bytes(task.name_sealed)))
    except ErasedError:
        return ""


def _log(
    person: Person,
    actor: User,
    fields: tuple[str, ...],
    purpose: str,
    *,
    masked: bool,
    place: str,
    case: str,
    clock: Clock,
) -> None:
    """Write the access row. First, so that a full or refused log stops the read as well."""
    if not connection.in_atomic_block:
        raise UnloggedReadError("open a person's data inside transaction.atomic()")
    Access.objects.create(
        person=person,
        actor=actor,
        unit=actor.unit,
        role=actor.role,
        fields=list(fields),
        masked=masked,
        purpose=Purpose(purpose).value,
        case=case[:64],
        place=place[:160],
        at=clock.now(),
    )


def _field(person: Person, column: str) -> str:
    sealed = getattr(person, column)
    if sealed is None:
        return ""
    try:
        return vault().unseal(person_cell(person.pk, column), bytes(sealed))
    except ErasedError:
        return ""


def _documents(person: Person) -> Iterable[Document]:
    links = person.documents.filter(valid_until=None).order_by("valid_from", "id")
    for link in links:
        try:
            number = vault().unseal(document_cell(person.pk, link.pk), bytes(link.number_sealed))
        except ErasedError:
            return
        yield Document(type=DocumentType(link.type), number=number)
