"""One line of a measurement."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A figure, and what it stands beside in the same run."""

    name: str
    value: float
    unit: str
    compared_with: str = ""
    ratio: float | None = None
