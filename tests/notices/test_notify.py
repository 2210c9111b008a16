"""``notify``: in the caller's transaction, once, to every contact, and never a name."""

import uuid
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.models import Role, Unit, User
from passlight.office.notices.actions import mark_read, notify
from passlight.office.notices.addresses import address_of
from passlight.office.notices.contacts import add_contact, remove_contact
from passlight.office.notices.models import Contact, Notice, NoticeChannel, NoticeState
from passlight.office.notices.queries import bell_of, unread_count, unread_of
from passlight.office.notices.recipients import RoleHolder
from passlight.runtime.clock import SystemEntropy
from passlight.runtime.database import Role as DatabaseRole
from tests.notices.conftest import StandingClock

CODE = "messages.incident_street"
PARAMS = {
    "hall": {"zh": "清河街道中心", "en": "Qinghe Centre"},
    "at": "10:21",
    "kind": {"zh": "红码", "en": "a red code"},
    "number": "0608-03",
}
INCIDENT = uuid.UUID(int=3)


def contact(
    recipient: User | RoleHolder, clock: StandingClock, address: str = "12345678901234567890"
):
    return add_contact(
        recipient,
        NoticeChannel.WECOM,
        address,
        language="zh",
        actor=None,
        clock=clock,
        entropy=SystemEntropy(),
    )


def tell(
    *recipients: User | RoleHolder, clock: StandingClock, params: dict = PARAMS, code: str = CODE
):
    with transaction.atomic():
        return notify(recipients, code, params, incident=INCIDENT, clock=clock)


def jobs() -> list[int]:
    return [job.args["notice"] for job in ProcrastinateJob.objects.order_by("id")]


def test_a_user_is_told_in_the_bell_and_over_every_contact(
    street: Unit, add: Callable[..., User], standing: StandingClock
) -> None:
    office = add(Role.STREET_OFFICE, street)
    robot = contact(office, standing)
    told = tell(office, clock=standing)
    assert {(n.channel, n.state) for n in told} == {("in-app", "sent"), ("wecom", "queued")}
    outside = Notice.objects.get(contact=robot)
    assert jobs() == [outside.pk], "one job, for the one that goes outside"
    assert outside.incident == INCIDENT
    assert unread_count(office) == 1


def test_nothing_is_kept_when_the_news_is_rolled_back(
    street: Unit, add: Callable[..., User], standing: StandingClock
) -> None:
    office = add(Role.STREET_OFFICE, street)
    contact(office, standing)
    with pytest.raises(RuntimeError), transaction.atomic():
        notify([office], CODE, PARAMS, clock=standing)
        assert len(jobs()) == 1, "control: it was there"
        raise RuntimeError
    assert not Notice.objects.exists()
    assert jobs() == []


def test_a_post_is_told_and_whoever_holds_it_reads(
    street: Unit, add: Callable[..., User], standing: StandingClock
) -> None:
    first, second = add(Role.STREET_OFFICE, street, "one"), add(Role.STREET_OFFICE, street, "two")
    leader = add(Role.DUTY_LEADER, street)
    post = RoleHolder(unit=street, role=Role.STREET_OFFICE)
    robot = contact(post, standing)
    tell(post, clock=standing)
    assert unread_count(first) == unread_count(second) == 1
    assert unread_count(leader) == 0
    assert Notice.objects.get(contact=robot).role == Role.STREET_OFFICE
    standing.move(minutes=1)
    assert unread_of(INCIDENT, before=standing.now()).count() == 1
    assert mark_read(leader, None, clock=standing) == 0, "nobody else reads it for them"
    assert mark_read(second, None, clock=standing) == 1
    read = bell_of(first).get()
    assert (read.state, read.read_by, read.read_at) == (NoticeState.READ, second, standing.now())
    assert not unread_of(INCIDENT, before=standing.now()).exists(), "the clock is closed"


def test_the_same_is_told_once_in_ten_minutes_and_again_after(
    street: Unit, add: Callable[..., User], standing: StandingClock
) -> None:
    office = add(Role.STREET_OFFICE, street)
    contact(office, standing)
    assert len(tell(office, office, clock=standing)) == 2
    standing.move(minutes=9, seconds=59)
    assert tell(office, clock=standing) == []
    other = tell(office, clock=standing, params={**PARAMS, "number": "0608-04"})
    assert len(other) == 2, "control: other words are other news"
    standing.move(seconds=2)
    assert len(tell(office, clock=standing)) == 2
    assert len(jobs()) == 3


def test_one_address_of_two_recipients_gets_one_message(
    street: Unit, add: Callable[..., User], standing: StandingClock
) -> None:
    office = add(Role.STREET_OFFICE, street)
    post = RoleHolder(unit=street, role=Role.STREET_OFFICE)
    contact(office, standing)
    contact(post, standing)
    told = tell(office, post, clock=standing)
    assert sorted(n.channel for n in told) == ["in-app", "in-app", "wecom"]


@pytest.mark.parametrize(
    "wrong",
    [{"number": "310118199003070017"}, {"hall": "王晓明"}, {"kind": "红码13812345678"}],
)
def test_what_the_guard_refuses_is_told_without_its_words(
    street: Unit, add: Callable[..., User], standing: StandingClock, wrong: dict[str, str]
) -> None:
    office = add(Role.STREET_OFFICE, street)
    contact(office, standing)
    told = tell(office, clock=standing, params={**PARAMS, **wrong})
    assert {(n.code, n.withheld, str(n.params)) for n in told} == {
        ("messages.withheld", True, "{}")
    }
    assert len(told) == 2, "both ways: the news itself is not lost"


def test_a_code_that_does_not_exist_is_a_bug(
    street: Unit, add: Callable[..., User], standing: StandingClock
) -> None:
    with pytest.raises(KeyError):
        tell(add(Role.STREET_OFFICE, street), clock=standing, code="messages.nothing")


def test_an_address_is_sealed_masked_and_gone_when_removed(
    street: Unit,
    add: Callable[..., User],
    standing: StandingClock,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    office = add(Role.STREET_OFFICE, street)
    made = add_contact(
        office,
        NoticeChannel.SMS,
        "138 1234 2261",
        language="zh",
        actor=office,
        clock=standing,
        entropy=SystemEntropy(),
    )
    made.refresh_from_db()
    assert address_of(made) == "13812342261"
    assert made.hint == "138****2261"
    with connection.cursor() as cursor:
        cursor.execute("SELECT notices_contact::text FROM notices_contact")
        (row,) = cursor.fetchone()
    assert "13812342261" not in row
    assert b"13812342261".hex() not in row
    with pytest.raises(ProblemError):
        contact(office, standing, "12345678901234567890")
        contact(office, standing, "12345678901234567890")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        remove_contact(made, clock=standing)
    made.refresh_from_db()
    with pytest.raises(Exception, match="erased"):
        address_of(made)
    assert Contact.objects.get(pk=made.pk).removed_at == standing.now()


def test_the_office_may_do_all_of_it(
    street: Unit, add: Callable[..., User], standing: StandingClock, as_role: Callable[..., object]
) -> None:
    office = add(Role.STREET_OFFICE, street)
    with as_role(DatabaseRole.OFFICE):  # type: ignore[attr-defined]
        contact(office, standing)
        assert len(tell(office, clock=standing)) == 2
        mark_read(office, None, clock=standing)
