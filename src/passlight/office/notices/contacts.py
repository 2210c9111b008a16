"""Commands on contacts: add, remove, and send a test to one."""

from uuid import UUID

from django.db import IntegrityError, transaction

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.messages.addresses import mask_address, read_address
from passlight.office.accounts.models import User
from passlight.office.notices.actions import queue_notice
from passlight.office.notices.addresses import erase_address, mark_of, seal_address
from passlight.office.notices.models import Contact, Notice, NoticeChannel
from passlight.office.notices.recipients import Recipient, RoleHolder
from passlight.runtime.catalogue import Language

TEST = "messages.test"


def add_contact(
    recipient: Recipient,
    channel: NoticeChannel,
    address: str,
    *,
    language: Language,
    actor: User | None,
    clock: Clock,
    entropy: Entropy,
) -> Contact:
    """Add a way to reach a user or whoever holds a role; the address is stored sealed.

    Raises:
        ProblemError: when the address is none of that channel, or known already.
    """
    plain = read_address(channel, address)
    contact_id = UUID(bytes=entropy.token(16), version=4)
    holder = recipient if isinstance(recipient, RoleHolder) else None
    user = recipient if isinstance(recipient, User) else None
    unit = recipient.unit
    if unit is None:
        raise _problem("unit", "unit", "Choose a user of a unit.")
    contact = Contact(
        id=contact_id,
        unit=unit,
        user=user,
        role=holder.role if holder else "",
        channel=channel,
        language=language,
        address_sealed=seal_address(contact_id, plain),
        mark=mark_of(channel, plain),
        hint=mask_address(channel, plain),
        added_by=actor,
        added_at=clock.now(),
    )
    try:
        with transaction.atomic():
            contact.save(force_insert=True)
    except IntegrityError:
        erase_address(contact)
        raise _problem("address_known", "address", "It is in the list already.") from None
    return contact


def remove_contact(contact: Contact, *, clock: Clock) -> None:
    """Take a contact out of use and destroy the key of its address; the row stays as history."""
    Contact.objects.filter(pk=contact.pk, removed_at=None).update(removed_at=clock.now())
    transaction.on_commit(lambda: erase_address(contact))


def send_test(contact: Contact, *, clock: Clock) -> Notice:
    """Send a test notice to one contact; its state shows whether it arrived."""
    unit = {"zh": contact.unit.name, "en": contact.unit.name_en}
    with transaction.atomic():
        return queue_notice(contact, TEST, {"unit": unit}, clock=clock)


def _problem(code: str, field: str, remedy: str) -> ProblemError:
    return ProblemError(
        Problem(
            code=f"notices.field.{code}",
            message="The contact cannot be added.",
            remedy=remedy,
            field=field,
        )
    )
