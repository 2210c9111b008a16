"""Key files: one file a key, one purpose a key, readable by the owner alone.

The folder is outside the database, so a dump of the database holds no key. A key service
or an HSM replaces this module; callers see bytes for a purpose and nothing else.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from passlight.core.kernel.entropy import Entropy


class KeyFolder:
    """A folder of secrets named by their purpose."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, purpose: str) -> bytes:
        """Return the secret for ``purpose``.

        Raises:
            FileNotFoundError: when it was never made.
        """
        return bytes.fromhex(self._path(purpose).read_text().strip())

    def read_or_make(self, purpose: str, entropy: Entropy, *, size: int = 32) -> bytes:
        """Return the secret for ``purpose``, making it first when there is none.

        Of several processes that make it at once one wins, and all return the winner's.
        """
        try:
            return self.read(purpose)
        except FileNotFoundError:
            with suppress(FileExistsError):
                self.write(purpose, entropy.token(size))
            return self.read(purpose)

    def write(self, purpose: str, secret: bytes) -> None:
        """Store a secret; whole or not at all, and never over another.

        Raises:
            FileExistsError: when there is one already.
        """
        path = self._path(purpose)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A name of its own for each writer: threads share a process id, and a killed writer
        # leaves its draft behind.
        handle, draft = tempfile.mkstemp(prefix=f".{path.stem}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(secret.hex())
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            if self.read(purpose) != secret:
                raise
        finally:
            Path(draft).unlink()
        self._settle()

    def _settle(self) -> None:
        """Make the folder's new entry durable: a key that signed must survive a power cut."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def erase(self, purpose: str) -> None:
        """Remove a secret; nothing when there is none."""
        self._path(purpose).unlink(missing_ok=True)

    def purposes(self, prefix: str) -> list[str]:
        """Return the purposes that begin with ``prefix``, sorted."""
        found = self.folder.glob(f"{prefix}*.key") if self.folder.exists() else []
        return sorted(path.name.removesuffix(".key") for path in found)

    def _path(self, purpose: str) -> Path:
        assert purpose.replace("-", "").replace("_", "").isalnum(), purpose
        return self.folder / f"{purpose}.key"
