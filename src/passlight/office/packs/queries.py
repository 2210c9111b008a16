"""Reading packs: the list with what is in force, the difference between two versions."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from passlight.core.kernel.interval import Interval
from passlight.core.rules.load import load_pack
from passlight.core.rules.pack import Pack
from passlight.core.rules.terms import Text
from passlight.office.packs.models import StoredPack
from passlight.office.packs.schedule import compiled, in_force, latest_seq, publications_up_to
from passlight.runtime.packs import read_pack_folder, shipped_packs

#: Lines of context around a difference, and lines of one file's difference shown at most.
CONTEXT_LINES = 3
DIFF_LINES_MAX = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A stored pack and the times in which it is, was or will be the rule."""

    stored: StoredPack
    pack: Pack
    intervals: tuple[Interval, ...]
    now: Interval | None
    next: Interval | None

    @property
    def state(self) -> str:
        """Return ``now``, ``next``, ``past`` or ``never``."""
        if self.now is not None:
            return "now"
        if self.next is not None:
            return "next"
        return "past" if self.intervals else "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDifference:
    """What changed in one file, line by line; ``kind`` is ``+``, ``-``, ``@`` or blank."""

    path: str
    lines: tuple[tuple[str, str], ...]
    added: int
    removed: int


def packs_listed(*, now: datetime) -> list[Listed]:
    """Return every stored pack, the newest upload first."""
    line = in_force(publications_up_to(latest_seq()))
    times: dict[int, list[Interval]] = {}
    for held in line:
        times.setdefault(held.publication.pack.pk, []).append(held.interval)
    return [
        _listed(stored, tuple(times.get(stored.pk, ())), now)
        for stored in StoredPack.objects.order_by("-uploaded_at", "-id")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """A pack that comes with Passlight."""

    folder: str
    name: Text
    hash: str


def shipped_not_stored() -> list[Shipped]:
    """Return the packs that come with Passlight and are not stored as they are."""
    known = set(StoredPack.objects.values_list("hash", flat=True))
    folders = sorted(file.parent.name for file in shipped_packs().glob("*/pack.yaml"))
    return [one for one in map(_shipped, folders) if one.hash not in known]


@cache
def _shipped(folder: str) -> Shipped:
    pack = load_pack(read_pack_folder(shipped_packs() / folder))
    return Shipped(folder=folder, name=pack.name, hash=pack.hash)


def pack_listed(stored: StoredPack, *, now: datetime) -> Listed:
    """Return one stored pack with its times."""
    line = in_force(publications_up_to(latest_seq()))
    mine = tuple(held.interval for held in line if held.publication.pack.pk == stored.pk)
    return _listed(stored, mine, now)


def pack_in_force(*, now: datetime) -> StoredPack | None:
    """Return the pack that is the rule at this moment."""
    for held in in_force(publications_up_to(latest_seq())):
        if held.interval.covers(now):
            return held.publication.pack
    return None


def differences(old: StoredPack, new: StoredPack) -> list[FileDifference]:
    """Return what changed between two packs, file by file; files without a change are left out."""
    found = []
    for path in sorted({*old.files, *new.files}):
        lines = tuple(_lines(old.files.get(path, ""), new.files.get(path, "")))
        if lines:
            found.append(
                FileDifference(
                    path=path,
                    lines=lines[:DIFF_LINES_MAX],
                    added=sum(kind == "+" for kind, _ in lines),
                    removed=sum(kind == "-" for kind, _ in lines),
                )
            )
    return found


def _lines(old: str, new: str) -> Iterator[tuple[str, str]]:
    compared = difflib.unified_diff(
        old.splitlines(), new.splitlines(), n=CONTEXT_LINES, lineterm=""
    )
    for place, line in enumerate(compared):
        if place > 1:  # the two lines before are the files' names
            place_line = line.startswith("@")
            yield ("@", line) if place_line else (line[:1] or " ", line[1:])


def _listed(stored: StoredPack, intervals: tuple[Interval, ...], now: datetime) -> Listed:
    following = [one for one in intervals if one.start is not None and one.start > now]
    return Listed(
        stored=stored,
        pack=compiled(stored.hash),
        intervals=intervals,
        now=next((one for one in intervals if one.covers(now)), None),
        next=following[0] if following else None,
    )
