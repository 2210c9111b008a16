"""The payload of a fact as columns: SQL that reads the JSON as the intake checked it.

A field is read of those kinds that know it (``core.facts.kinds``), so a value of any other type
under the same name is kept and ignored. An instant in a form that SQL does not read alike goes
through ``ODD``, a table that Python fills with its own reading of the same text.
"""
# ruff: noqa: S608 - every part of the SQL is ours; paths and texts go through quoted()

from collections.abc import Iterable, Mapping

from passlight.city.columns import PAYLOAD_COLUMNS, payload_column
from passlight.core.facts.kinds import KINDS, FieldType, kind_rank

ODD = "odd_instants"
_PLAIN = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})"
_EXPIRES, _PRECISION = ("expires_at", FieldType.INSTANT), ("precision", FieldType.TEXT)
_WAIVER = ("measure.rule", "measure.phase", "measure.fact")
_INT_MAX = 2**31 - 1


def _fields() -> dict[tuple[str, FieldType], list[int]]:
    """Return the ranks of the kinds that know a field, by the field's name and type."""
    found: dict[tuple[str, FieldType], list[int]] = {}
    for kind in KINDS.values():
        for name, form in kind.fields.items():
            if form is not FieldType.OBJECT:
                found.setdefault((name, form), []).append(kind_rank(kind.name))
    return found


_FIELDS = _fields()
_INSTANTS = sorted({name for name, form in (*_FIELDS, _EXPIRES) if form is FieldType.INSTANT})
_TEXTS = tuple(dict.fromkeys(name for name, _ in (*_FIELDS, _EXPIRES, _PRECISION))) + _WAIVER
_MANUAL = "(source = 'manual' OR starts_with(source, 'manual:'))"


def texts() -> str:
    """Return the list of all values that columns are made of, as texts: the JSON is read once."""
    paths = ", ".join(f"'{_path(name)}'" for name in _TEXTS)
    return f"json_extract_string(payload, [{paths}])"


def odd_instants(rows: str) -> str:
    """Return the query of the texts, of a table of rows, that ``ODD`` has to explain."""
    paths = ", ".join(f"'{_path(name)}'" for name in _INSTANTS)
    return (
        f"SELECT DISTINCT text FROM (SELECT unnest(json_extract_string(payload, [{paths}])) AS text"
        f" FROM {rows}) WHERE text <> '' AND NOT regexp_full_match(text, '{_PLAIN}')"
    )


def payload_values(*, odd: bool) -> Mapping[str, str]:
    """Return the expression of each payload column, over ``v`` = ``texts()``, kind and source."""
    found: dict[str, str] = {}
    for (name, form), ranks in _FIELDS.items():
        value = _typed(_text(name), form, odd=odd)
        found[payload_column(name, form)] = f"CASE WHEN {_of_kinds(ranks)} THEN {value} END"
    expires = _typed(_text("expires_at"), FieldType.INSTANT, odd=odd)
    found["p_expires_at"] = f"CASE WHEN {_MANUAL} THEN {expires} END"
    waiver = _of_kinds([kind_rank("waiver.granted")])
    found["p_waiver_rules"] = (
        f"CASE WHEN {waiver} THEN CASE json_type(payload, '$.measure.rule') WHEN 'VARCHAR' "
        f"THEN CAST(to_json([{_text('measure.rule')}]) AS VARCHAR) "
        f"ELSE {_text('measure.rule')} END END"
    )
    found["p_waiver_phase"] = f"CASE WHEN {waiver} THEN {_whole(_text('measure.phase'))} END"
    found["p_waiver_fact"] = f"CASE WHEN {waiver} THEN {_text('measure.fact')} END"
    if missing := PAYLOAD_COLUMNS.keys() ^ found.keys():
        raise KeyError(*sorted(missing))
    return found


def dated() -> str:
    """Return whether the fact is known by its date (``core.facts.dates``)."""
    return f"coalesce({_text('precision')} = 'date', false)"


def _path(name: str) -> str:
    return "$." + ".".join(f'"{part}"' for part in name.split("."))


def _text(name: str) -> str:
    return f"v[{_TEXTS.index(name) + 1}]"


def _of_kinds(ranks: Iterable[int]) -> str:
    return f"kind IN ({', '.join(map(str, ranks))})"


def _typed(text: str, form: FieldType, *, odd: bool) -> str:
    if form is FieldType.NUMBER:
        return f"CAST({text} AS DOUBLE)"
    if form is FieldType.FLAG:
        return f"({text} = 'true')"
    return _micros(text, odd=odd) if form is FieldType.INSTANT else text


def _micros(text: str, *, odd: bool) -> str:
    """Return the microseconds of an instant written with an offset; an empty one is none."""
    offset = f"right({text}, 6)"
    minutes = f"(CAST({offset}[2:3] AS BIGINT) * 60 + CAST({offset}[5:6] AS BIGINT))"
    signed = (
        f"CASE WHEN ends_with({text}, 'Z') THEN 0 "
        f"WHEN {offset}[1] = '-' THEN -{minutes} ELSE {minutes} END"
    )
    parts = f"rpad(regexp_extract({text}, '\\.(\\d+)', 1), 6, '0')"
    plain = (
        f"epoch_us(CAST({text}[1:19] AS TIMESTAMP)) + CAST({parts} AS BIGINT)"
        f" - ({signed}) * 60000000"
    )
    known = f"(SELECT micros FROM {ODD} WHERE {ODD}.text = {text})"
    other = known if odd else "NULL"
    return (
        f"CASE WHEN {text} IS NULL OR {text} = '' THEN NULL "
        f"WHEN regexp_full_match({text}, '{_PLAIN}') THEN {plain} ELSE {other} END"
    )


def _whole(text: str) -> str:
    """Return a phase's number; one that no phase can have is -1."""
    number = f"TRY_CAST({text} AS HUGEINT)"
    fits = f"{number} BETWEEN 0 AND {_INT_MAX}"
    return (
        f"CASE {text} WHEN 'true' THEN 1 WHEN 'false' THEN 0 "
        f"ELSE CASE WHEN {text} IS NULL THEN NULL WHEN {fits} THEN {number} ELSE -1 END END"
    )
