"""Pages about people, in both languages: exact document, logged reads, handles, access log."""

import re

import pytest
from django.test import Client

from passlight.core.kernel.documents import read_document
from passlight.office.accounts import actions as accounts
from passlight.office.accounts.models import Registration, Revocation, Role, Unit, UnitKind, User
from passlight.office.people.actions import people_for_documents, register_person
from passlight.office.people.identity import NewPerson
from passlight.office.people.models import Access, IdentityTask, Person
from passlight.runtime.clock import SystemClock, SystemEntropy

CARD = "999999199003070012"
NAME, PHONE = "王晓明", "12000002261"


@pytest.fixture
def unit(db: None) -> Unit:
    return accounts.add_unit(kind=UnitKind.TOWN, name="清河街道", name_en="Qinghe Subdistrict")


def add(role: Role, unit: Unit) -> User:
    new = accounts.NewUser(
        username=role.value,
        password="correct horse staple",
        role=role,
        unit=unit,
        display_name="岗",
        display_name_en="Post",
    )
    return accounts.add_user(new, clock=SystemClock(), entropy=SystemEntropy())


def logged_in(role: Role, unit: Unit) -> Client:
    client = Client()
    client.force_login(add(role, unit))
    return client


@pytest.fixture
def street(unit: Unit) -> Client:
    return logged_in(Role.STREET_OFFICE, unit)


@pytest.fixture
def person(db: None) -> Person:
    card = read_document("resident-id", CARD)
    return register_person(NewPerson(documents=(card,), name=NAME, phone=PHONE))


def body(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined]


def test_register_find_and_open(street: Client) -> None:
    form = {"type": "resident-id", "number": CARD.replace("9003", "9003 "), "name": NAME}
    done = street.post("/people/register/", {**form, "phone": "120 0000 2261"})
    person = Person.objects.get()
    assert done["Location"] == f"/people/{person.pk}/"
    page = body(street.get(done["Location"]))
    assert "王*明" in page
    assert "999***********12" in page
    assert NAME not in page and CARD not in page and PHONE not in page
    found = street.post("/people/find/", {"type": "resident-id", "number": CARD})
    assert found["Location"] == done["Location"]
    assert [row.masked for row in Access.objects.all()] == [True]


def test_the_card_says_the_birth_date(street: Client) -> None:
    street.post("/people/register/", {"type": "resident-id", "number": CARD, "name": NAME})
    url = f"/people/{Person.objects.get().pk}/reveal/"
    form = {"fields_wanted": ["birth"], "purpose": "correction", "case": "C-1"}
    assert "1990-03-07" in body(street.post(url, form))


@pytest.mark.parametrize(
    ("language", "said"), [("zh", "其中有一位读错了"), ("en", "one was misread")]
)
def test_a_misread_number_is_said_in_words(street: Client, language: str, said: str) -> None:
    form = {"type": "resident-id", "number": "999999199003070021", "name": NAME}
    answer = street.post(f"/people/register/?lang={language}", form)
    page = body(answer)
    assert answer.status_code == 422
    assert said in page
    assert 'role="alert"' in page
    assert f'value="{NAME}"' in page, "what was typed is kept"
    assert Person.objects.count() == 0


def test_nobody_is_found_by_name_or_in_an_address(street: Client, person: Person) -> None:
    for field in ("name", "q", "number"):
        page = body(street.get(f"/people/find/?{field}={NAME}&type=resident-id&number={CARD}"))
        assert str(person.pk) not in page
    answer = street.post("/people/find/", {"type": "resident-id", "number": NAME})
    assert answer.status_code == 422


def test_guessing_ends(street: Client, person: Person) -> None:
    for number in range(20):
        miss = street.post("/people/find/", {"type": "passport", "number": f"SIM{number:06}"})
        assert miss.status_code == 404
    waits = street.post("/people/find/", {"type": "resident-id", "number": CARD})
    assert waits.status_code == 422
    assert "没有查到的次数太多" in body(waits)


def test_full_values_are_shown_once_and_logged(street: Client, person: Person) -> None:
    url = f"/people/{person.pk}/reveal/"
    form = {"fields_wanted": ["name", "phone"], "purpose": "incident", "case": "0608-03"}
    page = body(street.post(url, form))
    assert NAME in page and PHONE in page and CARD not in page
    row = Access.objects.get(masked=False)
    assert (row.fields, row.purpose, row.case) == (["name", "phone"], "incident", "0608-03")
    assert row.actor.username == "street-office"
    assert NAME not in body(street.get(f"/people/{person.pk}/")), "and never again by itself"
    assert street.get(url).status_code == 405


@pytest.mark.parametrize("missing", ["fields_wanted", "purpose", "case"])
def test_no_purpose_no_value(street: Client, person: Person, missing: str) -> None:
    form = {"fields_wanted": ["name"], "purpose": "incident", "case": "0608-03"}
    del form[missing]
    answer = street.post(f"/people/{person.pk}/reveal/", form)
    assert answer.status_code == 422
    assert NAME not in body(answer)
    assert not Access.objects.filter(masked=False).exists()


def test_a_counter_sees_masks_alone(unit: Unit, person: Person) -> None:
    clerk = logged_in(Role.COUNTER_CLERK, unit)
    assert "王*明" in body(clerk.get(f"/people/{person.pk}/"))
    form = {"fields_wanted": ["name"], "purpose": "counter", "case": "1"}
    assert clerk.post(f"/people/{person.pk}/reveal/", form).status_code == 403


def test_a_lost_phone_is_ended(street: Client, unit: Unit, person: Person) -> None:
    user = add(Role.RESIDENT, unit)
    user.person = person
    user.save()
    device = accounts.register_device(
        user, thumbprint="t", device_name="", clock=SystemClock(), entropy=SystemEntropy()
    )
    stranger = people_for_documents([read_document("passport", "SIM000009")])
    other = next(iter(stranger.values()))
    assert street.post(f"/people/{other.pk}/devices/{device.pk}/end/").status_code == 404
    assert street.post(f"/people/{person.pk}/devices/{device.pk}/end/").status_code == 302
    assert Registration.objects.get().revoked_reason == "lost"
    assert Revocation.objects.get().handle == device.handle


def test_the_steward_sees_handles_only(unit: Unit, person: Person) -> None:
    steward = logged_in(Role.STEWARD, unit)
    page = body(steward.get("/people/handles/"))
    assert person.facts_key in page
    assert "王" not in page and "999*" not in page
    assert person.facts_key in body(steward.get(f"/people/handles/?handle={person.facts_key}"))
    assert "没有这个编号" in body(steward.get(f"/people/handles/?handle={person.facts_key[:-1]}"))
    assert steward.get(f"/people/{person.pk}/").status_code == 403
    assert Access.objects.count() == 0


def test_identity_tasks(street: Client, person: Person) -> None:
    card = read_document("resident-id", CARD)
    register_person(NewPerson(documents=(card,), name="李静"), source="hall")
    task = IdentityTask.objects.get()
    listed = body(street.get("/people/tasks/"))
    assert "hall" in listed and "*" not in re.sub(r"<[^>]+>", "", listed)
    assert Access.objects.count() == 0, "a list of documents opens nothing"
    page = body(street.get(f"/people/tasks/{task.pk}/"))
    assert "王*明" in page and "李*" in page
    assert set(Access.objects.values_list("case", flat=True)) == {f"task-{task.pk}"}


def test_the_auditor_reads_who_read_whom(street: Client, unit: Unit, person: Person) -> None:
    auditor = logged_in(Role.AUDITOR, unit)
    assert "没有符合条件的查阅" in body(auditor.get("/people/access/"))
    street.get(f"/people/{person.pk}/")
    form = {"fields_wanted": ["name"], "purpose": "incident", "case": "0608-03"}
    street.post(f"/people/{person.pk}/reveal/", form)
    page = body(auditor.get("/people/access/"))
    assert page.count("street-office") == 3, "one page, one reveal with its page"
    assert "0608-03" in page and "清河街道" in page
    for filters, rows in {
        "extent=full": 1,
        "extent=masked": 2,
        "purpose=incident": 1,
        "actor=Street-Office": 3,
        "actor=nobody": 0,
        f"person={person.facts_key}": 3,
        "person=p-0": 0,
        "since=2026-01-01": 3,
        "until=2026-01-01": 0,
        "since=nonsense": 3,
        "since=0001-01-01": 3,
        "until=9999-12-31": 3,
    }.items():
        found = body(auditor.get(f"/people/access/?{filters}"))
        assert found.count("<tr>") - (1 if rows else 0) == rows, filters


def test_pages_say_everything_in_english(street: Client, unit: Unit, person: Person) -> None:
    """No Chinese outside of names and of the switch on an English page."""
    street.cookies["lang"] = "en"
    for url in ("/people/find/", "/people/register/", f"/people/{person.pk}/", "/people/tasks/"):
        main = body(street.get(url)).split("<main", 1)[1].split("</main>")[0]
        text = re.sub(r"<[^>]+>", " ", main).replace("王*明", "")
        assert not re.findall(r"[\u4e00-\u9fff]+", text), url


def test_documents_of_two_people_registered_as_one_are_a_task(
    street: Client, person: Person
) -> None:
    """Nobody is joined and nothing is lost: a task once, and both people's pages say so."""
    card = read_document("resident-id", CARD)
    passport = read_document("passport", "E99900001")
    other = register_person(NewPerson(documents=(passport,), name="李静"))
    for _ in range(2):
        claimed = register_person(NewPerson(documents=(card, passport), name=NAME), source="hall")
        assert claimed == person
    task = IdentityTask.objects.get()
    assert (task.document.person, task.other.person, task.source) == (person, other, "hall")
    assert sorted(Person.objects.values_list("ordinal", flat=True)) == [0, 1]
    page = body(street.get(f"/people/tasks/{task.pk}/"))
    assert "两个证件，两个人" in page and "王*明" in page and "李*" in page
    assert set(Access.objects.values_list("person", flat=True)) == {person.pk, other.pk}
    for one in (person, other):
        assert "没有合并，待核对" in body(street.get(f"/people/{one.pk}/"))
