"""Filters of facts as SQL conditions, and the two times of a fact that ends or counts something."""

from passlight.city.columns import payload_column
from passlight.city.dialect import Dialect
from passlight.city.sql.calendar import Calendar
from passlight.core.facts.kinds import KINDS, FieldType, kind_rank
from passlight.core.rules.points import Condition, Filter, Test

_RESULT, _NEGATIVE = "lab.result", "neg"
_SAMPLES = ("lab.sampled", "lab.result")


def kinds_are(kinds: tuple[str, ...], row: str) -> str:
    """Return the condition that a fact is of one of these kinds."""
    ranks = sorted({kind_rank(kind) for kind in kinds})
    if len(ranks) == 1:
        return f"{row}.kind = {ranks[0]}"
    return f"{row}.kind IN ({', '.join(map(str, ranks))})"


def passes(dialect: Dialect, wanted: Filter, row: str) -> str:
    """Return the condition that a fact passes a filter."""
    parts = [kinds_are(wanted.kinds, row)]
    parts.extend(_meets(dialect, one, wanted.kinds, row) for one in wanted.where)
    return "(" + " AND ".join(parts) + ")"


def no_negatives(wanted: Filter) -> bool:
    """Return whether no negative test passes a filter."""
    return _RESULT not in wanted.kinds or any(
        one.field == "value" and one.test is Test.IS and _NEGATIVE not in one.values
        for one in wanted.where
    )


def is_negative(row: str) -> str:
    """Return the condition that a fact is a negative test; never NULL."""
    return f"({kinds_are((_RESULT,), row)} AND coalesce({row}.p_value, '') = '{_NEGATIVE}')"


def columns_of(field: str, kinds: tuple[str, ...]) -> dict[str, FieldType]:
    """Return the columns in which facts of these kinds carry a field."""
    found: dict[str, FieldType] = {}
    for kind in kinds:
        form = KINDS[kind].fields.get(field)
        if form is not None and form is not FieldType.OBJECT:
            found[payload_column(field, form)] = form
    return found


def _meets(dialect: Dialect, condition: Condition, kinds: tuple[str, ...], row: str) -> str:
    columns = columns_of(condition.field, kinds)
    if condition.test is Test.PRESENT:
        there = " OR ".join(f"{row}.{column} IS NOT NULL" for column in columns) or "TRUE"
        return f"({there})" if condition.values[0] else f"NOT ({there})"
    parts = [
        _compared(dialect, condition, f"{row}.{column}", form) for column, form in columns.items()
    ]
    return "(" + (" OR ".join(part for part in parts if part) or "FALSE") + ")"


def _compared(dialect: Dialect, condition: Condition, column: str, form: FieldType) -> str:
    """Return one comparison; empty when no value of this type can satisfy it."""
    if condition.test is not Test.IS:
        if form is not FieldType.NUMBER:
            return ""
        sign = ">=" if condition.test is Test.AT_LEAST else "<="
        return f"coalesce({column} {sign} {_number(condition.values[0])}, FALSE)"
    values = []
    for value in condition.values:
        if form is FieldType.FLAG and isinstance(value, bool):
            values.append("TRUE" if value else "FALSE")
        elif form in {FieldType.TEXT, FieldType.AREA} and isinstance(value, str):
            values.append(dialect.text(value))
        elif form is FieldType.NUMBER and isinstance(value, int | float):
            values.append(_number(value))
    return f"coalesce({column} IN ({', '.join(values)}), FALSE)" if values else ""


def _number(value: float) -> str:
    return f"CAST('{float(value)!r}' AS DOUBLE)"


def measured(calendar: Calendar, kinds: tuple[str, ...], row: str) -> str:
    """Return when a fact was measured: a test when it was sampled (gaps and ages compare that)."""
    at = f"{row}.occurred_at"
    samples = [kind for kind in kinds if kind in _SAMPLES]
    if not samples:
        return calendar.releases_at(row)
    if samples:
        sampled = f"coalesce({row}.p_sampled_at, {at})"
        at = sampled if len(samples) == len(kinds) else _sampled(row, sampled, at)
    return f"CASE WHEN {row}.dated THEN {calendar.releases_at(row)} ELSE {at} END"


def counts(calendar: Calendar, kinds: tuple[str, ...], row: str) -> str:
    """Return from when a fact counts: a test not before it was reported (E23)."""
    at = f"{row}.occurred_at"
    samples = [kind for kind in kinds if kind in _SAMPLES]
    if not samples:
        return calendar.releases_at(row)
    if samples:
        reported = f"greatest(coalesce({row}.p_sampled_at, {at}), {at})"
        at = reported if len(samples) == len(kinds) else _sampled(row, reported, at)
    return f"CASE WHEN {row}.dated THEN {calendar.releases_at(row)} ELSE {at} END"


def _sampled(row: str, value: str, otherwise: str) -> str:
    return f"CASE WHEN {kinds_are(_SAMPLES, row)} THEN {value} ELSE {otherwise} END"
