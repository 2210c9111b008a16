"""How a person's sealed fields are written and named: cells, canonical names, purposes."""

import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from passlight.core.kernel.documents import Document
from passlight.office.people.vault import Cell

FACTS_DOMAIN = "facts"
VISITS_DOMAIN = "visits"
DOCUMENTS_DOMAIN = "documents"
NAME_DOMAIN = "name"
PREFIXES = {FACTS_DOMAIN: "p-", VISITS_DOMAIN: "v-", DOCUMENTS_DOMAIN: "d-"}
NAME_LENGTH_MAX = 120


class Purpose(StrEnum):
    """Why somebody reads a person's data; a closed list, shown to the person."""

    DOOR = "door"
    REGISTER = "register"
    COUNTER = "counter"
    INCIDENT = "incident"
    CORRECTION = "correction"
    REVIEW = "review"
    OWN = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """What a registration says; ``documents`` holds at least one, the first one is the key."""

    documents: tuple[Document, ...]
    name: str
    phone: str = ""
    born_on: date | None = None

    def __post_init__(self) -> None:
        assert self.documents, "a person is registered by a document"
        assert self.name.strip(), "a person has a name"

    def __repr__(self) -> str:
        return "NewPerson(<hidden>)"


def person_cell(person: UUID, column: str) -> Cell:
    """Return where one sealed field of a person lives."""
    return Cell(holder=str(person), table="people_person", column=column, row=str(person))


def document_cell(person: UUID, document: UUID) -> Cell:
    """Return where a document's number lives; the person's key seals it."""
    return Cell(
        holder=str(person), table="people_document", column="number_sealed", row=str(document)
    )


def claim_cell(person: UUID, document: UUID, mark: bytes) -> Cell:
    """Return where the second name of an identity task lives."""
    row = f"{document}:{mark.hex()}"
    return Cell(holder=str(person), table="people_identitytask", column="name_sealed", row=row)


def name_content(person: UUID, name: str) -> bytes:
    """Return what a name's mark is made of: equal for one name however it is typed.

    The person is part of it, so two people of one name have marks that differ.
    """
    text = unicodedata.normalize("NFKC", name).casefold()
    letters = "".join(c for c in text if c.isalnum())
    return person.bytes + letters.encode()
