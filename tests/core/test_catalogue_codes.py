"""Every code that facts and rules give has its words in both languages, and no more than those.

The codes are read from the source's syntax tree, not from running it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from passlight.runtime.catalogue import catalogue

SOURCE = Path(__file__).parents[2] / "src" / "passlight"
PREFIXES = {
    "fail": "rules",
    "note": "rules",
    "_fail_at": "rules",
    "_gap": "rules",
    "_names": "rules",
    "_doubt": "intake",
    "wrong": "intake",
}


def codes() -> Iterator[str]:
    for folder in ("core/facts", "core/rules", "core/status", "runtime", "cli"):
        for path in sorted((SOURCE / folder).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    prefix, _, rest = node.value.partition(".")
                    known = prefix in {"rules", "intake"} and rest.replace("-", "").isalpha()
                    if known and rest != "yaml":
                        yield node.value
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    values = [one.value for one in node.args if isinstance(one, ast.Constant)]
                    texts = [one for one in values if isinstance(one, str)]
                    if name in PREFIXES and texts:
                        first = (
                            1 if name == "wrong" and isinstance(node.args[0], ast.Constant) else 0
                        )
                        yield f"{PREFIXES[name]}.{texts[first]}"


def test_every_code_has_words_and_every_word_a_code() -> None:
    used = set(codes())
    assert len(used) > 80
    told = {code for code in catalogue() if code.startswith(("rules.", "intake."))}
    assert used - told == set()
    assert {code for code in told if code.startswith("rules.")} - used == set()
