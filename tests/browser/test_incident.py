"""From a red scan at a door to "data error" to green at the same door, by the pages of everybody.

The order of steps is the plan's: S4 三(二)5 (isolate, duty leader, street office, verified, data error
to the district) and 6 (district leading group at once). Nobody sets a colour: it follows the fact.
"""

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.camera import next_code, read_code
from tests.browser.conftest import Enter
from tests.browser.door import admit, press, stand, type_keys
from tests.browser.stack import Stack
from tests.browser.test_scan import fact_at_hand, rows


def step(page: Page, name: str, **fields: str) -> None:
    """Fill the form of an open step and send it; the step is done afterwards."""
    form = page.locator(f"#step-{name} .act > form")
    for field, text in fields.items():
        form.locator(f"[name={field}]").fill(text)
    form.locator("button.btn").last.click()
    expect(page.locator(f"#step-{name}")).to_have_class("step done")


def test_red_is_isolated_found_to_be_an_error_and_let_in(
    enter: Enter, stack: Stack, pictures: Path | None
) -> None:
    phone = enter("zhao", "/me/")
    door = enter("lin", "/checker/post/")
    stand(door)
    green = read_code(phone)
    case = json.dumps({"case_id": "mistaken-1"})
    with fact_at_hand(stack, "case.confirmed", stack.facts_key("zhao"), case) as land:
        assert land()["landed"] == 1
    phone.reload()
    expect(phone.locator("#head")).to_have_class("head on-status st-red", timeout=20_000)
    red = next_code(phone, green)
    type_keys(door, red)
    expect(door.locator("#card .do")).to_have_text("隔离")
    press(door, "isolate")
    # The office opened the incident by itself; the guard sees its number and what comes next.
    expect(door.locator("#card .reported .reason")).to_contain_text("已上报，事件", timeout=30_000)
    expect(door.locator("#card .report-steps li").first).to_contain_text("带至隔离区")
    if pictures is not None:
        door.screenshot(path=pictures / "door-reported.png")
    number, incident = rows(stack, "select number, id::text from incidents_incident")[0]
    assert number in str(door.locator("#card .reported .reason").text_content())

    leader = enter("leader", "/incidents/", width=1280, height=900)
    expect(leader.locator("main")).to_contain_text("红码")
    leader.locator(f"main a[href='/incidents/{incident}/']").first.click()
    step(leader, "isolated", note="一号隔离间")
    leader.locator("#step-duty-leader-told form button").first.click()  # received by themselves
    expect(leader.locator("#step-duty-leader-told")).to_have_class("step done")
    step(leader, "street-told", who="郑强")
    step(leader, "leading-group-told", who="区领导小组值班")

    street = enter("street", leader.url.removeprefix(stack.url), width=1280, height=900)
    step(street, "acknowledged")
    step(street, "verifying")
    street.get_by_role("link", name="数据错误").first.click()
    choose_fact(street)
    street.locator("[name=reason]").fill("医院核对：同名病例，不是本人")
    street.locator("main form button.btn-primary").click()
    street.wait_for_url("**/incidents/*-*/")
    expect(street.locator("#step-data-error")).to_have_class("step done")

    district = enter("district", "/incidents/corrections/", width=1280, height=900)
    district.locator("main table a, main .table a").first.click()
    district.locator("[name=answer]").fill("来源已更正")
    district.locator("button[name=corrected][value='1']").click()
    district.wait_for_url("**/incidents/corrections/")

    # The colour follows by itself, on the phone and at the door.
    phone.reload()
    expect(phone.locator("#head")).to_have_class("head on-status st-green", timeout=30_000)
    press(door, "next")
    type_keys(door, next_code(phone, green, red))
    expect(door.locator("#card .act .st")).to_contain_text("绿码")
    admit(door)
    expect(door.locator("#count-admit")).to_have_text("1")
    leader.reload()
    step(leader, "released", note="已放行")
    found = rows(stack, "select step, closed_at is not null from incidents_incident")
    assert len(found) == 1, found  # one person, one incident


def choose_fact(page: Page) -> None:
    """Choose the one fact behind the colour."""
    select = page.locator("select[name=fact_id]")
    if select.count():
        value = select.locator("option[value*='mistaken'], option[value*='case.confirmed']").first
        select.select_option(value.get_attribute("value"))
    else:
        page.locator("[name=fact_id][value*='case.confirmed']").first.check()
