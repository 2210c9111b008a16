"""When mandatory sources were silent for too long, as known at one moment (E47)."""

from collections.abc import Iterable
from dataclasses import dataclass

from passlight.city.days import after
from passlight.city.others import Others
from passlight.core.rules.pack import MandatorySource, Pack

Stretch = tuple[int | None, int | None]
"""A half-open stretch of microseconds; None is without a limit on that side."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A mandatory source and when it was silent."""

    source: MandatorySource
    stretches: tuple[Stretch, ...]


def silences(pack: Pack, others: Others, known_at: int | None) -> tuple[Silence, ...]:
    """Return the silences of each mandatory source, in the pack's order; none when nobody told."""
    if others.deliveries is None:
        return ()
    found = []
    for source in pack.mandatory:
        times = others.deliveries.get(source.source, ())
        heard = sorted(at for at, ended in times if _known(at, ended, known_at))
        vouched = [(at, after(at, source.within, pack.zone)) for at in heard]
        found.append(Silence(source, tuple(outside(vouched))))
    return tuple(found)


def _known(at: int, ended: int | None, known_at: int | None) -> bool:
    if known_at is None:
        return ended is None
    return at <= known_at and (ended is None or known_at < ended)


def outside(stretches: Iterable[tuple[int, int]]) -> list[Stretch]:
    """Return the time that none of the stretches, in the order of their starts, covers."""
    found: list[Stretch] = []
    covered_to: int | None = None
    for start, end in stretches:
        if end <= start:
            continue
        if covered_to is None or covered_to < start:
            found.append((covered_to, start))
            covered_to = end
        else:
            covered_to = max(covered_to, end)
    return [*found, (covered_to, None)]
