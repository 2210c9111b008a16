"""Small worlds full of edges: times on a coarse grid ± one unit, stays about every level."""

import random
from itertools import product
from pathlib import Path

import duckdb

from passlight.city.columns import instant
from passlight.city.trace_sql import SIZES
from tests.exposure.oracle import MINUTE, Seen, Sick

HOUR = 60 * MINUTE
SECOND = MINUTE // 60
# 2022-03-01T02:00:00Z, and a time before 1970, where whole quotients are easily wrong.
ORIGINS = (1_646_100_000_000_000, -86_400_000_000 * 365)
UNITS = (0, 0, 0, 1, -1, SECOND, -SECOND)
# Thresholds, the limit of lingering, and the edges of every level of stays and of windows.
STAYS = (
    *(0, 1, SECOND, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, 45 * MINUTE),
    *(HOUR, 4 * HOUR, 16 * HOUR, 64 * HOUR, 1024 * HOUR, 3000 * HOUR, 90_000 * HOUR),
)


def world(seed, *, prefix=""):
    """Return visits and cases; ``prefix`` keeps worlds apart that are traced together."""
    rng = random.Random(seed)
    origin = rng.choice(ORIGINS)
    grid = rng.choice((5 * MINUTE, 15 * MINUTE, HOUR))
    long = rng.random() < 0.2

    def moment(spread=12):
        return origin + rng.randrange(spread) * grid + rng.choice(UNITS)

    people = [f"{prefix}p{number}" for number in range(rng.randint(2, 5))]
    visits = []
    for _ in range(rng.randint(2, 12)):
        begin = moment()
        stay = rng.choice(STAYS if long else STAYS[:10]) + rng.choice(UNITS)
        venue, zone = rng.choice("vw"), rng.choice(("", "z"))
        visits.append(Seen(rng.choice(people), prefix + venue, zone, begin, begin + max(0, stay)))
    if rng.random() < 0.2:
        visits.append(rng.choice(visits))  # one that was recorded twice is two visits
    cases = [
        Sick(
            rng.choice(people),
            f"{prefix}c{number}",
            moment() if rng.random() < 0.5 else origin - 20_000 * HOUR,
            moment(24) if rng.random() < 0.5 else None,
        )
        for number in range(rng.randint(1, 3))
    ]
    return visits, cases


def worlds(count, seed=0):
    """Return the visits and cases of many worlds that never meet."""
    visits, cases = [], []
    for number in range(count):
        more, sick = world(f"{seed}-{number}", prefix=f"{number}:")
        visits += more
        cases += sick
    return visits, cases


def edges():
    """Return visits and cases about every edge of every bin of the trace, one pair a world.

    A case comes a unit or two from the edge of a bin; somebody else, who stayed as long as a
    level allows or a unit more, leaves or comes within a unit or two of that.
    """
    visits, cases = [], []
    for level, size in enumerate(SIZES[:-1]):
        origin = ORIGINS[0] // size * size
        for number, (a, b, c, after) in enumerate(
            product((-2, -1, 0, 1), (-2, 0, 1), (-1, 0, 1), (False, True))
        ):
            name = f"{level}-{number}:"
            begin = origin + a
            start = begin + size + b if after else begin - size + b
            stay = size + c
            visits.append(Seen(f"{name}p0", f"{name}v", "", begin, begin + size))
            visits.append(Seen(f"{name}p1", f"{name}v", "", start, start + stay))
            cases.append(Sick(f"{name}p0", f"{name}c", origin - 2 * size, None))
    return visits, cases


def as_text(value):
    return "" if value is None else instant(value).isoformat()


def write_csv(path: Path, header, rows):
    lines = [",".join(header), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def visits_csv(path: Path, visits):
    return write_csv(
        path,
        Seen._fields,
        [(*one[:3], as_text(one.entered_at), as_text(one.left_at)) for one in visits],
    )


def cases_csv(path: Path, cases):
    return write_csv(
        path,
        Sick._fields,
        [(*one[:2], as_text(one.infectious_from), as_text(one.isolated_at)) for one in cases],
    )


def parquet(path: Path, rows, types):
    """Write rows of texts and whole numbers to Parquet."""
    draft = path.with_suffix(".draft")
    draft.write_text(
        "".join(
            ",".join("" if v is None else f'"{v}"' if isinstance(v, str) else str(v) for v in row)
            + "\n"
            for row in rows
        )
    )
    columns = ", ".join(f"{name}: '{type_}'" for name, type_ in types.items())
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT * FROM read_csv('{draft}', header = false, auto_detect = false, "
            f"delim = ',', quote = '\"', nullstr = '', allow_quoted_nulls = false, "
            f"columns = {{{columns}}})) TO '{path}' (FORMAT parquet)"
        )
    draft.unlink()
    return path
