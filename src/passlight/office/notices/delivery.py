"""Sending one notice, and what is written down about it before and after."""

import logging
from typing import Final

from django.db import transaction

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.problem import ProblemError
from passlight.messages.channels import Channels
from passlight.messages.faults import PermanentError, TemporaryError
from passlight.messages.text import Parameter, message
from passlight.office.accounts.models import Role, Unit, User
from passlight.office.notices.addresses import address_of
from passlight.office.notices.models import Contact, Notice, NoticeState
from passlight.office.notices.recipients import RoleHolder
from passlight.office.notices.tasks import BACKOFF
from passlight.runtime.catalogue import both

log = logging.getLogger("passlight.notices")

ATTEMPTS_MAX: Final = len(BACKOFF) + 1
FAILED = "messages.notice_failed"
# Who must know that a notice of the unit did not arrive; who leads the duty first.
CARERS: Final = (Role.DUTY_LEADER, Role.HALL_MANAGER, Role.STREET_OFFICE, Role.DISTRICT_OFFICE)


def deliver(notice_id: int, *, clock: Clock, channels: Channels | None = None) -> None:
    """Send a queued notice; sent is written after the channel took it.

    A process killed between the two sends again: twice is better than never.

    Raises:
        TemporaryError: the job comes back later.
    """
    with transaction.atomic():
        notice = (
            Notice.objects.select_for_update(of=("self",))
            .select_related("contact__user", "contact__unit")
            .filter(pk=notice_id)
            .first()
        )
        if notice is None or notice.state != NoticeState.QUEUED:
            return
        notice.attempts += 1
        notice.save(update_fields=["attempts"])
    try:
        _send(notice, channels or _channels())
    except TemporaryError as error:
        if notice.attempts < ATTEMPTS_MAX:
            Notice.objects.filter(pk=notice.pk).update(fault=error.fault)
            raise
        _give_up(notice, error.fault, clock=clock)
    except PermanentError as error:
        _give_up(notice, error.fault, clock=clock)
    except Exception:
        log.exception("notice %s: the program failed", notice.pk)
        _give_up(notice, "program", clock=clock)
    else:
        Notice.objects.filter(pk=notice.pk).update(
            state=NoticeState.SENT, sent_at=clock.now(), fault=""
        )


def _channels() -> Channels:
    """Return this installation's channels; a wrong file may be mended before the last attempt."""
    try:
        return Channels.of_this_installation()
    except ProblemError as error:
        log.error("%s", error)  # noqa: TRY400  # it names the field, never what stands in it
        raise TemporaryError("not-configured") from None


def _send(notice: Notice, channels: Channels) -> None:
    contact = notice.contact
    assert contact is not None, "the bell needs no sending"
    if contact.removed_at is not None:
        raise PermanentError("erased")
    try:
        told = message(notice.code, notice.params, "en" if contact.language == "en" else "zh")
    except ProblemError:
        raise PermanentError("unsafe") from None
    channels.send(contact.channel, address_of(contact), told)


def _give_up(notice: Notice, fault: str, *, clock: Clock) -> None:
    """Mark a notice as failed and put that into the bell of whoever must call now."""
    from passlight.office.notices.actions import notify

    with transaction.atomic():
        Notice.objects.filter(pk=notice.pk).update(state=NoticeState.FAILED, fault=fault)
        contact = notice.contact
        assert contact is not None
        log.warning("notice %s by %s failed: %s", notice.pk, contact.channel, fault)
        notify(
            _carers(contact.unit),
            FAILED,
            {
                "recipient": _recipient(contact),
                "channel": both(f"notices.channel.{contact.channel}"),
                "reason": both(f"messages.fault.{fault}"),
            },
            incident=notice.incident,
            clock=clock,
            outside=False,
        )


def _carers(unit: Unit) -> list[RoleHolder]:
    """Return who must know: the unit's own, or the nearest above where anybody holds the role."""
    numbers = [int(part) for part in unit.path.strip("/").split("/")]
    known = Unit.objects.in_bulk(numbers)
    held = set(
        User.objects.filter(unit__in=numbers, role__in=CARERS, locked_at=None).values_list(
            "unit", "role"
        )
    )
    holders = [
        RoleHolder(unit=known[number], role=role)
        for number in reversed(numbers)
        for role in CARERS
        if (number, role.value) in held
    ]
    return holders[:1] or [RoleHolder(unit=unit, role=Role.DUTY_LEADER)]


def _recipient(contact: Contact) -> Parameter:
    """Return what names the recipient without naming a person: the post, or the badge."""
    if contact.user is not None:
        return contact.user.badge
    return both(f"accounts.role.{contact.role}")
