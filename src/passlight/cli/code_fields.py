"""The fields of a code, named and explained for ``passlight code inspect``."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from passlight.core.codes.layout import NO_TEST, SIGNED_LENGTH, Binding, Body, Purpose, Suite
from passlight.core.codes.sampling import sampled_from
from passlight.core.codes.trust import TrustList
from passlight.core.verification.checks import CHECKS
from passlight.core.verification.inputs import ClockState, VerificationPolicy
from passlight.core.verification.reading import Reading
from passlight.core.verification.replay import ReplaySet
from passlight.core.verification.status_source import StatusLists
from passlight.runtime.catalogue import text as message

_COLOURS = ("none", "green", "yellow", "red")
# The checks that need nothing but the text.
_FORM_STEPS = 6
_TEXT_STEPS = 2


def fields_of(text: str) -> dict[str, Any]:
    """Return every field by name; ``faults`` are the checks of form that it fails."""
    reading = _reading(text)
    faults = []
    for check in CHECKS:
        if check.step > _FORM_STEPS:
            break
        if not check.holds(reading):
            faults.append(check.reason)
            if check.step <= _TEXT_STEPS:
                break  # no bytes, no fields
    fields: dict[str, Any] = {"text": f"{len(text)} characters"}
    if reading.raw:
        fields |= _body_fields(reading.body, reading.raw)
    return {**fields, "faults": faults}


def explain(fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for every field: its names in Chinese and English, and its value."""
    for name, value in fields.items():
        code = f"codes.field-{name}"
        shown = ", ".join(value) or "–" if isinstance(value, list) else value
        yield f"{message(code, 'zh')} · {message(code, 'en')}: {shown}"
    yield f"{message('codes.unverified', 'zh')} {message('codes.unverified', 'en')}"


def _reading(text: str) -> Reading:
    """Return a reading with nothing to trust: only the checks of form can run on it."""
    return Reading(
        text=text,
        now=0,
        trust=TrustList(sequence=0, expires_at=0, realms={}, keys={}),
        source=StatusLists(lists={}),
        policy=VerificationPolicy(freshness_seconds=0),
        replay=ReplaySet(),
        clock=ClockState(disciplined_at=0),
        interaction="",
        document=None,
    )


def _body_fields(body: Body, raw: bytes) -> dict[str, Any]:
    phone = body.purpose is Purpose.PHONE
    sampled = sampled_from(body)
    fields: dict[str, Any] = {
        "version": body.version,
        "suite": _named(Suite, body.suite),
        "colour": _COLOURS[body.colour],
        "binding": _named(Binding, body.binding),
        "slot_seconds": body.slot_seconds if phone else None,
        "reserved": body.reserved_1 or body.reserved_11 or (body.byte_33 if phone else 0),
        "kid": body.kid.hex(),
        "kind": body.kind.value,
        "starts_at": _instant(body.starts_at),
        "ends_at": _instant(body.ends_at),
        "lifetime": body.lifetime,
        "test_age": _test_age(body),
        "sampled_from": _instant(sampled) if sampled is not None else None,
        "index": body.index,
    }
    if phone:
        slot = int.from_bytes(raw[SIGNED_LENGTH : SIGNED_LENGTH + 2], "big")
        fields |= {
            "anchor": body.middle.hex(),
            "tag": body.byte_32,
            "signature": raw[34:SIGNED_LENGTH].hex(),
            "slot": f"{slot} / {body.slots}",
            "slot_from": _instant(body.starts_at + slot * body.slot_seconds),
            "value": raw[SIGNED_LENGTH + 2 :].hex(),
        }
    else:
        fields |= {
            "holder": "".join(c if c.isprintable() else "�" for c in body.holder_name),
            "birth": f"{body.byte_32:02d}-{body.byte_33:02d}",
            "signature": raw[34:].hex(),
        }
    return {name: value for name, value in fields.items() if value is not None}


def _named(names: type[Suite] | type[Binding], number: int) -> str:
    known = {int(member): member.name.lower() for member in names}
    return f"{number} ({known.get(number, 'unknown')})"


def _test_age(body: Body) -> str | None:
    if body.test_hours == NO_TEST:
        return None
    return f"{body.test_hours} h {body.test_tens}0 min"


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
