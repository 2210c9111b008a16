"""A pack carried to everybody set-based: the same as person by person, whatever comes between."""

import random
from datetime import timedelta

from passlight.office.statuses.models import Heartbeat, Publication, Switch, Task
from passlight.office.statuses.publishing import Publisher
from passlight.runtime.clock import SystemClock
from tests.recompute.town import (
    by_person,
    follow,
    newest_rows,
    served,
    settle_town,
    shipped,
)
from tests.statuses.cast import confirmed, land, one_rule, put_in_force
from tests.statuses.moments import HandClock, fact


def test_everybody_has_what_the_evaluator_of_one_person_gives(city, monkeypatch):
    """Lives of all kinds carried to other rules; questions and contradictions open their tasks."""
    clock = HandClock(SystemClock().now().replace(microsecond=0) - timedelta(hours=1))
    settle_town(120, clock)
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "1000000")
    publisher = Publisher(clock)
    follow(publisher)
    assert served(clock.moment) == by_person(clock.moment)
    assert not Switch.objects.exists(), "control: so far everybody was evaluated one by one"
    before = newest_rows()
    Task.objects.all().delete()  # those of the rules before
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "0")
    monkeypatch.setenv("PASSLIGHT_CITY_BUCKET", "60")
    clock.move(minutes=1)
    put_in_force(shipped("jiangsu-2021"), clock, effective_from=None)
    follow(publisher)
    row = Switch.objects.get()
    assert (row.state, row.people, row.people_done) == ("done", 120, 120)
    assert served(clock.moment) == by_person(clock.moment)
    after = newest_rows()
    changed = sum(after[ordinal] != before[ordinal] for ordinal in after)
    assert row.changed == changed > 10, "what differs is written and nothing else"
    tasks = set(Task.objects.values_list("ordinal", "kind", "detail"))
    assert tasks, "control: somebody's area is known too coarsely"
    # The same by the sweep person by person, from an empty table.
    Task.objects.all().delete()
    Heartbeat.objects.update(packs_seq=1)
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "1000000")
    follow(Publisher(clock))
    assert newest_rows() == after
    assert set(Task.objects.values_list("ordinal", "kind", "detail")) == tasks
    assert not list(city.glob("city/switch-*/store/*.json")), "its folder is gone"


def seventy_confirmed(clock):
    """Seventy people, the first sixty confirmed cases, under a rule that makes them red."""
    from tests.statuses.cast import people, registered

    persons = people(70)
    put_in_force(one_rule("1", "red"), clock)
    registered(persons, clock)
    land(*[confirmed(one, clock.moment) for one in persons[:60]], clock=clock)
    return persons


def interleaved(monkeypatch, *, seed):
    """Carry a new pack while facts come before, between and after the buckets."""
    clock = HandClock(SystemClock().now().replace(microsecond=0) - timedelta(hours=1))
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "1000000")
    persons = seventy_confirmed(clock)
    publisher = Publisher(clock)
    follow(publisher)
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "0")
    monkeypatch.setenv("PASSLIGHT_CITY_BUCKET", "35")
    clock.move(minutes=1)
    put_in_force(one_rule("2", "yellow"), clock, effective_from=None)
    assert not publisher.step(), "its process was started, and there is nothing to publish yet"
    chance = random.Random(seed)
    landed = 0
    for bucket in range(2):
        # Now the facts up to the switch's number are fixed; these are newer.
        for person in chance.sample(persons, 12):
            kind = chance.choice(("case.discharged", "case.confirmed", "lab.result"))
            landed += 1
            told = {"value": "neg"} if kind == "lab.result" else {"case_id": str(person.ordinal)}
            land(fact(f"new:{landed}", kind, person.facts_key, clock.moment, **told), clock=clock)
        clock.move(seconds=1)
        follow(publisher, until=lambda at=bucket: Switch.objects.get().bucket > at)
    follow(publisher)
    assert Switch.objects.get().state == "done"
    return served(clock.moment), by_person(clock.moment)


def test_a_newer_fact_is_never_overwritten_by_an_older_result(city, monkeypatch):
    found, expected = interleaved(monkeypatch, seed=3)
    assert found == expected


def test_without_the_order_older_results_do_overwrite(city, monkeypatch):
    """The control of the test before it: nobody is left to the worker's own evaluation."""
    monkeypatch.setattr(Publisher, "_leave_to_facts", lambda self, people: None)
    found, expected = interleaved(monkeypatch, seed=3)
    assert found != expected


def test_a_process_that_cannot_go_on_is_replaced_by_the_sweep(city, monkeypatch, caplog):
    """No duckdb in its process, three times: everybody is carried person by person, and it is said."""
    clock = HandClock(SystemClock().now().replace(microsecond=0) - timedelta(hours=1))
    monkeypatch.setattr("passlight.office.statuses.switching.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(
        "passlight.office.statuses.switching.PROCESS", "passlight.office.recompute.no_such"
    )
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "1000000")
    seventy_confirmed(clock)
    publisher = Publisher(clock)
    follow(publisher)
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "0")
    put_in_force(one_rule("2", "yellow"), clock, effective_from=None)
    follow(publisher)
    row = Switch.objects.get()
    assert (row.state, row.attempts, bool(row.fault)) == ("failed", 3, True)
    assert served(clock.moment) == by_person(clock.moment)
    assert Publication.objects.filter(packs_seq=2).count() == 60
