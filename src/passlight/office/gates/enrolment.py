"""Enrolment of a gate (field/06 3.11): a one-time token, a key made on the device, two people.

Whoever makes the token sets up the device; somebody else reads six digits off its screen and
types them here. The digits are of the device's own key and of this office's signers, so they
agree only when nobody stood in between.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from passlight.core.codes.layout import Purpose
from passlight.core.kernel.base64url import base64url
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.office.accounts.actions import NewUser, add_user, lock_user
from passlight.office.accounts.grants import thumbprint
from passlight.office.accounts.models import Role, User
from passlight.office.gates.models import GateAlarm, GateDevice, GateToken
from passlight.office.venues.models import Entrance
from passlight.runtime.device_key import fingerprint_of
from passlight.runtime.keys import KeyFolder
from passlight.runtime.signing import public_key_for

TOKEN_LIFE = timedelta(minutes=15)
TOKEN_BYTES = 32
# A device waits this long for its second person; then it is set up anew.
PENDING_LIFE = timedelta(hours=24)
MISREAD_MAX = 3
NO_PASSWORD = "!"  # noqa: S105  # matches no password at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A token, shown once; the database holds its digest."""

    token: str
    row: GateToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What a device is told after it showed its token."""

    device: GateDevice
    realm: str
    roots: tuple[bytes, ...]

    @property
    def fingerprint(self) -> str:
        """Return the six digits."""
        return fingerprint_of(self.device.thumbprint, realm=self.realm, roots=self.roots)


def invite(
    entrance: Entrance, *, name: str, actor: User, clock: Clock, entropy: Entropy
) -> Invitation:
    """Return a token for one device at this entrance; good once, for fifteen minutes."""
    token = base64url(entropy.token(TOKEN_BYTES))
    now = clock.now()
    row = GateToken.objects.create(
        digest=_digest(token),
        venue=entrance.venue,
        entrance=entrance.code,
        name=name,
        made_by=actor,
        made_at=now,
        expires_at=now + TOKEN_LIFE,
    )
    return Invitation(token=token, row=row)


def initialize(
    token: str, jwk: dict[str, Any], *, software: str, clock: Clock, entropy: Entropy
) -> Welcome:
    """Take a device's key for a token and return what the device must know; it is pending.

    Raises:
        ProblemError: ``gates.token-bad`` for an unknown, used or expired token (all look the
            same), ``gates.key-taken``, or what is wrong with the key.
    """
    jkt = thumbprint(jwk)
    with transaction.atomic():
        row = GateToken.objects.select_for_update().filter(digest=_digest(token)).first()
        if row is None or row.used_at is not None or clock.now() >= row.expires_at:
            raise _problem("token-bad", "token")
        if GateDevice.objects.filter(thumbprint=jkt).exists():
            raise _problem("key-taken", "jwk")
        device = GateDevice.objects.create(
            id=_uuid(entropy),
            venue=row.venue,
            entrance=row.entrance,
            name=row.name,
            state="pending",
            thumbprint=jkt,
            software=software,
            invited_by=row.made_by,
            enrolled_at=clock.now(),
        )
        row.used_at, row.device = clock.now(), device
        row.save(update_fields=["used_at", "device"])
    return welcome(device)


def welcome(device: GateDevice) -> Welcome:
    """Return what this office is to a device: its realm and who signs there."""
    root = public_key_for(KeyFolder(settings.PASSLIGHT.keys), Purpose.LIST)
    return Welcome(device=device, realm=settings.PASSLIGHT.realm, roots=(root,))


def confirm(
    device_id: UUID, digits: str, *, actor: User, clock: Clock, entropy: Entropy
) -> GateDevice:
    """Let a device in, when a second person read the right digits off its screen.

    Raises:
        ProblemError: ``gates.not-pending``, ``gates.same-person``, ``gates.fingerprint-wrong``;
            after three wrong readings the device is out and an alarm is raised.
    """
    with transaction.atomic():
        device = GateDevice.objects.select_for_update().get(pk=device_id)
        late = clock.now() - device.enrolled_at >= PENDING_LIFE
        if device.state != "pending" or late:
            raise _problem("not-pending")
        if not actor.is_second_person(device.invited_by):
            raise _problem("same-person")
        good = digits == welcome(device).fingerprint
        if good:
            device.state, device.confirmed_by, device.confirmed_at = "active", actor, clock.now()
            device.account = _account(device, clock=clock, entropy=entropy)
        else:
            _misread(device, clock=clock)
        device.save(
            update_fields=[
                *("state", "confirmed_by", "confirmed_at", "account"),
                *("misread", "ended_at", "reason"),
            ]
        )
    if not good:
        raise _problem("fingerprint-wrong", "fingerprint")
    return device


def _misread(device: GateDevice, *, clock: Clock) -> None:
    device.misread += 1
    if device.misread >= MISREAD_MAX:
        device.state, device.ended_at, device.reason = "revoked", clock.now(), "fingerprint"
        GateAlarm.objects.create(
            device=device, kind="fingerprint", details={"misread": device.misread}, at=clock.now()
        )


def _account(device: GateDevice, *, clock: Clock, entropy: Entropy) -> User:
    """Return the account under which a device stands in the access log; nobody logs in with it."""
    account = add_user(
        NewUser(
            username=f"gate-{device.pk}",
            password="",
            password_hash=NO_PASSWORD,
            role=Role.CHECKER,
            unit=device.venue.unit,
            display_name=device.name,
            display_name_en=device.name,
        ),
        clock=clock,
        entropy=entropy,
    )
    lock_user(account, reason="gate", clock=clock)
    return account


def _digest(token: str) -> bytes:
    return hashlib.sha256(b"passlight gate token\0" + token.encode("utf-8", "replace")).digest()


def _uuid(entropy: Entropy) -> UUID:
    return UUID(bytes=entropy.token(16), version=4)


def _problem(code: str, field: str | None = None) -> ProblemError:
    return ProblemError(
        Problem(
            code=f"gates.error-{code}",
            message=f"The device was not let in ({code}).",
            remedy="Make a new token and set the device up again.",
            field=field,
        )
    )
