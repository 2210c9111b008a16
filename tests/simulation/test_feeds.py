"""Feeds with defects: what was spoilt is what is put aside, and the truth arrives in the end.

The generator says what each line is; what becomes of it is said by the agencies' reader, the
office's intake and the rule engine, none of which know the generator.
"""

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from passlight.cli.feed import command as feed
from passlight.cli.simulate import command as simulate
from passlight.core.facts.form import parse_line
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.load import load_pack
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.packs import read_pack_folder, shipped_packs
from passlight.simulation.feeds import ERRORS, What
from passlight.simulation.files import write_files
from passlight.simulation.world import make_world, true_colours

AT = datetime(2026, 11, 22, 4, tzinfo=UTC)


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    folder = tmp_path_factory.mktemp("feeds")
    options = ["--people", "1500", "--days", "20", "--seed", "5", "--at", AT.isoformat()]
    done = CliRunner().invoke(simulate, [*options, "--out", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


def test_what_was_spoilt_is_what_is_put_aside(district, tmp_path, monkeypatch):
    monkeypatch.setenv("PASSLIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PASSLIGHT_KEYS", raising=False)
    aside = tmp_path / "aside.jsonl"
    done = CliRunner().invoke(
        feed,
        [
            *("jsonl", str(district / "feeds"), "--out", str(tmp_path / "facts.jsonl")),
            *("--quarantine", str(aside), "--json"),
        ],
    )
    assert done.exit_code == 1  # a quarantined line is a finding
    marked = lines(district / "truth" / "lines.jsonl")
    spoilt = {(m["file"], m["line"]) for m in marked if m["what"].startswith("error-")}
    assert {(row["file"], row["line"]) for row in lines(aside)} == spoilt
    assert len(spoilt) > 20
    total = Counter()
    for counts in json.loads((district / "truth" / "reconciliation.json").read_text()).values():
        total.update(counts)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {**total, "held": 0, "closed": 0}
    assert total["declared"] == total["landed"] + total["unchanged"] + total["quarantined"]


def test_every_kind_of_defect_occurs_and_every_spoilt_line_comes_again(district):
    marked = lines(district / "truth" / "lines.jsonl")
    seen = Counter(m["what"] for m in marked)
    assert {what.value for what in ERRORS} <= set(seen)
    assert seen[What.DUPLICATE] > 20
    assert seen[What.RESENT] == sum(seen[what] for what in ERRORS)
    assert seen[What.MISTAKE] == seen[What.CORRECTION] + seen[What.RETRACTION]
    order = {
        name: n for n, name in enumerate(sorted(p.name for p in (district / "feeds").iterdir()))
    }
    first = {m["fact_id"]: order[m["file"]] for m in marked if m["what"].startswith("error-")}
    again = {m["fact_id"]: order[m["file"]] for m in marked if m["what"] == What.RESENT}
    assert first.keys() == again.keys()
    assert all(first[fact_id] < again[fact_id] for fact_id in first)


def test_files_are_delayed_shuffled_and_one_source_is_out_for_a_day(district):
    days = defaultdict(set)
    shuffled = 0
    for path in (district / "feeds").iterdir():
        stamp, _, source = path.stem.removesuffix("_rest").partition("-")
        days[source].add(stamp[:8])
        said = []
        for text in path.read_text(encoding="utf-8").splitlines():
            try:
                said.append(json.loads(text).get("recorded_at", ""))
            except ValueError:
                continue
        shuffled += said != sorted(said)
    assert shuffled > 10
    whole = {f"202611{day:02d}" for day in range(3, 22)}
    missing = {source: whole - days[source] for source in ("cdc", "laboratory")}
    assert len(missing["laboratory"]) <= 1  # published four times a day, but for the outage
    assert days["transport"]


def test_the_engine_gives_the_true_colours_of_the_true_facts(district):
    """The generator's own reading of the seed's three sentences against ``core.status``."""
    facts = [
        parse_line(line) for line in (district / "truth" / "facts.jsonl").read_bytes().splitlines()
    ]
    pack = load_pack(read_pack_folder(shipped_packs() / "shanghai-2020-02"))
    areas = AreaHistory.of([fact for fact in facts if not fact.about_person])
    of_person = defaultdict(list)
    for fact in facts:
        of_person[fact.subject].append(fact)
    schedule = PackSchedule.of([pack])
    said = {row["subject"]: row["colour"] for row in lines(district / "truth" / "colours.jsonl")}
    found = {
        subject: evaluate(schedule, of_person[subject], areas=areas).status(AT).colour.value
        for subject in said
    }
    assert found == said
    seen = Counter(found.values())
    assert seen["red"] >= 3
    assert seen["yellow"] >= 10
    assert seen["green"] > 1300


def test_through_all_defects_the_office_publishes_the_true_colours(tmp_path, db):
    """People registered, files fed, worker run: the published colours are the true ones."""
    from passlight.office.packs.actions import publish_pack, store_pack
    from passlight.office.people.models import Person
    from passlight.office.statuses.models import Publication
    from passlight.office.statuses.publishing import Publisher
    from passlight.office.venues.models import Venue
    from passlight.simulation.intake import enter_feeds, enter_people, enter_world

    clock = SystemClock()
    now = clock.now()
    # Who is ill today depends on the day: the first seed with all three colours.
    worlds = (make_world(people=600, days=20, seed=seed, at=now) for seed in range(9, 40))
    world = next(one for one in worlds if len(set(true_colours(one, at=now).values())) == 3)
    write_files(world, tmp_path)
    rows = enter_world(world, tmp_path)
    expected = Counter()
    for counts in json.loads((tmp_path / "truth" / "reconciliation.json").read_text()).values():
        expected.update(counts)
    assert {name: rows[name] for name in expected} == dict(expected)
    assert Person.objects.count() == 600  # nobody was made by a spoilt document
    assert Venue.objects.filter(active=True).count() == len(world.venues)

    folder = shipped_packs() / "shanghai-2020-02"
    stored = store_pack(read_pack_folder(folder), user=None, clock=clock)
    publish_pack(stored, effective_from=stored.effective_from, user=None, clock=clock)
    publisher = Publisher(clock)
    while publisher.step():
        pass
    people = enter_people(world.population.residents, clock=clock, entropy=SystemEntropy())
    newest = {row.ordinal: row for row in Publication.objects.order_by("seq")}
    at = now.timestamp()
    shown = {}
    for key, person in people.items():
        segments = newest[person.ordinal].segments
        (shown[key],) = [s["colour"] for s in segments if s["from"] is None or s["from"] <= at][-1:]
    truth = {key: colour.value for key, colour in true_colours(world, at=now).items()}
    assert shown == truth

    again = enter_feeds(sorted((tmp_path / "feeds").iterdir()), clock=clock)
    assert again["landed"] == 0
    assert again["quarantined"] == expected["quarantined"]
    assert again["unchanged"] == expected["landed"] + expected["unchanged"]
