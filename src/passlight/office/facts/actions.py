"""Landing facts: the one door through which a fact enters the log."""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection, transaction

from passlight.core.facts.fact import Fact, Op
from passlight.core.facts.intake import check_future, check_intake, is_manual
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.problem import Problem
from passlight.office.facts.intake import FACTS_A_LANDING, Landing, NewFact, Refusal
from passlight.office.facts.models import FactVersion
from passlight.office.facts.rows import COLUMNS, to_fact

CHANNEL = "passlight_facts"
# Any number will do, as long as no other part of Passlight locks with it.
LOCK = 0x9A55_0001


def land_facts(facts: Sequence[NewFact], *, batch_id: str, clock: Clock) -> Landing:
    """Append ``facts`` to the log in one transaction and return what became of each.

    One advisory lock is held from before the first number is given until commit, so numbers
    become visible in their order: nobody who has read up to n can later meet a smaller one.
    ``recorded_at`` never runs backwards, whatever the clock does. Handing in the same facts
    again lands nothing. A fact that contradicts what has landed under its id and version is
    refused and named; the others land (``Landing.require_all`` makes a refusal an error).
    """
    assert len(facts) <= FACTS_A_LANDING, "hand large feeds in as several landings"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        last_seq, recorded_at = _last(clock.now())
        log = _Log(_versions({fact.fact_id for fact in facts}), recorded_at, last_seq, batch_id)
        for position, fact in enumerate(facts):
            log.take(position, fact)
        if log.rows:
            columns = ", ".join(COLUMNS)
            with cursor.copy(f"copy facts_fact ({columns}) from stdin") as copy:
                for row in log.rows:
                    copy.write_row([_cell(getattr(row, name)) for name in COLUMNS])
            cursor.execute("select pg_notify(%s, %s)", [CHANNEL, str(log.seq)])
    return Landing(
        landed=len(log.rows),
        unchanged=log.unchanged,
        refused=tuple(log.refused),
        first_seq=last_seq + 1 if log.rows else None,
        last_seq=log.seq if log.rows else None,
        recorded_at=recorded_at,
    )


def retract_facts(
    fact_ids: Iterable[str], *, reason: str, source: str, batch_id: str, clock: Clock
) -> Landing:
    """Withdraw facts by id: the next version of each says that it no longer holds.

    A fact that is already withdrawn counts as unchanged; one that never landed is refused.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        asked = list(dict.fromkeys(fact_ids))
        known = _versions(set(asked))
        withdrawals = []
        for fact_id in asked:
            latest = max(known.get(fact_id, {}).values(), key=lambda row: row.ver, default=None)
            withdrawals.append(
                NewFact(
                    fact_id=fact_id,
                    op=Op.RETRACT,
                    kind=latest.kind if latest else "unknown",
                    subject=latest.subject if latest else "unknown",
                    occurred_at=latest.occurred_at if latest else clock.now(),
                    occurred_until=latest.occurred_until if latest else None,
                    source=source,
                    payload={"reason": reason},
                )
            )
        return land_facts(withdrawals, batch_id=batch_id, clock=clock)


class _Log:
    """The log as this landing sees it: what has landed and what is about to."""

    def __init__(
        self,
        versions: dict[str, dict[int, FactVersion]],
        recorded_at: datetime,
        last_seq: int,
        batch_id: str,
    ) -> None:
        self.versions = versions
        self.recorded_at = recorded_at
        self.seq = last_seq
        self.batch_id = batch_id
        self.rows: list[FactVersion] = []
        self.unchanged = 0
        self.refused: list[Refusal] = []

    def take(self, position: int, fact: NewFact) -> None:
        """Land one fact, count it as unchanged, or refuse it."""
        known = self.versions.setdefault(fact.fact_id, {})
        latest = max(known, default=0)
        # Without a version, or with a new one, it is news only when the latest says otherwise.
        against = latest if fact.ver is None else min(fact.ver, latest)
        if against in known and self._same(known[against], fact):
            self.unchanged += 1
            return
        problem = self._problem(fact, known, latest)
        if problem is not None:
            self.refused.append(Refusal(position=position, problem=problem))
            return
        self.seq += 1
        row = FactVersion(
            seq=self.seq,
            fact_id=fact.fact_id,
            ver=fact.ver if fact.ver is not None else latest + 1,
            op=fact.op.value,
            kind=fact.kind,
            subject=fact.subject,
            occurred_at=fact.occurred_at,
            occurred_until=fact.occurred_until,
            recorded_at=self.recorded_at,
            source=fact.source,
            batch_id=self.batch_id,
            payload=dict(fact.payload),
        )
        known[row.ver] = row
        self.rows.append(row)

    def _problem(self, fact: NewFact, known: dict[int, FactVersion], latest: int) -> Problem | None:
        if fact.ver is not None and fact.ver in known:
            return Problem(
                code="facts.conflict",
                message=f"fact {fact.fact_id} version {fact.ver} has landed with other content",
                remedy="Send a correction under the next version.",
                params={"fact_id": fact.fact_id, "ver": str(fact.ver)},
            )
        if fact.op is Op.RETRACT and fact.ver is None and latest == 0:
            return Problem(
                code="facts.nothing-to-retract",
                message=f"fact {fact.fact_id} never landed",
                remedy="Check the id of the fact that shall be withdrawn.",
                params={"fact_id": fact.fact_id, "ver": "1"},
            )
        return self._doubt(self._as_fact(fact))

    def _doubt(self, fact: Fact) -> Problem | None:
        """Return why no caller may land this, whatever its own intake checked.

        A feed's history may be old, so the age checks are its own; the future, and what
        one person alone could write about another (E46), are refused here for everybody.
        """
        if fact.op is Op.RETRACT:
            return None
        if is_manual(fact) or fact.kind == "waiver.granted":
            doubts = check_intake(fact, published_at=self.recorded_at)
        else:
            doubts = check_future(fact, instant=self.recorded_at)
        if not doubts:
            return None
        named = {**doubts[0].params, "fact_id": fact.fact_id, "ver": str(fact.ver)}
        return dataclasses.replace(doubts[0], params=named)

    def _as_fact(self, fact: NewFact) -> Fact:
        return Fact(
            fact_id=fact.fact_id,
            ver=fact.ver or 1,
            op=fact.op,
            kind=fact.kind,
            subject=fact.subject,
            occurred_at=fact.occurred_at,
            occurred_until=fact.occurred_until,
            recorded_at=self.recorded_at,
            source=fact.source,
            # As it comes back from the database, so that contents compare.
            payload=json.loads(json.dumps(dict(fact.payload))),
        )

    def _same(self, row: FactVersion, fact: NewFact) -> bool:
        if row.op == fact.op == Op.RETRACT and fact.ver is None:
            return True
        return to_fact(row).same_content(self._as_fact(fact))


def _last(now: datetime) -> tuple[int, datetime]:
    row = FactVersion.objects.order_by("-seq").values_list("seq", "recorded_at").first()
    if row is None:
        return 0, now
    return row[0], max(row[1], now)


def _versions(fact_ids: set[str]) -> dict[str, dict[int, FactVersion]]:
    found: dict[str, dict[int, FactVersion]] = {}
    for row in FactVersion.objects.filter(fact_id__in=fact_ids):
        found.setdefault(row.fact_id, {})[row.ver] = row
    return found


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
