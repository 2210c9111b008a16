"""Reading notices: the bell, what failed, and what nobody has read yet."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from passlight.office.accounts.models import User
from passlight.office.accounts.roles import visible_units
from passlight.office.notices.models import Contact, Notice, NoticeChannel, NoticeState


def bell_of(user: User) -> QuerySet[Notice]:
    """Return the notices in the bell of ``user``: their own, and those of the post they hold."""
    return Notice.objects.filter(
        Q(user=user) | Q(user=None, unit=user.unit, role=user.role), channel=NoticeChannel.IN_APP
    ).order_by("-created_at", "pk")


def unread_count(user: User) -> int:
    """Return how many notices wait in the bell."""
    return bell_of(user).filter(state=NoticeState.SENT).count()


def unread_of(incident: UUID, *, before: datetime) -> QuerySet[Notice]:
    """Return the bell's notices about an incident, made before ``before``, that nobody read.

    Without those of which the next one up was told already.
    """
    return (
        Notice.objects.filter(
            incident=incident,
            channel=NoticeChannel.IN_APP,
            state=NoticeState.SENT,
            passed_on_at=None,
            created_at__lte=before,
        )
        .select_related("user", "unit")
        .order_by("created_at", "pk")
    )


def failed_visible(user: User) -> QuerySet[Notice]:
    """Return the notices of the user's units that could not be delivered, newest first."""
    return (
        Notice.objects.filter(unit__in=visible_units(user), state=NoticeState.FAILED)
        .select_related("user", "unit", "contact")
        .order_by("-created_at", "pk")
    )


def last_notices(contacts: Iterable[Contact]) -> dict[UUID, Notice]:
    """Return the newest notice of each contact that ever had one."""
    wanted = [contact.pk for contact in contacts]
    newest = (
        Notice.objects.filter(contact__in=wanted)
        .order_by("contact", "-created_at", "-pk")
        .distinct("contact")
    )
    return {notice.contact_id: notice for notice in newest if notice.contact_id is not None}


def contacts_visible(user: User) -> QuerySet[Contact]:
    """Return the contacts in use of the user's units."""
    return (
        Contact.objects.filter(unit__in=visible_units(user), removed_at=None)
        .select_related("unit", "user")
        .order_by("unit__path", "role", "user__username", "channel", "pk")
    )
