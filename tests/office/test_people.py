"""People: found or made by document, registered, sealed, and never read without a row."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction

from passlight.core.kernel.documents import Document, DocumentType, read_document
from passlight.office.accounts import actions as accounts
from passlight.office.accounts.models import Role, UnitKind, User
from passlight.office.facts.models import FactVersion
from passlight.office.people import actions, queries
from passlight.office.people.identity import NewPerson, Purpose
from passlight.office.people.models import Access, DocumentLink, IdentityTask, Person
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.database import Role as DatabaseRole

# Fictional: region 999999 is nobody's. Check digits worked out by hand with GB 11643's weights.
CARD = Document(type=DocumentType.RESIDENT_ID, number="999999199003070012")
PASSPORT = Document(type=DocumentType.PASSPORT, number="SIM000123")
NAME, PHONE = "王晓明", "12000002261"

AsRole = Callable[[DatabaseRole], AbstractContextManager[None]]


def new_person(**changes: object) -> NewPerson:
    values: dict[str, object] = {
        "documents": (CARD,),
        "name": NAME,
        "phone": PHONE,
        "born_on": date(1990, 3, 7),
    }
    return NewPerson(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def clerk(db: None) -> User:
    unit = accounts.add_unit(kind=UnitKind.DISTRICT, name="测试区", name_en="Test District")
    new = accounts.NewUser(
        username="clerk",
        password="not a real secret",
        role=Role.STREET_OFFICE,
        unit=unit,
        display_name="防控办一岗",
        display_name_en="Post 1",
    )
    return accounts.add_user(new, clock=SystemClock(), entropy=SystemEntropy())


def test_a_document_makes_one_person_and_finds_them_again(db: None) -> None:
    agency = read_document("agency", "kcdc:1000000001")
    first = actions.people_for_documents([CARD, agency, CARD])
    again = actions.people_for_documents([agency, CARD])
    assert {person.ordinal for person in first.values()} == {0, 1}
    assert {d: p.pk for d, p in again.items()} == {d: p.pk for d, p in first.items()}
    person = first[CARD]
    assert re.fullmatch(r"p-[0-9a-f]{32}", person.facts_key)
    assert re.fullmatch(r"v-[0-9a-f]{32}", person.visits_key)
    assert person.facts_key[2:] != person.visits_key[2:], "two domains cannot be joined"


def test_ordinals_stay_dense(db: None) -> None:
    documents = [read_document("agency", f"demo:{n:04}") for n in range(50)]
    actions.people_for_documents(documents[:20])
    actions.people_for_documents(documents)
    assert sorted(Person.objects.values_list("ordinal", flat=True)) == list(range(50))


def test_registering_lands_one_fact_and_completes_who_a_feed_made(db: None) -> None:
    made = actions.people_for_documents([CARD])[CARD]
    assert FactVersion.objects.count() == 0, "a feed's own fact is what is landed there"
    registered = actions.register_person(new_person())
    actions.register_person(new_person())
    assert registered.pk == made.pk
    fact = FactVersion.objects.get()
    assert (fact.kind, fact.subject) == ("person.registered", made.facts_key)


def test_two_documents_are_one_person(db: None) -> None:
    both = actions.register_person(new_person(documents=(CARD, PASSPORT)))
    assert queries.find_by_document(PASSPORT) == both
    assert actions.register_person(new_person(documents=(PASSPORT,))).pk == both.pk
    assert Person.objects.count() == 1


def test_an_ended_document_finds_nobody(db: None) -> None:
    person = actions.register_person(new_person(documents=(CARD, PASSPORT)))
    actions.end_document(DocumentLink.objects.get(person=person, type="passport"))
    assert queries.find_by_document(PASSPORT) is None
    assert queries.find_by_document(CARD) == person


def test_e43_one_number_with_two_names_is_a_task_and_changes_nothing(clerk: User) -> None:
    person = actions.register_person(new_person())
    for _ in range(2):
        actions.register_person(new_person(name="李静"), source="hall")
    actions.register_person(new_person(name=" 王 晓明 "))  # control: the same name, typed loosely
    task = IdentityTask.objects.get()
    assert task.source == "hall"
    with transaction.atomic():
        assert queries.claimed_name(task, actor=clerk) == "李*"
        assert queries.masked_identity(person, actor=clerk, purpose="counter").name == "王*明"
    assert FactVersion.objects.count() == 1


def test_a_masked_read_names_the_reader(clerk: User) -> None:
    person = actions.register_person(new_person())
    with transaction.atomic():
        seen = queries.masked_identity(
            person, actor=clerk, purpose="door", place="测试大厅 · 东门", case="V-1"
        )
    assert (seen.name, seen.document) == ("王*明", "999***********12")
    row = Access.objects.get()
    assert (row.actor, row.unit, row.role) == (clerk, clerk.unit, "street-office")
    assert (row.purpose, row.place, row.case, row.masked) == (
        "door",
        "测试大厅 · 东门",
        "V-1",
        True,
    )
    assert row.fields == ["name", "document"]
    entry = queries.access_log(person)[0]
    assert entry.badge == clerk.badge
    assert entry.unit == clerk.unit


def test_an_open_read_gives_only_what_was_asked_for(clerk: User) -> None:
    person = actions.register_person(new_person())
    with transaction.atomic():
        seen = queries.open_identity(person, actor=clerk, purpose="correction", fields=["phone"])
    assert (seen.phone, seen.name, seen.documents, seen.birth) == (PHONE, "", (), "")
    assert PHONE not in repr(seen)
    with transaction.atomic():
        seen = queries.open_identity(person, actor=clerk, purpose="correction")
    assert (seen.name, seen.documents, seen.birth) == (NAME, (CARD,), "1990-03-07")
    assert [row.fields for row in Access.objects.order_by("seq")] == [
        ["phone"],
        ["name", "document", "phone", "birth"],
    ]


def test_an_unknown_purpose_reads_nothing(clerk: User) -> None:
    person = actions.register_person(new_person())
    with pytest.raises(ValueError, match="curiosity"), transaction.atomic():
        queries.masked_identity(person, actor=clerk, purpose="curiosity")
    assert Access.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_no_read_outside_a_transaction(clerk: User) -> None:
    person = actions.register_person(new_person())
    with pytest.raises(queries.UnloggedReadError):
        queries.masked_identity(person, actor=clerk, purpose="door")
    with pytest.raises(queries.UnloggedReadError):
        queries.open_identity(person, actor=clerk, purpose="door")
    with transaction.atomic():  # control
        assert queries.masked_identity(person, actor=clerk, purpose="door").name == "王*明"


def test_no_log_no_read(clerk: User, as_role: AsRole) -> None:
    """The row cannot be written: nothing is opened (control: it can, as the office)."""
    person = actions.register_person(new_person())
    with connection.cursor() as cursor:
        cursor.execute("REVOKE INSERT ON people_access FROM passlight_office")
    with pytest.raises(ProgrammingError), transaction.atomic(), as_role(DatabaseRole.OFFICE):
        queries.masked_identity(person, actor=clerk, purpose="door")
    with connection.cursor() as cursor:
        cursor.execute("GRANT INSERT ON people_access TO passlight_office")
    with transaction.atomic(), as_role(DatabaseRole.OFFICE):
        assert queries.masked_identity(person, actor=clerk, purpose="door").name == "王*明"


def test_a_person_reads_themselves_and_nobody_else_that_way(clerk: User) -> None:
    person = actions.register_person(new_person())
    with pytest.raises(queries.UnloggedReadError):
        queries.own_identity(person, actor=clerk)
    clerk.person = person
    assert queries.own_identity(person, actor=clerk).name == "王*明"
    assert Access.objects.get().purpose == Purpose.OWN
    assert queries.access_log(person) == [], "their own pages are no news to them"


def test_erased_is_unreadable(clerk: User, django_capture_on_commit_callbacks: object) -> None:
    person = actions.register_person(new_person())
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        actions.erase_person(person)
    person.refresh_from_db()
    assert person.erased_at is not None
    with transaction.atomic():
        seen = queries.open_identity(person, actor=clerk, purpose="review")
    assert (seen.name, seen.documents, seen.phone, seen.birth) == ("", (), "", "")


def test_the_whole_database_holds_no_canary(clerk: User) -> None:
    """Goal: a dump gives no name, number or phone. Method: every row of every table as text."""
    person = actions.register_person(new_person(documents=(CARD, PASSPORT)))
    actions.register_person(new_person(name="欧阳静"), source="hall")
    with transaction.atomic():
        queries.open_identity(person, actor=clerk, purpose="correction")
    canaries = [NAME, "欧阳静", CARD.number, PASSPORT.number, PHONE, "1990-03-07"]
    canaries += [text.encode().hex() for text in canaries]
    found = everything()
    assert person.facts_key in found, "control: the dump has what is stored in the clear"
    assert [canary for canary in canaries if canary in found] == []


def everything() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [row[0] for row in cursor.fetchall()]
        rows = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            rows += [row[0] for row in cursor.fetchall()]
    return "\n".join(rows)


def test_two_writers_make_one_person(
    role_urls: dict[DatabaseRole, str], transactional_db: None
) -> None:
    """A second transaction that waits for the lock finds what the first one made."""
    with psycopg.connect(role_urls[DatabaseRole.OFFICE]) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [actions.PEOPLE_LOCK])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        with pytest.raises(Exception, match="lock timeout"):
            actions.people_for_documents([CARD])
        other.rollback()
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")
    assert len(actions.people_for_documents([CARD])) == 1  # control


def test_what_a_clock_says_is_stored(db: None) -> None:
    class Fixed:
        def now(self) -> datetime:
            return datetime(2026, 3, 1, tzinfo=UTC)

        def monotonic(self) -> float:
            return 0.0

    person = actions.people_for_documents([CARD], clock=Fixed())[CARD]
    assert person.registered_at == datetime(2026, 3, 1, tzinfo=UTC)
