"""Reading JSON strictly: one meaning only, and exactly what the schema says."""

import json
from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

import msgspec

from passlight.gateway.errors import RefusedError

_Type = TypeVar("_Type")


def read_json(body: bytes, wanted: type[_Type]) -> _Type:
    """Return the request, checked.

    Raises:
        RefusedError: 400 when it is no JSON, has one key twice, or does not fit the schema.
    """
    try:
        json.loads(body, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise RefusedError(400, "bad-json") from None
    try:
        return msgspec.json.decode(body, type=wanted, strict=True)
    except msgspec.ValidationError:
        raise RefusedError(400, "bad-request") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise RefusedError(400, "bad-json") from None


def read_query(pairs: Iterable[tuple[str, str]], wanted: type[_Type]) -> _Type:
    """Return what an address asks, checked: each name once, and no other.

    Raises:
        RefusedError: 400 when it does not fit the schema.
    """
    try:
        return msgspec.convert(_once(list(pairs)), wanted, strict=False)
    except (ValueError, msgspec.ValidationError):
        raise RefusedError(400, "bad-request") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that occurs twice: two readers would take two different values."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
