"""Rule pack (规则包): published, dated rules in the typed form that every evaluator reads.

The YAML is compiled to this once (``load``); person-by-person evaluation and any other engine
read nothing else. ``hash`` names the text it came from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from passlight.core.kernel.calendar import Duration
from passlight.core.kernel.colour import Colour
from passlight.core.kernel.interval import Interval
from passlight.core.rules.admission import AdmissionPolicy
from passlight.core.rules.areas import AreaCodes
from passlight.core.rules.points import Filter, Point
from passlight.core.rules.terms import Basis, DatedParameter, Text


class Existing(StrEnum):
    """What a change does to measures that are still open (field/08 1.6)."""

    CONVERT = "convert"
    KEEP = "keep"


class AreaMatch(StrEnum):
    """When a person's area must be on the list (field/08 1.8)."""

    AT_DEPARTURE = "listed_at_departure"
    DURING_STAY = "listed_during_stay"
    WITHIN = "listed_within"


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaCondition:
    """What a trigger says about its area: on a list of some levels, or inside one area."""

    levels: tuple[str, ...]
    match: AreaMatch | None
    lookback: Duration | None
    within: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerForm:
    """``on``: every matching fact starts its phases."""

    filter: Filter
    area: AreaCondition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DuringForm:
    """``during``: a stay in an area while the area is listed."""

    stays: tuple[str, ...]
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceForm:
    """``absence``: more than ``max_gap`` without a fact, counted from the latest of ``since``."""

    filter: Filter
    max_gap: Duration
    policy_effective: bool
    since_kinds: tuple[str, ...]
    birth: Duration | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One coloured stretch of a rule."""

    index: int
    colour: Colour
    starts: Point
    ends: Point
    reason: Text
    advice: Text
    open_ended: bool
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One published rule: when it holds, its phases, and the sentence it carries out."""

    id: str
    form: TriggerForm | DuringForm | AbsenceForm
    phases: tuple[Phase, ...]
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A mark beside the colour, for a time after a fact (field/08 0.3)."""

    id: str
    filter: Filter
    within: Duration
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverPermission:
    """Which rules a waiver may suspend, and for how long at most."""

    id: str
    rules: tuple[str, ...]
    longest: Duration
    text: Text
    basis: Basis


class WhenStale(StrEnum):
    """What an outage of a mandatory source does (E47)."""

    UNKNOWN = "unknown"
    BADGE = "badge"


@dataclass(frozen=True, slots=True, kw_only=True)
class MandatorySource:
    """A source without which green cannot be vouched for."""

    source: str
    within: Duration
    when_stale: WhenStale
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One version of one pack, compiled."""

    id: str
    version: str
    name: Text
    hash: str
    zone: ZoneInfo
    effective: Interval
    published_at: datetime
    supersedes: str | None
    existing_measures: Existing
    rankings: Mapping[str, tuple[str, ...]]
    mandatory: tuple[MandatorySource, ...]
    chained_yellow: Duration | None
    parameters: Mapping[str, DatedParameter]
    rules: tuple[Rule, ...]
    badges: tuple[Badge, ...]
    waivers: tuple[WaiverPermission, ...]
    admission: tuple[AdmissionPolicy, ...]
    areas: AreaCodes

    @property
    def key(self) -> str:
        """Return ``id@version``."""
        return f"{self.id}@{self.version}"

    def rule(self, rule_id: str) -> Rule:
        """Return the rule of that id."""
        return next(rule for rule in self.rules if rule.id == rule_id)

    def reason_key(self, rule_id: str, phase: int) -> str:
        """Return the stable key of a phase's reason."""
        return f"{self.key}/{rule_id}/{phase}"

    def published(self, *, effective: Interval, published_at: datetime) -> "Pack":
        """Return this pack as an office puts it in force; the text, and so the hash, stay."""
        return replace(self, effective=effective, published_at=published_at)
