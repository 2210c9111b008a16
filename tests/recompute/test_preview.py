"""A preview counted set-based says what the one counted person by person says."""

from datetime import timedelta

import pytest

from passlight.office.packs.actions import store_pack
from passlight.office.packs.models import Preview
from passlight.office.packs.preview import start_preview, step_preview
from passlight.office.recompute.previewing import run_preview
from passlight.runtime.clock import SystemClock
from tests.recompute.town import settle_town, shipped
from tests.statuses.cast import one_rule
from tests.statuses.moments import HandClock


@pytest.fixture
def town(city):
    clock = HandClock(SystemClock().now().replace(microsecond=0) - timedelta(hours=1))
    settle_town(100, clock)
    return clock


def numbers(preview):
    return preview.changes, preview.causes, preview.evaluated, preview.total


def test_both_ways_count_the_same(town, monkeypatch):
    clock, pack = town, store_pack(shipped("jiangsu-2021"), user=None, clock=town)
    city = start_preview(pack, effective_from=None, user=None, clock=clock)
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "1000000")
    person = start_preview(pack, effective_from=None, user=None, clock=clock)
    assert (city.engine, person.engine) == ("city", "person")
    assert step_preview(city.pk, clock=clock).evaluated == 0, "the page does not count a city"
    person = step_preview(person.pk, clock=clock)
    assert person.finished_at
    assert sum(person.changes.values()) > 10, "control: something changes"
    city = run_preview(city.pk, clock)
    assert city.finished_at
    assert numbers(city) == numbers(person)


def test_a_broken_off_count_goes_on_and_one_that_fails_is_left_to_the_page(town, monkeypatch):
    from passlight.office.recompute import previewing

    clock, pack = town, store_pack(one_rule(), user=None, clock=town)
    monkeypatch.setenv("PASSLIGHT_CITY_BUCKET", "30")
    preview = start_preview(pack, effective_from=None, user=None, clock=clock)
    honest = previewing._count
    counted = []

    def faulty(row, bucket, *others):
        if len(counted) in {1, 2}:
            counted.append(None)
            raise RuntimeError("the disk is full")
        counted.append(bucket)
        honest(row, bucket, *others)

    monkeypatch.setattr(previewing, "_count", faulty)
    for attempt in (1, 2):
        with pytest.raises(RuntimeError):
            run_preview(preview.pk, clock)
        broken = Preview.objects.get(pk=preview.pk)
        assert (broken.position, broken.attempts, broken.fault) == (
            1,
            attempt,
            "RuntimeError: the disk is full",
        )
    done = run_preview(preview.pk, clock)
    assert counted == [0, None, None, 1, 2, 3]
    assert (done.evaluated, done.total, done.fault) == (100, 100, "")
    # Three failures in a row: the page counts, and says why.
    again = start_preview(pack, effective_from=None, user=None, clock=clock)
    monkeypatch.setattr(previewing, "_count", lambda *_: 1 / 0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            run_preview(again.pk, clock)
    left = step_preview(again.pk, clock=clock)
    assert (left.engine, left.finished_at is not None) == ("person", True)
    assert numbers(left) == numbers(done)
