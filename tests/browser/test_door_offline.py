"""A checker's door without network: three codes, a reload, and back again; a false list; a red one.

Expected words: the pack ``qingpu-2022-05`` (S4 三(二)1: 48 h; 三(二)5: red is isolated), ui.md 3, 5
and 10. Counts are made by hand beside the page, and read from the office's own tables.
"""

import base64
import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.camera import next_code, read_code
from tests.browser.conftest import Enter
from tests.browser.door import admit, kept, measure, press, stand, type_keys, wait_until
from tests.browser.looking import check_widths, faults
from tests.browser.stack import Stack
from tests.browser.test_scan import fact_at_hand, rows, until

ANSWERED_WITHIN_MS = 1_000  # the gateway's 300 ms and a slow machine's drawing
_STATES = """() => new Promise(done => { const r = indexedDB.open('passlight');
  r.onsuccess = () => { const q = r.result.transaction('door').objectStore('door').getAll();
    q.onsuccess = () => { r.result.close();
      done(q.result.flatMap(kept => (kept.feeds ?? []).flatMap(feed => [...feed.entries.keys()])).length) } } })"""


def test_three_scans_a_reload_and_back_again(
    enter: Enter, stack: Stack, pictures: Path | None
) -> None:
    phones = [enter(name, "/me/") for name in ("wang", "li", "zhao")]
    page = enter("lin", "/checker/post/")
    stand(page)
    kept(page, "/checker/")
    page.context.set_offline(True)
    last = ""
    for number, phone in enumerate(phones, start=1):
        last = read_code(phone)
        before = page.evaluate("performance.now()")
        type_keys(page, last)
        expect(page.locator("#card .do")).to_have_text("询问")
        assert page.evaluate("performance.now()") - before < ANSWERED_WITHIN_MS
        # Decided alone, and it says so: as of when its list is.
        expect(page.locator("#card-basis")).to_contain_text("本机名单，截至")
        expect(page.locator("#card .act .st")).to_contain_text("绿码")
        if number == 1:
            press(page, "temperature")
            measure(page, "97.7")  # Fahrenheit: an error, never a fever
            expect(page.locator("#temperature-fault")).to_contain_text("华氏度")
            expect(page.locator("#temperature-value")).to_have_attribute("aria-invalid", "true")
            if pictures is not None:
                page.screenshot(path=pictures / "door-temperature-fault.png")
            measure(page, "36.5")
        admit(page)
        expect(page.locator("#count-admit")).to_have_text(str(number))
    expect(page.locator("#count-waiting")).to_have_text("3")
    expect(page.locator("#net")).to_contain_text("离线")

    page.reload()  # from its own store: there is no network
    expect(page.locator("#count-waiting")).to_have_text("3")
    expect(page.locator("#as-of")).to_contain_text("名单截至")
    # A code is taken once, also after a reload: unknown is asked about, and nothing is green.
    type_keys(page, last)
    expect(page.locator("#card .do")).to_have_text("询问")
    expect(page.locator("#card .act")).to_have_class("act on-status st-unknown")
    assert page.locator("[data-choice=admit]").count() == 0

    page.context.set_offline(False)
    expect(page.locator("#count-waiting")).to_have_text("0", timeout=30_000)
    landed = until(
        page,
        stack,
        "select payload -> 'entry', visits_key from records_record where kind = 'admit'",
        3,
    )
    assert len({visits for _, visits in landed if visits}) == 3
    for entry, _ in landed:
        assert entry["offline"] is True
        assert entry["measured"] == {"state": "measured", "tenths": 365, "thermometer": "T1"}
        assert entry["registered"]["how"] == "code"
        assert entry["clock"] == "sure"
    # Sent again by a phone that heard no answer, nothing is doubled.
    page.wait_for_timeout(1_000)
    assert len(rows(stack, "select 1 from records_record where kind = 'admit'")) == 3


def test_a_false_list_is_refused_and_red_is_isolated_offline(
    enter: Enter, stack: Stack, pictures: Path | None
) -> None:
    phone = enter("li", "/me/")
    page = enter("lin", "/checker/post/")
    stand(page, "南门")
    read_code(phone)
    phone.context.set_offline(True)  # it goes on with what it was granted: codes that say green
    with fact_at_hand(
        stack, "case.confirmed", stack.facts_key("li"), json.dumps({"case_id": "door-1"})
    ) as land:
        assert land()["landed"] == 1
    wait_until(page, f"({_STATES})().then(count => count > 0)")

    told: list[int] = []

    def forge(route: Route) -> None:
        """Say that nobody is restricted, under the signature of another message."""
        answer = route.fetch()
        body: dict[str, Any] = answer.json()
        raw = body["payload"]
        message = json.loads(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
        message |= {"entries": [], "since": 0, "seq": message["seq"] + 5}
        forged = base64.urlsafe_b64encode(json.dumps(message).encode()).decode().rstrip("=")
        told.append(1)
        route.fulfill(response=answer, json={**body, "payload": forged})

    page.route("**/v1/door/statuses**", forge)
    for _ in range(300):
        page.wait_for_timeout(200)
        if len(told) > 1:
            break
    assert len(told) > 1, told  # so that the first was read to its end, and refused
    page.wait_for_timeout(300)
    page.context.set_offline(True)
    # Read only now: a code is over after two slots, and what stands above may take longer.
    code = read_code(phone)
    expect(phone.locator("#head")).to_have_class("head on-status st-green")
    type_keys(page, code)
    expect(page.locator("#card .do")).to_have_text("隔离")
    expect(page.locator("#card .act")).to_have_class("act on-status st-red")
    expect(page.locator("#card .reason")).to_contain_text("名单上是红码")
    assert page.locator("[data-choice=admit]").count() == 0
    press(page, "isolate")
    expect(page.locator("#card .reported")).to_contain_text("已记在本机，联网后自动上报")
    expect(page.locator("#card .report-steps li")).to_have_count(3)
    if pictures is not None:
        page.screenshot(path=pictures / "door-reported-offline.png")
    assert faults(page) == []
    page.unroute("**/v1/door/statuses**")
    page.context.set_offline(False)
    expect(page.locator("#count-waiting")).to_have_text("0", timeout=30_000)
    expect(page.locator("#card .reported")).to_contain_text("已上报")
    found = until(
        page,
        stack,
        "select visits_key, payload -> 'entry' ->> 'requirement' from records_record"
        " where kind = 'isolate'",
        1,
    )
    assert found[0][0] is not None
    assert found[0][1] == "red"


def test_without_a_list_a_door_asks(enter: Enter) -> None:
    """Control of the two tests above: what decided there was the list that was held."""
    phone = enter("zhao", "/me/")
    page = enter("lin", "/checker/post/")
    page.route("**/v1/door/statuses**", lambda route: route.abort())
    page.get_by_role("button", name="北门").click()
    page.wait_for_timeout(2_000)
    page.route("**/v1/verifications", lambda route: route.abort())
    type_keys(page, next_code(phone))
    expect(page.locator("#card .act")).to_have_class("act on-status st-unknown")
    assert page.locator("[data-choice=admit]").count() == 0


def test_emergency_paper_and_exit(enter: Enter, stack: Stack) -> None:
    page = enter("lin", "/checker/post/", width=1280, height=860)
    stand(page, "南门")
    page.locator("#tool-emergency").click()
    expect(page.locator("#card .do")).to_have_text("放行")
    press(page, "admit")
    page.locator("#tool-paper").click()
    page.keyboard.type("张三")  # no name comes into this phone
    page.keyboard.press("Enter")
    expect(page.locator("#paper-fault")).to_contain_text("编号")
    page.fill("#paper-number", "A-017")
    page.fill("#paper-minors", "2")
    page.keyboard.press("Enter")
    expect(page.locator("#card [data-must=registered]")).to_contain_text("纸质")
    press(page, "ask")
    page.locator("#tool-exit").click()
    page.locator("#exit-none").click()
    expect(page.locator("#count-waiting")).to_have_text("0")
    landed = until(
        page,
        stack,
        "select kind, payload -> 'entry' from records_record where entrance = 's'"
        " and kind in ('admit', 'ask', 'exit') order by occurred_at",
        3,
    )
    (first, emergency), (second, paper), (third, left) = landed
    assert (first, second, third) == ("admit", "ask", "exit")
    assert emergency["requirement"] == "emergency"
    assert paper["registered"] == {"how": "paper", "reference": "A-017"}
    assert paper["companions"] == 2
    assert left["who"] is None


def test_the_card_in_both_languages_at_every_width(enter: Enter, pictures: Path | None) -> None:
    found: list[str] = []
    for language in ("zh", "en"):
        page = enter("lin", "/checker/post/", width=320, height=640, language=language)
        page.locator("button.post").first.click()
        page.wait_for_selector("#net svg")
        page.locator("#tool-emergency").click()
        for panel in ("measured", "asked"):
            page.wait_for_selector(f"[data-must={panel}]", timeout=20_000)
            page.locator(f"[data-must={panel}]").click()
            page.wait_for_selector(
                f".must-panel.{'temperature' if panel == 'measured' else 'questions'}"
            )
            found += faults(page)
            assert not sideways(page), (language, panel)
            page.locator(f"[data-must={panel}]").click()
        found += check_widths(page, pictures, f"door-card-{language}")
    assert not found, "\n".join(found)


def sideways(page: Page) -> bool:
    """Return whether the page or the card scrolls sideways."""
    wide: bool = page.evaluate(
        "['html', '#card'].some(s => { const e = document.querySelector(s); return e.scrollWidth > e.clientWidth })"
    )
    return wide
