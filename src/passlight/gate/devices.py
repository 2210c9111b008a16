"""The devices of one door, run together: what people show comes out in one line, in order."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass, field

from passlight.gate.ports import (
    Barrier,
    CodeSource,
    Display,
    Health,
    IdReader,
    Input,
    Keys,
    Port,
    Speaker,
    Thermometer,
)

# People stand in a line; more than this before the door has answered the first is no line.
WAITING_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """Every device of one door; what is not configured is absent, and the policy says so."""

    codes: tuple[CodeSource, ...] = ()
    documents: tuple[IdReader, ...] = ()
    keys: tuple[Keys, ...] = ()
    thermometer: Thermometer | None = None
    barrier: Barrier | None = None
    speaker: Speaker | None = None
    display: Display | None = None
    _inbox: asyncio.Queue[Input] = field(default_factory=lambda: asyncio.Queue(WAITING_MAX))

    def ports(self) -> tuple[Port, ...]:
        """Return every device that is configured."""
        single = (self.thermometer, self.barrier, self.speaker, self.display)
        return (*self.codes, *self.documents, *self.keys, *(p for p in single if p is not None))

    def health(self) -> Mapping[str, Health]:
        """Return how each device is, by its name."""
        return {port.name: port.health() for port in self.ports()}

    async def run(self) -> None:
        """Serve every device until cancelled."""
        async with asyncio.TaskGroup() as group:
            for port in self.ports():
                group.create_task(port.run(), name=port.name)
            sources: tuple[CodeSource | IdReader | Keys, ...]
            sources = (*self.codes, *self.documents, *self.keys)
            for source in sources:
                group.create_task(self._pump(source), name=f"{source.name} in")

    async def inputs(self) -> AsyncIterator[Input]:
        """Return what is shown and pressed, in the order it was read; runs while ``run`` does."""
        while True:
            yield await self._inbox.get()

    async def _pump(self, source: AsyncIterable[Input]) -> None:
        async for shown in source:
            await self._inbox.put(shown)
