"""Every page of every role, looked at by axe-core, at a phone's and a desk's width, in both languages.

WCAG 2.2 AA by axe's own rules; no page scrolls sideways at 320 px (ui.md 13); nothing on a page
speaks of an error in the browser's console. Pictures go to PASSLIGHT_PICTURES, to be looked at.

A page has four faces: two languages at two widths. Each is laid out and looked at for what width
and length of words decide; axe reads the whole of it in Chinese at a desk's width and in English
at a phone's, and ``make faults`` the whole of all four.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Response

from tests.browser.conftest import Enter
from tests.browser.stack import REPOSITORY, Stack

AXE = REPOSITORY / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WHOLE = {"type": "tag", "values": RULES}
# What another width or longer words can break on a page that is whole at one.
LAYOUT = {"type": "rule", "values": ["target-size", "scrollable-region-focusable"]}
# Pages of an office are found by walking its own links, so many at most.
PAGES_A_ROLE_MAX = 14
OFFICE = ("street", "steward", "auditor", "operator", "clerk")
PUBLIC = ("/login/", "/styleguide/", "/no-such-page/")
RESIDENT = ("/me/", "/me/why/", "/me/access/", "/me/visit/")
FETCHING = ("/me/", "/checker/", "/styleguide/", "/login/")
WIDTHS = ((375, 812), (1280, 860))
PHONE = WIDTHS[:1]
# ``make faults`` looks at every page in both languages at both widths for every role.
LONG = os.environ.get("PASSLIGHT_FAULTS") == "long"


def faults(page: Page, rules: dict[str, Any] = WHOLE) -> list[str]:
    """Return what axe-core finds wrong, one line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    result: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", rules
    )
    return [
        f"{found['id']} ({found['impact']}): {node['target']} {node['failureSummary']}"
        for found in result["violations"]
        for node in found["nodes"]
    ]


def settle(page: Page) -> None:
    """Wait until what the page fetches is drawn and what moves in has stopped."""
    path = urlsplit(page.url).path
    if path == "/me/":
        page.wait_for_selector("#qr svg[role=img]")
    if path.startswith(FETCHING):
        page.wait_for_timeout(150)
    settle_again(page)


def settle_again(page: Page) -> None:
    """Wait until a page is laid out and drawn; the office's fetch nothing for that."""
    page.evaluate(
        """async () => {
            await new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
            const ends = move => move.effect.getComputedTiming().endTime < Infinity;
            const moves = document.getAnimations().filter(ends);
            await Promise.allSettled(moves.map(move => move.finished));
        }"""
    )


def check(page: Page, pictures: Path | None, name: str, rules: dict[str, Any] = WHOLE) -> list[str]:
    """Look at one page; return its faults with its name."""
    if pictures is not None:
        page.screenshot(path=pictures / f"{name}.png", full_page=True)
    found = faults(page, rules)
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append("scrolls sideways")
    return [f"{name}: {fault}" for fault in found]


def check_widths(
    page: Page,
    pictures: Path | None,
    name: str,
    widths: tuple[tuple[int, int], ...] = WIDTHS,
) -> list[str]:
    """Look at one page at a phone's and a desk's width; its name ends with its language.

    Of two widths the whole is read at one; at a single width it is always read.
    """
    found: list[str] = []
    for number, (width, height) in enumerate(widths):
        page.set_viewport_size({"width": width, "height": height})
        (settle_again if number else settle)(page)
        whole = LONG or len(widths) == 1 or name.endswith("-en") == ((width, height) in PHONE)
        found += check(page, pictures, f"{name}-{width}", WHOLE if whole else LAYOUT)
    return found


def form_of(path: str) -> str:
    """Return a path without its numbers: two people's pages are one page."""
    return re.sub(r"[0-9a-f-]{8,}|\d+", "N", urlsplit(path).path)


def walk(page: Page, stack: Stack) -> Iterator[tuple[str, Response]]:
    """Yield the pages that a role's own links lead to, each when it is open in Chinese."""
    found = {form_of(page.url): urlsplit(page.url).path}
    waiting = list(found.values())
    while waiting:
        path = waiting.pop(0)
        answer = page.goto(f"{stack.url}{path}?lang=zh")
        if answer is None:
            continue
        links = page.eval_on_selector_all(
            "a[href]:not([download])", "all => all.map(a => a.href).filter(h => !h.includes('#'))"
        )
        for link in links:
            to = urlsplit(link).path
            own = link.startswith(stack.url) and form_of(to) not in found and to != "/"
            room = len(found) < PAGES_A_ROLE_MAX
            if room and own and not re.search(r"\.(pdf|csv|svg)$|/poster|/static/", to):
                found[form_of(to)] = to
                waiting.append(to)
        yield path, answer


@pytest.fixture(scope="module")
def seen() -> set[str]:
    """The office pages that were looked at for any role."""
    return set()


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


@pytest.mark.parametrize("user", OFFICE)
def test_office_pages(
    enter: Enter, stack: Stack, pictures: Path | None, seen: set[str], user: str
) -> None:
    page = enter(user, "/", width=1280)
    found: list[str] = []
    for path, answer in walk(page, stack):
        if "html" not in (answer.headers.get("content-type") or ""):
            continue
        assert answer.status == 200, (path, answer.status)
        name = f"{user}-{form_of(path).strip('/').replace('/', '-')}"
        # A page that another role has shown already is looked at once more, not four times; in
        # English, whose words are longer, where there is the least room.
        known = form_of(path) in seen and not LONG
        seen.add(form_of(path))
        found += check_widths(page, pictures, f"{name}-zh", PHONE if known else WIDTHS)
        if not known:
            english = page.goto(f"{stack.url}{path}?lang=en")
            assert english is not None
            assert english.status == 200, (path, english.status)
            found += check_widths(page, pictures, f"{name}-en", WIDTHS if LONG else PHONE)
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
