"""Makes the door's recordings from the catalogue: ``tools/prompts.py`` (espeak-ng and ffmpeg).

One file a part of a prompt and language, 16 kHz, mono, 16 bit. They are committed, so that no box
needs a voice of its own; a hall replaces any of them by its own recording of the same name.
"""

import array
import math
import subprocess
import sys
import wave
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from passlight.runtime.catalogue import catalogue  # noqa: E402

FOLDER = ROOT / "src/passlight/gate/prompts"
PREFIX = "kiosk.prompt."
VOICES = {"zh": ("cmn", 250), "en": ("en-gb", 178)}
RATE = 16_000
BYTES_MAX = 2_500_000
# Silence before and after is cut; no name or date stands in the file.
CUT = "silenceremove=start_periods=1:start_threshold=-45dB"
FILTER = f"{CUT},areverse,{CUT},areverse,apad=pad_dur=0.12,aresample=16000"
# All are equally loud (root mean square of 32,768), none is clipped.
LOUDNESS, PEAK = 4_500, 31_000


def main() -> int:
    """Make every recording; return 1 when all together are too large for the wheel."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    parts = {
        code.removeprefix(PREFIX): text for code, text in catalogue().items() if PREFIX in code
    }
    for old in FOLDER.glob("*.wav"):
        old.unlink()
    for part, words in parts.items():
        for language, (voice, pace) in VOICES.items():
            record(words[language], voice, pace, FOLDER / f"{part}.{language}.wav")
    size = sum(file.stat().st_size for file in FOLDER.glob("*.wav"))
    print(f"{2 * len(parts)} recordings, {size} bytes, {BYTES_MAX} at most")
    return 1 if size > BYTES_MAX else 0


def record(words: str, voice: str, pace: int, target: Path) -> None:
    """Speak ``words`` into one file."""
    speech = ["espeak-ng", "-v", voice, "-s", str(pace), "--stdout", words]
    spoken = subprocess.run(speech, check=True, capture_output=True).stdout
    quiet = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-i", "pipe:0"]
    shape = ["-af", FILTER, "-ac", "1", "-ar", str(RATE), "-f", "s16le", "pipe:1"]
    raw = subprocess.run([*quiet, *shape], input=spoken, check=True, capture_output=True).stdout
    samples = array.array("h", raw)
    loud = math.sqrt(sum(s * s for s in samples) / len(samples))
    gain = min(LOUDNESS / loud, PEAK / max(abs(s) for s in samples))
    with wave.open(str(target), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(array.array("h", (round(s * gain) for s in samples)).tobytes())


if __name__ == "__main__":
    sys.exit(main())
