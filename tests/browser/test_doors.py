"""The door with the keyboard alone, and a phone whose server is away."""

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.camera import SLOT_SECONDS, next_code, read_code, text_of
from tests.browser.conftest import Enter
from tests.browser.door import DEAF_MS, holds, kept, press, stand, type_keys
from tests.browser.looking import faults
from tests.browser.stack import Stack
from tests.browser.test_scan import rows, type_code, until

# As the card opens, not when this process gets round to it: a busy machine would touch it too late.
TOUCHED_AT_ONCE = """() => { window.touched = 0;
  new MutationObserver((_, seen) => { const act = document.querySelector('#card [data-choice=temperature]');
    if (act !== null) { seen.disconnect(); act.click(); window.touched += 1 } })
    .observe(document.body, {childList: true, subtree: true}) }"""


def press_until(page: Page, key: str, selector: str, times: int = 40) -> None:
    """Press a key until the element has the focus; it must be reachable."""
    for _ in range(times):
        if page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} never reaches {selector}")


def test_from_post_to_record_without_a_mouse(enter: Enter, stack: Stack) -> None:
    phone = enter("zhao", "/me/")
    page = enter("lin", "/checker/post/", width=1280, height=860)
    press_until(page, "Tab", "button.post[value=n]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/checker/")
    holds(page)
    page.evaluate(TOUCHED_AT_ONCE)
    page.keyboard.type(read_code(phone))
    page.keyboard.press("Enter")
    expect(page.locator("#card .do")).to_have_text("询问")
    expect(page.locator("#card")).to_have_attribute("role", "alert")
    # The act has the focus, and a key that is still down from the scanner does nothing.
    expect(page.locator("[data-choice=temperature]")).to_be_focused()
    assert page.evaluate("window.touched") == 1
    expect(page.locator("#temperature-value")).to_have_count(0)
    page.wait_for_timeout(DEAF_MS)
    press_until(page, "Tab", "[data-choice=temperature]")
    page.keyboard.press("Enter")
    expect(page.locator("#temperature-value")).to_be_focused()
    page.keyboard.type("36.5")
    page.keyboard.press("Tab")
    page.keyboard.type("T1")
    page.keyboard.press("Enter")
    expect(page.locator("#card .do")).to_have_text("放行")
    expect(page.locator("#card .act")).to_have_class("act on-status st-green")
    expect(page.locator("[data-choice=admit]")).to_be_focused()
    page.wait_for_timeout(DEAF_MS)
    press_until(page, "Shift+Tab", "[data-must=mask]")
    page.keyboard.press("Enter")  # one touch: the mask was seen
    expect(page.locator("[data-must=mask]")).to_contain_text("已戴")
    page.wait_for_timeout(DEAF_MS)
    press_until(page, "Shift+Tab", "[data-choice=report]")
    press_until(page, "Tab", "[data-choice=admit]")
    page.keyboard.press("Enter")
    expect(page.locator("#count-admit")).to_have_text("1")
    expect(page.locator("#count-waiting")).to_have_text("0")
    until(page, stack, "select 1 from records_record where kind = 'admit'", 1)


def test_a_document_is_checked_without_a_mouse_and_leaves_its_row(
    enter: Enter, stack: Stack
) -> None:
    page = enter("lin", "/checker/post/")
    stand(page, "南门")
    press_until(page, "Tab", "#tool-document")
    page.keyboard.press("Enter")
    expect(page.locator("#document-number")).to_be_focused()
    page.keyboard.type("99999919900307001")  # a digit is missing
    page.keyboard.press("Enter")
    expect(page.locator("#document-fault")).to_contain_text("请对照证件")
    expect(page.locator("#document-number")).to_have_value("99999919900307001")
    page.locator("#document-number").fill(stack.town["people"]["li"]["number"])
    page.keyboard.press("Enter")
    expect(page.locator("#card .act .st")).to_contain_text("绿码")
    expect(page.locator("#card [data-must=registered]")).to_contain_text("证件")
    expect(page.locator("#card-name")).to_have_text("李*")
    looks = rows(
        stack,
        "select place from people_access where purpose = 'door' and place like '%南门'",
    )
    assert looks == [("清河街道社区事务受理服务中心 南门",)]


def test_a_name_that_cannot_be_had_leaves_the_answer(enter: Enter, stack: Stack) -> None:
    phone = enter("zhao", "/me/")
    page = enter("lin", "/checker/post/")
    stand(page)
    page.route("**/checker/identity/", lambda route: route.abort())
    told = type_code(page, next_code(phone))
    assert told["answer"] in {"green", "undetermined"}, told
    if told["answer"] == "undetermined":  # this slot was seen by the first test
        page.wait_for_timeout(SLOT_SECONDS * 1000)
        told = type_code(page, next_code(phone))
        assert told["answer"] == "green", told
    expect(page.locator("#card .act .st")).to_contain_text("绿码")
    expect(page.locator("#card-name")).to_have_text("暂时取不到，结论不变")


def test_without_the_gateway_a_door_asks_and_never_shows_a_colour(enter: Enter) -> None:
    page = enter("lin", "/checker/post/")
    stand(page)
    page.route("**/v1/**", lambda route: route.abort())
    type_keys(page, "PL1:" + "A" * 174)
    expect(page.locator("#card .do")).to_have_text("询问")
    expect(page.locator("#card .act")).to_have_class("act on-status st-unknown")
    expect(page.locator("#net")).to_contain_text("离线")
    # What is recorded now waits on the device and leaves when the gateway is back.
    press(page, "refuse")
    expect(page.locator("#count-waiting")).to_have_text("1")
    page.unroute("**/v1/**")
    expect(page.locator("#count-waiting")).to_have_text("0")


def test_a_phone_without_network_goes_on_and_says_since_when(enter: Enter) -> None:
    phone = enter("zhao", "/me/")
    first = read_code(phone)
    kept(phone, "/me/")
    phone.context.set_offline(True)
    phone.reload()
    assert next_code(phone, first) != first
    expect(phone.locator("#because")).to_contain_text("离线出示，截至")
    expect(phone.locator("#time-note")).to_contain_text("时间未确认")


def test_an_added_device_is_told_to_the_older_one_until_its_owner_has_answered(
    enter: Enter,
) -> None:
    older = enter("li", "/me/")
    read_code(older)
    expect(older.locator("#devices")).to_be_hidden()
    newer = enter("li", "/me/")
    read_code(newer)
    # The server tells it with the next grant: let the one that is held be over.
    older.evaluate(
        """() => new Promise(done => { const r = indexedDB.open('passlight');
          r.onsuccess = () => { const store = r.result.transaction('device', 'readwrite').objectStore('device');
            const q = store.getAllKeys(); q.onsuccess = () => { for (const key of q.result)
              if (String(key).startsWith('grant:')) store.delete(key) };
            store.transaction.oncomplete = () => done(null) } })"""
    )
    older.reload()
    expect(older.locator("#devices")).to_contain_text("另一台设备登录了您的账号")
    older.reload()
    expect(older.locator("#devices a")).to_have_attribute("href", "tel:12345")
    older.get_by_role("button", name="是我本人").click()
    expect(older.locator("#devices")).to_be_hidden()
    older.reload()
    read_code(older)
    older.wait_for_timeout(500)
    expect(older.locator("#devices")).to_be_hidden()
    expect(newer.locator("#devices")).to_be_hidden()


def test_logout_takes_the_codes_off_the_phone(enter: Enter) -> None:
    phone = enter("zhao", "/me/")
    read_code(phone)
    phone.locator("#logout button").click()
    phone.wait_for_url("**/login/")
    kept = phone.evaluate(
        """() => new Promise(done => { const r = indexedDB.open('passlight');
          r.onsuccess = () => { const q = r.result.transaction('wallet').objectStore('wallet').count();
            q.onsuccess = () => done(q.result) } })"""
    )
    assert kept == 0


def test_a_poster_checks_in_and_no_second_scan_is_asked(
    enter: Enter, stack: Stack, pictures: Path | None
) -> None:
    operator = enter("operator", "/venues/")
    sheet = operator.request.get(f"{stack.url}/venues/{stack.town['venue']}/poster.png")
    assert sheet.ok
    url = text_of(Image.open(io.BytesIO(sheet.body())))
    assert url.startswith(f"{stack.url}/v/")
    phone = enter("li", url.removeprefix(stack.url))
    expect(phone.locator("#visit")).to_have_attribute("data-now", "result")
    expect(phone.locator("#band")).to_contain_text("已登记，请进")
    expect(phone.locator("#venue-name")).to_have_text("清河街道社区事务受理服务中心")
    assert "t=" not in phone.url
    # What the door asks of everybody: 48 hours and a mask (S4 三(二)1).
    expect(phone.locator("#visit-facts")).to_contain_text("48小时内核酸，佩戴口罩")
    check = str(phone.locator("#visit-facts dd").nth(1).text_content())
    phone.locator("#mates-number").fill("2")
    phone.locator("#mates-form button").click()
    expect(phone.locator("#mates-note")).to_contain_text("已加上2位")
    if pictures is not None:
        phone.screenshot(path=pictures / "venue-result-zh.png", full_page=True)
    assert faults(phone) == []
    # Venue code or sentinel, never both: the guard glances at the four signs, and nothing is scanned.
    until(phone, stack, "select 1 from records_record where kind = 'checkin'", 2)
    door = enter("lin", "/checker/post/")
    stand(door)
    door.locator("#tool-arrivals").click()
    row = door.locator(".arrival", has_text=check)
    expect(row).to_contain_text("同行2位")
    if pictures is not None:
        door.screenshot(path=pictures / "door-arrivals.png")
    assert faults(door) == []
    row.click()
    expect(door.locator("#card .act .st")).to_contain_text("绿码")
    expect(door.locator("#card-name")).to_have_text("李*")
    phone.reload()
    expect(phone.locator("#visit")).to_have_attribute("data-now", "scan")
    until(phone, stack, "select 1 from records_record where kind = 'checkin'", 2)
