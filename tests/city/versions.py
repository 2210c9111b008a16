"""Random deliveries of everything that a store must get right, beside what rules make of them.

Few ids, few instants, many versions: twice delivered, contradicted, retracted, moved to another
subject, turned from an area's into a person's and back, known by their date, written in every
form in which Python reads an instant. ``generator`` makes worlds for rules; these are for loading.
"""

from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

from passlight.core.facts.fact import Fact, Op

ORIGIN = datetime(2022, 3, 25, 22, 30, tzinfo=UTC)  # two days before the clocks change in Berlin
STEPS = (timedelta(0), timedelta(microseconds=1), timedelta(hours=1), timedelta(hours=6))
SUBJECTS = ("p-1", "p-2", "p-10", "P", "é", "病人", "𠮷", 'a "b"\n,c', "\\", "p-é")
AREAS = (
    "420000",
    "420100",
    "420106",
    "420106001",
    "110103",
    "110101",
    "110100",
    "b-1",
    "b-2",
    "b-3",
    "abroad",
    "abroad/KR",
)
LEVELS = ("key", "high")
LISTS = (None, None, "l-1", "l-2")
SOURCES = ("cdc", "manual", "manual:street", "manually", "site,\n1")
IDENTITY = ("identity.link", "identity.link", "identity.unlink", "identity.not_same")


def instant(random: Random) -> datetime:
    return ORIGIN + timedelta(hours=6) * random.randrange(24) + random.choice(STEPS)


def written(random: Random, at: datetime) -> str:
    """Return an instant in one of the forms of ISO 8601 that Python reads."""
    zone = timezone(random.choice((timedelta(0), timedelta(hours=8), -timedelta(hours=3.5))))
    local = at.astimezone(zone)
    form = random.randrange(6)
    if form == 0:
        return local.strftime("%Y%m%dT%H%M%S%z")
    if form == 1:
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
    if form == 2:
        return local.isoformat(sep=" ")
    if form == 3:
        return local.strftime("%G-W%V-%uT%H:%M:%S,%f%z")
    if form == 4:
        return local.isoformat(timespec="milliseconds")
    return local.isoformat()


def payload_of(random: Random, kind: str) -> dict[str, Any]:
    extra: dict[str, Any] = random.choice(
        (
            {},
            {},
            {},
            {"precision": "date"},
            {"precision": 1},
            {"area": ["x"], "note": "改\n\\u0041"},
        )
    )
    found: dict[str, Any] = {}
    if kind == "lab.result":
        found = {"value": random.choice(("neg", "pos", "", '"', "阴 性"))}
        found |= random.choice(({}, {"sample_id": "s"}, {"sample_id": ""}, {"sample_id": None}))
        found["sampled_at"] = random.choice((None, written(random, instant(random))))
    elif kind == "temp.measured":
        found = {"value": random.choice((36.6, 37, 0.1, 10**400, -(10**400), 1e308, 5e-324))}
    elif kind == "waiver.granted":
        rule: Any = random.choice(("r", "规", ["r"], ["r", "s"], ["r", 'q"']))
        selector = {"rule": rule}
        selector |= random.choice(({}, {"phase": 1}, {"phase": 10**12}, {"phase": True}))
        selector |= random.choice(({}, {"fact": "f"}, {"fact": ""}))
        found = {"measure": selector, "from": written(random, instant(random))}
    elif kind == "exposure.derived":
        found = {"case_id": "c", "minutes": random.choice((9.5, 10, 11))}
    elif kind in {"stay", "area.listed", "area.delisted"}:
        found = {"area": random.choice(AREAS)}
    return {**extra, **found}


def _versioned(random: Random, number: int, kind: str) -> list[Fact]:
    """Return deliveries under one fact id."""
    found: list[Fact] = []
    for ver in range(1, random.choice((1, 1, 1, 2, 2, 3)) + 1):
        again = random.choice((kind, kind, kind, "lab.result", "area.listed", "identity.link"))
        made = _version(random, number, ver, again if ver > 1 else kind)
        found.append(made)
        while random.random() < 0.15:
            other = _version(random, number, ver, random.choice((made.kind, again)))
            recorded = random.choice((made.recorded_at, other.recorded_at))
            found.append(_at(random.choice((made, other)), recorded))
    return found


def _at(fact: Fact, recorded_at: datetime) -> Fact:
    fields = {name: getattr(fact, name) for name in fact.__slots__}
    return Fact(**{**fields, "recorded_at": recorded_at})


def _version(random: Random, number: int, ver: int, kind: str) -> Fact:
    at = instant(random)
    torn = ver > 1 and random.random() < 0.3
    payload = {} if torn else payload_of(random, kind)
    subject = random.choice(SUBJECTS)
    if kind.startswith("area."):
        area = payload.get("area", "420100")
        subject = f"area:{area}"
        if not torn:
            payload |= {"list_id": random.choice(LISTS)}
            level = random.choice((*LEVELS, None) if kind == "area.delisted" else LEVELS)
            payload |= {"level": level}
            if kind == "area.listed":
                payload |= {"parent": random.choice((None, None, "", *AREAS))}
    elif kind.startswith("identity.") and not torn:
        payload |= {"a": random.choice(SUBJECTS), "b": random.choice((*SUBJECTS, "nobody"))}
    elif kind == "source.delivered":
        subject = random.choice(("source:cdc", "source:lab", "p-1"))
    manual = {"expires_at": written(random, at)} if random.random() < 0.3 and not torn else {}
    return Fact(
        fact_id=random.choice(("f", "F", "é", "f")) + f"-{number}" if ver == 0 else f"f-{number}",
        ver=ver,
        op=Op.RETRACT if torn else Op.ASSERT,
        kind=kind,
        subject=subject,
        occurred_at=at,
        occurred_until=random.choice((None, None, at + timedelta(hours=6) * random.randrange(9))),
        recorded_at=instant(random),
        source=random.choice(SOURCES),
        payload={**payload, **manual},
    )


KINDS = (
    *("lab.result", "lab.result", "temp.measured", "waiver.granted", "exposure.derived", "stay"),
    *("area.listed", "area.listed", "area.listed", "area.delisted", "area.delisted"),
    *("identity.link", "identity.unlink", "identity.not_same", "identity.link"),
    *("person.deceased", "source.delivered", "source.delivered"),
)


def deliveries(seed: int, facts: int) -> list[Fact]:
    """Return the deliveries of so many facts, in any order."""
    random = Random(seed)
    found = [
        one for number in range(facts) for one in _versioned(random, number, random.choice(KINDS))
    ]
    random.shuffle(found)
    return found
