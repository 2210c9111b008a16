"""Base64url without padding (RFC 4648 5), as tokens, codes and lists carry bytes in text."""

import base64
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def base64url(data: bytes) -> str:
    """Return the text of ``data``."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def from_base64url(text: str) -> bytes:
    """Return the bytes of ``text``.

    Raises:
        ValueError: for padding, the other alphabet or an impossible length.
    """
    # The library reads + and / beside - and _, which would give some bytes two texts.
    if not _ALPHABET.fullmatch(text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
