"""Existing gate hardware over HTTP, as field/07 4 writes its convention down.

The door behind it is a function that says what a door would: what is tested is what reaches it,
and that nothing but an admission that stands recorded ever answers 0.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from passlight.core.entry.decide import Verdict
from passlight.core.kernel.problem import ProblemError
from passlight.core.rules.admission import Outcome
from passlight.core.rules.terms import Text
from passlight.core.verification.answer import DoorAnswer
from passlight.gate.decision import LEFT, Decision, Observations
from passlight.gate.ports import LONGEST_TEXT, Scan, ShownDocument
from passlight.gate.toml_table import read_toml
from passlight.gate.vendor import PATH, VendorServer, read_vendor
from tests.gate.drivers.ptys import CLOCK, served, until

TOKEN = "a-token-nobody-guesses"
FILE = f"""
[[vendor]]
serial = "SN-1"
token = "{TOKEN}"
temperature_unit = "C"
port = 0

[[vendor]]
serial = "SN-2"
token = "another-token-of-22-chars"
"""
CARD = "11010519491231002X"  # the example of GB 11643-1999 itself
POST = {
    "deviceId": "1",
    "deviceSN": "SN-1",
    "token": TOKEN,
    "type": "qr",
    "value": "PL1:A",
    "time": 0,
}


def decision(outcome: Outcome, *, recorded: bool = True) -> Decision:
    verdict = Verdict(outcome=outcome, requirement="", say=Text("话", "words"), prompt=str(outcome))
    return Decision(
        verdict=verdict,
        answer=DoorAnswer.GREEN,
        reason="",
        role="visitor",
        visit="v",
        lease="",
        offline=False,
        as_of=None,
        clock_sure=True,
        recorded=recorded,
        at=0,
    )


class Door:
    """What came to the door, and what it says."""

    def __init__(self, says: Decision | None = None) -> None:
        self.says = says or decision(Outcome.ADMIT)
        self.came: list[tuple[Scan | ShownDocument, Observations]] = []
        self.pause = asyncio.Event()
        self.pause.set()

    async def answer(self, shown: Scan | ShownDocument, seen: Observations) -> Decision:
        self.came.append((shown, seen))
        await self.pause.wait()
        return self.says


def server(folder: Path, door: Door) -> VendorServer:
    path = folder / "gate.toml"
    path.write_text(FILE)
    settings = read_vendor(read_toml(path).tables["vendor"])
    assert settings is not None
    return VendorServer(settings, door.answer, CLOCK)


def posts(folder: Path, door: Door, *contents: object) -> list[tuple[int, dict]]:
    async def run() -> list[tuple[int, dict]]:
        transport = httpx.ASGITransport(app=server(folder, door).app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gate") as client:
            answers = []
            for content in contents:
                body = content if isinstance(content, bytes) else json.dumps(content)
                answer = await client.post(PATH, content=body)
                answers.append((answer.status_code, answer.json()))
            return answers

    return asyncio.run(run())


def test_a_code_and_a_card_reach_the_door(tmp_path: Path) -> None:
    door = Door()
    card = {**POST, "type": "id", "value": CARD, "temperature": "36.5"}
    answers = posts(tmp_path, door, POST, card)
    assert answers == [(200, {"status": 0, "msg": "话", "audio": "话"})] * 2
    (code, unmeasured), (document, measured) = door.came
    assert isinstance(code, Scan)
    assert (code.text, code.source) == ("PL1:A", "vendor.SN-1")
    assert unmeasured.temperature is None
    assert isinstance(document, ShownDocument)
    assert document.document.number == CARD
    assert measured.temperature is not None
    assert (measured.temperature.tenths, measured.temperature.thermometer) == (365, "SN-1")


@pytest.mark.parametrize("outcome", [Outcome.ASK, Outcome.REFUSE, Outcome.ISOLATE])
def test_only_an_admission_opens(tmp_path: Path, outcome: Outcome) -> None:
    assert posts(tmp_path, Door(decision(outcome)), POST)[0][1]["status"] == 1
    unrecorded = Door(decision(Outcome.ADMIT, recorded=False))
    assert posts(tmp_path, unrecorded, POST)[0][1]["status"] == 1
    # Positive control.
    assert posts(tmp_path, Door(), POST)[0][1]["status"] == 0


def test_what_never_reaches_the_door(tmp_path: Path) -> None:
    door = Door()
    cases: list[tuple[object, int]] = [
        ({**POST, "type": "face", "data": {"capture": "AAAA"}}, 200),
        ({**POST, "type": "stranger"}, 200),
        ({**POST, "type": "ic", "value": "12345"}, 200),
        ({**POST, "type": "id", "value": "110105194912310020"}, 200),  # misread
        ({**POST, "token": "wrong"}, 401),
        ({**POST, "token": "\ud800"}, 401),
        ({**POST, "deviceSN": "SN-9"}, 401),
        ({**POST, "deviceSN": "SN-2"}, 401),  # another device's token
        ({**POST, "value": ""}, 400),
        ({**POST, "value": 5}, 400),
        ({**POST, "type": "open"}, 400),
        ({}, 400),
        ([], 400),
        (b"{", 400),
        (b"[" * 10_000, 400),
        (b"q" * 1_000_000, 413),
    ]
    for (status, answer), (content, expected) in zip(
        posts(tmp_path, door, *(content for content, _ in cases)), cases, strict=True
    ):
        assert (status, answer["status"]) == (expected, 1), content
        assert answer["msg"]
        assert CARD not in str(answer)
    assert door.came == []


def test_a_picture_is_dropped_and_a_long_text_cut(tmp_path: Path) -> None:
    door = Door()
    posts(tmp_path, door, {**POST, "data": {"capture": "Q" * 300_000}, "value": "Q" * 100_000})
    shown = door.came[0][0]
    assert isinstance(shown, Scan)
    assert shown.text == "Q" * LONGEST_TEXT


@pytest.mark.parametrize(
    ("temperature", "tenths"),
    [
        (36.5, 365),
        ("37.3", 373),
        (97.9, None),  # Fahrenheit from a device that was set up as Celsius: no fever
        (365, None),
        ("hot", None),
        (float("nan"), None),
        (1e400, None),
        (True, None),
        ([36.5], None),
        (0, None),
        ("", None),
        (None, None),
    ],
)
def test_a_doubtful_temperature_is_none(
    tmp_path: Path, temperature: object, tenths: int | None
) -> None:
    door = Door()
    posts(tmp_path, door, {**POST, "temperature": temperature})
    measured = door.came[0][1].temperature
    assert (measured.tenths if measured else None) == tenths


def test_a_device_without_a_stated_unit_measures_nothing(tmp_path: Path) -> None:
    door = Door()
    other = {"deviceSN": "SN-2", "token": "another-token-of-22-chars", "temperature": 38.9}
    posts(tmp_path, door, {**POST, **other})
    assert door.came[0][1].temperature is None


def test_a_door_that_does_not_answer_stays_shut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("passlight.gate.vendor.ANSWER_SECONDS", 0.1)

    async def run() -> None:
        door = Door()
        found = server(tmp_path, door)
        async with served(found):
            url = f"http://127.0.0.1:{found.port}{PATH}"
            async with httpx.AsyncClient() as client:
                assert (await client.post(url, json=POST)).json()["status"] == 0
                door.pause.clear()
                answers = await asyncio.gather(*(client.post(url, json=POST) for _ in range(6)))
                assert {answer.status_code for answer in answers} == {503}
                assert {answer.json()["status"] for answer in answers} == {1}
                # 4 wait and run out of time, 2 are turned away at once.
                assert len(door.came) == 1 + 4
                door.pause.set()
                assert (await client.post(url, json=POST)).json()["status"] == 0
        await until(lambda: found._waiting == 0)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("change", "line", "named"),
    [
        (lambda text: text.replace(TOKEN, "short"), 4, "token"),
        (lambda text: text.replace("SN-2", "SN-1"), 9, "serial"),
        (lambda text: text.replace('"C"', '"K"'), 5, "temperature_unit"),
        (lambda text: text + "faces = true\n", 11, "faces"),
    ],
)
def test_a_wrong_field_is_named(
    tmp_path: Path, change: Callable[[str], str], line: int, named: str
) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(change(FILE))
    with pytest.raises(ProblemError) as caught:
        read_vendor(read_toml(path).tables["vendor"])
    problem = caught.value.problems[0]
    assert problem.line == line
    assert named in (problem.field or "")
    assert TOKEN not in str(caught.value)


def test_a_copy_opens_no_second_time_and_a_lost_answer_is_given_again(tmp_path: Path) -> None:
    """A door that says of all after the first that they are the same, as the engine does for 8 s."""

    class Same(Door):
        async def answer(self, shown: Scan | ShownDocument, seen: Observations) -> Decision:
            says = await super().answer(shown, seen)
            return replace(says, again=len(self.came) > 1)

    def opened(*times: object) -> tuple[list[int], int]:
        door = Same()
        answers = posts(tmp_path, door, *({**POST, "time": time} for time in times))
        assert {status for status, _ in answers} == {200}
        return [answer["status"] for _, answer in answers], len(door.came)

    assert opened(1_795_392_000, 1_795_392_000) == ([0, 0], 1), "sent again: the same answer"
    assert opened(1_795_392_000, 1_795_392_003) == ([0, 1], 2), "read again: a copy"
    assert opened(1, 2, 1) == ([0, 1, 1], 3), "only the last request can be sent again"
    assert opened(0, 0) == ([0, 1], 2), "without a time nobody can tell"


def test_a_request_sent_again_meanwhile_waits_for_the_first(tmp_path: Path) -> None:
    async def run() -> None:
        door = Door()
        found = server(tmp_path, door)
        transport = httpx.ASGITransport(app=found.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gate") as client:
            door.pause.clear()
            asked = {**POST, "time": 1_795_392_000}
            both = [asyncio.create_task(client.post(PATH, json=asked)) for _ in range(2)]
            await until(lambda: bool(door.came))
            both[0].cancel()  # the device hangs up
            door.pause.set()
            assert (await both[1]).json()["status"] == 0
            assert len(door.came) == 1

    asyncio.run(run())


def test_who_leaves_may_leave_again(tmp_path: Path) -> None:
    says = replace(decision(Outcome.ADMIT), verdict=LEFT, again=True)
    assert posts(tmp_path, Door(says), POST)[0][1]["status"] == 0
