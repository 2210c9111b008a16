"""Plain inputs that the entry tests change one thing at a time."""

from copy import deepcopy
from typing import Any

from tests.vectors.verdict_vectors import VECTORS

POLICY = next(v.policy for v in VECTORS if v.policy["id"] == "vectors@1/service-hall/visitor")
VENUE = "0a7d1c9e-6f57-4f0e-8f0d-6a3f9d2b7c11"
VISIT = "1c0ffee0-0000-4000-8000-000000000001"

RECORD: dict[str, Any] = {
    "kind": "admit",
    "role": "visitor",
    "answer": "green",
    "reason": "status",
    "requirement": "",
    "findings": [],
    "venue": VENUE,
    "entrance": "north",
    "zone": "hall",
    "occurred_at": "2022-06-08T01:00:00.000Z",
    "policy": "qingpu-2022-05@2022.05.18/service-hall/visitor",
    "who": {"realm": "cn-310118", "epoch": 325, "index": 7},
    "asked": {"state": "asked", "answers": {"symptoms": False, "travel": False}},
    "measured": {"state": "measured", "tenths": 365, "thermometer": "t-1"},
    "registered": {"how": "code", "reference": ""},
    "mask": "worn",
    "guard": "g-17",
    "companions": 0,
    "offline": False,
    "feed_as_of": "2022-06-08T00:59:58.000Z",
    "clock": "sure",
    "lease": "1c0ffee0-0000-4000-8000-000000000002",
    "visit": VISIT,
}
DOOR: dict[str, Any] = {
    "format": 1,
    "realm": "cn-310118",
    "venue": VENUE,
    "entrance": "north",
    "zone": "hall",
    "venue_name": {"zh": "清河街道社区事务受理服务中心", "en": "Qinghe Street Service Centre"},
    "entrance_name": {"zh": "北门", "en": "North door"},
    "hall": VISIT,
    "plan": "plan-7",
    "plan_version": "3",
    "policies": [POLICY],
    "offset": 480,
    "emergency": False,
    "one_of": "either",
    "one_of_minutes": 30,
    "standing_places": 12,
    "made_at": "2022-06-08T00:00:00.000Z",
    "effective_until": "2022-06-15T00:00:00.000Z",
    "seal": "A" * 43,
}
GONE = object()


def record(**changes: Any) -> dict[str, Any]:
    """A record with some keys changed, or taken away (GONE)."""
    return changed(RECORD, changes)


def door(**changes: Any) -> dict[str, Any]:
    """A door document with some keys changed."""
    return changed(DOOR, changes)


def changed(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    found = {**deepcopy(base), **changes}
    return {key: value for key, value in found.items() if value is not GONE}
