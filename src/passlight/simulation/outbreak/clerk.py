"""The clerk: everything the product decides, worked out again from paper, slowly.

Shares no line with the product's evaluation: it reads the lines as they were sent, keeps the
sheets that had come in by then, and goes down the published table rule by rule. It does not
parse a rule pack; it knows the Jiangsu table of 2021 with this city's two additions, and the
Shanghai table of February 2020.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from passlight.simulation.outbreak.hours import ORIGIN

HOUR, DAY = 3600, 86_400
EVER = 2**60
GREEN, YELLOW, RED, UNKNOWN = "green", "yellow", "red", "unknown"
_STRONGER = {GREEN: 0, YELLOW: 1, RED: 2}
ABROAD = {"KR", "JP", "US"}
FRESH = 40 * HOUR
LAB_ORDER = ["cdc", "hospital", "site"]
CAP = 21 * DAY


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of paper: a version of a fact, with the second at which it came in."""

    id: str
    ver: int
    gone: bool
    kind: str
    subject: str
    at: int
    until: int | None
    came: int
    source: str
    says: dict[str, Any]

    def when(self, name: str) -> int | None:
        """Return a time that the sheet says."""
        text = self.says.get(name)
        return None if text is None else seconds(text)


Stretch = tuple[str, int, int]


def seconds(text: str) -> int:
    """Return the second of the world of a time as written in a file."""
    return int((datetime.fromisoformat(text) - ORIGIN).total_seconds())


def sheet_of(text: str) -> Sheet:
    """Return the sheet for one line."""
    line = json.loads(text)
    until = line["occurred_until"]
    return Sheet(
        id=line["fact_id"],
        ver=line["ver"],
        gone=line["op"] == "retract",
        kind=line["kind"],
        subject=line["subject"],
        at=seconds(line["occurred_at"]),
        until=None if until is None else seconds(until),
        came=seconds(line["recorded_at"]),
        source=line["source"],
        says=line["payload"],
    )


@dataclass(frozen=True, slots=True)
class ListSheet:
    """One list of areas that was applied: whose, of when, when it came, what stood on it."""

    publisher: int
    at: int
    came: int
    areas: frozenset[str]


class Clerk:
    """Answers for one city from its stacks of paper."""

    def __init__(self, table: str, *, visitors: Iterable[str] = ()) -> None:
        self._table = table
        self._visitors = set(visitors)
        self._folders: dict[str, list[Sheet]] = defaultdict(list)
        self._versions: dict[str, list[Sheet]] = defaultdict(list)
        self._notes: list[int] = []
        self._lists: list[ListSheet] = []

    def file(self, sheet: Sheet) -> None:
        """Put a sheet where it belongs."""
        if sheet.kind == "source.delivered":
            self._notes.append(sheet.came)
            return
        self._versions[sheet.id].append(sheet)
        self._folders[sheet.subject].append(sheet)

    def file_list(self, sheet: ListSheet) -> None:
        """Put a list of areas on the wall."""
        self._lists.append(sheet)

    def subjects(self) -> list[str]:
        """Return everybody of whom there is a sheet."""
        return sorted(self._folders)

    def stack(self, subject: str, known: int) -> list[Sheet]:
        """Return the sheets that hold for whoever has seen all that came up to ``known``."""
        held = []
        for sheet in self._folders.get(subject, ()):
            if sheet.came > known or sheet.gone:
                continue
            rivals = [one for one in self._versions[sheet.id] if one.came <= known]
            if sheet.ver == max(one.ver for one in rivals):
                held.append(sheet)
        return held

    def colour(self, subject: str, at: int, known: int) -> str:
        """Return the colour at second ``at`` for whoever knew what had come up to ``known``."""
        if subject in self._visitors and not any(
            sheet.came <= known for sheet in self._folders.get(subject, ())
        ):
            return UNKNOWN
        found = GREEN
        for colour, begins, ends in self.stretches(subject, known):
            if begins <= at < ends and _STRONGER[colour] > _STRONGER[found]:
                found = colour
        if found == GREEN and self._table == "jiangsu-2021" and self._silent(at, known):
            return UNKNOWN
        return found

    def _silent(self, at: int, known: int) -> bool:
        """Return whether the laboratories' last delivery is too old, or there was none yet."""
        heard = [came for came in self._notes if came <= known and came <= at]
        return not heard or at >= max(heard) + FRESH

    def stretches(self, subject: str, known: int) -> list[Stretch]:
        """Return every stretch of colour that the table gives."""
        stack = _without_worse_results(self.stack(subject, known))
        rules = _JIANGSU if self._table == "jiangsu-2021" else _SHANGHAI
        return [
            stretch
            for sheet in stack
            for rule in rules
            for stretch in rule(self, sheet, stack, known)
            if stretch[1] < stretch[2]
        ]

    def listed(self, area: str, at: int, known: int) -> bool:
        """Return whether ``area`` was on a list in force at ``at``, of the lists that had come."""
        for publisher in {one.publisher for one in self._lists}:
            before = [
                one
                for one in self._lists
                if one.publisher == publisher and one.came <= known and one.at <= at
            ]
            if before and area in max(before, key=lambda one: one.at).areas:
                return True
        return False


def _without_worse_results(stack: list[Sheet]) -> list[Sheet]:
    """Return the stack without results that a better laboratory reads otherwise."""

    def rank(sheet: Sheet) -> int:
        return LAB_ORDER.index(sheet.source) if sheet.source in LAB_ORDER else len(LAB_ORDER)

    kept = []
    for sheet in stack:
        if sheet.kind == "lab.result":
            same = [
                one
                for one in stack
                if one.kind == "lab.result" and one.says["sample_id"] == sheet.says["sample_id"]
            ]
            differ = len({one.says["value"] for one in same}) > 1
            if differ and rank(sheet) > min(rank(one) for one in same):
                continue
        kept.append(sheet)
    return kept


def _results(stack: list[Sheet], value: str) -> list[tuple[int, int, Sheet]]:
    """Return (when it may be counted, when it was sampled, sheet) of results, as they count."""
    found = []
    for sheet in stack:
        if sheet.kind == "lab.result" and sheet.says["value"] == value:
            sampled = sheet.when("sampled_at")
            sampled = sheet.at if sampled is None else sampled
            found.append((max(sampled, sheet.at), sampled, sheet))
    return sorted(found, key=lambda one: (one[0], one[2].at, one[2].id))


def _first_negative(stack: list[Sheet], since: int, *, strictly: bool = False) -> int:
    """Return when the first negative result counts that was sampled since then."""
    for counts, sampled, _ in _results(stack, "neg"):
        if sampled > since or (sampled == since and not strictly):
            return counts
    return EVER


def _second_negative(stack: list[Sheet], since: int) -> int:
    """Return when the second of two negatives, sampled a day apart and no positive between, counts.

    The clerk lays out what has been reported so far in the order of sampling, each time anew.
    """
    reports = [(counts, 0, sheet.id, sampled) for counts, sampled, sheet in _results(stack, "neg")]
    reports += [(counts, 1, sheet.id, sampled) for counts, sampled, sheet in _results(stack, "pos")]
    reports = sorted(report for report in reports if report[3] >= since)
    for upto in range(1, len(reports) + 1):
        laid_out = sorted(
            (sampled, positive, place)
            for place, (_, positive, _, sampled) in enumerate(reports[:upto])
        )
        last: int | None = None
        for sampled, positive, _ in laid_out:
            if positive:
                last = None
            elif last is None:
                last = sampled
            elif sampled >= last + DAY:
                return reports[upto - 1][0]
    return EVER


def _then_yellow(stack: list[Sheet], begins: int, days: int) -> Stretch:
    """Return the home monitoring that follows red: so many days and a negative, 21 days at most."""
    if begins >= EVER:
        return (YELLOW, EVER, EVER)
    ends = max(begins + days * DAY, _first_negative(stack, begins))
    return (YELLOW, begins, min(ends, begins + CAP))


def _infected(_: Clerk, sheet: Sheet, stack: list[Sheet], __: int) -> list[Stretch]:
    if sheet.kind not in {"case.confirmed", "case.asymptomatic"}:
        return []
    leaves = [
        one.at
        for one in stack
        if one.kind == "case.discharged"
        and one.says["case_id"] == sheet.says["case_id"]
        and one.at >= sheet.at
    ]
    if not leaves:
        return [(RED, sheet.at, EVER)]
    ends = min(leaves) + 14 * DAY
    return [(RED, sheet.at, ends), _then_yellow(stack, ends, 14)]


def _close_contact(_: Clerk, sheet: Sheet, stack: list[Sheet], __: int) -> list[Stretch]:
    if sheet.kind != "exposure.assessed" or sheet.says["class"] != "close":
        return []
    last = sheet.at if sheet.until is None else sheet.until
    return [(RED, last, last + 14 * DAY), _then_yellow(stack, last + 14 * DAY, 7)]


def _from_abroad(_: Clerk, sheet: Sheet, stack: list[Sheet], __: int) -> list[Stretch]:
    if sheet.kind != "travel.arrived" or sheet.says["from_area"] not in ABROAD:
        return []
    return [(RED, sheet.at, sheet.at + 14 * DAY), _then_yellow(stack, sheet.at + 14 * DAY, 14)]


def _left_listed(clerk: Clerk, sheet: Sheet, stack: list[Sheet], known: int) -> list[Stretch]:
    if sheet.kind != "travel.arrived":
        return []
    left = sheet.when("left_at")
    assert left is not None
    if not clerk.listed(sheet.says["from_area"], left, known):
        return []
    return [(RED, left, left + 14 * DAY), _then_yellow(stack, left + 14 * DAY, 7)]


def _companion(_: Clerk, sheet: Sheet, stack: list[Sheet], __: int) -> list[Stretch]:
    if sheet.kind != "exposure.derived" or sheet.says["minutes"] < 10:
        return []
    ends = max(sheet.came + 3 * DAY, _second_negative(stack, sheet.at))
    return [(YELLOW, sheet.came, min(ends, sheet.came + CAP))]


def _positive(_: Clerk, sheet: Sheet, stack: list[Sheet], __: int) -> list[Stretch]:
    if sheet.kind != "lab.result" or sheet.says["value"] != "pos":
        return []
    sampled = sheet.when("sampled_at")
    assert sampled is not None
    ends = [_first_negative(stack, sampled, strictly=True)]
    ends += [one.at for one in stack if one.kind == "case.confirmed" and one.at >= sheet.at]
    return [(RED, sheet.at, min(ends))]


def _until_closed(
    sheet: Sheet, stack: list[Sheet], opens: str, closes: tuple[str, ...], key: str
) -> list[Stretch]:
    if sheet.kind != opens:
        return []
    ends = [
        one.at
        for one in stack
        if one.kind in closes and one.says.get(key) == sheet.says[key] and one.at >= sheet.at
    ]
    return [(RED, sheet.at, min(ends, default=EVER))]


def _order(_: Clerk, sheet: Sheet, stack: list[Sheet], __: int) -> list[Stretch]:
    return _until_closed(sheet, stack, "order.started", ("order.lifted",), "order_id")


def _confirmed(_: Clerk, sheet: Sheet, stack: list[Sheet], __: int) -> list[Stretch]:
    return _until_closed(sheet, stack, "case.confirmed", ("case.discharged",), "case_id")


def _suspected(_: Clerk, sheet: Sheet, stack: list[Sheet], __: int) -> list[Stretch]:
    closes = ("case.ruled_out", "case.confirmed")
    return _until_closed(sheet, stack, "case.suspected", closes, "case_id")


_JIANGSU = (_infected, _close_contact, _from_abroad, _left_listed, _companion, _positive)
# No area of the lists is at the level ``key``, so nobody arrives from one.
_SHANGHAI = (_order, _confirmed, _suspected)
