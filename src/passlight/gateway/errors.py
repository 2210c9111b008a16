"""Refusals: every error body is ``{"error", "message": {zh, en}, "now_ms"}``, never a colour."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from passlight.runtime.catalogue import both


class RefusedError(Exception):
    """A request that is answered with an error; ``code`` is a message ``gateway.error-<code>``."""

    def __init__(
        self,
        status: int,
        code: str,
        *,
        retry_after: int | None = None,
        more: Mapping[str, Any] | None = None,
        **parameters: object,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.more = dict(more or {})
        self.parameters = parameters

    def body(self, now: datetime) -> dict[str, Any]:
        """Return the answer's body."""
        return {
            "error": self.code,
            "message": both(f"gateway.error-{self.code}", **self.parameters),
            "now_ms": milliseconds(now),
            **self.more,
        }


def milliseconds(at: datetime) -> int:
    """Return POSIX milliseconds."""
    return int(at.timestamp() * 1000)
