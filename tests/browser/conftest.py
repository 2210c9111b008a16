"""Browser tests: headless Chromium against a whole running Passlight."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.browser.stack import REPOSITORY, Stack, copied, made_town, running
from tests.databases import Copies

# As root there is no sandbox; the background services of a browser find no network here.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
Launch = Callable[..., Browser]
Enter = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; without one these tests cannot say anything."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium: apt-get install -y chromium fonts-noto-cjk")
    return found


@pytest.fixture(scope="session")
def built() -> Path:
    """The browser's files, built."""
    dist = REPOSITORY / "src/passlight/office/static/dist"
    if not (dist / "checker.js").exists():
        if not (REPOSITORY / "node_modules").exists():
            pytest.skip("no node_modules: npm ci")
        subprocess.run(["npm", "run", "--silent", "build"], cwd=REPOSITORY, check=True)
    return dist


@pytest.fixture(scope="session")
def playwright_driver() -> Iterator[Playwright]:
    """Playwright, for the run."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def launch(playwright_driver: Playwright, chromium: str) -> Iterator[Launch]:
    """Start a browser, with more flags when a test has its own camera."""
    started: list[Browser] = []

    def start(*flags: str) -> Browser:
        browser = playwright_driver.chromium.launch(executable_path=chromium, args=[*FLAGS, *flags])
        started.append(browser)
        return browser

    yield start
    for browser in started:
        browser.close()


@pytest.fixture(scope="module")
def stack(copies: Copies, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One running Passlight for a module's tests, with a town of its own."""
    town = made_town(copies)
    home = tmp_path_factory.mktemp("installation") / "home"
    with copied(town, home) as installation, running(installation, town.told) as found:
        yield found


@pytest.fixture(scope="module")
def browser(launch: Launch) -> Browser:
    """A browser whose camera shows Chromium's test picture."""
    return launch()


@pytest.fixture
def enter(stack: Stack, browser: Browser) -> Iterator[Enter]:
    """Open a page as somebody: ``enter("wang", "/me/", width=375, language="en")``."""
    contexts: list[BrowserContext] = []

    def open_page(
        user: str | None,
        path: str,
        *,
        width: int = 375,
        height: int = 812,
        language: str = "zh",
        browser_: Browser = browser,
        **cookies: str,
    ) -> Page:
        # A third of the processor time of these tests was moving patterns that nothing here asks for.
        context = browser_.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        contexts.append(context)
        chosen = {"lang": language, **cookies}
        context.add_cookies([{"name": n, "value": v, "url": stack.url} for n, v in chosen.items()])
        page = context.new_page()
        page.set_default_timeout(15_000)
        if user is not None:
            log_in(page, stack, user)
        page.goto(stack.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()


def log_in(page: Page, stack: Stack, user: str) -> None:
    """Log in by the form."""
    page.goto(f"{stack.url}/login/")
    page.fill("[name=username]", user)
    page.fill("[name=password]", stack.town["password"])
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login/" not in url)


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where screenshots go, to be looked at: PASSLIGHT_PICTURES, or nowhere."""
    named = os.environ.get("PASSLIGHT_PICTURES")
    if named is None:
        return None
    folder = Path(named)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
