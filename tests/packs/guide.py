"""Runs a guide as its reader does: writes the files it shows, types the commands it shows.

A block that follows ``<!-- file: NAME -->`` is a file. In a ``console`` block a line after ``$ ``
is a command, and what follows it is what must be shown; ``…`` stands for anything.
"""

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from passlight.cli.main import main

_BLOCK = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<kind>[a-z]*)\n(?P<text>.*?)```", re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of a guide: a file to write, or commands to type."""

    file: str | None
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """One command, what the guide says it shows, and what it showed."""

    command: str
    told: str
    shown: str

    @property
    def as_told(self) -> bool:
        """Return whether it showed what the guide says."""
        pattern = ".*".join(re.escape(part) for part in self.told.split("…"))
        return re.fullmatch(pattern, self.shown, re.DOTALL) is not None


def blocks(text: str) -> list[Block]:
    """Return the blocks of a guide in order."""
    return [
        Block(file=found["file"], kind=found["kind"], text=found["text"])
        for found in _BLOCK.finditer(text)
    ]


def follow(text: str) -> Iterator[Typed]:
    """Do what the guide says in the current folder; yield every command."""
    for block in blocks(text):
        if block.file is not None:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(block.text, encoding="utf-8")
        elif block.kind == "console":
            for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
                command, _, told = part.partition("\n")
                yield Typed(command=command, told=told.strip(), shown=_type(command).strip())


def _type(command: str) -> str:
    name, *arguments = shlex.split(command)
    if name == "passlight":
        return CliRunner().invoke(main, arguments).output
    if name == "cp":
        shutil.copytree(arguments[-2], arguments[-1])
    elif name == "rm":
        Path(arguments[-1]).unlink()
    else:
        message = f"a guide shows {name}, which this test does not know"
        raise AssertionError(message)
    return ""
