"""The own, stable id of a place on a list: the same place, however its name was typed.

The listed places are compounds and buildings, smaller than any administrative code, and the
feed sends no code: so an area has an id of its own, made from its name alone, and no parent
is made up for it (field/08 1.8). Only spellings that cannot mean two places are merged:
width, spaces, invisible characters, and the several dashes, commas and brackets.
"""

import hashlib
import re
import unicodedata

_DASHES = re.compile(r"[‐‑‒–—―−─~〜-]+")
_COMMAS = re.compile(r"[,、;，；､]+")
_OPENING = str.maketrans("[{〔【〈《", "((((((")
_CLOSING = str.maketrans("]}〕】〉》", "))))))")


def same_place(text: str) -> str:
    """Return the form that all spellings of one name share."""
    wide = unicodedata.normalize("NFKC", text)
    bare = "".join(c for c in wide if not c.isspace() and unicodedata.category(c) != "Cf")
    bare = bare.translate(_OPENING).translate(_CLOSING)
    return _COMMAS.sub(",", _DASHES.sub("-", bare)).strip(",.。·").casefold()


def area_id(*names: str) -> str:
    """Return the id of the place that is named from the province down."""
    joined = "\x1f".join(same_place(name) for name in names)
    return "r-" + hashlib.sha256(joined.encode()).hexdigest()[:16]
