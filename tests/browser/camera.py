"""What a camera would see: a code as a video file for Chromium's fake camera, and back again."""

import io
from pathlib import Path

import numpy as np
import zxingcpp
from PIL import Image
from playwright.sync_api import Error, Page

WIDTH, HEIGHT, FRAMES = 640, 480, 10
CODE = 380
SLOT_SECONDS = 20
TRIES = 5


def picture_of_code(page: Page) -> Image.Image:
    """Return the drawing of the resident's code as it stands on the screen."""
    for _ in range(TRIES):
        try:
            drawn = page.locator("#qr svg[role=img]").screenshot()
        except Error:  # a new slot replaced the drawing while it was being taken
            continue
        return Image.open(io.BytesIO(drawn)).convert("L")
    raise AssertionError("the code on the page could not be taken")


def text_of(picture: Image.Image) -> str:
    """Return the text in a picture, read by a library that shares nothing with the page."""
    found = zxingcpp.read_barcode(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    assert found is not None, "the code on the page cannot be read"
    return str(found.text)


def read_code(page: Page) -> str:
    """Return the text that the page shows now."""
    page.wait_for_selector("#qr svg[role=img]")
    return text_of(picture_of_code(page))


def next_code(page: Page, *former: str) -> str:
    """Wait for a slot that none of ``former`` was read in, and return its text."""
    for _ in range(4 * (SLOT_SECONDS + 5)):
        text = read_code(page)
        if text not in former:
            return text
        page.wait_for_timeout(250)
    raise AssertionError("the code did not turn")


def film(picture: Image.Image, path: Path) -> Path:
    """Write a still video (YUV4MPEG2, 4:2:0) of a phone held before a grey wall."""
    frame = Image.new("L", (WIDTH, HEIGHT), 96)
    code = picture.resize((CODE, CODE), Image.Resampling.NEAREST)
    frame.paste(code, ((WIDTH - CODE) // 2, (HEIGHT - CODE) // 2))
    luma = np.asarray(frame, dtype=np.uint8).tobytes()
    chroma = bytes([128]) * (WIDTH * HEIGHT // 2)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode())
        for _ in range(FRAMES):
            file.write(b"FRAME\n" + luma + chroma)
    return path
