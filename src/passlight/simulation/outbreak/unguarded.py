"""The same town when colours keep nobody away: what the measures are worth is the difference.

Cases are still found and taken to hospital, and the ill still rest; nothing else holds anybody.
"""

import numpy as np

from passlight.simulation.outbreak.happenings import Events
from passlight.simulation.outbreak.hours import DAY, HOUR, MINUTE
from passlight.simulation.outbreak.infection import Disease, infections_of_day
from passlight.simulation.outbreak.lists import make_areas
from passlight.simulation.outbreak.loop import Progress
from passlight.simulation.outbreak.movement import DAY_MINUTES, home_from, visits_of_day
from passlight.simulation.outbreak.senders import Senders
from passlight.simulation.outbreak.setting import Setting
from passlight.simulation.outbreak.town import make_town


def infections_unguarded(setting: Setting, *, progress: Progress | None = None) -> list[int]:
    """Return the new infections of each day."""
    town = make_town(people=setting.people, seed=setting.seed)
    disease = Disease(town.draws, town.people)
    senders = Senders(town.draws, people=town.people, days=setting.days)
    events = Events(town, disease, senders, make_areas(town.draws, setting.days))
    found: list[int] = []
    for day in range(setting.days):
        events.plan(day)
        senders.forget()
        going = visits_of_day(town, day, chunk=setting.chunk)
        seconds = day * DAY + going.start.astype(np.int64) * MINUTE
        away = (events.away_from[going.person] <= seconds) & (
            seconds < events.away_until[going.person]
        )
        going = going.take(~away & ~events.stays_home(day)[going.person])
        evening = day * DAY + 18 * HOUR
        absent = (events.away_from <= evening) & (evening < events.away_until)
        home = np.where(absent, DAY_MINUTES, home_from(town, going)).astype(np.int32)
        new = infections_of_day(town, disease, day, going, home_from=home)
        for one in new:
            events.infected(one)
        found.append(len(new))
        if progress is not None:
            progress(1)
    return found
