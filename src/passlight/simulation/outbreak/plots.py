"""Plots as SVG: small, accessible, the same bytes for the same figures; tables stand beside."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 344, 200
LEFT, RIGHT, TOP, BOTTOM = 46, 82, 16, 26
STANDALONE = (
    "<style>text{font:12px sans-serif;fill:#586272}.v{fill:#11161D;font-weight:700}"
    ".ax{stroke:#DDE1E7;fill:none}.c1{stroke:#2540B5;fill:none}.c3{stroke:#11161D;fill:none}"
    ".b1{fill:#2540B5}.b3{fill:#A9B1BC}"
    "@media (prefers-color-scheme:dark){text{fill:#9AA5B4}.v{fill:#EFF2F6}.ax{stroke:#2B333F}"
    ".c1{stroke:#7C93F0}.c3{stroke:#EFF2F6}.b1{fill:#7C93F0}.b3{fill:#5E6875}}</style>"
)


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a plot: its direct label, its values, and the class that draws it."""

    label: str
    values: Sequence[float]
    style: str


def ceiling(value: float) -> float:
    """Return the next round number: 1, 2 or 5 times a power of ten."""
    step = 1.0
    while step * 10 <= value:
        step *= 10
    return next((step * one for one in (1, 2, 5, 10) if step * one >= value), step * 10)


def line_plot(
    series: Sequence[Series],
    *,
    label: str,
    horizontal: str,
    alone: bool = False,
    places: Sequence[float] = (),
) -> str:
    """Return a plot of values by day, with three lines of grid and labels at the ends.

    ``places`` are where the values stand instead of on days that follow each other.
    """
    top = ceiling(max((max(one.values, default=0) for one in series), default=0) or 1)
    days = max(len(one.values) for one in series)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def across(day: int) -> float:
        share = places[day] / max(places) if places else day / max(1, days - 1)
        return LEFT + wide * share

    def point(day: int, value: float) -> str:
        return f"{across(day):.1f} {TOP + high * (1 - value / top):.1f}"

    parts = [_head(label, HEIGHT, alone=alone)]
    for share in (0.0, 0.5, 1.0):
        y = TOP + high * (1 - share)
        parts.append(f'<path class="ax" d="M{LEFT} {y:.1f}H{LEFT + wide}"/>')
        parts.append(
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{top * share:,g}</text>'
        )
    for day in range(days) if places else (0, days // 2, days - 1):
        told = f"{places[day]:g}" if places else day + 1
        x = across(day)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{told}</text>')
    parts.append(f'<text x="{LEFT + wide + 18}" y="{HEIGHT - 8}">{escape(horizontal)}</text>')
    ends: list[float] = []
    for one in series:
        path = "L".join(point(day, value) for day, value in enumerate(one.values))
        parts.append(f'<path class="{one.style}" stroke-width="2" d="M{path}"/>')
        y = TOP + high * (1 - (one.values[-1] if one.values else 0) / top) + 4
        while any(abs(y - other) < 14 for other in ends):  # a line of text
            y -= 14
        ends.append(y)
        parts.append(
            f'<text class="v" x="{LEFT + wide + 6}" y="{y:.1f}">{escape(one.label)}</text>'
        )
    return "".join([*parts, "</svg>"])


def bar_plot(
    rows: Sequence[tuple[str, float, float]],
    *,
    names: tuple[str, str],
    label: str,
    alone: bool = False,
) -> str:
    """Return pairs of bars of shares between 0 and 1, each with its figure."""
    high = 44 * len(rows) + 24
    wide = WIDTH - LEFT - 64
    parts = [_head(label, high, alone=alone)]
    for place, name in enumerate(names):
        x = LEFT + 16 + place * 110
        parts.append(f'<rect class="{_BARS[place]}" x="{x}" y="4" width="12" height="12"/>')
        parts.append(f'<text x="{x + 18}" y="15">{escape(name)}</text>')
    for row, (title, *values) in enumerate(rows):
        y = 30 + row * 44
        parts.append(f'<text x="{LEFT}" y="{y + 20}" text-anchor="end">{escape(title)}</text>')
        for place, value in enumerate(values):
            length = wide * min(1.0, value)
            parts.append(
                f'<rect class="{_BARS[place]}" x="{LEFT + 16}" y="{y + place * 17}" '
                f'width="{length:.1f}" height="14"/>'
                f'<text class="v" x="{LEFT + 22 + length:.1f}" y="{y + 12 + place * 17}">'
                f"{100 * value:.1f}%</text>"
            )
    return "".join([*parts, "</svg>"])


_BARS = ("b1", "b3")


def _head(label: str, high: int, *, alone: bool) -> str:
    name = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
    style = STANDALONE if alone else ""
    return (
        f'<svg{name} viewBox="0 0 {WIDTH} {high}" role="img" aria-label="{escape(label)}">{style}'
    )
