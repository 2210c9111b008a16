"""A seeded city as a fact store, written from SQL alone: as many people as a bench asks for.

2.4 facts a person, mostly negative tests; arrivals and stays name areas of which some are
listed; a few per cent of the facts are corrected or withdrawn; the last days are not known yet
at the time of knowledge that the bench asks for. Same seed, same store.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from tqdm import tqdm

from passlight.city.columns import FACT_COLUMNS, OTHER_COLUMNS, micros, select_list
from passlight.city.store import Store
from passlight.city.writing import StoreWriter
from passlight.core.facts.kinds import kind_rank

ORIGIN = datetime(2022, 4, 1, tzinfo=UTC)
DAYS = 80
NOW = ORIGIN + timedelta(days=78, hours=3)
KNOWN = ORIGIN + timedelta(days=76)
PEOPLE_A_BUCKET = 1_000_000
AREAS, LISTED = 3_000, 400
SLOTS = 32
_HOUR, _DAY = 3_600_000_000, 86_400_000_000
_START = micros(ORIGIN)
_LEVELS = "['high','medium','high','medium','key','sealed','controlled','medium']"


def build(
    folder: Path, people: int, *, people_a_bucket: int = PEOPLE_A_BUCKET, quiet: bool = True
) -> Store:
    """Return the store of so many people; what is there already is not written again."""
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "4GB"})
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(f"SET temp_directory = '{folder / 'temp'}'")
    folder.mkdir(parents=True, exist_ok=True)
    writer = StoreWriter(connection, folder)
    buckets = -(-people // people_a_bucket)
    for bucket in tqdm(range(buckets), desc="buckets", disable=quiet or None):
        if writer.has_bucket(bucket):
            continue
        first, last = bucket * people_a_bucket, min(people, (bucket + 1) * people_a_bucket)
        rows = f"range({first}, {last}) AS r (person)"
        writer.bucket(
            bucket,
            people=f"SELECT person, printf('p-%09d', person) AS subject FROM {rows}",
            facts=_facts(rows),
        )
    writer.others(_others(people))
    writer.rest(buckets)
    connection.close()
    return StoreWriter(duckdb.connect(), folder).finish(
        buckets=buckets, people_a_bucket=people_a_bucket, up_to_seq=people * SLOTS
    )


def h(salt: int) -> str:
    """Return a number that looks random for each row."""
    return f"(hash(n, {salt}) >> 1)::BIGINT"


def code(of: str) -> str:
    """Return the code of an area by its number: provinces, cities, districts."""
    return f"printf('%02d%02d%02d', 11 + {of} % 30, 1 + ({of} // 30) % 10, ({of} // 300) % 10)"


# kind, slot of the person's facts, how many people in 10,000 have it, and what it says
LAB = {
    "p_value": f"CASE WHEN {h(1)} % 1000 < 3 THEN 'pos' WHEN {h(1)} % 1000 < 5 THEN 'invalid' "
    "ELSE 'neg' END",
    "p_sample_id": "printf('s%d', n)",
    "p_sampled_at": f"since - {_HOUR} * (2 + {h(2)} % 20)",
    "p_place": f"printf('site-%d', {h(3)} % 500)",
}
CASE_ID, ORDER_ID = {"p_case_id": "printf('c%d', person)"}, {"p_order_id": "printf('o%d', person)"}
ARRIVED = {
    "p_from_area": f"CASE WHEN {h(4)} % 200 = 0 THEN 'abroad/KR' "
    f"ELSE {code(f'({h(4)} % {AREAS})')} END",
    "p_left_at": f"since - {_HOUR} * (1 + {h(5)} % 30)",
    "p_via": "'rail'",
}
HOME = {"p_area": code(f"({h(6)} % {AREAS})")}
DERIVED = {
    "p_case_id": f"printf('c%d', {h(7)} % 100000)",
    "p_venue": f"printf('v%d', {h(8)} % 20000)",
    "p_minutes": f"({h(9)} % 90)::DOUBLE",
}
ASSESSED = {
    "p_class": "CASE WHEN n % 3 = 0 THEN 'close' ELSE 'contact-of-contact' END",
    "p_case_id": f"printf('c%d', {h(7)} % 100000)",
}
WAIVED = {
    "p_waiver_rules": """'["left-listed-area","close-contact","in-listed-area"]'""",
    "p_until": f"since + 2 * {_DAY}",
    "p_officer": "'o-1'",
    "p_basis": "'b'",
}
KINDS = (
    ("lab.result", 0, 7500, LAB),
    ("lab.result", 1, 5000, LAB),
    ("lab.result", 2, 3500, LAB),
    ("lab.result", 3, 2000, LAB),
    ("lab.result", 4, 1000, LAB),
    ("travel.arrived", 5, 1800, ARRIVED),
    ("travel.arrived", 6, 400, ARRIVED),
    ("residence", 7, 1500, HOME),
    ("stay", 8, 500, HOME),
    ("exposure.derived", 9, 300, DERIVED),
    ("exposure.assessed", 10, 60, ASSESSED),
    ("order.started", 11, 60, ORDER_ID),
    ("order.lifted", 12, 50, ORDER_ID),
    ("case.suspected", 13, 30, CASE_ID),
    ("case.confirmed", 14, 20, CASE_ID),
    ("case.ruled_out", 15, 20, CASE_ID),
    ("case.discharged", 16, 15, CASE_ID),
    ("waiver.granted", 17, 8, WAIVED),
    ("person.deceased", 18, 4, {}),
    ("person.born", 19, 100, {}),
)
# What follows something belongs to the same person, some days later.
AFTER = {"order.lifted": 11, "case.ruled_out": 13, "case.discharged": 14, "case.confirmed": 13}


def _facts(rows: str) -> str:
    return " UNION ALL ".join(
        f"({_of_kind(rows, kind, slot, often, payload)})" for kind, slot, often, payload in KINDS
    )


def _of_kind(rows: str, kind: str, slot: int, often: int, payload: dict[str, str]) -> str:
    """Return the versions of one kind: most stand, some are corrected, some withdrawn."""
    lead = AFTER.get(kind, slot)
    wanted = f"hash(person, {lead}) % 10000 < {often}"
    moved = f" + {_DAY} * (2 + hash(n, 21) % 12)::BIGINT" if lead != slot else ""
    since = f"({_START} + (hash(person, {lead}, 22) % {DAYS * 24 * 60})::BIGINT * 60000000){moved}"
    ends = kind in {"residence", "stay", "exposure.derived", "exposure.assessed"}
    until = (
        f"CASE WHEN n % 4 > 0 THEN since + {_HOUR} * (1 + {h(10)} % 400) END" if ends else "NULL"
    )
    values = {
        "person": "person",
        "fact": "n",
        "fact_id": "printf('f-%012d', n)",
        "ver": "ver",
        "kind": str(kind_rank(kind)),
        "occurred_at": f"since + CASE WHEN ver = 2 THEN {_HOUR} ELSE 0 END",
        "occurred_until": until,
        "recorded_at": "CASE WHEN ver = 1 THEN learned ELSE again END",
        "superseded_at": "CASE WHEN ver = 1 AND fate < 2 THEN again END",
        "source": f"['cdc','hospital','site','customs'][1 + {h(11)} % 4]",
        "dated": f"{h(12)} % 100 = 0",
        **payload,
    }
    numbered = f"SELECT person, person * {SLOTS} + {slot} AS n FROM {rows} WHERE {wanted}"
    timed = f"SELECT *, {since} AS since, hash(n, 23) % 100 AS fate FROM ({numbered})"
    known = (
        f"SELECT *, since + {_HOUR} * (hash(n, 24) % 30)::BIGINT + 1000 AS learned FROM ({timed})"
    )
    # Two in a hundred: the first is withdrawn, the second corrected.
    versions = (
        f"SELECT *, learned + {_DAY} * (1 + hash(n, 25) % 5)::BIGINT AS again,"
        f" unnest(CASE WHEN fate = 1 THEN [1, 2] ELSE [1] END) AS ver FROM ({known})"
    )
    return f"SELECT {select_list(FACT_COLUMNS, values)} FROM ({versions})"


def _others(people: int) -> str:
    """Return lists of areas and, for one in a thousand people, links of identities."""
    base = people * SLOTS
    area = {
        "subject": "'area:' || area",
        "fact": f"{base} + n",
        "fact_id": f"printf('f-%012d', {base} + n)",
        "ver": "1",
        "recorded_at": "since + 1000",
        "source": "'nhc'",
        "dated": "n % 7 = 0",
        "p_area": "area",
        "p_level": f"{_LEVELS}[1 + n % 8]",
        "occurred_at": "since",
    }
    at = f"{_START} + {_DAY} * (n % 60)"
    chosen = code(f"(n * 7 % {AREAS})")
    listed = area | {"kind": str(kind_rank("area.listed"))}
    ended = area | {
        "kind": str(kind_rank("area.delisted")),
        "fact": f"{base} + {LISTED} + n",
        "fact_id": f"printf('f-%012d', {base} + {LISTED} + n)",
        "occurred_at": f"since + {_DAY} * (7 + n % 14)",
        "recorded_at": f"since + {_DAY} * (7 + n % 14) + 1000",
    }
    link = {
        "subject": "printf('p-%09d', n)",
        "fact": f"{base} + {2 * LISTED} + n",
        "fact_id": f"printf('f-%012d', {base} + {2 * LISTED} + n)",
        "ver": "1",
        "kind": str(kind_rank("identity.link")),
        "occurred_at": str(_START),
        "recorded_at": str(_START + 1000),
        "source": "'office'",
        "dated": "false",
        "p_a": "printf('p-%09d', n)",
        "p_b": f"printf('p-%09d', (n + {people // 3 + 1}) % {people})",
    }
    numbers = f"(SELECT range AS n, {chosen.replace('n * 7', 'range * 7')} AS area, "
    numbers += f"{at.replace('(n %', '(range %')} AS since FROM range({LISTED}))"
    return (
        f"SELECT {select_list(OTHER_COLUMNS, listed)} FROM {numbers} UNION ALL "
        f"SELECT {select_list(OTHER_COLUMNS, ended)} FROM {numbers} WHERE n % 5 < 3 UNION ALL "
        f"SELECT {select_list(OTHER_COLUMNS, link)} FROM (SELECT range * 1000 AS n"
        f" FROM range({people // 1000}))"
    )
