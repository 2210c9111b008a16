"""Every code that core/entry gives has its words in both languages, and no more than those.

The codes are read from the source's syntax tree, not from running it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from passlight.runtime.catalogue import catalogue

CORE = Path(__file__).parents[2] / "src" / "passlight" / "core"


def called(path: Path, name: str, at: int) -> Iterator[str]:
    """The constants that calls of ``name`` have at position ``at``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
            argument = node.args[at]
            assert isinstance(argument, ast.Constant), f"{path.name}:{node.lineno}"
            yield f"entry.{argument.value}"


def test_every_code_has_words_and_every_word_a_code() -> None:
    used = {
        code for path in sorted((CORE / "entry").glob("*.py")) for code in called(path, "fail", 1)
    }
    used |= set(called(CORE / "rules" / "gaps.py", "_gap", 0))
    assert len(used) > 25
    told = {code for code in catalogue() if code.startswith("entry.")}
    assert used - told == set()
    assert told - used == set()
