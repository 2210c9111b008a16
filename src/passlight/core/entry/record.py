"""Entry record (进入登记, field/03 L1): what happened with one visitor at one door.

The three musts (必询问、必测温、必登记, S0 措施5) stand in it, each with what proves it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from passlight.core.entry.form import Form, fail, instant_text, load_json
from passlight.core.entry.presented import (
    Observed,
    Registered,
    RegisteredBy,
    temperature_tenths,
)
from passlight.core.kernel.limits import (
    DOOR_QUESTIONS_MAX,
    ENTRY_COMPANIONS_MAX,
    ENTRY_RECORD_BYTES_MAX,
    ENTRY_TEXT_CHARS_MAX,
)
from passlight.core.places.venue import ENTRANCE_CODE, ZONE_CODE
from passlight.core.rules.admission import REQUIREMENTS, ROLES
from passlight.core.verification.answer import DoorAnswer

_REALM: Final = re.compile(r"[a-z0-9-]{1,24}")
_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}|")
# A check's name, or the key of a published reason: pack@version/rule/phase.
_REASON: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,199}|")
_SEALED: Final = re.compile(r"[A-Za-z0-9_-]{1,1024}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_QUESTION: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]+")
_INDEX_MAX: Final = 2**32 - 1
_REQUIREMENTS: Final = frozenset({"", "emergency", *REQUIREMENTS})


class EntryKind(StrEnum):
    """What was done at the door."""

    ADMIT = "admit"
    ASK = "ask"
    REFUSE = "refuse"
    ISOLATE = "isolate"
    EXIT = "exit"
    REPORT = "report"


class AskedState(StrEnum):
    """Whether the questions were asked."""

    ASKED = "asked"
    UNOBSERVED = "unobserved"
    NOT_REQUIRED = "not-required"


class MeasuredState(StrEnum):
    """Whether the temperature was measured."""

    MEASURED = "measured"
    UNOBSERVED = "unobserved"
    NOT_REQUIRED = "not-required"


class MaskWorn(StrEnum):
    """Whether a mask was worn, as far as anybody saw."""

    WORN = "worn"
    MISSING = "missing"
    UNOBSERVED = "unobserved"

    @classmethod
    def of(cls, observed: Observed) -> "MaskWorn":
        """Return how a record writes what was observed."""
        return {
            Observed.YES: cls.WORN,
            Observed.NO: cls.MISSING,
            Observed.UNOBSERVED: cls.UNOBSERVED,
        }[observed]


class ClockTrust(StrEnum):
    """Whether the door's clock could be trusted when it wrote the time."""

    SURE = "sure"
    UNSURE = "unsure"


class Must(StrEnum):
    """How far one of the three musts is proven by a record."""

    PROVEN = "proven"
    UNOBSERVED = "unobserved"
    MISSING = "missing"
    NOT_REQUIRED = "not-required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The questions asked and their answers."""

    state: AskedState
    answers: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The temperature in tenths of °C, and the thermometer that took it."""

    state: MeasuredState
    tenths: int | None = None
    thermometer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who it was, as a door may know it: an index, a sealed look-up or a paper form's number."""

    realm: str = ""
    epoch: int | None = None
    index: int | None = None
    lookup: str = ""
    paper: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Musts:
    """The three ticks beside an entry."""

    asked: Must
    measured: Must
    registered: Must


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRecord:
    """One event at one door; it is written once and never changed.

    ``lease`` is the place that was taken, ``visit`` ties an exit to its entry; ``feed_as_of`` is
    the moment of what the door knew. ``findings`` are the requirements that were not met.
    """

    kind: EntryKind
    role: str
    answer: DoorAnswer
    reason: str
    requirement: str
    venue: UUID
    entrance: str
    zone: str
    occurred_at: datetime
    policy: str
    who: Who | None
    asked: Asked
    measured: Measured
    registered: Registered
    mask: MaskWorn
    guard: str
    companions: int
    offline: bool
    feed_as_of: datetime | None
    clock: ClockTrust
    lease: UUID | None
    visit: UUID
    findings: tuple[str, ...] = ()


def musts(record: EntryRecord) -> Musts:
    """Return the three ticks: a must is proven only by what stands in the record itself."""
    return Musts(
        asked=_asked(record.asked), measured=_measured(record.measured), registered=_known(record)
    )


def _asked(asked: Asked) -> Must:
    if asked.state is AskedState.ASKED:
        return Must.PROVEN if asked.answers else Must.MISSING
    return Must.UNOBSERVED if asked.state is AskedState.UNOBSERVED else Must.NOT_REQUIRED


def _measured(measured: Measured) -> Must:
    if measured.state is MeasuredState.MEASURED:
        # A figure of which nobody knows who took it proves nothing.
        told = measured.tenths is not None and bool(measured.thermometer)
        return Must.PROVEN if told else Must.MISSING
    return Must.UNOBSERVED if measured.state is MeasuredState.UNOBSERVED else Must.NOT_REQUIRED


def _known(record: EntryRecord) -> Must:
    how, reference = record.registered.how, record.registered.reference
    if how is RegisteredBy.NONE:
        return Must.MISSING
    if how in {RegisteredBy.CODE, RegisteredBy.DOCUMENT}:
        return Must.PROVEN if record.who is not None else Must.MISSING
    on_paper = record.who is not None and bool(record.who.paper)
    return Must.PROVEN if reference or on_paper else Must.MISSING


def entry_to_json(record: EntryRecord) -> dict[str, Any]:
    """Return the JSON form of a record."""
    measured: dict[str, Any] = {"state": record.measured.state.value}
    if record.measured.state is MeasuredState.MEASURED:
        measured["tenths"] = record.measured.tenths
        measured["thermometer"] = record.measured.thermometer
    return {
        "kind": record.kind.value,
        "role": record.role,
        "answer": record.answer.value,
        "reason": record.reason,
        "requirement": record.requirement,
        "findings": list(record.findings),
        "venue": str(record.venue),
        "entrance": record.entrance,
        "zone": record.zone,
        "occurred_at": instant_text(record.occurred_at),
        "policy": record.policy,
        "who": _who_json(record.who),
        "asked": {"state": record.asked.state.value, "answers": dict(record.asked.answers)},
        "measured": measured,
        "registered": {
            "how": record.registered.how.value,
            "reference": record.registered.reference,
        },
        "mask": record.mask.value,
        "guard": record.guard,
        "companions": record.companions,
        "offline": record.offline,
        "feed_as_of": None if record.feed_as_of is None else instant_text(record.feed_as_of),
        "clock": record.clock.value,
        "lease": str(record.lease) if record.lease is not None else "",
        "visit": str(record.visit),
    }


def _who_json(who: Who | None) -> dict[str, Any] | None:
    if who is None:
        return None
    if who.lookup:
        return {"lookup": who.lookup}
    if who.paper:
        return {"paper": who.paper}
    return {"realm": who.realm, "epoch": who.epoch, "index": who.index}


def entry_from_text(text: str | bytes) -> EntryRecord:
    """Return the record of a text as it was stored or sent.

    Raises:
        ProblemError: it is torn, too long, or says something a record cannot say.
    """
    return entry_from_json(load_json(text, bytes_max=ENTRY_RECORD_BYTES_MAX))


def entry_from_json(value: object, path: str = "") -> EntryRecord:
    """Return the record of a JSON object.

    Raises:
        ProblemError: naming the field that is wrong.
    """
    form = Form.of(value, path, required=_REQUIRED, optional=("findings",))
    return EntryRecord(
        kind=form.choice("kind", EntryKind),
        role=form.one_of("role", ROLES),
        answer=form.choice("answer", DoorAnswer),
        reason=form.matching("reason", _REASON, remedy="A reason's name or key."),
        requirement=form.one_of("requirement", _REQUIREMENTS),
        findings=_findings(form),
        venue=UUID(form.matching("venue", _UUID, remedy="A UUID in small letters.")),
        entrance=form.matching("entrance", ENTRANCE_CODE, remedy="The entrance's code."),
        zone=form.matching("zone", ZONE_CODE, remedy="The zone's code."),
        occurred_at=form.instant("occurred_at"),
        policy=form.text("policy", chars_max=ENTRY_TEXT_CHARS_MAX),
        who=_who(form),
        asked=_asked_from(form),
        measured=_measured_from(form),
        registered=_registered_from(form),
        mask=form.choice("mask", MaskWorn),
        guard=form.matching("guard", _REFERENCE, remedy="A badge: letters, digits, . _ : -"),
        companions=form.whole("companions", least=0, most=ENTRY_COMPANIONS_MAX),
        offline=form.flag("offline"),
        feed_as_of=None if form.entries["feed_as_of"] is None else form.instant("feed_as_of"),
        clock=form.choice("clock", ClockTrust),
        lease=_lease(form),
        visit=UUID(form.matching("visit", _UUID, remedy="A UUID in small letters.")),
    )


_REQUIRED: Final = frozenset(
    {
        *("kind", "role", "answer", "reason", "requirement", "venue", "entrance", "zone"),
        *("occurred_at", "policy", "who", "asked", "measured", "registered", "mask", "guard"),
        *("companions", "offline", "feed_as_of", "clock", "lease", "visit"),
    }
)


def _findings(form: Form) -> tuple[str, ...]:
    if "findings" not in form.entries:
        return ()
    found = form.items("findings", most=len(REQUIREMENTS))
    if not all(name in REQUIREMENTS for name in found) or len(set(found)) != len(found):
        remedy = "Each requirement once."
        fail(form.at("findings"), "not-a-choice", "holds something else.", remedy)
    return tuple(found)


def _lease(form: Form) -> UUID | None:
    text = form.text("lease", empty=True)
    return UUID(form.matching("lease", _UUID, remedy="A UUID, or empty.")) if text else None


def _who(form: Form) -> Who | None:
    value = form.entries["who"]
    if value is None:
        return None
    path = form.at("who")
    if isinstance(value, dict) and "lookup" in value:
        inner = Form.of(value, path, required=("lookup",))
        return Who(lookup=inner.matching("lookup", _SEALED, remedy="The sealed look-up."))
    if isinstance(value, dict) and "paper" in value:
        inner = Form.of(value, path, required=("paper",))
        inner.text("paper", chars_max=ENTRY_TEXT_CHARS_MAX)
        return Who(paper=inner.matching("paper", _REFERENCE, remedy="The form's number."))
    inner = Form.of(value, path, required=("realm", "epoch", "index"))
    return Who(
        realm=inner.matching("realm", _REALM, remedy="A realm's name."),
        epoch=inner.whole("epoch", least=0, most=_INDEX_MAX),
        index=inner.whole("index", least=0, most=_INDEX_MAX),
    )


def _asked_from(form: Form) -> Asked:
    inner = Form.of(
        form.entries["asked"], form.at("asked"), required=("state",), optional=("answers",)
    )
    state = inner.choice("state", AskedState)
    answers: dict[str, Any] = {}
    if "answers" in inner.entries:
        answers = inner.table("answers", most=DOOR_QUESTIONS_MAX)
    table = Form(answers, inner.at("answers"))
    for key in answers:
        # Strict like every other text here: a NUL or half a surrogate is in no database's JSON.
        if len(key) > ENTRY_TEXT_CHARS_MAX or not _QUESTION.fullmatch(key):
            fail(inner.at("answers"), "bad-form", "names no question.", "Use the question's id.")
        table.flag(key)
    if answers and state is not AskedState.ASKED:
        remedy = "Write asked, or leave the answers out."
        fail(inner.at("answers"), "contradiction", "has answers to what nobody asked.", remedy)
    return Asked(state=state, answers=answers)


def _measured_from(form: Form) -> Measured:
    value, path = form.entries["measured"], form.at("measured")
    optional = ("tenths", "thermometer")
    inner = Form.of(value, path, required=("state",), optional=optional)
    state = inner.choice("state", MeasuredState)
    if state is not MeasuredState.MEASURED:
        Form.of(value, path, required=("state",))
        return Measured(state=state)
    inner = Form.of(value, path, required=("state", *optional))
    return Measured(
        state=state,
        tenths=temperature_tenths(inner.entries["tenths"], field=inner.at("tenths")),
        thermometer=inner.matching("thermometer", _REFERENCE, remedy="The thermometer's name."),
    )


def _registered_from(form: Form) -> Registered:
    path = form.at("registered")
    inner = Form.of(form.entries["registered"], path, required=("how",), optional=("reference",))
    return Registered(
        how=inner.choice("how", RegisteredBy),
        reference=inner.matching("reference", _REFERENCE, remedy="The form's number."),
    )
