"""Commands on users and their devices; each is one transaction."""

import base64
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.db.models import QuerySet

from passlight.core.kernel.base64url import base64url
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.core.kernel.masking import mask_name
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.office.accounts.models import (
    Registration,
    Revocation,
    Role,
    Unit,
    UnitKind,
    User,
)
from passlight.office.accounts.roles import INCOMPATIBLE
from passlight.office.people.models import Person

REGISTRATIONS_MAX = 2
# What a device may ask of a gateway is counted by its handle: without a limit on handles
# there would be none on codes (PL1 3.6).
REGISTRATIONS_A_DAY_MAX = 20
REVOCATIONS_CHANNEL = "passlight_revocations"
REVOCATIONS_LOCK = 0x9A55_0002
PEOPLE_ROLES_LOCK = 0x9A55_0003
DAY = timedelta(days=1)
HANDLE_BYTES = 16
BADGE_BYTES = 4


def add_unit(*, kind: UnitKind, name: str, name_en: str, parent: Unit | None = None) -> Unit:
    """Add a unit below ``parent``; its path is its parent's and its own number."""
    with transaction.atomic():
        unit = Unit.objects.create(
            parent=parent, kind=kind, name=name, name_en=name_en, path=f"new:{name}"
        )
        unit.path = f"{parent.path if parent else '/'}{unit.pk}/"
        unit.save(update_fields=["path"])
    return unit


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """What a user is made of; ``password_hash`` spares hashing one password for many users."""

    username: str
    password: str
    role: Role
    unit: Unit | None
    display_name: str
    display_name_en: str
    person: Person | None = None
    password_hash: str | None = None
    added_by: User | None = None


def add_user(new: NewUser, *, clock: Clock, entropy: Entropy) -> User:
    """Add a user.

    Raises:
        ProblemError: when the name is taken or the person already has a role that excludes it.
    """
    with transaction.atomic():
        username = new.username.strip().lower()
        if User.objects.filter(username=username).exists():
            raise ProblemError(
                Problem(
                    code="accounts.username-taken",
                    message="There is a user of that name.",
                    remedy="Choose another name.",
                    field="username",
                )
            )
        _check_roles(new.person, new.role, besides=None)
        shown, shown_en = new.display_name, new.display_name_en
        if new.role == Role.RESIDENT:
            # A name is in the vault and nowhere else: this column is open to whoever has a dump.
            shown, shown_en = mask_name(shown), mask_name(shown_en)
        return User.objects.create(
            username=username,
            password=new.password_hash or make_password(new.password),
            role=new.role,
            unit=new.unit,
            person=new.person,
            display_name=shown,
            display_name_en=shown_en,
            badge=base64.b32encode(entropy.token(BADGE_BYTES)).decode().rstrip("="),
            created_at=clock.now(),
            added_by=new.added_by,
        )


def change_user(user: User, *, role: Role, unit: Unit, clock: Clock) -> None:
    """Give ``user`` another role or unit; what the old one allowed ends at once.

    Raises:
        ProblemError: when the person may not hold that role beside another account's.
    """
    with transaction.atomic():
        _check_roles(user.person, role, besides=user)
        user.role, user.unit = role, unit
        user.save(update_fields=["role", "unit"])
        revoke_registrations(user, reason="role-changed", clock=clock)


def lock_user(user: User, *, reason: str, clock: Clock) -> None:
    """Lock an account: sessions end with the next request, grants with the next message."""
    with transaction.atomic():
        user.locked_at, user.lock_reason = clock.now(), reason
        user.save(update_fields=["locked_at", "lock_reason"])
        revoke_registrations(user, reason="locked", clock=clock)


def unlock_user(user: User) -> None:
    """Let a locked user log in again; their devices register anew.

    Raises:
        ProblemError: when the person was given a role meanwhile that excludes this one.
    """
    with transaction.atomic():
        _check_roles(user.person, user.role, besides=user)
        user.locked_at, user.lock_reason = None, ""
        user.save(update_fields=["locked_at", "lock_reason"])


def register_device(
    user: User, *, thumbprint: str, device_name: str, clock: Clock, entropy: Entropy
) -> Registration:
    """Return the registration of this device, making it when it is new (field/09 3.6).

    Two a person: a third takes the place of the one used least lately.

    Raises:
        ProblemError: when too many new ones came within a day.
    """
    with transaction.atomic():
        # Two devices at the same moment: one after the other, or both would be the second.
        _lock(PEOPLE_ROLES_LOCK, user.pk)
        now = clock.now()
        live = list(_siblings(user).filter(revoked_at=None).order_by("granted_at", "pk"))
        known = [r for r in live if r.user_id == user.pk and r.thumbprint == thumbprint]
        if known:
            known[0].granted_at = now
            known[0].save(update_fields=["granted_at"])
            return known[0]
        if _siblings(user).filter(created_at__gt=now - DAY).count() >= REGISTRATIONS_A_DAY_MAX:
            raise ProblemError(
                Problem(
                    code="accounts.devices-too-many",
                    message="Too many new devices registered within a day.",
                    remedy="Use a device that is registered, or come back tomorrow.",
                )
            )
        for surplus in live[: max(0, len(live) - REGISTRATIONS_MAX + 1)]:
            revoke_registration(surplus, reason="replaced", clock=clock)
        return Registration.objects.create(
            handle=_random_name(entropy),
            user=user,
            person=user.person,
            thumbprint=thumbprint,
            device_name=device_name[:80],
            created_at=now,
            granted_at=now,
        )


def newer_devices(registration: Registration, *, clock: Clock) -> list[Registration]:
    """Return the person's devices that this older one has not been told of, and note it told.

    A device that its owner does not recognise is how a stolen account shows (field/09 3.6).
    """
    with transaction.atomic():
        newer = _siblings(registration.user).filter(
            told_at=None, created_at__gt=registration.created_at
        )
        found = list(newer.order_by("created_at"))
        newer.update(told_at=clock.now())
    return found


def revoke_registration(registration: Registration, *, reason: str, clock: Clock) -> None:
    """End a device's registration: a lost phone, a lock, a third device."""
    with transaction.atomic():
        now = clock.now()
        ended = Registration.objects.filter(pk=registration.pk, revoked_at=None).update(
            revoked_at=now, revoked_reason=reason
        )
        if ended:
            _revoke(handle=registration.handle, clock=clock)


def revoke_registrations(user: User, *, reason: str, clock: Clock) -> None:
    """End every registration of one user."""
    for registration in user.registrations.filter(revoked_at=None):
        revoke_registration(registration, reason=reason, clock=clock)


def revoke_grant(jti: str, *, clock: Clock) -> None:
    """End one grant: its session was logged out; the device may be granted another."""
    with transaction.atomic():
        _revoke(jti=jti, clock=clock)


def revoke_handle(handle: str, *, clock: Clock) -> None:
    """End every grant of a handle that is no registration: a gate that was put out of service."""
    with transaction.atomic():
        _revoke(handle=handle, clock=clock)


def _revoke(*, clock: Clock, jti: str = "", handle: str = "") -> None:
    """Append a revocation. Numbers become visible in order, so a follower misses none."""
    _lock(REVOCATIONS_LOCK, 0)
    row = Revocation.objects.create(jti=jti, handle=handle, revoked_at=clock.now())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [REVOCATIONS_CHANNEL, str(row.seq)])


def _siblings(user: User) -> QuerySet[Registration]:
    """Return the registrations that share one limit: those of the person, else of the user."""
    if user.person_id is not None and user.role == Role.RESIDENT:
        return Registration.objects.filter(person_id=user.person_id)
    return Registration.objects.filter(user=user)


def _check_roles(person: Person | None, role: str, *, besides: User | None) -> None:
    if person is None:
        return
    _lock(PEOPLE_ROLES_LOCK, person.ordinal)
    others = User.objects.filter(person=person, locked_at=None)
    if besides is not None:
        others = others.exclude(pk=besides.pk)
    held = set(others.values_list("role", flat=True))
    for pair in INCOMPATIBLE:
        if role in pair and held & (pair - {role}):
            raise ProblemError(
                Problem(
                    code="accounts.roles-incompatible",
                    message="This person holds a role that checks the other one.",
                    remedy="Choose another person, or lock the other account first.",
                    field="role",
                )
            )


def _lock(key: int, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [(key << 24) + number])


def _random_name(entropy: Entropy) -> str:
    return base64url(entropy.token(HANDLE_BYTES))
