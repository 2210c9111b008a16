"""A resident's phone in Python, speaking as the browser does.

It has an ES256 key of its own, logs in at the office once, gets a grant for its key and shows it
to the gateway with a fresh proof at every request (RFC 9449). Tests and the demonstration's
walkers use it; it goes through the same doors as everybody.
"""

from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from passlight.core.codes.layout import HOT_LIFETIME
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.runtime.device_key import DeviceKey
from passlight.simulation.phone_code import HeldCode, draft, take_answer

TIMEOUT_SECONDS = 10.0
COLD_QUARTERS = 8  # a code for two hours without a network
CODE_LEFT_SECONDS = 90  # a code with less than this to live is replaced


class RefusedError(Exception):
    """The office or the gateway said no: the status, its error code and its answer."""

    def __init__(self, status: int, error: str, answer: dict[str, Any]) -> None:
        super().__init__(f"{status} {error}")
        self.status = status
        self.error = error
        self.answer = answer


class Phone:
    """A resident's phone: its key, its session at the office, its grant for the gateway."""

    def __init__(self, url: str, *, clock: Clock, entropy: Entropy) -> None:
        self.url = url.rstrip("/")
        self.key = DeviceKey.make(entropy)
        self.grant = ""
        self.hot: HeldCode | None = None
        self.cold: HeldCode | None = None
        self._offset = 0.0
        self._clock = clock
        self._entropy = entropy
        self._http = httpx.Client(
            base_url=self.url, timeout=TIMEOUT_SECONDS, follow_redirects=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def log_in(self, username: str, password: str) -> None:
        """Log in at the office with the login form, and get a grant for this device.

        Raises:
            RefusedError: when the office does not let this user in.
        """
        self._http.get("/login/").raise_for_status()
        form = {"username": username, "password": password, **self._form_token()}
        answer = self._http.post("/login/", data=form, headers=self._same_origin())
        if answer.status_code != httpx.codes.FOUND:
            raise RefusedError(answer.status_code, "login-refused", {})
        self.renew_grant()

    def renew_grant(self) -> None:
        """Get a new grant in the open session.

        Raises:
            RefusedError: when the session is over.
        """
        answer = self.office("/me/grant/", {"jwk": self.key.jwk})
        self.grant = str(answer["grant"])

    def office(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the office's answer to a JSON request of this session.

        Raises:
            RefusedError: when it is not a success.
        """
        token = self._form_token().get("csrfmiddlewaretoken", "")
        headers = {"X-CSRFToken": token, **self._same_origin()}
        return _json(self._http.post(path, json=body, headers=headers))

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the gateway's answer, asked with the grant and a fresh proof.

        Raises:
            RefusedError: when it is not a success.
            httpx.TransportError: when there is no answer.
        """
        proof = self.key.proof(
            method=method,
            url=f"{self.url}{path}",
            grant=self.grant,
            now=self._clock.now().timestamp(),
            jti=self._entropy.token(16).hex(),
        )
        headers = {"Authorization": f"DPoP {self.grant}", "DPoP": proof}
        return _json(self._http.request(method, path, json=body, headers=headers))

    def now(self) -> float:
        """Return the server's time as this phone knows it."""
        return self._clock.now().timestamp() + self._offset

    def fetch_code(self, *, lifetime: int = HOT_LIFETIME) -> HeldCode:
        """Make a chain and get it signed; a wrong clock costs one more round trip (PL1 3.2).

        Raises:
            RefusedError: when no code is made, for example for an unknown status.
        """
        try:
            return self._fetch(lifetime)
        except RefusedError as refused:
            if refused.error != "start-range":
                raise
            self._set_clock(refused.answer)
            return self._fetch(lifetime)

    def refresh(self) -> None:
        """Fetch what is over soon: the code for now, and one for when there is no network.

        Raises:
            RefusedError: when no code is made, for example for an unknown status.
            httpx.TransportError: when there is no answer.
        """
        soon = self.now() + CODE_LEFT_SECONDS
        if self.cold is None or soon > self.cold.ends_at:
            self.fetch_code(lifetime=COLD_QUARTERS)
        if self.hot is None or soon > self.hot.ends_at:
            self.fetch_code()

    def show(self) -> str:
        """Return what the QR holds at this moment.

        Raises:
            ValueError: when there is no code that is good now.
        """
        now = self.now()
        for held in (self.hot, self.cold):
            if held is not None and now < held.ends_at:
                return held.show(now)
        raise ValueError("This phone holds no code that is good now; fetch one.")

    def status(self) -> dict[str, Any]:
        """Return the resident's own status."""
        return self.call("GET", "/v1/me")

    def check_in(self, venue_token: str, *, key: str | None = None) -> dict[str, Any]:
        """Check in at the venue of a scanned venue code."""
        body = {"key": key or self._key_of_act(), "venue_token": venue_token}
        return self.call("POST", "/v1/checkins", body)

    def _fetch(self, lifetime: int) -> HeldCode:
        drafted = draft(now=self.now(), entropy=self._entropy, lifetime=lifetime)
        answer = self.call("POST", "/v1/codes", {"requests": [drafted.request]})
        self._set_clock(answer)
        held = take_answer(drafted, answer["codes"][0]["body"])
        if lifetime == HOT_LIFETIME:
            self.hot = held
        else:
            self.cold = held
        return held

    def _set_clock(self, answer: dict[str, Any]) -> None:
        self._offset = answer["now_ms"] / 1000 - self._clock.now().timestamp()

    def _key_of_act(self) -> str:
        return str(UUID(bytes=self._entropy.token(16), version=4))

    def _form_token(self) -> dict[str, str]:
        token = self._http.cookies.get("csrftoken")
        return {"csrfmiddlewaretoken": token} if token else {}

    def _same_origin(self) -> dict[str, str]:
        parts = urlsplit(self.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        return {"Origin": origin, "Referer": f"{origin}/"}


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = {}
    if not isinstance(found, dict):
        found = {}
    if not answer.is_success:
        raise RefusedError(answer.status_code, str(found.get("error", "no-answer")), found)
    return found
