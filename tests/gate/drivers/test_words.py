"""Every code that a device, the screen's server or the vendor's endpoint gives has its words.

The codes are read from the source's syntax tree, not from running it.
"""

import ast
import re
from pathlib import Path

from passlight.runtime.catalogue import catalogue

SOURCE = Path(__file__).parents[3] / "src" / "passlight" / "gate"
CODE = re.compile(r"kiosk\.(device|display|command|vendor)\.[a-z-]+")


def used() -> dict[str, set[str]]:
    """Each code, with the parameters that it is given."""
    found: dict[str, set[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and CODE.fullmatch(text):
                found.setdefault(text, set())
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                code = node.args[0].value
                if isinstance(code, str) and CODE.fullmatch(code):
                    names = {keyword.arg for keyword in node.keywords if keyword.arg}
                    found.setdefault(code, set()).update(names)
    return found


def test_every_code_has_words_with_its_parameters_and_every_word_a_code() -> None:
    codes = used()
    assert len(codes) > 25
    told = {code: texts for code, texts in catalogue().items() if CODE.fullmatch(code)}
    assert set(codes) == set(told)
    for code, texts in told.items():
        for text in texts.values():
            assert set(re.findall(r"{(\w+)}", text)) <= codes[code], code
