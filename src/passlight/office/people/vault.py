"""The office's one way to the key service; the rest of the office sees no key."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from passlight.runtime.clock import SystemEntropy
from passlight.runtime.keys import KeyFolder
from passlight.runtime.vault import Cell, ErasedError, KeyService, LocalKeyService

__all__ = ["Cell", "ErasedError", "KeyService", "vault"]


def vault() -> KeyService:
    """Return this installation's key service."""
    return _service(settings.PASSLIGHT.keys)


@lru_cache(maxsize=4)
def _service(folder: Path) -> KeyService:
    return LocalKeyService(KeyFolder(folder), SystemEntropy())
