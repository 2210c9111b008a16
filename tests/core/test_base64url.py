"""Base64url without padding, by RFC 4648 10 (its vectors, the padding taken away) and 5."""

import pytest

from passlight.core.kernel.base64url import base64url, from_base64url

VECTORS = [
    (b"", ""),
    (b"f", "Zg"),
    (b"fo", "Zm8"),
    (b"foo", "Zm9v"),
    (b"foob", "Zm9vYg"),
    (b"fooba", "Zm9vYmE"),
    (b"foobar", "Zm9vYmFy"),
    # Table 2: the values 62 and 63, where the two alphabets differ.
    (b"\xfb\xff\xbf", "-_-_"),
]


@pytest.mark.parametrize(("data", "text"), VECTORS)
def test_bytes_and_text(data: bytes, text: str) -> None:
    assert base64url(data) == text
    assert from_base64url(text) == data


@pytest.mark.parametrize("text", ["Zg==", "+/+/", "Zm 8", "Z", "Zm8\n", "密"])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_base64url(text)
