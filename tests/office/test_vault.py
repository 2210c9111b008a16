"""The local key service: pseudonyms by RFC 5869 and 2104, seals bound to their cell, erasure."""

import hashlib
import hmac
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from passlight.core.kernel.documents import read_document
from passlight.runtime.clock import SystemEntropy
from passlight.runtime.keys import KeyFolder
from passlight.runtime.vault import BrokenSealError, Cell, ErasedError, LocalKeyService

PASSPORT = read_document("passport", "SIM000123")


def service(folder: Path) -> LocalKeyService:
    return LocalKeyService(KeyFolder(folder), SystemEntropy())


def cell(holder: str = "a", row: str = "1", column: str = "name_sealed") -> Cell:
    return Cell(holder=holder, table="people_person", column=column, row=row)


def test_pseudonyms_are_what_the_design_says(tmp_path: Path) -> None:
    """trunc128(HMAC-SHA-256(HKDF(K, "rid|domain|v1"), type + number)), with the standard library.

    HKDF with one block (RFC 5869): extract = HMAC(32 zero bytes, K), expand = HMAC(prk, info 01).
    """
    root = bytes(range(32))
    KeyFolder(tmp_path).write("pseudonym", root)
    extracted = hmac.digest(bytes(32), root, hashlib.sha256)
    key = hmac.digest(extracted, b"rid|facts|v1\x01", hashlib.sha256)
    expected = hmac.digest(key, b"passport\x1fSIM000123", hashlib.sha256)[:16].hex()
    assert service(tmp_path).pseudonym("facts", PASSPORT) == expected


def test_domains_and_installations_cannot_be_joined(tmp_path: Path) -> None:
    one, two = service(tmp_path / "1"), service(tmp_path / "2")
    names = {
        one.pseudonym("facts", PASSPORT),
        one.pseudonym("visits", PASSPORT),
        two.pseudonym("facts", PASSPORT),
        one.mark("facts", PASSPORT.canonical).hex(),
    }
    assert len(names) == 4
    assert service(tmp_path / "1").pseudonym("facts", PASSPORT) in names, "control: it is stable"


def test_a_seal_opens_where_it_was_made_and_nowhere_else(tmp_path: Path) -> None:
    keys = service(tmp_path)
    sealed = keys.seal([(cell(), "王晓明"), (cell("b"), "王晓明"), (cell(), "王晓明")])
    assert service(tmp_path).unseal(cell(), sealed[0]) == "王晓明"
    assert len(set(sealed)) == 3, "equal texts do not look equal"
    for elsewhere in (cell(row="2"), cell(column="phone_sealed"), cell("b")):
        with pytest.raises(BrokenSealError):
            keys.unseal(elsewhere, sealed[0])
    for at in (0, 1, 15, len(sealed[0]) - 1):
        forged = bytearray(sealed[0])
        forged[at] ^= 1
        with pytest.raises(BrokenSealError):
            keys.unseal(cell(), bytes(forged))
    with pytest.raises(BrokenSealError):
        keys.unseal(cell(), b"")


def test_erased_is_gone_from_the_file_as_well(tmp_path: Path) -> None:
    keys = service(tmp_path)
    mine, other = keys.seal([(cell("a"), "x"), (cell("b"), "y")])
    store = tmp_path / "vault.sqlite3"
    with sqlite3.connect(store) as opened:
        wrapped = opened.execute("SELECT wrapped FROM data_key WHERE holder = 'a'").fetchone()[0]
    opened.close()
    files = [store, Path(f"{store}-wal")]

    def on_disk() -> bool:
        return any(wrapped in path.read_bytes() for path in files if path.exists())

    assert on_disk(), "control: before, the bytes are there"
    keys.erase("a")
    assert not on_disk()
    with pytest.raises(ErasedError):
        keys.unseal(cell("a"), mine)
    assert keys.unseal(cell("b"), other) == "y"
    assert keys.seal([(cell("a"), "new")]), "a holder may come back, with another key"
    with pytest.raises(BrokenSealError):
        keys.unseal(cell("a"), mine)


def test_two_writers_agree_on_one_key(tmp_path: Path) -> None:
    service(tmp_path)
    holders = [str(number) for number in range(40)]
    sealed: list[tuple[str, bytes]] = []

    def write() -> None:
        own = service(tmp_path)
        for holder in holders:
            sealed.append((holder, own.seal([(cell(holder), holder)])[0]))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader = service(tmp_path)
    assert [reader.unseal(cell(holder), text) for holder, text in sealed] == [h for h, _ in sealed]
    assert len(sealed) == 160


def test_a_key_is_durable_before_anything_is_sealed(tmp_path: Path) -> None:
    """A process that is killed right after sealing has left the key behind."""
    program = """
import os, signal, sys
from pathlib import Path
from passlight.runtime.clock import SystemEntropy
from passlight.runtime.keys import KeyFolder
from passlight.runtime.vault import Cell, LocalKeyService
keys = LocalKeyService(KeyFolder(Path(sys.argv[1])), SystemEntropy())
cell = Cell(holder="a", table="people_person", column="name_sealed", row="1")
sys.stdout.buffer.write(keys.seal([(cell, "kept")])[0])
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == -9
    assert service(tmp_path).unseal(cell(), done.stdout) == "kept"


def test_files_belong_to_the_owner_alone(tmp_path: Path) -> None:
    service(tmp_path / "keys").seal([(cell(), "x")])
    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "keys").iterdir()}
    assert {"vault.sqlite3", "vault.key", "pseudonym.key"} <= set(modes)
    assert (tmp_path / "keys").stat().st_mode & 0o077 == 0
    assert [name for name, open_to in modes.items() if open_to] == []
