"""Key files: one file a key, one purpose a key, readable by the owner alone.

The folder is outside the database, so a dump of the database holds no key. A key service
or an HSM replaces this module; callers see bytes for a purpose and nothing else.
"""

import os
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
        """Return the secret for ``purpose``, making it first when there is none."""
        try:
            return self.read(purpose)
        except FileNotFoundError:
            self.write(purpose, entropy.token(size))
            return self.read(purpose)

    def write(self, purpose: str, secret: bytes) -> None:
        """Store a secret; whole or not at all, and never over another.

        Raises:
            FileExistsError: when there is one already.
        """
        path = self._path(purpose)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(f".{os.getpid()}.new")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secret.hex())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            if self.read(purpose) != secret:
                raise
        finally:
            draft.unlink()

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
