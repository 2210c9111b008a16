"""Where the database is, and under which role a process reaches it.

Four roles, so that the database itself refuses what a process has no business doing:

``owner``      migrations; the only role that may update or delete a fact
``office``     people, feeds, venues, users; inserts facts, reads statuses
``evaluator``  the worker alone: inserts statuses
``gateway``    reads what is published, appends records
"""

import json
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

from passlight.core.kernel.entropy import Entropy
from passlight.runtime.postgres import EmbeddedPostgres
from passlight.runtime.settings import Settings

DATABASE = "passlight"


class Role(StrEnum):
    """A database role."""

    OWNER = "owner"
    OFFICE = "office"
    EVALUATOR = "evaluator"
    GATEWAY = "gateway"

    @property
    def login(self) -> str:
        """Return the role's name inside PostgreSQL."""
        return f"passlight_{self.value}"


def embedded(settings: Settings) -> EmbeddedPostgres:
    """Return the embedded server of this installation (not started)."""
    return EmbeddedPostgres(settings.home / "postgres")


def role_passwords(settings: Settings, entropy: Entropy | None = None) -> dict[str, str]:
    """Return the passwords of the three lesser roles; made once when ``entropy`` is given.

    Raises:
        FileNotFoundError: when they were never made; ``passlight migrate`` makes them.
    """
    path = settings.keys / "database-roles.json"
    if entropy is not None and not path.exists():
        settings.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = {role.value: entropy.token(24).hex() for role in Role if role is not Role.OWNER}
        path.touch(mode=0o600)
        path.write_text(json.dumps(made))
    return dict(json.loads(path.read_text()))


def url_for(role: Role, settings: Settings, *, database: str | None = None) -> str:
    """Return the URL under which ``role`` reaches this installation's database."""
    if settings.database_url is not None:
        owner = settings.database_url
    else:
        owner = embedded(settings).url(DATABASE)
    parts = urlsplit(owner)
    path = f"/{database}" if database else parts.path
    if role is Role.OWNER:
        return urlunsplit(parts._replace(path=path))
    host = parts.netloc.rpartition("@")[2]
    password = role_passwords(settings)[role.value]
    netloc = f"{role.login}:{password}@{host}"
    return urlunsplit(parts._replace(netloc=netloc, path=path))
