"""The packs in force, as the publications up to a number or a moment say."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db.models import Max

from passlight.core.kernel.interval import Interval
from passlight.core.rules.load import load_pack
from passlight.core.rules.pack import Pack
from passlight.core.rules.schedule import PackSchedule
from passlight.office.packs.models import PackPublication, StoredPack

#: Compiled packs kept in memory; an installation has a handful in force and a few in preview.
PACKS_KEPT = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """One publication and the time in which it is the rule."""

    publication: PackPublication
    interval: Interval


def latest_seq() -> int:
    """Return the number of the newest publication; 0 when nothing was ever published."""
    newest: int | None = PackPublication.objects.aggregate(newest=Max("seq"))["newest"]
    return newest or 0


def seq_known_at(known_at: datetime) -> int:
    """Return the number of the newest publication made by ``known_at``."""
    made = PackPublication.objects.filter(published_at__lte=known_at)
    newest: int | None = made.aggregate(newest=Max("seq"))["newest"]
    return newest or 0


def in_force(publications: Iterable[PackPublication]) -> list[InForce]:
    """Return when each publication is the rule: a later one replaces all that was to follow.

    ``publications`` come in the order of their numbers. Replaced altogether means left out.
    """
    line: list[InForce] = []
    for publication in publications:
        start, end = publication.effective_from, publication.effective_until
        kept = []
        for held in line:
            cut = held.interval.intersection(Interval(None, start))
            if cut is not None:
                kept.append(InForce(publication=held.publication, interval=cut))
        line = [*kept, InForce(publication=publication, interval=Interval(start, end))]
    return line


@lru_cache(maxsize=PACKS_KEPT)
def compiled(digest: str) -> Pack:
    """Return the pack of that hash, compiled from its stored text."""
    return load_pack(StoredPack.objects.get(hash=digest).files)


def publications_up_to(up_to: int) -> list[PackPublication]:
    """Return the publications with a number up to ``up_to``, in their order."""
    rows = PackPublication.objects.filter(seq__lte=up_to)
    return list(rows.order_by("seq").select_related("pack"))


def schedule(up_to: int | None = None) -> PackSchedule:
    """Return the schedule that the publications up to ``up_to`` make (None: all of them)."""
    return schedule_of(in_force(publications_up_to(latest_seq() if up_to is None else up_to)))


def schedule_of(line: Iterable[InForce]) -> PackSchedule:
    """Return the schedule of a line of publications; the same line is compiled once."""
    return _schedule(
        tuple(
            (held.publication.pack.hash, held.interval, held.publication.published_at)
            for held in line
        )
    )


@lru_cache(maxsize=8)
def _schedule(line: tuple[tuple[str, Interval, datetime], ...]) -> PackSchedule:
    return PackSchedule.of(
        compiled(digest).published(effective=interval, published_at=published_at)
        for digest, interval, published_at in line
    )
