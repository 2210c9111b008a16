"""The explanation, from E06 worked out by hand (field/08 1.10), in both languages.

Arrival from a key area at T, confirmed T+2d, discharged T+6d, under ``shanghai-2020-02``:
yellow [T, T+2d), red [T+2d, T+6d), yellow [T+6d, T+14d), green from T+14d.
T = 2026-03-01 10:00 +08, so T+14d = 15 March 10:00.
"""

from datetime import timedelta

import pytest
from django.test import Client

from passlight.office.packs.models import PackPublication
from passlight.office.statuses.explanation import explain
from tests.statuses.cast import (
    arrival,
    confirmed,
    discharged,
    land,
    list_key_area,
    one_rule,
    people,
    put_in_force,
    run_worker,
    shanghai,
)
from tests.statuses.moments import HandClock, T


@pytest.fixture
def e06(db):
    """Facts as they came: each recorded an hour after it happened; the worker ran each time."""
    clock = HandClock(T - timedelta(days=20))
    put_in_force(shanghai(), clock)
    list_key_area(clock)
    (one,) = people(1)
    publisher = run_worker(clock)
    for days, make in ((0, arrival), (2, confirmed), (6, discharged)):
        clock.set(T + timedelta(days=days, hours=1))
        land(make(one, T + timedelta(days=days)), clock=clock)
        run_worker(clock, publisher)
    return one


def test_yellow_again_after_the_discharge(e06):
    at = T + timedelta(days=7)
    found = explain(e06, at)
    assert (found.colour, found.field) == ("yellow", "yellow")
    assert found.title == {"zh": "为什么是黄码", "en": "Why the code is yellow"}
    assert found.headline == {
        "zh": "重点地区来沪未满14天",
        "en": "Arrived from a key area less than 14 days ago",
    }
    assert found.outlook == {
        "zh": "3月15日 10:00转为绿码。",
        "en": "Changes to Green on 15 Mar 10:00.",
    }
    assert [step.colour for step in found.story] == ["green", "yellow", "red", "yellow", "green"]
    assert [step.now for step in found.story] == [False, True, False, False, False]
    assert [step.when["zh"] for step in found.story] == [
        "3月15日 10:00起",
        "现在，第2天，共8天",
        "3月3日 10:00起",
        "3月1日 10:00起",
        "3月1日 10:00之前",
    ]
    assert found.story[2].title["zh"] == "红码：确诊未出院"
    assert found.story[1].notes[0] == {
        "zh": "3月1日 10:00起，3月15日 10:00止",
        "en": "from 1 Mar 10:00 until 15 Mar 10:00",
    }
    (used,) = found.facts
    assert (used.fact_id, used.name["zh"], used.role["zh"]) == ("rail:0", "到达", "引起")
    assert used.told == {
        "zh": "铁路部门上报，3月1日 10:00发生，我们3月1日 11:00得知",
        "en": "Reported by Railways; occurred 1 Mar 10:00, learned 1 Mar 11:00",
    }
    assert found.todo[0]["zh"] == "建议观察，留意体温和症状。"
    (rule,) = found.rules
    assert rule.basis == "黄色：显示黄色说明是重点地区来沪未满14天的人员。建议观察。"
    assert found.past is None
    assert found.phone == "12345"


def test_red_has_no_date_and_says_what_lifts_it(e06):
    found = explain(e06, T + timedelta(days=3))
    assert found.colour == "red"
    assert (
        found.outlook["en"]
        == "Changes by itself once the conditions below are met; there is no fixed date."
    )
    assert [fact.fact_id for fact in found.facts] == ["cdc:case-0", "rail:0"]  # red first
    assert len(found.todo) == 3  # advice of both measures, and what lifts the red one
    assert any("出院" in item["zh"] and "解除" in item["zh"] for item in found.todo)


def test_as_known_then_and_with_hindsight(e06):
    """E16's way: between the confirmation and our learning of it the door showed yellow."""
    between = T + timedelta(days=2, minutes=30)
    now = T + timedelta(days=7)
    then = explain(e06, between, now=now)
    assert then.colour == "yellow"
    assert then.past["zh"] == "这是3月3日 10:30的状态，按当时所知。"
    assert then.shown["zh"].startswith("3月3日 10:30门口得到的答案：黄码")
    hindsight = explain(e06, between, now, now=now)
    assert hindsight.colour == "red"
    assert hindsight.past["en"] == "This is the status of 3 Mar 10:30, as known at 8 Mar 10:00."
    assert hindsight.shown == then.shown  # what was shown never changes


def test_green_after_the_last_day(e06):
    found = explain(e06, T + timedelta(days=14))
    assert (found.colour, found.headline["zh"], found.facts, found.todo) == (
        "green",
        "没有生效的管控措施",
        (),
        (),
    )


def test_what_a_bad_pack_showed_can_be_told_later(db):
    """E40: a pack live from 09:00 to 09:20 is named, with its hash, for 09:10."""
    clock = HandClock(T - timedelta(days=2))
    good = put_in_force(one_rule("1", "red"), clock).pack
    (one,) = people(1)
    land(confirmed(one, clock.moment), clock=clock)
    clock.set(T)
    bad = put_in_force(one_rule("2", "yellow"), clock, effective_from=None).pack
    clock.move(minutes=20)
    put_in_force(one_rule("1", "red"), clock, effective_from=None)
    at_fault, after = T + timedelta(minutes=10), T + timedelta(minutes=20)
    assert [
        explain(one, moment).colour for moment in (T - timedelta(seconds=1), at_fault, after)
    ] == ["red", "yellow", "red"]
    assert explain(one, at_fault).status.pack_hash == bad.hash
    assert explain(one, after).status.pack_hash == good.hash
    assert explain(one, at_fault, T + timedelta(hours=1)).status.pack_hash == bad.hash
    assert PackPublication.objects.count() == 3


def test_without_rules_it_says_so(db):
    (one,) = people(1)
    found = explain(one, T)
    assert (found.colour, found.field) == ("unknown", "unknown")
    assert found.pack_line["zh"] == "那时没有生效的规则包。"


@pytest.fixture
def steward(db):
    from passlight.office.accounts.models import Role, Unit, UnitKind, User

    unit = Unit.objects.create(
        kind=UnitKind.DISTRICT, name="云杉区", name_en="Spruce District", path="/1/"
    )
    user = User.objects.create(
        username="steward",
        role=Role.STEWARD,
        unit=unit,
        display_name="数据管理员",
        display_name_en="Steward",
        badge="S-1",
        created_at=T,
    )
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ["为什么是黄码", "经过", "用到的事实", "认为不对"]),
        ("en", ["Why the code is yellow", "Timeline", "Facts used", "Not right?"]),
    ],
)
def test_the_page(e06, steward, language, words):
    moment = (T + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%S")
    page = steward.get(f"/statuses/{e06.facts_key}/?t={moment}&k={moment}&lang={language}")
    text = page.content.decode()
    assert page.status_code == 200
    for word in [*words, "rail:0", "12345"]:
        assert word in text
    assert "确诊未出院" in text if language == "zh" else "Confirmed case not yet discharged" in text


def test_an_unknown_handle_is_not_found(steward):
    assert steward.get("/statuses/p-none/").status_code == 404
