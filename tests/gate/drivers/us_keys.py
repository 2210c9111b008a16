"""Recorded key events, in the form that ``evemu-record`` writes, made from a text.

The table is written down here once more, from linux/input-event-codes.h, and not taken from the
code under test. ``scanner.events`` beside it was made by this file and is replayed as recorded.
"""

CODES = {
    **{c: n for n, c in enumerate("1234567890", 2)},
    **{c: n for n, c in enumerate("QWERTYUIOP", 16)},
    **{c: n for n, c in enumerate("ASDFGHJKL", 30)},
    **{c: n for n, c in enumerate("ZXCVBNM", 44)},
    "-": 12,
    "=": 13,
    ",": 51,
    ".": 52,
    "/": 53,
    " ": 57,
}
WITH_SHIFT = {"$": 5, "%": 6, "*": 9, "+": 13, ":": 39}
LEFT_SHIFT, CAPS_LOCK, ENTER = 42, 58, 28


def typed(text: str, *, caps: bool = False) -> list[tuple[int, int]]:
    """The events of a scanner that types ``text`` and Enter."""
    events: list[tuple[int, int]] = []
    for character in text:
        letter = character.isalpha()
        shift = character in WITH_SHIFT or (letter and character.isupper() != caps)
        code = WITH_SHIFT.get(character) or CODES[character.upper()]
        keys = [(code, 1), (code, 0)]
        events += [(LEFT_SHIFT, 1), *keys, (LEFT_SHIFT, 0)] if shift else keys
    return [*events, (ENTER, 1), (ENTER, 0)]


def recording(events: list[tuple[int, int]], pause: float = 0.004) -> str:
    """The lines of a recording."""
    return "".join(
        f"E: {number * pause:.6f} 0001 {code:04x} {value:04d}\nE: {number * pause:.6f} 0000 0000 0000\n"
        for number, (code, value) in enumerate(events)
    )
