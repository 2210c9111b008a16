"""Which database role may publish, and which statements each is refused."""

from datetime import timedelta

import psycopg
import pytest

from passlight.runtime.database import Role
from tests.statuses.cast import (
    list_key_area,
    people,
    put_in_force,
    registered,
    run_worker,
    shanghai,
    shown,
)
from tests.statuses.moments import HandClock, T


@pytest.fixture
def hand():
    return HandClock(T - timedelta(days=20))


@pytest.fixture
def under_shanghai(db, hand):
    put_in_force(shanghai(), hand)
    list_key_area(hand)
    return hand


def test_the_evaluator_role_suffices(under_shanghai, as_role):
    (one,) = people(1)
    registered([one], under_shanghai)
    with as_role(Role.EVALUATOR):
        run_worker(under_shanghai)
    assert shown(one) == [(None, "green")]


COLOURS = (
    "insert into statuses_publication values (99, 0, '[]', null, 'active', now(), 0, 0)",
    "update statuses_publication set segments = '[]'",
    "delete from statuses_publication",
    "truncate statuses_publication",
    "insert into statuses_reason values ('x', 'red', '{}', '{}')",
    "update statuses_heartbeat set at = now()",
)
BEYOND_THE_EVALUATOR = (
    "update statuses_publication set segments = '[]'",
    "delete from statuses_publication",
    "update statuses_reason set colour = 'green'",
    "insert into facts_fact values (1, 'x', 1, 'assert', 'k', 's', now(), null, now(), 's', 'b', '{}')",
    "insert into packs_publication values (1, now(), null, now(), '', null, 1)",
    "select name_sealed from people_person",
)


@pytest.mark.parametrize(
    ("role", "statements"),
    [(Role.OFFICE, COLOURS), (Role.GATEWAY, COLOURS), (Role.EVALUATOR, BEYOND_THE_EVALUATOR)],
)
def test_what_each_role_may_not_write(role_urls, role, statements):
    """Nobody but the evaluator writes a colour, and the evaluator writes nothing else."""
    with psycopg.connect(role_urls[role], autocommit=True) as other:
        for statement in statements:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                other.execute(statement)
