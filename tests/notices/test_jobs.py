"""The process of jobs: killed, cut off from its database, doubled, asked to end.

What must arrive is counted by a real HTTP server; the controls are senders without an outbox.
"""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connection, transaction

from passlight.messages.channels import Channels
from passlight.messages.faults import TemporaryError
from passlight.messages.text import message
from passlight.office import jobs
from passlight.office.accounts.models import Role, Unit, User
from passlight.office.jobs import Chore
from passlight.office.notices.actions import notify
from passlight.office.notices.contacts import add_contact
from passlight.office.notices.delivery import ATTEMPTS_MAX, deliver
from passlight.office.notices.models import Notice, NoticeChannel, NoticeState
from passlight.office.notices.queries import bell_of, failed_visible
from passlight.office.notices.worker import rescue
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.database import Role as DatabaseRole
from passlight.runtime.settings import child_environment, read_settings
from tests.notices.conftest import Receiver, StandingClock

WAIT_SECONDS = 30
CODE = "messages.incident_closed"


def wait_for(condition: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def tell(user: User, number: str, clock: object = None) -> None:
    params = {"hall": "清河街道中心", "number": number}
    with transaction.atomic():
        notify([user], CODE, params, clock=clock or SystemClock())


def said(number: str) -> str:
    return f"清河街道中心{number}已结案。"


@pytest.fixture
def office(
    transactional_db: None, street: Unit, add: Callable[..., User], receiver: Receiver
) -> User:
    user = add(Role.STREET_OFFICE, street)
    add_contact(
        user,
        NoticeChannel.URL,
        receiver.url,
        language="zh",
        actor=None,
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )
    return user


@pytest.fixture
def start(role_urls: dict[DatabaseRole, str]) -> Iterator[Callable[[], subprocess.Popen]]:
    started: list[subprocess.Popen] = []

    def begin() -> subprocess.Popen:
        environment = child_environment(
            PASSLIGHT_DATABASE_URL=role_urls[DatabaseRole.OWNER],
            PASSLIGHT_ROLE="office",
            DJANGO_SETTINGS_MODULE="passlight.office.settings",
        )
        command = [sys.executable, "-m", "passlight.office.jobs"]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def test_killed_and_cut_off_it_sends_all_that_was_committed(
    office: User, receiver: Receiver, start: Callable[[], subprocess.Popen]
) -> None:
    receiver.hold.clear()
    tell(office, "0608-01")
    first = start()
    wait_for(receiver.called.is_set)
    second = start()  # waits for the first to go
    tell(office, "0608-02")
    first.kill()
    first.wait()
    receiver.hold.set()
    wait_for(lambda: {said("0608-01"), said("0608-02")} <= set(receiver.texts()))
    wait_for(lambda: not Notice.objects.filter(state=NoticeState.QUEUED).exists())

    take_the_database_away(seconds=1.2)
    tell(office, "0608-03")
    wait_for(lambda: said("0608-03") in receiver.texts())

    assert second.poll() is None
    begun = time.monotonic()
    second.send_signal(signal.SIGTERM)
    assert second.wait(15) == 0, "it ends clean"
    assert time.monotonic() - begun < 10
    assert second.stderr is not None
    log = second.stderr.read()
    assert "left by a worker that died" in log
    assert "no database" in log
    assert receiver.url.removeprefix("json://") not in log
    assert "已结案" not in log


def take_the_database_away(*, seconds: float) -> None:
    """Cut everybody's connection to this test's database, and let nobody in for a while."""
    known = connection.get_connection_params()
    server = {k: known[k] for k in ("user", "password", "host", "port") if k in known}
    name = known["dbname"]
    connection.close()
    with psycopg.connect(**server, dbname="postgres", autocommit=True) as held:
        held.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        held.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        time.sleep(seconds)
        held.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_a_sender_without_an_outbox_tells_what_never_was_and_forgets_what_was(
    office: User, receiver: Receiver
) -> None:
    """The controls: send before the commit, and send after it from memory."""
    told = message(CODE, {"hall": "清河街道中心", "number": "0608-01"}, "zh")
    channels = Channels(sms=None, mail_server="")
    with pytest.raises(RuntimeError), transaction.atomic():
        channels.send("url", receiver.url, told)  # the naive way
        raise RuntimeError
    assert receiver.texts() == [said("0608-01")], "it told of what was rolled back"
    with pytest.raises(RuntimeError), transaction.atomic():
        tell(office, "0608-02")
        raise RuntimeError
    assert rescue(SystemClock()) is False
    assert not Notice.objects.exists(), "and ours had nothing to tell"


def test_a_bad_chore_never_stops_the_others(transactional_db: None) -> None:
    counted = {"bad": 0, "good": 0, "worker": 0}
    stop = threading.Event()

    def bad(_clock: object) -> bool:
        counted["bad"] += 1
        raise ValueError("always")

    def good(_clock: object) -> bool:
        counted["good"] += 1
        return False

    def worker(_clock: object, over: threading.Event) -> None:
        counted["worker"] += 1
        if counted["worker"] == 1:
            raise RuntimeError("fell")
        over.wait()

    recurring = (
        Chore(name="bad", every_seconds=0.01, run=bad),
        Chore(name="good", every_seconds=0.01, run=good),
    )
    thread = threading.Thread(
        target=lambda: jobs.run(SystemClock(), stop, recurring=recurring, worker=worker)
    )
    thread.start()
    wait_for(lambda: counted["bad"] >= 3 and counted["good"] >= 20 and counted["worker"] == 2)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_faults_are_tried_again_and_then_said_to_the_duty_leader(
    office: User,
    receiver: Receiver,
    add: Callable[..., User],
    street: Unit,
    standing: StandingClock,
) -> None:
    leader = add(Role.DUTY_LEADER, street)
    receiver.status = 503
    tell(office, "0608-01", standing)
    notice = Notice.objects.get(channel="url")
    for attempt in range(1, ATTEMPTS_MAX):
        with pytest.raises(Exception, match="refused"):
            deliver(notice.pk, clock=standing)
        notice.refresh_from_db()
        assert (notice.state, notice.attempts) == (NoticeState.QUEUED, attempt)
    deliver(notice.pk, clock=standing)
    notice.refresh_from_db()
    assert (notice.state, notice.fault) == (NoticeState.FAILED, "refused")
    assert list(failed_visible(leader)) == [notice]
    said_so = bell_of(leader).get()
    assert said_so.code == "messages.notice_failed"
    assert not said_so.withheld
    receiver.status = 200
    deliver(notice.pk, clock=standing)
    assert receiver.texts() == [], "a failed one is not sent behind anybody's back"


def test_what_failed_reaches_somebody_up_the_tree(
    office: User, receiver: Receiver, hall: Unit, add: Callable[..., User], standing: StandingClock
) -> None:
    """A village with nobody on duty: the street office hears of it."""
    clerk = add(Role.COUNTER_CLERK, hall)
    add_contact(
        clerk,
        NoticeChannel.SMS,
        "13812342261",
        language="zh",
        actor=None,
        clock=standing,
        entropy=SystemEntropy(),
    )
    tell(clerk, "0608-01", standing)
    deliver(Notice.objects.get(channel="sms").pk, clock=standing)
    told = bell_of(office).get()
    assert told.code == "messages.notice_failed"
    assert told.params["reason"]["zh"] == "这种通知方式还没有配置。"
    deliver(10**9, clock=standing)  # one that never was: no error, no job for ever


def test_a_wrong_file_is_waited_for_until_somebody_mends_it(
    office: User, receiver: Receiver, standing: StandingClock
) -> None:
    file = read_settings().keys / "messages.toml"
    tell(office, "0608-01", standing)
    notice = Notice.objects.get(channel="url")
    file.write_text('[post]\nkey_secret = "shh"\n')
    try:
        with pytest.raises(TemporaryError, match="not-configured"):
            deliver(notice.pk, clock=standing)
    finally:
        file.unlink()
    deliver(notice.pk, clock=standing)
    assert receiver.texts() == [said("0608-01")]


def test_a_notice_whose_job_was_removed_gets_another(office: User, standing: StandingClock) -> None:
    tell(office, "0608-01", standing)
    standing.move(minutes=2)
    assert rescue(standing) is False, "it has one"
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    assert rescue(standing) is True
    assert rescue(standing) is False


def test_two_transactions_with_the_same_news_tell_it_once(
    office: User, street: Unit, standing: StandingClock
) -> None:
    """The second waits for the first to commit, and then finds what it wrote."""
    held, began = threading.Event(), threading.Event()

    def first() -> None:
        try:
            with transaction.atomic():
                params = {"hall": "清河街道中心", "number": "0608-01"}
                notify([office], CODE, params, clock=standing)
                began.set()
                held.wait(10)
        finally:
            connection.close()

    def second() -> None:
        try:
            tell(office, "0608-01", standing)
        finally:
            connection.close()

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert began.wait(10)
    threads[1].start()
    time.sleep(0.3)
    assert threads[1].is_alive(), "it waits"
    held.set()
    for thread in threads:
        thread.join(10)
    assert sorted(Notice.objects.values_list("channel", flat=True)) == ["in-app", "url"]
