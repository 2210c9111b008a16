"""The recorded voice: every prompt has its words in both languages, and the newest is played.

Prompt codes come from ``core.entry.decide.prompts``, which its own tests hold to the rules; the
recordings are measured as files, by the wave format's own header and their samples.
"""

import array
import asyncio
import math
import stat
import wave
from pathlib import Path

import pytest

from passlight.core.entry.decide import prompts
from passlight.core.rules.admission import REQUIREMENTS, Outcome
from passlight.gate.ports import Condition
from passlight.gate.speaker import RECORDINGS, PromptSpeaker, parts_of
from passlight.runtime.catalogue import catalogue
from tests.gate.drivers.ptys import CLOCK, served, until

NAMED = {file.name for file in RECORDINGS.glob("*.wav")}


def sound(file: Path) -> tuple[float, float]:
    """How long a recording is, in seconds, and how loud (RMS, of 32,768)."""
    with wave.open(str(file)) as recording:
        assert recording.getparams()[:3] == (1, 2, 16_000), file.name
        samples = array.array("h", recording.readframes(recording.getnframes()))
    assert len(samples) > 0
    return len(samples) / 16_000, math.sqrt(sum(s * s for s in samples) / len(samples))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_prompt_is_recorded(language: str) -> None:
    speaker = PromptSpeaker("speaker", CLOCK)
    stops = (Outcome.ASK, Outcome.REFUSE, Outcome.ISOLATE)
    asked = {*prompts(), *(f"{stop}.{name}" for stop in stops for name in REQUIREMENTS)}
    assert len(asked) >= 2 + 3 * len(REQUIREMENTS)
    for prompt in asked:
        files = speaker.files(prompt, language)
        assert len(files) == len(parts_of(prompt)), prompt
        assert 0.5 <= sum(sound(file)[0] for file in files) <= 6.0, prompt


def test_each_recording_is_a_word_and_not_silence() -> None:
    words = {c.removeprefix("kiosk.prompt.") for c in catalogue() if c.startswith("kiosk.prompt.")}
    assert {f"{word}.{language}.wav" for word in words for language in ("zh", "en")} == NAMED
    for file in RECORDINGS.glob("*.wav"):
        seconds, loud = sound(file)
        assert 0.4 <= seconds <= 4.0, (file.name, seconds)
        assert loud > 1_000, (file.name, loud)
    assert sum(file.stat().st_size for file in RECORDINGS.glob("*.wav")) <= 2_500_000


def test_silence_would_be_noticed(tmp_path: Path) -> None:
    """Positive control of the measure above."""
    with wave.open(str(tmp_path / "silence.wav"), "wb") as made:
        made.setparams((1, 2, 16_000, 0, "NONE", ""))
        made.writeframes(b"\0\0" * 16_000)
    assert sound(tmp_path / "silence.wav") == (1.0, 0.0)


def test_an_unknown_finding_falls_back_to_what_to_do() -> None:
    speaker = PromptSpeaker("speaker", CLOCK)
    names = [file.name for file in speaker.files("refuse.something-new", "zh")]
    assert names == ["refuse.zh.wav"]
    assert [f.name for f in speaker.files("refuse.test", "en")] == ["test.en.wav", "refuse.en.wav"]
    assert speaker.files("nonsense", "zh") == []
    assert speaker.files("../../ports", "zh") == []


def player(folder: Path, seconds: float = 0.0) -> tuple[str, Path]:
    """A command that plays by writing down the names of the files."""
    log, command = folder / "played", folder / "player"
    names = 'for f in "$@"; do basename "$f"; done | paste -sd" "'
    command.write_text(f'#!/bin/sh\n{names} >>"{log}"\nsleep {seconds}\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return str(command), log


def test_both_languages_are_played_and_only_the_newest_waits(tmp_path: Path) -> None:
    async def run() -> None:
        command, log = player(tmp_path, seconds=0.2)
        speaker = PromptSpeaker("speaker", CLOCK, player=(command, "{files}"))
        async with served(speaker):
            speaker.say("admit")
            await until(log.exists)
            # While it plays three more are decided; the two in the middle are never said.
            for prompt in ("refuse.test", "ask.mask", "isolate.red"):
                speaker.say(prompt)
            await until(lambda: "isolate.en.wav" in log.read_text())
        assert log.read_text().splitlines() == [
            "admit.zh.wav",  # and not in English: somebody else stands there
            "red.zh.wav isolate.zh.wav",
            "red.en.wav isolate.en.wav",
        ]

    asyncio.run(run())


def test_a_player_that_fails_or_is_missing_is_said(tmp_path: Path) -> None:
    async def run() -> None:
        broken = PromptSpeaker("speaker", CLOCK, player=("false",))
        async with served(broken):
            broken.say("admit")
            await until(lambda: broken.health().code == "kiosk.device.player")
        missing = PromptSpeaker("speaker", CLOCK, player=("no-such-player",))
        task = asyncio.create_task(missing.run())
        await until(lambda: missing.health().code == "kiosk.device.no-player")
        assert missing.health().condition is Condition.DOWN
        missing.say("admit")  # and nothing raises
        task.cancel()

    asyncio.run(run())
