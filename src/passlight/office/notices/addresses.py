"""The sealed addresses of contacts: every contact has a data key of its own."""

from uuid import UUID

from passlight.messages.faults import PermanentError
from passlight.office.notices.models import Contact
from passlight.office.people.vault import Cell, ErasedError, vault

MARK_DOMAIN = "notices"


def seal_address(contact: UUID, address: str) -> bytes:
    """Return the address sealed for one contact."""
    return vault().seal([(_cell(contact), address)])[0]


def mark_of(channel: str, address: str) -> bytes:
    """Return the keyed digest that tells two addresses of a channel apart."""
    return vault().mark(MARK_DOMAIN, f"{channel}\x1f{address}".encode())


def address_of(contact: Contact) -> str:
    """Return a contact's address.

    Raises:
        PermanentError: when its key was destroyed.
    """
    try:
        return vault().unseal(_cell(contact.pk), bytes(contact.address_sealed))
    except ErasedError:
        raise PermanentError("erased") from None


def erase_address(contact: Contact) -> None:
    """Destroy the key of a contact: nobody reads its address any more."""
    vault().erase(_holder(contact.pk))


def _holder(contact: UUID) -> str:
    return f"contact:{contact}"


def _cell(contact: UUID) -> Cell:
    return Cell(
        holder=_holder(contact),
        table="notices_contact",
        column="address_sealed",
        row=str(contact),
    )
