"""What differs between two packs, as a health officer would say it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from passlight.core.kernel.interval import Interval
from passlight.core.rules.pack import Pack, Rule

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
    yield from _presence("rule", before_rules, after_rules)
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
        if getattr(old, part) != getattr(new, part):
            yield f"rule {old.id}: {part} changed"
    if len(old.phases) != len(new.phases):
        yield f"rule {old.id}: {len(old.phases)} → {len(new.phases)} phases"
    for before, after in zip(old.phases, new.phases, strict=False):
        for part in _PHASE_PARTS:
            if getattr(before, part) != getattr(after, part):
                yield f"rule {old.id}, phase {before.index}: {part} changed"
