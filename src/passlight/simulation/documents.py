"""Fictional documents: numbers that nobody holds and every check accepts.

Resident ids begin with 999999, which GB/T 2260 gives to no region: the product warns of it
and takes the number, and no real person can have it. Passports begin with SIM; phone numbers
with 120, which is no mobile prefix.
"""

from datetime import date

from passlight.core.kernel.documents import Document, DocumentType, check_digit

REGION = "999999"
PASSPORT_PREFIX = "SIM"
PHONE_PREFIX = "120"
A_DAY = 1000  # serial numbers of one day of birth


class DocumentSerials:
    """Gives each number once."""

    def __init__(self) -> None:
        self._of_day: dict[date, int] = {}
        self._passports = 0

    def resident_id(self, born: date) -> Document:
        """Return the next resident id of somebody born on that day."""
        serial = self._of_day.get(born, 0)
        assert serial < A_DAY, f"more than {A_DAY} fictional people were born on {born}"
        self._of_day[born] = serial + 1
        first17 = f"{REGION}{born:%Y%m%d}{serial:03d}"
        return Document(type=DocumentType.RESIDENT_ID, number=first17 + check_digit(first17))

    def passport(self) -> Document:
        """Return the next fictional passport."""
        self._passports += 1
        return Document(
            type=DocumentType.PASSPORT, number=f"{PASSPORT_PREFIX}{self._passports:06d}"
        )


def phone_number(number: int) -> str:
    """Return the fictional phone number of resident ``number``."""
    return f"{PHONE_PREFIX}{number:08d}"


def with_wrong_check_digit(number: str) -> str:
    """Return ``number`` with another last character: what a misread card looks like."""
    return number[:-1] + ("0" if number[-1] != "0" else "1")
