"""What both SMS services share: the templates they approved, the call, and its faults.

A service sends only texts that it approved: the office registers the Chinese text of each
message there, and writes the service's number of it into ``messages.toml``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from passlight.messages.faults import PermanentError, TemporaryError
from passlight.messages.text import Message

TIMEOUT: Final = httpx.Timeout(8.0, connect=4.0)
ANSWER_MAX_BYTES: Final = 64 * 1024
SERVER_ERROR, TOO_MANY = 500, 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """message code → the service's number of the approved template."""

    numbers: Mapping[str, str]

    def number_of(self, message: Message) -> str:
        """Return the template's number.

        Raises:
            PermanentError: when none is registered.
        """
        number = self.numbers.get(message.code)
        if number is None:
            raise PermanentError("no-template")
        return number


def post(url: str, *, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the service's answer, a JSON object.

    Raises:
        TemporaryError: for no answer in time, no connection, or a service in trouble.
        PermanentError: for an answer that is none.
    """
    try:
        with httpx.Client(timeout=TIMEOUT, follow_redirects=False) as client:
            reply = client.post(url, content=body, headers=dict(headers))
    except httpx.TimeoutException:
        raise TemporaryError("timeout") from None
    except httpx.HTTPError:
        raise TemporaryError("unreachable") from None
    if reply.status_code >= SERVER_ERROR or reply.status_code == TOO_MANY:
        raise TemporaryError("busy")
    try:
        answer = reply.json() if len(reply.content) <= ANSWER_MAX_BYTES else None
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise PermanentError("refused")
    return answer
