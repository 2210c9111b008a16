"""What the person evaluator says of a small world under every schedule, a line each, to stdout.

Stderr names the file that evaluated, so that nobody compares a thing with itself.
"""

import sys

from passlight.core.status import evaluate
from tests.city.differential import person_lines, schedule, schedules
from tests.city.generator import make_world

PEOPLE, MOMENTS = 40, 12


def main() -> None:
    for name in schedules():
        world = make_world(schedule(name), people=PEOPLE, seed=7, moments=MOMENTS, knowledge=3)
        for _, lines in person_lines(world):
            sys.stdout.buffer.writelines(lines)
    sys.stderr.write(evaluate.__file__)


if __name__ == "__main__":
    main()
