"""A gate in service: its grants, and how it is put out of service: revoked, or wiped by order."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction

from passlight.core.codes.envelope import WIPE, seal_envelope
from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.kernel.base64url import base64url
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.office.accounts.actions import revoke_handle
from passlight.office.accounts.grants import GRANT_KEY, JTI_BYTES
from passlight.office.accounts.models import User
from passlight.office.gates.models import GateAlarm, GateDevice, GateReceipt
from passlight.runtime.dpop import ProofError, read_statement
from passlight.runtime.keys import KeyFolder

GRANT_LIFE = timedelta(days=7)
ORDER_BYTES = 32
RECEIPT_KIND = "wipe-receipt"
LEFT_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GateGrant:
    """A signed grant of a gate and when it ends."""

    token: str
    expires_at: datetime


def sign_grant(device: GateDevice, *, clock: Clock, entropy: Entropy) -> GateGrant:
    """Return a grant of seven days, bound to the device's key and to its one entrance."""
    assert device.state in {"active", "wiping"}, "nobody else holds a grant"
    now = clock.now().replace(microsecond=0)
    claims: dict[str, Any] = {
        "iss": settings.PASSLIGHT.realm,
        "sub": str(device.pk),
        "role": "gate",
        "venues": [str(device.venue_id)],
        "entrance": device.entrance,
        "device": str(device.pk),
        "jti": base64url(entropy.token(JTI_BYTES)),
        "iat": int(now.timestamp()),
        "exp": int((now + GRANT_LIFE).timestamp()),
        "cnf": {"jkt": device.thumbprint},
    }
    secret = KeyFolder(settings.PASSLIGHT.keys).read_or_make(GRANT_KEY, entropy)
    key = Ed25519PrivateKey.from_private_bytes(secret)
    token = jwt.encode(claims, key, algorithm="EdDSA", headers={"typ": "grant+jwt"})
    GateDevice.objects.filter(pk=device.pk).update(granted_at=clock.now())
    return GateGrant(token=token, expires_at=now + GRANT_LIFE)


def revoke(device: GateDevice, *, reason: str, actor: User, clock: Clock) -> None:
    """Put a device out of service; gateways refuse it with the next message."""
    with transaction.atomic():
        ended = GateDevice.objects.filter(
            pk=device.pk, state__in=("pending", "active", "wiping")
        ).update(state="revoked", ended_by=actor, ended_at=clock.now(), reason=reason)
        if ended:
            revoke_handle(str(device.pk), clock=clock)


def order_wipe(
    device: GateDevice, *, reason: str, actor: User, clock: Clock, entropy: Entropy
) -> None:
    """Order a device to send what it has, destroy its keys and data, and say so.

    Its grant holds until the receipt is here: what it has recorded must still come up.

    Raises:
        ProblemError: it is not in service.
    """
    ordered = GateDevice.objects.filter(pk=device.pk, state="active").update(
        state="wiping",
        ended_by=actor,
        ended_at=clock.now(),
        reason=reason,
        wipe_order=base64url(entropy.token(ORDER_BYTES)),
    )
    if not ordered:
        raise _problem("not-active")


def signed_order(device: GateDevice) -> bytes:
    """Return the order as the office signs it: no stranger's server can wipe a door."""
    realm = settings.PASSLIGHT.realm
    seed = KeyFolder(settings.PASSLIGHT.keys).read(Purpose.LIST.value)
    signer = Issuer.of_seed(seed, realm=realm, purpose=Purpose.LIST, slot_code=0)
    order = {"realm": realm, "device": str(device.pk), "order": device.wipe_order}
    return seal_envelope(rfc8785.dumps(order), kind=WIPE, signer=signer)


def take_receipt(text: str, *, clock: Clock) -> GateDevice:
    """Take a device's signed word that it has wiped itself; the same again changes nothing.

    Raises:
        ProblemError: it is not signed by a device of ours, or not about an order of ours; what
            claims to be of a known device raises an alarm.
    """
    try:
        said = read_statement(text, kind=RECEIPT_KIND)
    except ProofError:
        raise _problem("receipt-bad") from None
    device = GateDevice.objects.filter(thumbprint=said.thumbprint).first()
    if device is None:
        raise _problem("receipt-bad")
    left = _count(said.claims.get("left"))
    ordered = bool(device.wipe_order) and said.claims.get("order") == device.wipe_order
    if left is None or not ordered or said.claims.get("device") != str(device.pk):
        GateAlarm.objects.create(device=device, kind="receipt", details={}, at=clock.now())
        raise _problem("receipt-bad")
    with transaction.atomic():
        locked = GateDevice.objects.select_for_update().get(pk=device.pk)
        _, fresh = GateReceipt.objects.get_or_create(
            device=locked,
            defaults={
                "order": locked.wipe_order,
                "document": text,
                "left": left,
                "received_at": clock.now(),
            },
        )
        if fresh:
            locked.state = "wiped"
            locked.save(update_fields=["state"])
            revoke_handle(str(locked.pk), clock=clock)
    return locked


def see_alarm(alarm: GateAlarm, *, actor: User, clock: Clock) -> None:
    """Note who looked after an alarm; the first one stays."""
    GateAlarm.objects.filter(pk=alarm.pk, seen_at=None).update(seen_by=actor, seen_at=clock.now())


def _count(value: object) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return int(value) if whole and 0 <= value <= LEFT_MAX else None  # type: ignore[call-overload,operator]


def _problem(code: str) -> ProblemError:
    return ProblemError(
        Problem(
            code=f"gates.error-{code}", message=f"Refused ({code}).", remedy="Look at the device."
        )
    )
