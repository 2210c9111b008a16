"""Checks a compiled rule before anyone lives under it (field/08 1.3, "load-time checks")."""

from collections.abc import Iterator

from passlight.core.facts.kinds import KINDS, FieldType
from passlight.core.kernel.calendar import Duration
from passlight.core.kernel.colour import Colour
from passlight.core.rules.pack import AbsenceForm, DuringForm, Phase, Rule, TriggerForm
from passlight.core.rules.points import (
    After,
    At,
    Earliest,
    Latest,
    Moment,
    Never,
    Next,
    Nth,
    Point,
    parameters_of,
    walk,
)
from passlight.core.rules.source import Node

# Presence at a place and distance by computation are no human's judgement (field/08 decision 9).
_AUTOMATIC = frozenset({"venue.checkin", "venue.checkout", "exposure.derived"})
_KEYS = frozenset({FieldType.TEXT, FieldType.AREA})
_LEAVERS = frozenset({"travel.arrived", "stay", "residence"})
_TRIGGER_ONLY = frozenset(moment for moment in Moment if moment.value.startswith("trigger."))
_STAY_ONLY = frozenset({Moment.STAY_UNTIL, Moment.LISTING_UNTIL})
_INTERVAL_ONLY = frozenset({Moment.INTERVAL_FROM, Moment.INTERVAL_UNTIL}) | _STAY_ONLY


def check_rule(rule: Rule, node: Node, *, cap: Duration | None) -> None:
    """Note everything that a rule must not say; ``node`` is where it stands."""
    _automatic_red(rule, node)
    ends: list[Point] = []
    for phase in rule.phases:
        _check_moments(rule, phase, node)
        _check_same(rule, phase, node)
        _check_phase(rule, phase, node, cap=cap, ends=ends)
        ends.append(phase.ends)


def _automatic_red(rule: Rule, node: Node) -> None:
    red = [phase.index for phase in rule.phases if phase.colour is Colour.RED]
    automatic = _AUTOMATIC & set(_starting_kinds(rule, last=red[-1])) if red else frozenset()
    if automatic:
        node.findings.note(
            _place(node, rule.phases[red[0]], "colour"),
            "automatic-red",
            f"rule {rule.id}: {', '.join(sorted(automatic))} may not make anyone red.",
            "Make it yellow, or start from exposure.assessed, which a person has judged.",
        )


def _starting_kinds(rule: Rule, *, last: int) -> Iterator[str]:
    """Yield the kinds of fact that may decide when the phase ``last`` begins."""
    if isinstance(rule.form, TriggerForm):
        yield from rule.form.filter.kinds
    elif isinstance(rule.form, AbsenceForm):
        yield from (*rule.form.filter.kinds, *rule.form.since_kinds)
    phases = rule.phases[: last + 1]
    points = [phase.starts for phase in phases] + [phase.ends for phase in phases[:-1]]
    for point in points:
        for part in walk(point):
            if isinstance(part, Next | Nth):
                yield from part.filter.kinds
            if isinstance(part, Nth) and part.reset_on is not None:
                yield from part.reset_on.kinds


def _check_moments(rule: Rule, phase: Phase, node: Node) -> None:
    """Note the moments that this form of rule does not have."""
    known = _moments(rule, phase)
    for point in (*walk(phase.starts), *walk(phase.ends)):
        if not isinstance(point, At):
            continue
        moment = point.moment
        if moment not in known:
            message = f"rule {rule.id}, phase {phase.index}: {moment.value} does not exist here."
            place = _place(node, phase, "from" if point in walk(phase.starts) else "until")
            remedy = f"This rule has {', '.join(_moments(rule, phase))}."
            node.findings.note(place, "no-such-moment", message, remedy)


def _moments(rule: Rule, phase: Phase) -> tuple[Moment, ...]:
    """Return the moments that a phase of this form of rule has."""
    form = rule.form
    by_trigger = isinstance(form, TriggerForm)
    during = isinstance(form, DuringForm)
    return tuple(
        moment
        for moment in Moment
        if not (
            (moment in _INTERVAL_ONLY and by_trigger)
            or (moment in _TRIGGER_ONLY and not by_trigger)
            or (moment in _STAY_ONLY and not during)
            or (moment is Moment.PREV_UNTIL and phase.index == 0)
            or (isinstance(form, TriggerForm) and not _has(moment, form))
        )
    )


def _has(moment: Moment, form: TriggerForm) -> bool:
    kinds = set(form.filter.kinds)
    if moment is Moment.TRIGGER_LEFT:
        return kinds <= _LEAVERS
    if moment is Moment.TRIGGER_SAMPLED:
        return kinds <= {"lab.result", "lab.sampled"}
    return True


def _check_same(rule: Rule, phase: Phase, node: Node) -> None:
    for point in (*walk(phase.starts), *walk(phase.ends)):
        if not isinstance(point, Next) or point.same is None:
            continue
        kinds = rule.form.filter.kinds if isinstance(rule.form, TriggerForm) else ()
        forms = {KINDS[kind].fields.get(point.same) for kind in (*kinds, *point.filter.kinds)}
        # One instant or number is written in many ways: only texts are keys.
        if not kinds or not forms <= _KEYS:
            message = f"rule {rule.id}: its trigger has no key {point.same!r} to be the same."
            place = _place(node, phase, "until")
            remedy = "Name a key that both facts carry, or leave same out."
            node.findings.note(place, "no-same-key", message, remedy)


def _check_phase(
    rule: Rule, phase: Phase, node: Node, *, cap: Duration | None, ends: list[Point]
) -> None:
    where = f"rule {rule.id}, phase {phase.index}"
    note = node.findings.note
    start, end = _place(node, phase, "from"), _place(node, phase, "until")
    if parameters_of(phase.starts):
        remedy = "Start from prev.until, whose end knows the dates of the parameter."
        note(start, "parameter-in-from", f"{where}: from reads a parameter.", remedy, "from")
    if not reachable(phase.starts, ends):
        remedy = "Start from a moment that comes; nothing follows a phase without an end."
        note(start, "never-starts", f"{where}: its start never comes.", remedy, "from")
    if phase.starts == phase.ends:
        message = f"{where}: ends where it starts."
        note(end, "never-active", message, "Give it a later until.", "until")
    if not phase.open_ended and not reachable(phase.ends, ends):
        remedy = "Give it an end that can come, or declare open_ended: true."
        note(end, "no-end", f"{where}: its until can never be reached.", remedy, "until")
    unbounded = phase.colour is Colour.YELLOW and not bounded(phase.ends, ends)
    if isinstance(rule.form, TriggerForm) and unbounded and cap is None:
        note(
            end,
            "yellow-for-ever",
            f"{where}: yellow lasts for ever when the awaited fact never comes.",
            "Add an end by time: {earliest: [that fact, {after: [trigger.occurred, 21d]}]}, "
            "or pack.cap: {chained_yellow: 21d}.",
            "until",
        )


def _place(node: Node, phase: Phase, key: str) -> Node:
    """Return where ``key`` of a phase stands, or the phase, or the rule."""
    entries = node.entries()
    part = entries["phases"].items()[phase.index] if "phases" in entries else node
    return part.entries().get(key, part)


def reachable(point: Point, ends: list[Point]) -> bool:
    """Return whether some history reaches the point; ``ends`` are those of earlier phases."""
    if isinstance(point, Never):
        return False
    if isinstance(point, Earliest):
        return any(reachable(part, ends) for part in point.points)
    if isinstance(point, Latest):
        return all(reachable(part, ends) for part in point.points)
    if isinstance(point, After):
        return reachable(point.point, ends)
    if isinstance(point, Next | Nth):
        return reachable(point.since, ends)
    if point.moment is Moment.PREV_UNTIL and ends:
        return reachable(ends[-1], ends[:-1])
    return True


def bounded(point: Point, ends: list[Point]) -> bool:
    """Return whether time alone reaches the point, whatever facts do or do not come."""
    if isinstance(point, Never | Next | Nth):
        return False
    if isinstance(point, Earliest):
        return any(bounded(part, ends) for part in point.points)
    if isinstance(point, Latest):
        return all(bounded(part, ends) for part in point.points)
    if isinstance(point, After):
        return bounded(point.point, ends)
    # A phase that began at prev.until has reached it already.
    return point.moment not in _INTERVAL_ONLY
