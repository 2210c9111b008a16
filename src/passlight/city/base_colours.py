"""The base: what everybody is told who has no measure, as known at one moment.

Green, or unknown where no pack is in force or a mandatory source has been silent for too long
(E47); and which packs are in force when.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from passlight.city.columns import micros
from passlight.city.dialect import EVER, NEVER
from passlight.city.freshness import Silence, silences
from passlight.city.others import Others
from passlight.city.sql.standing import GREEN, UNKNOWN
from passlight.core.rules.pack import MandatorySource, WhenStale
from passlight.core.rules.schedule import Epoch

Step = tuple[int, int]
"""From when on which colour."""


def start_of(epoch: Epoch) -> int:
    """Return when an epoch starts; EVER without a limit."""
    return EVER if epoch.when.start is None else micros(epoch.when.start)


def end_of(epoch: Epoch) -> int:
    """Return when an epoch ends; NEVER without a limit."""
    return NEVER if epoch.when.end is None else micros(epoch.when.end)


def span_at(epochs: Sequence[Epoch], at: int) -> int:
    """Return the number of the epoch that covers an instant."""
    return next(
        place for place, epoch in enumerate(epochs) if start_of(epoch) <= at < end_of(epoch)
    )


@dataclass(frozen=True, slots=True)
class Base:
    """The base as known at one moment: steps of colour, and the silences of each epoch."""

    steps: tuple[Step, ...]
    silent: tuple[tuple[Silence, ...], ...]

    def colour(self, at: int) -> int:
        """Return the colour at an instant."""
        return next(colour for start, colour in reversed(self.steps) if start <= at)

    def change(self, at: int) -> Step | None:
        """Return the first step after an instant whose colour differs."""
        now = self.colour(at)
        return next((step for step in self.steps if step[0] > at and step[1] != now), None)

    def stale(self, span: int, at: int) -> list[MandatorySource]:
        """Return the sources that are silent at an instant of an epoch, in the pack's order."""
        return [silence.source for silence in self.silent[span] if _silent(silence, at)]


def base_of(epochs: Sequence[Epoch], others: Others, known_at: int | None, *, since: int) -> Base:
    """Return the base; steps before ``since`` that do not hold there are left out.

    The start of an epoch is a step whatever the colour: a measure that goes on has its reason of
    another pack from then on.
    """
    silent = tuple(
        silences(epoch.pack, others, known_at) if epoch.pack is not None else () for epoch in epochs
    )
    starts = {start_of(epoch) for epoch in epochs}
    edges = {EVER, *starts}
    for some in silent:
        for silence in some:
            edges.update(edge for pair in silence.stretches for edge in pair if edge is not None)
    held = max(edge for edge in edges if edge <= since)
    steps: list[Step] = []
    for edge in sorted(edge for edge in edges if edge >= held):
        at = max(edge, -(2**60))
        colour = _colour(epochs, silent, at)
        if not steps:
            steps.append((EVER, colour))
        elif steps[-1][1] != colour or edge in starts:
            steps.append((edge, colour))
    return Base(tuple(steps), silent)


def _colour(epochs: Sequence[Epoch], silent: Sequence[Sequence[Silence]], at: int) -> int:
    span = span_at(epochs, at)
    if epochs[span].pack is None:
        return UNKNOWN
    unknown = any(
        silence.source.when_stale is WhenStale.UNKNOWN and _silent(silence, at)
        for silence in silent[span]
    )
    return UNKNOWN if unknown else GREEN


def _silent(silence: Silence, at: int) -> bool:
    return any(
        (start is None or start <= at) and (end is None or at < end)
        for start, end in silence.stretches
    )
