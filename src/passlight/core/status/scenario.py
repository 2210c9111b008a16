"""Scenarios: facts in, colours at moments out, in YAML that a health officer can read.

Times are ``T``, ``T+14d-1s`` or local ones such as ``2020-03-15 00:00``. A pack carries its own
scenarios in ``tests/``; ``passlight pack test`` runs them, and a pack whose scenarios fail is not
published. policies/README.md shows the form.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from passlight.core.facts.book import FactBook
from passlight.core.facts.fact import Fact
from passlight.core.facts.form import fact_from_json
from passlight.core.facts.intake import check_intake
from passlight.core.facts.kinds import KINDS, FieldType
from passlight.core.kernel.interval import Interval
from passlight.core.kernel.problem import ProblemError
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.pack import Pack
from passlight.core.rules.schedule import PackSchedule
from passlight.core.rules.source import Findings, Node, did_you_mean, read_yaml
from passlight.core.status.evaluate import evaluate
from passlight.core.status.expect import differences
from passlight.core.status.timeline import Timeline

_T = "2020-03-01T10:00:00+08:00"
_STEP = re.compile(r"([+-])(\d+)(d|h|min|s)")
_UNITS = {"d": "days", "h": "hours", "min": "minutes", "s": "seconds"}
OWN_KEYS = frozenset(
    {"id", "ver", "op", "kind", "who", "at", "until", "recorded", "source", "days"}
)


CASE_KEYS = frozenset(
    {
        *("id", "title", "T", "facts", "expect", "pack", "packs", "unidentified"),
        *("deliveries", "intake"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """One scenario and what differed from its expectations; empty when it holds."""

    id: str
    title: str
    file: str
    line: int
    failures: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Times:
    """Reads the times of one scenario."""

    t: datetime
    zone: ZoneInfo

    def read(self, text: str) -> datetime:
        """Return the instant that ``T+3d`` or a local time names."""
        base, steps = self.t, text.strip()
        if steps.startswith("T"):
            steps = steps[1:]
        else:
            match = re.match(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?(\+\d{2}:\d{2})?)?", steps)
            if not match:
                raise ValueError(f"{text!r} is not a time: write T+14d or 2020-03-15 00:00")
            base = datetime.fromisoformat(match[0])
            base = base if base.tzinfo else base.replace(tzinfo=self.zone)
            steps = steps[match.end() :]
        if not re.fullmatch(f"(?:{_STEP.pattern})*", steps):
            raise ValueError(f"{text!r} is not a time: write T+14d or 2020-03-15 00:00")
        for sign, number, unit in _STEP.findall(steps):
            step = timedelta(**{_UNITS[unit]: int(number)})
            base = base + step if sign == "+" else base - step
        return base


def plain(node: Node) -> Any:
    """Return the tree as texts, lists and dictionaries."""
    if isinstance(node.value, str):
        return None if node.is_null else node.value
    if isinstance(node.value, tuple):
        return [plain(item) for item in node.value]
    return {key: plain(item) for key, item in node.value.items()}


def run_scenarios(
    text: str, *, file: str, pack_named: Callable[[str], Pack], default: Pack | None = None
) -> list[ScenarioResult]:
    """Return the result of every scenario in one file.

    Raises:
        ProblemError: when the file is not YAML.
    """
    findings = Findings()
    nodes: tuple[Node, ...] = ()
    with findings.part():
        nodes = read_yaml(text, file=file, findings=findings).items()
    if findings.problems:
        raise ProblemError(*findings.problems)
    return [_run(node, pack_named=pack_named, default=default) for node in nodes]


def _run(node: Node, *, pack_named: Callable[[str], Pack], default: Pack | None) -> ScenarioResult:
    case = plain(node)
    try:
        failures = tuple(_slips(case))
        failures = failures or tuple(_Scenario.of(case, pack_named, default).failures())
    except ProblemError as error:
        failures = tuple(str(problem) for problem in error.problems)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        failures = (f"the scenario cannot be read: {error!r}",)
    name = case if isinstance(case, dict) else {}
    return ScenarioResult(
        id=str(name.get("id")),
        title=str(name.get("title")),
        file=node.file,
        line=node.line,
        failures=failures,
    )


def _slips(case: Any) -> Iterable[str]:
    """Yield what makes a scenario no scenario, before anything is evaluated."""
    if not isinstance(case, dict):
        yield "the scenario cannot be read: write id, facts and expect below one dash"
        return
    for key in sorted(case.keys() - CASE_KEYS):
        near = did_you_mean(key, CASE_KEYS)
        yield f"unknown key {key!r}. {near}Known: {', '.join(sorted(CASE_KEYS))}."
    if "expect" not in case:
        yield "the scenario expects nothing: add expect: [{at: T, colour: green}]"
    for entry in case.get("facts") or ():
        kind = entry.get("kind") if isinstance(entry, dict) else None
        if kind is None or "at" not in entry:
            yield f"a fact needs kind and at: {entry}"
        elif kind not in KINDS:
            yield f"{kind!r} is not a kind of fact. {did_you_mean(kind, KINDS)}".strip()


@dataclass(slots=True, kw_only=True)
class _Scenario:
    case: Mapping[str, Any]
    schedule: PackSchedule
    times: Times
    book: FactBook = field(default_factory=FactBook)
    areas: AreaHistory = field(default_factory=lambda: AreaHistory.of(()))
    deliveries: dict[str, list[Interval]] | None = None

    @staticmethod
    def of(
        case: Mapping[str, Any], pack_named: Callable[[str], Pack], default: Pack | None
    ) -> "_Scenario":
        names = case.get("packs") or ([case["pack"]] if case.get("pack") else [])
        packs = [pack_named(name) for name in names] or ([default] if default else [])
        if not packs:
            raise ValueError("the scenario names no pack")
        several = "packs" in case
        schedule = PackSchedule.of(packs) if several else PackSchedule.only(packs[0])
        t = datetime.fromisoformat(case.get("T") or _T)
        t = t if t.tzinfo else t.replace(tzinfo=packs[0].zone)
        return _Scenario(case=case, schedule=schedule, times=Times(t=t, zone=packs[0].zone))

    def failures(self) -> Iterable[str]:
        """Yield what differs from the expectations."""
        facts = [
            fact
            for number, entry in enumerate(self.case.get("facts") or ())
            for fact in self._facts(entry, number)
        ]
        yield from self._intake(facts)
        for fact in facts:
            self.book.add(fact)
        self.areas = AreaHistory.of(self.book.area_facts, self.schedule.area_codes)
        heard = self.case.get("deliveries")
        if heard is not None:
            self.deliveries = {
                source: [Interval(self.times.read(time), None) for time in times]
                for source, times in heard.items()
            }
        expectations = self.case["expect"]
        if not expectations:
            yield "the scenario expects nothing"
        for entry in expectations:
            timeline = self._timeline(entry)
            yield from differences(entry, timeline, read=self.times.read)

    def _timeline(self, entry: Mapping[str, Any]) -> Timeline:
        who = entry.get("who", "p")
        known_at = self.times.read(entry["known"]) if entry.get("known") else None
        members = self.book.clusters(known_at).get(who, frozenset((who,)))
        return evaluate(
            self.schedule,
            self.book.versions(members),
            areas=self.areas,
            known_at=known_at,
            identified=who not in (self.case.get("unidentified") or ()),
            subject=who,
            members=members,
            deliveries=self.deliveries,
        )

    def _intake(self, facts: list[Fact]) -> Iterable[str]:
        """Hold back what intake doubts, and compare with what the scenario says it doubts."""
        if "intake" not in self.case:
            return
        published_at = self.times.read(self.case["intake"]["published"])
        wanted = self.case["intake"].get("refused") or {}
        for fact in list(facts):
            codes = {problem.code for problem in check_intake(fact, published_at=published_at)}
            expected = wanted.get(fact.fact_id) or []
            expected = {expected} if isinstance(expected, str) else set(expected)
            if codes != expected:
                yield f"intake of {fact.fact_id}: {sorted(codes)}, expected {sorted(expected)}"
            if codes:
                facts.remove(fact)

    def _facts(self, entry: Mapping[str, Any], number: int) -> Iterable[Fact]:
        """Yield the fact; with ``days: 14`` the same one on each of 14 days."""
        if "days" not in entry:
            yield self._fact(entry, entry.get("id") or f"fact-{number}")
            return
        for day in range(int(entry["days"])):
            name = f"{entry.get('id') or f'fact-{number}'}-{day + 1}"
            yield self._fact(entry, name, later=timedelta(days=day))

    def _fact(
        self, entry: Mapping[str, Any], fact_id: str, *, later: timedelta = timedelta(0)
    ) -> Fact:
        def read(text: str) -> datetime:
            return self.times.read(text) + later

        kind = entry["kind"]
        at = read(entry["at"])
        recorded = read(entry["recorded"]) if entry.get("recorded") else at
        until = read(entry["until"]) if entry.get("until") else None
        subject = entry.get("who", "p")
        if kind.startswith("area."):
            subject = f"area:{entry['area']}"
        return fact_from_json(
            {
                "fact_id": fact_id,
                "ver": int(entry.get("ver", 1)),
                "op": entry.get("op", "assert"),
                "kind": kind,
                "subject": subject,
                "occurred_at": at.isoformat(),
                "occurred_until": until.isoformat() if until else None,
                "recorded_at": recorded.isoformat(),
                "source": entry.get("source", "test"),
                "payload": self._payload(kind, entry, read),
            }
        )

    def _payload(
        self, kind: str, entry: Mapping[str, Any], read: Callable[[str], datetime]
    ) -> dict[str, Any]:
        fields = KINDS[kind].fields if kind in KINDS else {}
        payload: dict[str, Any] = {}
        for key, value in entry.items():
            if key in OWN_KEYS:
                continue
            wanted = fields.get(key)
            timed = wanted is FieldType.INSTANT or key == "expires_at"
            if timed and value is not None:
                payload[key] = read(value).isoformat()
            elif wanted is FieldType.NUMBER:
                payload[key] = float(value)
            else:
                payload[key] = value
        return payload
