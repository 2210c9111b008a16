"""Telling people: ``notify`` writes what must be sent into the caller's transaction.

The row and its job are one with the news: rolled back together, and once committed they are
sent however often the sender dies. A message may therefore arrive twice, and never not at all.
"""

import hashlib
import json
import logging
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.problem import ProblemError
from passlight.messages.text import Parameters, message
from passlight.office.accounts.models import Role, User
from passlight.office.notices.models import Contact, Notice, NoticeChannel, NoticeState
from passlight.office.notices.queries import bell_of
from passlight.office.notices.recipients import Recipient, RoleHolder
from passlight.office.notices.tasks import deliver_notice
from passlight.runtime.catalogue import LANGUAGES

log = logging.getLogger("passlight.notices")

# The same words to the same address about the same thing are sent once in this time.
SAME_WITHIN = timedelta(minutes=10)
WITHHELD = "messages.withheld"


def notify(
    recipients: Iterable[Recipient],
    code: str,
    params: Parameters,
    *,
    clock: Clock,
    incident: UUID | None = None,
    outside: bool = True,
) -> list[Notice]:
    """Tell ``recipients``: in their bell and, unless not ``outside``, over every contact.

    Call it inside the transaction that makes the news. A text that the guard refuses does not
    undo the news: "log in to read" goes out in its place, and the row says so.
    """
    assert connection.in_atomic_block, "notices belong to the transaction of what they tell"
    withheld = _unsafe(code, params)
    if withheld:
        code, params = WITHHELD, {}
    drafts = [
        _draft(recipient, contact, code, params, incident=incident, clock=clock)
        for recipient in recipients
        for contact in (None, *(_contacts(recipient) if outside else ()))
    ]
    for draft in drafts:
        draft.withheld = withheld
    return _keep_new(drafts, clock=clock)


def queue_notice(contact: Contact, code: str, params: Parameters, *, clock: Clock) -> Notice:
    """Send one message to one contact, whether or not the same was sent a moment ago."""
    assert connection.in_atomic_block, "notices belong to the transaction of what they tell"
    recipient = contact.user or RoleHolder(unit=contact.unit, role=Role(contact.role))
    notice = _draft(recipient, contact, code, params, incident=None, clock=clock)
    _store([notice])
    return notice


def send_again(notice: Notice) -> None:
    """Queue a failed notice once more, with all its attempts."""
    with transaction.atomic():
        queued = Notice.objects.filter(pk=notice.pk, state=NoticeState.FAILED).update(
            state=NoticeState.QUEUED, attempts=0, fault=""
        )
        if queued:
            deliver_notice.defer(notice=notice.pk)


def mark_read(user: User, notices: Iterable[int] | None, *, clock: Clock) -> int:
    """Mark notices in the user's bell as read, or all of them; return how many were unread."""
    mine = bell_of(user).filter(state=NoticeState.SENT)
    if notices is not None:
        mine = mine.filter(pk__in=list(notices))
    return mine.update(state=NoticeState.READ, read_at=clock.now(), read_by=user)


def mark_seen(user: User, incident: UUID, *, clock: Clock) -> int:
    """Mark what the user's bell says about an incident as read: they look at the incident."""
    mine = bell_of(user).filter(state=NoticeState.SENT, incident=incident)
    return mine.order_by().update(state=NoticeState.READ, read_at=clock.now(), read_by=user)


def _draft(
    recipient: Recipient,
    contact: Contact | None,
    code: str,
    params: Parameters,
    *,
    incident: UUID | None,
    clock: Clock,
) -> Notice:
    """Return the row of one message to one recipient: over ``contact``, or in the bell."""
    plain = json.loads(json.dumps(params, ensure_ascii=False, sort_keys=True))
    user = recipient if isinstance(recipient, User) else None
    role = recipient.role if isinstance(recipient, RoleHolder) else ""
    bell = f"user:{user.pk}" if user else f"post:{recipient.unit and recipient.unit.pk}:{role}"
    address = bytes(contact.mark).hex() if contact else bell
    said = json.dumps([code, plain, str(incident), address], ensure_ascii=False, sort_keys=True)
    return Notice(
        digest=hashlib.sha256(said.encode()).digest(),
        unit=recipient.unit,
        user=user,
        role=role,
        contact=contact,
        channel=contact.channel if contact else NoticeChannel.IN_APP,
        language=contact.language if contact else "",
        code=code,
        params=plain,
        incident=incident,
        state=NoticeState.QUEUED if contact else NoticeState.SENT,
        created_at=clock.now(),
        sent_at=None if contact else clock.now(),
    )


def _contacts(recipient: Recipient) -> QuerySet[Contact]:
    wanted = (
        Q(unit=recipient.unit, role=recipient.role)
        if isinstance(recipient, RoleHolder)
        else Q(user=recipient)
    )
    return Contact.objects.filter(wanted, removed_at=None).order_by("added_at", "pk")


def _keep_new(drafts: list[Notice], *, clock: Clock) -> list[Notice]:
    """Store those of ``drafts`` that were not sent a moment ago, each with its job."""
    once = list({bytes(draft.digest): draft for draft in drafts}.values())
    once.sort(key=lambda draft: bytes(draft.digest))  # one order: no two wait for each other
    with connection.cursor() as cursor:
        # Two transactions with the same news: the second waits, and finds the first one's row.
        for draft in once:
            key = int.from_bytes(draft.digest[:8], "big", signed=True)
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
    lately = {
        bytes(digest)
        for digest in Notice.objects.filter(
            digest__in=[draft.digest for draft in once],
            created_at__gt=clock.now() - SAME_WITHIN,
        ).values_list("digest", flat=True)
    }
    fresh = [draft for draft in once if draft.digest not in lately]
    _store(fresh)
    return fresh


def _store(notices: list[Notice]) -> None:
    """Write the rows, and in the same transaction a job for each that goes outside."""
    Notice.objects.bulk_create(notices)
    for notice in notices:
        if notice.contact_id is not None:
            deliver_notice.defer(notice=notice.pk)


def _unsafe(code: str, params: Parameters) -> bool:
    """Return whether the message may not leave the house; a wrong code is a bug and raises."""
    try:
        for language in LANGUAGES:
            message(code, params, language)
    except ProblemError as error:
        # The code and the kind of fault; what was found is not in it.
        log.error("notice %s withheld: %s", code, error)  # noqa: TRY400  # a refusal, not a crash
        return True
    return False
