"""Rows 12, 13, 16, 18: keys, their purposes and windows, and lists that must be refused."""

from typing import Any

from handmade import (
    FIELD,
    LIST,
    PAPER,
    PHONE,
    PHONE_CODE,
    START,
    STRANGER,
    VENUE,
    T,
    add,
    compress,
    decompress,
    entry,
    kid_of,
    trust,
    x_of,
)
from vector import row, vector

NOW = T + 150
_ALL = (entry(PHONE), entry(PAPER), entry(LIST), entry(VENUE))
TRUSTS: dict[str, Any] = {
    "main": trust(*_ALL),
    "expired": trust(*_ALL, expires=T - 86_400),
    "revoked": trust(entry(PHONE, revoked=True), *_ALL[1:]),
    "with-stranger": trust(*_ALL, entry(STRANGER)),
    "stranger-expired": trust(*_ALL, entry(STRANGER), expires=T - 86_400),
}


def trust_rows() -> dict[str, dict[str, Any]]:
    return {
        "12-unknown-key": row(12, "keys that the list does not name; an old list", _unknown()),
        "13-purpose": row(13, "a genuine key of another purpose", _purpose()),
        "16-lists": _lists(),
        "18-window": row(18, "revoked keys and the key's window", _window()),
    }


def _unknown() -> list[dict[str, Any]]:
    code = PHONE_CODE.but(key=STRANGER)
    text = code.text()
    unknown = vector(
        "unknown key",
        text,
        NOW,
        "not-found",
        "key-unknown",
        code=code,
        off=[],
        instead={"trust": "with-stranger"},
    )
    stale = {"trust": "expired"}
    return [
        unknown,
        vector(
            "unknown key, expired list",
            text,
            NOW,
            "undetermined",
            "trust-stale",
            code=code,
            instead={"trust": "stranger-expired"},
            **stale,
        ),
        vector(
            "known key, expired list",
            PHONE_CODE.text(),
            NOW,
            "undetermined",
            "trust-stale",
            code=PHONE_CODE,
            **stale,
        ),
    ]


def _purpose() -> list[dict[str, Any]]:
    found = []
    for key in (PAPER, LIST, VENUE):
        code = PHONE_CODE.but(key=key)
        name = f"phone body signed by the {key.purpose} key"
        found.append(vector(name, code.text(), NOW, "not-found", "key-purpose", code=code))
    code = PHONE_CODE.but(slot_code=3, slot=2)
    name = "slot code 3 under a 20 s key"
    found.append(vector(name, code.text(), NOW, "not-found", "key-purpose", code=code))
    return found


def _lists() -> dict[str, Any]:
    """Public keys that no list may hold, worked out on the curve by hand."""
    small = bytes(32)  # y = 0: a point of order 4
    identity = (1).to_bytes(32, "little")
    # y and y + p are one point; only the first is canonical. 3 is the smallest y of no small order.
    assert x_of(3) is not None
    non_canonical = (FIELD + 3).to_bytes(32, "little")
    mixed = compress(add(decompress(PHONE.public), decompress(small)))
    off_curve = (2).to_bytes(32, "little")
    assert x_of(2) is None
    bad = {
        "small order": small,
        "the identity": identity,
        "not canonical": non_canonical,
        "prime order plus a point of order 4": mixed,
        "not on the curve": off_curve,
    }
    refused = [{"name": name, "payload": trust(*_ALL, _weak(key))} for name, key in bad.items()]
    refused.append({"name": "one key id twice", "payload": trust(*_ALL, entry(PHONE))})
    wrong = trust(*_ALL, entry(STRANGER, kid="00000000"))
    refused.append({"name": "a key id that is not its key's", "payload": wrong})
    about = "each list is refused whole; the control is the same list with a sound key instead"
    control = trust(*_ALL, entry(STRANGER))
    return row(16, about, [], refused=refused, control=control)


def _weak(public: bytes) -> dict[str, Any]:
    kid = kid_of(1, "phone", "cn-310118", public).hex()
    return entry(STRANGER, public_key=public.hex(), kid=kid)


def _window() -> list[dict[str, Any]]:
    found = [
        vector(
            "revoked key",
            PHONE_CODE.text(),
            NOW,
            "expired",
            "key-revoked",
            code=PHONE_CODE,
            trust="revoked",
        )
    ]
    edges = {
        "start one minute before the window": (-3 * 1440 - 1, "not-found", "key-period"),
        "start at the beginning of the window": (-3 * 1440, "green", "status"),
        "start in the last minute of the window": (7 * 1440 - 1, "green", "status"),
        "start at the end of the window": (7 * 1440, "not-found", "key-period"),
    }
    for name, (minutes, answer, reason) in edges.items():
        code = PHONE_CODE.but(start=START + minutes)
        now = T + minutes * 60 + 150
        # The list outlives its keys here, so that the window alone decides.
        long = "main-long"
        found.append(vector(name, code.text(), now, answer, reason, code=code, trust=long))
    return found


TRUSTS["main-long"] = trust(*_ALL, expires=T + 14 * 86_400)
TRUSTS["main-years"] = trust(*_ALL, expires=T + 365 * 86_400)
