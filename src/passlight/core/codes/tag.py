"""The document tag: one byte that makes a borrowed code a gamble (PL1 2.6)."""

import hmac
from hashlib import sha256


def document_tag(key: bytes, *, index: int, document_type: str, number: str) -> int:
    """Return the tag of a document under an epoch's tag key, 0…255.

    ``"PL1 tag" ‖ index ‖ type ‖ number``, the index as in the body (4 bytes) and a zero byte
    between type and number, so that no two documents share an input.
    """
    message = b"".join(
        (b"PL1 tag", index.to_bytes(4, "big"), document_type.encode(), b"\0", number.encode())
    )
    return hmac.new(key, message, sha256).digest()[0]
