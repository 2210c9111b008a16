"""The pages in a browser: 320 px without scrolling sideways, by the keyboard alone, on A4 paper."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, sync_playwright

from passlight.office.exposures.models import ForeignList, TracedCase, VenueBatch
from tests.browser.conftest import FLAGS
from tests.exposures.test_pages import LIST, post, upload, world

__all__ = ["world"]
pytestmark = pytest.mark.browser
# A sheet of A4 with margins of 15 mm, in pixels of a browser.
SHEET = {"width": 680, "height": 1009}
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOCUSED = """() => {
    const box = document.activeElement.getBoundingClientRect();
    const style = getComputedStyle(document.activeElement);
    return [document.activeElement.tagName, document.activeElement.innerText, box.height,
            style.outlineStyle, style.outlineWidth];
}"""


@pytest.fixture
def asked(world: Any) -> tuple[Any, dict[str, str]]:
    """Return the second officer and what waits for that officer, by name."""
    first, second = world.officers
    case, batch = TracedCase.objects.get(), VenueBatch.objects.get(state="held")
    post(first, f"batches/{batch.pk}/ask/", seen=5, reason="核实过")
    window = case.windows.get(venue_id=world.shop.pk)
    words = {"advice_zh": "请做核酸", "advice_en": "Take a test"}
    assert post(first, f"cases/{case.pk}/publish/", windows=[window.pk], **words).status_code == 302
    assert upload(first, LIST).status_code == 302
    return second, {
        "index": "",
        "case": f"cases/{case.pk}/",
        "batch": f"batches/{batch.pk}/",
        "parameters": "parameters/",
        "places": "places/",
        "list": f"lists/{ForeignList.objects.get().pk}/",
        "public": "locations/",
    }


@pytest.fixture
def page(asked: Any, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A page of the second officer; playwright keeps a loop in this thread, Django is told so."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium: apt-get install -y chromium fonts-noto-cjk")
    client = Client()
    client.force_login(asked[0])
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(FLAGS))
        context = browser.new_context(base_url=f"{live_server.url}/exposures/")
        told = {settings.SESSION_COOKIE_NAME: session, "lang": "zh"}
        context.add_cookies(
            [{"name": name, "value": value, "url": live_server.url} for name, value in told.items()]
        )
        opened = context.new_page()
        opened.set_default_timeout(15_000)
        yield opened
        browser.close()


def test_the_pages_fit_a_narrow_screen_the_keyboard_and_paper(page: Page, asked: Any) -> None:
    for name, path in asked[1].items():
        for language in ("zh", "en"):
            page.set_viewport_size({"width": 320, "height": 720})
            answer = page.goto(f"{path}?lang={language}")
            assert answer is not None
            assert answer.ok, name
            assert page.evaluate(SIDEWAYS) <= 0, (name, language)
        page.emulate_media(media="print")
        page.set_viewport_size(SHEET)
        for shown in page.locator("thead:visible, .btn:visible, input:visible").all():
            assert shown.evaluate("one => one.tagName") == "THEAD", (name, shown.inner_html())
        assert page.locator("thead").count() == page.locator("thead:visible").count(), name
        page.emulate_media(media="screen")

    page.set_viewport_size({"width": 1280, "height": 860})
    page.goto(f"{asked[1]['batch']}?lang=zh")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    reached: dict[str, tuple[float, str, str]] = {}
    for _ in range(6):
        page.keyboard.press("Tab")
        tag, text, *looks = page.evaluate(FOCUSED)
        reached.setdefault(f"{tag} {text.split()[0] if text else ''}".strip(), tuple(looks))
        if tag == "SUMMARY":
            sign = "one => getComputedStyle(one, '::after').content"
            assert "＋" in page.locator("summary:focus").evaluate(sign)
            page.keyboard.press("Enter")
    assert {"BUTTON 放行5人", "SUMMARY 驳回", "INPUT", "BUTTON 驳回5人"} <= reached.keys()
    assert all(height >= 24 for height, *_ in reached.values())
    assert {looks[1:] for looks in reached.values()} == {("solid", "3px")}

    page.goto(f"{asked[1]['parameters']}?lang=zh")
    box = page.locator("main summary").bounding_box()
    assert box is not None
    assert box["height"] >= 24
