"""Each house rule can fail, and a clean file passes."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tidy = load("tidy")
translations = load("translations")


def found(name: str, text: str) -> list[str]:
    return list(tidy.problems_in(Path(name), text))


def test_a_clean_file_has_no_problem():
    assert found("src/passlight/core/colour.py", '"""Colour."""\n\nx = 1\n') == []


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("src/passlight/core/utils.py", "x = 1\n", "says nothing"),
        ("src/passlight/core/fact.py", "x = 1\n" * 501, "501 lines"),
        ("src/passlight/a.py", "def f():\n" + "    x = 1\n" * 71, "f has 72 lines"),
        ("docs/a.md", "see /" + "home/ann/notes\n", "a path of a machine"),
        ("src/passlight/a.py", "raise NotImplemented" + "Error\n", "something unfinished"),
        ("web/src/a.ts", "// TO" + "DO later\n", "something unfinished"),
        ("README.md", "https://registry" + ".example.org/x\n", "a registry host"),
    ],
)
def test_each_rule_can_fail(name, text, says):
    assert any(says in problem for problem in found(name, text))


def test_a_long_file_may_say_why():
    assert found("src/passlight/core/fact.py", '"""Long because it is a table."""\n' * 501) == []


def test_an_incomplete_message_is_found():
    bad = {
        "a.x": {"zh": "一", "en": ""},
        "a.y": {"zh": "{n}人", "en": "{m} people"},
        "a.z": {"zh": "一", "en": "一"},
        "a.cut": {"zh": "一", "en": "One", "two": None},
        "a.ok": {"zh": "{n}人", "en": "{n} people"},
    }
    said = list(translations.incomplete("a.yaml", bad))
    assert [line.split()[1] for line in said] == ["a.x", "a.y", "a.z", "a.cut"]


def test_chinese_in_a_template_is_found():
    path = ROOT / "src/x.html"
    assert list(translations.hard_coded(path, "<p>您好</p>"))
    assert not list(translations.hard_coded(path, '{# 您好 #}<p>{% t "a.x" %} 中文</p>'))
