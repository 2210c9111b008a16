"""A camera: ``ffmpeg`` hands over grey pictures, zxing-cpp reads the codes in them.

A process of its own holds the camera, so that a driver that hangs in the kernel hangs there. Only
the newest picture is looked at: a door must not read what it saw two seconds ago.
"""

import asyncio
import shutil
from dataclasses import dataclass, field

from passlight.core.kernel.clock import Clock
from passlight.gate.drivers.intake import InputDriver
from passlight.gate.ports import LONGEST_TEXT, Scan

# A code stays before the glass for a while; the same text again within this is the same showing.
SAME_SECONDS = 3.0
# A camera that hands over nothing for this long is gone, whatever ffmpeg thinks.
SILENT_SECONDS = 10.0
STOP_SECONDS = 2.0
MESSAGE_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraInput:
    """What ffmpeg reads, and the size in which the pictures are looked at."""

    arguments: tuple[str, ...] = field(default=("-f", "v4l2", "-i", "/dev/video0"))
    width: int = 640
    height: int = 480
    rate: int = 10
    ffmpeg: str = "ffmpeg"

    def command(self) -> list[str]:
        """Return the command that writes raw grey pictures to its output."""
        fit = f"fps={self.rate},scale={self.width}:{self.height},format=gray"
        quiet = ("-nostdin", "-hide_banner", "-loglevel", "error")
        raw = ("-an", "-vf", fit, "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1")
        return [self.ffmpeg, *quiet, *self.arguments, *raw]


class Camera(InputDriver[Scan]):
    """Reads codes from a camera's pictures."""

    def __init__(self, name: str, source: CameraInput, clock: Clock) -> None:
        super().__init__(name, clock)
        self._source = source
        self._newest: bytes | None = None
        self._came = asyncio.Event()
        self._seen: dict[str, float] = {}

    async def run(self) -> None:
        """Look for ever."""
        if shutil.which(self._source.ffmpeg) is None:
            self._condition.down("kiosk.device.no-ffmpeg", command=self._source.ffmpeg)
            await asyncio.Event().wait()
        await super().run()

    async def _serve(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *self._source.command(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=2 * self._source.width * self._source.height,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        complaint = asyncio.create_task(_last_line(process.stderr))
        tasks = (
            asyncio.create_task(self._receive(process.stdout)),
            asyncio.create_task(self._look()),
        )
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except asyncio.IncompleteReadError:
            said = await complaint
            raise OSError(said or "the camera hands over nothing more") from None
        except TimeoutError:
            raise OSError("the camera hands over nothing") from None
        finally:
            for running in tasks:
                running.cancel()
            complaint.cancel()
            await asyncio.gather(*tasks, complaint, return_exceptions=True)
            await _stop(process)

    async def _receive(self, pictures: asyncio.StreamReader) -> None:
        size = self._source.width * self._source.height
        while True:
            async with asyncio.timeout(SILENT_SECONDS):
                self._newest = await pictures.readexactly(size)
            self._condition.works()
            self._came.set()

    async def _look(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            picture, self._newest = self._newest, None
            if picture is not None:
                for text in await asyncio.to_thread(self._read, picture):
                    self._found(text)

    def _read(self, picture: bytes) -> list[str]:
        import zxingcpp  # only a box with a camera loads it

        image = memoryview(picture).cast("B", (self._source.height, self._source.width))
        codes = zxingcpp.read_barcodes(
            image, formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
        )
        return [code.text for code in codes]

    def _found(self, text: str) -> None:
        now = self._condition.monotonic
        self._seen = {t: at for t, at in self._seen.items() if now - at < SAME_SECONDS}
        known = text in self._seen
        self._seen[text] = now
        if known or not text:
            return
        if len(text) > LONGEST_TEXT:
            self._condition.fault("kiosk.device.too-long")
        self._intake.put(Scan(text=text[:LONGEST_TEXT], source=self.name))


async def _last_line(errors: asyncio.StreamReader) -> str:
    said = b""
    while line := await errors.readline():
        said = line.strip() or said
    return said.decode(errors="replace")[:MESSAGE_MAX]


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
