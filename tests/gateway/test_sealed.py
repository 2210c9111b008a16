"""Sealed handles: opened by whom they were made for, for what, and for 120 s."""

from datetime import UTC, datetime, timedelta

import pytest

from passlight.runtime.clock import SystemEntropy
from passlight.runtime.sealed import SealedError, Sealer, Use

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SEALER = Sealer(bytes(range(32)))


def seal(use: Use = Use.LOOKUP) -> str:
    return SEALER.seal(use, ordinal=7, checker="c-1", venue="v-1", now=NOW, entropy=SystemEntropy())


def reason(text: str, *, use: Use = Use.LOOKUP, checker: str = "c-1", at: datetime = NOW) -> str:
    with pytest.raises(SealedError) as caught:
        SEALER.open(use, text, checker=checker, now=at)
    return caught.value.reason


def test_opens_for_its_checker_until_120_seconds() -> None:
    handle = SEALER.open(Use.LOOKUP, seal(), checker="c-1", now=NOW + timedelta(seconds=119))
    assert (handle.ordinal, handle.checker, handle.venue) == (7, "c-1", "v-1")
    assert reason(seal(), at=NOW + timedelta(seconds=120)) == "expired"


def test_refuses_another_checker_use_and_key() -> None:
    assert reason(seal(), checker="c-2") == "other-checker"
    assert reason(seal(), use=Use.SUBJECT) == "broken"
    with pytest.raises(SealedError):
        Sealer(bytes(32)).open(Use.LOOKUP, seal(), checker="c-1", now=NOW)


@pytest.mark.parametrize("text", ["", "x", "====", "A" * 2000, "é" * 40, "AAAA" * 20])
def test_refuses_garbage(text: str) -> None:
    assert reason(text) == "broken"


def test_every_changed_bit_is_refused() -> None:
    text = seal()
    for place in range(len(text)):
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        # The last character of unpadded base64 can hold bits that encode nothing.
        if place < len(text) - 1:
            assert reason(changed) == "broken"
