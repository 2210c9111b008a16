"""Rule packs: stored whole or not at all, previewed, published, taken back.

Expected counts are of the people that each test makes.
"""

import io
import zipfile
from datetime import timedelta

import psycopg
import pytest
from django.test import Client

from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.models import Role as UserRole
from passlight.office.accounts.models import Unit, UnitKind, User
from passlight.office.packs.actions import publish_pack, store_pack
from passlight.office.packs.models import PackPublication, Preview, StoredPack
from passlight.office.packs.preview import start_preview, step_preview
from passlight.office.packs.queries import pack_in_force
from passlight.office.packs.schedule import schedule
from passlight.office.packs.upload import read_zip
from passlight.office.statuses.models import Publication, Reason
from passlight.runtime.clock import SystemClock
from passlight.runtime.database import Role
from tests.statuses.cast import (
    EVER,
    confirmed,
    land,
    one_rule,
    people,
    put_in_force,
    registered,
    run_worker,
)
from tests.statuses.moments import HandClock, T, at

OWN_TEST = """
- id: held
  title: A confirmed case is red
  T: 2026-03-01T10:00:00+08:00
  facts: [{kind: case.confirmed, at: T, case_id: "1"}]
  expect: [{at: T, colour: COLOUR}]
"""


def zipped(files: dict[str, str], folder: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in files.items():
            archive.writestr(folder + path, text)
    return out.getvalue()


def test_a_zip_with_or_without_a_folder_around_it():
    assert read_zip(zipped(one_rule())) == read_zip(zipped(one_rule(), "one-rule/")) == one_rule()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"no zip", "packs.not-a-zip"),
        (zipped({}), "packs.zip-empty"),
        (zipped({"../pack.yaml": "x"}), "packs.zip-strange"),
        (zipped({"run.exe": "x"}), "packs.zip-strange"),
        (zipped({f"rules/{n}.yaml": "" for n in range(301)}), "packs.zip-too-many"),
        (b"x" * (2 * 1024 * 1024 + 1), "packs.zip-too-large"),
    ],
)
def test_what_is_no_pack_is_refused_with_its_reason(data, code):
    with pytest.raises(ProblemError) as caught:
        read_zip(data)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_zip_that_unfolds_to_much_more_than_it_is_gets_no_further():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pack.yaml", "a" * 30_000_000)
    assert len(out.getvalue()) < 100_000
    with pytest.raises(ProblemError, match="too large"):
        read_zip(out.getvalue())


def test_faults_are_named_with_file_and_line_and_nothing_is_stored(db):
    broken = {
        "pack.yaml": one_rule()["pack.yaml"]
        .replace("case.confirmed", "case.imagined")
        .replace("basis", "bases")
    }
    with pytest.raises(ProblemError) as caught:
        store_pack(broken, user=None, clock=HandClock())
    assert {problem.file for problem in caught.value.problems} == {"pack.yaml"}
    assert all(problem.line and problem.remedy for problem in caught.value.problems)
    assert StoredPack.objects.count() == 0


def test_a_pack_whose_own_tests_fail_is_not_stored(db):
    failing = {**one_rule(), "tests/own.yaml": OWN_TEST.replace("COLOUR", "green")}
    with pytest.raises(ProblemError, match="test held fails"):
        store_pack(failing, user=None, clock=HandClock())
    passing = {**one_rule(), "tests/own.yaml": OWN_TEST.replace("COLOUR", "red")}
    assert store_pack(passing, user=None, clock=HandClock()).name == "one-rule"  # control


def test_the_same_text_is_one_pack_and_a_version_has_one_text(db):
    first = store_pack(one_rule("1"), user=None, clock=HandClock())
    assert store_pack(one_rule("1"), user=None, clock=HandClock()).pk == first.pk
    with pytest.raises(ProblemError, match="stored with another text"):
        store_pack(one_rule("1", "yellow"), user=None, clock=HandClock())


def test_a_later_publication_replaces_what_was_to_follow(db):
    clock = HandClock(T)
    one = store_pack(one_rule("1"), user=None, clock=clock)
    two = store_pack(one_rule("2", "yellow"), user=None, clock=clock)
    publish_pack(one, effective_from=EVER, user=None, clock=clock)
    publish_pack(two, effective_from=T + timedelta(days=5), user=None, clock=clock)
    assert [str(pack_in_force(now=T + timedelta(days=days))) for days in (0, 5)] == [
        "one-rule@1",
        "one-rule@2",
    ]
    clock.move(days=1)
    publish_pack(
        one, effective_from=T + timedelta(days=3), user=None, clock=clock
    )  # never mind two
    assert [str(pack_in_force(now=T + timedelta(days=days))) for days in (0, 3, 5)] == [
        "one-rule@1"
    ] * 3
    assert [pack.version for pack in schedule(2).packs] == [
        "1",
        "2",
    ]  # what had been published by then stays told


def test_the_past_cannot_be_published_over(db):
    clock = HandClock(T)
    put_in_force(one_rule("1"), clock)
    two = store_pack(one_rule("2", "yellow"), user=None, clock=clock)
    with pytest.raises(ProblemError, match="in the past"):
        publish_pack(two, effective_from=T - timedelta(seconds=1), user=None, clock=clock)
    ending = {"pack.yaml": one_rule("3")["pack.yaml"].replace("null],", "2026-06-01T00:00],")}
    three = store_pack(ending, user=None, clock=clock)
    with pytest.raises(ProblemError, match="not effective at that date"):
        publish_pack(three, effective_from=at("2026-06-01 00:00"), user=None, clock=clock)
    assert PackPublication.objects.count() == 1


def test_the_preview_counts_who_changes_and_why(db, monkeypatch, as_role):
    monkeypatch.setattr("passlight.office.packs.preview.PEOPLE_A_STEP", 4)
    clock = HandClock(T)
    persons = people(10)
    put_in_force(one_rule("1", "red"), clock)
    registered(persons, clock)
    land(*[confirmed(one, T) for one in persons[:3]], clock=clock)
    two = store_pack(one_rule("2", "yellow"), user=None, clock=clock)
    with as_role(Role.OFFICE):  # which may neither change nor lock a pack
        preview = start_preview(two, effective_from=None, user=None, clock=clock)
        preview = step_preview(preview.pk, clock=clock)
    assert (preview.evaluated, preview.total, preview.finished_at) == (
        4,
        10,
        None,
    )  # and can be gone on with
    while preview.finished_at is None:
        preview = step_preview(preview.pk, clock=clock)
    assert (preview.evaluated, preview.failed) == (10, 0)
    assert preview.changes == {"red>yellow": 3}
    assert preview.causes == {"red>yellow|one-rule@2/confirmed/0": 3}
    assert Publication.objects.count() == 0  # looking changes nothing


@pytest.fixture
def users(db):
    unit = Unit.objects.create(
        kind=UnitKind.DISTRICT, name="云杉区", name_en="Spruce District", path="/1/"
    )
    return {
        role: User.objects.create(
            username=role.value,
            role=role,
            unit=unit,
            display_name=role.value,
            display_name_en=role.value,
            badge=role.value[:12],
            created_at=T,
        )
        for role in UserRole
    }


def logged_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_way_through_the_pages(users):
    """Upload with a fault, upload, preview, publish: as the steward, as a browser without scripts does."""
    steward = logged_in(users[UserRole.STEWARD])
    clock = HandClock(SystemClock().now() - timedelta(days=1))
    persons = people(3)
    put_in_force(one_rule("1", "red"), clock)
    registered(persons, clock)
    land(confirmed(persons[0], clock.moment), clock=clock)
    broken = {"pack.yaml": one_rule("2")["pack.yaml"].replace("case.confirmed", "case.imagined")}
    faulty = io.BytesIO(zipped(broken))
    faulty.name = "pack.zip"
    page = steward.post("/packs/", {"file": faulty})
    assert page.status_code == 400
    # The trigger's kind stands in the sixth line of the text above.
    assert "pack.yaml:6" in page.content.decode()
    upload = io.BytesIO(zipped(one_rule("2", "yellow")))
    upload.name = "pack.zip"
    page = steward.post("/packs/", {"file": upload}, follow=True)
    assert page.status_code == 200
    assert "one-rule@2" in page.content.decode()
    pack = StoredPack.objects.get(version="2")
    refused = steward.post(f"/packs/{pack.pk}/publish/", {})
    assert refused.status_code == 400
    assert "公布前要先看影响预览" in refused.content.decode()
    page = steward.post(f"/packs/{pack.pk}/preview/", {}, follow=True)
    assert "1人会变色" in page.content.decode()
    page = steward.post(f"/packs/{pack.pk}/publish/", {"note": "云杉发〔2026〕3号"}, follow=True)
    assert "one-rule@2已公布" in page.content.decode()
    assert pack_in_force(now=SystemClock().now()).pk == pack.pk
    first = StoredPack.objects.get(version="1")
    page = steward.get(f"/packs/{first.pk}/difference/{pack.pk}/")
    assert "colour: yellow" in page.content.decode()
    page = steward.get("/packs/?lang=en")
    assert "In force" in page.content.decode()


def test_a_shipped_pack_is_stored_from_the_page(users):
    steward = logged_in(users[UserRole.STEWARD])
    assert "检查并保存“上海随申码2020年2月”" in steward.get("/packs/").content.decode()
    page = steward.post("/packs/shipped/shanghai-2020-02/", follow=True)
    assert "shanghai-2020-02@2020.02.17" in page.content.decode()
    assert StoredPack.objects.get().name == "shanghai-2020-02"
    assert "检查并保存“上海随申码2020年2月”" not in steward.get("/packs/").content.decode()
    assert steward.post("/packs/shipped/imagined/").status_code == 404


def test_a_preview_begun_before_another_publication_does_not_count(users):
    steward = logged_in(users[UserRole.STEWARD])
    clock = HandClock(SystemClock().now() - timedelta(hours=1))
    put_in_force(one_rule("1"), clock)
    three = store_pack(one_rule("3"), user=None, clock=clock)
    steward.post(f"/packs/{three.pk}/preview/", {})
    put_in_force(one_rule("2", "yellow"), clock, effective_from=None)
    assert steward.post(f"/packs/{three.pk}/publish/", {}).status_code == 400
    assert PackPublication.objects.count() == 2


def test_continue_answers_scripts_with_the_fragment(users):
    steward = logged_in(users[UserRole.STEWARD])
    pack = put_in_force(one_rule("1"), HandClock(SystemClock().now() - timedelta(hours=1))).pack
    preview = start_preview(pack, effective_from=None, user=None, clock=SystemClock())
    answer = steward.post(f"/packs/previews/{preview.pk}/continue/", headers={"HX-Request": "true"})
    assert 'id="preview"' in answer.content.decode()
    assert Preview.objects.get(pk=preview.pk).finished_at is not None


@pytest.mark.parametrize("role", [role for role in UserRole if role is not UserRole.STEWARD])
def test_only_the_steward_changes_packs(users, role):
    pack = put_in_force(one_rule("1"), HandClock(T)).pack
    client = logged_in(users[role])
    upload = io.BytesIO(zipped(one_rule("2")))
    upload.name = "pack.zip"
    client.post("/packs/", {"file": upload})
    client.post(f"/packs/{pack.pk}/preview/", {})
    client.post(f"/packs/{pack.pk}/publish/", {})
    assert (
        StoredPack.objects.count(),
        Preview.objects.count(),
        PackPublication.objects.count(),
    ) == (1, 0, 1)


@pytest.mark.parametrize("role", [Role.OFFICE, Role.EVALUATOR, Role.GATEWAY])
def test_nobody_changes_what_was_published(role_urls, role):
    statements = (
        "update packs_pack set files = '{}'",
        "delete from packs_publication",
        "update packs_publication set effective_from = now()",
    )
    with psycopg.connect(role_urls[role], autocommit=True) as other:
        for statement in statements:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                other.execute(statement)


def test_no_address_takes_a_colour(users):
    """T1 of field/06: every address of facts, packs and statuses, every role, a form that asks for green."""
    clock = HandClock(SystemClock().now() - timedelta(days=1))
    (one,) = people(1)
    pack = put_in_force(one_rule("1", "red"), clock).pack
    land(confirmed(one, clock.moment), clock=clock)
    run_worker(clock)
    before = list(Publication.objects.values()), list(Reason.objects.values())
    addresses = [
        "/facts/",
        "/facts/1/",
        "/packs/",
        f"/packs/{pack.pk}/",
        f"/packs/{pack.pk}/publish/",
        f"/packs/{pack.pk}/preview/",
        "/statuses/",
        "/statuses/tasks/",
        f"/statuses/{one.facts_key}/",
    ]
    wanted = {
        "colour": "green",
        "status": "green",
        "state": "active",
        "segments": '[{"from": null, "colour": "green", "reason": null}]',
        "ordinal": "0",
    }
    for role in UserRole:
        client = logged_in(users[role])
        for address in addresses:
            for method in (client.post, client.put):
                method(address, wanted if method == client.post else None)
    run_worker(clock)
    assert (list(Publication.objects.values()), list(Reason.objects.values())) == before
    assert before[0][0]["segments"][0]["colour"] == "red"
