"""The keyring over time: what is made, published, signs and is destroyed.

Expected values are the windows of field/09 8 and 2.5, written here as numbers.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from passlight.core.codes.layout import Purpose
from passlight.core.codes.trust import open_trust_list
from passlight.core.kernel.problem import ProblemError
from passlight.runtime.clock import SystemEntropy
from passlight.runtime.keys import KeyFolder
from passlight.runtime.signing import phone_issuer

pytestmark = pytest.mark.django_db(transaction=True)

REALM = "cn-310118"
# 2026-11-23 10:00 in the realm; the epoch began at 04:00 = 2026-11-22T20:00Z.
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
EPOCH = 326  # floor((469440 + 120 + 480 - 240) / 1440), by hand


class Moment:
    def __init__(self, now: datetime) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "keys")


def ensure(clock: Moment, folder: KeyFolder, **more: int) -> bool:
    from passlight.office.keyring.actions import ensure_keys

    return ensure_keys(clock, SystemEntropy(), folder, **more)


def current(folder: KeyFolder):
    from passlight.office.keyring.queries import latest_trust_list

    trust = latest_trust_list(realm=REALM, folder=folder)
    assert trust is not None
    return trust


def test_the_first_run_makes_everything_and_the_second_nothing(folder: KeyFolder) -> None:
    from passlight.office.keyring.models import TrustListVersion

    clock = Moment(START)
    assert ensure(clock, folder)
    trust = current(folder)
    assert trust.sequence == 1
    assert sorted(k.purpose for k in trust.keys.values()) == ["grant", "list", "phone", "venue"]
    assert sorted(folder.purposes("epoch-")) == [f"epoch-{EPOCH + n}" for n in range(-1, 4)]
    assert dict(trust.realms[REALM].sizes) == {EPOCH + n: 1_000_000 for n in range(-1, 4)}
    assert len(folder.purposes("phone-")) == 1
    before = {path.name: path.read_bytes() for path in folder.folder.iterdir()}
    assert not ensure(clock, folder)
    assert {path.name: path.read_bytes() for path in folder.folder.iterdir()} == before
    assert TrustListVersion.objects.count() == 1
    assert all(path.stat().st_mode & 0o77 == 0 for path in folder.folder.iterdir())


def test_a_phone_key_signs_seven_days_and_stays_listed_for_twelve(folder: KeyFolder) -> None:
    """Every two hours for fifteen days: somebody always signs, nobody for longer than seven days."""
    clock = Moment(START)
    signed: dict[bytes, list[datetime]] = {}
    listed: dict[bytes, list[datetime]] = {}
    sequences = []
    for _ in range(15 * 12):
        ensure(clock, folder)
        trust = current(folder)
        sequences.append(trust.sequence)
        issuer = phone_issuer(trust, folder, realm=REALM, now=int(clock.at.timestamp()))
        signed.setdefault(issuer.kid, []).append(clock.at)
        for key in trust.of_purpose(Purpose.PHONE, realm=REALM):
            listed.setdefault(key.kid, []).append(clock.at)
        assert clock.at.timestamp() < trust.expires_at
        assert {int(n.removeprefix("epoch-")) for n in folder.purposes("epoch-")} == set(
            trust.realms[REALM].sizes
        )
        clock.at += timedelta(hours=2)
    assert sequences == sorted(sequences)
    first = next(iter(signed))
    assert signed[first][-1] - signed[first][0] <= timedelta(days=7)
    assert len(signed) == 3
    assert listed[first][-1] - listed[first][0] == timedelta(days=12) - timedelta(hours=2)
    # The private half of the first key is gone; the one that signs is there.
    assert f"phone-{first.hex()}" not in folder.purposes("phone-")
    second = list(signed)[1]
    lead = signed[second][0] - listed[second][0]
    assert lead >= timedelta(days=1), "every verifier knows a key before it signs"


def test_an_epoch_key_names_a_record_seven_days_late_and_is_then_destroyed(
    folder: KeyFolder,
) -> None:
    """The epoch of 2026-11-23 ends at 11-24 04:00 and overlaps to 06:00 of the realm.

    A door that was cut off then sends by 12-01 06:00 (2026-11-30T22:00Z); the epoch that begins
    on 12-02 04:00 is the first in which nobody may come with it any more.
    """
    clock = Moment(START)
    ensure(clock, folder)
    old = folder.read(f"epoch-{EPOCH}")
    for days in (1, 2, 5):
        clock.at = START + timedelta(days=days)
        ensure(clock, folder)
    clock.at = datetime(2026, 11, 30, 22, 0, tzinfo=UTC)
    ensure(clock, folder)
    assert folder.read(f"epoch-{EPOCH}") == old
    assert current(folder).realms[REALM].sizes[EPOCH] == 1_000_000
    clock.at = datetime(2026, 12, 1, 20, 0, tzinfo=UTC)
    ensure(clock, folder)
    assert EPOCH not in current(folder).realms[REALM].sizes
    with pytest.raises(FileNotFoundError):
        folder.read(f"epoch-{EPOCH}")


def test_no_key_is_made_for_a_day_before_the_first(folder: KeyFolder) -> None:
    """The control: only what was in use once is kept."""
    clock = Moment(START)
    ensure(clock, folder)
    clock.at += timedelta(days=30)
    ensure(clock, folder)
    assert sorted(current(folder).realms[REALM].sizes) == [EPOCH + 30 + n for n in range(-1, 4)]


def test_an_epoch_keeps_its_size_when_people_are_registered(folder: KeyFolder) -> None:
    clock = Moment(START)
    ensure(clock, folder, registered=10)
    clock.at += timedelta(days=1)
    ensure(clock, folder, registered=2_000_000)
    sizes = current(folder).realms[REALM].sizes
    assert sizes[EPOCH + 1] == 1_000_000
    assert sizes[EPOCH + 4] == 2_040_000  # 1.02 × 2,000,000


def test_a_killed_run_leaves_a_file_that_the_next_removes(
    folder: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the key file and before publication: the file names no key that signs."""
    from passlight.office.keyring import actions

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    clock = Moment(START)
    with monkeypatch.context() as patch:
        patch.setattr(actions, "_store", killed)
        with pytest.raises(KeyboardInterrupt):
            ensure(clock, folder)
    [orphan] = folder.purposes("phone-")
    assert ensure(clock, folder)
    [published] = folder.purposes("phone-")
    assert published != orphan
    now = int(clock.at.timestamp())
    assert phone_issuer(current(folder), folder, realm=REALM, now=now).kid.hex() in published


def test_a_revoked_key_is_replaced_at_once(folder: KeyFolder) -> None:
    from passlight.office.keyring.actions import revoke_key

    clock = Moment(START)
    ensure(clock, folder)
    now = int(clock.at.timestamp())
    stolen = phone_issuer(current(folder), folder, realm=REALM, now=now).kid
    revoke_key(stolen, clock=clock, entropy=SystemEntropy(), folder=folder)
    trust = current(folder)
    assert trust.keys[stolen].revoked
    assert phone_issuer(trust, folder, realm=REALM, now=now).kid != stolen
    assert f"phone-{stolen.hex()}" not in folder.purposes("phone-")
    with pytest.raises(ProblemError, match="names no phone key 00000000"):
        revoke_key(bytes(4), clock=clock, entropy=SystemEntropy(), folder=folder)


def test_no_other_key_signs_the_list_and_no_table_holds_a_secret(folder: KeyFolder) -> None:
    from passlight.office.keyring.queries import latest_document

    ensure(Moment(START), folder)
    document = latest_document()
    assert document is not None
    with pytest.raises(ProblemError, match="No known key signed"):
        open_trust_list(document, realm=REALM, roots=[bytes(31) + b"\1"])
    import base64
    import json

    payload = json.loads(document)["payload"]
    clear = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    for path in folder.folder.iterdir():
        assert path.read_text().strip() not in clear.decode()


def test_runs_at_once_make_one_key_and_lose_none(folder: KeyFolder) -> None:
    """Four runs on a fresh installation: one phone key, and its private half is still there."""
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    def one(_: int) -> bool:
        try:
            return ensure(Moment(START), folder)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        changed = list(pool.map(one, range(4)))
    assert sorted(changed) == [False, False, False, True]
    now = int(START.timestamp())
    assert phone_issuer(current(folder), folder, realm=REALM, now=now)
    assert len(folder.purposes("phone-")) == 1


def test_the_roles_of_the_database_may_what_they_need(folder: KeyFolder, role_urls) -> None:
    """The worker (evaluator) renews, the gateway reads, the office reads; nobody rewrites."""
    import psycopg

    from passlight.runtime.database import Role

    ensure(Moment(START), folder)
    read = "SELECT count(*) FROM keyring_trustlist"
    append = "INSERT INTO keyring_trustlist VALUES (2, ''::bytea, now())"
    for role, statement, allowed in [
        (Role.GATEWAY, read, True),
        (Role.OFFICE, read, True),
        (Role.EVALUATOR, append, True),
        (Role.GATEWAY, append, False),
        (Role.OFFICE, append, False),
        (Role.EVALUATOR, "UPDATE keyring_trustlist SET document = ''::bytea", False),
        (Role.EVALUATOR, "DELETE FROM keyring_trustlist", False),
    ]:
        with psycopg.connect(role_urls[role]) as database:
            if allowed:
                database.execute(statement)
                database.rollback()
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    database.execute(statement)


def test_a_lost_phone_key_signs_no_more_and_another_takes_over(folder: KeyFolder) -> None:
    """A power cut may lose the newest file although its key is published."""
    clock = Moment(START)
    ensure(clock, folder)
    now = int(clock.at.timestamp())
    lost = phone_issuer(current(folder), folder, realm=REALM, now=now).kid
    folder.erase(f"phone-{lost.hex()}")
    with pytest.raises(FileNotFoundError):
        phone_issuer(current(folder), folder, realm=REALM, now=now)
    clock.at += timedelta(hours=1)
    assert ensure(clock, folder)
    trust = current(folder)
    now = int(clock.at.timestamp())
    assert phone_issuer(trust, folder, realm=REALM, now=now).kid != lost
    assert not trust.keys[lost].revoked, "codes that it signed stay good"


def test_a_published_epoch_key_is_never_made_again(
    folder: KeyFolder, caplog: pytest.LogCaptureFixture
) -> None:
    """Under another key an index would be another person's: better no answer than that one."""
    from passlight.runtime.signing import WrongEpochKeyError, published_epoch_secrets

    clock = Moment(START)
    ensure(clock, folder)
    assert published_epoch_secrets(current(folder), folder, realm=REALM, epoch=EPOCH)
    folder.erase(f"epoch-{EPOCH}")
    ensure(clock, folder)
    assert f"epoch {EPOCH} is missing" in caplog.text
    with pytest.raises(FileNotFoundError):
        published_epoch_secrets(current(folder), folder, realm=REALM, epoch=EPOCH)
    folder.write(f"epoch-{EPOCH}", bytes(64))
    with pytest.raises(WrongEpochKeyError):
        published_epoch_secrets(current(folder), folder, realm=REALM, epoch=EPOCH)


def test_an_empty_key_folder_beside_a_trust_list_is_refused(
    folder: KeyFolder, tmp_path: Path
) -> None:
    ensure(Moment(START), folder)
    empty = KeyFolder(tmp_path / "other")
    with pytest.raises(ProblemError, match="Restore the key folder"):
        ensure(Moment(START), empty)
    assert not empty.purposes("")
