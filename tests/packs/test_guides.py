"""The guides are true: every file they show is written, every command they show is typed.

What a command must show is read from the guide, never from running it.
"""

import re
from pathlib import Path

import pytest

from passlight.runtime.packs import shipped_packs
from tests.packs.guide import Typed, blocks, follow

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
ENGLISH = (GUIDES / "packs.md").read_text(encoding="utf-8")
CHINESE = (GUIDES / "packs.zh-CN.md").read_text(encoding="utf-8")


def test_what_the_guide_shows_is_what_one_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    typed = list(follow(ENGLISH))
    assert [f"$ {one.command}\n{one.shown}" for one in typed if not one.as_told] == []
    names = {" ".join(one.command.split()[:3]) for one in typed}
    assert {
        f"passlight pack {name}" for name in ("new", "check", "test", "diff", "preview")
    } <= names
    assert len(typed) > 10


def test_the_chinese_guide_shows_the_same_files_and_commands() -> None:
    assert blocks(CHINESE) == blocks(ENGLISH)


def test_every_command_within_the_text_was_typed_too_or_is_one() -> None:
    inline = set(re.findall(r"`(passlight [^`]+)`", ENGLISH)) | set(
        re.findall(r"`(passlight [^`]+)`", CHINESE)
    )
    known = {
        "passlight pack check",
        "passlight pack new my-town-2022 --from jiangsu-2021",
    }
    assert inline <= known
    assert (shipped_packs() / "jiangsu-2021").is_dir()


def test_the_guide_names_the_parts_of_the_folder_that_it_makes() -> None:
    for text in (ENGLISH, CHINESE):
        for link in re.findall(r"\]\(([^)#]+)", text):
            assert (GUIDES / link).exists(), link


def test_a_guide_that_is_not_true_is_found() -> None:
    """Positive control: another line, a missing line and a line too many are all seen."""
    told = "a\nb sha256:…\nc"
    for shown in ("a\nb sha256:12\nx", "a\nb sha256:12", "a\nb sha256:12\nc\nd"):
        assert not Typed(command="x", told=told, shown=shown).as_told
    assert Typed(command="x", told=told, shown="a\nb sha256:12\nc").as_told
