"""The hardware guide is true: every table that it shows builds, in both languages alike."""

import re
import tomllib
from pathlib import Path

import pytest

from passlight.gate.drivers.registry import build
from passlight.gate.fleet import read_fleet
from passlight.gate.toml_table import read_toml
from passlight.gate.vendor import read_vendor
from passlight.runtime.clock import SystemClock, SystemEntropy
from tests.gate.drivers.test_registry import Config

GUIDES = Path(__file__).parents[3] / "docs" / "guides"
NAMES = ("gate-hardware.md", "gate-hardware.zh-CN.md")


def tables(name: str) -> list[str]:
    """The tables of the guide's TOML, one by one: two in one block may be alternatives."""
    blocks = re.findall(r"```toml\n(.*?)```", (GUIDES / name).read_text(), re.DOTALL)
    return [table for block in blocks for table in re.split(r"\n(?=\[)", block)]


@pytest.mark.parametrize("name", NAMES)
def test_every_table_builds(name: str, tmp_path: Path) -> None:
    seen = set()
    for text in tables(name):
        path = tmp_path / "gate.toml"
        path.write_text(text.replace('"…"', '"a-token-of-20-characters"'))
        file = read_toml(path)
        config = Config(file)
        made = [build(config, clock=SystemClock(), entropy=SystemEntropy()).ports()]
        made.append(read_vendor(config.tables("vendor")))
        made.append(read_fleet(config.tables("fleet"), venue="v", entrance="e"))
        assert any(made), text
        seen |= set(file.tables)
    assert seen == {
        *("code", "id_card", "keys", "thermometer", "barrier", "speaker", "display"),
        *("fleet", "vendor"),
    }


def test_both_languages_show_the_same_settings() -> None:
    zh, en = ([tomllib.loads(text) for text in tables(name)] for name in NAMES)
    assert zh == en


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_was_never_tested(name: str) -> None:
    text = (GUIDES / name).read_text()
    assert text.count("真实" if "zh" in name else "real ") >= 8
