"""The third evaluator: everybody's noon colour by the city's engine, from the same facts file.

Apart from the other checkers because it needs DuckDB. It shares nothing below the compiled pack
with the evaluation that the doors used, and must write the same bytes.
"""

import tempfile
from pathlib import Path

from passlight.city.duckdb_engine import DuckEngine
from passlight.city.evaluate import told_lines
from passlight.city.load import load_facts
from passlight.core.facts.form import parse_line
from passlight.core.kernel.colour import Colour
from passlight.core.rules.schedule import PackSchedule
from passlight.simulation.outbreak.checks import Finding
from passlight.simulation.outbreak.colours import digest_of
from passlight.simulation.outbreak.doors import phone_knows
from passlight.simulation.outbreak.hours import DAY, HOUR, instant, second_of
from passlight.simulation.outbreak.loop import Outbreak

NOON = 12 * HOUR
DAYS_LOOKED_AT = 4
LINES_MAX = 1_500


def check_city(world: Outbreak) -> list[Finding]:
    """Check some noons of the world against the city's engine: each colour, and some lines."""
    found = Finding("city")
    every = max(1, world.setting.days // DAYS_LOOKED_AT)
    noons = [day * DAY + NOON for day in range(world.setting.days - 1, 0, -every)]
    moments = [(instant(noon), instant(phone_knows(noon))) for noon in sorted(noons)]
    visitors = frozenset(world.visitors.tolist())
    with tempfile.TemporaryDirectory(dir=world.folder) as folder:
        with world.intake.facts_path.open("rb") as file:
            facts = enumerate((parse_line(line) for line in file), start=1)
            loaded = load_facts(facts, Path(folder) / "store")
        engine = DuckEngine(temporary=Path(folder), threads=2, memory="2GB")
        try:
            schedule = PackSchedule.only(world.pack)
            for (at, _), colour, line in told_lines(engine, loaded.store, schedule, moments):
                person = int(line[len(_BEFORE) :].split(b'"', 1)[0])
                if person not in visitors:
                    _compare(world, found, person, second_of(at), colour, line)
        finally:
            engine.close()
    return [found]


_BEFORE = b'{"subject":"p-'


def _compare(
    world: Outbreak, found: Finding, person: int, noon: int, colour: Colour, line: bytes
) -> None:
    shown = world.noons.get((person, noon // DAY))
    if shown is None:
        return
    words = f"p-{person:07d} at {noon}: {shown.value} at a door, {colour.value} in the city"
    found.see(shown is colour, lambda: words)
    if colour is not Colour.GREEN and found.looked_at < LINES_MAX:
        own = world.colours.answer(person, noon, phone_knows(noon))
        differs = f"p-{person:07d} at {noon}: the city writes another line: {line!r}"
        found.see(own.digest == digest_of(line, world.pack), lambda: differs)
