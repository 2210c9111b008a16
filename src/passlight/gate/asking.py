"""What a door asks of its server and its thermometer while somebody waits: bounded, or nothing."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import Final

from passlight.core.entry.presented import Reading, Registered, RegisteredBy
from passlight.core.entry.record import Who
from passlight.core.verification.answer import DoorAnswer
from passlight.gate.decision import DocumentLookup, Finding, Looked, Observations
from passlight.gate.desk import CHECK_IN
from passlight.gate.ports import ShownDocument, Thermometer

LOOKUP_SECONDS: Final = 0.25
THERMOMETER_SECONDS: Final = 0.2

_NO_DOCUMENT: Final = Finding(
    answer=DoorAnswer.UNDETERMINED, reason="no-connection", by_document=True
)
_NO_CHECK_IN: Final = Finding(
    answer=DoorAnswer.UNDETERMINED,
    reason="no-connection",
    registered=Registered(how=RegisteredBy.NONE, reference=CHECK_IN),
)


async def look_up(server: DocumentLookup | None, shown: ShownDocument) -> Finding:
    """Return what the server says of a document within 250 ms; otherwise nothing is known."""
    told = await _within(server.look_up(shown.document)) if server is not None else None
    return _told(told, _NO_DOCUMENT)


async def arrived(server: DocumentLookup | None, signs: str) -> Finding:
    """Return what the server says of who checked in here by the venue code just now."""
    told = await _within(server.arrival(signs)) if server is not None else None
    found = _told(told, _NO_CHECK_IN)
    if found.who is None:
        return found
    registered = Registered(how=RegisteredBy.CODE, reference=CHECK_IN)
    return replace(found, registered=registered)


async def measured(thermometer: Thermometer | None, observations: Observations) -> Observations:
    """Return the observations with the temperature; a dead thermometer has seen nothing."""
    if thermometer is None or observations.temperature is not None:
        return observations
    try:
        async with asyncio.timeout(THERMOMETER_SECONDS):
            taken = await thermometer.read()
        if taken is None:
            return observations
        reading = Reading(tenths=taken.tenths, thermometer=taken.thermometer)
    except (TimeoutError, OSError, ValueError):
        return observations
    return replace(observations, temperature=reading)


async def _within(question: Awaitable[Looked | None]) -> Looked | None:
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            return await question
    except (TimeoutError, OSError, ValueError):
        return None


def _told(told: Looked | None, unknown: Finding) -> Finding:
    if told is None:
        return unknown
    return replace(
        unknown,
        answer=told.answer,
        reason=told.reason,
        sampled_from=told.sampled_from,
        who=Who(lookup=told.lookup) if told.lookup else None,
    )
