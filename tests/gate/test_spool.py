"""The spool: durable when it says so, in order, bounded, and never trusted when it is torn."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from nacl.public import SealedBox

from passlight.core.kernel.hash_chain import GENESIS, first_break
from passlight.gate.spool import (
    FILE,
    Spool,
    SpooledRecord,
    SpoolError,
    SpoolFullError,
    TakenCode,
    last_boot,
    open_spool,
)
from tests.gate.power_cut import KEY, content

POWER = Path(__file__).with_name("power.c")


def add(spool: Spool, count: int) -> list[SpooledRecord]:
    boot = spool.boot
    return [spool.append(lambda seq: content(boot, seq), key=KEY.public_key) for _ in range(count)]


def opened(rows: list[SpooledRecord]) -> list[bytes]:
    return [SealedBox(KEY).decrypt(row.sealed) for row in rows]


def test_records_are_sealed_numbered_and_chained_through_boots(tmp_path: Path) -> None:
    first = Spool(tmp_path / FILE, boot=1, rows_max=1000)
    add(first, 2)
    first.close()
    second = Spool(tmp_path / FILE, boot=2, rows_max=1000)
    add(second, 2)
    one, two = second.batch(10), []
    second.acknowledge(boot=1, highest=2)
    two = second.batch(10)
    assert opened(one) == [b"record 1:1", b"record 1:2"]
    assert opened(two) == [b"record 2:1", b"record 2:2"]
    assert first_break([(r.sealed, r.hash) for r in [*one, *two]], after=GENESIS) is None
    assert (
        b"record 1:1"
        not in (tmp_path / FILE).read_bytes() + (tmp_path / f"{FILE}-wal").read_bytes()
    )
    second.close()


def test_rows_go_only_after_the_next_success(tmp_path: Path) -> None:
    spool = Spool(tmp_path / FILE, boot=1, rows_max=1000)
    add(spool, 5)
    spool.acknowledge(boot=1, highest=3)
    assert (spool.waiting, _stored(tmp_path)) == (2, 5)  # all five are still on the disk
    spool.acknowledge(boot=1, highest=4)
    assert (spool.waiting, _stored(tmp_path)) == (1, 2)  # 1…3 are gone, 4 and 5 are there
    # The server was restored and has 3 only: what it lost is sent again.
    assert spool.repair(boot=1, highest=3) == 1
    assert [row.seq for row in spool.batch(10)] == [4, 5]
    spool.close()


def test_an_answer_above_what_was_written_acknowledges_nothing_more(tmp_path: Path) -> None:
    spool = Spool(tmp_path / FILE, boot=1, rows_max=1000)
    add(spool, 2)
    spool.acknowledge(boot=1, highest=10**9)
    assert add(spool, 1)[0].seq == 3
    assert [row.seq for row in spool.batch(10)] == [3]
    spool.close()


def test_numbers_go_on_after_everything_was_acknowledged_and_deleted(tmp_path: Path) -> None:
    spool = Spool(tmp_path / FILE, boot=7, rows_max=1000)
    tip = add(spool, 3)[-1].hash
    spool.acknowledge(boot=7, highest=3)
    spool.acknowledge(boot=7, highest=3)
    assert _stored(tmp_path) == 0
    spool.close()
    again = open_spool(tmp_path / FILE, boot=7, rows_max=1000).spool
    (row,) = add(again, 1)
    assert (row.seq, row.previous) == (4, tip)
    again.close()


def test_a_full_spool_takes_nothing_and_gives_the_alarm_before(tmp_path: Path) -> None:
    spool = Spool(tmp_path / FILE, boot=1, rows_max=100)
    add(spool, 79)
    assert not spool.alarming
    add(spool, 1)
    assert spool.alarming
    add(spool, 20)
    with pytest.raises(SpoolFullError):
        add(spool, 1)
    spool.acknowledge(boot=1, highest=100)
    assert add(spool, 1)[0].seq == 101
    spool.close()


def test_a_full_disk_is_an_error_and_leaves_what_was_there(tmp_path: Path) -> None:
    spool = Spool(tmp_path / FILE, boot=1, rows_max=100_000)
    add(spool, 3)
    spool._db.execute("PRAGMA max_page_count = 16")  # SQLite's own "disk is full"
    with pytest.raises(SpoolError, match="full"):
        add(spool, 500)
    held = spool.batch(500)
    assert [row.seq for row in held] == list(range(1, len(held) + 1))
    assert 3 <= len(held) < 500
    spool.close()


def test_seen_codes_are_kept_for_120_seconds_without_their_index(tmp_path: Path) -> None:
    spool = Spool(tmp_path / FILE, boot=1, rows_max=100)
    for second in (0, 100):
        taken = TakenCode(body=bytes([second]) * 32, slot=3, seen_at=1000 + second)
        spool.append(lambda seq: b"x", key=KEY.public_key, seen=taken)
    assert [taken.seen_at for taken in spool.seen(now=1119)] == [1000, 1100]
    assert [taken.seen_at for taken in spool.seen(now=1120)] == [1100]
    spool.close()


@pytest.mark.parametrize("damage", ["garbage", "cut", "row"])
def test_a_broken_spool_is_set_aside_and_what_can_be_read_is_saved(
    tmp_path: Path, damage: str
) -> None:
    spool = Spool(tmp_path / FILE, boot=1, rows_max=1000)
    add(spool, 40)
    spool.close()
    path = tmp_path / FILE
    raw = path.read_bytes()
    if damage == "garbage":
        path.write_bytes(b"\x00" * 4096 + os.urandom(len(raw) - 4096))
    elif damage == "cut":
        path.write_bytes(raw[: len(raw) // 2])
    else:
        with sqlite3.connect(path) as db:
            db.execute("UPDATE record SET sealed = zeroblob(80) WHERE seq = 20")
        db.close()
    found = open_spool(path, boot=2, rows_max=1000)
    assert found.set_aside is not None and found.set_aside.exists()
    saved = found.spool.batch(100)
    assert found.saved == len(saved)
    if damage == "row":
        assert [row.seq for row in saved] == [*range(1, 20), *range(21, 41)]
    assert all(SealedBox(KEY).decrypt(row.sealed) == content(1, row.seq) for row in saved)
    assert add(found.spool, 1)[0].seq == 1  # of boot 2: nothing is numbered twice
    found.spool.close()


def _stored(folder: Path) -> int:
    with sqlite3.connect(folder / FILE) as db:
        (count,) = db.execute("SELECT count(*) FROM record").fetchone()
    db.close()
    return int(count)


@pytest.fixture(scope="module")
def lossy_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the library that makes a disk lose what was not synced."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler here")
    made = tmp_path_factory.mktemp("power") / "power.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", made, POWER, "-ldl"], check=True, timeout=60
    )
    return made


@pytest.mark.fault
@pytest.mark.parametrize("synchronous", ["FULL", "OFF"])
def test_two_power_cuts_lose_nothing_that_was_said_to_be_durable(
    lossy_disk: Path, tmp_path: Path, synchronous: str
) -> None:
    """Killed twice in the middle of writing; each time the folder becomes what was synced.

    The control is the same writer without sync: it says numbers that are then not there.
    """
    folder, disk = tmp_path / "state", tmp_path / "disk"
    for made in (folder, disk):
        made.mkdir()
    said: list[tuple[int, int]] = []
    for boot in (1, 2):
        said += [
            (boot, seq) for seq in _write_until_killed(lossy_disk, folder, disk, synchronous, boot)
        ]
        shutil.rmtree(folder)
        shutil.copytree(disk, folder)
    found = open_spool(folder / FILE, boot=3, rows_max=10_000)
    held = set()
    with sqlite3.connect(folder / FILE) as db:
        held = set(db.execute("SELECT boot, seq FROM record").fetchall())
    db.close()
    found.spool.close()
    lost = [name for name in said if name not in held]
    if synchronous == "FULL":
        assert (lost, found.set_aside) == ([], None)
        assert last_boot(folder / FILE) == 2
    else:
        assert lost, "the control lost nothing: this test proves nothing"


def _write_until_killed(
    library: Path, folder: Path, disk: Path, synchronous: str, boot: int
) -> list[int]:
    """Return the numbers that the writer said before it was killed."""
    environment = {
        **os.environ,
        "LD_PRELOAD": str(library),
        "POWER_FOLDER": str(folder),
        "POWER_DISK": str(disk),
    }
    command = [sys.executable, "-m", "tests.gate.power_cut", str(folder), synchronous, str(boot)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdout is not None
        numbers = [int(next(writer.stdout)) for _ in range(25)]
        writer.kill()
        numbers += [int(line) for line in writer.stdout.read().splitlines() if line.strip()]
    return numbers
