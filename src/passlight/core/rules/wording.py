"""Points and forms as one line of text, in the words of the YAML, for whoever compares packs."""

from typing import Any

from passlight.core.rules.pack import AbsenceForm, DuringForm, Rule, TriggerForm
from passlight.core.rules.points import (
    After,
    At,
    Earliest,
    Filter,
    Latest,
    Next,
    Nth,
    Parameter,
    Point,
    Test,
)

_SIGNS = {Test.IS: " is ", Test.AT_LEAST: " ≥ ", Test.AT_MOST: " ≤ "}


def point_text(point: Point) -> str:
    """Return a point as ``after(trigger.occurred, 14d)``."""
    if isinstance(point, At):
        return point.moment.value
    if isinstance(point, After):
        return f"after({point_text(point.point)}, {amount_text(point.amount)})"
    if isinstance(point, Next):
        same = f", same {point.same}" if point.same else ""
        return f"next({filter_text(point.filter)}{same}, since {point_text(point.since)})"
    if isinstance(point, Nth):
        return f"nth({_nth(point)}, since {point_text(point.since)})"
    if isinstance(point, Earliest | Latest):
        name = "earliest" if isinstance(point, Earliest) else "latest"
        return f"{name}({', '.join(point_text(part) for part in point.points)})"
    return "never"


def _nth(point: Nth) -> str:
    parts = [f"{amount_text(point.n)} of {filter_text(point.filter)}"]
    if point.gap is not None:
        parts.append(f"gap {amount_text(point.gap)}")
    if point.every is not None:
        parts.append(f"every {point.every}")
    if point.reset_on is not None:
        parts.append(f"reset on {filter_text(point.reset_on)}")
    return ", ".join(parts)


def amount_text(amount: Any) -> str:
    """Return a duration, a count, or ``param.name``."""
    return f"param.{amount.name}" if isinstance(amount, Parameter) else str(amount)


def filter_text(wanted: Filter) -> str:
    """Return a filter as ``lab.result (value is neg)``."""
    conditions = []
    for one in wanted.where:
        if one.test is Test.PRESENT:
            conditions.append(f"{one.field} {'present' if one.values[0] else 'absent'}")
        else:
            values = " or ".join(str(value) for value in one.values)
            conditions.append(f"{one.field}{_SIGNS[one.test]}{values}")
    where = f" ({', '.join(conditions)})" if conditions else ""
    return f"{' or '.join(wanted.kinds)}{where}"


def form_text(form: TriggerForm | DuringForm | AbsenceForm) -> str:
    """Return when a rule applies."""
    if isinstance(form, DuringForm):
        return f"{' or '.join(form.stays)} while listed {' or '.join(form.levels)}"
    if isinstance(form, AbsenceForm):
        since = [*(["policy.effective"] if form.policy_effective else []), *form.since_kinds]
        since += [f"birth+{form.birth}"] if form.birth is not None else []
        return f"no {filter_text(form.filter)} for {form.max_gap} since {', '.join(since)}"
    if form.area is None:
        return filter_text(form.filter)
    area = form.area
    if area.within is not None:
        return f"{filter_text(form.filter)} from within {area.within}"
    lookback = f" {area.lookback}" if area.lookback is not None else ""
    match = area.match.value if area.match is not None else ""
    return f"{filter_text(form.filter)}, {match}{lookback} {' or '.join(area.levels)}"


def rule_text(rule: Rule) -> str:
    """Return one line on a rule: when it applies, and its phases."""
    phases = "; ".join(
        f"{phase.colour.value} from {point_text(phase.starts)} until {point_text(phase.ends)}"
        for phase in rule.phases
    )
    return f"{form_text(rule.form)}: {phases}"
