"""The signed envelope: how documents of one realm reach a verifier (PL1 6.1, 8).

JSON ``{"kid", "payload", "signature"}``: the payload is base64url of the exact bytes that are
signed, so no reader needs to agree on how JSON is written. The signature is Ed25519 by a key of
purpose ``list`` over the COSE ``Sig_structure``; its context says what kind of document this is,
so one is never taken for another.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from passlight.core.codes import signing
from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose, Suite
from passlight.core.kernel.base64url import base64url, from_base64url
from passlight.core.kernel.problem import Problem, ProblemError

TRUST: Final = "trust"
DOOR: Final = "door"
STATUSES: Final = "statuses"
WIPE: Final = "wipe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The three parts of a signed document; nothing of them is believed yet."""

    kid: bytes
    payload: bytes
    signature: bytes


def seal_envelope(payload: bytes, *, kind: str, signer: Issuer) -> bytes:
    """Return the signed document of ``payload``; ``signer`` holds a key of purpose list."""
    assert signer.purpose is Purpose.LIST
    signature = signer.sign(_message(payload, kid=signer.kid, realm=signer.realm, kind=kind))
    envelope = {
        "kid": signer.kid.hex(),
        "payload": base64url(payload),
        "signature": base64url(signature),
    }
    return json.dumps(envelope, separators=(",", ":")).encode()


def open_envelope(
    document: bytes, *, kind: str, realm: str, keys: Iterable[bytes], bytes_max: int
) -> bytes:
    """Return the payload of a document that one of ``keys`` signed for this kind and realm.

    Raises:
        ProblemError: ``codes.envelope_malformed``, ``_too_long`` or ``_signature``.
    """
    envelope = read_envelope(document, bytes_max=bytes_max)
    message = _message(envelope.payload, kid=envelope.kid, realm=realm, kind=kind)
    if len(envelope.signature) == signing.SIGNATURE_LENGTH:
        for public in keys:
            known = signing.key_id(
                suite=Suite.ED25519, purpose=Purpose.LIST, realm=realm, public_key=public
            )
            sound = known == envelope.kid and signing.is_sound_public_key(public)
            if sound and signing.is_signed(
                message, signature=envelope.signature, public_key=public
            ):
                return envelope.payload
    raise _refused("codes.envelope_signature", "No known key signed this document.")


def read_envelope(document: bytes, *, bytes_max: int) -> Envelope:
    """Return the parts of a document without asking who signed it.

    Raises:
        ProblemError: ``codes.envelope_malformed`` or ``_too_long``.
    """
    if len(document) > bytes_max:
        raise _refused("codes.envelope_too_long", f"More than {bytes_max} bytes.")
    try:
        parts = json.loads(document)
        return Envelope(
            kid=bytes.fromhex(parts["kid"]),
            payload=from_base64url(parts["payload"]),
            signature=from_base64url(parts["signature"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _refused("codes.envelope_malformed", "This is no signed document.") from error


def _message(payload: bytes, *, kid: bytes, realm: str, kind: str) -> bytes:
    context = f"passlight/{kind}/{realm}".encode()
    return signing.signature_input(kid=kid, context=context, body=payload)


def _refused(code: str, message: str) -> ProblemError:
    return ProblemError(
        Problem(code=code, message=message, remedy="Keep the former document and fetch it again.")
    )
