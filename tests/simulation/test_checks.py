"""Each checker says wrong when it is: one seeded bug a checker, in the part that it watches.

The bugs are in the product's place, not in the checker: a world runs on a broken part and the
checker that stands for that promise has to find it. The clerk is compared with cases worked by
hand from the published tables.
"""

import json
from dataclasses import replace

import pytest

from passlight.cli.simulate import command
from passlight.core.facts.fact import Op
from passlight.simulation.outbreak import checks
from passlight.simulation.outbreak.clerk import Clerk, ListSheet, Sheet, seconds
from passlight.simulation.outbreak.colours import PersonColours
from passlight.simulation.outbreak.hours import DAY, HOUR, iso
from passlight.simulation.outbreak.intake import Intake
from passlight.simulation.outbreak.loop import Parts, run_outbreak
from passlight.simulation.outbreak.setting import Setting
from passlight.simulation.outbreak.tracing import Tracing

SETTING = Setting(seed=2, people=240, days=20)


class ForgetsRetractions(PersonColours):
    """Colours that never hear that a fact was taken back."""

    def learn(self, facts):
        super().learn(fact for fact in facts if fact.op is not Op.RETRACT)


class KnowsTheFuture(PersonColours):
    """Colours that count a fact ten minutes before it was recorded."""

    def answer(self, person, at, known):
        return super().answer(person, at, known + 600)


class DropsLines(Intake):
    """An intake that loses the last line of every batch without a word."""

    def land(self, lines):
        return super().land(lines[:-1])


class CountsTwice(Intake):
    """An intake that says of one fact twice that it landed."""

    def land(self, lines):
        landed = super().land(lines)
        return [*landed, *landed[:1]]


class ForgetsAir(Tracing):
    """Tracing without the time that air lingers."""

    def _exposures(self, case, first, last):
        kept, self.parameters = self.parameters, replace(self.parameters, linger_minutes=0)
        try:
            return super()._exposures(case, first, last)
        finally:
            self.parameters = kept


class NeverWithdraws(Tracing):
    """Tracing that leaves standing what it derived from a case that was taken back."""

    def _withdraw(self, case, at):
        case.withdrawn_at = at


def holds_on(colours, person, at, known):
    """A door that goes on refusing for six hours after it has refused somebody."""
    answer = colours.answer(person, at, known)
    before = colours.answer(person, at - 6 * HOUR, known - 6 * HOUR)
    return before if before.colour in {"red", "yellow"} else answer


def writes_another_pack(colours, person, at, known):
    """A door whose receipts do not hold what it showed."""
    answer = colours.answer(person, at, known)
    return replace(answer, digest=answer.digest[::-1])


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    world = run_outbreak(SETTING, tmp_path_factory.mktemp("sound"))
    return {finding.check: finding for finding in checks.check_world(world)}


@pytest.mark.parametrize(
    ("parts", "promises"),
    [
        (Parts(colours=KnowsTheFuture), ["verdicts"]),
        (Parts(colours=ForgetsRetractions), ["retractions", "verdicts", "people"]),
        (Parts(tracing=NeverWithdraws), ["retractions"]),
        (Parts(door=holds_on), ["late-green", "verdicts"]),
        (Parts(intake=DropsLines), ["counts"]),
        (Parts(intake=CountsTwice), ["counts"]),
        (Parts(tracing=ForgetsAir), ["exposures"]),
        (Parts(door=writes_another_pack), ["receipts"]),
    ],
    ids=lambda one: one[0] if isinstance(one, list) else "",
)
def test_a_seeded_bug_is_found_by_the_checker_for_it(sound, tmp_path, parts, promises):
    world = run_outbreak(SETTING, tmp_path, parts=parts)
    found = {finding.check: finding for finding in checks.check_world(world)}
    for check in promises:
        assert sound[check].good, "the control is only one when the sound product passes"
        assert found[check].wrong > 0
        assert found[check].failures
        assert not found[check].good


def test_the_bugs_are_missed_by_nobody_looking(sound):
    """A checker that looked at nothing is not good, so that an empty world proves nothing."""
    assert not checks.Finding("anything").good
    assert all(finding.looked_at > 0 for finding in sound.values())


def test_a_failing_seed_prints_how_to_repeat_it(monkeypatch, capsys):
    from passlight.cli.simulate_check import run_checks

    bad = checks.Finding("verdicts", looked_at=3, wrong=1, failures=["p-0000001 is wrong"])
    monkeypatch.setattr("passlight.cli.simulate_check.checked", lambda *_, **__: [bad])
    worlds = [replace(SETTING, seed=seed) for seed in (4, 5)]
    assert run_checks(worlds, city=False, report=None, as_json=False) == 1
    out, err = capsys.readouterr()
    assert "p-0000001 is wrong" in out
    assert "0 of 2 worlds are right" in out
    for seed in (4, 5):
        again = f"passlight simulate --check --seed {seed} --people 240 --days 20"
        assert again in err
    assert command.name == "simulate"
    assert run_checks(worlds[:1], city=False, report=None, as_json=True) == 1
    assert json.loads(capsys.readouterr().out)["good"] is False


# ── the clerk, by hand ─────────────────────────────────────────────────────────────────


def sheet(kind, at, *, came=None, ver=1, gone=False, name="f", source="cdc", until=None, **says):
    return Sheet(
        id=name,
        ver=ver,
        gone=gone,
        kind=kind,
        subject="p",
        at=at,
        until=until,
        came=at if came is None else came,
        source=source,
        says={"class": "close", **says},
    )


def result(name, sampled, value, *, reported=None, source="site"):
    reported = sampled if reported is None else reported
    return sheet(
        "lab.result",
        reported,
        name=name,
        source=source,
        sample_id=name,
        sampled_at=iso(sampled),
        value=value,
    )


def clerk_of(*sheets, table="jiangsu-2021", lists=()):
    clerk = Clerk(table)
    for one in sheets:
        clerk.file(one)
    for day in range(60):
        clerk.file(sheet("source.delivered", day * DAY, name=f"note-{day}"))
    for one in lists:
        clerk.file_list(one)
    return clerk


T = 3 * DAY


def test_a_case_is_red_until_fourteen_days_after_leaving_hospital_then_yellow():
    """Set E, first row: discharge + 14 d red, then 14 d home and a negative."""
    leaves = T + 10 * DAY
    clerk = clerk_of(
        sheet("case.confirmed", T, case_id="c"),
        sheet("case.discharged", leaves, case_id="c", name="g"),
        result("r", leaves + 20 * DAY, "neg"),
    )
    ends = leaves + 14 * DAY
    says = [clerk.colour("p", at, 60 * DAY) for at in (T - 1, T, ends - 1, ends)]
    assert says == ["green", "red", "red", "yellow"]
    # The negative was sampled in the yellow; fourteen days of it are the later of the two.
    assert clerk.colour("p", ends + 14 * DAY - 1, 60 * DAY) == "yellow"
    assert clerk.colour("p", ends + 14 * DAY, 60 * DAY) == "green"


def test_a_companion_is_yellow_from_our_knowledge_until_the_second_negative():
    """E23: sampled 23 h apart does not release, 24 h apart does, when the second is reported."""
    known = T + 5 * HOUR
    exposure = sheet("exposure.derived", T, came=known, minutes=20)
    first = result("a", T + DAY, "neg")
    for hours, released in ((23, False), (24, True)):
        sampled = T + DAY + hours * HOUR
        second = result("b", sampled, "neg", reported=sampled + 40 * HOUR)
        clerk = clerk_of(exposure, first, second)
        assert clerk.colour("p", known - 1, 60 * DAY) == "green"
        assert clerk.colour("p", sampled + 40 * HOUR - 1, 60 * DAY) == "yellow"
        after = clerk.colour("p", sampled + 40 * HOUR, 60 * DAY)
        assert after == ("green" if released else "yellow")


def test_a_positive_between_two_negatives_starts_the_count_anew():
    """E25."""
    exposure = sheet("exposure.derived", T, minutes=20)
    tests = [
        result("a", T + DAY, "neg"),
        result("b", T + 2 * DAY, "pos"),
        result("c", T + 3 * DAY, "neg"),
    ]
    clerk = clerk_of(exposure, *tests)
    assert clerk.colour("p", T + 2 * DAY + 1, 60 * DAY) == "red"
    assert clerk.colour("p", T + 5 * DAY, 60 * DAY) == "yellow"
    # Nothing more comes: this pack's own limit on yellow is 21 days.
    assert clerk.colour("p", T + 21 * DAY - 1, 60 * DAY) == "yellow"
    assert clerk.colour("p", T + 21 * DAY, 60 * DAY) == "green"


def test_a_retracted_confirmation_was_red_and_is_no_longer():
    """E14: shown red, green from the moment the retraction is known; the past is not rewritten."""
    clerk = clerk_of(
        sheet("case.confirmed", T, case_id="c"),
        sheet("case.confirmed", T, case_id="c", ver=2, gone=True, came=T + 3 * DAY),
    )
    assert clerk.colour("p", T + DAY, T + DAY) == "red"
    assert clerk.colour("p", T + DAY, T + 3 * DAY - 1) == "red"
    assert clerk.colour("p", T + DAY, T + 3 * DAY) == "green"


def test_a_better_laboratory_reads_the_same_sample_again():
    """The pack ranks cdc before site: where they differ about a sample, cdc counts."""
    clerk = clerk_of(
        result("s", T, "pos"), replace(result("s", T, "neg", source="cdc"), id="other")
    )
    assert clerk.colour("p", T + 1, 60 * DAY) == "green"


def test_who_left_a_listed_area_is_red_and_the_list_counts_when_it_had_come():
    left = T + HOUR
    arrival = sheet("travel.arrived", T + 5 * HOUR, from_area="r-1", left_at=iso(left))
    listed = ListSheet(publisher=0, at=T, came=T + 10 * HOUR, areas=frozenset({"r-1"}))
    emptied = ListSheet(publisher=0, at=T + DAY, came=T + DAY, areas=frozenset())
    clerk = clerk_of(arrival, lists=(listed, emptied))
    assert clerk.colour("p", T + 6 * HOUR, T + 10 * HOUR - 1) == "green"
    assert clerk.colour("p", T + 6 * HOUR, T + 10 * HOUR) == "red"
    assert clerk.colour("p", left + 14 * DAY - 1, 60 * DAY) == "red"
    assert clerk.colour("p", left + 14 * DAY, 60 * DAY) == "yellow"


def test_nobody_is_green_when_the_laboratories_are_silent():
    """E47: 40 hours after the last delivery; what is red stays red."""
    clerk = Clerk("jiangsu-2021")
    clerk.file(sheet("source.delivered", T, name="note"))
    clerk.file(sheet("case.confirmed", T, case_id="c"))
    end = T + 40 * HOUR
    assert [clerk.colour("q", at, 60 * DAY) for at in (T, end - 1, end)] == [
        *("green", "green", "unknown")
    ]
    assert clerk.colour("p", end, 60 * DAY) == "red"


def test_the_table_of_february_2020_has_no_days_for_red():
    """Set A: an order until it is lifted, a suspicion until it is ruled out."""
    clerk = clerk_of(
        sheet("order.started", T, order_id="o"),
        sheet("order.lifted", T + 9 * DAY, order_id="o", name="l"),
        sheet("case.suspected", T + 20 * DAY, case_id="s", name="s"),
        sheet("case.ruled_out", T + 21 * DAY, case_id="s", name="t"),
        table="shanghai-2020-02",
    )
    moments = (T, T + 9 * DAY - 1, T + 9 * DAY, T + 20 * DAY, T + 21 * DAY)
    says = [clerk.colour("p", at, 60 * DAY) for at in moments]
    assert says == ["red", "red", "green", "red", "green"]


def test_a_visitor_is_unknown_until_somebody_speaks_of_them():
    clerk = Clerk("shanghai-2020-02", visitors=["p"])
    clerk.file(sheet("lab.result", T, came=T + HOUR, sample_id="s", value="neg"))
    assert clerk.colour("p", T + DAY, T + HOUR - 1) == "unknown"
    assert clerk.colour("p", T + DAY, T + HOUR) == "green"
    assert seconds(iso(T)) == T
