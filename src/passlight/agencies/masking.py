"""What a steward may see of a row that was put aside: enough to mend it, nobody's identity.

A value is shown in full only when its field cannot name a person: times, kinds, levels.
Everything else keeps its shape: digits in runs become 310***12, Han and letters keep the first.
"""

import re

_TIMES = ("occurred_at", "occurred_until", "recorded_at", "sampled_at", "reported_at")
_JOURNEY = ("left_at", "arrived_at", "area", "from_area")
_DATES = ("date", "confirmed_date", "released_date", "deceased_date")
_WORDS = ("kind", "op", "ver", "level", "value", "type", "state", "source")
SHOWN = frozenset([*_TIMES, *_JOURNEY, *_DATES, *_WORDS])
LENGTH_MAX = 120
_DIGITS = re.compile(r"[0-9０-９][0-9０-９Xx-]{4,}")
_WORD = re.compile(r"([^\W\d_])([^\W\d_]+)")
_HEAD, _TAIL = 3, 2


def masked(text: str, *, field: str | None = None) -> str:
    """Return ``text`` as it may be shown; in full when ``field`` names nobody."""
    cut = text[:LENGTH_MAX] + ("…" if len(text) > LENGTH_MAX else "")
    cut = "".join(c if c.isprintable() else "�" for c in cut)
    if field is not None and field.rpartition(".")[2] in SHOWN:
        return cut
    return _WORD.sub(_initial, _DIGITS.sub(_ends, cut))


def _ends(match: re.Match[str]) -> str:
    text = match[0]
    return text[:_HEAD] + "*" * max(1, len(text) - _HEAD - _TAIL) + text[-_TAIL:]


def _initial(match: re.Match[str]) -> str:
    return match[1] + "*" * min(len(match[2]), 6)
