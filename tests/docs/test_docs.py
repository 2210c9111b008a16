"""The documents are true: what they name exists, and what exists is named.

Expected values are read from the documents and from the files, never from running the product;
the commands alone are asked of the command line, which is what a reader would do.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from passlight.cli.main import COMMANDS, main
from passlight.runtime import settings

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "passlight"
READMES = ("README.md", "README.zh-CN.md")
DOCUMENTS = (*READMES, "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "GLOSSARY.md")
GUIDES = (*DOCUMENTS, "policies/README.md", "vectors/README.md")
# Made from a running product, so they may be missing before a release.
MADE_LATER = re.compile(r"docs/(images/[a-z-]+\.png|benchmarks\.md)")
VARIABLE = re.compile(r"\b(PASSLIGHT_[A-Z_]+[A-Z])\b")
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def spans(name: str) -> Iterator[str]:
    """Yield what a document sets as code: spans, and the lines of blocks without comments."""
    blocks = text(name).split("```")
    for number, block in enumerate(blocks):
        if number % 2:
            yield from (line.partition("#")[0].strip() for line in block.splitlines())
        else:
            yield from SPAN.findall(block)


def subcommands(name: str) -> set[str]:
    """Return the commands below one command."""
    command = main.get_command(click.Context(main), name)
    return set(command.commands) if isinstance(command, click.Group) else set()


def named_commands(name: str) -> Iterator[tuple[str, str]]:
    """Yield the first two words after ``passlight`` wherever a document shows a command."""
    for span in spans(name):
        yield from re.findall(r"\bpasslight ([a-z]+)(?: ([a-z]+))?", span)


@cache
def variables_read() -> dict[str, str]:
    """Return every variable that the source names in a string of its own, with its file."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and VARIABLE.fullmatch(value):
                found[value] = str(path.relative_to(ROOT))
    return found


def make_targets() -> dict[str, bool]:
    """Return the targets of the Makefile, and whether `make help` explains each."""
    lines = re.findall(r"^([a-z-]+):([^=\n]*)$", text("Makefile"), flags=re.MULTILINE)
    return {name: "##" in rest for name, rest in lines}


@pytest.mark.parametrize("name", GUIDES)
def test_every_command_that_is_named_exists(name: str) -> None:
    for first, second in named_commands(name):
        assert first in COMMANDS, f"{name}: passlight {first}"
        below = subcommands(first)
        assert not (below and second) or second in below, f"{name}: passlight {first} {second}"


@pytest.mark.parametrize("name", READMES)
def test_every_command_is_in_the_readme(name: str) -> None:
    shown = set(spans(name))
    for command in COMMANDS:
        wanted = {f"{command} {below}" for below in subcommands(command)} or {command}
        assert wanted <= shown, f"{name} does not name {sorted(wanted - shown)}"


def test_every_variable_is_documented_and_read() -> None:
    read = variables_read()
    assert len(read) > 10
    documented = set(VARIABLE.findall(settings.__doc__ or ""))
    missing = {name: file for name, file in read.items() if name not in documented}
    assert not missing, "name them in the docstring of runtime/settings.py"
    assert documented - set(read) == set(), "nothing reads these"


@pytest.mark.parametrize("name", GUIDES)
def test_every_variable_of_a_document_exists(name: str) -> None:
    assert set(VARIABLE.findall(text(name))) <= set(variables_read())


@pytest.mark.parametrize("name", GUIDES)
def test_every_make_target_that_is_named_exists(name: str) -> None:
    targets = make_targets()
    for span in spans(name):
        for target in re.findall(r"\bmake ([a-z-]+)", span):
            assert target in targets, f"{name}: make {target}"


def test_every_make_target_is_explained() -> None:
    targets = make_targets()
    assert {"demo", "test", "setup", "check", "fix", "bench"} <= set(targets)
    assert [name for name, explained in targets.items() if not explained] == []


@pytest.mark.parametrize("name", GUIDES)
def test_every_link_resolves(name: str) -> None:
    folder = (ROOT / name).parent
    for target in LINK.findall(text(name)):
        if "://" not in target and not MADE_LATER.fullmatch(target):
            assert (folder / target).exists(), f"{name}: {target}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_exists(name: str) -> None:
    """A span that begins with a known folder is a path; ``<pack>`` may be any, ``.…`` is made."""
    bases = (ROOT, SOURCE, SOURCE / "office")
    for span in spans(name):
        if not re.fullmatch(r"[\w./<>*-]+", span) or "/" not in span or span[0] in "/.":
            continue
        top = span.split("/")[0]
        if not any((base / top).is_dir() for base in bases) or MADE_LATER.fullmatch(span):
            continue
        pattern = re.sub(r"<\w+>", "*", span).rstrip("/")
        # A decision is named by its number alone.
        pattern = f"{pattern}*" if re.search(r"/\d{4}$", pattern) else pattern
        found = any(True for base in bases for _ in base.glob(pattern))
        assert found, f"{name}: {span}"


def test_both_readmes_show_the_same() -> None:
    """Blocks to copy, pictures, links and logins are the same in both languages."""
    english, chinese = (text(name) for name in READMES)
    for pattern in (
        r"^(?:\.venv/bin/)?(passlight [a-z].*)$",
        r"^(make [a-z]+)",
        r"\((docs/images/[^)]+)\)",
        r"^\| `([a-z-]+)` \|",
        VARIABLE.pattern,
        r"^## (?=.)()",
        r"^\d\. ()",
    ):
        both = [re.findall(pattern, one, flags=re.MULTILINE) for one in (english, chinese)]
        assert sorted(both[0]) == sorted(both[1]), pattern
    targets = [
        {
            target.replace(".zh-CN.md", ".md")  # a guide in the reader's own language
            for target in LINK.findall(one)
            if not target.startswith("README")
        }
        for one in (english, chinese)
    ]
    assert targets[0] == targets[1]


def test_the_logins_are_those_of_the_demonstration() -> None:
    """The seeding's table, read as text, against the README's."""
    seeding = (SOURCE / "simulation/district_intake.py").read_text(encoding="utf-8")
    staff = re.findall(r'^    "([a-z-]+)": \(Role\.', seeding, flags=re.MULTILINE)
    shown = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| [^|]+ \|$", text("README.md"), re.MULTILINE)
    assert set(shown) == {*staff, "resident-green", "resident-yellow", "resident-red"}
