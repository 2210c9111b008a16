"""From a resident's screen through a camera to an answer, and what a fact changes.

Expected words: ui.md 3 and the rule's own reason in ``policies/shanghai-2020-02``; the reading
of the QR is checked with zxing-cpp, which shares nothing with our drawing or base45.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from passlight.runtime.database import Role
from tests.browser.camera import film, next_code, picture_of_code, text_of
from tests.browser.conftest import Enter, Launch
from tests.browser.door import admit, press, stand, type_keys
from tests.browser.stack import REPOSITORY, Stack

ADMITTED_WITHIN_MS = 1_000
# The fact is asked about a little before the second is over, so that the answer falls inside it.
ASK_AFTER_MS = 500


def type_code(page: Page, text: str) -> dict[str, Any]:
    """Type a code as a keyboard scanner does, and return the gateway's answer."""
    with page.expect_response("**/v1/verifications") as waiting:
        type_keys(page, text)
    return dict(waiting.value.json())


@contextmanager
def fact_at_hand(stack: Stack, *arguments: str) -> Iterator[Callable[[], dict[str, float]]]:
    """Give a function that lands a fact at once and says when it was committed."""
    process = subprocess.Popen(
        [sys.executable, str(REPOSITORY / "tests/browser/land.py"), *arguments],
        env={**stack.installation.environment, "PASSLIGHT_ROLE": "office"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"

    def land() -> dict[str, float]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        return dict(json.loads(process.stdout.readline()))

    yield land
    process.stdin.close()
    process.stdout.close()
    process.wait(20)


def rows(stack: Stack, query: str) -> list[tuple[Any, ...]]:
    """Ask the database as its owner."""
    with psycopg.connect(stack.installation.urls[Role.OWNER]) as connection:
        return connection.execute(query).fetchall()  # type: ignore[call-overload,no-any-return]


def until(page: Page, stack: Stack, query: str, count: int) -> list[tuple[Any, ...]]:
    """Wait until the query gives ``count`` rows: records reach the office in batches."""
    found: list[tuple[Any, ...]] = []
    for _ in range(100):
        found = rows(stack, query)
        if len(found) >= count:
            break
        page.wait_for_timeout(100)
    assert len(found) == count, found
    return found


@pytest.mark.serial
def test_a_filmed_code_is_green_and_after_a_fact_the_next_slot_is_red(
    stack: Stack, enter: Enter, launch: Launch, tmp_path: Path
) -> None:
    phone = enter("wang", "/me/")
    expect(phone.locator("#head")).to_have_class("head on-status st-green")
    picture = picture_of_code(phone)
    filmed = text_of(picture)
    assert len(filmed) == 178  # PL1 2.1: exactly QR 7-M
    video = film(picture, tmp_path / "phone.y4m")
    camera: Browser = launch(f"--use-file-for-fake-video-capture={video}")
    door = enter("lin", "/checker/", browser_=camera)
    stand(door)

    # The camera decodes it; nobody types. What is still to be seen comes before the colour.
    expect(door.locator("#card .do")).to_have_text("询问")
    expect(door.locator("#card .act .st")).to_have_class("st st-green")
    expect(door.locator("#card-name")).to_have_text("王*明")
    expect(door.locator("#card-document")).to_contain_text("999***********12")
    expect(door.locator("#card")).to_contain_text("北门")
    expect(door.locator("#card")).to_contain_text("阴性，31小时前")
    admit(door)
    expect(door.locator("#count-admit")).to_have_text("1")
    expect(door.locator("#count-waiting")).to_have_text("0")

    # The same picture again, before the same camera: an admission point has seen this slot.
    expect(door.locator("#card .act")).to_have_class("act on-status st-unknown")

    # Control: without a fact the next slot is green again.
    second = next_code(phone, filmed)
    control = type_code(door, second)
    assert control["answer"] == "green", control

    with fact_at_hand(
        stack, "case.confirmed", stack.facts_key("wang"), json.dumps({"case_id": "browser-1"})
    ) as land:
        third = next_code(phone, filmed, second)
        landed = land()
        door.wait_for_timeout(ASK_AFTER_MS)
        told = type_code(door, third)
    assert landed["landed"] == 1
    assert told["answer"] == "red", told
    assert told["reason"]["zh"] == "确诊未出院"
    assert told["now_ms"] - landed["committed_ms"] <= ADMITTED_WITHIN_MS
    expect(door.locator("#card .do")).to_have_text("隔离")
    expect(door.locator("#card .act")).to_have_class("act on-status st-red")
    expect(door.locator("#card .reason")).to_contain_text("确诊未出院")
    press(door, "isolate")
    expect(door.locator("#card .reported")).to_contain_text("已上报")

    # In the office: what was done, where and when; and who looked, with place and purpose.
    acts = until(
        door,
        stack,
        "select kind, venue_id::text, entrance, answer, reason, occurred_at is not null,"
        " visits_key is not null from records_record where kind in ('admit', 'isolate')"
        " order by occurred_at",
        2,
    )
    venue = stack.town["venue"]
    assert [act[:4] for act in acts] == [
        ("admit", venue, "n", "green"),
        ("isolate", venue, "n", "red"),
    ]
    assert all(act[5] and act[6] for act in acts)
    looks = rows(
        stack,
        "select u.username, a.purpose, a.place, a.masked from people_access a"
        " join accounts_user u on u.id = a.actor_id where a.purpose = 'door'",
    )
    assert set(looks) == {("lin", "door", "清河街道社区事务受理服务中心 北门", True)}

    # The phone says it as well, with the reason, and offers what helps now.
    phone.reload()
    expect(phone.locator("#head")).to_have_class("head on-status st-red")
    expect(phone.locator("#because")).to_contain_text("确诊未出院")
    expect(phone.locator("#primary")).to_contain_text("为什么")
    phone.goto(f"{stack.url}/me/access/")
    expect(phone.locator(".looks")).to_contain_text("北门")
