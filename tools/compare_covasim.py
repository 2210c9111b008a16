"""Compares the epidemic curve of our town with Covasim's: how fast it grows, how many it reaches.

Covasim is no dependency. It goes into an environment of its own, which is thrown away:

    uv venv /tmp/covasim && uv pip install --python /tmp/covasim/bin/python covasim
    .venv/bin/python tools/compare_covasim.py --covasim /tmp/covasim/bin/python

Only the curve is compared. Covasim's contacts at work and in town are pairs without a place and
without a clock, so tracing by place cannot be scored on it (field notes 08, 4.4).
"""

import argparse
import json
import math
import subprocess
from pathlib import Path

COVASIM = """
import json, sys
import covasim as cv
people, days, seeds, first = map(int, sys.argv[1:5])
sim = cv.Sim(pop_size=people, n_days=days, pop_type="hybrid", pop_infected=seeds,
             rand_seed=first, pop_scale=1, verbose=0)
sim.run()
print(json.dumps([int(x) for x in sim.results["new_infections"].values[:days]]))
"""
COVASIM_4 = """
import json, sys
import covasim as cv
people, days, seeds, first = map(int, sys.argv[1:5])
sim = cv.Sim(n_agents=people, n_days=days, pop_type="hybrid", pop_infected=seeds,
             rand_seed=first, verbose=0)
sim.run()
found = sim.diseases[0].results["new_infections"]
print(json.dumps([int(x) for x in list(found)[:days]]))
"""


def growth(new: list[int]) -> float:
    """Return the doubling time in days, fitted while between 2 % and 20 % of all were reached."""
    total, reached, rows = sum(new), 0, []
    for day, count in enumerate(new):
        reached += count
        if 0.02 * total <= reached <= 0.2 * total and count > 0:
            rows.append((day, math.log(count)))
    if len(rows) < 2:
        return math.nan
    mean_day = sum(day for day, _ in rows) / len(rows)
    mean_log = sum(log for _, log in rows) / len(rows)
    slope = sum((day - mean_day) * (log - mean_log) for day, log in rows)
    slope /= sum((day - mean_day) ** 2 for day, _ in rows)
    return math.log(2) / slope


def ours(people: int, days: int, seeds: int, first: int) -> list[int]:
    """Return the new infections a day of our town when nobody is found and nothing is done."""
    from passlight.simulation.outbreak.infection import (
        NEVER,
        Disease,
        Transmission,
        infections_of_day,
    )
    from passlight.simulation.outbreak.movement import home_from, visits_of_day
    from passlight.simulation.outbreak.town import make_town

    town = make_town(people=people, seed=first)
    disease = Disease(town.draws, town.people)
    for number in range(seeds):
        person = int(town.draws.one("seed", number) * people)
        disease.infect(Transmission(person, NEVER, NEVER, 0, 0))
    new = []
    for day in range(days):
        visits = visits_of_day(town, day)
        found = infections_of_day(town, disease, day, visits, home_from=home_from(town, visits))
        for one in found:
            disease.infect(one)
        new.append(len(found))
    return new


def theirs(python: Path, people: int, days: int, seeds: int, first: int) -> list[int]:
    """Return Covasim's new infections a day, by whichever of its two interfaces is installed."""
    arguments = [str(one) for one in (people, days, seeds, first)]
    for script in (COVASIM, COVASIM_4):
        done = subprocess.run(
            [python, "-W", "ignore", "-c", script, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return [int(value) for value in json.loads(done.stdout.splitlines()[-1])]
    raise SystemExit(done.stderr.strip().splitlines()[-1])


def main() -> None:
    """Print both curves' figures side by side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--covasim", type=Path, required=True, help="python with covasim")
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--infected", type=int, default=20, help="on the first day")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    numbers = (options.people, options.days, options.infected, options.seed)
    print("| | attack rate | doubling time, d | peak on day |")
    print("|---|---:|---:|---:|")
    for name, new in (("our town", ours(*numbers)), ("Covasim", theirs(options.covasim, *numbers))):
        reached = (sum(new) + options.infected) / options.people
        print(f"| {name} | {reached:.2f} | {growth(new):.1f} | {new.index(max(new)) + 1} |")


if __name__ == "__main__":
    main()
