"""Runs one door scenario: presents a visitor to the core, and compares with what it expects.

A scenario names its clauses; what it expects was written by hand from them. Steps after the
first keep what was presented before and change what they name: a guard's key, a later scan.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import yaml

from passlight.core.entry.decide import Verdict, decide
from passlight.core.entry.door_document import OneOf, door_from_json
from passlight.core.entry.one_scan import EntryCheckIn, scan_asked
from passlight.core.entry.plans import PlanVersion, ResolvedPlan, resolve
from passlight.core.entry.policy import DoorPolicy, policy_from_pack
from passlight.core.entry.presented import (
    Observed,
    Presented,
    Reading,
    Registered,
    RegisteredBy,
    Room,
)
from passlight.core.entry.record import (
    Asked,
    AskedState,
    ClockTrust,
    EntryKind,
    EntryRecord,
    MaskWorn,
    Measured,
    MeasuredState,
    Who,
    entry_from_json,
    entry_to_json,
    musts,
)
from passlight.core.entry.roles import role_for
from passlight.core.incidents.allowed import append, may, next_steps
from passlight.core.incidents.event import AbnormalFinding, Evidence, IncidentEvent, What
from passlight.core.incidents.incident import Incident
from passlight.core.incidents.steps import Channel, FindingKind, Step
from passlight.core.places.hall import ZoneKind
from passlight.core.rules.load import load_pack
from passlight.core.rules.pack import Pack
from passlight.core.verification.answer import DoorAnswer
from passlight.runtime.packs import read_pack_folder, shipped_packs
from tests.entry.samples import DOOR, VISIT, door

FOLDER = Path(__file__).parent / "door"
ZONE = ZoneInfo("Asia/Shanghai")
OFFSET = 480
SECOND_MINUTES = {"s": 1, "min": 60, "h": 3600}
MASKS = {"worn": Observed.YES, "missing": Observed.NO, "unobserved": Observed.UNOBSERVED}
KINDS = {
    "red": FindingKind.RED,
    "yellow": FindingKind.YELLOW,
    "temperature": FindingKind.FEVER,
    "symptoms": FindingKind.SYMPTOMS,
}
CASE_KEYS = {
    *("id", "clause", "title", "pack", "venue_class", "staff", "started", "claims", "plan"),
    *("unit", "now", "presented", "expect", "then", "scan", "incident", "zones"),
}
EXPECT_KEYS = {"outcome", "requirement", "says", "role", "musts", "record", "basis"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One scenario of a file."""

    file: str
    data: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.data["id"])

    @property
    def clauses(self) -> list[str]:
        return list(self.data["clause"])


def read_cases() -> list[Case]:
    """Return every scenario of the folder."""
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        if path.stem == "sentences":
            continue
        for data in yaml.safe_load(path.read_text(encoding="utf-8")):
            unknown = set(data) - CASE_KEYS
            assert not unknown, f"{path.name}: {data.get('id')}: {unknown}"
            found.append(Case(file=path.name, data=data))
    return found


def failures(case: Case) -> list[str]:
    """Return what differs from what the scenario expects."""
    return list(_failures(case.data))


def _failures(data: Mapping[str, Any]) -> Iterator[str]:
    presented: dict[str, Any] = {}
    now = str(data.get("now", "2022-06-08 09:00"))
    checked = 0
    for step in [data, *data.get("then", [])]:
        now = str(step.get("now", now))
        presented.update(step.get("presented") or {})
        expect = step.get("expect")
        if expect is None:
            continue
        checked += 1
        yield from _compare(
            {**data, "started": step.get("started", data.get("started"))}, presented, expect, now
        )
    for scan in data.get("scan", []):
        checked += 1
        yield from _compare_scan(scan)
    for name, inside in data.get("zones", {}).items():
        checked += 1
        if ZoneKind(name).counts is not inside:
            yield f"zone {name}: people there count as inside: {not inside}"
    if "incident" in data:
        checked += 1
        yield from _compare_incident(data, presented, now)
    if not checked:
        yield "expects nothing"


def _compare(
    data: Mapping[str, Any], shown: Mapping[str, Any], expect: Mapping[str, Any], now: str
) -> Iterator[str]:
    unknown = set(expect) - EXPECT_KEYS
    if unknown:
        yield f"expects something unknown: {unknown}"
    policy, presented, verdict = decided(data, shown, now)
    found: dict[str, Any] = {
        "outcome": verdict.outcome.value,
        "requirement": verdict.requirement,
        "role": policy.role,
        "basis": policy.failures[verdict.requirement].basis
        if verdict.requirement in policy.failures
        else policy.basis,
    }
    for key, value in expect.items():
        if key in found and found[key] != value:
            yield f"{key}: {found[key]!r}, not {value!r} ({verdict.findings})"
    if expect.get("says", "") not in verdict.say.zh:
        yield f"says {verdict.say.zh!r}, not {expect['says']!r}"
    record = recorded(policy, presented, verdict, shown, now)
    written = entry_to_json(record)
    if entry_from_json(written) != record:
        yield "its record is not read as it was written"
    for key, value in expect.get("record", {}).items():
        if written[key] != value:
            yield f"record.{key}: {written[key]!r}, not {value!r}"
    ticks = musts(record)
    for key, value in expect.get("musts", {}).items():
        if getattr(ticks, key).value != value:
            yield f"musts.{key}: {getattr(ticks, key)}, not {value}"


def decided(
    data: Mapping[str, Any], shown: Mapping[str, Any], now: str
) -> tuple[DoorPolicy, Presented, Verdict]:
    """Return the policy, what was presented under it, and the verdict."""
    at = instant(now)
    role = role_for(
        staff=bool(data.get("staff")),
        started_today=bool(data.get("started")),
        claimed=data.get("claims"),
    )
    pack = pack_named(data.get("pack", "qingpu-2022-05"))
    (admission,) = [
        one
        for one in pack.admission
        if (one.role, one.venue_class) == (role, data.get("venue_class", "service-hall"))
    ]
    plan = planned(data, at)
    policy = policy_from_pack(admission, at, plan.values, source=pack.key)
    presented = presented_of(policy, shown)
    verdict = decide(policy, presented, now=round(at.timestamp()), offset=OFFSET)
    return policy, presented, verdict


def planned(data: Mapping[str, Any], at: datetime) -> ResolvedPlan:
    """Return the plan in force for the scenario's unit."""
    versions = [
        PlanVersion(
            id=f"v{index}",
            unit=tuple(row["unit"].split("/")),
            effective_from=instant(row["from"]),
            published_at=instant(row["from"]) - timedelta(days=1),
            changes={
                key: tuple(value) if isinstance(value, list) else value
                for key, value in row["changes"].items()
            },
        )
        for index, row in enumerate(data.get("plan", []))
    ]
    return resolve(versions, tuple(str(data.get("unit", "district")).split("/")), at)


@cache
def pack_named(name: str) -> Pack:
    return load_pack(read_pack_folder(shipped_packs() / name))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(str(text)).replace(tzinfo=ZONE).astimezone(UTC)


def presented_of(policy: DoorPolicy, shown: Mapping[str, Any]) -> Presented:
    """Return what the scenario shows; what it leaves out was not observed."""
    unknown = set(shown) - {
        *("answer", "reason", "sampled", "temperature", "mask", "questions", "registered"),
        *("reference", "room", "emergency", "guard", "companions", "offline"),
    }
    assert not unknown, unknown
    asked = shown.get("questions")
    if asked == "none-alarming":
        asked = {question.id: not question.alarming for question in policy.questions}
    registered = shown.get("registered")
    return Presented(
        answer=DoorAnswer(shown.get("answer", "green")),
        reason=shown.get("reason", "status"),
        sampled_from=round(instant(shown["sampled"]).timestamp()) if "sampled" in shown else None,
        temperature=None
        if shown.get("temperature") is None
        else Reading(tenths=round(10 * shown["temperature"]), thermometer="gun-1"),
        mask=MASKS[shown.get("mask", "unobserved")],
        questions=asked,
        registered=None
        if registered is None
        else Registered(how=RegisteredBy(registered), reference=shown.get("reference", "")),
        room=Room(shown.get("room", "free")),
        emergency=bool(shown.get("emergency")),
    )


def recorded(
    policy: DoorPolicy,
    presented: Presented,
    verdict: Verdict,
    shown: Mapping[str, Any],
    now: str,
) -> EntryRecord:
    """Return the record that a door writes of it."""
    reading = presented.temperature
    by_code = presented.registered is not None and presented.registered.how in {
        RegisteredBy.CODE,
        RegisteredBy.DOCUMENT,
    }
    unasked = AskedState.UNOBSERVED if policy.questions else AskedState.NOT_REQUIRED
    unmeasured = MeasuredState.UNOBSERVED if policy.temperature else MeasuredState.NOT_REQUIRED
    return EntryRecord(
        kind=EntryKind(verdict.outcome.value),
        role=policy.role,
        answer=presented.answer,
        reason=presented.reason,
        requirement=verdict.requirement,
        findings=tuple(one.requirement for one in verdict.findings),
        venue=UUID(DOOR["venue"]),
        entrance="north",
        zone="screen",
        occurred_at=instant(now),
        policy=policy.id,
        who=Who(realm="cn-310118", epoch=325, index=7) if by_code else None,
        asked=Asked(state=unasked)
        if presented.questions is None
        else Asked(state=AskedState.ASKED, answers=presented.questions),
        measured=Measured(state=unmeasured)
        if reading is None
        else Measured(
            state=MeasuredState.MEASURED, tenths=reading.tenths, thermometer=reading.thermometer
        ),
        registered=presented.registered or Registered(how=RegisteredBy.NONE),
        mask=MaskWorn.of(presented.mask),
        guard=shown.get("guard", ""),
        companions=shown.get("companions", 0),
        offline=bool(shown.get("offline")),
        feed_as_of=instant(now) - timedelta(seconds=3),
        clock=ClockTrust.SURE,
        lease=None,
        visit=UUID(VISIT),
    )


def _compare_scan(scan: Mapping[str, Any]) -> Iterator[str]:
    read = door_from_json(door(one_of=scan["door"], one_of_minutes=30))
    now = instant("2022-06-08 09:00")
    check_in = None
    if "checked_in" in scan:
        check_in = EntryCheckIn(
            venue=UUID(DOOR["venue"]),
            entrance=scan.get("at", "north"),
            at=now - timedelta(minutes=scan["checked_in"]),
        )
    found = scan_asked(read, check_in, now=now)
    wanted = None if scan["asks"] == "nothing" else OneOf(scan["asks"])
    if found != wanted:
        yield f"asks for {found}, not {wanted}"


def _compare_incident(data: Mapping[str, Any], shown: Mapping[str, Any], now: str) -> Iterator[str]:
    """Walk the chain of report that the verdict begins; ``refused`` steps must be refused."""
    wanted = data["incident"]
    _, _, verdict = decided(data, shown, now)
    kind = FindingKind(wanted["kind"]) if "kind" in wanted else KINDS[verdict.requirement]
    found_at = instant(now)
    incident = append(
        None,
        IncidentEvent(
            number=1,
            what=What.OPENED,
            at=found_at,
            recorded_at=found_at,
            actor="guard-1",
            finding=AbnormalFinding(kind=kind),
            to="guard-1",
            unit="hall",
            bodies=tuple(wanted.get("bodies", [])),
        ),
    )
    at = found_at
    for step in wanted.get("steps", []):
        at += timedelta(minutes=step.get("after", 1))
        event = event_of(incident, step, at)
        problem = may(incident, event)
        if bool(problem) != bool(step.get("refused")):
            yield f"{step}: {problem}"
            return
        if problem is None:
            incident = append(incident, event)
        elif problem.code != f"incidents.refused.{step['refused']}":
            yield f"{step}: {problem.code}"
    if "next" in wanted and [one.value for one in next_steps(incident)] != wanted["next"]:
        yield f"next: {[one.value for one in next_steps(incident)]}, not {wanted['next']}"
    ended = incident.rounds[-1].end
    if "ended" in wanted and (ended.value if ended else None) != wanted["ended"]:
        yield f"ended: {ended}, not {wanted['ended']}"
    if "closed" in wanted and incident.closed is not wanted["closed"]:
        yield f"closed: {incident.closed}"


def event_of(incident: Incident, step: Mapping[str, Any], at: datetime) -> IncidentEvent:
    """Return the event that a step of a scenario records."""
    evidence = None
    if "told" in step:
        evidence = Evidence(channel=Channel(step["by"]), who=step["told"])
    return IncidentEvent(
        number=len(incident.events) + 1,
        what=What.STEP,
        at=at,
        recorded_at=at,
        actor=step.get("actor", "guard-1"),
        step=Step(step["step"]),
        evidence=evidence,
        body=step.get("body", ""),
        note=step.get("note", ""),
    )
