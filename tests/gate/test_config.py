"""One TOML file: what is wrong in it is named by line and field, with what to write instead."""

from pathlib import Path

import pytest

from passlight.core.kernel.problem import ProblemError
from passlight.gate.config import read_config

GOOD = """\
[server]
url = "https://code.example.cn"

[door]
venue = "5f8b1c5e-2d7c-4b2a-9a53-6f0f6a1b7c11"
entrance = "east"

[state]
folder = "state"

[[code]]
driver = "simulated"

[[code]]
driver = "serial"
port = "/dev/ttyUSB0"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "gate.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, GOOD))
    assert (config.url, config.entrance, config.direction) == (
        "https://code.example.cn",
        "east",
        "in",
    )
    assert config.folder == tmp_path / "state"
    assert config.battery_clock is False  # without a word, a board is taken to have none
    assert [table.text("driver") for table in config.tables("code")] == ["simulated", "serial"]
    assert config.tables("code")[1].line == 14


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "words"),
    [
        ('url = "https://code.example.cn"', 'url = "code.example.cn"', 2, "server.url", "address"),
        ('url = "https://code.example.cn"', 'url = "http://code.example.cn"', 2, "server.url", "unencrypted"),
        ('url = "https://code.example.cn"', "", 1, "server.url", "missing"),
        ('entrance = "east"', 'entrance = "east gate"', 6, "door.entrance", "entrance"),
        ('entrance = "east"', 'entrance = "east"\nbarier_seconds = 3', 7, "door.barier_seconds", "not known"),
        ('entrance = "east"', 'entrance = "east"\nbarrier_seconds = "3"', 7, "door.barrier_seconds", "does not go"),
        ('entrance = "east"', 'entrance = "east"\ndirection = "up"', 7, "door.direction", "in, out"),
        ('folder = "state"', 'folder = ""', 9, "state.folder", "text"),
        ('folder = "state"', 'folder = "state"\nspool_rows = 5', 10, "state.spool_rows", "from 100"),
        ('folder = "state"', 'folder = "state"\n[clock]\nbattery = 1', 11, "clock.battery", "true or false"),
        ('folder = "state"', 'folder = "state"\n[clok]\nbattery = true', 10, "clok", "Known tables"),
        ("[state]", "[state", 8, None, "line 8"),
        ("[server]", "spare = 1\n[server]", 1, None, "outside of a table"),
        ("[[code]]", "[server]\n[[code]]", None, None, "line"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(
    tmp_path: Path, old: str, new: str, line: int | None, field: str | None, words: str
) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(ProblemError) as caught:
        read_config(written(tmp_path, text))
    (problem,) = caught.value.problems
    assert words in str(problem)
    assert problem.remedy and problem.file == str(tmp_path / "gate.toml")
    if line is not None:
        assert problem.line == line
    if field is not None:
        assert (problem.field or "").rstrip(".") == field


def test_bytes_that_are_no_text_are_named_by_their_line(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_bytes(GOOD.encode().replace(b"east", b"\xff\xfe", 1))
    with pytest.raises(ProblemError, match="UTF-8") as caught:
        read_config(path)
    assert caught.value.problems[0].line == 6
