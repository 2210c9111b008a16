"""Loads a rule pack: its files in, the typed form out, or every problem at once."""

import csv
import io
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from passlight.core.facts.kinds import KINDS
from passlight.core.kernel.calendar import CalendarDays, Duration, Elapsed
from passlight.core.kernel.canonical import content_hash
from passlight.core.kernel.interval import Interval
from passlight.core.kernel.limits import (
    CHAINED_YELLOW_MAX,
    PACK_AREAS_BYTES_MAX,
    PACK_FILE_BYTES_MAX,
    PACK_FILES_MAX,
    PACK_PARAMETERS_MAX,
    PACK_RULES_MAX,
)
from passlight.core.kernel.problem import ProblemError
from passlight.core.rules.areas import AreaCodes, AreaRow
from passlight.core.rules.check import check_rule
from passlight.core.rules.pack import Existing, MandatorySource, Pack, Rule, WhenStale
from passlight.core.rules.read_admission import read_admission
from passlight.core.rules.read_rules import read_badge, read_id, read_rule, read_waiver
from passlight.core.rules.read_terms import (
    NO_KEYS,
    Setting,
    read_duration,
    read_instant,
    read_parameter,
    read_text,
    refuse_kind,
)
from passlight.core.rules.source import (
    BadInputError,
    Findings,
    Node,
    did_you_mean,
    read_yaml,
)
from passlight.core.rules.terms import DatedParameter, Text

T = TypeVar("T")
# A region and a place. Not ``localtime`` and ``posixrules``, which are this machine's own, nor
# ``right/…``, whose seconds are other seconds.
_IANA_NAME = re.compile(
    r"(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Etc|Europe|Indian|Pacific)"
    r"(?:/[A-Za-z0-9_+-]+){1,2}"
)
MAIN = "pack.yaml"
AREAS = "areas.csv"
ADMISSION = "admission.yaml"
AREA_COLUMNS = ("area", "name", "parent", "from", "until", "successor")
MANDATORY = frozenset({"source", "within", "when_stale", "text"})
BESIDE = frozenset({"params", "rules", "badges", "waivers"})
HEAD = frozenset({"id", "version", "timezone", "effective", "published_at", "existing_measures"})
HEAD_MORE = frozenset({"name", "supersedes", "sources", "mandatory", "cap"})


def load_pack(files: Mapping[str, str]) -> Pack:
    """Return the compiled pack of these files (path inside the folder → text).

    Raises:
        ProblemError: with every problem found, each with its file, line and what to do.
    """
    findings = Findings()
    texts = {path: _clean(text) for path, text in files.items()}
    pack = None
    with findings.part():
        _check_files(texts, findings)
        pack = _load(texts, findings)
    if findings.problems:
        raise ProblemError(
            *sorted(findings.problems, key=lambda one: (one.file or "", one.line or 0))
        )
    assert pack is not None
    return pack


def _clean(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def is_law(path: str) -> bool:
    """Return whether the file decides anything; tests and explanations do not."""
    return path in {MAIN, AREAS, ADMISSION} or path.startswith("rules/")


def _check_files(texts: Mapping[str, str], findings: Findings) -> None:
    for path, text in texts.items():
        known = is_law(path) or path.startswith("tests/") or path.endswith(".md")
        limit = PACK_AREAS_BYTES_MAX if path == AREAS else PACK_FILE_BYTES_MAX
        here = Node(file=path, line=1, key="", value="", findings=findings)
        if not known:
            remedy = "A pack is pack.yaml, rules/*.yaml, areas.csv, admission.yaml, tests/*.yaml."
            findings.note(here, "unknown-file", "does not belong to a pack.", remedy)
        if len(text.encode()) > limit:
            findings.note(here, "too-big", "is too big.", f"Keep it within {limit} bytes.")
    here = Node(file=MAIN, line=1, key="", value="", findings=findings)
    if len(texts) > PACK_FILES_MAX:
        findings.note(here, "too-many-files", "has too many files.", f"At most {PACK_FILES_MAX}.")
    if MAIN not in texts:
        here.fail("no-pack", "is missing.", "Every pack has a pack.yaml with its id and dates.")
    if findings.problems:
        raise BadInputError


def _load(texts: Mapping[str, str], findings: Findings) -> Pack:
    root = read_yaml(texts[MAIN], file=MAIN, findings=findings)
    parts = root.mapping(required=frozenset({"pack"}), optional=BESIDE)
    head = parts["pack"].mapping(required=HEAD, optional=HEAD_MORE)
    zone = _zone(head["timezone"])
    effective = _effective(head["effective"], zone=zone)
    setting = Setting(zone=zone, parameters=_parameters(parts.get("params"), effective, zone=zone))
    cap = _cap(head.get("cap"))
    rules = _compile(_rule_nodes(texts, parts.get("rules"), findings=findings), setting, cap=cap)
    if not rules and not findings.problems:
        remedy = "Write rules/*.yaml; a pack without rules would show everyone green."
        root.fail("no-rules", "has no rules.", remedy, "rules")
    areas = AreaCodes()
    with findings.part():
        areas = _areas(texts.get(AREAS, ""), findings, zone=zone)
    pack_id = read_id(head["id"])
    policies = None
    if ADMISSION in texts:
        policies = read_yaml(texts[ADMISSION], file=ADMISSION, findings=findings)
    waivers = _each(parts.get("waivers"), read_waiver)
    for waiver, node in waivers:
        for rule_id in waiver.rules:
            if all(rule.id != rule_id for rule in rules):
                near = did_you_mean(rule_id, [rule.id for rule in rules])
                remedy = f"{near}Name rules of this pack."
                findings.note(node, "unknown-rule", f"there is no rule {rule_id!r}.", remedy)
    return Pack(
        id=pack_id,
        version=head["version"].text(),
        name=read_text(head["name"]) if "name" in head else Text(pack_id, pack_id),
        hash=content_hash({path: text for path, text in texts.items() if is_law(path)}),
        zone=zone,
        effective=effective,
        published_at=read_instant(head["published_at"], zone=zone),
        supersedes=head["supersedes"].text() if "supersedes" in head else None,
        existing_measures=_existing(head["existing_measures"]),
        rankings=_rankings(head.get("sources")),
        mandatory=tuple(item for item, _ in _each(head.get("mandatory"), _mandatory)),
        chained_yellow=cap,
        parameters=setting.parameters,
        rules=rules,
        badges=tuple(badge for badge, _ in _each(parts.get("badges"), read_badge)),
        waivers=tuple(waiver for waiver, _ in waivers),
        admission=read_admission(policies, setting) if policies is not None else (),
        areas=areas,
    )


def _each(node: Node | None, read: Callable[[Node], T]) -> list[tuple[T, Node]]:
    """Return every entry of a list that could be read, with its place."""
    found: list[tuple[T, Node]] = []
    for item in node.items() if node is not None else ():
        with item.findings.part():
            found.append((read(item), item))
    return found


def _zone(node: Node) -> ZoneInfo:
    """Return the zone; only by a name that means the same on every machine."""
    name = node.text()
    wrong = f"{name!r} is no time zone."
    try:
        if name != "UTC" and not _IANA_NAME.fullmatch(name):
            node.fail("unknown-zone", wrong, "A region and a place, as Asia/Shanghai.")
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        node.fail("unknown-zone", wrong, "Such as Asia/Shanghai.")


def _effective(node: Node, *, zone: ZoneInfo) -> Interval:
    parts = node.items()
    if len(parts) != 2 or parts[0].is_null:  # noqa: PLR2004
        node.fail("bad-effective", "needs a start and an end.", "[2020-02-17T00:00, null].")
    end = None if parts[1].is_null else read_instant(parts[1], zone=zone)
    effective = Interval(read_instant(parts[0], zone=zone), end)
    if effective.empty:
        node.fail("bad-effective", "ends before it starts.", "Put the earlier time first.")
    return effective


def _existing(node: Node) -> Existing:
    try:
        return Existing(node.text())
    except ValueError:
        remedy = "Write convert or keep; there is no default."
        node.fail("bad-existing", f"{node.text()!r} is neither.", remedy)


def _parameters(
    node: Node | None, effective: Interval, *, zone: ZoneInfo
) -> dict[str, DatedParameter]:
    found: dict[str, DatedParameter] = {}
    entries = node.entries() if node is not None else {}
    if node is not None and len(entries) > PACK_PARAMETERS_MAX:
        node.fail("too-many", "has too many parameters.", f"At most {PACK_PARAMETERS_MAX}.")
    for name, item in entries.items():
        with item.findings.part():
            parameter = read_parameter(item, zone=zone)
            found[name] = parameter
            if effective.start is not None and parameter.values[0][0] > effective.start:
                item.fail(
                    "parameter-late",
                    "has no value when the pack takes effect.",
                    "Give it a value from the effective date or earlier.",
                )
    return found


def _cap(node: Node | None) -> Duration | None:
    if node is None:
        return None
    entries = node.mapping(required=frozenset({"chained_yellow"}), optional=NO_KEYS)
    cap = read_duration(entries["chained_yellow"])
    longest = CHAINED_YELLOW_MAX
    short = isinstance(cap, Elapsed) and cap.delta <= longest
    if not short and not (isinstance(cap, CalendarDays) and cap.days <= longest.days):
        message = f"lets yellow wait longer than {longest.days} days."
        remedy = "Name the days after which a person is green although the test never came."
        entries["chained_yellow"].fail("cap-too-long", message, remedy)
    return cap


def _rankings(node: Node | None) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for kind, item in (node.entries() if node is not None else {}).items():
        if kind not in KINDS:
            refuse_kind(item, kind)
        found[kind] = tuple(source.text() for source in item.items())
    return found


def _mandatory(node: Node) -> MandatorySource:
    entries = node.mapping(required=MANDATORY, optional=NO_KEYS)
    try:
        when_stale = WhenStale(entries["when_stale"].text())
    except ValueError:
        entries["when_stale"].fail("bad-stale", "is neither.", "Write unknown or badge.")
    return MandatorySource(
        source=entries["source"].text(),
        within=read_duration(entries["within"]),
        when_stale=when_stale,
        text=read_text(entries["text"]),
    )


def _rule_nodes(texts: Mapping[str, str], inline: Node | None, *, findings: Findings) -> list[Node]:
    nodes = list(inline.items()) if inline is not None else []
    for path in sorted(path for path in texts if path.startswith("rules/")):
        with findings.part():
            nodes.extend(read_yaml(texts[path], file=path, findings=findings).items())
    return nodes


def _compile(nodes: list[Node], setting: Setting, *, cap: Duration | None) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    for node in nodes:
        with node.findings.part():
            rule = read_rule(node, setting)
            if any(other.id == rule.id for other in rules):
                node.fail("rule-twice", f"{rule.id!r} stands twice.", "Give each rule its own id.")
            check_rule(rule, node, cap=cap)
            rules.append(rule)
    if len(rules) > PACK_RULES_MAX:
        nodes[0].fail("too-many", "there are too many rules.", f"At most {PACK_RULES_MAX}.")
    return tuple(sorted(rules, key=lambda rule: rule.id))


def _areas(text: str, findings: Findings, *, zone: ZoneInfo) -> AreaCodes:
    reader = csv.DictReader(io.StringIO(text))
    if not text:
        return AreaCodes()
    here = Node(file=AREAS, line=1, key="", value="", findings=findings)
    unknown = set(reader.fieldnames or ()) - set(AREA_COLUMNS)
    if "area" not in (reader.fieldnames or ()) or unknown:
        here.fail("areas-columns", "has other columns.", f"Use {', '.join(AREA_COLUMNS)}.")
    rows: list[AreaRow] = []
    for row in reader:
        line = Node(file=AREAS, line=reader.line_num, key="", value="", findings=findings)
        with findings.part():
            rows.append(_area_row(row, line, zone=zone))
    return AreaCodes.of(rows)


def _area_row(row: Mapping[str, str | None], line: Node, *, zone: ZoneInfo) -> AreaRow:
    def instant(column: str) -> datetime | None:
        value = (row.get(column) or "").strip()
        if not value:
            return None
        cell = Node(file=line.file, line=line.line, key=column, value=value, findings=line.findings)
        return read_instant(cell, zone=zone)

    area = (row.get("area") or "").strip()
    if not area or None in row:
        line.fail("areas-row", "has no area or too many cells.", "One cell a column.")
    successor = (row.get("successor") or "").strip() or None
    valid = Interval(instant("from"), instant("until"))
    if valid.empty:
        line.fail("areas-row", f"{area} ends before it starts.", "Put the earlier date in from.")
    if successor and valid.end is None:
        remedy = "Say until when the old code held."
        line.fail("areas-row", f"{area} has a successor and no until.", remedy)
    return AreaRow(
        area=area,
        parent=(row.get("parent") or "").strip() or None,
        valid=valid,
        successor=successor,
        name=(row.get("name") or "").strip(),
    )
