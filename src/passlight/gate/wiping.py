"""A wipe by the office's signed order: send what there is, destroy everything, say so, signed."""

import asyncio
import json
from contextlib import suppress
from typing import Any, Final

from passlight.core.codes import envelope
from passlight.core.kernel.problem import ProblemError
from passlight.gate.client import DoorClient, NoAnswerError, RefusedError
from passlight.gate.state import Identity
from passlight.runtime.device_key import DeviceKey

RECEIPT_KIND: Final = "wipe-receipt"
ORDER_BYTES_MAX: Final = 16 * 1024
RECEIPT_TRIES: Final = 5
RECEIPT_WAIT_SECONDS: Final = 2.0


def read_order(document: Any, identity: Identity) -> str | None:
    """Return the number of an order that the realm's office signed for this very device."""
    try:
        raw = json.dumps(document).encode()
        payload = envelope.open_envelope(
            raw,
            kind=envelope.WIPE,
            realm=identity.realm,
            keys=identity.roots,
            bytes_max=ORDER_BYTES_MAX,
        )
        said = json.loads(payload)
        named = (said["realm"], said["device"]) == (identity.realm, identity.device)
        return str(said["order"]) if named else None
    except (ProblemError, ValueError, KeyError, TypeError):
        return None


def receipt_of(key: DeviceKey, *, identity: Identity, order: str, left: int) -> str:
    """Return this device's signed word; it is made before the key is destroyed."""
    claims = {"device": identity.device, "order": order, "left": left}
    return key.statement(RECEIPT_KIND, claims)


async def send_receipt(client: DoorClient, receipt: str) -> bool:
    """Return whether the office took the receipt."""
    for attempt in range(RECEIPT_TRIES):
        with suppress(NoAnswerError, RefusedError):
            await client.post_open("/gates/receipt", {"receipt": receipt})
            return True
        await asyncio.sleep(RECEIPT_WAIT_SECONDS * attempt)
    return False
