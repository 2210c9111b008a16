"""What a tired person meets on an incident's page: kept words, folded repeats, whom to call.

What must stand there is written from ui.md 10 (keep what was typed, say what to do) and from
who is told at each step (S4 三(二)5 and 6), not read from the pages' code.
"""

import re

import pytest

from passlight.core.incidents.steps import Step
from passlight.office.incidents import actions, views
from passlight.office.incidents.models import StoredIncident
from tests.incidents.hall import add_person, make_world
from tests.incidents.test_actions import found
from tests.incidents.test_pages import page, post


@pytest.fixture
def world(db):
    made = make_world()
    made.clock.at = views.CLOCK.now()
    return made


def told_leader(world):
    stored = found(world, add_person())
    actions.record_step(
        stored.pk, Step.ISOLATED, actor=world.leader, clock=world.clock, note="一号隔离间"
    )
    return actions.receive(stored.pk, actor=world.leader, clock=world.clock)


def test_a_refused_step_keeps_what_was_typed_and_leads_there(world):
    stored = told_leader(world)
    given = {"channel": "group", "who": "", "at": "23:59"}
    answer = post(world.leader, f"{stored.pk}/steps/street-told/", **given)
    text = answer.content.decode()
    assert answer.status_code == 422
    form = text.split('id="step-street-told"')[1].split("</form>")[0]
    assert re.search(r'value="group" checked', form)
    assert 'value="23:59"' in form
    assert 'href="#step-street-told"' in text


def test_nobody_is_isolated_without_a_place(world):
    stored = found(world, add_person())
    answer = post(world.leader, f"{stored.pk}/steps/isolated/", note=" ")
    assert answer.status_code == 422
    assert "请写明隔离点" in answer.content.decode()
    assert post(world.leader, f"{stored.pk}/steps/isolated/", note="一号").status_code == 302


def test_the_same_finding_again_and_again_is_one_line(world):
    person = add_person()
    for _ in range(5):
        found(world, person)
    assert StoredIncident.objects.count() == 1
    text = page(world.leader, f"{StoredIncident.objects.get().pk}/")
    assert text.count("又一次发现") == 1
    assert "共4次" in text


def test_nobody_calls_themselves_and_the_leading_group_about_its_own_step(world):
    stored = told_leader(world)
    calls = page(world.leader, f"{stored.pk}/").split("现在联系")[1].split("</section>")[0]
    assert "周*平" not in calls  # the leader reads the page
    assert "报领导小组" in calls
    assert "区已更正" not in calls


def test_no_place_and_no_finding_is_chosen_for_whoever_opens(world):
    text = page(world.clerk, "new/")
    assert "checked" not in text.split('name="kind"', 1)[1].split("</form>")[0]
