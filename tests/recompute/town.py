"""A seeded town for the tests of this folder: people with lives, under real rules.

What is expected of the set-based side is what the evaluator of one person gives for everybody,
which shares nothing with it below the compiled pack, or is counted by hand in the test.
"""

import random
import time
from datetime import timedelta

from django.db import connection

from passlight.core.facts.fact import Op
from passlight.office.facts.queries import last_seq
from passlight.office.packs.schedule import latest_seq, schedule
from passlight.office.people.models import Person
from passlight.office.statuses.evaluation import LogReader
from passlight.office.statuses.models import Heartbeat, Publication
from passlight.office.statuses.publishing import Publisher
from passlight.office.statuses.rows import cut_to, row_of, rows_held
from passlight.runtime.packs import read_pack_folder
from tests.statuses.cast import ROOT, land, people, put_in_force, registered
from tests.statuses.moments import HandClock, fact

AREAS = ("420100", "420106", "330100", "440300", "990100")
# 420100 is known too coarsely: a part of it is listed and the rest is not.
LISTED = ("420106", "990100")
WAIT_SECONDS = 120


def shipped(name):
    """A shipped pack without its own scenarios, which run elsewhere."""
    files = read_pack_folder(ROOT / "policies" / name)
    return {path: text for path, text in files.items() if not path.startswith("tests/")}


def settle_town(count, clock: HandClock, *, pack="shanghai-2020-02", seed=1):
    """Register people and give them lives of up to five facts, with links and corrections."""
    chance = random.Random(seed)
    persons = people(count)
    start = clock.moment - timedelta(days=60)
    put_in_force(shipped(pack), clock, effective_from=start)
    lists = [
        fact(
            f"list:{area}:{level}",
            "area.listed",
            f"area:{area}",
            start,
            source="national",
            area=area,
            level=level,
            list_id=f"l-{area}-{level}",
        )
        for area in LISTED
        for level in ("key", "high", "medium")
    ]
    land(*lists, clock=clock)
    # One person has no fact at all, as somebody has who was made by a document alone.
    registered(persons[1:], clock)
    told = [one for person in persons[1:] for one in life(chance, person, clock)]
    told += [
        fact(
            f"link:{n}",
            "identity.link",
            persons[n].facts_key,
            clock.moment,
            source="registration",
            a=persons[n].facts_key,
            b=persons[n + 1].facts_key,
        )
        for n in range(1, count - 1, 17)
    ]
    taken_back = [
        fact(one.fact_id, one.kind, one.subject, one.occurred_at, op=Op.RETRACT)
        for one in told[::23]
    ]
    for start_ in range(0, len(told), 2000):
        land(*told[start_ : start_ + 2000], clock=clock)
    land(*taken_back, clock=clock)
    return persons


def life(chance, person, clock):
    for n in range(chance.randrange(5)):
        yield event(
            chance,
            person,
            f"{person.ordinal}:{n}",
            clock.moment - timedelta(hours=chance.randrange(1, 900)),
        )


def event(chance, person, number, at):
    """One fact about a person, of the kinds that the rules read."""
    kind = chance.choice(
        ("test", "test", "arrival", "stay", "confirmed", "discharged", "suspected", "order")
    )
    case = f"c{person.ordinal}"
    if kind == "test":
        value = chance.choice(("neg", "neg", "neg", "pos"))
        return fact(
            f"lab:{number}",
            "lab.result",
            person.facts_key,
            at,
            source="lab",
            value=value,
            sampled_at=(at - timedelta(hours=4)).isoformat(),
        )
    if kind == "arrival":
        area = chance.choice(AREAS)
        return fact(
            f"rail:{number}",
            "travel.arrived",
            person.facts_key,
            at,
            source="rail",
            from_area=area,
            left_at=(at - timedelta(hours=6)).isoformat(),
            arrived_at=at.isoformat(),
        )
    if kind == "stay":
        return fact(
            f"stay:{number}",
            "stay",
            person.facts_key,
            at - timedelta(days=2),
            source="hotel",
            until=at,
            area=chance.choice(AREAS),
        )
    if kind == "order":
        return fact(
            f"order:{number}",
            "order.started",
            person.facts_key,
            at,
            source="cdc",
            order_id=f"o{number}",
            type="home",
        )
    return fact(f"case:{number}", f"case.{kind}", person.facts_key, at, source="cdc", case_id=case)


def follow(publisher: Publisher, *, seconds=WAIT_SECONDS, until=None):
    """Let the worker work until it has nothing to do, also while a switch's process is at work."""
    end = time.monotonic() + seconds
    while True:
        more = publisher.step()
        if until is not None and until():
            return
        beat = Heartbeat.objects.get()
        if until is None and not more and beat.packs_seq == latest_seq() and beat.sweep_ordinal < 0:
            return
        assert time.monotonic() < end, "the worker found no end"
        if not more:
            time.sleep(0.02)


def by_person(moment):
    """What the evaluator of one person gives for everybody on all facts: rows by ordinal."""
    persons = dict(Person.objects.values_list("ordinal", "facts_key"))
    situation = LogReader().situation(schedule(), up_to=last_seq())
    found = situation.evaluate(persons)
    return {ordinal: cut_to(row_of(ordinal, one, moment), moment) for ordinal, one in found.items()}


def served(moment):
    """What doors are told about everybody from that moment on: rows by ordinal."""
    ordinals = list(Person.objects.values_list("ordinal", flat=True))
    return {ordinal: cut_to(row, moment) for ordinal, row in rows_held(ordinals).items()}


def forget_what_was_published():
    """Empty what the worker wrote, as its owner."""
    with connection.cursor() as cursor:
        cursor.execute("truncate statuses_publication, statuses_heartbeat, statuses_task")


def newest_rows():
    """The newest publication of everybody, without numbers and times: a state to compare."""
    rows = Publication.objects.order_by("ordinal", "-seq").distinct("ordinal")
    return {row.ordinal: (row.segments, row.sampled_at, row.state) for row in rows}
