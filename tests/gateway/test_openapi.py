"""The API file is what the routes say, and what is answered is what the file says."""

import json
import uuid
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from passlight.gateway.openapi import main, text
from tests.gateway.conftest import Running
from tests.gateway.office import Office

FILE = Path(__file__).parents[2] / "api" / "openapi.json"


def test_the_file_is_unchanged() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), (
        "run: python -m passlight.gateway.openapi api/openapi.json"
    )


def test_the_check_sees_another_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "openapi.json"
    assert main([str(file)]) == 0
    assert main(["--check", str(file)]) == 0
    changed = file.read_text(encoding="utf-8") + " "
    file.write_text(changed, encoding="utf-8")
    assert main(["--check", str(file)]) == 1
    assert "is not what the routes say" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == changed


def check(response: httpx.Response, method: str, path: str) -> Any:
    """Validate a real answer with an independent validator (jsonschema)."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    answers = document["paths"][path][method]["responses"]
    answer = answers.get(str(response.status_code)) or answers["default"]
    schema = answer["content"]["application/json"]["schema"]
    whole = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator(whole).validate(response.json())
    return response.json()


def test_real_answers_match(office: Office, gateway: Running) -> None:
    office.add_reason("demo@1/confirmed/0", "red")
    soon = int(gateway.clock.now().timestamp()) + 90_000
    office.publish(7, (None, "red", "demo@1/confirmed/0"), (soon, "green", None))
    venue = office.add_venue()
    gateway.knows(office)
    phone, checker, client = office.resident(7), office.checker(venue), gateway.client
    for path in ("/v1/healthz", "/v1/time", "/v1/trust"):
        check(client.get(path), "get", path)
    check(phone.get(client, "/v1/me"), "get", "/v1/me")
    hot = phone.draft()
    said = check(phone.ask(client, hot, phone.draft(lifetime=104)), "post", "/v1/codes")
    assert len(said["codes"]) + len(said["refused"]) == 2
    check(phone.ask(client, phone.draft(start=5)), "post", "/v1/codes")
    scan = {"venue": venue, "entrance": "east", "interaction": str(uuid.uuid4())}
    for text_ in (hot.text(gateway.clock.now()), "hello"):
        body = {**scan, "text": text_}
        check(checker.post(client, "/v1/verifications", body), "post", "/v1/verifications")
    body = {"key": str(uuid.uuid4()), "venue_token": office.venue_token(venue)}
    check(phone.post(client, "/v1/checkins", body), "post", "/v1/checkins")
    check(phone.post(client, "/v1/checkins", {**body, "venue_token": ""}), "post", "/v1/checkins")
    record = {
        "key": str(uuid.uuid4()),
        "kind": "admit",
        "venue": venue,
        "entrance": "east",
        "occurred_at": gateway.clock.now().isoformat(),
        "answer": "red",
        "reason": "r",
    }
    check(checker.post(client, "/v1/records", {"records": [record]}), "post", "/v1/records")
    other = {**record, "answer": "green"}
    conflict = checker.post(client, "/v1/records", {"records": [other]})
    assert conflict.status_code == 409
    check(conflict, "post", "/v1/records")


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/v1/nothing", 404, "not-found"),
        ("DELETE", "/v1/me", 405, "wrong-method"),
        ("GET", "/v1/me", 401, "no-grant"),
        ("POST", "/v1/verifications", 401, "no-grant"),
    ],
)
def test_errors_have_one_shape(
    gateway: Running, method: str, path: str, status: int, error: str
) -> None:
    answer = gateway.client.request(method, path)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) == {"error", "message", "now_ms"}
    assert set(answer.json()["message"]) == {"zh", "en"}
