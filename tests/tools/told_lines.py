"""What the person evaluator says of a small world under every schedule, a line each, to stdout.

Statuses first, then what the office publishes: the segments and the last sample of everybody.
Stderr names the file that evaluated, so that nobody compares a thing with itself.
"""

import sys
from collections.abc import Iterator

from passlight.core.rules.areas import AreaHistory
from passlight.core.status import evaluate
from passlight.core.status.freshness import deliveries_of
from tests.city.differential import person_lines, schedule, schedules
from tests.city.generator import World, make_world

PEOPLE, MOMENTS = 40, 12


def published_lines(world: World) -> Iterator[bytes]:
    """Yield what an office publishes of everybody, and of a code that is nobody's."""
    book = world.book
    areas = AreaHistory.of(book.area_facts, world.schedule.area_codes)
    moments = sorted({at for at, _ in world.moments})
    for subject in sorted(book.persons):
        for identified in (True, False):
            timeline = evaluate.evaluate(
                world.schedule,
                book.versions([subject]),
                areas=areas,
                identified=identified,
                subject=subject,
                deliveries=deliveries_of(book.source_facts) or None,
            )
            for at in moments[:: len(moments) // 4 or 1]:
                told = timeline.segments(at), timeline.sampled_at(at)
                yield f"{subject} {identified} {told!r}\n".encode()


def main() -> None:
    for name in schedules():
        world = make_world(schedule(name), people=PEOPLE, seed=7, moments=MOMENTS, knowledge=3)
        for _, lines in person_lines(world):
            sys.stdout.buffer.writelines(lines)
        sys.stdout.buffer.writelines(published_lines(world))
    sys.stderr.write(evaluate.__file__)


if __name__ == "__main__":
    main()
