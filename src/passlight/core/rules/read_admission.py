"""Reads the admission policies of a pack."""

from types import MappingProxyType
from typing import Any

from passlight.core.kernel.calendar import Elapsed
from passlight.core.kernel.colour import Colour
from passlight.core.rules.admission import AdmissionPolicy, AgeCount, Failure, Outcome
from passlight.core.rules.read_terms import NO_KEYS, Setting, read_basis, read_text
from passlight.core.rules.source import Node
from passlight.core.rules.terms import DatedParameter

_REQUIRED = frozenset({"role", "venue_class", "colours", "failures", "basis"})
_OPTIONAL = frozenset({"test_age", "test_age_counts", "mask", "settings"})
REQUIREMENTS = ("red", "yellow", "test", "mask", "temperature", "unknown")


def read_policy(node: Node, setting: Setting) -> AdmissionPolicy:
    """Return what one role must show at a door."""
    entries = node.mapping(required=_REQUIRED, optional=_OPTIONAL)
    counts = entries["test_age_counts"].text() if "test_age_counts" in entries else "elapsed"
    if counts not in set(AgeCount):
        remedy = "Write elapsed or calendar."
        entries["test_age_counts"].fail("bad-count", f"{counts!r} is no way to count.", remedy)
    return AdmissionPolicy(
        role=entries["role"].text(),
        venue_class=entries["venue_class"].text(),
        colours=tuple(_colour(item) for item in entries["colours"].items()),
        test_age=_test_age(entries["test_age"], setting) if "test_age" in entries else None,
        test_age_counts=AgeCount(counts),
        mask="mask" in entries and entries["mask"].flag(),
        failures=tuple(_failure(key, item) for key, item in entries["failures"].entries().items()),
        settings=MappingProxyType(_settings(entries.get("settings"))),
        basis=read_basis(entries["basis"]),
    )


def _colour(node: Node) -> Colour:
    text = node.text()
    if text not in {"green", "yellow", "red"}:
        node.fail("bad-colour", f"{text!r} is no colour.", "Write green, yellow or red.")
    return Colour(text)


def _test_age(node: Node, setting: Setting) -> DatedParameter:
    name = node.text().removeprefix("param.")
    parameter = setting.parameters.get(name)
    if parameter is None or not all(isinstance(v, Elapsed) for _, v in parameter.values):
        remedy = "Name a parameter with hours: param.visitor_test_age."
        node.fail("unknown-parameter", f"{name!r} is no parameter of hours.", remedy)
    return parameter


def _failure(key: str, node: Node) -> Failure:
    if key not in REQUIREMENTS:
        known = ", ".join(REQUIREMENTS)
        node.fail("unknown-key", f"{key!r} is no requirement.", f"Known: {known}.")
    entries = node.mapping(required=frozenset({"outcome", "say"}), optional=NO_KEYS)
    outcome = entries["outcome"].text()
    if outcome not in set(Outcome):
        remedy = "Write admit, ask, refuse or isolate."
        entries["outcome"].fail("bad-outcome", f"{outcome!r} is no outcome.", remedy)
    return Failure(requirement=key, outcome=Outcome(outcome), say=read_text(entries["say"]))


def _settings(node: Node | None) -> dict[str, Any]:
    """Return the hall's own settings; each says why it is no law."""
    found: dict[str, Any] = {}
    for key, item in (node.entries() if node is not None else {}).items():
        entries = item.mapping(required=frozenset({"note"}), optional=frozenset({"value"}))
        value = entries["value"].text() if "value" in entries else None
        found[key] = {"value": value, "note": read_text(entries["note"]).to_json()}
    return found
