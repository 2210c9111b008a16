"""What a card reader says: ``type=id,value=<number>`` a line, or the bare number."""

import re

from passlight.core.kernel.documents import Document, read_document
from passlight.core.kernel.problem import ProblemError

_LINE = re.compile(
    r"\s*type\s*=\s*([a-z0-9-]{1,16})\s*,\s*value\s*=\s*(.{1,64}?)\s*", re.IGNORECASE
)
# A resident card's number, also as the oldest cards have it.
_BARE = re.compile(r"\s*([0-9]{15}|[0-9]{17}[0-9Xx])\s*")
# The words readers use (field/07 4) beside the codes of gates and our own names of types.
_WORDS = {"id": "resident-id", "idcard": "resident-id", "10": "resident-id"}


def read_id_text(text: str) -> Document | str:
    """Return the document that ``text`` names, or the code of the fault; never a guess.

    A number whose check digit does not fit (GB 11643) was misread: it names nobody.
    """
    line = _LINE.fullmatch(text)
    bare = _BARE.fullmatch(text)
    if line is not None:
        kind, number = line.group(1).lower(), line.group(2)
    elif bare is not None:
        kind, number = "resident-id", bare.group(1)
    else:
        return "kiosk.device.id-line"
    try:
        return read_document(_WORDS.get(kind, kind), number)
    except ProblemError as error:
        known = error.problems[0].code
        return "kiosk.device.id-type" if known == "people.document-type" else "kiosk.device.id-read"
