"""Reads the small parts of a pack: sentences, bases, durations, instants, parameters, filters."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from math import isfinite, nan
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from passlight.core.facts.kinds import KINDS, FieldType
from passlight.core.kernel.calendar import (
    CalendarDays,
    Duration,
    Elapsed,
    Years,
    local_instant,
    parse_duration,
    start_of_day,
)
from passlight.core.kernel.limits import AGE_YEARS_MAX, DURATION_MAX, NTH_COUNT_MAX
from passlight.core.rules.points import Condition, Filter, Parameter, Test
from passlight.core.rules.source import Node, did_you_mean
from passlight.core.rules.terms import Basis, DatedParameter, Text

NO_KEYS: frozenset[str] = frozenset()
# A colour is never computed from who a person is (design.md 3); the words a writer might try.
_PERSONAL = frozenset(
    (
        *("name", "surname", "identity", "id", "id_number", "document", "document_number"),
        *("passport", "phone", "mobile", "bank", "account", "card", "origin", "native_place"),
        *("hukou", "household_register", "nationality", "ethnicity", "religion", "gender"),
        *("sex", "age", "income", "employer", "subject"),
    )
)
_RECURSIVE = frozenset({"colour", "color", "measure", "measures", "status", "badge", "badges"})
# Where a telephone was is not where a person was, and nobody has decided anything by it.
_PRESENCE = re.compile(
    r"(?:^|[._-])(?:phone|mobile|cell|signal|roaming|gps|location|bluetooth|wifi|trajector)"
    r"|手机|信令|漫游|定位|轨迹",
    re.IGNORECASE,
)
ELSEWHERE = frozenset({"area.listed", "area.delisted", "source.delivered"})
_OTHER_WORDS = {"negative": "neg", "positive": "pos", "阴性": "neg", "阳性": "pos"}
_SUFFIXES = {"_gte": Test.AT_LEAST, "_lte": Test.AT_MOST, "_present": Test.PRESENT}
DURATION_HELP = "Write it like 14d, 36h, 10min, or {calendar: 14d, day_zero: occurred_date}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the parts of one pack share while they are read."""

    zone: ZoneInfo
    parameters: dict[str, DatedParameter]


def read_text(node: Node) -> Text:
    """Return a sentence; both languages must be there."""
    entries = node.mapping(required=frozenset({"zh", "en"}), optional=NO_KEYS)
    return Text(entries["zh"].text(), entries["en"].text())


def read_basis(node: Node) -> Basis:
    """Return the sentence of law behind a rule."""
    required, optional = frozenset({"text", "ref"}), frozenset({"url"})
    entries = node.mapping(required=required, optional=optional)
    url = entries["url"].text() if "url" in entries else None
    return Basis(text=entries["text"].text(), ref=entries["ref"].text(), url=url)


def read_duration(node: Node) -> Duration:
    """Return a duration, elapsed or by the calendar."""
    if isinstance(node.value, str):
        found = parse_duration(node.text())
        if found is None:
            node.fail("not-a-duration", f"{node.text()!r} is not a duration.", DURATION_HELP)
        if isinstance(found, Elapsed) and found.delta > DURATION_MAX:
            node.fail("too-long", "is longer than 20 years.", "Use never for a time without end.")
        if isinstance(found, Years) and found.years > AGE_YEARS_MAX:
            node.fail("too-long", f"is longer than {AGE_YEARS_MAX} years.", "Nobody is so old.")
        return found
    return _calendar(node)


def _calendar(node: Node) -> CalendarDays:
    optional = frozenset({"day_zero", "day_one", "inclusive", "release"})
    entries = node.mapping(required=frozenset({"calendar"}), optional=optional)
    days = parse_duration(entries["calendar"].text())
    whole = isinstance(days, Elapsed) and days.delta.seconds == 0
    if not isinstance(days, Elapsed) or not whole or days.delta > DURATION_MAX:
        node.fail("not-days", "counts whole days only.", "Write it like {calendar: 14d, …}.")
    counted = [key for key in ("day_zero", "day_one") if key in entries]
    if len(counted) != 1 or entries[counted[0]].text() != "occurred_date":
        remedy = "Write day_zero: occurred_date, or day_one: occurred_date when that day counts."
        node.fail("day-zero", "does not say how the first day counts.", remedy)
    return CalendarDays(
        days=days.delta.days,
        counts_first=counted == ["day_one"],
        inclusive="inclusive" in entries and entries["inclusive"].flag(),
        release=_clock_time(entries["release"]) if "release" in entries else time(0),
    )


def _clock_time(node: Node) -> time:
    try:
        return time.fromisoformat(node.text())
    except ValueError:
        node.fail("not-a-clock-time", f"{node.text()!r} is not a time of day.", 'Write "08:00".')


def read_instant(node: Node, *, zone: ZoneInfo) -> datetime:
    """Return an instant; a date is its first moment, a time without an offset is local."""
    text = node.text()
    try:
        if len(text) == len("2020-02-17"):
            return start_of_day(date.fromisoformat(text), zone=zone)
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            return local_instant(found.date(), found.time(), zone=zone)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        remedy = "Write it like 2020-02-17 or 2020-02-17T00:00."
        node.fail("not-a-time", f"{text!r} is neither a date nor a time.", remedy)


def read_parameter(node: Node, *, zone: ZoneInfo) -> DatedParameter:
    """Return a dated parameter: ``{2020-02-17: 14d, 2022-06-28: {value: 7d, metadata: …}}``."""
    dated: dict[datetime, tuple[Any, str | None]] = {}
    for key, entry in node.entries().items():
        start = read_instant(_at(entry, key), zone=zone)
        value, reference = entry, None
        if not isinstance(entry.value, str | tuple) and "value" in entry.value:
            known = frozenset({"metadata"})
            parts = entry.mapping(required=frozenset({"value"}), optional=known)
            value = parts["value"]
            reference = _reference(parts["metadata"]) if "metadata" in parts else None
        dated[start] = (_parameter_value(value), reference)
    if not dated:
        node.fail("parameter-empty", "has no value.", "Give it a value by date.")
    starts = sorted(dated)
    return DatedParameter(
        name=node.key,
        values=tuple((start, dated[start][0]) for start in starts),
        references=tuple(dated[start][1] for start in starts),
    )


def _at(node: Node, text: str) -> Node:
    return Node(file=node.file, line=node.line, key=text, value=text, findings=node.findings)


def _reference(node: Node) -> str:
    return node.mapping(required=frozenset({"reference"}), optional=NO_KEYS)["reference"].text()


def _parameter_value(node: Node) -> Any:
    if isinstance(node.value, tuple):
        return tuple(_parameter_value(item) for item in node.value)
    if not isinstance(node.value, str):
        return read_duration(node)
    text = node.text()
    if text.isdecimal():
        return int(text)
    return text if parse_duration(text) is None else read_duration(node)


def read_amount(node: Node, setting: Setting, *, whole: bool = False) -> Any:
    """Return a duration (or a count) or a reference ``param.name`` to one."""
    if isinstance(node.value, str) and node.value.startswith("param."):
        name = node.value.removeprefix("param.")
        parameter = setting.parameters.get(name)
        if parameter is None:
            known = ", ".join(sorted(setting.parameters)) or "none"
            remedy = f"{did_you_mean(name, setting.parameters)}Known: {known}."
            node.fail("unknown-parameter", f"{name!r} is no parameter.", remedy)
        wanted: Any = int if whole else Duration
        if not all(isinstance(value, wanted) for _, value in parameter.values):
            remedy = "Give it a whole number." if whole else DURATION_HELP
            node.fail("parameter-type", f"{name!r} is of another type.", remedy)
        counts = [value for _, value in parameter.values if whole]
        if any(not 1 <= count <= NTH_COUNT_MAX for count in counts):
            message = f"{name!r} counts from 1 to {NTH_COUNT_MAX}."
            node.fail("not-a-number", message, "Change its values under params.")
        return Parameter(name)
    return node.whole(least=1, most=NTH_COUNT_MAX) if whole else read_duration(node)


def read_kinds(node: Node) -> tuple[str, ...]:
    """Return one or several kinds of fact."""
    kinds = tuple(item.text() for item in node.items())
    if not kinds:
        node.fail("empty", "names no kind of fact.", "Write one, such as travel.arrived.")
    for kind in kinds:
        if kind not in KINDS:
            refuse_kind(node, kind)
        if kind in ELSEWHERE:
            message = f"{kind} is not about a person."
            remedy = "For a list of areas write area: {listed: …} under on, or during."
            node.fail("no-person", message, remedy)
    return kinds


def refuse_kind(node: Node, kind: str) -> NoReturn:
    """Refuse a word that is no kind of fact, and say what to write instead."""
    message = f"{kind!r} is not a kind of fact."
    if _PRESENCE.search(kind):
        why = "presence by phone: a telephone's place is not a person's, and no office states it."
        remedy = "Start from a fact: stay, residence, travel.arrived, exposure.assessed."
        node.fail("phone-presence", f"{message[:-1]}, but {why}", remedy)
    if kind.partition(".")[0] in _RECURSIVE:
        remedy = "A rule reads facts only, never a colour or a measure."
        node.fail("recursion", f"{kind!r} is a result of rules.", remedy)
    remedy = f"{did_you_mean(kind, KINDS)}The kinds are in policies/README.md."
    node.fail("unknown-kind", message, remedy)


def read_filter(entries: "dict[str, Node] | Any") -> Filter:
    """Return the filter of a mapping with ``kind`` and perhaps ``where``."""
    kinds = read_kinds(entries["kind"])
    where = entries.get("where")
    if where is None:
        return Filter(kinds=kinds)
    conditions = tuple(_condition(item, key, kinds) for key, item in where.entries().items())
    _refuse_contradiction(where, conditions)
    return Filter(kinds=kinds, where=conditions)


def _refuse_contradiction(node: Node, conditions: tuple[Condition, ...]) -> None:
    """Refuse conditions that no fact can meet together: the rule would never hold."""
    by_field: dict[str, dict[Test, tuple[Any, ...]]] = {}
    for one in conditions:
        by_field.setdefault(one.field, {})[one.test] = one.values
    for field, tests in by_field.items():
        absent = tests.get(Test.PRESENT) == (False,) and len(tests) > 1
        least, most = tests.get(Test.AT_LEAST), tests.get(Test.AT_MOST)
        crossed = least is not None and most is not None and least[0] > most[0]
        if absent or crossed:
            message = f"no fact can meet every condition on {field!r}."
            node.fail("contradiction", message, "Remove one of them.", field)


def _condition(node: Node, key: str, kinds: tuple[str, ...]) -> Condition:
    test = Test.IS
    name = key
    for suffix, found in _SUFFIXES.items():
        if key.endswith(suffix):
            name, test = key.removesuffix(suffix), found
    _refuse_personal(node, name)
    types = {KINDS[kind].fields.get(name) for kind in kinds}
    if None in types:
        shared = set.intersection(*(set(KINDS[kind].fields) for kind in kinds))
        known = ", ".join(sorted(shared)) or "nothing"
        message = f"{' and '.join(kinds)} {'has' if len(kinds) == 1 else 'have'} no field {name!r}."
        remedy = f"{did_you_mean(name, shared)}A rule may read: {known}."
        node.fail("unknown-field", message, remedy)
    if test is Test.PRESENT:
        return Condition(field=name, test=test, values=(node.flag(),))
    if len(types) > 1:
        remedy = "Write a rule, or a point, for each kind."
        node.fail("not-comparable", f"is no one thing in {' and '.join(kinds)}.", remedy)
    wanted = next(iter(types))
    if (wanted is FieldType.NUMBER) is False and test is not Test.IS:
        node.fail("not-comparable", "is no number.", "Only numbers have _gte and _lte.")
    if wanted in {FieldType.INSTANT, FieldType.OBJECT}:
        node.fail("not-comparable", "is a time or an object.", "Use a point such as after.")
    values = tuple(_value(item, wanted) for item in node.items())
    if not values or (test is not Test.IS and len(values) != 1):
        node.fail("empty", "needs a value to compare with.", "Write one value.")
    return Condition(field=name, test=test, values=values)


def _refuse_personal(node: Node, name: str) -> None:
    if name in _PERSONAL:
        message = f"{name!r} says who a person is."
        remedy = "No rule reads identity, name, origin, phone or bank; use what happened."
        node.fail("personal-input", message, remedy)
    if name in _RECURSIVE:
        message = f"{name!r} is a result of rules."
        node.fail("recursion", message, "A rule reads facts only, never a colour or a measure.")


def _value(node: Node, wanted: FieldType | None) -> Any:
    if wanted is FieldType.FLAG:
        return node.flag()
    text = node.text()
    if wanted is not FieldType.NUMBER:
        if node.key == "value" and text.lower() in _OTHER_WORDS:
            known = _OTHER_WORDS[text.lower()]
            node.fail("other-word", f"laboratories do not write {text!r}.", f"Write {known}.")
        return text
    try:
        number = float(text)
    except ValueError:
        number = nan
    if not isfinite(number):
        node.fail("not-a-number", f"{text!r} is not a number.", "Write digits.")
    return number
