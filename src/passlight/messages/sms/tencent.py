"""Tencent Cloud SMS: API 2021-01-11, action SendSms, signature TC3-HMAC-SHA256.

After Tencent Cloud, "Signature v3"; content type, host and action are signed.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from passlight.core.kernel.clock import Clock
from passlight.messages.faults import PermanentError, TemporaryError
from passlight.messages.sms.sms import Templates, post
from passlight.messages.text import Message

ENDPOINT: Final = "https://sms.tencentcloudapi.com/"
SERVICE: Final = "sms"
ALGORITHM: Final = "TC3-HMAC-SHA256"
CONTENT_TYPE: Final = "application/json; charset=utf-8"
_TEMPORARY = ("InternalError", "RequestLimitExceeded", "LimitExceeded", "ResourceUnavailable")
_ADDRESS = ("InvalidParameterValue.IncorrectPhoneNumber", "FailedOperation.PhoneNumberInBlacklist")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tencent:
    """An account at Tencent Cloud, with the templates approved there."""

    secret_id: str
    secret_key: str = field(repr=False)
    app_id: str
    sign_name: str
    templates: Templates
    clock: Clock
    region: str = "ap-nanjing"
    endpoint: str = ENDPOINT

    def send(self, phone: str, message: Message) -> None:
        """Send ``message`` to one mobile number.

        Raises:
            TemporaryError: when it may go later.
            PermanentError: when it never will.
        """
        body = json.dumps(
            {
                "PhoneNumberSet": [f"+86{phone}"],
                "SmsSdkAppId": self.app_id,
                "SignName": self.sign_name,
                "TemplateId": self.templates.number_of(message),
                "TemplateParamSet": [value for _, value in message.values],
            },
            ensure_ascii=False,
        ).encode()
        at = self.clock.now()
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Host": urlsplit(self.endpoint).netloc,
            "X-TC-Action": "SendSms",
            "X-TC-Version": "2021-01-11",
            "X-TC-Region": self.region,
            "X-TC-Timestamp": str(int(at.timestamp())),
        }
        signed = {name: headers[name] for name in ("Content-Type", "Host", "X-TC-Action")}
        headers["Authorization"] = authorization(
            signed, body, at=at, service=SERVICE, secret_id=self.secret_id, secret=self.secret_key
        )
        _read(post(self.endpoint, body=body, headers=headers))


def authorization(
    signed: dict[str, str], body: bytes, *, at: datetime, service: str, secret_id: str, secret: str
) -> str:
    """Return the header Authorization of a POST to ``/`` with these headers signed."""
    lines = {name.lower(): value.strip().lower() for name, value in signed.items()}
    names = ";".join(sorted(lines))
    heads = "".join(f"{name}:{lines[name]}\n" for name in sorted(lines))
    request = f"POST\n/\n\n{heads}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    day = at.astimezone(UTC).strftime("%Y-%m-%d")
    scope = f"{day}/{service}/tc3_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{int(at.timestamp())}\n{scope}\n{digest}"
    key = f"TC3{secret}".encode()
    for part in (day, service, "tc3_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    mark = hmac.digest(key, to_sign.encode(), hashlib.sha256).hex()
    return f"{ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={names}, Signature={mark}"


def _read(answer: dict[str, Any]) -> None:
    response = answer.get("Response")
    if not isinstance(response, dict):
        raise PermanentError("refused")
    fault = response.get("Error")
    states = response.get("SendStatusSet")
    if isinstance(fault, dict):
        code = str(fault.get("Code", ""))
    elif isinstance(states, list) and states and isinstance(states[0], dict):
        code = str(states[0].get("Code", ""))
    else:
        raise PermanentError("refused")
    if code == "Ok":
        return
    if code.startswith(_TEMPORARY):
        raise TemporaryError("busy")
    raise PermanentError("address" if code.startswith(_ADDRESS) else "refused")
