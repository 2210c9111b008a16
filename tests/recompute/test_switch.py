"""A pack carried to everybody set-based: the same as person by person, whatever comes between."""

import random
from datetime import timedelta

from passlight.office.statuses.models import Heartbeat, Publication, Switch, Task
from passlight.office.statuses.publishing import Publisher
from passlight.runtime.clock import SystemClock
from tests.recompute.town import (
    by_person,
    event,
    follow,
    newest_rows,
    served,
    settle_town,
    shipped,
)
from tests.statuses.cast import confirmed, land, one_rule, put_in_force
from tests.statuses.moments import HandClock


def test_everybody_has_what_the_evaluator_of_one_person_gives(city, monkeypatch):
    """Two hundred lives carried to other rules; questions and contradictions open their tasks."""
    clock = HandClock(SystemClock().now().replace(microsecond=0) - timedelta(hours=1))
    settle_town(200, clock)
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "1000000")
    publisher = Publisher(clock)
    follow(publisher)
    assert served(clock.moment) == by_person(clock.moment)
    assert not Switch.objects.exists(), "control: so far everybody was evaluated one by one"
    before = newest_rows()
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "0")
    clock.move(minutes=1)
    put_in_force(shipped("jiangsu-2021"), clock, effective_from=None)
    follow(publisher)
    row = Switch.objects.get()
    assert (row.state, row.people, row.people_done) == ("done", 200, 200)
    assert served(clock.moment) == by_person(clock.moment)
    after = newest_rows()
    changed = sum(after[ordinal] != before[ordinal] for ordinal in after)
    assert row.changed == changed > 20, "what differs is written and nothing else"
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
