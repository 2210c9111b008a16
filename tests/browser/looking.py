"""Looking at pages: axe-core and the layout, at a phone's and a desk's width, in both languages.

WCAG 2.2 AA by axe's own rules; no page scrolls sideways at 320 px (ui.md 13). Pictures go to
PASSLIGHT_PICTURES, to be looked at.

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

from playwright.sync_api import Page, Response

from tests.browser.stack import REPOSITORY, Stack

AXE = REPOSITORY / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WHOLE = {"type": "tag", "values": RULES}
# What another width or longer words can break on a page that is whole at one.
LAYOUT = {"type": "rule", "values": ["target-size", "scrollable-region-focusable"]}
# Pages of an office are found by walking its own links, so many at most.
PAGES_A_ROLE_MAX = 14
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


def check_paper(page: Page, name: str) -> list[str]:
    """Return which tables of a page would lose columns on a sheet of A4 with its margins."""
    page.set_viewport_size({"width": 718, "height": 1020})
    page.emulate_media(media="print")
    cut: list[str] = page.eval_on_selector_all(
        "table",
        """all => all.filter(one => one.offsetParent && one.scrollWidth > 0)
            .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
            .map(one => `${Math.round(one.getBoundingClientRect().right)} px`)""",
    )
    page.emulate_media(media="screen")
    return [f"{name}: a table is cut on paper, it needs {width}" for width in cut]


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
