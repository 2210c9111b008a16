"""Rows 1–11, 14, 15, 17: what is wrong with the text, its bytes or its signature."""

from typing import Any

from handmade import ORDER, PAPER_CODE, PHONE_CODE, Code, T, text_of
from vector import list_of, row, vector

NOW = T + 150  # slot 7 of the hot code lasts from +140 to +160


def phone(name: str, code: Code, reason: str, **more: Any) -> dict[str, Any]:
    return vector(name, code.text(), NOW, "not-found", reason, code=code, **more)


def paper(name: str, code: Code, reason: str, **more: Any) -> dict[str, Any]:
    return vector(name, code.text(), T + 86_400, "not-found", reason, code=code, **more)


def spoilt(name: str, text: str | dict[str, Any], reason: str, **more: Any) -> dict[str, Any]:
    return vector(name, text, NOW, "not-found", reason, code=PHONE_CODE, **more)


def bytes_rows() -> dict[str, dict[str, Any]]:
    return {
        "00-good": row(0, "the two published codes, and the edges of slot 7", _good()),
        "01-length": row(1, "lengths and prefix", _length()),
        "02-triples": row(2, "a triple over 65,535", _triples()),
        "03-alphabet": row(3, "symbols outside the alphabet", _alphabet()),
        "04-version": row(
            4,
            "version",
            [phone(f"version {n}", PHONE_CODE.but(version=n), "version") for n in (0, 2)],
        ),
        "05-suite": row(5, "suite", _suite()),
        "06-reserved": row(6, "each reserved bit, signed", _reserved()),
        "07-binding": row(
            7,
            "binding in 116 bytes",
            [phone(f"binding {n}", PHONE_CODE.but(binding=n), "binding") for n in (0, 2, 3)],
        ),
        "08-colour": row(8, "colour", _colour()),
        "09-lifetime": row(9, "lifetime", _lifetime()),
        "10-test-age": row(10, "test age", _test_age()),
        "11-holder": row(11, "the holder on paper", _holder()),
        "14-context": row(14, "signed for something else", _context()),
        "15-signature": row(15, "signatures that lax libraries take", _signature()),
        "17-bits": _bits(),
    }


def _good() -> list[dict[str, Any]]:
    text = PHONE_CODE.text()
    found = [
        vector(f"phone at +{at}", text, T + at, "green", "status", code=PHONE_CODE)
        for at in (120, 150, 179)
    ]
    found.append(
        vector("phone at +119", text, T + 119, "undetermined", "slot-ahead", code=PHONE_CODE)
    )
    found.append(vector("phone at +180", text, T + 180, "expired", "slot-old", code=PHONE_CODE))
    sheet = PAPER_CODE
    found.append(vector("paper at its start", sheet.text(), T, "green", "status", code=sheet))
    red = [list_of(sheet, T - 10, states={sheet.index: 2})]
    found.append(vector("paper, red list", sheet.text(), T, "red", "status", code=sheet, lists=red))
    for colour, answer in ((2, "yellow"), (3, "red")):
        code = PHONE_CODE.but(colour=colour)
        found.append(vector(f"phone {answer}", code.text(), NOW, answer, "status", code=code))
    for state, answer in ((1, "yellow"), (2, "red")):
        code = PHONE_CODE.but(lifetime=4, slot=7)
        lists = [list_of(code, NOW - 10, states={code.index: state})]
        name = f"cold green, list {answer}"
        found.append(vector(name, code.text(), NOW, answer, "status", code=code, lists=lists))
    return found


def _length() -> list[dict[str, Any]]:
    text = PHONE_CODE.text()
    why = "Another length is no code at all: nothing of it could be accepted."
    million = {"prefix": "PL1:", "fill": "0", "length": 1_000_000}
    cut = text_of(PHONE_CODE.raw()[:98])
    other = ["binding", "colour", "lifetime", "test-age", "holder", "key-purpose", "expired"]
    sheet = PHONE_CODE.but(phone=False)
    return [
        spoilt("177 characters", text[:-1], "not-pl1", no_control=why),
        spoilt("179 characters", text + "0", "not-pl1", no_control=why),
        spoilt("1,000,000 characters", million, "not-pl1", no_control=why),
        spoilt("lower-case prefix", "pl1:" + text[4:], "not-pl1"),
        spoilt("leading space", " " + text[:-1], "not-pl1", no_control=why),
        spoilt(
            "phone code cut to 98 bytes",
            cut,
            "binding",
            off=other,
            instead={"lists": [list_of(sheet, NOW - 10)]},
        ),
    ]


def _triples() -> list[dict[str, Any]]:
    # A lax decoder keeps the low 16 bits: GGW = 65,536 becomes 0000, ::: = 91,124 becomes 63f4.
    sheet = PAPER_CODE.text()
    at = 4 + 3 * 10  # bytes 20 and 21, padding of the name
    assert sheet[at : at + 3] == "000"
    code = PHONE_CODE.but(index=0x000063F4)
    text, place = code.text(), 4 + 3 * 7  # bytes 14 and 15
    return [
        paper("GGW in place of 000", PAPER_CODE, "encoding")
        | {"text": sheet[:at] + "GGW" + sheet[at + 3 :]},
        phone("::: in place of 63f4", code, "encoding")
        | {"text": text[:place] + ":::" + text[place + 3 :]},
    ]


def _alphabet() -> list[dict[str, Any]]:
    text = PHONE_CODE.text()
    why = "No lax decoder gives this symbol the value of the one that it replaced."
    digit = text.index("8")
    # The first space is in the index field (bytes 12, 13): the changed body is not signed.
    space = text.index(" ")
    assert (space - 4) // 3 * 2 == 12
    return [
        spoilt("one lower-case letter", text.replace("Q", "q", 1), "encoding"),
        spoilt("full-width digit", text[:digit] + "８" + text[digit + 1 :], "encoding"),
        spoilt("NUL", text[:40] + "\0" + text[41:], "encoding", no_control=why),
        spoilt("space turned into +", text[:space] + "+" + text[space + 1 :], "signature"),
    ]


def _suite() -> list[dict[str, Any]]:
    both = {"freshness_seconds": 300, "admission_point": True, "suites": [1, 2]}
    found = [
        phone(f"suite {n}", PHONE_CODE.but(suite=n), "suite", off=["suite", "key-purpose"])
        for n in (0, 4)
    ]
    two = PHONE_CODE.but(suite=2)
    name = "suite 2 under an Ed25519 key"
    found.append(phone(name, two, "suite", off=["suite", "key-purpose"]))
    found.append(phone(f"{name}, verifier with ES256", two, "key-purpose", policy=both))
    return found


def _reserved() -> list[dict[str, Any]]:
    found = [
        phone(f"byte 1, bit {bit}", PHONE_CODE.but(low_bits=1 << bit), "reserved")
        for bit in range(2)
    ]
    found += [
        phone(f"byte 11, bit {bit + 3}", PHONE_CODE.but(high_bits=1 << bit), "reserved")
        for bit in range(5)
    ]
    found += [
        phone(f"byte 33, bit {bit}", PHONE_CODE.but(byte_33=1 << bit), "reserved")
        for bit in range(8)
    ]
    return found


def _colour() -> list[dict[str, Any]]:
    zero = phone("phone with colour 0", PHONE_CODE.but(colour=0), "colour")
    # Switched off, nought is still no colour: the answer has the reason, and is not green.
    zero["control"]["answer"] = "undetermined"
    return [
        zero,
        paper("paper with colour 1", PAPER_CODE.but(colour=1), "colour"),
        paper(
            "paper with slot code 1",
            PAPER_CODE.but(slot_code=1),
            "colour",
            off=["colour", "key-purpose"],
        ),
    ]


def _lifetime() -> list[dict[str, Any]]:
    return [
        phone("lifetime 114", PHONE_CODE.but(lifetime=114), "lifetime"),
        phone("lifetime 255", PHONE_CODE.but(lifetime=255), "lifetime"),
        phone("lifetime 113", PHONE_CODE.but(lifetime=113), "status") | {"expect": GREEN},
        paper("paper 0 days", PAPER_CODE.but(lifetime=0), "lifetime", off=["lifetime", "expired"]),
        paper("paper 181 days", PAPER_CODE.but(lifetime=181), "lifetime"),
        paper("paper 180 days", PAPER_CODE, "status") | {"expect": GREEN},
    ]


GREEN = {"answer": "green", "reason": "status"}


def _test_age() -> list[dict[str, Any]]:
    found = [phone(f"tens {n}", PHONE_CODE.but(tens=n), "test-age") for n in (6, 7)]
    found.append(phone("255 h with tens 1", PHONE_CODE.but(hours=255, tens=1), "test-age"))
    found.append(paper("paper with 0 h", PAPER_CODE.but(hours=0), "test-age"))
    return found


def _holder() -> list[dict[str, Any]]:
    def named(name: bytes) -> Code:
        return PAPER_CODE.but(anchor=name.ljust(16, b"\0"))

    decomposed = "Jose\u0301".encode()
    return [
        paper("bad UTF-8", named(b"\xe5\xbc"), "holder"),
        paper("direction mark", named("张\u202e*".encode()), "holder"),
        paper("byte after the padding", named("张*\0*".encode()), "holder"),
        paper("not NFC", named(decomposed), "holder"),
        paper("no name", named(b""), "holder"),
        paper("month 13", PAPER_CODE.but(byte_32=13), "holder"),
        paper("31 April", PAPER_CODE.but(byte_32=4, byte_33=31), "holder"),
        paper("birthday unknown", PAPER_CODE.but(byte_32=0, byte_33=0), "status")
        | {"expect": GREEN},
    ]


def _context() -> list[dict[str, Any]]:
    contexts = {
        "purpose paper": b"passlight/PL1/paper/cn-310118",
        "a list context": b"passlight/list/phone/cn-310118",
        "realm cn-310101": b"passlight/PL1/phone/cn-310101",
    }
    return [phone(n, PHONE_CODE.but(context=c), "signature") for n, c in contexts.items()]


def _signature() -> list[dict[str, Any]]:
    good = PHONE_CODE.signed()[34:]
    s = int.from_bytes(good[32:], "little")

    def with_s(value: int) -> Code:
        return PHONE_CODE.but(signature=good[:32] + value.to_bytes(32, "little"))

    return [
        phone("S + L", with_s(s + ORDER), "signature"),
        phone("S = L", with_s(ORDER), "signature"),
        phone("all zero", PHONE_CODE.but(signature=bytes(64)), "signature"),
        phone("R and S exchanged", PHONE_CODE.but(signature=good[32:] + good[:32]), "signature"),
        phone(
            "the signature of another body",
            PHONE_CODE.but(signature=PHONE_CODE.but(index=1).signed()[34:]),
            "signature",
        ),
    ]


def _bits() -> dict[str, Any]:
    """All 928 changes of one bit, each with the reason that the layout gives it."""
    raw = PHONE_CODE.raw()
    reasons = [_bit_reason(raw, at) for at in range(928)]
    expected: dict[str, list[int]] = {}
    for at, reason in enumerate(reasons):
        expected.setdefault(reason, []).append(at)
    # The document counted them: over 700 by the signature, 129 by the chain.
    assert len(expected["signature"]) > 700
    assert len(expected["chain"]) == 129
    base = vector("one bit of 928", PHONE_CODE.text(), NOW, "not-found", "", code=PHONE_CODE)
    for field in ("text", "expect", "control"):
        del base[field]
    return row(17, "bit 0 is the highest of byte 0", [], raw=raw.hex(), base=base, bits=expected)


def _bit_reason(raw: bytes, at: int) -> str:
    byte, bit = divmod(at, 8)
    flipped = raw[byte] ^ (0x80 >> bit)
    if byte == 0:
        return "version" if bit < 4 else "suite"
    if byte == 1:
        if bit < 2:
            return "colour" if flipped >> 6 == 0 else "signature"
        return {2: "binding", 3: "binding", 4: "key-purpose", 5: "key-purpose"}.get(bit, "reserved")
    if byte < 6:
        return "key-unknown"
    if byte < 9:
        start = int.from_bytes(raw[6:9], "big") ^ (0x800000 >> at - 48)
        inside = -3 * 1440 <= start - 469_440 < 7 * 1440  # the window in the vectors' trust list
        return "signature" if inside else "key-period"
    if byte == 9:
        return "lifetime" if flipped > 113 else "signature"
    if byte == 11:
        if bit < 5:
            return "reserved"
        return "test-age" if flipped & 7 > 5 else "signature"
    if byte == 33:
        return "reserved"
    if byte < 98:
        return "signature"
    if byte < 100:
        slot = 7 ^ (0x8000 >> at - 98 * 8)
        if slot >= 30:
            return "slot-range"
        # At +150 the clock says slot 7; one to either side is taken, and its value is wrong.
        return "slot-old" if slot < 6 else "slot-ahead" if slot > 8 else "chain"
    return "chain"
