"""Identity documents: their types, canonical form and checks (field/08 1.7, GB 11643)."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from passlight.core.kernel.problem import Problem, ProblemError


class DocumentType(StrEnum):
    """What kind of document names a person."""

    RESIDENT_ID = "resident-id"
    PASSPORT = "passport"
    HK_MO_PERMIT = "hk-mo-permit"
    TW_PERMIT = "tw-permit"
    FOREIGN_PR = "foreign-pr"
    AGENCY = "agency"


# Codes of a provincial gate interface (field/01 1.3); 99 (other) is an agency's own key.
GATE_CODES = {
    "10": DocumentType.RESIDENT_ID,
    "14": DocumentType.HK_MO_PERMIT,
    "15": DocumentType.TW_PERMIT,
    "20": DocumentType.PASSPORT,
    "34": DocumentType.FOREIGN_PR,
    "99": DocumentType.AGENCY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of one person in its canonical form; make it with ``read_document``."""

    type: DocumentType
    number: str

    @property
    def canonical(self) -> bytes:
        """Return the bytes that a pseudonym is made of: two types never collide."""
        return f"{self.type}\x1f{self.number}".encode()

    def __repr__(self) -> str:
        return f"Document(type={self.type.value!r}, number=<hidden>)"


def read_document(kind: str, number: str) -> Document:
    """Return the document in canonical form; ``kind`` is a type's name or a gate's code.

    Raises:
        ProblemError: when the type is unknown or the number cannot be of that type.
    """
    try:
        found = GATE_CODES.get(kind) or DocumentType(kind)
    except ValueError:
        raise ProblemError(
            Problem(
                code="people.document-type",
                message="The document type is not one we know.",
                remedy=f"Use one of {', '.join(DocumentType)}.",
                field="type",
            )
        ) from None
    text = canonical_number(found, number)
    if found is DocumentType.RESIDENT_ID:
        text = _resident_id(text)
    elif not _FORMATS[found].fullmatch(text):
        raise ProblemError(
            Problem(
                code=f"people.document-{found.value}",
                message=f"This is not the number of a {found.value}.",
                remedy="Read it again from the document.",
                field="number",
            )
        )
    return Document(type=found, number=text)


def canonical_number(kind: DocumentType, number: str) -> str:
    """Return ``number`` in NFKC without spaces and separators, in capitals.

    An agency's key keeps its case: it is somebody else's, and two keys that differ in case
    may be two people. A wrong merge is worse than a person known twice.
    """
    text = unicodedata.normalize("NFKC", number)
    text = "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")
    if kind is DocumentType.AGENCY:
        return text
    return text.upper().replace("-", "").replace("·", "")


def check_digit(first17: str) -> str:
    """Return the 18th character of a resident id (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * pow(2, 17 - i, 11) for i, digit in enumerate(first17))
    return "10X98765432"[total % 11]


def region_known(document: Document) -> bool:
    """Return whether a resident id begins with a province's code; only ever a warning.

    Codes were abolished and reused, so an unknown one never refuses a person.
    """
    return document.type is not DocumentType.RESIDENT_ID or document.number[:2] in _PROVINCES


def _resident_id(text: str) -> str:
    if re.fullmatch(r"[0-9]{15}", text):  # before 1999: no century, no check digit
        first17 = f"{text[:6]}19{text[6:]}"
        return first17 + check_digit(first17)
    if not re.fullmatch(r"[0-9]{17}[0-9X]", text):
        raise ProblemError(
            Problem(
                code="people.document-resident-id",
                message="A resident identity number has 18 characters: 17 digits and one more.",
                remedy="Read it again from the card.",
                field="number",
            )
        )
    if check_digit(text[:17]) != text[17]:
        raise ProblemError(
            Problem(
                code="people.document-check-digit",
                message="The last character does not fit the 17 digits before it.",
                remedy="One character was misread; read the number again from the card.",
                field="number",
            )
        )
    return text


_FORMATS = {
    DocumentType.PASSPORT: re.compile(r"[A-Z0-9]{5,15}"),
    DocumentType.HK_MO_PERMIT: re.compile(r"[HM][0-9]{8}([0-9]{2})?"),
    DocumentType.TW_PERMIT: re.compile(r"[0-9]{8}([0-9]{2})?"),
    # Permanent residence card: 15 characters of 2004, 18 digits of 2023 (built as GB 11643).
    DocumentType.FOREIGN_PR: re.compile(r"[A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X]"),
    DocumentType.AGENCY: re.compile(r"[a-z0-9][a-z0-9-]{0,31}:[!-~]{1,80}"),
}
# The first two digits of GB/T 2260, and 83 for residence permits of Taiwan residents.
_PROVINCES = frozenset(
    re.findall(
        "[0-9]{2}",
        "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54"
        " 61 62 63 64 65 71 81 82 83",
    )
)
