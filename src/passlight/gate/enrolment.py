"""Enrolment: a one-time token, a key made here, and a second person who compares six digits.

The token travels in a picture on a screen and may be photographed; the fingerprint may not be
copied, because it is computed on both sides from the device's own public key.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx

from passlight.core.codes.signing import PUBLIC_KEY_LENGTH
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.gate.client import DoorClient, NoAnswerError, RefusedError
from passlight.gate.state import DoorState, Identity, software
from passlight.runtime.device_key import DeviceKey, fingerprint_of

ASK_SECONDS: Final = 3.0
WAIT_SECONDS: Final = 15 * 60.0
_PENDING = "pending"


async def enrol(
    client: DoorClient,
    *,
    state: DoorState,
    key: DeviceKey,
    token: str,
    roots: tuple[bytes, ...],
    show: Callable[[str], None],
    monotonic: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Identity:
    """Return who this device is, once somebody has confirmed it; nothing is kept before.

    Raises:
        ProblemError: the token is not good, the answer is not to be believed, or nobody
            confirmed the device in time.
    """
    asked = {"token": token, "jwk": key.jwk, "software": software()}
    try:
        begun = await client.post_open("/gates/initialize", asked)
    except RefusedError as refused:
        remedy = "Make a new token on the office's page of gates; each serves once, for 15 minutes."
        raise _problem("enrol-token", f"The office refused ({refused.error}).", remedy) from refused
    except NoAnswerError as error:
        raise _problem(
            "enrol-no-answer", "The server does not answer.", "Check [server] url and the network."
        ) from error
    device, fingerprint = str(begun["device"]), fingerprint_of(key.thumbprint)
    if str(begun["fingerprint"]) != fingerprint:
        remedy = "Somebody may stand between this device and the server; do not confirm it."
        raise _problem("enrol-fingerprint", "The server names another key than ours.", remedy)
    show(fingerprint)
    until = monotonic() + WAIT_SECONDS
    while monotonic() < until:
        grant = await _granted(client, device)
        if grant is not None:
            identity = Identity(
                device=device,
                realm=str(grant["realm"]),
                roots=roots or _roots(grant),
                fingerprint=fingerprint,
            )
            state.enrol(identity)
            state.keep_grant(str(grant["grant"]))
            return identity
        await sleep(ASK_SECONDS)
    raise _problem("enrol-late", "Nobody confirmed this device.", "Begin again with a new token.")


async def _granted(client: DoorClient, device: str) -> dict[str, Any] | None:
    """Return the first grant; None while the device waits to be confirmed.

    Raises:
        ProblemError: the office has refused the device for good.
    """
    try:
        return await client.post_proved("/gates/grant", {"device": device})
    except NoAnswerError:
        return None
    except RefusedError as refused:
        if refused.status == httpx.codes.FORBIDDEN and _PENDING not in refused.error:
            raise _problem(
                "enrol-refused", f"The office refused ({refused.error}).", "Ask the office why."
            ) from refused
        return None


def _roots(grant: dict[str, Any]) -> tuple[bytes, ...]:
    """Return who may sign, as the office says at the moment of enrolment, pinned from then on."""
    try:
        roots = tuple(bytes.fromhex(root) for root in grant["roots"])
    except (KeyError, TypeError, ValueError):
        roots = ()
    if not roots or any(len(root) != PUBLIC_KEY_LENGTH for root in roots):
        remedy = 'Write root = "…" below [server]; the office\'s page of gates shows it.'
        raise _problem("enrol-roots", "The server did not say who signs.", remedy)
    return roots


def _problem(code: str, message: str, remedy: str) -> ProblemError:
    return ProblemError(Problem(code=f"gate.{code}", message=message, remedy=remedy))
