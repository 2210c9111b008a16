"""Both SMS services: their signatures against published vectors, and a server that checks them.

Published vectors: Alibaba Cloud's documentation of the RPC signature (DescribeRegions, and
SendSms of the SMS product), Tencent Cloud's of TC3-HMAC-SHA256 (DescribeInstances). The servers
recompute each signature here, by hashlib and hmac after those documents.
"""

import base64
import hashlib
import hmac
import json
import logging
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote

import httpx
import pytest

from passlight.messages.channels import Channels
from passlight.messages.config import MessagesConfig
from passlight.messages.faults import PermanentError, TemporaryError
from passlight.messages.sms import aliyun, sms, tencent
from passlight.messages.text import message
from passlight.runtime.clock import SystemEntropy

NOW = datetime(2022, 6, 8, 2, 42, 7, tzinfo=UTC)
CODE = "messages.incident_closed"
TOLD = message(CODE, {"hall": "清河街道中心", "number": "0608-03"}, "zh")
PHONE = "13812342261"
SECRET = "shh-0123456789"


class Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


def test_aliyun_signs_as_published() -> None:
    regions = {
        "Timestamp": "2016-02-23T12:46:24Z",
        "Format": "XML",
        "AccessKeyId": "testid",
        "Action": "DescribeRegions",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
        "Version": "2014-05-26",
        "SignatureVersion": "1.0",
    }
    assert aliyun.signature("GET", regions, "testsecret") == "OLeaidS1JvxuMvnyHOwuJ+uX5qY="
    send = {
        "AccessKeyId": "testId",
        "Action": "SendSms",
        "Format": "XML",
        "OutId": "123",
        "PhoneNumbers": "15300000001",
        "RegionId": "cn-hangzhou",
        "SignName": "阿里云短信测试专用",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "45e25e9b-0a6f-4070-8c85-2956eda1b466",
        "SignatureVersion": "1.0",
        "TemplateCode": "SMS_71390007",
        "TemplateParam": '{"customer":"test"}',
        "Timestamp": "2017-07-12T02:42:19Z",
        "Version": "2017-05-25",
    }
    assert aliyun.signature("GET", send, "testSecret") == "zJDF+Lrzhj/ThnlvIToysFRq6t4="


def test_tencent_signs_as_published() -> None:
    header = tencent.authorization(
        {"Content-Type": "application/json; charset=utf-8", "Host": "cvm.tencentcloudapi.com"},
        b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}',
        at=datetime.fromtimestamp(1551113065, UTC),
        service="cvm",
        secret_id="AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        secret="Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
    )
    assert header == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request"
        ", SignedHeaders=content-type;host"
        ", Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    )


class Service:
    """A server that takes a message only when its signature is right."""

    def __init__(self) -> None:
        self.answer: tuple[int, bytes] | None = None
        self.taken: list[dict[str, object]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                check = service.tencent if "X-TC-Action" in self.headers else service.aliyun
                status, reply = service.answer or (200, check(dict(self.headers), body))
                self.send_response(status)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()

    def aliyun(self, headers: dict[str, str], body: bytes) -> bytes:
        given = dict(parse_qsl(body.decode(), strict_parsing=True))
        mark = given.pop("Signature")
        pairs = sorted((quote(k, safe="~"), quote(v, safe="~")) for k, v in given.items())
        query = "&".join(f"{k}={v}" for k, v in pairs)
        said = "POST&" + quote("/", safe="") + "&" + quote(query, safe="~")
        right = hmac.new((SECRET + "&").encode(), said.encode(), hashlib.sha1).digest()
        if not hmac.compare_digest(base64.b64encode(right).decode(), mark):
            return json.dumps({"Code": "SignatureDoesNotMatch"}).encode()
        self.taken.append(given)
        return json.dumps({"Code": "OK", "BizId": "1"}).encode()

    def tencent(self, headers: dict[str, str], body: bytes) -> bytes:
        stamp = headers["X-TC-Timestamp"]
        day = datetime.fromtimestamp(int(stamp), UTC).strftime("%Y-%m-%d")
        canonical = "\n".join(
            [
                *("POST", "/", ""),
                f"content-type:{headers['Content-Type'].lower()}",
                f"host:{headers['Host'].lower()}",
                f"x-tc-action:{headers['X-TC-Action'].lower()}",
                *("", "content-type;host;x-tc-action", hashlib.sha256(body).hexdigest()),
            ]
        )
        said = "\n".join(
            [
                *("TC3-HMAC-SHA256", stamp, f"{day}/sms/tc3_request"),
                hashlib.sha256(canonical.encode()).hexdigest(),
            ]
        )
        key = ("TC3" + SECRET).encode()
        for part in (day, "sms", "tc3_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        right = hmac.new(key, said.encode(), hashlib.sha256).hexdigest()
        if not headers["Authorization"].endswith(f"Signature={right}"):
            error = {"Code": "AuthFailure.SignatureFailure", "Message": "…"}
            return json.dumps({"Response": {"Error": error}}).encode()
        self.taken.append(json.loads(body))
        return json.dumps({"Response": {"SendStatusSet": [{"Code": "Ok"}]}}).encode()


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.server.shutdown()
    made.server.server_close()


def channels(kind: str, url: str, secret: str = SECRET, code: str = CODE) -> Channels:
    account = {
        "aliyun": {"key_id": "id", "key_secret": secret, "sign_name": "随行码", "endpoint": url},
        "tencent": {
            "secret_id": "id",
            "secret_key": secret,
            "app_id": "14",
            "sign_name": "随行码",
            "endpoint": url,
        },
    }[kind]
    config = MessagesConfig(sms=kind, services={kind: account}, templates={kind: {code: "T-1"}})
    return Channels.of(config, clock=Clock(), entropy=SystemEntropy())


def test_aliyun_sends_what_was_approved(service: Service) -> None:
    channels("aliyun", service.url).send("sms", PHONE, TOLD)
    (taken,) = service.taken
    assert taken["PhoneNumbers"] == PHONE
    assert taken["TemplateCode"] == "T-1"
    assert taken["SignName"] == "随行码"
    assert taken["Timestamp"] == "2022-06-08T02:42:07Z"
    assert json.loads(str(taken["TemplateParam"])) == {
        "hall": "清河街道中心",
        "number": "0608-03",
    }


def test_tencent_sends_what_was_approved(service: Service) -> None:
    channels("tencent", service.url).send("sms", PHONE, TOLD)
    (taken,) = service.taken
    assert taken == {
        "PhoneNumberSet": [f"+86{PHONE}"],
        "SmsSdkAppId": "14",
        "SignName": "随行码",
        "TemplateId": "T-1",
        "TemplateParamSet": ["清河街道中心", "0608-03"],
    }


@pytest.mark.parametrize("kind", ["aliyun", "tencent"])
def test_a_wrong_secret_is_refused_by_the_server(kind: str, service: Service) -> None:
    with pytest.raises(PermanentError, match="refused"):
        channels(kind, service.url, secret="other").send("sms", PHONE, TOLD)
    assert service.taken == []


def test_a_message_without_an_approved_text_is_not_sent(service: Service) -> None:
    with pytest.raises(PermanentError, match="no-template"):
        channels("aliyun", service.url, code="messages.test").send("sms", PHONE, TOLD)


ALI, TEN = "aliyun", "tencent"
ANSWERS = [
    (ALI, 200, {"Code": "isv.BUSINESS_LIMIT_CONTROL"}, TemporaryError, "busy"),
    (ALI, 200, {"Code": "isp.SYSTEM_ERROR"}, TemporaryError, "busy"),
    (ALI, 400, {"Code": "Throttling.User"}, TemporaryError, "busy"),
    (ALI, 503, {}, TemporaryError, "busy"),
    (ALI, 429, {}, TemporaryError, "busy"),
    (ALI, 200, {"Code": "isv.MOBILE_NUMBER_ILLEGAL"}, PermanentError, "address"),
    (ALI, 404, {"Code": "InvalidAccessKeyId.NotFound"}, PermanentError, "refused"),
    (ALI, 200, [1], PermanentError, "refused"),
    (TEN, 200, {"Response": {"Error": {"Code": "InternalError"}}}, TemporaryError, "busy"),
    (TEN, 200, {"Response": {"Error": {"Code": "RequestLimitExceeded"}}}, TemporaryError, "busy"),
    (
        *(TEN, 200),
        {"Response": {"SendStatusSet": [{"Code": "LimitExceeded.PhoneNumberDailyLimit"}]}},
        *(TemporaryError, "busy"),
    ),
    (
        *(TEN, 200),
        {"Response": {"SendStatusSet": [{"Code": "InvalidParameterValue.IncorrectPhoneNumber"}]}},
        *(PermanentError, "address"),
    ),
    (TEN, 200, {"Response": {"SendStatusSet": []}}, PermanentError, "refused"),
    (TEN, 200, {}, PermanentError, "refused"),
]


@pytest.mark.parametrize(("kind", "status", "answer", "error", "fault"), ANSWERS)
def test_what_the_service_answers(kind, status, answer, error, fault, service: Service) -> None:
    service.answer = (status, json.dumps(answer).encode())
    with pytest.raises(error) as raised:
        channels(kind, service.url).send("sms", PHONE, TOLD)
    assert raised.value.fault == fault


def test_an_answer_that_is_no_json_is_no_receipt(service: Service) -> None:
    service.answer = (200, b"<html>captive portal</html>")
    with pytest.raises(PermanentError, match="refused"):
        channels(ALI, service.url).send("sms", PHONE, TOLD)


def test_no_answer_and_no_server(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sms, "TIMEOUT", httpx.Timeout(0.2))
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        with pytest.raises(TemporaryError, match="timeout"):
            channels(ALI, url).send("sms", PHONE, TOLD)
    with pytest.raises(TemporaryError, match="unreachable"):
        channels(ALI, url).send("sms", PHONE, TOLD)


@pytest.mark.parametrize("kind", [ALI, TEN])
def test_no_log_holds_a_secret_a_number_or_the_text(
    kind: str, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.DEBUG)
    logging.getLogger("control").debug("control")
    sender = channels(kind, service.url)
    sender.send("sms", PHONE, TOLD)
    service.answer = (200, b"{}")
    sender.send("url", f"json://user:{SECRET}@{service.url.removeprefix('http://')}", TOLD)
    logged = caplog.text + repr(sender)
    assert "control" in logged
    for secret in (SECRET, PHONE, "0608-03"):
        assert secret not in logged
