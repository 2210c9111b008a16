"""Makes the pictures of the README from a running demo.

``tools/pictures.py http://127.0.0.1:8000 http://127.0.0.1:8090``: the demonstration and the
screen of its sentinel, as its banner names them; some minutes after the start there is somebody
in the isolation area.

Every picture is a real page of the demonstration's invented district. The checker's is a real
check: the resident's code, filmed, is read by the camera of the door.
"""

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from passlight.simulation.district import PASSWORD  # noqa: E402
from tests.browser.camera import film, next_code, picture_of_code, read_code  # noqa: E402
from tests.browser.conftest import FLAGS  # noqa: E402

FOLDER = ROOT / "docs/images"
BYTES_MAX = 150_000
PHONE, DESK = (375, 840), (1280, 800)
HALL = "政务服务大厅"


def main(url: str, kiosk: str, chromium: str = "/usr/bin/chromium") -> int:
    """Make every picture; return 1 when one is larger than a page should load."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver, browser(driver, chromium) as started:
        phone = entered(started, url, "resident-green", PHONE)
        phone.goto(f"{url}/me/")
        phone.wait_for_selector("#qr svg[role=img]")
        keep("resident", phone)
        with tempfile.TemporaryDirectory() as folder:
            next_code(phone, read_code(phone))  # the whole of a slot is left for the door
            seen = film(picture_of_code(phone), Path(folder) / "code.y4m")
            check(driver, chromium, url, seen)
        for name, user, path in offices(started, url):
            page = entered(started, url, user, DESK)
            page.goto(url + path)
            page.wait_for_load_state("networkidle")
            keep(name, page)
        door = started.new_context(viewport={"width": 1280, "height": 800}).new_page()
        door.goto(kiosk)
        door.get_by_text("请扫码").first.wait_for(timeout=90_000)
        keep("sentinel", door)
    large = [f for f in sorted(FOLDER.glob("*.png")) if f.stat().st_size > BYTES_MAX]
    for file in large:
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size} bytes, {BYTES_MAX} at most")
    return 1 if large else 0


@contextmanager
def browser(driver: Playwright, chromium: str, *flags: str) -> Iterator[Browser]:
    """A browser that speaks Chinese, so that its own words in a form do too."""
    started = driver.chromium.launch(
        executable_path=chromium,
        args=[*FLAGS, "--lang=zh-CN", *flags],
        env={"LANGUAGE": "zh_CN", "LANG": "zh_CN.UTF-8"},
    )
    try:
        yield started
    finally:
        started.close()


def entered(started: Browser, url: str, user: str, size: tuple[int, int]) -> Page:
    """Log in as one of the demonstration's users, in Chinese and in light."""
    context = started.new_context(
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=2 if size == PHONE else 1,
        locale="zh-CN",
        color_scheme="light",
    )
    context.add_cookies([{"name": "lang", "value": "zh", "url": url}])
    page = context.new_page()
    page.goto(f"{url}/login/")
    page.fill("[name=username]", user)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda address: "/login/" not in address)
    return page


def check(driver: Playwright, chromium: str, url: str, seen: Path) -> None:
    """Hold the filmed code before a door's camera, and keep what the checker sees."""
    with browser(driver, chromium, f"--use-file-for-fake-video-capture={seen}") as started:
        page = entered(started, url, "checker", PHONE)
        page.locator("section", has_text=HALL).locator("button.post").first.click()
        page.wait_for_selector("#card .do")
        page.wait_for_function("!document.querySelector('#card-name .bone')")
        keep("checker", page)


def offices(started: Browser, url: str) -> list[tuple[str, str, str]]:
    """Return each office's picture: its name, who looks, and at which page."""
    steward = entered(started, url, "steward", DESK)
    steward.goto(f"{url}/feeds/?state=open")
    batch = first_link(steward, "tbody td a[href^='/feeds/']")
    steward.goto(f"{url}/packs/")
    pack = first_link(steward, "tbody td a[href^='/packs/']")
    steward.goto(f"{url}/statuses/?colour=yellow")
    why = first_link(steward, "tbody td a[href^='/statuses/']")
    operator = entered(started, url, "operator", DESK)
    operator.goto(f"{url}/venues/")
    venue = operator.locator("tr", has_text=HALL).locator("a").first.get_attribute("href") or ""
    leader = entered(started, url, "leader", DESK)
    leader.goto(f"{url}/incidents/")
    incident = first_link(leader, "tbody a[href^='/incidents/']")
    guide = entered(started, url, "guide", DESK)
    guide.goto(f"{url}/halls/places/")
    hall = guide.locator("a", has_text=HALL).first.get_attribute("href") or ""
    display = f"{hall.removesuffix('display/')}display/"
    return [
        ("steward", "steward", batch),
        ("district", "district", pack),
        ("venue", "operator", venue),
        ("auditor", "auditor", why),
        ("incident", "leader", incident),
        ("hall", "guide", display),
    ]


def first_link(page: Page, selector: str) -> str:
    """Return the address of the last link that matches: lists of two parts end with the rows."""
    links = page.locator(selector)
    return links.nth(links.count() - 1).get_attribute("href") or ""


def keep(name: str, page: Page) -> None:
    """Write what is on the screen, with a palette: these pages have few colours."""
    page.wait_for_timeout(800)
    # The hall's display says by an animation that its figures are old: it must not be run out.
    shot = Image.open(io.BytesIO(page.screenshot(animations="allow"))).convert("RGB")
    small = shot.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
