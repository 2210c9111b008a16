"""The door's screen in headless Chromium: fed by the box's events, answering by keyboard wedge.

What the page must show is written down here from ui.md 3 (field rule) and the messages' words;
the box is the real server on a free port, in a thread of its own.
"""

import asyncio
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from passlight.core.rules.admission import Outcome
from passlight.core.rules.terms import Text
from passlight.gate.kiosk import Kiosk, KioskSettings
from passlight.gate.ports import DisplayState, GuardKey, Pressed, Scan, ShownVerdict
from passlight.runtime.clock import SystemClock, SystemEntropy
from tests.browser.conftest import Launch
from tests.browser.looking import faults
from tests.browser.stack import REPOSITORY

CODE = "PL1:" + ("A1 $%*+-./:" * 16)[:174]
SIZES = {"portrait": (1080, 1920), "landscape": (1280, 800)}
GREEN, YELLOW, RED, SLATE = (
    "rgb(11, 110, 59)",
    "rgb(255, 196, 0)",
    "rgb(179, 22, 27)",
    "rgb(91, 100, 112)",
)
INK, BLUE = "rgb(17, 22, 29)", "rgb(37, 64, 181)"
IDLE = DisplayState(
    screen="idle",
    venue=Text("清河街道社区事务受理服务中心", "Qinghe Community Service Centre"),
    entrance=Text("北门", "North gate"),
    inside=86,
    cap=150,
    as_of=1_654_651_860,
)


def result(
    outcome: Outcome, answer: str, field_: str, requirement: str = "", **more: object
) -> DisplayState:
    prompt = f"{outcome}.{requirement}" if requirement else str(outcome)
    verdict = ShownVerdict(outcome=outcome, requirement=requirement, prompt=prompt)
    return replace(IDLE, screen="result", verdict=verdict, answer=answer, field=field_, **more)


ADMIT = result(
    Outcome.ADMIT,
    "green",
    "green",
    temperature=364,
    test_hours=31,
    say=Text("请进。", "Please go in."),
)
WAIT = Text("请在原地稍候，工作人员马上来。", "Please wait here, staff are coming.")
ISOLATE = result(Outcome.ISOLATE, "red", "red", "red", say=WAIT, temperature=364)
OLD = Text("核酸已过61小时，超过48小时。", "Test is 61 h old; the limit is 48 h.")
REFUSE = result(Outcome.REFUSE, "green", "ink", "test", say=OLD, test_hours=61)
ASK = result(
    Outcome.ASK,
    "undetermined",
    "unknown",
    "unknown",
    say=Text("请稍候，工作人员来核对。", "Please wait for the staff."),
)
YELLOW_ISOLATE = result(Outcome.ISOLATE, "yellow", "yellow", "yellow", say=WAIT)
OFFLINE = replace(IDLE, offline=True, waiting=6)


@dataclass
class Box:
    """A running screen, and what came out of its page."""

    kiosk: Kiosk
    loop: asyncio.AbstractEventLoop
    came: list[Scan | Pressed] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    changed: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.kiosk.port}/"

    def show(self, state: DisplayState) -> None:
        async def now() -> None:
            self.kiosk.show(state)

        asyncio.run_coroutine_threadsafe(now(), self.loop).result(5)

    def comes(self, count: int) -> list[Scan | Pressed]:
        while len(self.came) < count:
            assert self.changed.wait(5), self.came
            self.changed.clear()
        return self.came

    async def run(self) -> None:
        async def pump(source: object) -> None:
            async for shown in source:
                self.came.append(shown)
                self.changed.set()

        async with asyncio.TaskGroup() as group:
            for source in (self.kiosk.scans, self.kiosk.keys):
                group.create_task(pump(source))
            group.create_task(self.kiosk.run())

    def start(self) -> None:
        async def begin() -> asyncio.Task[None]:
            return asyncio.create_task(self.run())

        self.task = asyncio.run_coroutine_threadsafe(begin(), self.loop).result(5)
        while not self.kiosk.health().works:
            threading.Event().wait(0.01)

    def stop(self) -> None:
        async def end(task: asyncio.Task[None]) -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        if self.task is not None:
            task, self.task = self.task, None
            asyncio.run_coroutine_threadsafe(end(task), self.loop).result(10)


Boxed = Callable[..., Box]
Opened = Callable[..., Page]


@pytest.fixture(scope="module")
def built_kiosk() -> None:
    if not (REPOSITORY / "src/passlight/gate/static/dist/kiosk.js").exists():
        if not (REPOSITORY / "node_modules").exists():
            pytest.skip("no node_modules: npm ci")
        subprocess.run(["npm", "run", "--silent", "build"], cwd=REPOSITORY, check=True)


@pytest.fixture(scope="module")
def chrome(launch: Launch, built_kiosk: None) -> Browser:
    return launch()


@pytest.fixture
def boxed() -> Iterator[Boxed]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    started: list[Box] = []

    def start(**settings: object) -> Box:
        kiosk = Kiosk(
            "display", KioskSettings(**{"port": 0, **settings}), SystemClock(), SystemEntropy()
        )
        box = Box(kiosk=kiosk, loop=loop)
        box.start()
        started.append(box)
        return box

    yield start
    for box in started:
        box.stop()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def opened(chrome: Browser) -> Iterator[Opened]:
    """A page at the box; whatever its console complains of fails the test."""
    contexts, complaints = [], []

    def open_(box: Box, size: str = "landscape") -> Page:
        width, height = SIZES[size]
        context = chrome.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console", lambda said: complaints.append(said.text) if said.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_default_timeout(8_000)
        page.goto(box.url)
        return page

    yield open_
    for context in contexts:
        context.close()
    lost = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED", "net::ERR_")
    assert [said for said in complaints if not any(part in said for part in lost)] == []


def ground(page: Page) -> str:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def at(page: Page, screen: str) -> None:
    page.wait_for_selector(f"body[data-screen={screen}]")


def fits(page: Page) -> list[str]:
    """Elements with words that stand out of the screen, over another or wrap in a status word."""
    return page.evaluate(
        """() => {
          const wrong = [];
          for (const e of document.querySelectorAll('.k-top, .k-off, .k-mid h1, .k-do, .k-facts > div, .k-foot, .btn, .pict > div, .shape, .k-shape .i')) {
            const r = e.getBoundingClientRect();
            if (!r.width) continue;
            if (r.left < 0 || r.top < 0 || r.right > innerWidth + 1 || r.bottom > innerHeight + 1) wrong.push((e.className.baseVal ?? e.className) + ' out');
            if (e.scrollWidth > e.clientWidth + 2 && e.clientWidth) wrong.push(e.className + ' overflows');
          }
          const mid = document.querySelector('.k-mid'), foot = document.querySelector('.k-foot'), head = Math.max(...[...document.querySelectorAll('.k-top, .k-off')].map(e => e.getBoundingClientRect().bottom));
          for (const e of mid.querySelectorAll('h1, .k-do, .k-facts, .shape, .i, .pict')) {
            const r = e.getBoundingClientRect();
            if (r.width && (r.bottom > foot.getBoundingClientRect().top + 1 || r.top < head - 1)) wrong.push((e.className.baseVal ?? e.className) + ' over');
          }
          return wrong;
        }"""
    )


CASES = {
    "idle": (IDLE, "idle", BLUE, "请扫码"),
    "offline": (OFFLINE, "idle", BLUE, "名单截至"),
    "green": (ADMIT, "result", GREEN, "绿码"),
    "red": (ISOLATE, "result", RED, "红码"),
    "yellow": (YELLOW_ISOLATE, "result", YELLOW, "黄码"),
    "refuse": (REFUSE, "result", INK, "不能进入"),
    "ask": (ASK, "result", SLATE, "状态未知"),
    "unsure": (
        replace(ASK, clock_sure=False, offline=True, as_of=None),
        "result",
        SLATE,
        "时钟不准",
    ),
    "emergency": (replace(ADMIT, answer="red", field="ink", say=None), "result", INK, "请通行"),
    "checking": (replace(IDLE, screen="checking"), "checking", BLUE, "正在核验"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_state_is_shape_word_and_colour(
    boxed: Boxed, opened: Opened, pictures: Path | None, size: str, language: str
) -> None:
    box = boxed(language=language, result_seconds=60, ask_seconds=60)
    page = opened(box, size)
    for name, (state, screen, colour, words) in CASES.items():
        box.show(state)
        at(page, screen)
        page.wait_for_function(
            "seq => document.body.dataset.seq === String(seq)", arg=box.kiosk._seq
        )
        if pictures is not None:
            page.screenshot(path=pictures / f"kiosk-{name}-{size}-{language}.png")
        assert ground(page) == colour, name
        shown = page.inner_text("main")
        assert words in shown, name
        assert "Please" in shown or "can" in shown or "code" in shown or "Checking" in shown
        assert fits(page) == [], name
        if screen == "result":
            # The sign is part of the page and drawn at once, not fetched when it is needed.
            sign = page.locator(".k-shape svg use").get_attribute("href")
            assert page.locator(f"symbol{sign}").count() == 1
            assert page.locator("[role=alert] h1").count() == 1


def test_axe_finds_nothing(boxed: Boxed, opened: Opened) -> None:
    box = boxed(result_seconds=60, ask_seconds=60)
    page = opened(box)
    for name in ("idle", "offline", "green", "yellow", "refuse", "unsure"):
        box.show(CASES[name][0])
        seq = box.kiosk._seq
        page.wait_for_function("seq => document.body.dataset.seq === String(seq)", arg=seq)
        assert faults(page) == [], name


def test_a_colour_that_disagrees_with_the_outcome_is_never_a_field(
    boxed: Boxed, opened: Opened
) -> None:
    """Whatever the box says: refused with a green code is ink, with the status as a chip."""
    box = boxed(result_seconds=60, ask_seconds=60)
    page = opened(box)
    for state in (
        replace(REFUSE, field="green"),
        replace(ASK, field="green"),
        replace(ADMIT, answer="red", field="green"),
        replace(ADMIT, answer="expired", field="green"),
    ):
        box.show(state)
        page.wait_for_function(
            "seq => document.body.dataset.seq === String(seq)", arg=box.kiosk._seq
        )
        assert ground(page) == INK
        assert page.locator(".k-chip .st").count() == 1
    # Positive control: where they agree the field is green.
    box.show(ADMIT)
    page.wait_for_selector("body.st-green")
    assert ground(page) == GREEN


def test_a_scanner_types_a_code_into_the_page(boxed: Boxed, opened: Opened) -> None:
    box = boxed()
    page = opened(box)
    box.show(IDLE)
    at(page, "idle")
    page.keyboard.type(CODE)
    page.keyboard.press("Enter")
    page.keyboard.type("no code at all")
    page.keyboard.press("Enter")
    page.keyboard.press("F2")  # no guard's keyboard here
    page.keyboard.type("PL1:" + "Q" * 400)
    page.keyboard.press("Enter")
    first, second = box.comes(2)[:2]
    assert (first.text, first.source) == (CODE, "display.scan")
    # Cut off one character after the longest code, so that the verifier calls it none.
    assert second.text == "PL1:" + "Q" * 175
    assert len(box.came) == 2


def test_help_and_the_guards_keys(boxed: Boxed, opened: Opened) -> None:
    box = boxed(guard_keys=True)
    page = opened(box)
    box.show(IDLE)
    at(page, "idle")
    page.click("#call")
    expect(page.locator(".k-notice")).to_contain_text("已呼叫工作人员")
    for key in ("F2", "F6", "F7", "F8", "F9"):
        page.keyboard.press(key)
    pressed = [shown.key for shown in box.comes(6)]
    assert pressed[0] is GuardKey.ASK_STAFF
    assert set(pressed) == {
        GuardKey.ASK_STAFF,
        GuardKey.GUARD_OK,
        GuardKey.EXIT,
        GuardKey.EMERGENCY,
        GuardKey.MINOR,
        GuardKey.ADMIT_AFTER_ASKING,
    }


def test_a_door_asks_for_one_scan_and_says_which(boxed: Boxed, opened: Opened) -> None:
    """Field/01 1.2: the posted code or the visitor's own code here, and never both."""
    box = boxed()
    page = opened(box)
    box.show(replace(IDLE, asks="venue-code"))
    at(page, "idle")
    expect(page.locator(".k-word")).to_contain_text("请扫场所码")
    expect(page.locator("#kiosk")).not_to_contain_text("随行码")
    box.show(replace(IDLE, asks="either"))
    expect(page.locator(".k-either")).to_contain_text("不用再扫")
    box.show(replace(IDLE, asks="sentinel"))
    expect(page.locator(".k-either")).to_have_count(0)
    expect(page.locator("#kiosk")).to_contain_text("随行码")


def test_where_care_is_given_anybody_may_ask_for_it(boxed: Boxed, opened: Opened) -> None:
    """Field/01 1.2: emergency care is exempt; at a hall the guard's key says so."""
    box = boxed()
    page = opened(box)
    box.show(IDLE)
    at(page, "idle")
    expect(page.locator("#care")).to_have_count(0)
    assert post(box, {"command": "emergency"}).json()["code"] == "kiosk.command.keys-off"
    box.show(replace(IDLE, care=True))
    page.click("#care")
    assert box.comes(1)[0].key is GuardKey.EMERGENCY
    assert post(box, {"command": "exit"}).json()["code"] == "kiosk.command.keys-off"


def test_a_guard_types_the_signs_of_a_check_in_or_a_slip(boxed: Boxed, opened: Opened) -> None:
    box = boxed(guard_keys=True)
    page = opened(box)
    box.show(IDLE)
    at(page, "idle")
    for typed in ("a3f2", "P-0608-12"):
        page.keyboard.press("F3")
        expect(page.locator("#desk")).to_be_focused()
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        expect(page.locator("#desk")).to_have_count(0)
    page.keyboard.press("F3")
    page.keyboard.press("Escape")
    expect(page.locator("#desk")).to_have_count(0)
    first, second = box.comes(2)
    assert (first.text, second.text) == ("a3f2", "paper:P-0608-12")


def test_a_result_goes_by_itself_and_an_old_one_never_comes_back(
    boxed: Boxed, opened: Opened
) -> None:
    box = boxed(result_seconds=0.6)
    page = opened(box)
    box.show(ADMIT)
    at(page, "result")
    at(page, "idle")
    # A page opened later gets the same state with its age, and shows no green.
    again = opened(box)
    at(again, "idle")
    assert ground(again) == BLUE


@pytest.mark.serial
def test_a_page_that_hears_nothing_says_so_and_drops_the_green(
    boxed: Boxed, opened: Opened
) -> None:
    box = boxed(result_seconds=60)
    page = opened(box)
    box.show(ADMIT)
    page.wait_for_selector("body.st-green")
    box.stop()
    at(page, "stale")
    assert ground(page) == INK
    assert "屏幕已停更" in page.inner_text("main")
    assert "绿码" not in page.inner_text("main")
    # The box starts anew on the same port, with another token: the page takes it up by itself.
    settings = replace(box.kiosk.settings, port=box.kiosk.port)
    second = Box(kiosk=Kiosk("display", settings, SystemClock(), SystemEntropy()), loop=box.loop)
    second.start()
    second.show(IDLE)
    try:
        at(page, "idle")
        page.keyboard.type(CODE)
        page.keyboard.press("Enter")
        assert second.comes(1)[0].text == CODE
    finally:
        second.stop()


def test_nothing_from_outside_and_no_inline_script(boxed: Boxed, opened: Opened) -> None:
    box = boxed()
    with httpx.Client() as client:
        got = client.get(box.url)
        policy = got.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http://" not in got.text.replace("http://www.w3.org", "")
        assert "https://" not in got.text


def post(box: Box, content: object, **headers: str) -> httpx.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    own = {"origin": box.url.rstrip("/"), "x-kiosk-token": box.kiosk._token, **headers}
    return httpx.post(
        f"{box.url}command", content=body, headers={k: v for k, v in own.items() if v}
    )


def test_commands_come_from_the_page_only(boxed: Boxed) -> None:
    box = boxed()
    ask = {"command": "ask-staff"}
    assert post(box, ask).status_code == 204  # positive control of all that follows
    for headers in (
        {"origin": ""},
        {"origin": "http://evil.example"},
        {"host": f"evil.example:{box.kiosk.port}"},
        {"sec-fetch-site": "cross-site"},
        {"x-kiosk-token": "0" * 32},
        {"x-kiosk-token": ""},
    ):
        assert post(box, ask, **headers).status_code == 403, headers
    assert httpx.get(box.url, headers={"host": f"evil.example:{box.kiosk.port}"}).status_code == 403
    assert post(box, {"command": "guard-ok"}).json()["code"] == "kiosk.command.keys-off"
    for wrong in (b"{", b"[" * 5_000, [], {"command": 1}, {"command": "open"}, {"command": "scan"}):
        assert post(box, wrong).json()["code"] == "kiosk.command.form", wrong
    assert post(box, b"q" * 1_000_000).status_code == 413
    assert len(box.comes(1)) == 1
