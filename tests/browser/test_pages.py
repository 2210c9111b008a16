"""The pages of the public, of residents and of checkers are looked at (``looking``).

Nothing on a page speaks of an error in the browser's console, or comes from elsewhere.
"""

from pathlib import Path

import pytest

from tests.browser.conftest import Enter
from tests.browser.looking import check, check_widths, faults, settle
from tests.browser.stack import Stack

PUBLIC = ("/login/", "/styleguide/", "/no-such-page/")
RESIDENT = ("/me/", "/me/why/", "/me/access/", "/me/visit/")


@pytest.mark.parametrize(("user", "paths"), [(None, PUBLIC), ("li", RESIDENT)])
def test_public_and_resident_pages(
    enter: Enter, stack: Stack, pictures: Path | None, user: str | None, paths: tuple[str, ...]
) -> None:
    page = enter(user, paths[0])
    found: list[str] = []
    for path in paths:
        for language in ("zh", "en"):
            page.goto(f"{stack.url}{path}?lang={language}")
            name = f"{path.strip('/').replace('/', '-')}-{language}"
            found += check_widths(page, pictures, name)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_checker_pages(enter: Enter, pictures: Path | None, language: str) -> None:
    page = enter("lin", "/checker/post/", language=language)
    found = check_widths(page, pictures, f"checker-post-{language}")
    page.locator("button.post").first.click()
    page.wait_for_selector("#net svg")
    found += check_widths(page, pictures, f"checker-door-{language}")
    page.locator("#tool-document").click()
    found += check_widths(page, pictures, f"checker-document-{language}")
    page.fill("#document-number", "999999199003070012")
    page.locator("#document-check").click()
    page.wait_for_selector("#card .act")
    found += check_widths(page, pictures, f"checker-card-{language}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("choice", ["theme=dark", "size=elder"])
def test_dark_and_elder_and_320_pixels(
    enter: Enter, stack: Stack, pictures: Path | None, choice: str
) -> None:
    page = enter("li", "/me/", width=320, height=640)
    found: list[str] = []
    for path in (*RESIDENT, "/styleguide/"):
        page.goto(f"{stack.url}{path}?{choice}")
        settle(page)
        found += check(page, pictures, f"{path.strip('/').replace('/', '-')}-320-{choice}")
    assert not found, "\n".join(found)


def test_axe_finds_what_is_wrong(enter: Enter) -> None:
    """Control: a page with a fault is found out."""
    page = enter(None, "/login/")
    page.evaluate("document.querySelector('label').remove()")
    assert any(fault.startswith("label") for fault in faults(page))


def test_nothing_is_loaded_from_elsewhere_and_no_console_error(enter: Enter, stack: Stack) -> None:
    page = enter(None, "/login/")
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    for path in ("/styleguide/", "/login/"):
        page.goto(stack.url + path)
        settle(page)
    assert asked
    assert all(url.startswith((stack.url, "data:")) for url in asked), asked
    assert said == []
