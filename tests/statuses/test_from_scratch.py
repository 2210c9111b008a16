"""The worker's publications and a gateway's book against one evaluation of the whole log.

A seeded history lands in random batches: facts of people and areas, corrections that name
somebody else or another area, retractions, links, versions in any order, packs put in force.
After each batch is worked off, what is published about everybody must be what
``core.status.evaluate`` gives from all facts at once, which knows no batch, no ordinal and no
"touched": at once, one second around every change, and years later.
"""

import random
from datetime import UTC, datetime, timedelta

import pytest

from passlight.core.facts.book import FactBook
from passlight.core.facts.fact import Op
from passlight.core.kernel.colour import Colour
from passlight.core.rules.areas import AreaHistory
from passlight.core.status.evaluate import evaluate
from passlight.gateway.book import Line, StatusBook
from passlight.office.facts.actions import land_facts
from passlight.office.facts.intake import NewFact
from passlight.office.facts.models import FactVersion
from passlight.office.facts.rows import to_fact
from passlight.office.packs.schedule import schedule
from passlight.office.statuses.models import Publication
from passlight.runtime.packs import read_pack_folder
from tests.statuses.cast import ROOT, one_rule, people, put_in_force, registered, run_worker
from tests.statuses.moments import HandClock, T, fact

#: Nested by digits, by path and by the lists' own parents; two of them from the packs' areas.csv.
AREAS = ("990000", "990100", "990101", "990101001", "b-1", "b-2", "c-1", "320503", "320508")
LEVELS = ("key", "high", "medium", "sealed", "low")
PERSON_KINDS = (
    *("case.confirmed", "case.asymptomatic", "case.discharged", "case.suspected"),
    *("case.ruled_out", "order.started", "order.lifted", "travel.arrived", "stay", "residence"),
    *("lab.result", "lab.result", "exposure.assessed", "exposure.derived", "waiver.granted"),
    *("person.deceased", "travel.arrived", "stay"),
)


class History:
    """Makes facts and corrections of what it made before."""

    def __init__(self, seed: int, subjects: list[str]) -> None:
        self.random = random.Random(seed)
        self.subjects = subjects
        self.made: list[NewFact] = []
        self.count = 0

    def batch(self, now: datetime) -> list[NewFact]:
        """Return up to eight facts about before ``now``."""
        return [self._one(now) for _ in range(self.random.randint(1, 8))]

    def _one(self, now: datetime) -> NewFact:
        choose = self.random
        old = choose.choice(self.made) if self.made and choose.random() < 0.3 else None
        self.count += 1
        fact_id = old.fact_id if old else f"f:{self.count}"
        highest = max((one.ver or 0 for one in self.made if one.fact_id == fact_id), default=0)
        # Sometimes a number is left out and comes later, after a higher one.
        ver = highest + choose.choice((1, 1, 2)) if old else choose.choice((1, 1, 2))
        if old and ver > 2 and choose.random() < 0.2:
            ver -= 2
        if old and choose.random() < 0.5:
            made = fact(fact_id, old.kind, old.subject, old.occurred_at, ver=ver, op=Op.RETRACT)
        elif (old and old.subject.startswith("area:")) or (old is None and choose.random() < 0.3):
            made = self._area(fact_id, now, ver)
        elif (old is None and choose.random() < 0.1) or (old and old.kind.startswith("identity.")):
            made = self._link(fact_id, now, ver)
        else:
            made = self._person(fact_id, now, ver)
        self.made.append(made)
        return made

    def _when(self, now: datetime) -> datetime:
        """A moment of the last month, on a grid of six hours or a second beside it."""
        steps = timedelta(hours=6 * self.random.randint(0, 120))
        beside = timedelta(seconds=self.random.choice((0, 0, 0, 1)))
        return now.replace(minute=0, second=0, microsecond=0) - steps - beside

    def _area(self, fact_id: str, now: datetime, ver: int) -> NewFact:
        choose = self.random
        area = choose.choice(AREAS)
        payload = {"area": area}
        kind = choose.choice(("area.listed", "area.listed", "area.delisted"))
        if kind == "area.listed":
            payload["level"] = choose.choice(LEVELS)
            if choose.random() < 0.3:
                payload["parent"] = choose.choice(AREAS)
        return fact(fact_id, kind, f"area:{area}", self._when(now), ver=ver, **payload)

    def _link(self, fact_id: str, now: datetime, ver: int) -> NewFact:
        a, b = self.random.sample(self.subjects, 2)
        kind = self.random.choice(("identity.link", "identity.link", "identity.unlink"))
        # Who is linked stands in the payload; the subject may be somebody else's handle.
        subject = self.random.choice((a, b, "desk-1"))
        return fact(fact_id, kind, subject, self._when(now), ver=ver, a=a, b=b)

    def _person(self, fact_id: str, now: datetime, ver: int) -> NewFact:
        choose = self.random
        kind = choose.choice(PERSON_KINDS)
        if kind == "person.deceased" and choose.random() < 0.8:
            kind = "lab.result"
        subject, when, until = choose.choice(self.subjects), self._when(now), None
        payload: dict[str, object] = {}
        if kind.startswith("case."):
            payload = {"case_id": choose.choice("123")}
        elif kind.startswith("order."):
            payload = {"order_id": choose.choice("12")}
        elif kind == "travel.arrived":
            payload = {"from_area": choose.choice((*AREAS, "abroad/XX"))}
        elif kind in {"stay", "residence"}:
            payload = {"area": choose.choice(AREAS)}
            until = choose.choice((None, when + timedelta(days=choose.randint(1, 20))))
        elif kind == "lab.result":
            taken = when - timedelta(hours=choose.choice((0, 6, 24)))
            payload = {"value": choose.choice(("neg", "neg", "pos", "invalid"))}
            payload |= {"sample_id": choose.choice("1234"), "sampled_at": taken.isoformat()}
        elif kind == "exposure.assessed":
            payload = {"class": choose.choice(("close", "contact-of-contact", "household"))}
        elif kind == "exposure.derived":
            payload = {"minutes": choose.choice((9, 10, 30))}
        elif kind == "waiver.granted":
            rules = ["spacetime-companion", "in-controlled-zone", "left-listed-area", "confirmed"]
            payload = {"measure": {"rule": choose.sample(rules, 2)}, "officer": "o", "basis": "b"}
            until = when + timedelta(hours=choose.choice((6, 60)))
        source = choose.choice(("cdc", "hospital", "site"))
        return fact(fact_id, kind, subject, when, ver=ver, until=until, source=source, **payload)


def jiangsu() -> dict[str, str]:
    files = read_pack_folder(ROOT / "policies" / "jiangsu-2021")
    return {path: text for path, text in files.items() if not path.startswith("tests/")}


def from_scratch():
    """Return everybody's timeline by subject, from all of the log at once."""
    book = FactBook()
    for row in FactVersion.objects.order_by("-seq"):
        book.add(to_fact(row))
    current = schedule()
    areas = AreaHistory.of(book.area_facts, current.area_codes)
    clusters = book.clusters(None)

    def timeline(subject: str):
        members = clusters.get(subject, frozenset((subject,)))
        return evaluate(
            current, book.versions(members), areas=areas, subject=subject, members=members
        )

    return timeline


def compare(persons, book: StatusBook, now: datetime) -> None:
    """Ask the book and the whole log the same, at once and around every change to come."""
    timeline = from_scratch()
    for person in persons:
        wanted = timeline(person.facts_key)
        starts = [one.start for one in wanted.segments(now) if one.start is not None]
        moments = [now, now + timedelta(days=4000)]
        moments += [start + timedelta(seconds=step) for start in starts for step in (-1, 0, 1)]
        for moment in moments:
            if moment < now:
                continue
            status = wanted.status(moment)
            standing = book.at(person.ordinal, int(moment.timestamp()))
            reason = status.reason.reason_key if status.reason else None
            found = (standing.colour, standing.reason)
            assert found == (status.colour, reason), (person.ordinal, moment.isoformat())
            if standing.until is not None:
                assert status.next_change is not None
                assert status.next_change.at == datetime.fromtimestamp(standing.until, UTC)
                assert status.next_change.colour is standing.next_colour
            elif status.colour is not Colour.CLOSED:
                assert status.next_change is None


# The first four found a worker that forgot whom a link or a moved listing concerned.
@pytest.mark.parametrize("seed", [4, 107, 114, 157, 1, 2])
def test_what_is_published_is_what_the_whole_log_says(db, seed):
    clock = HandClock(T)
    choose = random.Random(seed)
    persons = people(12)
    history = History(seed, [one.facts_key for one in persons])
    put_in_force(jiangsu(), clock, effective_from=T - timedelta(days=60))
    registered(persons, clock)
    publisher = run_worker(clock)
    book, followed = StatusBook(), 0
    for round_ in range(40):
        clock.move(hours=choose.choice((0, 1, 6, 30)))
        if round_ in {8, 16}:
            ahead = timedelta(days=choose.choice((0, 3)))
            pack = jiangsu() if round_ == 16 else one_rule(colour=choose.choice(("red", "yellow")))
            put_in_force(pack, clock, effective_from=clock.moment + ahead)
        landing = land_facts(history.batch(clock.moment), batch_id=str(round_), clock=clock)
        assert landing.landed + landing.unchanged + len(landing.refused) > 0
        run_worker(clock, publisher)
        seconds = int(clock.moment.timestamp())
        for row in Publication.objects.filter(seq__gt=followed).order_by("seq"):
            line = Line.of_publication(
                ordinal=row.ordinal,
                segments=row.segments,
                sampled_at=row.sampled_at,
                state=row.state,
            )
            book.put(line, now=seconds)
            followed = row.seq
        compare(persons, book, clock.moment)
