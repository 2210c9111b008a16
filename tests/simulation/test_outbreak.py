"""Outbreaks: twenty seeds are right, the same seed is the same bytes, infections have a truth.

What is right is said by the checkers (``test_checks`` shows that each can say wrong) and, here,
by counting in the world's own tables. ``PASSLIGHT_SOAK=200`` runs so many seeds.
"""

import hashlib
import json
import os
import re
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from passlight.cli.simulate import command
from passlight.simulation.outbreak.city_check import check_city
from passlight.simulation.outbreak.city_pack import JIANGSU, SHANGHAI
from passlight.simulation.outbreak.draws import Draws
from passlight.simulation.outbreak.loop import run_outbreak
from passlight.simulation.outbreak.movement import visits_of_day
from passlight.simulation.outbreak.report import checked
from passlight.simulation.outbreak.sent_log import What
from passlight.simulation.outbreak.setting import Setting
from passlight.simulation.outbreak.town import make_town

WORLD = 3  # a seed with infections enough to look at
SEEDS = int(os.environ.get("PASSLIGHT_SOAK", "20"))


def setting(seed, **more):
    """Return the world of a seed; every fourth runs on the rules of February 2020."""
    pack = SHANGHAI if seed % 4 == 0 else JIANGSU
    return Setting(**{"seed": seed, "people": 220, "days": 22, "pack": pack, **more})


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return run_outbreak(setting(WORLD), tmp_path_factory.mktemp("world"))


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_every_checker_agrees_with_the_product(seed):
    for finding in checked(setting(seed)):
        assert finding.good, (finding, f"passlight simulate --check --seed {seed}")


def test_the_same_seed_is_the_same_bytes_in_chunks_of_any_size(world, tmp_path):
    other = run_outbreak(replace(world.setting, chunk=37), tmp_path)
    assert digest(other.intake.facts_path) == digest(world.intake.facts_path)
    assert other.disease.truth == world.disease.truth
    assert other.receipts == world.receipts


def test_another_seed_is_another_world(world, tmp_path):
    other = run_outbreak(replace(world.setting, seed=8), tmp_path)
    assert digest(other.intake.facts_path) != digest(world.intake.facts_path)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_draw_depends_on_its_keys_alone():
    draws = Draws(3)
    together = draws.each("turn", np.arange(1000), 5)
    assert together[417] == draws.one("turn", 417, 5)
    # Counted: a fair tenth of a thousand is 100, and four standard deviations are 38.
    assert 62 <= int((together < 0.1).sum()) <= 138
    assert len(set(together.tolist())) == 1000
    assert draws.one("turn", 417, 6) != together[417] != draws.one("other", 417, 5)


def test_nobody_is_in_two_places_at_once():
    visits = visits_of_day(make_town(people=3000, seed=2), 4)
    order = np.lexsort((visits.start, visits.person))
    person, start, end = visits.person[order], visits.start[order], visits.end[order]
    same = person[1:] == person[:-1]
    assert same.sum() > 500
    assert (start[1:][same] >= end[:-1][same]).all()
    assert (end > start).all()


def test_workplaces_are_skewed():
    town = make_town(people=20_000, seed=2)
    rooms = town.work_zone[(town.work_zone >= 0) & (town.age == 1)]
    sizes = np.sort(np.bincount(town.zones.venue[rooms]))[::-1]
    # The largest tenth of the firms employ more than half of the staff.
    assert sizes[: len(sizes) // 10].sum() > sizes.sum() / 2


def test_every_infection_has_its_source_in_the_same_place(world):
    """Each line of the truth table is looked up in the visits of its day, by hand."""
    found = 0
    infected = {one.person: one.at for one in world.disease.truth}
    for one in world.disease.truth:
        if one.source < 0:
            continue
        assert infected[one.source] < one.at
        day, minute = divmod(one.at // 60, 1440)
        if one.zone < 0:
            assert world.town.household[one.person] == world.town.household[one.source]
            found += 1
            continue
        visits = world.store.truth(day)
        there = [
            (int(visits.start[row]), int(visits.end[row]))
            for person in (one.person, one.source)
            for row in np.flatnonzero((visits.person == person) & (visits.zone == one.zone))
        ]
        assert len([1 for start, end in there if start <= minute < end]) >= 2
        assert one.minutes <= min(end - start for start, end in there)
        found += 1
    assert found >= 20


def test_feeds_fail_in_every_way_that_is_promised(tmp_path):
    world = run_outbreak(Setting(seed=5, people=1200, days=20), tmp_path)
    counts = dict.fromkeys(What, 0)
    for line in world.senders.sent:
        counts[line.what] += 1
    assert all(counts.values()), counts
    sent = len(world.senders.sent)
    # Shares of field/08 4.4, within a factor of two for some thousand lines.
    assert sent / 200 < counts[What.DUPLICATE] < sent / 50
    assert sent / 400 < counts[What.WRONG_ID] < sent / 100
    assert any(published.broken for published in world.lists)
    outage = world.senders.outage
    silent = [
        line
        for line in world.senders.sent
        if line.source == outage.source and outage.begins <= line.arrives < outage.ends
    ]
    assert silent == []
    assert any(line.source == outage.source for line in world.senders.sent)
    missing = sum(int((world.store.day(day).left < 0).sum()) for day in range(20))
    recorded = sum(len(world.store.day(day).left) for day in range(20))
    assert 0.015 < missing / recorded < 0.025
    out_of_order = [json.loads(line.text) for line in world.senders.sent if line.what is What.TRUE]
    out_of_order.sort(key=lambda one: one["recorded_at"])
    assert [one["occurred_at"] for one in out_of_order] != sorted(
        one["occurred_at"] for one in out_of_order
    )


def test_colours_gate_movement(world, tmp_path):
    """The loop is closed: without gates the same town meets more and nobody is refused for good."""
    refused = [receipt for receipt in world.receipts if not receipt.admitted]
    assert refused
    for receipt in refused:
        day, minute = divmod(receipt.at // 60, 1440)
        visits = world.store.truth(day)
        there = (visits.person == receipt.person) & (visits.start == minute)
        assert not there.any(), "somebody who was refused is inside"
    free = run_outbreak(replace(world.setting, gates=False), tmp_path)
    assert free.store.rows > world.store.rows
    assert free.stayed_away == 0


def test_the_city_engine_agrees_about_the_same_world(world):
    (finding,) = check_city(world)
    assert finding.good, finding
    assert finding.looked_at > 100


def test_the_command_prints_what_was_checked_and_writes_the_report(tmp_path):
    folder = tmp_path / "report"
    arguments = ["--check", "--seed", "3", "--people", "220", "--days", "22"]
    done = CliRunner().invoke(command, [*arguments, "--report", str(folder)])
    assert done.exit_code == 0, done.output
    assert "verdicts" in done.output
    assert "0 wrong  ok" in done.output
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["measures"]["receipts_reproduced_share"] == 1
    assert len(report["series"]["infections"]) == 22
    assert report["command"].startswith("passlight simulate --check --seed 3 ")
    for name, lang in (("report.html", "zh-CN"), ("report.en.html", "en")):
        page = (folder / name).read_text(encoding="utf-8")
        assert f'<html lang="{lang}">' in page
        assert "<script" not in page
        assert not re.search(r"(?:src|href)=\"(?!report)|url\(|@import", page)
        assert page.count('role="img"') == 2
        assert page.count("<table") == 7


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--check", "--people", "3"], 2, "--people"),
        (["--check", "--pack", "nowhere"], 2, "nowhere"),
        (["--check", "--out", "x"], 2, "--report"),
        (["--report", "x"], 2, "--out"),
        (["--check", "--seeds", "2", "--report", "x"], 2, "--seeds"),
        (["--check", "--seeds", "0"], 2, "--seeds"),
        (["--out", "x", "--seeds", "2"], 2, "--seeds goes with --check"),
        (["--out", "x", "--pack", "jiangsu-2021"], 2, "--pack goes with --check"),
        (["--out", "x", "--city"], 2, "--city goes with --check"),
    ],
)
def test_wrong_usage_is_told_with_the_way_out(arguments, status, words):
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == status
    assert words in done.output
    assert "Traceback" not in done.output


def test_a_check_without_its_packages_says_what_to_install(monkeypatch):
    monkeypatch.setattr("passlight.cli.main.NEEDS", {"simulate --check": {"city": "no_such_one"}})
    done = CliRunner().invoke(command, ["--check"])
    assert (done.exit_code, "pip install 'passlight[city]'" in done.output) == (2, True)
