"""Enrolment: a one-time token, a key made here, and a second person who compares six digits.

The token travels in a picture on a screen and may be photographed; the fingerprint may not be
copied, because both sides compute it from the device's own key and the office's signers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx

from passlight.core.codes.signing import is_sound_public_key
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
    place: tuple[str, str],
    show: Callable[[str], None],
    monotonic: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Identity:
    """Return who this device is, once somebody has confirmed it; nothing is kept before.

    ``place`` is the venue and entrance of the configuration; ``roots`` are pinned by it, or none.

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
    device, realm, told = _welcome(begun)
    if (begun.get("venue"), begun.get("entrance")) != place:
        remedy = "Write that venue and entrance below [door], or take a token of this door."
        raise _problem("enrol-place", "The token is for another door.", remedy)
    if roots and not set(told) <= set(roots):
        remedy = "Compare root below [server] with the office's page of gates."
        raise _problem("enrol-roots", "Others sign there than the configuration says.", remedy)
    fingerprint = fingerprint_of(key.thumbprint, realm=realm, roots=told)
    if str(begun.get("fingerprint", fingerprint)) != fingerprint:
        remedy = "Somebody may stand between this device and the server; do not confirm it."
        raise _problem("enrol-fingerprint", "The server names another key than ours.", remedy)
    show(fingerprint)
    until = monotonic() + WAIT_SECONDS
    while monotonic() < until:
        grant = await _granted(client, device)
        if grant is not None:
            identity = Identity(
                device=device,
                realm=realm,
                roots=told,
                fingerprint=fingerprint,
            )
            state.enrol(identity)
            state.keep_grant(grant)
            return identity
        await sleep(ASK_SECONDS)
    raise _problem("enrol-late", "Nobody confirmed this device.", "Begin again with a new token.")


async def _granted(client: DoorClient, device: str) -> str | None:
    """Return the first grant; None while the device waits to be confirmed.

    Raises:
        ProblemError: the office has refused the device for good.
    """
    try:
        answer = await client.post_proved("/gates/grant", {"device": device})
    except NoAnswerError:
        return None
    except RefusedError as refused:
        if refused.status == httpx.codes.FORBIDDEN and _PENDING not in refused.error:
            raise _problem(
                "enrol-refused", f"The office refused ({refused.error}).", "Ask the office why."
            ) from refused
        return None
    return str(answer["grant"]) if "grant" in answer else None


def _welcome(begun: dict[str, Any]) -> tuple[str, str, tuple[bytes, ...]]:
    """Return the device's name, its realm and who signs there, pinned from then on.

    Raises:
        ProblemError: the answer does not say it.
    """
    try:
        roots = tuple(bytes.fromhex(root) for root in begun["roots"])
        device, realm = str(begun["device"]), str(begun["realm"])
    except (KeyError, TypeError, ValueError) as error:
        raise _unsaid() from error
    if not roots or any(not is_sound_public_key(root) for root in roots):
        raise _unsaid()
    return device, realm, roots


def _unsaid() -> ProblemError:
    remedy = "Update the server, or ask the office."
    return _problem("enrol-roots", "The server did not say who signs there.", remedy)


def _problem(code: str, message: str, remedy: str) -> ProblemError:
    return ProblemError(Problem(code=f"gate.{code}", message=message, remedy=remedy))
