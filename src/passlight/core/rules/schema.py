"""JSON Schemas of a pack's files, made from the tables that the loader reads with.

They are for editors: completion, and a red line under a slip while one types. The loader decides;
it also knows what no schema can say (that an end is reachable, that a parameter exists).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from passlight.core.facts.kinds import KINDS, FieldType
from passlight.core.rules.admission import OBSERVED, REQUIREMENTS, ROLES, SETTING, VENUE_CLASSES
from passlight.core.rules.admission import Outcome as AdmissionOutcome
from passlight.core.rules.load import BESIDE, HEAD, HEAD_MORE, MANDATORY
from passlight.core.rules.pack import AreaMatch, Existing, WhenStale
from passlight.core.rules.points import Moment
from passlight.core.rules.read_admission import (
    FAILURE,
    NOTED,
    QUESTION,
    ROW,
    ROW_MORE,
    SHARED,
    VALUES,
)
from passlight.core.rules.read_points import COMPOUND, NEXT, NTH
from passlight.core.rules.read_rules import (
    ABSENCE,
    AREA,
    BADGE,
    FORMS,
    ID,
    PHASE_MORE,
    PHASE_TEXTS,
    RULE,
    RULE_MORE,
    STAY_KINDS,
    WAIVER,
)
from passlight.core.rules.read_terms import ELSEWHERE

Schema = dict[str, Any]
DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Final[Schema] = {"type": ["string", "number", "boolean"]}
_FLAG: Final[Schema] = {"enum": [True, False, "true", "false"]}
_WHOLE: Final[Schema] = {
    "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[0-9]+$"}]
}
_CLOCK: Final[Schema] = {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}"}
_INSTANT: Final[Schema] = {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9:.]+([+-][0-9:]+|Z)?)?$",
    "description": "2020-02-17 or 2020-02-17T00:00",
}


def ref(name: str) -> Schema:
    """Return a reference to a shared definition."""
    return {"$ref": f"#/$defs/{name}"}


def one_or_more(schema: Schema) -> Schema:
    """Return what a list, or one value in its place, must be."""
    return {"anyOf": [schema, {"type": "array", "items": schema, "minItems": 1}]}


def closed(shapes: Mapping[str, Schema], *, required: Iterable[str] = (), **more: Any) -> Schema:
    """Return a mapping with exactly these keys."""
    return {
        "type": "object",
        "properties": {key: shapes[key] for key in sorted(shapes)},
        "required": sorted(required),
        "additionalProperties": False,
        **more,
    }


def only(keys: Iterable[str], shapes: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return the shapes of these keys; a key of the loader without a shape is a defect here."""
    return {key: shapes[key] for key in keys}


def pack_schema() -> Schema:
    """Return the schema of ``pack.yaml``."""
    shapes: dict[str, Schema] = {
        "id": ref("id"),
        "version": _TEXT,
        "name": ref("sentence"),
        "timezone": {"type": "string", "examples": ["Asia/Shanghai"]},
        "effective": {
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "prefixItems": [_INSTANT, {"anyOf": [_INSTANT, {"enum": [None, "null", ""]}]}],
        },
        "published_at": _INSTANT,
        "existing_measures": {"enum": [one.value for one in Existing]},
        "supersedes": _TEXT,
        "sources": {
            "type": "object",
            "propertyNames": {"enum": list(KINDS)},
            "additionalProperties": one_or_more(_TEXT),
        },
        "mandatory": one_or_more(
            closed(
                only(
                    MANDATORY,
                    {
                        "source": _TEXT,
                        "within": ref("duration"),
                        "when_stale": {"enum": [one.value for one in WhenStale]},
                        "text": ref("sentence"),
                    },
                ),
                required=MANDATORY,
            )
        ),
        "cap": closed({"chained_yellow": ref("duration")}, required=["chained_yellow"]),
    }
    beside: dict[str, Schema] = {
        "pack": closed(only(HEAD | HEAD_MORE, shapes), required=HEAD),
        "params": {"type": "object", "additionalProperties": ref("parameter")},
        "rules": {"type": "array", "items": ref("rule")},
        "badges": one_or_more(_badge()),
        "waivers": one_or_more(_waiver()),
    }
    return _whole("pack.yaml", closed(only({"pack", *BESIDE}, beside), required=["pack"]))


def rules_schema() -> Schema:
    """Return the schema of a file in ``rules/``."""
    return _whole("rules/*.yaml", {"type": "array", "items": ref("rule")})


def admission_schema() -> Schema:
    """Return the schema of ``admission.yaml``."""
    failure = closed(
        only({*FAILURE, "basis"}, {"outcome": _outcome(), "say": ref("sentence"), "basis": _TEXT}),
        required=FAILURE,
    )
    question = closed(
        only(
            {*QUESTION, "basis"},
            {"text": ref("sentence"), "alarming": _FLAG, "requirement": _TEXT, "basis": _TEXT},
        ),
        required=QUESTION,
    )
    value: dict[str, Schema] = {
        "limit": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^[0-9.]+$"}]},
        "required": _FLAG,
        "value": ref("duration"),
        "note": ref("sentence"),
    }
    noted = {
        key: closed(only({"note", *VALUES.get(key, ())}, value), required=["note"]) for key in NOTED
    }
    shapes: dict[str, Schema] = {
        "role": one_or_more({"enum": list(ROLES)}),
        "venue_class": one_or_more({"enum": list(VENUE_CLASSES)}),
        "colours": one_or_more({"enum": ["green", "yellow", "red"]}),
        "basis": {"anyOf": [ref("basis"), {"const": SETTING}]},
        "test_age": {"type": "string", "pattern": r"^(param\.)?[a-z0-9_-]+$"},
        "test_age_counts": {"enum": ["elapsed", "calendar"]},
        "mask": _FLAG,
        "registration": _FLAG,
        "questions": one_or_more(_TEXT),
        "failures": _named(REQUIREMENTS, failure),
        "unobserved": _named(OBSERVED, failure),
        "settings": closed(noted),
    }
    common = {**only(SHARED, shapes), "questions": {"type": "object"}}
    common["questions"]["additionalProperties"] = question
    rows = closed(only(ROW | ROW_MORE, shapes), required=ROW)
    top = closed(
        {"common": closed(common), "policies": {"type": "array", "items": rows}},
        required=["policies"],
    )
    return _whole("admission.yaml", top)


def _outcome() -> Schema:
    return {"enum": [one.value for one in AdmissionOutcome]}


def _named(names: Iterable[str], schema: Schema) -> Schema:
    return {
        "type": "object",
        "propertyNames": {"enum": list(names)},
        "additionalProperties": schema,
    }


def _whole(name: str, schema: Schema) -> Schema:
    return {"$schema": DRAFT, "title": f"Passlight: {name}", **schema, "$defs": definitions()}


def definitions() -> dict[str, Schema]:
    """Return what the files share."""
    return {
        "id": {"type": "string", "pattern": f"^{ID.pattern}$"},
        "sentence": closed({"zh": _TEXT, "en": _TEXT}, required=["zh", "en"]),
        "basis": closed({"text": _TEXT, "ref": _TEXT, "url": _TEXT}, required=["text", "ref"]),
        "duration": _duration(),
        "amount": {
            "anyOf": [ref("duration"), {"type": "string", "pattern": r"^param\..+$"}],
        },
        "count": {"anyOf": [_WHOLE, {"type": "string", "pattern": r"^param\..+$"}]},
        "parameter": _parameter(),
        "kinds": one_or_more({"enum": [kind for kind in KINDS if kind not in ELSEWHERE]}),
        "where": {"type": "object", "minProperties": 1},
        "fields": {"allOf": [_fields_of(kind) for kind in KINDS if kind not in ELSEWHERE]},
        "point": _point(),
        "phase": closed(only(PHASE_TEXTS | PHASE_MORE, _phase_shapes()), required=PHASE_TEXTS),
        "rule": _rule(),
    }


def _duration() -> Schema:
    counted = {"calendar": _TEXT, "inclusive": _FLAG, "release": _CLOCK}
    day = {"const": "occurred_date"}
    calendar = closed({**counted, "day_zero": day, "day_one": day}, required=["calendar"])
    calendar["oneOf"] = [{"required": ["day_zero"]}, {"required": ["day_one"]}]
    elapsed = {"type": "string", "pattern": "^([0-9]{1,5}(d|h|min)( elapsed)?|[0-9]{1,3}y)$"}
    return {"anyOf": [elapsed, calendar], "description": "14d, 36h, 10min, or {calendar: 14d, …}"}


def _parameter() -> Schema:
    plain: Schema = {"anyOf": [ref("duration"), {"type": ["string", "number"]}, {"type": "array"}]}
    noted = closed(
        {"value": plain, "metadata": closed({"reference": _TEXT}, required=["reference"])},
        required=["value"],
    )
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}"},
        "additionalProperties": {"anyOf": [noted, plain]},
    }


def _fields_of(kind: str) -> Schema:
    """Return which fields ``where`` may name when ``kind`` is the one kind."""
    names = []
    for name, wanted in KINDS[kind].fields.items():
        names.append(f"{name}_present")
        if wanted is FieldType.NUMBER:
            names += [f"{name}_gte", f"{name}_lte"]
        if wanted not in {FieldType.INSTANT, FieldType.OBJECT}:
            names.append(name)
    return {
        "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
        "then": {"properties": {"where": {"propertyNames": {"enum": sorted(names)}}}},
    }


def _point() -> Schema:
    counted: dict[str, Schema] = {
        "kind": ref("kinds"),
        "where": ref("where"),
        "since": ref("point"),
        "needs": ref("sentence"),
        "same": _TEXT,
        "n": ref("count"),
        "gap": ref("amount"),
        "every": {"const": "1d"},
        "reset_on": closed({"kind": ref("kinds"), "where": ref("where")}, required=["where"]),
    }
    shapes: dict[str, Schema] = {
        "after": {
            "type": "array",
            "prefixItems": [ref("point"), ref("amount")],
            "minItems": 2,
            "maxItems": 2,
        },
        "next": closed(only(NEXT, counted), required=["kind"], allOf=[ref("fields")]),
        "nth": closed(
            only(NTH, counted),
            required=["kind", "n"],
            allOf=[ref("fields"), {"not": {"required": ["gap", "every"]}}],
        ),
        "earliest": {"type": "array", "items": ref("point"), "minItems": 1},
        "latest": {"type": "array", "items": ref("point"), "minItems": 1},
    }
    moments = {"enum": [*(moment.value for moment in Moment), "never"]}
    one = closed(only(COMPOUND, shapes), minProperties=1, maxProperties=1)
    return {"anyOf": [moments, one]}


def _phase_shapes() -> dict[str, Schema]:
    return {
        "colour": {"enum": ["yellow", "red"]},
        "reason": ref("sentence"),
        "advice": ref("sentence"),
        "from": ref("point"),
        "until": ref("point"),
        "open_ended": _FLAG,
    }


def _rule() -> Schema:
    area: dict[str, Schema] = {
        "listed": one_or_more(_TEXT),
        "match": {"enum": [one.value for one in AreaMatch]},
        "lookback": ref("duration"),
        "within": _TEXT,
    }
    absence: dict[str, Schema] = {
        "kind": ref("kinds"),
        "where": ref("where"),
        "max_gap": ref("duration"),
        "since": one_or_more(
            {
                "anyOf": [
                    {"enum": ["policy.effective", *KINDS]},
                    {"type": "string", "pattern": r"^birth\+"},
                ]
            }
        ),
    }
    stay = one_or_more({"enum": list(STAY_KINDS)})
    part = closed({"stay": stay, "listed": one_or_more(_TEXT)}, minProperties=1)
    forms: dict[str, Schema] = {
        "on": closed(
            {"kind": ref("kinds"), "where": ref("where"), "area": closed(only(AREA, area))},
            required=["kind"],
            allOf=[ref("fields")],
        ),
        "during": closed(
            {"all": {"type": "array", "items": part, "minItems": 1, "maxItems": 2}},
            required=["all"],
        ),
        "absence": closed(
            only(ABSENCE, absence), required=ABSENCE - {"where"}, allOf=[ref("fields")]
        ),
    }
    shapes = {
        **only(FORMS, forms),
        **_phase_shapes(),
        "id": ref("id"),
        "basis": ref("basis"),
        "note": _TEXT,
        "phases": {"type": "array", "items": ref("phase"), "minItems": 1},
    }
    rule = closed(only(RULE | RULE_MORE, shapes), required=RULE)
    rule["oneOf"] = [{"required": [form]} for form in sorted(FORMS)]
    rule["anyOf"] = [{"required": ["phases"]}, {"required": sorted(PHASE_TEXTS)}]
    return rule


def _badge() -> Schema:
    chosen = closed(
        {"kind": ref("kinds"), "where": ref("where")}, required=["kind"], allOf=[ref("fields")]
    )
    since = {"anyOf": [{"enum": list(KINDS)}, chosen]}
    pair = {
        "type": "array",
        "prefixItems": [since, ref("duration")],
        "minItems": 2,
        "maxItems": 2,
    }
    shapes: dict[str, Schema] = {
        "id": ref("id"),
        "while": closed({"after_within": pair}, required=["after_within"]),
        "text": ref("sentence"),
    }
    return closed(only(BADGE, shapes), required=BADGE)


def _waiver() -> Schema:
    shapes: dict[str, Schema] = {
        "id": ref("id"),
        "rules": one_or_more(_TEXT),
        "longest": ref("duration"),
        "text": ref("sentence"),
        "basis": ref("basis"),
    }
    return closed(only(WAIVER, shapes), required=WAIVER)
