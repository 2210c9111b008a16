"""The columns of the fact store: one Parquet row a version of a fact (docs/guides/spark.md).

An instant is a whole number of microseconds since 1970 in UTC. There is no timestamp type and no
time zone in a file, so no engine and no session can read one differently.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from passlight.core.facts.kinds import KINDS, FieldType

BIGINT, TEXT, NUMBER, FLAG = "BIGINT", "VARCHAR", "DOUBLE", "BOOLEAN"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SQL_TYPES = {
    FieldType.TEXT: TEXT,
    FieldType.AREA: TEXT,
    FieldType.NUMBER: NUMBER,
    FieldType.FLAG: FLAG,
    FieldType.INSTANT: BIGINT,
}


def micros(instant: datetime) -> int:
    """Return the microseconds since 1970 of an aware instant."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(micros_: int) -> datetime:
    """Return the instant, in UTC, of so many microseconds since 1970."""
    return _EPOCH + micros_ * _MICROSECOND


def payload_column(name: str, form: FieldType) -> str:
    """Return the column of a payload field; a name with two types has a column for each."""
    return f"p_{name}_number" if form is FieldType.NUMBER and name == "value" else f"p_{name}"


def _payload_columns() -> dict[str, str]:
    found: dict[str, str] = {}
    for kind in KINDS.values():
        for name, form in kind.fields.items():
            if form is FieldType.OBJECT:
                continue
            column = payload_column(name, form)
            if found.setdefault(column, _SQL_TYPES[form]) != _SQL_TYPES[form]:
                raise TypeError(f"{column} has two types")
    return found


PAYLOAD_COLUMNS: Mapping[str, str] = _payload_columns() | {
    "p_expires_at": BIGINT,  # of facts entered by hand
    "p_waiver_rules": TEXT,  # a JSON list
    "p_waiver_phase": "INTEGER",
    "p_waiver_fact": TEXT,
}
"""A column for each payload field that some kind of fact knows."""

_VERSION_COLUMNS = {
    "fact": BIGINT,  # orders like fact_id, and equal means equal
    "fact_id": TEXT,
    "ver": "INTEGER",
    "kind": "SMALLINT",  # core.facts.kinds.kind_rank
    "occurred_at": BIGINT,
    "occurred_until": BIGINT,
    "recorded_at": BIGINT,
    "superseded_at": BIGINT,
    "source": TEXT,
    "dated": FLAG,
}
FACT_COLUMNS: Mapping[str, str] = {"person": BIGINT, **_VERSION_COLUMNS, **PAYLOAD_COLUMNS}
"""Asserted versions about people: known at k when recorded_at <= k and not superseded by k."""
OTHER_COLUMNS: Mapping[str, str] = {"subject": TEXT, **_VERSION_COLUMNS, **PAYLOAD_COLUMNS}
"""The same of areas, and of identities."""
PEOPLE_COLUMNS: Mapping[str, str] = {"person": BIGINT, "subject": TEXT}
DELIVERY_COLUMNS: Mapping[str, str] = {
    "source": TEXT,
    "recorded_at": BIGINT,
    "withdrawn_at": BIGINT,  # from when on it is known to be none
}
ASKED_COLUMNS: Mapping[str, str] = {"area": TEXT}
CROWDED_COLUMNS: Mapping[str, str] = {"person": BIGINT, "facts": BIGINT}
RANGE_COLUMNS: Mapping[str, str] = {"kind": "SMALLINT", "low": BIGINT, "high": BIGINT}
INSTANTS = (
    *("occurred_at", "occurred_until", "recorded_at", "p_sampled_at", "p_left_at"),
    *("p_arrived_at", "p_from", "p_until", "p_expires_at"),
)
"""The columns whose days and dates rules work with."""

_SCHEMA = (
    *(FACT_COLUMNS, OTHER_COLUMNS, PEOPLE_COLUMNS, DELIVERY_COLUMNS, ASKED_COLUMNS),
    *(CROWDED_COLUMNS, RANGE_COLUMNS),
)
# A row names its kind by rank, and one that is not known by the rank that the next one will have.
SCHEMA_HASH = sha256(
    "\n".join(
        [",".join(KINDS), *(",".join(map(" ".join, columns.items())) for columns in _SCHEMA)]
    ).encode()
).hexdigest()


def select_list(columns: Mapping[str, str], values: Mapping[str, str]) -> str:
    """Return the select list of ``columns``: each an expression of ``values``, or null."""
    if unknown := values.keys() - columns.keys():
        raise KeyError(*sorted(unknown))
    return ",\n".join(
        f"CAST({values.get(name, 'NULL')} AS {form}) AS {name}" for name, form in columns.items()
    )
