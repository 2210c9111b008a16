"""Every page of every office role, found by walking its own links, is looked at (``looking``)."""

from pathlib import Path

import pytest

from tests.browser.conftest import Enter
from tests.browser.looking import LONG, PHONE, WIDTHS, check_paper, check_widths, form_of, walk
from tests.browser.stack import Stack

OFFICE = ("street", "steward", "auditor", "operator", "clerk")


@pytest.fixture(scope="module")
def seen() -> set[str]:
    """The office pages that were looked at for any role."""
    return set()


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
            found += check_paper(page, f"{name}-en")
    assert not found, "\n".join(found)
