"""Aliyun SMS: dysmsapi 2017-05-25, action SendSms, in RPC style.

Signature version 1.0, method HMAC-SHA1 (Alibaba Cloud, "RPC API: request signature"); the
parameters go in a POST form, so that nothing of them stands in anybody's access log.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.messages.faults import PermanentError, TemporaryError
from passlight.messages.sms.sms import Templates, post
from passlight.messages.text import Message

ENDPOINT: Final = "https://dysmsapi.aliyuncs.com/"
_TEMPORARY = ("isp.", "Throttling", "ServiceUnavailable", "InternalError", "SignatureNonceUsed")
_BUSY = frozenset({"isv.BUSINESS_LIMIT_CONTROL"})
_ADDRESS = frozenset({"isv.MOBILE_NUMBER_ILLEGAL", "isv.MOBILE_COUNT_OVER_LIMIT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Aliyun:
    """An account at Aliyun, with the templates approved there."""

    key_id: str
    key_secret: str = field(repr=False)
    sign_name: str
    templates: Templates
    clock: Clock
    entropy: Entropy
    endpoint: str = ENDPOINT

    def send(self, phone: str, message: Message) -> None:
        """Send ``message`` to one mobile number.

        Raises:
            TemporaryError: when it may go later.
            PermanentError: when it never will.
        """
        parameters = {
            "Action": "SendSms",
            "Version": "2017-05-25",
            "RegionId": "cn-hangzhou",
            "Format": "JSON",
            "AccessKeyId": self.key_id,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": self.entropy.token(16).hex(),
            "Timestamp": self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "PhoneNumbers": phone,
            "SignName": self.sign_name,
            "TemplateCode": self.templates.number_of(message),
            "TemplateParam": json.dumps(dict(message.values), ensure_ascii=False),
        }
        parameters["Signature"] = signature("POST", parameters, self.key_secret)
        answer = post(
            self.endpoint,
            body=canonical(parameters).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        _read(str(answer.get("Code", "")))


def signature(method: str, parameters: Mapping[str, str], secret: str) -> str:
    """Return HMAC-SHA1 over METHOD&%2F&(the canonical parameters, encoded once more)."""
    signed = f"{method}&%2F&{_encode(canonical(parameters))}"
    digest = hmac.digest(f"{secret}&".encode(), signed.encode(), hashlib.sha1)
    return base64.b64encode(digest).decode()


def canonical(parameters: Mapping[str, str]) -> str:
    """Return the parameters sorted by name and encoded after RFC 3986."""
    return "&".join(f"{_encode(name)}={_encode(parameters[name])}" for name in sorted(parameters))


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")


def _read(code: str) -> None:
    if code == "OK":
        return
    if code in _BUSY or code.startswith(_TEMPORARY):
        raise TemporaryError("busy")
    raise PermanentError("address" if code in _ADDRESS else "refused")
