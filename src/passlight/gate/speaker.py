"""The speaker: recorded words in Chinese and English, played by a command of the machine.

A prompt is what was found and what to do, as ``refuse.test``: two recordings, one after the other,
so that 25 recordings a language say all of them and a hall can record its own voice in a few
minutes. No recording has a name in it, and none is made while the door runs.
"""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from passlight.core.kernel.clock import Clock
from passlight.core.rules.admission import Outcome
from passlight.gate.drivers.condition import DeviceCondition
from passlight.gate.ports import Health

RECORDINGS: Final = Path(__file__).parent / "prompts"
PLAYER: Final = ("aplay", "-q", "{files}")
FILES: Final = "{files}"
LANGUAGES: Final = ("zh", "en")
LONGEST_SECONDS: Final = 15.0


def parts_of(prompt: str) -> tuple[str, ...]:
    """Return the recordings of a prompt: the finding, then what to do.

    ``admit`` and ``ask`` alone are whole; ``ask.mask.unobserved`` is what nobody has looked at.
    """
    outcome, _, finding = prompt.partition(".")
    if outcome == Outcome.ADMIT:
        return (prompt,)
    return (finding, outcome) if finding else (outcome,)


class PromptSpeaker:
    """Plays prompts; while one plays only the newest waits, because people do not queue twice."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        *,
        languages: Sequence[str] = LANGUAGES,
        folder: Path = RECORDINGS,
        player: Sequence[str] = PLAYER,
    ) -> None:
        self.name = name
        self._languages = tuple(languages)
        self._folder = folder
        self._player = tuple(player)
        self._condition = DeviceCondition(clock)
        self._next: str | None = None
        self._wake = asyncio.Event()

    def health(self) -> Health:
        """Return how it is now."""
        return self._condition.read()

    def say(self, prompt: str) -> None:
        """Play ``prompt`` as soon as what plays now has ended."""
        if prompt:
            self._next = prompt
            self._wake.set()

    async def run(self) -> None:
        """Play for ever."""
        if shutil.which(self._player[0]) is None:
            self._condition.down("kiosk.device.no-player", command=self._player[0])
            await asyncio.Event().wait()
        self._condition.works()
        while True:
            await self._wake.wait()
            self._wake.clear()
            prompt, self._next = self._next, None
            if prompt is not None:
                await self._play(prompt)

    def files(self, prompt: str, language: str) -> list[Path]:
        """Return the recordings of ``prompt``, those of its outcome when it has none, or none."""
        for parts in (parts_of(prompt), (prompt.partition(".")[0],)):
            found = [self._folder / f"{part}.{language}.wav" for part in parts]
            if "/" not in prompt and all(file.is_file() for file in found):
                return found
        return []

    async def _play(self, prompt: str) -> None:
        for number, language in enumerate(self._languages):
            if number and self._next is not None:
                return  # somebody else stands there now
            files = self.files(prompt, language)
            if not files:
                self._condition.fault("kiosk.device.no-recording", prompt=prompt)
                continue
            command = [
                piece
                for word in self._player
                for piece in ([str(file) for file in files] if word == FILES else [word])
            ]
            await self._run_player(command)

    async def _run_player(self, command: list[str]) -> None:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                code = await process.wait()
        except TimeoutError:
            self._condition.fault("kiosk.device.player", command=command[0])
            return
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if code:
            self._condition.fault("kiosk.device.player", command=command[0])
        else:
            self._condition.works()
