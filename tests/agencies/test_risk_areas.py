"""The national list: each snapshot replaces the last, and a broken one is held.

Expected counts are taken from the files with plain ``json`` in these tests, or by hand.
"""

import json
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from passlight.agencies.risk_areas.place import area_id
from passlight.core.facts.form import fact_from_json
from passlight.core.rules.areas import pair_listings
from tests.agencies.files import counts, feed, real, snapshot

BEIJING = timezone(timedelta(hours=8))
Place = tuple[str, str, str, str]


def plain_lists(folder: Path) -> list[tuple[datetime, dict[Place, str]]]:
    """Return every list by hour: place → level, read without any code of ours."""
    found = []
    for path in folder.glob("*.json"):
        data = json.loads(path.read_text(encoding="utf-8"))["data"]
        hour = datetime.strptime(data["end_update_time"], "%Y-%m-%d %H时").replace(tzinfo=BEIJING)
        places = {
            (group["province"], group["city"], group["county"], name): level
            for key, level in (("middlelist", "medium"), ("highlist", "high"))
            for group in data[key]
            for name in group["communitys"]
        }
        found.append((hour, places))
    return sorted(found, key=lambda item: item[0])


@pytest.mark.data
def test_all_real_lists_land_in_time_order_and_the_counts_are_those_of_the_files(
    tmp_path: Path,
) -> None:
    folder = real("risk-areas")
    lists = plain_lists(folder)
    assert len(lists) == 77
    declared = landed = closed = 0
    before: dict[Place, str] = {}
    for _, places in lists:
        declared += len(places)
        landed += sum(before.get(place) != level for place, level in places.items())
        closed += sum(places.get(place) != level for place, level in before.items())
        before = places
    run = feed("risk-areas", folder, out=tmp_path / "out")
    assert run.status == 0
    assert run.counts == counts(
        declared=declared, landed=landed, unchanged=declared - landed, closed=closed
    )
    kinds = Counter(fact["kind"] for fact in run.facts)
    assert kinds == {"area.listed": landed, "area.delisted": closed}
    times = [fact["occurred_at"] for fact in run.facts]
    assert times == sorted(times)
    assert {datetime.fromisoformat(time) for time in times} <= {hour for hour, _ in lists}
    assert all(fact["recorded_at"] >= fact["occurred_at"] for fact in run.facts)


@pytest.mark.data
def test_what_is_listed_after_each_real_list_is_what_the_list_says(tmp_path: Path) -> None:
    """Replays the facts up to each hour and compares place by place with the file."""
    folder = real("risk-areas")
    facts = feed("risk-areas", folder, out=tmp_path / "out").facts
    listed: dict[str, str] = {}
    names: dict[str, Place] = {}
    position = 0
    for hour, places in plain_lists(folder):
        while (
            position < len(facts) and datetime.fromisoformat(facts[position]["occurred_at"]) <= hour
        ):
            payload = facts[position]["payload"]
            if facts[position]["kind"] == "area.listed":
                assert payload["area"] not in listed
                listed[payload["area"]] = payload["level"]
                names[payload["area"]] = tuple(
                    payload[key] for key in ("province", "city", "county", "name")
                )
            else:
                assert listed.pop(payload["area"]) == payload["level"]
            position += 1
        assert {names[area]: level for area, level in listed.items()} == places


def test_a_change_of_level_is_an_end_and_a_new_listing(tmp_path: Path) -> None:
    snapshot(tmp_path / "a.json", "2022-06-01 17时", medium=["一号楼", "二号楼"])
    snapshot(tmp_path / "b.json", "2022-06-02 17时", high=["一号楼"], medium=["二号楼"])
    run = feed("risk-areas", tmp_path, out=tmp_path / "out")
    assert run.counts == counts(declared=4, landed=3, unchanged=1, closed=1)
    end, start = run.facts[2:]
    assert (end["kind"], end["payload"]["level"]) == ("area.delisted", "medium")
    assert (start["kind"], start["payload"]["level"]) == ("area.listed", "high")
    assert end["subject"] == start["subject"]
    assert end["occurred_at"] == start["occurred_at"] == "2022-06-02T09:00:00+00:00"
    # The end names the list that began what it ends.
    assert end["payload"]["list_id"] == run.facts[0]["payload"]["list_id"]
    assert start["payload"]["list_id"] != end["payload"]["list_id"]


def test_the_order_is_that_of_publication_not_of_names(tmp_path: Path) -> None:
    snapshot(tmp_path / "z.json", "2022-06-01 9时", medium=["一号楼"])
    snapshot(tmp_path / "a.json", "2022-06-01 17时", medium=["一号楼", "二号楼"])
    run = feed("risk-areas", tmp_path, out=tmp_path / "out")
    assert run.counts == counts(declared=3, landed=2, unchanged=1)
    named = feed("risk-areas", tmp_path / "a.json", tmp_path / "z.json", out=tmp_path / "out")
    assert named.facts == run.facts


@pytest.mark.data
def test_a_list_with_nine_rows_in_ten_removed_is_held_and_the_next_one_compares_with_the_last(
    tmp_path: Path,
) -> None:
    files = sorted(real("risk-areas").iterdir())[:3]
    texts = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    data = texts[1]["data"]
    rows = sum(len(group["communitys"]) for group in data["middlelist"] + data["highlist"])
    data["middlelist"] = [{**data["middlelist"][0], "communitys": ["甲", "乙"][:1]}]
    kept = 1 + sum(len(group["communitys"]) for group in data["highlist"])
    data["mcount"] = 1
    assert kept * 10 <= rows
    for path, text in zip(files, texts, strict=True):
        (tmp_path / path.name).write_text(json.dumps(text, ensure_ascii=False))
    run = feed("risk-areas", tmp_path, out=tmp_path / "out")
    assert run.status == 1
    assert run.counts["held"] == kept
    assert any("vanish" in line for line in run.errors)
    # Control: without the broken list in between, the same facts come out.
    without = feed(
        "risk-areas", tmp_path / files[0].name, tmp_path / files[2].name, out=tmp_path / "out2"
    )
    assert without.status == 0
    assert without.facts == run.facts
    # Released on purpose it is applied.
    released = feed("risk-areas", tmp_path, "--release", out=tmp_path / "out3")
    assert released.status == 0
    assert released.counts["held"] == 0
    assert released.counts["closed"] > 150


@pytest.mark.parametrize(("left", "status"), [(6, 0), (5, 0), (4, 1), (0, 1)])
def test_the_breaker_trips_above_the_limit_and_not_at_it(
    tmp_path: Path, left: int, status: int
) -> None:
    """Ten places: 5 of 10 gone is 50 %, which is not more than 50 %; 6 of 10 is."""
    names = [f"{n}号楼" for n in range(10)]
    snapshot(tmp_path / "a.json", "2022-06-01 17时", medium=names)
    snapshot(tmp_path / "b.json", "2022-06-02 17时", medium=names[:left])
    run = feed("risk-areas", tmp_path, out=tmp_path / "out")
    assert run.status == status
    assert run.counts["held"] == (left if status else 0)
    assert run.counts["closed"] == (0 if status else 10 - left)
    wider = feed("risk-areas", tmp_path, "--max-vanish", 100, out=tmp_path / "out")
    assert (wider.status, wider.counts["closed"]) == (0, 10 - left)


def test_a_list_shorter_than_it_says_is_held(tmp_path: Path) -> None:
    path = snapshot(tmp_path / "a.json", "2022-06-01 17时", medium=["一号楼", "二号楼"])
    text = json.loads(path.read_text())
    text["data"]["mcount"] = 3
    path.write_text(json.dumps(text))
    run = feed("risk-areas", tmp_path, out=tmp_path / "out")
    assert run.counts == counts(declared=2, held=2)
    assert run.facts == []


def test_a_bad_row_is_put_aside_and_nobody_is_delisted_by_it(tmp_path: Path) -> None:
    snapshot(tmp_path / "a.json", "2022-06-01 17时", medium=["一号楼", "二号楼"])
    path = snapshot(tmp_path / "b.json", "2022-06-02 17时", medium=["一号楼", "三号楼"])
    text = json.loads(path.read_text())
    text["data"]["middlelist"][0]["communitys"].append(None)
    text["data"]["mcount"] = 3
    path.write_text(json.dumps(text))
    run = feed("risk-areas", tmp_path, out=tmp_path / "out")
    assert run.counts == counts(declared=5, landed=3, unchanged=1, quarantined=1)
    assert "middlelist[0].communitys[2]" in run.errors[0]
    # The next whole list ends what was waiting.
    snapshot(tmp_path / "c.json", "2022-06-03 17时", medium=["一号楼", "三号楼"])
    run = feed("risk-areas", tmp_path, out=tmp_path / "out")
    assert run.counts["closed"] == 1
    assert run.facts[-1]["payload"]["ended_by"].startswith("risk-areas:2022060317")


def test_both_levels_at_once_is_the_stricter_one(tmp_path: Path) -> None:
    snapshot(tmp_path / "a.json", "2022-06-01 17时", high=["一号楼"], medium=["一号楼"])
    run = feed("risk-areas", tmp_path, out=tmp_path / "out")
    assert run.counts == counts(declared=2, landed=1, quarantined=1)
    assert run.facts[0]["payload"]["level"] == "high"


def test_the_same_place_written_several_ways_is_one_area(tmp_path: Path) -> None:
    ways = [
        "金鑫水产有限公司（黄海北路 888号）",
        "金鑫水产有限公司(黄海北路888号)",
        "金鑫水产有限公司（黄海北路８８８号）",
        "金鑫水产有限公司(黄海北路\u3000888号\u200b)。",
    ]
    assert len({area_id("山东省", "威海市", "荣成市", way) for way in ways}) == 1
    ranges = ["柳营路1059号—1069号", "柳营路1059号-1069号", "柳营路1059号――1069号"]
    assert len({area_id("上海市", "静安区", "", way) for way in ranges}) == 1
    for n, way in enumerate(ways):
        snapshot(tmp_path / f"{n}.json", f"2022-06-0{n + 1} 17时", medium=[way])
    run = feed("risk-areas", tmp_path, out=tmp_path / "out")
    assert run.counts == counts(declared=4, landed=1, unchanged=3)


def test_places_that_only_look_alike_stay_apart() -> None:
    """Controls to the merging above: another number, another county, a part of a place."""
    whole = area_id("湖南省", "邵阳市", "北塔区", "陈家桥镇")
    assert whole != area_id("湖南省", "邵阳市", "北塔区", "陈家桥镇1号")
    assert whole != area_id("湖南省", "邵阳市", "大祥区", "陈家桥镇")
    assert whole != area_id("湖南省", "邵阳市北塔区", "", "陈家桥镇")


@pytest.mark.data
def test_no_two_real_places_share_an_area(tmp_path: Path) -> None:
    places = {place for _, listed in plain_lists(real("risk-areas")) for place in listed}
    assert len({area_id(*place) for place in places}) == len(places) == 477


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", '{"data": {}}', '{"data": {"highlist": [], "middlelist": []}}', "{", "nonsense"],
)
def test_another_document_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    run = feed("risk-areas", tmp_path / "a.json", out=tmp_path / "out")
    assert run.status == 2
    assert len([line for line in run.errors if line.startswith("a.json")]) == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_leaves_other_files_out_and_says_so(tmp_path: Path) -> None:
    snapshot(tmp_path / "a.json", "2022-06-01 17时", medium=["一号楼"])
    (tmp_path / "readme.txt").write_text("no list")
    run = feed("risk-areas", tmp_path, out=tmp_path / "out")
    assert run.status == 0
    assert run.counts == counts(declared=1, landed=1)
    assert run.errors[0].startswith("readme.txt: Left out")


@pytest.mark.data
def test_the_rules_read_every_real_listing_from_its_first_hour_to_its_last(tmp_path: Path) -> None:
    """What the area history makes of our facts, against runs of hours in the files themselves."""
    folder = real("risk-areas")
    wanted: set[tuple[Place, str, datetime, datetime | None]] = set()
    open_since: dict[tuple[Place, str], datetime] = {}
    for hour, places in plain_lists(folder):
        for key in [key for key in open_since if places.get(key[0]) != key[1]]:
            wanted.add((*key, open_since.pop(key), hour))
        for place, level in places.items():
            open_since.setdefault((place, level), hour)
    wanted |= {(*key, since, None) for key, since in open_since.items()}
    facts = [fact_from_json(one) for one in feed("risk-areas", folder, out=tmp_path / "o").facts]
    read = {
        (
            tuple(listing.fact.payload[key] for key in ("province", "city", "county", "name")),
            listing.level,
            listing.when.start,
            listing.when.end,
        )
        for listing in pair_listings(facts)
    }
    assert read == wanted
    assert len(read) == 544
