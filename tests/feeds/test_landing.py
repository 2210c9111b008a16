"""Batches in the database: every row accounted for, nothing twice, lists held and released."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from passlight.agencies.reading import survey
from passlight.agencies.rows import Reading, Reconciliation
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.models import User
from passlight.office.facts.models import FactVersion
from passlight.office.feeds import rows as landing
from passlight.office.feeds.actions import Delivery, receive_file, release_list
from passlight.office.feeds.models import Batch, BatchState, Doubt, PublishedList, QuarantinedRow
from passlight.office.people.models import Person
from passlight.runtime.clock import SystemClock
from passlight.runtime.database import Role
from tests.agencies.files import fact, jsonl, real, snapshot
from tests.feeds.conftest import Deliver

CLOCK = SystemClock()


def test_a_file_lands_once_and_a_second_time_nothing(deliver: Deliver, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "facts.jsonl", *(fact(n) for n in range(30)), fact(3), {"no": "fact"})
    first = deliver("jsonl", path)
    assert first.state == BatchState.COMPLETE
    assert first.reconciliation == Reconciliation(
        declared=32, landed=30, unchanged=1, quarantined=1
    )
    cases = FactVersion.objects.filter(kind="case.confirmed")
    assert cases.count() == 30
    assert set(cases.values_list("batch_id", flat=True)) == {f"feed-{first.pk}"}
    total = FactVersion.objects.count()
    again = deliver("jsonl", path)
    assert again.reconciliation == Reconciliation(declared=32, unchanged=31, quarantined=1)
    assert FactVersion.objects.count() == total


def test_subjects_become_pseudonyms_of_people(deliver: Deliver, tmp_path: Path) -> None:
    passport = {"type": "passport", "number": "SIM000123"}
    path = jsonl(
        tmp_path / "facts.jsonl",
        fact(1, subject=passport),
        fact(2, subject="kcdc:1000000001"),
        fact(3, subject="p-0001"),
        fact(4, subject="名字"),
    )
    batch = deliver("jsonl", path)
    assert batch.reconciliation == Reconciliation(declared=4, landed=3, quarantined=1)
    subjects = dict(
        FactVersion.objects.filter(kind="case.confirmed").values_list("fact_id", "subject")
    )
    assert len(set(subjects.values())) == 3
    assert set(subjects.values()) == set(Person.objects.values_list("facts_key", flat=True))
    assert "SIM000123" not in json.dumps(
        list(FactVersion.objects.values_list("payload", "subject"))
    )
    # One of our own pseudonyms is that person; one that nobody has is put aside.
    known = subjects["cdc:case-1"]
    more = jsonl(tmp_path / "more.jsonl", fact(5, subject=known), fact(6, subject="p-" + "0" * 32))
    batch = deliver("jsonl", more)
    assert batch.reconciliation == Reconciliation(declared=2, landed=1, quarantined=1)
    assert FactVersion.objects.get(fact_id="cdc:case-5").subject == known
    assert batch.quarantined_rows.get().code == "feeds.subject-unknown"


@pytest.mark.data
def test_the_real_lists_land_and_the_list_in_force_is_the_last_file(deliver: Deliver) -> None:
    files = sorted(real("risk-areas").iterdir(), key=lambda path: path.name)
    total = Reconciliation()
    for path in files:
        total += deliver("risk-areas", path).reconciliation
    assert (total.declared, total.quarantined, total.held) == (5738, 0, 0)
    assert total.balances
    assert FactVersion.objects.count() == total.landed + total.closed
    last = json.loads(files[-1].read_text(encoding="utf-8"))["data"]
    names = {
        name for group in last["highlist"] + last["middlelist"] for name in group["communitys"]
    }
    in_force = PublishedList.objects.get(listed__isnull=False)
    listed = FactVersion.objects.filter(
        kind="area.listed", payload__area__in=list(in_force.listed or {})
    )
    assert {row.payload["name"] for row in listed} == names
    facts = FactVersion.objects.count()
    again = deliver("risk-areas", files[10]).reconciliation
    assert (again.landed, again.closed, again.unchanged) == (0, 0, again.declared)
    assert FactVersion.objects.count() == facts


@pytest.mark.data
def test_the_real_patients_land_with_their_doubts(deliver: Deliver) -> None:
    batch = deliver("kcdc", real("kcdc") / "PatientInfo.csv")
    assert batch.reconciliation == Reconciliation(declared=3326, landed=3323, quarantined=3)
    assert Doubt.objects.filter(batch=batch).count() == 434
    assert Person.objects.count() == 3323
    assert not QuarantinedRow.objects.exclude(code="feeds.kcdc-unconfirmed").exists()


def test_a_corrected_table_row_is_a_new_version(deliver: Deliver, tmp_path: Path) -> None:
    header = "patient_id,state,confirmed_date,released_date,deceased_date\n"
    path = tmp_path / "PatientInfo.csv"
    path.write_text(header + "1,isolated,2020-01-23,,\n")
    deliver("kcdc", path)
    path.write_text(header + "1,released,2020-01-22,2020-02-01,\n")
    assert deliver("kcdc", path).reconciliation == Reconciliation(declared=1, landed=1)
    versions = FactVersion.objects.filter(fact_id="kcdc:1:confirmed").order_by("ver")
    assert [(row.ver, row.occurred_at.isoformat()) for row in versions] == [
        (1, "2020-01-22T15:00:00+00:00"),
        (2, "2020-01-21T15:00:00+00:00"),
    ]


def test_a_held_list_waits_and_is_released_by_a_person(deliver: Deliver, tmp_path: Path) -> None:
    names = [f"{n}号楼" for n in range(10)]
    deliver("risk-areas", snapshot(tmp_path / "a.json", "2022-06-01 17时", medium=names))
    held = deliver("risk-areas", snapshot(tmp_path / "b.json", "2022-06-02 17时", medium=names[:1]))
    assert held.state == BatchState.HELD
    assert held.reconciliation == Reconciliation(declared=1, held=1)
    assert held.reason == "feeds.held-vanished"
    assert not FactVersion.objects.filter(kind="area.delisted").exists()
    # The next list is compared with the last one that was applied.
    third = deliver(
        "risk-areas", snapshot(tmp_path / "c.json", "2022-06-02 17时", medium=names[:9])
    )
    assert third.reason == ""
    assert third.reconciliation == Reconciliation(declared=9, unchanged=9, closed=1)
    # Held is now as old as the list in force: releasing it is a person's word.
    actor = _user()
    done = release_list(held, actor=actor, clock=CLOCK)
    assert done.state == BatchState.COMPLETE
    assert (done.released_by, done.closed, done.held) == (actor, 8, 0)
    assert FactVersion.objects.filter(kind="area.delisted").count() == 9
    with pytest.raises(ProblemError) as twice:
        release_list(done, actor=actor, clock=CLOCK)
    assert twice.value.problems[0].code == "feeds.not-held"


def test_a_list_older_than_the_one_in_force_is_never_released(
    deliver: Deliver, tmp_path: Path
) -> None:
    names = [f"{n}号楼" for n in range(10)]
    deliver("risk-areas", snapshot(tmp_path / "a.json", "2022-06-02 17时", medium=names))
    late = deliver("risk-areas", snapshot(tmp_path / "b.json", "2022-06-01 17时", medium=names[:9]))
    assert (late.state, late.reason) == (BatchState.HELD, "feeds.held-older")
    with pytest.raises(ProblemError):
        release_list(late, actor=_user(), clock=CLOCK)
    assert not FactVersion.objects.filter(kind="area.delisted").exists()


def test_a_landing_that_died_goes_on_from_its_position(
    deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chunk in which it dies leaves nothing; the rows before are there; the end is the same."""
    monkeypatch.setattr(landing, "ROWS_A_CHUNK", 7)
    path = jsonl(tmp_path / "facts.jsonl", *(fact(n) for n in range(40)))
    batch = receive_file(Delivery(agency="jsonl", path=path, file_name="f"), clock=CLOCK)
    seen = 0

    def dying(size: int) -> None:
        nonlocal seen
        seen += 1
        if seen == 20:
            raise MemoryError

    from passlight.agencies.agency import RowAgency
    from passlight.agencies.registry import agency

    source = agency("jsonl")
    assert isinstance(source, RowAgency)
    with pytest.raises(MemoryError):
        landing.land_rows(
            batch, source, survey(path), Reading(now=CLOCK.now(), progress=dying), clock=CLOCK
        )
    stopped = Batch.objects.get(pk=batch.pk)
    assert (stopped.state, stopped.position, stopped.landed) == (BatchState.LANDING, 14, 14)
    done = deliver("jsonl", path)
    assert done.pk == batch.pk
    assert done.reconciliation == Reconciliation(declared=40, landed=40)
    assert FactVersion.objects.filter(kind="case.confirmed").count() == 40


def test_two_processes_do_not_land_one_batch_twice(deliver: Deliver, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "facts.jsonl", fact(1))
    batch = receive_file(Delivery(agency="jsonl", path=path, file_name="f"), clock=CLOCK)
    deliver("jsonl", path)
    from passlight.agencies.agency import RowAgency
    from passlight.agencies.registry import agency

    source = agency("jsonl")
    assert isinstance(source, RowAgency)
    with pytest.raises(ProblemError) as busy:
        landing.land_rows(batch, source, survey(path), Reading(now=CLOCK.now()), clock=CLOCK)
    assert busy.value.problems[0].code == "feeds.busy"


def test_an_unreadable_file_leaves_a_batch_that_says_so(db: None, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"")
    batch = receive_file(Delivery(agency="jsonl", path=path, file_name="x.jsonl"), clock=CLOCK)
    assert (batch.state, batch.reason) == (BatchState.UNREADABLE, "feeds.file-empty")


def test_the_database_refuses_an_account_that_does_not_balance(
    deliver: Deliver, tmp_path: Path
) -> None:
    batch = deliver("jsonl", jsonl(tmp_path / "facts.jsonl", fact(1)))
    batch.landed = 2
    with pytest.raises(IntegrityError), transaction.atomic():
        batch.save()


def test_the_office_role_may_do_all_of_this(
    deliver: Deliver, tmp_path: Path, as_role: Callable[[Role], AbstractContextManager[None]]
) -> None:
    with as_role(Role.OFFICE):
        deliver("jsonl", jsonl(tmp_path / "facts.jsonl", fact(1), {"bad": 1}))
        names = [f"{n}号楼" for n in range(10)]
        deliver("risk-areas", snapshot(tmp_path / "a.json", "2022-06-01 17时", medium=names))
        deliver("risk-areas", snapshot(tmp_path / "b.json", "2022-06-02 17时", medium=names[:7]))


def _user() -> User:
    from passlight.office.accounts import actions as accounts
    from passlight.office.accounts.models import Role as UserRole
    from passlight.office.accounts.models import UnitKind
    from passlight.runtime.clock import SystemEntropy

    unit = accounts.add_unit(kind=UnitKind.DISTRICT, name="桦木区", name_en="Birch District")
    return accounts.add_user(
        accounts.NewUser(
            username="steward-2",
            password="not a real secret",
            role=UserRole.STEWARD,
            unit=unit,
            display_name="数据专员二",
            display_name_en="Steward 2",
        ),
        clock=CLOCK,
        entropy=SystemEntropy(),
    )
