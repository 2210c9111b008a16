"""The steward's pages: the account as an equation, masked rows, release and upload."""

import html
import json
import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from passlight.office.accounts.models import Role, User
from passlight.office.facts.models import FactVersion
from passlight.office.feeds.models import Batch, BatchState
from passlight.office.feeds.uploads import kept_file, land_kept, receive_upload
from passlight.runtime.clock import SystemClock, SystemEntropy
from tests.agencies.files import fact, jsonl, snapshot
from tests.feeds.conftest import Deliver

Sessions = Callable[[Role], Client]


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return html.unescape(answer.content.decode())


def test_the_first_page_says_what_will_appear(sessions: Sessions) -> None:
    page = text_of(sessions(Role.STEWARD), "/feeds/")
    assert "还没有收到文件" in page
    assert "No file has come yet" in text_of(sessions(Role.AUDITOR), "/feeds/?lang=en")


def test_a_batch_shows_its_equation_and_no_identity(
    sessions: Sessions, deliver: Deliver, tmp_path: Path
) -> None:
    number = "110105194912310021"  # wrong check digit (GB 11643's own example ends in X)
    rows = [fact(n) for n in range(1234)]
    wrong = fact(9999, subject={"type": "resident-id", "number": number})
    batch = deliver("jsonl", jsonl(tmp_path / "facts.jsonl", *rows, rows[0], wrong))
    steward = sessions(Role.STEWARD)
    for address in (f"/feeds/{batch.pk}/", f"/feeds/{batch.pk}/?lang=en"):
        page = text_of(steward, address)
        for figure in ("1,236", "1,234"):
            assert f'<div class="n">{figure}</div>' in page
        assert number not in page
        assert "p-0001" not in page
    assert "The account balances" in page
    assert "facts.jsonl" in text_of(steward, "/feeds/?lang=zh")


def test_every_state_has_a_page(sessions: Sessions, deliver: Deliver, tmp_path: Path) -> None:
    batch = deliver("jsonl", jsonl(tmp_path / "facts.jsonl", fact(1)))
    steward = sessions(Role.STEWARD)
    for state in BatchState:
        Batch.objects.filter(pk=batch.pk).update(state=state, reason="feeds.file-empty")
        for language in ("zh", "en"):
            text_of(steward, f"/feeds/{batch.pk}/?lang={language}")
            text_of(steward, f"/feeds/?state=open&lang={language}")


def test_a_held_list_is_released_by_the_steward_alone(
    sessions: Sessions, deliver: Deliver, tmp_path: Path
) -> None:
    names = [f"{n}号楼" for n in range(10)]
    deliver("risk-areas", snapshot(tmp_path / "a.json", "2022-06-01 17时", medium=names))
    held = deliver("risk-areas", snapshot(tmp_path / "b.json", "2022-06-02 17时", medium=names[:2]))
    address = f"/feeds/{held.pk}/"
    auditor = sessions(Role.AUDITOR)
    assert "放行这份名单" not in text_of(auditor, address)
    assert auditor.post(f"{address}release/").status_code == 403
    steward = sessions(Role.STEWARD)
    page = text_of(steward, address)
    assert "10个地点中有8个一次消失，超过50%的上限" in page
    assert "放行，让2行生效" in page
    assert steward.get(f"{address}release/").status_code == 405
    assert not FactVersion.objects.filter(kind="area.delisted").exists()
    assert steward.post(f"{address}release/").status_code == 302
    assert FactVersion.objects.filter(kind="area.delisted").count() == 8
    assert "由数据专员放行" in text_of(steward, address)


@pytest.mark.parametrize("role", [Role.CHECKER, Role.RESIDENT, Role.DISTRICT_OFFICE])
def test_others_see_no_feeds(sessions: Sessions, role: Role) -> None:
    client = sessions(role)
    for address in ("/feeds/", "/feeds/upload/", "/feeds/1/"):
        assert client.get(address).status_code == 403


def test_an_upload_says_what_is_missing(sessions: Sessions) -> None:
    steward = sessions(Role.STEWARD)
    assert steward.get("/feeds/upload/?agency=kcdc").status_code == 200
    answer = steward.post("/feeds/upload/", {"agency": "csv"})
    assert answer.status_code == 422
    assert "CSV要附上对应关系文件" in html.unescape(answer.content.decode())
    mapping = SimpleUploadedFile("m.yaml", b"feed: x\ncolour: red\n")
    file = SimpleUploadedFile("a.csv", b"a,b\n1,2\n")
    answer = steward.post("/feeds/upload/", {"agency": "csv", "file": file, "mapping": mapping})
    assert answer.status_code == 422
    empty = SimpleUploadedFile("a.jsonl", b"")
    answer = steward.post("/feeds/upload/", {"agency": "jsonl", "file": empty})
    assert answer.status_code == 302
    assert "文件是空的" in text_of(steward, answer["Location"])


@pytest.mark.django_db(transaction=True)
def test_an_upload_lands_beside_the_request(
    transactional_db: None, sessions: Sessions, tmp_path: Path
) -> None:
    content = jsonl(tmp_path / "facts.jsonl", *(fact(n) for n in range(20))).read_bytes()
    steward = sessions(Role.STEWARD)
    answer = steward.post(
        "/feeds/upload/", {"agency": "jsonl", "file": SimpleUploadedFile("f.jsonl", content)}
    )
    assert answer.status_code == 302
    batch = Batch.objects.get()
    deadline = time.monotonic() + 20
    while Batch.objects.get(pk=batch.pk).state == BatchState.LANDING:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    done = Batch.objects.get(pk=batch.pk)
    assert (done.state, done.landed) == (BatchState.COMPLETE, 20)
    assert done.received_by is not None
    while kept_file(done).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
def test_the_example_of_the_page_lands_when_the_number_is_put_in(
    transactional_db: None, sessions: Sessions
) -> None:
    """As the README says: copy the line, put the number in, paste it (number: GB 11643-1999)."""
    steward = sessions(Role.STEWARD)
    (line,) = re.findall(r'<code class="raw">(.*?)</code>', text_of(steward, "/feeds/upload/"))
    assert json.loads(line)["kind"] == "case.confirmed"
    for lines, state in ((line, (0, 1)), (line.replace("NUMBER", "11010519491231002X"), (1, 0))):
        answer = steward.post("/feeds/upload/", {"agency": "jsonl", "lines": lines})
        assert answer.status_code == 302, answer.content.decode()
        assert landed(answer["Location"]) == state
    case = FactVersion.objects.get(kind="case.confirmed")
    assert re.fullmatch("p-[0-9a-f]{32}", case.subject)


def landed(address: str) -> tuple[int, int]:
    """Return how many rows of a batch landed and were put aside, once it is done."""
    deadline = time.monotonic() + 20
    while True:
        batch = Batch.objects.get(pk=int(address.strip("/").rpartition("/")[2]))
        if batch.state != BatchState.LANDING and not kept_file(batch).exists():
            return batch.landed, batch.quarantined
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_lines_are_pasted_for_json_lines_alone(sessions: Sessions) -> None:
    steward = sessions(Role.STEWARD)
    for form in (
        {"agency": "jsonl"},
        {"agency": "kcdc", "lines": "{}"},
        {"agency": "jsonl", "lines": " "},
    ):
        answer = steward.post("/feeds/upload/", form)
        assert answer.status_code == 422
        assert "请选择文件，或在下面粘贴" in html.unescape(answer.content.decode())
    assert not Batch.objects.exists()


def test_an_interrupted_upload_is_resumed(sessions: Sessions, tmp_path: Path) -> None:
    """The file was received and its process died before it landed a row."""
    clock = SystemClock()
    steward = sessions(Role.STEWARD)
    content = jsonl(tmp_path / "facts.jsonl", *(fact(n) for n in range(5))).read_bytes()
    batch = receive_upload(
        SimpleUploadedFile("f.jsonl", content),
        agency="jsonl",
        mapping="",
        as_of=None,
        actor=User.objects.get(username="steward"),
        clock=clock,
        entropy=SystemEntropy(),
    )
    address = f"/feeds/{batch.pk}/"
    assert "继续入库" not in text_of(steward, address)
    Batch.objects.filter(pk=batch.pk).update(touched_at=clock.now() - timedelta(minutes=2))
    assert "继续入库" in text_of(steward, address)
    assert kept_file(batch).exists()
    land_kept(Batch.objects.get(pk=batch.pk), clock=clock)
    assert Batch.objects.get(pk=batch.pk).landed == 5
    assert not kept_file(batch).exists()
