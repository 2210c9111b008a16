"""The text of a pack as a tree that knows its lines.

Every scalar stays the text that the author wrote: a YAML reader would turn ``no`` into False and
``09:00`` into 540. What a value means is decided by the key it stands under.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn

import yaml

from passlight.core.kernel.limits import PACK_DEPTH_MAX, PACK_NODES_MAX, PACK_TEXT_CHARS_MAX
from passlight.core.kernel.problem import Problem
from passlight.core.kernel.yaml_events import TooDeepError, shallow_events

# What to write where something that must be there is missing; anything else is "Add key: …".
_MISSING: Mapping[str, str] = {
    "zh": "Every sentence stands in Chinese and in English: {zh: …, en: …}.",
    "en": "Every sentence stands in Chinese and in English: {zh: …, en: …}.",
    "basis": "Add basis: {text: the sentence of the notice, ref: which notice and clause}.",
    "reason": "Add reason: {zh: …, en: …}: what the person reads beside the colour.",
    "advice": "Add advice: {zh: …, en: …}: what the person can do.",
    "until": "Add until: when it ends, such as {after: [trigger.occurred, 14d]}.",
    "existing_measures": "Add existing_measures: convert (the new rules) or keep (the old).",
}
NULLS = frozenset({"", "null", "~", "none", "None"})


class BadInputError(Exception):
    """Raised inside the loader after the problem was noted; caught by the nearest list."""


class Findings:
    """Every problem of one pack, so that its author learns all of them at once."""

    __slots__ = ("problems",)

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def note(self, node: "Node", code: str, message: str, remedy: str, field: str = "") -> None:
        """Keep a problem with the line of ``node``."""
        self.problems.append(
            Problem(
                code=f"rules.{code}",
                message=message,
                remedy=remedy,
                file=node.file,
                line=node.line,
                field=field or node.key or None,
            )
        )

    def fail(self, node: "Node", code: str, message: str, remedy: str, field: str = "") -> NoReturn:
        """Keep a problem and leave the part that has it."""
        self.note(node, code, message, remedy, field)
        raise BadInputError

    @contextmanager
    def part(self) -> Iterator[None]:
        """Go on after a part that failed; its problems are kept."""
        try:
            yield
        except BadInputError:
            assert self.problems, "a failed part has noted its problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One value of a file: a text, a list or a mapping, with the line it stands on."""

    file: str
    line: int
    key: str
    value: "str | tuple[Node, ...] | Mapping[str, Node]"
    findings: Findings

    def fail(self, code: str, message: str, remedy: str, field: str = "") -> NoReturn:
        """Note a problem here and leave the part."""
        self.findings.fail(self, code, message, remedy, field)

    @property
    def is_null(self) -> bool:
        """Return whether the author wrote nothing or ``null``."""
        return isinstance(self.value, str) and self.value.strip() in NULLS

    def text(self) -> str:
        """Return the scalar as it is written."""
        if not isinstance(self.value, str):
            self.fail("not-text", "must be a single value.", "Write one value after the colon.")
        if self.is_null:
            self.fail("empty", "is empty.", "Write a value or remove the line.")
        if len(self.value) > PACK_TEXT_CHARS_MAX:
            self.fail(
                "too-long", "is too long.", f"Keep it within {PACK_TEXT_CHARS_MAX} characters."
            )
        return self.value.strip()

    def flag(self) -> bool:
        """Return true or false."""
        text = self.text()
        if text not in {"true", "false"}:
            self.fail("not-a-flag", f"{text!r} is not true or false.", "Write true or false.")
        return text == "true"

    def whole(self, *, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        text = self.text()
        if not text.isdecimal() or not least <= int(text) <= most:
            message = f"{text!r} is not a whole number from {least} to {most}."
            self.fail("not-a-number", message, "Write digits.")
        return int(text)

    def items(self) -> tuple["Node", ...]:
        """Return the entries of a list; a single value is a list of one."""
        if isinstance(self.value, str):
            return () if self.is_null else (self,)
        if not isinstance(self.value, tuple):
            remedy = "Write the entries with a dash or in brackets."
            self.fail("not-a-list", "must be a list.", remedy)
        return self.value

    def mapping(
        self, *, required: frozenset[str], optional: frozenset[str]
    ) -> Mapping[str, "Node"]:
        """Return the entries of a mapping; an unknown or a missing key is a problem."""
        entries = self.entries()
        unknown = [entry for key, entry in entries.items() if key not in required | optional]
        for entry in unknown:
            known = sorted(required | optional)
            remedy = f"{did_you_mean(entry.key, known)}Known: {', '.join(known)}."
            self.findings.note(entry, "unknown-key", "is not known here.", remedy)
        missing = sorted(key for key in required if key not in entries or entries[key].is_null)
        for key in missing:
            field = f"{self.key}.{key}" if self.key else key
            remedy = _MISSING.get(key, f"Add {key}: …")
            self.findings.note(self, "missing-key", "is missing.", remedy, field)
        if unknown or missing:
            raise BadInputError
        return {key: node for key, node in entries.items() if not node.is_null}

    def entries(self) -> Mapping[str, "Node"]:
        """Return the entries of a mapping with any keys."""
        if isinstance(self.value, str | tuple):
            self.fail("not-a-mapping", "must be a mapping.", "Write key: value pairs below it.")
        return self.value


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "Did you mean …? " when a known word is near the one written, else nothing."""
    by_form = {one.lower().replace("_", "-"): one for one in known}
    form = word.lower().replace("_", "-")
    swapped = [one for one in by_form if sorted(one) == sorted(form)]  # vai: via
    near = swapped or get_close_matches(form, by_form, n=1, cutoff=0.7)
    return f"Did you mean {by_form[near[0]]}? " if near else ""


def read_yaml(text: str, *, file: str, findings: Findings) -> Node:
    """Return the tree of one file.

    Anchors and aliases are refused: a short file could name itself into a long one.
    """
    top = Node(file=file, line=1, key="", value="", findings=findings)
    try:
        for event in shallow_events(text, depth_max=PACK_DEPTH_MAX + 1):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                remedy = "Write the value out."
                line = event.start_mark.line if event.start_mark else 0
                _fail_at(top, line, "alias", "anchors are not allowed.", remedy)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except TooDeepError as error:
        remedy = f"At most {PACK_DEPTH_MAX} levels and {PACK_NODES_MAX} values a file."
        _fail_at(top, error.line, "too-big", "the file is nested too deeply or too big.", remedy)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        remedy = "Check indentation, colons and quotes near this line."
        _fail_at(top, line, "not-yaml", f"the file is not YAML ({error.problem}).", remedy)
    except (yaml.YAMLError, RecursionError) as error:
        _fail_at(top, 0, "not-yaml", f"the file is not YAML ({error}).", "Write it in UTF-8 text.")
    if root is None:
        _fail_at(top, 0, "empty", "the file is empty.", "Fill it or delete it.")
    budget = [PACK_NODES_MAX]
    return _convert(root, file=file, key="", findings=findings, depth=0, budget=budget)


def _fail_at(top: Node, line: int, code: str, message: str, remedy: str) -> NoReturn:
    here = Node(file=top.file, line=line + 1, key="", value="", findings=top.findings)
    here.fail(code, message, remedy)


def _convert(
    node: yaml.Node, *, file: str, key: str, findings: Findings, depth: int, budget: list[int]
) -> Node:
    def made(value: "str | tuple[Node, ...] | Mapping[str, Node]") -> Node:
        line = node.start_mark.line + 1
        return Node(file=file, line=line, key=key, value=value, findings=findings)

    budget[0] -= 1
    if depth > PACK_DEPTH_MAX or budget[0] < 0:
        remedy = f"At most {PACK_DEPTH_MAX} levels and {PACK_NODES_MAX} values a file."
        made("").fail("too-big", "the file is nested too deeply or too big.", remedy)
    if isinstance(node, yaml.ScalarNode):
        return made(str(node.value))

    def child(part: yaml.Node, name: str) -> Node:
        return _convert(
            part, file=file, key=name, findings=findings, depth=depth + 1, budget=budget
        )

    if isinstance(node, yaml.SequenceNode):
        return made(tuple(child(part, key) for part in node.value))
    entries: dict[str, Node] = {}
    for name, part in node.value:
        if not isinstance(name, yaml.ScalarNode) or name.value in entries:
            remedy = "Every key is a text and stands once."
            made("").fail("bad-key", "has a key twice or a key that is no text.", remedy)
        entries[name.value] = child(part, name.value)
    return made(entries)
