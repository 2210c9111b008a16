"""What differs between two packs, as a health officer would say it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from passlight.core.kernel.colour import Colour
from passlight.core.kernel.interval import Interval
from passlight.core.rules.pack import AbsenceForm, DuringForm, Pack, Rule, TriggerForm
from passlight.core.rules.terms import Basis, Text
from passlight.core.rules.wording import form_text, point_text, rule_text

_RULE_PARTS = ("form", "basis")
_PHASE_PARTS = ("colour", "starts", "ends", "reason", "advice", "open_ended")
_HEAD = ("id", "version", "zone", "effective", "published_at", "existing_measures", "rankings")
_MORE = ("mandatory", "chained_yellow", "badges", "waivers", "admission", "areas")


def differences(old: Pack, new: Pack) -> Iterator[str]:
    """Yield one sentence for each difference; none when the packs decide alike."""
    for part in (*_HEAD, *_MORE):
        before, after = getattr(old, part), getattr(new, part)
        if before != after:
            was, now = _short(before, old.zone), _short(after, new.zone)
            shown = f": {was} → {now}" if part in _HEAD else ""
            yield f"pack: {part} changed{shown}"
    yield from _parameters(old, new)
    before_rules = {rule.id: rule for rule in old.rules}
    after_rules = {rule.id: rule for rule in new.rules}
    for rule_id in sorted(before_rules.keys() - after_rules.keys()):
        yield f"rule {rule_id} removed: {rule_text(before_rules[rule_id])}"
    for rule_id in sorted(after_rules.keys() - before_rules.keys()):
        yield f"rule {rule_id} added: {rule_text(after_rules[rule_id])}"
    for rule_id in sorted(before_rules.keys() & after_rules.keys()):
        yield from _rule(before_rules[rule_id], after_rules[rule_id])


def _short(value: Any, zone: ZoneInfo) -> str:
    """Return a value in a few words, instants on the clock of the pack."""
    if isinstance(value, Interval):
        start, end = _short(value.start, zone), _short(value.end, zone)
        return f"from {start}" if value.end is None else f"from {start} until {end}"
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}…"  # noqa: PLR2004


def _presence(noun: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
    yield from (f"{noun} {name} removed" for name in sorted(old.keys() - new.keys()))
    yield from (f"{noun} {name} added" for name in sorted(new.keys() - old.keys()))


def _parameters(old: Pack, new: Pack) -> Iterator[str]:
    yield from _presence("parameter", old.parameters, new.parameters)
    for name in sorted(old.parameters.keys() & new.parameters.keys()):
        before, after = dict(old.parameters[name].values), dict(new.parameters[name].values)
        for start in sorted(before.keys() | after.keys()):
            if before.get(start) != after.get(start):
                day = start.astimezone(new.zone).date()
                was, now = before.get(start, "nothing"), after.get(start, "nothing")
                yield f"parameter {name} from {day}: {was} → {now}"


def _rule(old: Rule, new: Rule) -> Iterator[str]:
    for part in _RULE_PARTS:
        before, after = getattr(old, part), getattr(new, part)
        if before != after:
            yield f"rule {old.id}: {part} changed: {_part(before)} → {_part(after)}"
    if len(old.phases) != len(new.phases):
        yield f"rule {old.id}: {len(old.phases)} → {len(new.phases)} phases"
    for before, after in zip(old.phases, new.phases, strict=False):
        for part in _PHASE_PARTS:
            was, now = getattr(before, part), getattr(after, part)
            if was != now:
                yield (
                    f"rule {old.id}, phase {before.index}: {part} changed: "
                    f"{_part(was)} → {_part(now)}"
                )


def _part(value: Any) -> str:
    """Return a part of a rule in the words of its YAML."""
    if isinstance(value, TriggerForm | DuringForm | AbsenceForm):
        return form_text(value)
    if isinstance(value, Text):
        return f"{value.zh} / {value.en}"
    if isinstance(value, Basis):
        return f"{value.text}（{value.ref}）"
    if isinstance(value, Colour | bool):
        return str(value).lower()
    return point_text(value)
