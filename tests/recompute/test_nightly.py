"""The nightly recompute finds exactly who was damaged, and nobody else, whatever lands meanwhile."""

import json
from datetime import timedelta

import pytest
from django.db import connection

from passlight.city.store import MANIFEST
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.models import Role as UserRole
from passlight.office.accounts.models import Unit, UnitKind, User
from passlight.office.notices.models import Notice
from passlight.office.recompute.actions import ask_for_run
from passlight.office.recompute.folder import city_folder
from passlight.office.recompute.models import Difference, Run
from passlight.office.recompute.running import go_on
from passlight.office.statuses.publishing import Publisher
from passlight.runtime.clock import SystemClock
from tests.recompute.town import follow, newest_rows, settle_town
from tests.statuses.cast import (
    arrival,
    confirmed,
    land,
    one_rule,
    people,
    put_in_force,
    registered,
)
from tests.statuses.moments import HandClock, fact

RED = [{"from": None, "colour": "red", "reason": "shanghai-2020-02@2020.02.17/confirmed/0"}]


@pytest.fixture
def town(city, monkeypatch):
    """Eighty people, worked off one by one, and a steward who is told."""
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "1000000")
    clock = HandClock(SystemClock().now().replace(microsecond=0) - timedelta(hours=1))
    persons = settle_town(80, clock)
    came = clock.moment - timedelta(days=1)  # yellow for thirteen days more
    trains = [arrival(persons[n], came, area="420106", fact_id=f"train:{n}") for n in range(10, 14)]
    land(*trains, clock=clock)
    publisher = Publisher(clock)
    follow(publisher)
    clock.move(minutes=10)
    unit = Unit.objects.create(kind=UnitKind.DISTRICT, name="云杉区", name_en="Spruce", path="/1/")
    User.objects.create(
        username="steward",
        role=UserRole.STEWARD,
        unit=unit,
        display_name="甲",
        display_name_en="A",
        badge="s",
        created_at=clock.now(),
    )
    return clock, publisher, persons


def damage(ordinal, **columns):
    """Change a served row as nobody but the owner of the database can."""
    sets = ", ".join(f"{name} = %s" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"update statuses_publication set {sets} where seq = (select max(seq) from statuses_publication where ordinal = %s)",
            [*columns.values(), ordinal],
        )


def recompute(clock, publisher, *, worker=True):
    """Run one recompute; the worker does its passes whenever the run waits for it."""

    def pause(seconds):
        clock.move(seconds=seconds)
        if worker:
            follow(publisher)

    run = ask_for_run(user=None, clock=clock)
    return go_on(run, clock, progress=lambda *_: None, pause=pause)


def test_who_was_damaged_is_found_told_and_put_right(town):
    """Six rows changed by hand, each in another way; a seventh person only has newer facts."""
    clock, publisher, persons = town
    run = recompute(clock, publisher)
    assert (run.state, run.people, run.compared, run.counts) == ("done", 80, 80, {})
    assert not Notice.objects.exists(), "control: nobody differs, and nobody is told"
    honest = newest_rows()
    green = [
        n
        for n, row in honest.items()
        if row[0] == [{"from": None, "colour": "green", "reason": None}] and row[1] is None
    ]
    restricted = [
        n
        for n, row in honest.items()
        if row[0][0]["colour"] in {"red", "yellow"} and row[0][0]["reason"]
    ]
    ending = [n for n in restricted if len(honest[n][0]) > 1]
    a, b, c, newer = green[:4]
    d = next(n for n in restricted if n not in ending)
    e = ending[0]
    damage(a, segments=json.dumps(RED))
    damage(b, sampled_at=clock.now() - timedelta(hours=3))
    damage(c, state="closed")
    damage(
        d,
        segments=json.dumps(
            [{**part, "reason": "x/y/0" if part["reason"] else None} for part in honest[d][0]]
        ),
    )
    damage(e, segments=json.dumps([honest[e][0][0]]))
    with connection.cursor() as cursor:
        cursor.execute("delete from statuses_publication where ordinal = %s", [persons[-1].ordinal])
    run = ask_for_run(user=None, clock=clock)
    landed = []

    def progress(step, done, total):
        # A fact that is newer than the run's number, before anything was read.
        if step == "served" and not landed:
            landed.append(newer)
            land(confirmed(persons[newer], clock.moment), clock=clock)
            follow(publisher)

    run = go_on(run, clock, progress=progress, pause=lambda seconds: follow(publisher))
    found = {row.ordinal: row.kind for row in Difference.objects.filter(run=run)}
    assert found == {
        a: "colour",
        b: "sampled",
        c: "colour",
        d: "reason",
        e: "later",
        persons[-1].ordinal: "missing",
    }
    assert run.counts == {"colour": 2, "sampled": 1, "reason": 1, "later": 1, "missing": 1}
    assert set(Difference.objects.values_list("state", flat=True)) == {"corrected"}
    after = newest_rows()
    assert after[newer][0][0]["colour"] == "red", "control: the newer fact was followed"
    assert {n: row for n, row in after.items() if n != newer} == {
        n: row for n, row in honest.items() if n != newer
    }
    notice = Notice.objects.get()
    assert (notice.code, notice.params["count"]) == ("recompute.notice_corrected", 6)
    assert recompute(clock, publisher).counts == {}, "the next night finds nobody"


def test_what_stays_different_is_an_alarm(town):
    """The worker does not answer: the difference stays open, and stewards are called."""
    clock, publisher, _ = town
    damage(5, segments=json.dumps(RED))
    if newest_rows()[5][0] != RED:
        pytest.fail("control: the row was changed")
    run = recompute(clock, publisher, worker=False)
    assert [row.state for row in Difference.objects.filter(run=run)] == ["open"]
    assert Notice.objects.get().code == "recompute.notice_alarm"


def test_what_differs_again_is_an_alarm_and_a_newer_fact_is_none(town):
    """The worker answered: one row is wrong once more, of another person a newer fact speaks."""
    clock, publisher, persons = town
    green = [{"from": None, "colour": "green", "reason": None}]
    again, newer = [n for n, row in newest_rows().items() if row[0] == green and row[1] is None][:2]
    for ordinal in (again, newer):
        damage(ordinal, segments=json.dumps(RED))
    run = ask_for_run(user=None, clock=clock)

    def pause(seconds):
        land(confirmed(persons[newer], clock.moment), clock=clock)
        follow(publisher)
        assert newest_rows()[again][0] == green, "control: the worker had put it right"
        damage(again, segments=json.dumps(RED))

    run = go_on(run, clock, progress=lambda *_: None, pause=pause)
    found = dict(Difference.objects.values_list("ordinal", "state"))
    assert found == {again: "stays", newer: "overtaken"}
    notice = Notice.objects.get()
    assert (notice.code, notice.params["count"]) == ("recompute.notice_alarm", 1)


def kill(run, clock, *, at, done):
    """Go on with a run until it has done so much of a step, and end it there."""

    def killed(step, so_far, total):
        if (step, so_far) == (at, done):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go_on(run, clock, progress=killed, pause=lambda seconds: None)


def test_a_run_that_was_killed_goes_on_with_the_bucket_it_was_at(town, monkeypatch):
    clock, publisher, _ = town
    monkeypatch.setenv("PASSLIGHT_CITY_BUCKET", "40")
    for ordinal in (3, 50):
        damage(ordinal, state="unknown")
    run = ask_for_run(user=None, clock=clock)
    kill(run, clock, at="evaluate", done=1)
    run = Run.objects.get()
    assert (run.state, run.bucket, run.compared) == ("running", 1, 40)
    run = go_on(run, clock, progress=lambda *_: None, pause=lambda seconds: follow(publisher))
    assert (run.state, run.bucket, run.compared) == ("done", 2, 80)
    assert sorted(Difference.objects.values_list("ordinal", flat=True)) == [3, 50]


def test_who_is_exported_in_other_buckets_after_a_kill_loses_no_fact(town, monkeypatch):
    """Killed between people and facts; then an operator makes buckets smaller to save memory."""
    clock, publisher, _ = town
    monkeypatch.setenv("PASSLIGHT_CITY_BUCKET", "40")
    run = ask_for_run(user=None, clock=clock)
    kill(run, clock, at="versions", done=0)
    monkeypatch.setenv("PASSLIGHT_CITY_BUCKET", "30")
    run = recompute(clock, publisher)
    assert (run.state, run.compared, run.counts) == ("done", 80, {})


def test_results_are_not_gone_on_with_when_their_facts_are_lost(town, monkeypatch):
    """A newcomer or another size moves the buckets' edges: somebody would be passed over."""
    clock, _, _ = town
    monkeypatch.setenv("PASSLIGHT_CITY_BUCKET", "30")
    run = ask_for_run(user=None, clock=clock)
    kill(run, clock, at="evaluate", done=1)
    monkeypatch.setenv("PASSLIGHT_CITY_BUCKET", "60")
    (manifest,) = city_folder().glob(f"recompute-*/store/{MANIFEST}")
    manifest.unlink()
    with pytest.raises(ProblemError, match="facts that they came from are lost"):
        go_on(run, clock, progress=lambda *_: None, pause=lambda seconds: None)
    assert Run.objects.get().state == "failed"


def test_a_source_that_never_delivered_vouches_for_nobody(city, monkeypatch):
    """No delivery ever came: everybody is unknown for both, not green for the set-based one."""
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "1000000")
    clock = HandClock(SystemClock().now().replace(microsecond=0) - timedelta(hours=1))
    source = ", mandatory: [{source: lab, within: 24h, when_stale: unknown, text: {zh: 数据未到, en: Data is late}}]}\nrules"
    put_in_force({"pack.yaml": one_rule()["pack.yaml"].replace("}\nrules", source)}, clock)
    registered(people(5), clock)
    publisher = Publisher(clock)
    follow(publisher)
    assert {row[2] for row in newest_rows().values()} == {"unknown"}
    assert recompute(clock, publisher).counts == {}
    land(fact("lab:1", "source.delivered", "source:lab", clock.moment, source="lab"), clock=clock)
    follow(publisher)
    assert {row[0][0]["colour"] for row in newest_rows().values()} == {"green"}
    assert recompute(clock, publisher).counts == {}


def test_the_hour_comes_once_a_day(db, monkeypatch):
    from passlight.office.recompute.attending import night_is_due
    from tests.statuses.moments import at

    first = at("2031-02-28 12:00")
    assert not night_is_due(first), "without rules there is nothing to compute"
    put_in_force(one_rule(), HandClock(first))
    assert not night_is_due(first), "the first night is the one after the first pack"
    assert not night_is_due(at("2031-03-01 02:59"))
    assert night_is_due(at("2031-03-01 03:00"))
    Run.objects.create(state="done", asked_at=at("2031-03-01 03:00"))
    assert not night_is_due(at("2031-03-02 02:59"))
    assert night_is_due(at("2031-03-02 03:00"))
    monkeypatch.setenv("PASSLIGHT_RECOMPUTE_HOUR", "24")
    assert not night_is_due(at("2031-03-02 03:00"))
