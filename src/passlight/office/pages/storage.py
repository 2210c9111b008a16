"""Addresses of static files that change with their content, without a copying step.

``{% static "x.css" %}`` gives ``/static/x.css?v=<hash>``; WhiteNoise serves the file itself
and lets browsers keep it for a year, since another content has another address.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage


@cache
def _version(name: str) -> str:
    found = finders.find(name)
    if not isinstance(found, str):
        return "0"  # not built yet: the browser asks again each time the address changes
    return sha256(Path(found).read_bytes()).hexdigest()[:12]


class VersionedStorage(StaticFilesStorage):
    """Static files found where they are, addressed with their content's hash."""

    def url(self, name: str | None) -> str:
        """Return the address of ``name`` with its version."""
        assert name is not None
        plain = super().url(name)
        return f"{plain}?v={_version(name)}"
