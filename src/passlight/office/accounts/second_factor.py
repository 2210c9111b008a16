"""The second step of a login: one interface, and TOTP (RFC 6238) behind it."""

import base64
import hmac
import struct
from typing import Protocol
from urllib.parse import quote

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.office.accounts.models import User
from passlight.office.people.vault import Cell, vault

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20
# A phone's clock may be one step off in either direction.
DRIFT_STEPS = 1


class SecondFactor(Protocol):
    """Something that a user proves after the password; FIDO2 will be another one."""

    def check(self, user: User, answer: str, clock: Clock) -> bool:
        """Return whether ``answer`` is good now; the same answer is good once."""
        ...


def code_at(secret: bytes, step: int) -> str:
    """Return the TOTP code of one 30-second step (RFC 6238 with HMAC-SHA-1, RFC 4226 5.3)."""
    digest = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


class Totp:
    """A code from an authenticator app."""

    def check(self, user: User, answer: str, clock: Clock) -> bool:
        """Return whether the code is of this step or one beside it, and was not used yet."""
        secret = bytes.fromhex(vault().unseal(_cell(user), bytes(user.second_factor_sealed or b"")))
        now = int(clock.now().timestamp()) // STEP_SECONDS
        for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
            if hmac.compare_digest(code_at(secret, step), answer.strip()):
                # One statement decides: of two logins with one code, one finds no row.
                taken = User.objects.filter(pk=user.pk, second_factor_step__lt=step)
                return taken.update(second_factor_step=step) == 1
        return False


def new_secret(entropy: Entropy) -> bytes:
    """Return a secret for an authenticator that is about to be set up."""
    return entropy.token(SECRET_BYTES)


def hold(user: User, secret: bytes) -> str:
    """Return the secret sealed, for the session to keep while it is being set up."""
    return vault().seal([(_cell(user, "pending"), secret.hex())])[0].hex()


def held(user: User, kept: str) -> bytes:
    """Return the secret that ``hold`` sealed for this user."""
    return bytes.fromhex(vault().unseal(_cell(user, "pending"), bytes.fromhex(kept)))


def address(user: User, secret: bytes) -> str:
    """Return the ``otpauth`` address that an authenticator app scans."""
    text = base64.b32encode(secret).decode()
    return f"otpauth://totp/Passlight:{quote(user.username)}?secret={text}&issuer=Passlight"


def enrol(user: User, secret: bytes) -> None:
    """Ask ``user`` for codes of this secret from the next login on."""
    user.second_factor = "totp"
    user.second_factor_sealed = vault().seal([(_cell(user), secret.hex())])[0]
    user.second_factor_step = 0
    user.save(update_fields=["second_factor", "second_factor_sealed", "second_factor_step"])


def _cell(user: User, column: str = "second_factor_sealed") -> Cell:
    return Cell(
        holder=f"user:{user.pk}",
        table="accounts_user",
        column=column,
        row=str(user.pk),
    )


FACTORS: dict[str, SecondFactor] = {"totp": Totp()}
