"""Reads points: the moments from which a phase starts and at which it ends."""

from datetime import timedelta

from passlight.core.facts.kinds import KINDS
from passlight.core.kernel.calendar import Elapsed, parse_duration
from passlight.core.kernel.limits import POINT_DEPTH_MAX
from passlight.core.rules.points import (
    After,
    At,
    Earliest,
    Filter,
    Latest,
    Moment,
    Never,
    Next,
    Nth,
    Point,
    Test,
)
from passlight.core.rules.read_terms import Setting, read_amount, read_filter, read_text
from passlight.core.rules.source import Node, did_you_mean
from passlight.core.rules.terms import Text

_ONE_DAY = Elapsed(timedelta(days=1))
_MOMENTS = {moment.value: moment for moment in Moment}
_HELP = "Write a moment such as trigger.occurred, or after, next, nth, earliest, latest, never."
COMPOUND = frozenset({"after", "next", "nth", "earliest", "latest"})
_COUNTED = frozenset({"kind", "where", "since", "needs"})
NEXT = _COUNTED | {"same"}
NTH = _COUNTED | {"n", "gap", "every", "reset_on"}
DELISTED = Text("解除条件：地区移出名单", "Lifted by: delisting of the area")


def read_point(node: Node, setting: Setting, *, since: Moment, depth: int = 0) -> Point:
    """Return the point; ``since`` is where ``next`` and ``nth`` count from when nothing is said."""
    if depth > POINT_DEPTH_MAX:
        node.fail("too-deep", "is nested too deeply.", f"At most {POINT_DEPTH_MAX} levels.")
    if isinstance(node.value, str):
        return _moment(node)
    entries = node.entries()
    key = next(iter(entries), "")
    if len(entries) != 1 or key not in COMPOUND:
        near = did_you_mean(key, COMPOUND)
        node.fail("unknown-point", f"{key or 'nothing'!r} is not one point.", near + _HELP)
    inner = entries[key]
    if key == "next":
        return _next(inner, setting, since=since, depth=depth)
    if key == "nth":
        return _nth(inner, setting, since=since, depth=depth)

    def sub(part: Node) -> Point:
        return read_point(part, setting, since=since, depth=depth + 1)

    parts = inner.items()
    if key == "after":
        if len(parts) != 2:  # noqa: PLR2004
            inner.fail("bad-after", "needs a point and a duration.", "Write [point, 14d].")
        return After(sub(parts[0]), read_amount(parts[1], setting))
    if not parts:
        inner.fail("empty", "names no point.", _HELP)
    points = tuple(sub(part) for part in parts)
    return Earliest(points) if key == "earliest" else Latest(points)


def _moment(node: Node) -> At | Never:
    text = node.text()
    if text == "never":
        return Never()
    if text not in _MOMENTS:
        near = did_you_mean(text, {*_MOMENTS, "never"})
        node.fail("unknown-point", f"{text!r} is not a point.", near + _HELP)
    return At(_MOMENTS[text])


def _since(node: Node | None, setting: Setting, *, since: Moment, depth: int) -> Point:
    if node is None:
        return At(since)
    return read_point(node, setting, since=since, depth=depth + 1)


def _next(node: Node, setting: Setting, *, since: Moment, depth: int) -> Next:
    entries = node.mapping(required=frozenset({"kind"}), optional=NEXT - {"kind"})
    found = read_filter(entries)
    same = entries["same"].text() if "same" in entries else None
    if same is not None:
        for kind in found.kinds:
            if same not in KINDS[kind].fields:
                message = f"{kind} has no field {same!r}."
                near = did_you_mean(same, KINDS[kind].fields)
                remedy = f"{near}Name a key that both facts carry."
                entries["same"].fail("unknown-field", message, remedy)
    return Next(
        filter=found,
        since=_since(entries.get("since"), setting, since=since, depth=depth),
        same=same,
        needs=read_text(entries["needs"]) if "needs" in entries else lifted_by(found),
    )


def _nth(node: Node, setting: Setting, *, since: Moment, depth: int) -> Nth:
    required = frozenset({"kind", "n"})
    entries = node.mapping(required=required, optional=NTH - required)
    found = read_filter(entries)
    reset = None
    if "reset_on" in entries:
        required, extra = frozenset({"where"}), frozenset({"kind"})
        inner = dict(entries["reset_on"].mapping(required=required, optional=extra))
        reset = read_filter({"kind": entries["kind"], **inner})
        if reset == found:
            remedy = "Reset on the facts that break the row, such as {where: {value: pos}}."
            entries["reset_on"].fail("reset-same", "resets on the facts that it counts.", remedy)
    if "gap" in entries and "every" in entries:
        remedy = "Write gap for hours between tests, every for days in a row."
        entries["every"].fail("gap-and-every", "and gap exclude each other.", remedy)
    return Nth(
        filter=found,
        n=read_amount(entries["n"], setting, whole=True),
        gap=read_amount(entries["gap"], setting) if "gap" in entries else None,
        since=_since(entries.get("since"), setting, since=since, depth=depth),
        reset_on=reset,
        needs=read_text(entries["needs"]) if "needs" in entries else lifted_by(found),
        every=_every(entries["every"]) if "every" in entries else None,
    )


def _every(node: Node) -> Elapsed:
    found = parse_duration(node.text())
    if found != _ONE_DAY:
        remedy = "Write every: 1d, which is one on each local date; for longer pauses write gap."
        node.fail("not-every-day", f"{node.text()!r} is not one day.", remedy)
    return _ONE_DAY


def lifted_by(found: Filter) -> Text:
    """Return the sentence for an open condition whose author wrote none."""
    kinds = [KINDS[kind] for kind in found.kinds]
    negative = any(
        condition.field == "value" and condition.test is Test.IS and condition.values == ("neg",)
        for condition in found.where
    )
    if negative:
        return Text("解除条件：核酸检测阴性", "Lifted by: a negative test")
    zh = "或".join(kind.zh for kind in kinds)
    return Text(f"解除条件：{zh}", f"Lifted by: {' or '.join(kind.en for kind in kinds)}")
