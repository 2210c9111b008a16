"""How long a door takes to decide: the figure that is measured, online, offline and blackholed."""

import time
from collections.abc import Sequence

from passlight.gate.engine import Door


async def bench_decisions(door: Door, texts: Sequence[str]) -> list[float]:
    """Return the seconds of each decision, from the text's arrival to a durable record.

    The texts are shown one after the other, as people come; each must be another code.
    """
    taken = []
    for text in texts:
        begun = time.perf_counter()
        await door.present(text)
        taken.append(time.perf_counter() - begun)
    return taken
