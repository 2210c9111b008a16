"""Texts of shipped packs follow ui.md 6: numerals stand tight beside Chinese characters."""

import re
from pathlib import Path

import pytest

from passlight.runtime.packs import shipped_packs

LOOSE = re.compile(r"[\u4e00-\u9fff] +[0-9]|[0-9] +[\u4e00-\u9fff]")
FILES = sorted(shipped_packs().glob("*/**/*.yaml"))


def test_the_pattern_finds_a_typed_space() -> None:
    """Positive control."""
    assert LOOSE.search("未满 14天")
    assert LOOSE.search("14 天")
    assert not LOOSE.search("未满14天")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_space_is_typed_between_chinese_and_numerals(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    loose = [line for line in lines if LOOSE.search(line) and not line.lstrip().startswith("#")]
    assert loose == []
