"""The vault's keys: pseudonyms and sealed fields, behind one interface (field/06 3.1, 3.2).

``KeyService`` is all that the office knows; ``LocalKeyService`` keeps the keys in files
beside the database, and a separate key process or an HSM replaces it without a change
elsewhere. A dump of the database holds none of these keys.

Every person has a random data key; erasing it makes all of that person's sealed fields
unreadable at once. Data keys live in a file of their own, wrapped by the key of purpose
``vault``, so that a restored database does not bring an erased person back.
"""

import functools
import hashlib
import hmac
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from passlight.core.kernel.documents import Document
from passlight.core.kernel.entropy import Entropy
from passlight.runtime.keys import KeyFolder

PSEUDONYM_KEY = "pseudonym"
VAULT_KEY = "vault"
KEY_BYTES = 32
NONCE_BYTES = 12
PSEUDONYM_BYTES = 16
VERSION = 1
BUSY_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Where a sealed text lives, and whose data key seals it; moved elsewhere it does not open."""

    holder: str
    table: str
    column: str
    row: str

    def context(self) -> bytes:
        """Return what the seal is bound to: table, column, row and key version."""
        return f"{self.table}|{self.column}|{self.row}|{VERSION}".encode()


class ErasedError(LookupError):
    """The data key is gone: what it sealed cannot be read by anybody any more."""


class BrokenSealError(ValueError):
    """The bytes are not what was sealed for this cell."""


class KeyService(Protocol):
    """What a key service does for the office; none of it gives a key away."""

    def pseudonym(self, domain: str, document: Document) -> str:
        """Return 32 hexadecimal characters; those of two domains cannot be joined."""
        ...

    def mark(self, domain: str, content: bytes) -> bytes:
        """Return a keyed digest, to tell "the same" from "another" without reading it."""
        ...

    def seal(self, items: Sequence[tuple[Cell, str]]) -> list[bytes]:
        """Return the sealed texts in order, making data keys for new holders."""
        ...

    def unseal(self, cell: Cell, sealed: bytes) -> str:
        """Return the text; ErasedError when its holder was erased, BrokenSealError when forged."""
        ...

    def erase(self, holder: str) -> None:
        """Destroy the holder's data key."""
        ...


class LocalKeyService:
    """The key service of one machine: root keys in files, data keys in a small file beside."""

    def __init__(self, folder: KeyFolder, entropy: Entropy) -> None:
        self._folder = folder
        self._entropy = entropy
        self._root = folder.read_or_make(PSEUDONYM_KEY, entropy)
        self._wrapper = AESGCMSIV(folder.read_or_make(VAULT_KEY, entropy))
        self._store = DataKeys(folder.folder / "vault.sqlite3")
        self._domain_key = functools.cache(self._derive)

    def pseudonym(self, domain: str, document: Document) -> str:
        """Return trunc128(HMAC-SHA-256(HKDF(root, "rid|domain|v1"), canonical document))."""
        key = self._domain_key(f"rid|{domain}|v1")
        return hmac.digest(key, document.canonical, hashlib.sha256)[:PSEUDONYM_BYTES].hex()

    def mark(self, domain: str, content: bytes) -> bytes:
        """Return the first 16 bytes of HMAC-SHA-256 under the domain's own key."""
        key = self._domain_key(f"mark|{domain}|v1")
        return hmac.digest(key, content, hashlib.sha256)[:PSEUDONYM_BYTES]

    def seal(self, items: Sequence[tuple[Cell, str]]) -> list[bytes]:
        """Return the sealed texts; the data keys are on the disk before this returns."""
        keys = self._keys_for({cell.holder for cell, _ in items})
        sealed = []
        for cell, text in items:
            nonce = self._entropy.token(NONCE_BYTES)
            body = keys[cell.holder].encrypt(nonce, text.encode(), cell.context())
            sealed.append(bytes([VERSION]) + nonce + body)
        return sealed

    def unseal(self, cell: Cell, sealed: bytes) -> str:
        """Return the text of one cell.

        Raises:
            ErasedError: when the holder's data key was erased or never made.
            BrokenSealError: when the bytes were changed or belong to another cell.
        """
        wrapped = self._store.read([cell.holder]).get(cell.holder)
        if wrapped is None:
            raise ErasedError(cell.table)
        if len(sealed) <= 1 + NONCE_BYTES or sealed[0] != VERSION:
            raise BrokenSealError(cell.table)
        nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._unwrap(cell.holder, wrapped).decrypt(nonce, body, cell.context()).decode()
        except InvalidTag:
            raise BrokenSealError(cell.table) from None

    def erase(self, holder: str) -> None:
        """Destroy the data key; every sealed field of the holder is unreadable from now on."""
        self._store.erase(holder)

    def _derive(self, info: str) -> bytes:
        kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info.encode())
        return kdf.derive(self._root)

    def _keys_for(self, holders: set[str]) -> dict[str, AESGCMSIV]:
        known = self._store.read(sorted(holders))
        fresh = {}
        for holder in sorted(holders - set(known)):
            nonce = self._entropy.token(NONCE_BYTES)
            key = self._entropy.token(KEY_BYTES)
            fresh[holder] = nonce + self._wrapper.encrypt(nonce, key, holder.encode())
        if fresh:
            self._store.add(fresh)
            # Read again: another process may have been first, and then its keys count.
            known |= self._store.read(sorted(fresh))
        return {holder: self._unwrap(holder, wrapped) for holder, wrapped in known.items()}

    def _unwrap(self, holder: str, wrapped: bytes) -> AESGCMSIV:
        nonce, body = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        return AESGCMSIV(self._wrapper.decrypt(nonce, body, holder.encode()))


class DataKeys:
    """The wrapped data keys in one SQLite file: durable when written, gone when erased."""

    CHUNK = 500

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._open() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS data_key"
                " (holder TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID"
            )
        path.chmod(0o600)

    def read(self, holders: Sequence[str]) -> dict[str, bytes]:
        """Return the wrapped keys of those holders that have one."""
        found: dict[str, bytes] = {}
        with self._open() as connection:
            for start in range(0, len(holders), self.CHUNK):
                part = holders[start : start + self.CHUNK]
                places = ",".join("?" * len(part))
                found |= connection.execute(
                    f"SELECT holder, wrapped FROM data_key WHERE holder IN ({places})",  # noqa: S608  # question marks only
                    part,
                ).fetchall()
        return found

    def add(self, keys: Mapping[str, bytes]) -> None:
        """Store new keys; a holder that has one keeps it."""
        with self._open() as connection:
            connection.executemany("INSERT OR IGNORE INTO data_key VALUES (?, ?)", keys.items())

    def erase(self, holder: str) -> None:
        """Remove a key and overwrite where it was, also in the write-ahead log."""
        with self._open() as connection:
            connection.execute("DELETE FROM data_key WHERE holder = ?", [holder])
        with self._open() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open for one use: no connection crosses a fork or a thread."""
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
            with connection:
                yield connection
        finally:
            connection.close()
