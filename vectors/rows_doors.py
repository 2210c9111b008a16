"""Rows 19–30: time, slots, the chain, repeats, lists, colours and documents."""

import hashlib
import hmac
import struct
from typing import Any

from handmade import PAPER_CODE, PHONE_CODE, SEED, START, Code, T, chain
from vector import epoch, list_of, listing, row, vector

NOW = T + 150
HOUR = 3600


def door_rows() -> dict[str, dict[str, Any]]:
    return {
        "19-epoch": row(
            19, "start 08:00 local; an epoch ends at 04:00, and 120 min more", _epoch()
        ),
        "20-not-yet": row(20, "before the start", _not_yet()),
        "21-expired": row(21, "at the end", _expired()),
        "22-slot-range": row(22, "slots that the code has not", _slot_range()),
        "23-slot-window": row(23, "two slots away from the clock", _slot_window()),
        "24-link": row(24, "values under a neighbour's number", _link()),
        "25-chain": row(25, "the anchor itself; chains without salt or position", _chain()),
        "26-anchor": row(26, "an anchor under another start", _anchor()),
        "27-repeat": row(27, "a code that was seen before", _repeat()),
        "28-list": row(28, "no list, an old list, a neighbour's list", _list()),
        "29-colour": row(
            29,
            "code against list",
            _colour(),
            later="Sequence, missing delta and state hash belong to the status lists on the wire "
            "and are tested with them; a verifier is given one view of each epoch (StatusSource).",
        ),
        "30-age-document-clock": row(30, "test age, borrowed documents, the clock", _last()),
    }


def phone(name: str, code: Code, now: int, answer: str, reason: str, **more: Any) -> dict[str, Any]:
    return vector(name, code.text(), now, answer, reason, code=code, **more)


def _epoch() -> list[dict[str, Any]]:
    slot = {"slot": 7}
    return [
        phone("ends 06:15", PHONE_CODE.but(lifetime=89, **slot), NOW, "not-found", "epoch"),
        phone("ends 06:00", PHONE_CODE.but(lifetime=88, **slot), NOW, "green", "status"),
    ]


def _not_yet() -> list[dict[str, Any]]:
    first = PHONE_CODE.but(slot=0)
    off = ["not-yet", "slot-ahead"]
    return [
        phone("21 s early", first, T - 21, "undetermined", "not-yet", off=off),
        phone("20 s early", first, T - 20, "green", "status"),
        phone("paper 1 s early", PAPER_CODE, T - 1, "undetermined", "not-yet"),
    ]


def _expired() -> list[dict[str, Any]]:
    last = PHONE_CODE.but(slot=29)
    end = T + 180 * 86_400
    expiry = {"clock": {"disciplined_at": end - 60, "floor": 0, "power_cut": False}}
    return [
        phone("at the end", last, T + 600, "expired", "expired"),
        phone("1 s before the end", last, T + 599, "green", "status"),
        phone(
            "paper at the end", PAPER_CODE, end, "expired", "expired", trust="main-years", **expiry
        ),
        phone(
            "paper 1 s before", PAPER_CODE, end - 1, "green", "status", trust="main-years", **expiry
        ),
    ]


def _slot_range() -> list[dict[str, Any]]:
    """The chain is longer than the lifetime: a dishonest phone, so only the range refuses it."""
    past = PHONE_CODE.but(slot=30, chain_length=40)
    far = PHONE_CODE.but(slot=65_535, chain_length=65_536)
    off = ["slot-range", "slot-ahead"]
    return [
        phone("s = N", past, T + 590, "not-found", "slot-range"),
        phone("s = 65,535", far, T + 590, "not-found", "slot-range", off=off),
    ]


def _slot_window() -> list[dict[str, Any]]:
    return [
        phone("s = c - 2", PHONE_CODE.but(slot=5), NOW, "expired", "slot-old"),
        phone("s = c - 1", PHONE_CODE.but(slot=6), NOW, "green", "status"),
        phone("s = c + 1", PHONE_CODE.but(slot=8), NOW, "green", "status"),
        phone("s = c + 2", PHONE_CODE.but(slot=9), NOW, "undetermined", "slot-ahead"),
    ]


def _link() -> list[dict[str, Any]]:
    links = PHONE_CODE.links()
    return [
        phone("value of 7 under 8", PHONE_CODE.but(slot=8, value=links[8]), NOW, *_CHAIN),
        phone("value of 8 under 7", PHONE_CODE.but(value=links[9]), NOW, *_CHAIN),
    ]


_CHAIN = ("not-found", "chain")


def _chain() -> list[dict[str, Any]]:
    anchor = PHONE_CODE.links()[0]
    unsalted = chain(SEED, b"", 30)
    bare = [SEED]
    for _ in range(30):
        block = b"PL1 link" + PHONE_CODE.salt + bare[-1]
        bare.append(hashlib.sha256(block).digest()[:16])
    bare.reverse()
    return [
        phone("slot 0 with the anchor", PHONE_CODE.but(slot=0, value=anchor), T + 5, *_CHAIN),
        phone("without salt", PHONE_CODE.but(anchor=unsalted[0], value=unsalted[8]), NOW, *_CHAIN),
        phone("without position", PHONE_CODE.but(anchor=bare[0], value=bare[8]), NOW, *_CHAIN),
    ]


def _anchor() -> list[dict[str, Any]]:
    links = PHONE_CODE.links()
    second = PHONE_CODE.but(start=START + 1, anchor=links[0], value=links[8])
    return [phone("start + 1, first anchor", second, NOW + 60, *_CHAIN)]


def _repeat() -> list[dict[str, Any]]:
    def before(code: Code, now: int, interaction: str) -> dict[str, Any]:
        return {"text": code.text(), "now": now, "interaction": interaction}

    code, later = PHONE_CODE, PHONE_CODE.but(slot=8)
    first = [before(code, NOW - 5, "first")]
    inside = {"freshness_seconds": 300, "admission_point": False, "suites": [1]}
    red = [list_of(code, NOW + 15, states={code.index: 2})]
    cold = PHONE_CODE.but(lifetime=4)
    return [
        phone("twice, two interactions", code, NOW, "undetermined", "repeat", before=first),
        phone(
            "an earlier slot after a later one",
            code,
            NOW,
            "undetermined",
            "repeat",
            before=[before(later, NOW - 5, "first")],
        ),
        phone(
            "twice within one interaction",
            code,
            NOW,
            "green",
            "status",
            before=[before(code, NOW - 5, "now")],
        ),
        phone("a later slot, another interaction", later, NOW, "green", "status", before=first),
        phone("twice at a check inside", code, NOW, "green", "status", before=first, policy=inside),
        phone(
            "a later slot within one interaction is read anew",
            cold.but(slot=8),
            NOW + 20,
            "red",
            "status",
            before=[before(cold, NOW - 5, "now")],
            lists_before=[list_of(cold, NOW - 15)],
            lists=red,
        ),
    ]


def _list() -> list[dict[str, Any]]:
    cold = PHONE_CODE.but(lifetime=4)
    good = {"lists": [list_of(cold, NOW - 10)]}
    neighbour = [listing(NOW - 10, number=epoch(cold) + n) for n in (-1, 1)]
    edge = PHONE_CODE.but(index=25_500_000)
    last = PHONE_CODE.but(index=25_499_999)
    return [
        phone(
            "cold, no list", cold, NOW, "undetermined", "no-list", lists=[], off=[], instead=good
        ),
        phone(
            "hot, no list",
            PHONE_CODE,
            NOW,
            "undetermined",
            "no-list",
            lists=[],
            off=[],
            instead=good,
        ),
        phone(
            "cold, list older than the class",
            cold,
            NOW,
            "undetermined",
            "stale",
            lists=[list_of(cold, NOW - 301)],
        ),
        phone(
            "cold, list as old as the class",
            cold,
            NOW,
            "green",
            "status",
            lists=[list_of(cold, NOW - 300)],
        ),
        phone(
            "hot, start within the class",
            PHONE_CODE,
            NOW,
            "green",
            "status",
            lists=[list_of(PHONE_CODE, NOW - 86_400)],
        ),
        phone(
            "neighbour epochs only",
            cold,
            NOW,
            "undetermined",
            "no-list",
            lists=neighbour,
            off=[],
            instead=good,
        ),
        phone("index = n", edge, NOW, "not-found", "index-range"),
        phone("index = n - 1", last, NOW, "green", "status"),
    ]


def _colour() -> list[dict[str, Any]]:
    # Sunday 2026-11-22 signed for Wednesday 2026-11-25 05:00 local; red since Monday.
    wednesday = PHONE_CODE.but(start=START + 2 * 1440 - 180, lifetime=100)
    now = T + (2 * 1440 - 180) * 60 + 150
    red = {PHONE_CODE.index: 2}
    lost = {PHONE_CODE.index: 3}

    def hot(as_of: int, states: dict[int, int]) -> list[dict[str, Any]]:
        return [list_of(PHONE_CODE, as_of, states=states)]

    cold = PHONE_CODE.but(lifetime=4)
    return [
        phone(
            "cold green, list red",
            wednesday,
            now,
            "red",
            "status",
            lists=[list_of(wednesday, now - 10, states=red)],
        ),
        phone(
            "hot green 61 s after a red list",
            PHONE_CODE,
            NOW,
            "green",
            "status",
            lists=hot(T - 61, red),
        ),
        phone(
            "hot green 60 s after a red list",
            PHONE_CODE,
            NOW,
            "red",
            "status",
            lists=hot(T - 60, red),
        ),
        phone(
            "cold green 61 s after a red list",
            cold,
            NOW,
            "red",
            "status",
            lists=[list_of(cold, T - 61, states=red)],
        ),
        phone(
            "hot red 61 s after an empty list",
            PHONE_CODE.but(colour=3),
            NOW,
            "red",
            "status",
            lists=hot(T - 61, {}),
        ),
        _withdrawn("hot, withdrawn", PHONE_CODE, hot(T - 61, lost), "green"),
        _withdrawn("hot, withdrawn in a newer list", PHONE_CODE, hot(NOW - 10, lost), None),
        _withdrawn("cold, withdrawn", cold, [list_of(cold, NOW - 10, states=lost)], None),
    ]


def _withdrawn(
    name: str, code: Code, lists: list[dict[str, Any]], answer: str | None
) -> dict[str, Any]:
    made = phone(name, code, NOW, "expired", "withdrawn", lists=lists)
    # Switched off, a withdrawn index still has no colour of its own.
    made["control"]["answer"] = answer or "undetermined"
    return made


def _last() -> list[dict[str, Any]]:
    return [*_ages(), *_documents(), *_clocks()]


def _ages() -> list[dict[str, Any]]:
    # Start 05:00 local on 23 November = 21:00Z on the 22nd; the sample was taken 47 h before.
    start = START - 180
    code = PHONE_CODE.but(start=start, lifetime=100, hours=47, tens=0, slot=4320)
    begins = T - 180 * 60
    checked = phone(
        "47 h at the start, checked 24 h later", code, begins + 24 * HOUR, "green", "status"
    )
    checked["expect"] |= {
        "sampled_from": begins - 47 * HOUR,
        # 71 h less the ten minutes of the bin: 70 h 50 min.
        "test_age_seconds": 70 * HOUR + 50 * 60,
        "within_hours": {"48": False, "70": False, "71": True, "72": True},
    }
    # Sampled 23:59 local on 22 November: the bin from 23:50; read at 08:02:30 on the 23rd.
    late = PHONE_CODE.but(hours=8, tens=1)
    days = phone("sampled at 23:59", late, NOW, "green", "status")
    days["expect"] |= {
        "sampled_from": T - 490 * 60,
        "sampled_on": "2026-11-22",
        "within_days": {"0": False, "1": True},
    }
    none = phone("no test", PHONE_CODE.but(hours=255, tens=0), NOW, "green", "status")
    none["expect"] |= {"sampled_from": None, "within_hours": {"48": False}}
    return [checked, days, none]


def _documents() -> list[dict[str, Any]]:
    key = bytes(range(32))
    message = b"PL1 tag" + struct.pack(">I", PHONE_CODE.index) + b"resident-id\0" + b"own"
    tag = hmac.new(key, message, hashlib.sha256).digest()[0]
    code = PHONE_CODE.but(byte_32=tag)

    def read(number: str, number_epoch: int = epoch(code)) -> dict[str, Any]:
        keys = {str(number_epoch): key.hex()}
        return {"kind": "phone", "type": "resident-id", "number": number, "tag_keys": keys}

    def sheet(name: str, birth: list[int] | None) -> dict[str, Any]:
        return {"kind": "paper", "masked_name": name, "birth": birth}

    refused = ("undetermined", "document")
    # "borrowed" and "own" differ in the tag: an even chance of 1 in 256 decided when written.
    other = hmac.new(key, message[:-3] + b"borrowed", hashlib.sha256).digest()[0]
    assert other != tag
    return [
        phone("own document", code, NOW, "green", "status", document=read("own")),
        phone("borrowed document", code, NOW, *refused, document=read("borrowed")),
        phone(
            "another epoch's tag key compares nothing",
            code,
            NOW,
            "green",
            "status",
            document=read("borrowed", epoch(code) + 1),
        ),
        phone(
            "sheet and its holder", PAPER_CODE, T, "green", "status", document=sheet("张*", [5, 17])
        ),
        phone("sheet, another name", PAPER_CODE, T, *refused, document=sheet("王*", [5, 17])),
        phone("sheet, another birthday", PAPER_CODE, T, *refused, document=sheet("张*", [5, 18])),
        phone(
            "sheet, birthday not read",
            PAPER_CODE,
            T,
            "green",
            "status",
            document=sheet("张*", None),
        ),
    ]


def _clocks() -> list[dict[str, Any]]:
    year = 365 * 86_400
    unsure = ("undetermined", "clock-unsure")
    text = PHONE_CODE.text()

    def at(name: str, now: int, **clock: Any) -> dict[str, Any]:
        state = {"disciplined_at": T, "floor": 0, "power_cut": False, **clock}
        good = {"clock": {"disciplined_at": NOW, "floor": 0, "power_cut": False}, "now": NOW}
        return vector(
            name,
            text,
            now,
            *unsure,
            code=PHONE_CODE,
            clock=state,
            lists=[list_of(PHONE_CODE, NOW - 10)],
            off=[],
            instead=good,
        )

    return [
        at("set back a year", NOW - year),
        at("before the newest list", NOW, floor=NOW + 1),
        at("after a power cut without a clock", NOW, power_cut=True),
        at("disciplined 7 days and 1 s ago", NOW, disciplined_at=NOW - 7 * 86_400 - 1),
        vector(
            "disciplined 7 days ago",
            text,
            NOW,
            "green",
            "status",
            code=PHONE_CODE,
            clock={"disciplined_at": NOW - 7 * 86_400, "floor": NOW, "power_cut": False},
        ),
    ]
