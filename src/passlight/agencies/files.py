"""Finds the files of a feed: those named, or those of a folder, in order of publication."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from passlight.agencies.agency import Agency, RowAgency
from passlight.core.kernel.problem import Problem, ProblemError


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The files to read, what was left out and why, and what cannot be read at all."""

    files: tuple[Path, ...]
    left_out: tuple[Problem, ...]
    unreadable: tuple[Problem, ...]


def find_files(agency: Agency, paths: Sequence[Path]) -> Found:
    """Return the files below ``paths``; of a folder only what belongs to the feed.

    A file that was named is always read. In a folder another suffix or another table is left
    out, and said to be; a list goes in the order in which the lists were published.
    """
    files: list[Path] = []
    left_out: list[Problem] = []
    unreadable: list[Problem] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        before = len(files)
        for entry in sorted(path.iterdir()):
            if entry.is_file() and not entry.name.startswith("."):
                try:
                    _sort_out(agency, entry, files, left_out)
                except ProblemError as error:
                    unreadable += error.problems
        if len(files) == before and not unreadable:
            unreadable.append(_nothing(path, agency))
    ordered = _in_order(agency, list(dict.fromkeys(files)), unreadable)
    return Found(files=ordered, left_out=tuple(left_out), unreadable=tuple(unreadable))


def _sort_out(agency: Agency, path: Path, files: list[Path], left_out: list[Problem]) -> None:
    suits = path.suffix.lower() in agency.suffixes
    if suits and isinstance(agency, RowAgency) and agency.belongs is not None:
        suits = agency.belongs(path)
    if suits:
        files.append(path)
    else:
        left_out.append(_left_out(path, agency))


def _in_order(agency: Agency, files: list[Path], unreadable: list[Problem]) -> tuple[Path, ...]:
    if isinstance(agency, RowAgency):
        return tuple(files)
    dated = []
    for path in files:
        try:
            dated.append((agency.published_at(path), path.name, path))
        except ProblemError as error:
            unreadable += error.problems
    return tuple(path for _, _, path in sorted(dated))


def _left_out(path: Path, agency: Agency) -> Problem:
    return Problem(
        code="feeds.file-left-out",
        message=f"Left out: not a file of the feed {agency.name}.",
        remedy="Name it on its own if it is one.",
        file=path.name,
    )


def _nothing(path: Path, agency: Agency) -> Problem:
    suffixes = ", ".join(agency.suffixes)
    return Problem(
        code="feeds.folder-empty",
        message=f"The folder holds no file of the feed {agency.name} ({suffixes}).",
        remedy="Check the folder.",
        file=path.name,
    )
