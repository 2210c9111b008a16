"""One row of the verdict vectors: what most visitors share, and times as a person writes them."""

from datetime import datetime, timedelta, timezone
from typing import Any

GOOD: dict[str, Any] = {
    "answer": "green",
    "reason": "status",
    "sampled": "06-08 00:00",
    "temperature": 365,
    "mask": "yes",
    "questions": {"symptoms": False, "travel": False},
    "registered": "code",
    "room": "free",
    "emergency": False,
}
NOON = "06-08 12:00"


def seconds(text: str, offset: int = 480) -> int:
    """POSIX seconds of ``06-08 09:10`` or ``06-08 09:10:01`` in 2022 at a fixed offset."""
    form = "%Y-%m-%d %H:%M:%S" if text.count(":") == 2 else "%Y-%m-%d %H:%M"
    zone = timezone(timedelta(minutes=offset))
    return int(datetime.strptime(f"2022-{text}", form).replace(tzinfo=zone).timestamp())


def row(
    name: str,
    clause: str,
    policy: str,
    expect: str,
    *,
    now: str = NOON,
    offset: int = 480,
    age: int | None = None,
    **presented: Any,
) -> dict[str, Any]:
    """One vector; ``expect`` is ``outcome requirement`` with ``?`` when nobody observed it."""
    shown = {**GOOD, **presented}
    sampled, temperature = shown.pop("sampled"), shown["temperature"]
    outcome, _, rest = expect.partition(" ")
    requirement = rest.removesuffix("?")
    unseen = ".unobserved" if rest.endswith("?") else ""
    expected: dict[str, Any] = {
        "outcome": outcome,
        "requirement": requirement,
        "prompt": f"{outcome}.{requirement}{unseen}" if requirement else outcome,
    }
    if age is not None:
        expected["age_hours"] = age
    return {
        "name": name,
        "clause": clause,
        "policy": policy,
        "presented": {
            **shown,
            "sampled_from": None if sampled is None else seconds(sampled, offset),
            "temperature": None
            if temperature is None
            else {"tenths": temperature, "thermometer": "t-1"},
            "registered": None
            if shown["registered"] is None
            else {"how": shown["registered"], "reference": ""},
        },
        "now": seconds(now, offset),
        "offset": offset,
        "expect": expected,
    }


HALL, STAFF, ABNORMAL = "S4 三（二）1", "S4 三（二）4", "S4 三（二）5"
MUSTS, LIMIT = "S0 措施5", "S0 措施4"
