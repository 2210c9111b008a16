"""``messages.toml`` beside the keys: which SMS service, which mail server, which templates.

::

    sms = "aliyun"                     # or "tencent"

    [mail]
    url = "mailtos://user:password@smtp.example.cn?from=passlight@example.cn"

    [aliyun]
    key_id = "…"
    key_secret = "…"
    sign_name = "…"
    [aliyun.templates]
    "messages.step_late" = "SMS_0000000"

    [tencent]
    secret_id = "…"
    secret_key = "…"
    app_id = "…"
    sign_name = "…"
    region = "ap-nanjing"              # optional; so is endpoint, for both services
    [tencent.templates]
    "messages.step_late" = "0000000"

A service's template is the Chinese text of the message; Aliyun's parameters go by name,
Tencent's in the order in which they stand in it. Without the file there is the bell, and the
group robots and addresses of contacts.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from passlight.core.kernel.problem import Problem, ProblemError
from passlight.runtime.catalogue import catalogue

FILE: Final = "messages.toml"
SERVICES: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    # section: (needed, optional)
    "aliyun": (frozenset({"key_id", "key_secret", "sign_name"}), frozenset({"endpoint"})),
    "tencent": (
        frozenset({"secret_id", "secret_key", "app_id", "sign_name"}),
        frozenset({"endpoint", "region"}),
    ),
    "mail": (frozenset({"url"}), frozenset()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesConfig:
    """What ``messages.toml`` says, checked; nothing of it is ever printed."""

    sms: str = ""
    services: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    templates: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_config(folder: Path) -> MessagesConfig:
    """Return what the file in ``folder`` says; nothing when there is none.

    Raises:
        ProblemError: naming the section or field that is wrong.
    """
    path = folder / FILE
    try:
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return MessagesConfig()
    try:
        document = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise _wrong("", f"This is not TOML: {error}.") from None
    unknown = sorted(set(document) - {"sms", *SERVICES})
    if unknown:
        raise _wrong(unknown[0], "There is no such section.")
    services = {name: _section(name, document[name]) for name in SERVICES if name in document}
    sms = document.get("sms", "")
    if sms and (sms not in services or sms == "mail"):
        raise _wrong("sms", 'Write "aliyun" or "tencent", and its section.')
    templates = {name: _templates(name, document[name]) for name in services}
    return MessagesConfig(sms=sms, services=services, templates=templates)


def _section(name: str, given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise _wrong(name, "This is a section, in square brackets.")
    needed, optional = SERVICES[name]
    fields = {key: value for key, value in given.items() if key != "templates"}
    for key in sorted(needed - set(fields)):
        raise _wrong(f"{name}.{key}", "The field is missing.")
    for key, value in fields.items():
        if key not in needed | optional:
            raise _wrong(f"{name}.{key}", "There is no such field.")
        if not isinstance(value, str) or not value:
            raise _wrong(f"{name}.{key}", "Write a text in quotation marks.")
    return fields


def _templates(name: str, given: Mapping[str, Any]) -> dict[str, str]:
    templates = given.get("templates", {})
    if not isinstance(templates, dict):
        raise _wrong(f"{name}.templates", "This is a section, in square brackets.")
    for code, number in templates.items():
        if code not in catalogue() or not code.startswith("messages."):
            raise _wrong(f"{name}.templates", f"There is no message {code}.")
        if not isinstance(number, str) or not number:
            raise _wrong(f"{name}.templates", "Write the template's number in quotation marks.")
    return templates


def _wrong(where: str, why: str) -> ProblemError:
    return ProblemError(
        Problem(code="messages.config", message=why, file=FILE, field=where or None)
    )
