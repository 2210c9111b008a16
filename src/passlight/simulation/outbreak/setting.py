"""What one simulated outbreak is made from."""

from dataclasses import dataclass

from passlight.core.kernel.problem import Problem, ProblemError
from passlight.simulation.outbreak.city_pack import JIANGSU
from passlight.simulation.outbreak.hours import DAY
from passlight.simulation.outbreak.movement import PEOPLE_A_CHUNK

PEOPLE_MIN, PEOPLE_MAX = 50, 5_000_000
DAYS_MIN, DAYS_MAX = 4, 366
WATCHED_PEOPLE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What one world is made from."""

    seed: int
    people: int = 240
    days: int = 24
    pack: str = JIANGSU
    obeys: float = 0.9
    #: False lets everybody through every door, to see what the colours do.
    gates: bool = True
    chunk: int = PEOPLE_A_CHUNK

    @property
    def watch_every(self) -> int:
        """Return of how many people one is watched: whose every verdict and noon is checked."""
        return max(1, self.people // WATCHED_PEOPLE)

    def watches(self, person: int) -> bool:
        """Return whether this person is watched."""
        return person % self.watch_every == self.seed % self.watch_every

    @property
    def last_second(self) -> int:
        """Return the end of the last day."""
        return self.days * DAY


def check_setting(setting: Setting) -> None:
    """Refuse a world that is too small to mean anything, or too large to end.

    Raises:
        ProblemError: naming the option that is out of range.
    """
    for name, value, least, most in (
        ("people", setting.people, PEOPLE_MIN, PEOPLE_MAX),
        ("days", setting.days, DAYS_MIN, DAYS_MAX),
    ):
        if not least <= value <= most:
            raise ProblemError(
                Problem(
                    code="simulation.out-of-range",
                    message=f"--{name} is out of range.",
                    remedy=f"Choose it between {least:,} and {most:,}.",
                    params={"field": name},
                )
            )
