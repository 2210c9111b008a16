"""The bell and the contacts: who sees what, forms without JavaScript, nothing in the clear."""

from collections.abc import Callable

import pytest
from django.db import transaction
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from passlight.office.accounts.models import Role, Unit, User
from passlight.office.notices.actions import notify
from passlight.office.notices.contacts import add_contact
from passlight.office.notices.models import Contact, Notice, NoticeChannel, NoticeState
from passlight.office.notices.recipients import RoleHolder
from passlight.runtime.clock import SystemClock, SystemEntropy

KEY = "693a91f6-7abc-4bc4-97a0-0ec2sifa5aaa"


def client_of(user: User, language: str = "zh") -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["lang"] = language
    return client


def body(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined]


def tell(recipient: User | RoleHolder, number: str = "0608-03") -> Notice:
    params = {"hall": {"zh": "清河街道中心", "en": "Qinghe Centre"}, "number": number}
    with transaction.atomic():
        return notify([recipient], "messages.incident_closed", params, clock=SystemClock())[0]


def robot(recipient: User | RoleHolder) -> Contact:
    return add_contact(
        recipient,
        NoticeChannel.WECOM,
        KEY,
        language="zh",
        actor=None,
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )


def test_the_bell_shows_what_is_unread_and_reading_empties_it(
    street: Unit, add: Callable[..., User]
) -> None:
    office, other = add(Role.STREET_OFFICE, street), add(Role.DUTY_LEADER, street)
    first, second = tell(office), tell(office, "0608-04")
    client = client_of(office)
    page = body(client.get("/notices/"))
    assert "清河街道中心0608-03已结案。" in page
    assert "2条都记为已读" in page
    assert "0608-03" not in body(client_of(other).get("/notices/")), "another's bell"
    client_of(other).post("/notices/read/", {"notice": first.pk})
    first.refresh_from_db()
    assert first.state == NoticeState.SENT, "nobody reads it for them"
    client.post("/notices/read/", {"notice": first.pk})
    assert "0608-03" not in body(client.get("/notices/"))
    assert "0608-03" in body(client.get("/notices/?state=all"))
    client.post("/notices/read/", {"notice": "all"})
    second.refresh_from_db()
    assert (second.state, second.read_by) == (NoticeState.READ, office)
    assert "没有未读通知" in body(client.get("/notices/"))


@pytest.mark.parametrize("typed", ["", "x", "9" * 40, "-1", "０"])
def test_an_odd_number_reads_nothing(street: Unit, add: Callable[..., User], typed: str) -> None:
    office = add(Role.STREET_OFFICE, street)
    notice = tell(office)
    assert client_of(office).post("/notices/read/", {"notice": typed}).status_code == 302
    notice.refresh_from_db()
    assert notice.state == NoticeState.SENT


def test_the_bell_in_english(street: Unit, add: Callable[..., User]) -> None:
    office = add(Role.STREET_OFFICE, street)
    tell(office)
    page = body(client_of(office, "en").get("/notices/"))
    assert "Qinghe Centre 0608-03 is closed." in page


def test_what_failed_stands_first_for_the_duty_leader_and_goes_again(
    street: Unit, hall: Unit, add: Callable[..., User]
) -> None:
    leader, clerk = add(Role.DUTY_LEADER, hall), add(Role.COUNTER_CLERK, hall)
    post = RoleHolder(unit=hall, role=Role.DUTY_LEADER)
    robot(post)
    tell(post)
    Notice.objects.filter(channel="wecom").update(
        state=NoticeState.FAILED, fault="timeout", attempts=7
    )
    failed = Notice.objects.get(channel="wecom")
    page = body(client_of(leader).get("/notices/"))
    assert "没有送到的通知" in page
    assert "对方没有在时限内回答。" in page
    assert "没有送到的通知" not in body(client_of(clerk).get("/notices/"))
    assert client_of(clerk).post(f"/notices/{failed.pk}/again/").status_code == 403
    before = ProcrastinateJob.objects.count()
    client_of(leader).post(f"/notices/{failed.pk}/again/")
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == (NoticeState.QUEUED, 0)
    assert ProcrastinateJob.objects.count() == before + 1


def test_contacts_are_added_tested_and_removed(street: Unit, add: Callable[..., User]) -> None:
    client = client_of(add(Role.STREET_OFFICE, street))
    assert "还没有联系人" in body(client.get("/notices/contacts/"))
    form = {
        "unit": street.pk,
        "role": "duty-leader",
        "username": "",
        "channel": "wecom",
        "address": f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}",
        "language": "en",
    }
    assert client.post("/notices/contacts/add/", form).status_code == 302
    made = Contact.objects.get()
    assert (made.role, made.user, made.language) == ("duty-leader", None, "en")
    page = body(client.get("/notices/contacts/"))
    assert "****5aaa" in page
    assert KEY not in page
    again = client.post("/notices/contacts/add/", form)
    assert again.status_code == 422
    assert "已经在名单上" in body(again)
    client.post(f"/notices/contacts/{made.pk}/test/")
    client.post(f"/notices/contacts/{made.pk}/test/")
    assert Notice.objects.filter(contact=made, code="messages.test").count() == 2
    assert "正在发送" in body(client.get("/notices/contacts/"))
    client.post(f"/notices/contacts/{made.pk}/remove/")
    assert "已停用****5aaa" in body(client.get("/notices/contacts/"))
    assert "****5aaa" not in body(client.get("/notices/contacts/"))
    assert client.post(f"/notices/contacts/{made.pk}/test/").status_code == 404


def test_a_contact_of_one_person(street: Unit, hall: Unit, add: Callable[..., User]) -> None:
    add(Role.HALL_MANAGER, hall, "manager")
    outside = add(Role.STREET_OFFICE, street, "office")
    client = client_of(User.objects.get(username="manager"))
    form = {"unit": hall.pk, "role": "duty-leader", "channel": "sms", "language": "zh"}
    made = client.post(
        "/notices/contacts/add/", {**form, "username": "Manager ", "address": "138 1234 2261"}
    )
    assert made.status_code == 302
    assert Contact.objects.get().user.username == "manager"  # type: ignore[union-attr]
    refused = client.post(
        "/notices/contacts/add/",
        {**form, "username": outside.username, "address": "13812342262"},
    )
    assert refused.status_code == 422, "nobody above"
    above = client.post(
        "/notices/contacts/add/",
        {**form, "unit": street.pk, "username": "", "address": "13812342262"},
    )
    assert above.status_code == 422
    wide = client.post(
        "/notices/contacts/add/", {**form, "channel": "url", "address": "json://127.0.0.1:1/"}
    )
    assert wide.status_code == 422, "any server at all is the district's to name"
    bad = client.post("/notices/contacts/add/", {**form, "address": "1381234226"})
    assert "手机号要11位" in body(bad)
    assert 'value="1381234226"' in body(bad), "what was typed is kept"


def test_another_units_contacts_are_not_ours(
    street: Unit, hall: Unit, add: Callable[..., User]
) -> None:
    theirs = robot(RoleHolder(unit=street, role=Role.STREET_OFFICE))
    manager = client_of(add(Role.HALL_MANAGER, hall))
    assert "****5aaa" not in body(manager.get("/notices/contacts/"))
    for act in ("test", "remove"):
        assert manager.post(f"/notices/contacts/{theirs.pk}/{act}/").status_code == 404
    clerk = client_of(add(Role.COUNTER_CLERK, hall))
    assert clerk.get("/notices/contacts/").status_code == 403
