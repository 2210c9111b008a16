"""Reads the admission policies of a pack: ``admission.yaml``.

What the rows share stands once under ``common``; a row names its roles and venue classes and
what differs. A policy with a gap is refused with its line, so that no door ever has to guess.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import product
from types import MappingProxyType
from typing import Final

from passlight.core.kernel.calendar import Elapsed
from passlight.core.kernel.colour import Colour
from passlight.core.kernel.limits import (
    DOOR_QUESTIONS_MAX,
    TEMPERATURE_TENTHS_MAX,
    TEMPERATURE_TENTHS_MIN,
)
from passlight.core.rules.admission import (
    ASKED,
    OBSERVED,
    REQUIREMENTS,
    ROLES,
    SETTING,
    VENUE_CLASSES,
    AdmissionPolicy,
    AgeCount,
    Failure,
    Outcome,
    Question,
    TemperatureRule,
)
from passlight.core.rules.gaps import gaps
from passlight.core.rules.read_terms import (
    NO_KEYS,
    Setting,
    read_basis,
    read_duration,
    read_text,
)
from passlight.core.rules.source import Node, did_you_mean
from passlight.core.rules.terms import Basis, DatedParameter, Text

ROW: Final = frozenset({"role", "venue_class", "colours", "basis"})
ROW_MORE: Final = frozenset(
    {
        *("test_age", "test_age_counts", "mask", "registration", "questions"),
        *("failures", "unobserved", "settings"),
    }
)
SHARED: Final = frozenset({"failures", "unobserved", "questions", "settings"})
NOTED: Final = frozenset(
    {"colours", "test_age", "mask", "registration", "questions", "temperature", "freshness"}
)
FAILURE: Final = frozenset({"outcome", "say"})
QUESTION: Final = frozenset({"text", "alarming", "requirement"})
VALUES: Final = {"temperature": ("limit", "required"), "freshness": ("value",)}
_HOURS_A_DAY: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    temperature: TemperatureRule | None = None
    freshness_seconds: int | None = None
    notes: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What the rows share; ``places`` says where each outcome stands, for what is wrong with it."""

    places: Mapping[str, Node] = field(default_factory=dict)
    failures: Mapping[str, Failure] = field(default_factory=dict)
    unobserved: Mapping[str, Failure] = field(default_factory=dict)
    questions: Mapping[str, Question] = field(default_factory=dict)
    settings: _Settings = field(default_factory=_Settings)


def read_admission(node: Node, setting: Setting) -> tuple[AdmissionPolicy, ...]:
    """Return every policy of the file, one for each role and venue class."""
    top = node.mapping(required=frozenset({"policies"}), optional=frozenset({"common"}))
    common = _read_common(top["common"]) if "common" in top else _Common()
    found: dict[tuple[str, str], AdmissionPolicy] = {}
    whole = True
    for item in top["policies"].items():
        before = len(node.findings.problems)
        with item.findings.part():
            for policy in _read_row(item, setting, common):
                key = (policy.venue_class, policy.role)
                if key in found:
                    message = f"{policy.role} of {policy.venue_class} stands twice."
                    item.findings.note(item, "policy-twice", message, "Keep one of the rows.")
                found[key] = policy
        whole = whole and len(node.findings.problems) == before
    if whole:
        _check_roles(top["policies"], found)
    return tuple(found.values())


def _check_roles(node: Node, found: Iterable[tuple[str, str]]) -> None:
    """Note the roles that a venue class does not name: a door must know each."""
    pairs = set(found)
    for venue_class in sorted({pair[0] for pair in pairs}):
        missing = [role for role in ROLES if (venue_class, role) not in pairs]
        if missing:
            message = f"{venue_class} has no policy for {', '.join(missing)}."
            node.findings.note(node, "policy-no-role", message, "Name every role in some row.")


def _read_common(node: Node) -> _Common:
    entries = node.mapping(required=NO_KEYS, optional=SHARED)
    questions = entries["questions"].entries() if "questions" in entries else {}
    return _Common(
        places=_places(entries),
        failures=_failures(entries.get("failures"), REQUIREMENTS),
        unobserved=_failures(entries.get("unobserved"), OBSERVED),
        questions={key: _question(key, item) for key, item in questions.items()},
        settings=_settings(entries.get("settings"), _Settings()),
    )


def _read_row(node: Node, setting: Setting, common: _Common) -> list[AdmissionPolicy]:
    entries = node.mapping(required=ROW, optional=ROW_MORE)
    roles = _names(entries["role"], ROLES, "bad-role")
    classes = _names(entries["venue_class"], VENUE_CLASSES, "bad-class")
    counts = _counts(entries.get("test_age_counts"))
    test_age = _test_age(entries["test_age"], setting, counts) if "test_age" in entries else None
    settings = _settings(entries.get("settings"), common.settings)
    failures = {**common.failures, **_failures(entries.get("failures"), REQUIREMENTS)}
    unobserved = {**common.unobserved, **_failures(entries.get("unobserved"), OBSERVED)}
    if settings.freshness_seconds is None:
        node.fail("missing-key", "is missing.", "Add it here or under common.", "freshness")
    policies = [
        AdmissionPolicy(
            role=role,
            venue_class=venue_class,
            colours=tuple(_colour(item) for item in entries["colours"].items()),
            test_age=test_age,
            test_age_counts=counts,
            mask="mask" in entries and entries["mask"].flag(),
            registration="registration" not in entries or entries["registration"].flag(),
            temperature=settings.temperature,
            questions=_questions(entries.get("questions"), common),
            unobserved=MappingProxyType(unobserved),
            failures=tuple(failures.values()),
            freshness_seconds=settings.freshness_seconds,
            settings=settings.notes,
            basis=_basis(entries["basis"]),
        )
        for role, venue_class in product(roles, classes)
    ]
    places = {**common.places, **_places(entries)}
    for policy in policies:
        _note_gaps(node, policy, places)
    return policies


def _places(entries: Mapping[str, Node]) -> dict[str, Node]:
    """Return where the outcomes of a row stand, by the field that a gap names."""
    return {
        f"{group}.{key}.outcome": item
        for group in ("failures", "unobserved")
        if group in entries
        for key, item in entries[group].entries().items()
    }


def _note_gaps(node: Node, policy: AdmissionPolicy, places: Mapping[str, Node]) -> None:
    """Note what would leave a door to guess: once, where it stands, however many rows share it."""
    for gap in gaps(
        colours=policy.colours,
        has_test=policy.test_age is not None,
        mask=policy.mask,
        registration=policy.registration,
        temperature=policy.temperature,
        questions=policy.questions,
        unobserved=policy.unobserved,
        failures={found.requirement: found for found in policy.failures},
        venue_class=policy.venue_class,
    ):
        here = places.get(gap.field, node)
        known = {(one.file, one.line, one.code, one.field) for one in node.findings.problems}
        if (here.file, here.line, f"rules.{gap.code}", gap.field) not in known:
            node.findings.note(here, gap.code, gap.message, gap.remedy, gap.field)


def _names(node: Node, known: tuple[str, ...], code: str) -> tuple[str, ...]:
    found = tuple(item.text() for item in node.items())
    wrong = [name for name in found if name not in known]
    if wrong or not found:
        message = f"{wrong[0]!r} is not known." if wrong else "names nothing."
        near = did_you_mean(wrong[0], known) if wrong else ""
        node.fail(code, message, f"{near}Known: {', '.join(known)}.")
    return found


def _counts(node: Node | None) -> AgeCount:
    text = node.text() if node is not None else AgeCount.ELAPSED.value
    if node is not None and text not in set(AgeCount):
        node.fail("bad-count", f"{text!r} is no way to count.", "Write elapsed or calendar.")
    return AgeCount(text)


def _colour(node: Node) -> Colour:
    text = node.text()
    if text not in {"green", "yellow", "red"}:
        node.fail("bad-colour", f"{text!r} is no colour.", "Write green, yellow or red.")
    return Colour(text)


def _basis(node: Node) -> Basis | None:
    """Return the clause; None where the author says that there is none."""
    if node.value == SETTING:
        return None
    return read_basis(node)


def _test_age(node: Node, setting: Setting, counts: AgeCount) -> DatedParameter:
    name = node.text().removeprefix("param.")
    parameter = setting.parameters.get(name)
    if parameter is None or not all(isinstance(v, Elapsed) for _, v in parameter.values):
        remedy = "Name a parameter with hours: param.visitor_test_age."
        node.fail("unknown-parameter", f"{name!r} is no parameter of hours.", remedy)
    if counts is AgeCount.CALENDAR:
        for _, value in parameter.values:
            if round(value.delta.total_seconds() / 3600) % _HOURS_A_DAY:
                node.fail("not-days", "counts whole days only.", "Write it like 48h or 2d.")
    return parameter


def _failures(node: Node | None, known: tuple[str, ...]) -> dict[str, Failure]:
    entries = node.entries() if node is not None else {}
    return {key: _failure(key, item, known) for key, item in entries.items()}


def _failure(key: str, node: Node, known: tuple[str, ...]) -> Failure:
    if key not in known:
        remedy = f"{did_you_mean(key, known)}Known: {', '.join(known)}."
        node.fail("unknown-key", f"{key!r} is no requirement.", remedy)
    entries = node.mapping(required=FAILURE, optional=frozenset({"basis"}))
    outcome = entries["outcome"].text()
    if outcome not in set(Outcome):
        remedy = "Write admit, ask, refuse or isolate."
        entries["outcome"].fail("bad-outcome", f"{outcome!r} is no outcome.", remedy)
    return Failure(
        requirement=key,
        outcome=Outcome(outcome),
        say=read_text(entries["say"]),
        basis=entries["basis"].text() if "basis" in entries else SETTING,
    )


def _question(key: str, node: Node) -> Question:
    entries = node.mapping(required=QUESTION, optional=frozenset({"basis"}))
    requirement = _names(entries["requirement"], ASKED, "bad-question")
    return Question(
        id=key,
        text=read_text(entries["text"]),
        alarming=entries["alarming"].flag(),
        requirement=requirement[0],
    )


def _questions(node: Node | None, common: _Common) -> tuple[Question, ...]:
    found: list[Question] = []
    for item in node.items() if node is not None else ():
        question = common.questions.get(item.text())
        if question is None:
            known = ", ".join(common.questions) or "none"
            item.fail("bad-question", f"{item.text()!r} is no question.", f"Known: {known}.")
        found.append(question)
    if node is not None and len(found) > DOOR_QUESTIONS_MAX:
        node.fail("too-many", "asks too much.", f"At most {DOOR_QUESTIONS_MAX} questions.")
    return tuple(found)


def _settings(node: Node | None, common: _Settings) -> _Settings:
    """Return the values that no clause gives; each says why it is no law."""
    entries = node.mapping(required=NO_KEYS, optional=NOTED) if node is not None else {}
    notes = dict(common.notes)
    temperature, freshness = common.temperature, common.freshness_seconds
    for key, item in entries.items():
        parts = item.mapping(required=frozenset({"note", *VALUES.get(key, ())}), optional=NO_KEYS)
        notes[key] = read_text(parts["note"])
        if key == "temperature":
            limit = _tenths(parts["limit"])
            temperature = TemperatureRule(limit=limit, required=parts["required"].flag())
        elif key == "freshness":
            freshness = _seconds(parts["value"])
    return _Settings(
        temperature=temperature, freshness_seconds=freshness, notes=MappingProxyType(notes)
    )


def _tenths(node: Node) -> int:
    try:
        tenths = Decimal(node.text()) * 10
    except InvalidOperation:
        tenths = Decimal(0)
    whole = tenths.is_finite() and tenths == tenths.to_integral_value()
    if not whole or not TEMPERATURE_TENTHS_MIN <= tenths <= TEMPERATURE_TENTHS_MAX:
        remedy = "Write degrees Celsius with one decimal: 37.3."
        node.fail("bad-temperature", f"{node.text()!r} is no body temperature.", remedy)
    return int(tenths)


def _seconds(node: Node) -> int:
    duration = read_duration(node)
    if not isinstance(duration, Elapsed):
        node.fail("not-a-duration", "counts elapsed time only.", "Write it like 5min or 1h.")
    return round(duration.delta.total_seconds())
