"""Small files that survive a power cut: whole or not at all, checked when read, never trusted torn.

A file is one line with its kind and the SHA-256 of what follows. One that is torn, cut or
damaged is set aside under another name, for whoever looks into it, and counts as missing.
"""

import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
_HEAD: Final = b"passlight gate file 1 "


class StateFolder:
    """A folder of checked files, readable by its owner alone."""

    def __init__(self, path: Path, *, set_aside: Callable[[str], None] = lambda _: None) -> None:
        self.path = path
        self.lock = threading.Lock()
        """Held while a file is written: whole ones, in turn, from whatever thread."""
        self._set_aside = set_aside
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)

    def write(self, name: str, content: bytes) -> None:
        """Write a file; after a power cut either the former or the new content is there.

        Raises:
            OSError: the disk is full or broken; the former content stands.
        """
        with self.lock:
            self._replace(name, content)

    def _replace(self, name: str, content: bytes) -> None:
        head = _HEAD + hashlib.sha256(content).hexdigest().encode() + b"\n"
        handle, draft = tempfile.mkstemp(prefix=f".{name}.", dir=self.path)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(head + content)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(self.path / name)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise
        self._settle()

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None when it is missing or was set aside as torn."""
        path = self.path / name
        try:
            with path.open("rb") as file:
                raw = file.read(FILE_BYTES_MAX)
        except FileNotFoundError:
            return None
        head, _, content = raw.partition(b"\n")
        if head == _HEAD + hashlib.sha256(content).hexdigest().encode():
            return content
        self.put_aside(name)
        return None

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON value.

        Raises:
            OSError: as ``write``.
        """
        self.write(name, json.dumps(value, ensure_ascii=False, sort_keys=True).encode())

    def read_json(self, name: str) -> dict[str, Any] | None:
        """Return the JSON object of a file; None when it is missing, torn or no object."""
        raw = self.read(name)
        if raw is None:
            return None
        try:
            value = json.loads(raw)
        except ValueError:
            value = None
        if isinstance(value, dict):
            return value
        self.put_aside(name)
        return None

    def put_aside(self, name: str) -> Path:
        """Rename a file that cannot be used, and say so; nothing is ever deleted for being torn."""
        path = self.path / name
        number = 1
        while (aside := self.path / f"{name}.torn-{number}").exists():
            number += 1
        path.replace(aside)
        self._settle()
        self._set_aside(name)
        return aside

    def erase(self, name: str) -> None:
        """Remove a file; its bytes are overwritten first, as far as the disk takes that."""
        path = self.path / name
        try:
            size = path.stat().st_size
            with path.open("r+b") as file:
                file.write(bytes(size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        except FileNotFoundError:
            return
        self._settle()

    def _settle(self) -> None:
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
