"""The JSON Schema of a pack's scenarios, made from the tables that run them."""

from typing import Any

from passlight.core.facts.kinds import KINDS
from passlight.core.rules.schema import DRAFT, one_or_more
from passlight.core.status.expect import KNOWN
from passlight.core.status.scenario import CASE_KEYS, OWN_KEYS

_TEXT: dict[str, Any] = {"type": ["string", "number", "boolean"]}
_TIME: dict[str, Any] = {
    "type": "string",
    "pattern": r"^(T|[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9:]+([+]|-)?[0-9:]*)?)"
    r"([+-][0-9]+(d|h|min|s))*$",
    "description": "T, T+14d-1s, or a local time such as 2020-03-15 00:00",
}


def tests_schema() -> dict[str, Any]:
    """Return the schema of a file in ``tests/``."""
    own: dict[str, Any] = dict.fromkeys(sorted(OWN_KEYS), _TEXT)
    own |= {
        "kind": {"enum": list(KINDS)},
        "at": _TIME,
        "until": _TIME,
        "recorded": _TIME,
        "op": {"enum": ["assert", "retract"]},
        "days": {
            "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[0-9]+$"}]
        },
    }
    fact = {"type": "object", "properties": own, "required": ["kind", "at"]}
    wanted: dict[str, Any] = {key: {} for key in sorted(KNOWN)}
    wanted |= {
        "at": _TIME,
        "known": _TIME,
        "colour": {"enum": ["green", "yellow", "red", "unknown", "closed"]},
        "segments": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    }
    expectation = {
        "type": "object",
        "properties": wanted,
        "additionalProperties": False,
        "oneOf": [{"required": ["at"]}, {"required": ["segments"]}],
    }
    case: dict[str, Any] = {key: {} for key in sorted(CASE_KEYS)}
    case |= {
        "id": _TEXT,
        "title": _TEXT,
        "facts": {"anyOf": [{"type": "array", "items": fact}, {"enum": [None, ""]}]},
        "expect": {"type": "array", "items": expectation, "minItems": 1},
        "packs": one_or_more(_TEXT),
    }
    scenario = {
        "type": "object",
        "properties": case,
        "required": ["id", "expect"],
        "additionalProperties": False,
    }
    return {
        "$schema": DRAFT,
        "title": "Passlight: tests/*.yaml",
        "type": "array",
        "items": scenario,
    }
