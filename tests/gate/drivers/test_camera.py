"""A camera: real ffmpeg, real pictures of a code made by segno, read by zxing-cpp."""

import asyncio
import shutil
from pathlib import Path

import pytest
import segno

from passlight.gate.drivers.camera import Camera, CameraInput
from passlight.gate.ports import Condition
from tests.gate.drivers.ptys import CLOCK, until

CODE = "PL1:" + ("A1 $%*+-./:" * 16)[:174]
OTHER = "PL1:" + "Z9" * 87
WIDTH, HEIGHT = 320, 240


@pytest.fixture(scope="module")
def ffmpeg() -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg: apt-get install -y ffmpeg")


def picture(text: str) -> bytes:
    """One grey picture with the code in its middle, on a grey wall."""
    matrix = [list(row) for row in segno.make(text, error="m").matrix_iter(scale=4, border=4)]
    top, left = (HEIGHT - len(matrix)) // 2, (WIDTH - len(matrix[0])) // 2
    pixels = bytearray(b"\x80" * (WIDTH * HEIGHT))
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            pixels[(top + y) * WIDTH + left + x] = 20 if dark else 235
    return bytes(pixels)


def film(path: Path, texts: list[str], each: int = 6) -> Path:
    """A film without sound or compression (YUV4MPEG2), some pictures of each code."""
    frames = b"".join(b"FRAME\n" + picture(text) for text in texts for _ in range(each))
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 Cmono\n".encode()
    path.write_bytes(header + frames)
    return path


def shot(*arguments: str) -> CameraInput:
    return CameraInput(arguments=arguments, width=WIDTH, height=HEIGHT, rate=10)


@pytest.mark.usefixtures("ffmpeg")
def test_each_showing_is_one_scan(tmp_path: Path) -> None:
    async def run() -> None:
        reel = film(tmp_path / "door.y4m", [CODE, OTHER])
        camera = Camera("code", shot("-re", "-stream_loop", "-1", "-i", str(reel)), CLOCK)
        task = asyncio.create_task(camera.run())
        async with asyncio.timeout(10):
            first, second = await anext(aiter(camera)), await anext(aiter(camera))
        assert (first.text, second.text, first.source) == (CODE, OTHER, "code")
        # The film goes round every 1.2 s: the same two stand there still, and are no new ones.
        await asyncio.sleep(0.8)
        assert camera._intake._queue.empty()
        assert camera.health().condition is Condition.OK
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


@pytest.mark.usefixtures("ffmpeg")
def test_a_camera_that_is_gone_says_what_ffmpeg_says(tmp_path: Path) -> None:
    async def run() -> None:
        camera = Camera("code", shot("-f", "v4l2", "-i", str(tmp_path / "video9")), CLOCK)
        task = asyncio.create_task(camera.run())
        await until(lambda: camera.health().code == "kiosk.device.gone")
        assert "No such file" in camera.health().params["reason"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_without_ffmpeg_it_says_so() -> None:
    async def run() -> None:
        source = CameraInput(ffmpeg="no-such-ffmpeg")
        camera = Camera("code", source, CLOCK)
        task = asyncio.create_task(camera.run())
        await until(lambda: camera.health().code == "kiosk.device.no-ffmpeg")
        assert camera.health().condition is Condition.DOWN
        task.cancel()

    asyncio.run(run())
