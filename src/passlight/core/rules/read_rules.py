"""Reads rules: their form, their phases, and the badges and waivers beside them."""

import re
from dataclasses import replace

from passlight.core.facts.kinds import KINDS
from passlight.core.kernel.colour import Colour
from passlight.core.kernel.limits import PACK_PHASES_MAX
from passlight.core.rules.pack import (
    AbsenceForm,
    AreaCondition,
    AreaMatch,
    Badge,
    DuringForm,
    Phase,
    Rule,
    TriggerForm,
    WaiverPermission,
)
from passlight.core.rules.points import At, Filter, Moment, Point, parameters_of
from passlight.core.rules.read_points import read_point
from passlight.core.rules.read_terms import (
    Setting,
    read_basis,
    read_duration,
    read_filter,
    read_kinds,
    read_text,
)
from passlight.core.rules.source import Node, did_you_mean

Form = TriggerForm | DuringForm | AbsenceForm
FORMS = frozenset({"on", "during", "absence"})
PHASE_TEXTS = frozenset({"colour", "reason", "advice"})
PHASE_MORE = frozenset({"from", "until", "open_ended"})
RULE = frozenset({"id", "basis"})
RULE_MORE = FORMS | PHASE_TEXTS | PHASE_MORE | {"phases", "note"}
AREA = frozenset({"listed", "match", "lookback", "within"})
ABSENCE = frozenset({"kind", "max_gap", "since", "where"})
WAIVER = frozenset({"id", "rules", "longest", "text", "basis"})
BADGE = frozenset({"id", "while", "text"})
ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
STAY_KINDS = ("stay", "residence")


def read_id(node: Node) -> str:
    """Return an id: small letters, digits and hyphens."""
    text = node.text()
    if not ID.fullmatch(text):
        remedy = "Use small letters, digits and hyphens, at most 64."
        node.fail("bad-id", f"{text!r} is not an id.", remedy)
    return text


def read_rule(node: Node, setting: Setting) -> Rule:
    """Return one rule."""
    entries = node.mapping(required=RULE, optional=RULE_MORE)
    named = [key for key in ("on", "during", "absence") if key in entries]
    if len(named) != 1:
        remedy = "Write exactly one of on, during, absence."
        node.fail("rule-form", "has no form or several.", remedy)
    form = _form(named[0], entries[named[0]])
    if "phases" in entries:
        parts = entries["phases"].items()
        stray = [key for key in PHASE_TEXTS | PHASE_MORE if key in entries]
        if stray:
            remedy = "Put them inside the phases."
            node.fail("rule-form", f"has {', '.join(sorted(stray))} beside phases.", remedy)
    else:
        own = {key: part for key, part in entries.items() if key in PHASE_TEXTS | PHASE_MORE}
        parts = (Node(file=node.file, line=node.line, key="", value=own, findings=node.findings),)
    if not 1 <= len(parts) <= PACK_PHASES_MAX:
        remedy = f"A rule has one to {PACK_PHASES_MAX} phases."
        node.fail("phase-count", "has no phase or too many.", remedy)
    return Rule(
        id=read_id(entries["id"]),
        form=form,
        phases=tuple(_phase(part, form, setting, index=i) for i, part in enumerate(parts)),
        basis=read_basis(entries["basis"]),
    )


def _form(key: str, node: Node) -> Form:
    if key == "on":
        entries = node.mapping(required=frozenset({"kind"}), optional=frozenset({"where", "area"}))
        area = _area(entries["area"], entries["kind"]) if "area" in entries else None
        return TriggerForm(filter=read_filter(entries), area=area)
    return _during(node) if key == "during" else _absence(node)


def _area(node: Node, kind: Node) -> AreaCondition:
    entries = node.mapping(required=frozenset(), optional=AREA)
    kinds = read_kinds(kind)
    if not set(kinds) <= {"travel.arrived", *STAY_KINDS}:
        kind.fail("no-area", "has no area to compare.", "Use travel.arrived, stay or residence.")
    if ("within" in entries) == ("listed" in entries):
        node.fail("area-form", "must say listed or within.", "Write one of the two.")
    if "within" in entries:
        within = entries["within"].text()
        return AreaCondition(levels=(), match=None, lookback=None, within=within)
    if "match" not in entries:
        modes = ", ".join(match.value for match in AreaMatch)
        node.fail("no-match", "does not say when the area must be listed.", f"match: {modes}.")
    match = _match(entries["match"])
    if (match is AreaMatch.WITHIN) != ("lookback" in entries):
        node.fail("lookback", "and match do not fit.", "lookback belongs to listed_within.")
    if match is AreaMatch.DURING_STAY and not set(kinds) <= set(STAY_KINDS):
        entries["match"].fail(
            "no-stay", "needs a stay with a start.", "An arrival tells the departure only."
        )
    return AreaCondition(
        levels=_levels(entries["listed"]),
        match=match,
        lookback=read_duration(entries["lookback"]) if "lookback" in entries else None,
        within=None,
    )


def _match(node: Node) -> AreaMatch:
    try:
        return AreaMatch(node.text())
    except ValueError:
        modes = ", ".join(match.value for match in AreaMatch)
        near = did_you_mean(node.text(), [match.value for match in AreaMatch])
        node.fail("unknown-match", f"{node.text()!r} is no match.", f"{near}One of {modes}.")


def _levels(node: Node) -> tuple[str, ...]:
    levels = tuple(item.text() for item in node.items())
    if not levels:
        node.fail("empty", "names no level.", "Write the levels that count, such as high.")
    return levels


def _during(node: Node) -> DuringForm:
    parts = node.mapping(required=frozenset({"all"}), optional=frozenset())["all"].items()
    found: dict[str, Node] = {}
    for part in parts:
        found |= part.mapping(required=frozenset(), optional=frozenset({"stay", "listed"}))
    if set(found) != {"stay", "listed"} or len(parts) != len(found):
        node.fail("during-form", "needs one stay and one listed.", "[{stay: …}, {listed: …}].")
    stays = read_kinds(found["stay"])
    if not set(stays) <= set(STAY_KINDS):
        found["stay"].fail("no-stay", "is no stay.", "Use stay, residence or both.")
    return DuringForm(stays=stays, levels=_levels(found["listed"]))


def _absence(node: Node) -> AbsenceForm:
    entries = node.mapping(required=ABSENCE - {"where"}, optional=frozenset({"where"}))
    effective, birth, kinds = False, None, []
    for item in entries["since"].items():
        text = item.text()
        if text == "policy.effective":
            effective = True
        elif text.startswith("birth+"):
            birth = read_duration(replace(item, value=text.removeprefix("birth+")))
        elif text in KINDS:
            kinds.append(text)
        else:
            near = did_you_mean(text, {"policy.effective", *KINDS})
            remedy = f"{near}Write policy.effective, birth+3y or a kind of fact."
            item.fail("unknown-since", f"{text!r} is nothing to count from.", remedy)
    if not effective:
        remedy = "Begin with policy.effective: nobody is overdue before the rule exists."
        entries["since"].fail("no-start", "has no start.", remedy)
    return AbsenceForm(
        filter=read_filter(entries),
        max_gap=read_duration(entries["max_gap"]),
        policy_effective=effective,
        since_kinds=tuple(kinds),
        birth=birth,
    )


def _phase(node: Node, form: Form, setting: Setting, *, index: int) -> Phase:
    by_trigger = isinstance(form, TriggerForm)
    until = frozenset({"until"}) if by_trigger else frozenset()
    entries = node.mapping(required=PHASE_TEXTS | until, optional=PHASE_MORE)
    since = Moment.TRIGGER_OCCURRED if by_trigger else Moment.INTERVAL_FROM
    starts = Moment.PREV_UNTIL if index else since

    def point(key: str, default: Moment) -> Point:
        if key not in entries:
            return At(default)
        return read_point(entries[key], setting, since=since)

    ends = point("until", Moment.INTERVAL_UNTIL)
    return Phase(
        index=index,
        colour=_colour(entries["colour"]),
        starts=point("from", starts),
        ends=ends,
        reason=read_text(entries["reason"]),
        advice=read_text(entries["advice"]),
        open_ended="open_ended" in entries and entries["open_ended"].flag(),
        parameters=tuple(sorted(parameters_of(ends))),
    )


def _colour(node: Node) -> Colour:
    text = node.text()
    if text not in {"yellow", "red"}:
        remedy = "Write yellow or red; green is the absence of both."
        node.fail("bad-colour", f"{text!r} is no colour of a measure.", remedy)
    return Colour(text)


def read_badge(node: Node) -> Badge:
    """Return one badge."""
    entries = node.mapping(required=BADGE, optional=frozenset())
    inner = entries["while"].mapping(required=frozenset({"after_within"}), optional=frozenset())
    parts = inner["after_within"].items()
    if len(parts) != 2:  # noqa: PLR2004
        inner["after_within"].fail("bad-badge", "needs a kind and a duration.", "[kind, 5d].")
    if isinstance(parts[0].value, str):
        found = Filter(kinds=read_kinds(parts[0]))
    else:
        required, optional = frozenset({"kind"}), frozenset({"where"})
        found = read_filter(parts[0].mapping(required=required, optional=optional))
    return Badge(
        id=read_id(entries["id"]),
        filter=found,
        within=read_duration(parts[1]),
        text=read_text(entries["text"]),
    )


def read_waiver(node: Node) -> WaiverPermission:
    """Return one permission to suspend rules for a time."""
    entries = node.mapping(required=WAIVER, optional=frozenset())
    return WaiverPermission(
        id=read_id(entries["id"]),
        rules=tuple(item.text() for item in entries["rules"].items()),
        longest=read_duration(entries["longest"]),
        text=read_text(entries["text"]),
        basis=read_basis(entries["basis"]),
    )
