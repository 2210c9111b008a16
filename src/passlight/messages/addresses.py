"""Addresses: what a contact's address looks like on each channel, and its mask."""

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from passlight.core.kernel.masking import mask_phone
from passlight.core.kernel.problem import Problem, ProblemError

CHANNELS: Final = ("wecom", "dingtalk", "feishu", "mail", "sms", "url")
LONGEST: Final = 500
_TOKEN = r"[A-Za-z0-9_-]{16,128}"  # noqa: S105  # a form, not a token
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}")
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")


def read_address(channel: str, typed: str) -> str:
    """Return the address in its canonical form.

    Raises:
        ProblemError: with a code below ``notices.field`` when it cannot be one.
    """
    text = "".join(typed.split())
    if not text or len(text) > LONGEST:
        raise _wrong(channel)
    return _READERS[channel](text)


def mask_address(channel: str, address: str) -> str:
    """Return what may be shown of it: 138****2261, or the end of a token."""
    if channel == "sms":
        return mask_phone(address)
    if channel == "mail":
        name, _, host = address.partition("@")
        return f"{name[:1]}***@{host}"
    if channel == "url":
        return f"{urlsplit(address).scheme}://****"
    return f"****{address[-4:]}"


def apprise_url(channel: str, address: str, *, mail_server: str = "") -> str:
    """Return what Apprise calls the address of a group robot, a mailbox or anything else."""
    if channel == "mail":
        joint = "&" if "?" in mail_server else "?"
        return f"{mail_server}{joint}to={quote(address)}"
    if channel == "url":
        return address
    if channel == "dingtalk":
        token, _, secret = address.partition("/")
        return f"dingtalk://{secret}@{token}" if secret else f"dingtalk://{token}"
    return f"{ {'wecom': 'wecombot', 'feishu': 'feishu'}[channel] }://{address}"


def _token_of(channel: str, *, parameter: str) -> Callable[[str], str]:
    """Return a reader of a robot's token, typed alone or as the whole webhook address."""

    def read(text: str) -> str:
        token = text
        if text.startswith("https://"):
            parts = urlsplit(text)
            named = parse_qs(parts.query).get(parameter, [""])[0] if parameter else ""
            token = named or parts.path.rpartition("/")[2]
        if not re.fullmatch(_TOKEN, token):
            raise _wrong(channel)
        return token

    return read


def _dingtalk(text: str) -> str:
    """Read ``token`` or ``token/SEC…``: a robot whose messages are signed has both."""
    first, _, secret = text.rpartition("/SEC")
    token = _token_of("dingtalk", parameter="access_token")(first or text)
    if first and not re.fullmatch(r"[A-Za-z0-9]{16,128}", secret):
        raise _wrong("dingtalk")
    return f"{token}/SEC{secret}" if first else token


def _mail(text: str) -> str:
    if not _MAIL.fullmatch(text):
        raise _wrong("mail")
    return text


def _sms(text: str) -> str:
    found = _MOBILE.fullmatch(text.replace("-", ""))
    if found is None:
        raise _wrong("sms")
    return found[1]


def _url(text: str) -> str:
    from passlight.messages.channels import is_apprise_url

    if not is_apprise_url(text):
        raise _wrong("url")
    return text


_READERS: Final[Mapping[str, Callable[[str], str]]] = {
    "wecom": _token_of("wecom", parameter="key"),
    "dingtalk": _dingtalk,
    "feishu": _token_of("feishu", parameter=""),
    "mail": _mail,
    "sms": _sms,
    "url": _url,
}


def _wrong(channel: str) -> ProblemError:
    return ProblemError(
        Problem(
            code=f"notices.field.address_{channel}",
            message=f"This is no address for {channel}.",
            remedy="Copy it again from where it was made.",
            field="address",
        )
    )
