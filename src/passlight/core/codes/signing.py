"""Signatures: COSE signature input, key ids, and Ed25519 without its loose ends (PL1 2.3)."""

from collections.abc import Callable
from hashlib import sha256
from typing import Final

import nacl.bindings
import nacl.exceptions

SIGNATURE_LENGTH: Final = 64
PUBLIC_KEY_LENGTH: Final = 32
KID_LENGTH: Final = 4

# The order of the group; a signature's second half must be below it.
_ORDER = 2**252 + 27742317777372353535851937790883648493


def key_id(*, suite: int, purpose: str, realm: str, public_key: bytes) -> bytes:
    """Return the four bytes that name a key inside the trust list."""
    parts = (b"PL1 kid\0", bytes((suite,)), purpose.encode(), b"\0", realm.encode(), b"\0")
    return sha256(b"".join(parts) + public_key).digest()[:KID_LENGTH]


def code_context(*, purpose: str, realm: str) -> bytes:
    """Return the external data of a code's signature: the realm must be inside."""
    return f"passlight/PL1/{purpose}/{realm}".encode()


def signature_input(*, kid: bytes, context: bytes, body: bytes) -> bytes:
    """Return the COSE ``Sig_structure`` in deterministic CBOR.

    ``["Signature1", protected, context, body]`` with protected = {1: -8, 4: kid} (RFC 9052 4.4).
    """
    protected = b"\xa2\x01\x27\x04" + _byte_string(kid)
    return b"\x84\x6aSignature1" + b"".join(map(_byte_string, (protected, context, body)))


def _byte_string(data: bytes) -> bytes:
    """Return ``data`` as a CBOR byte string with the shortest head (RFC 8949 4.2.1)."""
    size = len(data)
    if size < 24:  # noqa: PLR2004  # the heads of RFC 8949 3
        return bytes((0x40 | size,)) + data
    if size < 1 << 8:
        return bytes((0x58, size)) + data
    if size < 1 << 16:
        return b"\x59" + size.to_bytes(2, "big") + data
    return b"\x5a" + size.to_bytes(4, "big") + data


def public_key_of(seed: bytes) -> bytes:
    """Return the public key of a 32-byte Ed25519 seed."""
    public: bytes = nacl.bindings.crypto_sign_seed_keypair(seed)[0]
    return public


def signer(seed: bytes) -> Callable[[bytes], bytes]:
    """Return the signing function of a 32-byte seed, which is expanded once and not shown.

    Each signature is verified before it is released (PL1 2.3: a fault in a deterministic
    signature gives the key away); on a machine that miscalculates it raises RuntimeError.
    """
    public, secret = nacl.bindings.crypto_sign_seed_keypair(seed)

    def sign_message(message: bytes) -> bytes:
        signature: bytes = nacl.bindings.crypto_sign(message, secret)[:SIGNATURE_LENGTH]
        if not is_signed(message, signature=signature, public_key=public):
            raise RuntimeError("A fresh signature did not verify; do not use this machine to sign.")
        return signature

    return sign_message


def sign(seed: bytes, message: bytes) -> bytes:
    """Return the 64-byte signature of a message under a seed that is used once."""
    return signer(seed)(message)


def is_signed(message: bytes, *, signature: bytes, public_key: bytes) -> bool:
    """Return whether an Ed25519 signature is good; S must be below the group's order.

    The order is checked here because libraries differ in it. Key nothing by signature bytes.
    """
    if int.from_bytes(signature[32:], "little") >= _ORDER:
        return False
    try:
        nacl.bindings.crypto_sign_open(signature + message, public_key)
    except nacl.exceptions.BadSignatureError:
        return False
    return True


def is_sound_public_key(public_key: bytes) -> bool:
    """Return whether a key is canonical, on the curve and of prime order.

    Under a small-order key most libraries take one fixed signature for any message.
    """
    if len(public_key) != PUBLIC_KEY_LENGTH:
        return False
    return bool(nacl.bindings.crypto_core_ed25519_is_valid_point(public_key))
