"""One embedded PostgreSQL for a whole test run, and the database fixtures that stand on it.

``db``, ``transactional_db``   pytest-django's, on this server, as the owner
``as_role``                    ``with as_role(Role.OFFICE): …`` Django's connection under a role
``role_urls``                  URL of this test's database for each role
``installation``               a home of its own: migrated database, roles, keys, environment
                               (for tests that start real processes)

The server is started by the first test that needs it and shared by all xdist workers; each
worker has databases of its own, copied from one template and used again (``databases``). fsync
is off: nothing here outlives the run.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from xdist.scheduler import LoadFileScheduling

from passlight.core.kernel.clock import Clock
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.database import Role, role_passwords
from passlight.runtime.postgres import EmbeddedPostgres
from passlight.runtime.settings import Settings, child_environment, read_settings
from tests.databases import KEPT, TABLES, TEMPLATE, Copies, copy_template, delete_all, filled_tables

RUN = "PASSLIGHT_TEST_RUN"
# The files that take longest, longest first.
LONGEST = (
    "cli/test_demo.py",
    "simulation/test_hall_days.py",
    "city/test_spark.py",
    "tools/test_bench.py",
    "city/test_differential.py",
    "simulation/test_outbreak.py",
    "city/test_seeded_sql_bugs.py",
    "simulation/test_district.py",
    "recompute/test_killed.py",
    "recompute/test_switch.py",
    "recompute/test_nightly.py",
    "city/test_scenarios.py",
    "exposure/test_trace_command.py",
    "exposure/test_seeded_bugs.py",
    "simulation/test_checks.py",
    "feeds/test_kill.py",
    "notices/test_jobs.py",
    "office/test_migrate.py",
    "cli/test_errors.py",
    "gateway/test_verification.py",
    "faults/test_kill.py",
    "statuses/test_worker.py",
    "gateway/test_records.py",
    "gateway/test_door_feed.py",
    "faults/test_outage.py",
    "office/test_roles.py",
    "gateway/test_codes.py",
    "office/test_zhengzhou.py",
    "simulation/test_feeds.py",
    "statuses/test_from_scratch.py",
    "feeds/test_landing.py",
    "browser/test_office_pages.py",
    "browser/test_door_offline.py",
    "browser/test_doors.py",
    "browser/test_pages.py",
    "browser/test_incident.py",
    "browser/test_scan.py",
)
# Files that share what only one worker should make: one Spark session.
TOGETHER = {"city/test_trace_spark.py": "city/test_spark.py"}
SERVER_OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    # 2 cores are shared: no background work that a short run does not need.
    "autovacuum": "off",
}


def pytest_configure(config: pytest.Config) -> None:
    """Give this run a folder, and this process a home below it, before any fixture runs."""
    if not hasattr(config, "workerinput"):
        os.environ[RUN] = tempfile.mkdtemp(prefix="passlight-test-")
    # Groups go to workers in the order below, not by the number of their tests.
    config.option.loadscopereorder = False
    home = Path(os.environ[RUN]) / f"home-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    os.environ["PASSLIGHT_HOME"] = str(home)
    os.environ["PASSLIGHT_KEYS"] = str(home / "keys")
    from django.conf import settings as django_settings

    import passlight.office.settings as office_settings

    office_settings.PASSLIGHT = replace(
        office_settings.PASSLIGHT, home=home, keys=home / "keys", database_url=None
    )
    django_settings.PASSLIGHT = office_settings.PASSLIGHT
    # Argon2 is slow by design; that the product uses it is tested in test_accounts.py.
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if os.environ.get("PASSLIGHT_COMPILED"):
        from passlight.core.status import evaluate

        # Or the sources would be tested a second time, and nobody would see it.
        if evaluate.__file__.endswith(".py"):
            raise pytest.UsageError(
                f"PASSLIGHT_COMPILED, but {evaluate.__file__} is no machine code"
            )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files, so that no worker waits for the other at the end.

    Browsers come last: Playwright leaves an event loop in its thread, and nothing there can start
    another.
    """
    rank = {name: number for number, name in enumerate(LONGEST)}

    def order(item: pytest.Item) -> tuple[bool, int]:
        name = "/".join(item.path.parts[-2:])
        return name.startswith("browser/"), rank.get(name, len(LONGEST))

    items.sort(key=order)


class FileOnAWorker(LoadFileScheduling):  # type: ignore[misc]
    """Gives a file's tests to one worker, for the fixtures they share, in the order of collection.

    ``--dist loadgroup`` of xdist 3.8 writes its groups into a field that pytest 9.2 does not read,
    and deals the tests of a file out one by one: every shared fixture was made on every worker.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = str(super()._split_scope(nodeid))
        return next((path[: -len(a)] + b for a, b in TOGETHER.items() if path.endswith(a)), path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FileOnAWorker:
    """Share the tests out by file, whatever ``--dist`` says."""
    return FileOnAWorker(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """End with one line that counts what was skipped for want of the real data."""
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if "PASSLIGHT_DATA" in str(report.longrepr)
    ]
    terminalreporter.write_line(f"{len(skipped)} tests skipped without the real data")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove the run's folder, in the process that made it."""
    if hasattr(config, "workerinput"):
        return
    run = Path(os.environ[RUN])
    EmbeddedPostgres(run / "postgres").stop(mode="immediate")
    shutil.rmtree(run, ignore_errors=True)


@contextmanager
def alone(name: str) -> Iterator[Path]:
    """Hold a lock that all processes of this run share."""
    run = Path(os.environ[RUN])
    with (run / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield run


@pytest.fixture(scope="session")
def postgres_server() -> EmbeddedPostgres:
    """The run's server, started, with the lesser roles made."""
    from passlight.office.accounts.database_roles import create_roles

    with alone("postgres") as run:
        server = EmbeddedPostgres(run / "postgres", options=SERVER_OPTIONS)
        url = server.start()
        secrets = replace(read_settings(), keys=run / "roles")
        if not (run / "roles").exists():
            with psycopg.connect(url, autocommit=True) as connection:
                create_roles(connection.cursor(), role_passwords(secrets, SystemEntropy()))
    own = read_settings().keys
    own.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copy(run / "roles" / "database-roles.json", own)
    return server


@pytest.fixture(scope="session")
def copies(postgres_server: EmbeddedPostgres) -> Copies:
    """The databases of this process, copied from a template made once a run."""
    with alone("template") as run:
        if not (run / "template").exists():
            _make_template(postgres_server, run / "template")
    return Copies(postgres_server)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Take the database that is there, and leave it to the server, which is removed as a whole."""
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    postgres_server: EmbeddedPostgres,
    copies: Copies,
) -> None:
    """Point Django at the run's server, as the owner, and make its database from the template."""
    from django.db import connections

    parts = urlsplit(postgres_server.url("postgres"))
    connections["default"].settings_dict.update(
        NAME="passlight",
        USER=parts.username,
        PASSWORD=parts.password,
        HOST=parts.hostname,
        PORT=parts.port,
        CONN_MAX_AGE=0,
    )
    name = connections["default"].creation._get_test_db_name()
    with alone("template"):
        copy_template(postgres_server, name)
    # The template comes with keys and their list, as an installation does; Django's tests make
    # their own.
    with psycopg.connect(postgres_server.url(name)) as connection:
        cursor = connection.cursor()
        tables = [t for (t,) in cursor.execute(TABLES).fetchall() if t not in KEPT]
        delete_all(cursor, filled_tables(cursor, tables))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: object) -> None:
    """Apply the roles' grants to the migrated test database; empty it by rows, not by table."""
    from django.db import connection
    from django.test import TransactionTestCase

    from passlight.office.accounts.database_roles import apply_grants

    with django_db_blocker.unblock(), connection.cursor() as cursor:  # type: ignore[attr-defined]
        apply_grants(cursor)
    TransactionTestCase._fixture_teardown = lambda _case: _empty()  # type: ignore[attr-defined]


@pytest.fixture
def as_role(db: None) -> Callable[[Role], AbstractContextManager[None]]:
    """Return a context in which Django's connection has only the rights of a role."""
    from django.db import InternalError, connection

    @contextmanager
    def under(role: Role) -> Iterator[None]:
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {role.login}")
        try:
            yield
        finally:
            # In a transaction that failed, the roll-back takes the role back as well.
            with suppress(InternalError), connection.cursor() as cursor:
                cursor.execute("RESET ROLE")

    return under


@pytest.fixture
def role_urls(transactional_db: None, postgres_server: EmbeddedPostgres) -> dict[Role, str]:
    """Return the URL of this test's database for every role; what they write is committed."""
    from django.db import connection

    return _urls(postgres_server, str(connection.settings_dict["NAME"]), read_settings())


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A Passlight of its own for one test: settings, and the environment for its processes."""

    settings: Settings
    environment: dict[str, str]
    urls: dict[Role, str]

    def run(self, *command: str, role: Role = Role.OWNER) -> subprocess.CompletedProcess[str]:
        """Run ``python -m …`` inside this installation and return what it said."""
        return subprocess.run(
            [sys.executable, *command],
            env={**self.environment, "PASSLIGHT_ROLE": role.value},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@contextmanager
def new_installation(copies: Copies, home: Path) -> Iterator[Installation]:
    """Make an installation at ``home`` with a database that nobody else uses meanwhile."""
    with alone("template") as run:
        name = copies.take()
    shutil.copytree(run / "template", home)
    yield installation_at(copies.server, name, home)
    copies.give_back(name)


def installation_at(server: EmbeddedPostgres, name: str, home: Path) -> Installation:
    """Return the installation of a database and a home that are there."""
    settings = replace(
        read_settings(), home=home, keys=home / "keys", database_url=server.url(name)
    )
    return Installation(
        settings=settings,
        environment=_environment(settings),
        urls=_urls(server, name, settings),
    )


@pytest.fixture
def installation(tmp_path: Path, copies: Copies) -> Iterator[Installation]:
    """A migrated database with roles and keys, for one test."""
    with new_installation(copies, tmp_path / "home") as made:
        yield made


@pytest.fixture(scope="module")
def module_installation(
    tmp_path_factory: pytest.TempPathFactory, copies: Copies
) -> Iterator[Installation]:
    """The same for all tests of a module: where real processes would take too long each time."""
    with new_installation(copies, tmp_path_factory.mktemp("installation") / "home") as it:
        yield it


@pytest.fixture
def clock() -> Clock:
    """The machine's clock; tests that move time bring their own."""
    return SystemClock()


def _make_template(server: EmbeddedPostgres, home: Path) -> None:
    draft = home.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    (draft / "keys").mkdir(parents=True, mode=0o700)
    shutil.copy(read_settings().keys / "database-roles.json", draft / "keys")
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    settings = replace(
        read_settings(), home=draft, keys=draft / "keys", database_url=server.url(TEMPLATE)
    )
    done = subprocess.run(
        [sys.executable, "-m", "passlight.cli.main", "migrate", "--quiet"],
        env=_environment(settings),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    draft.rename(home)


def _environment(settings: Settings) -> dict[str, str]:
    return child_environment(
        PASSLIGHT_HOME=str(settings.home),
        PASSLIGHT_KEYS=str(settings.keys),
        PASSLIGHT_DATABASE_URL=str(settings.database_url),
        DJANGO_SETTINGS_MODULE="passlight.office.settings",
    )


def _empty() -> None:
    """Empty Django's database after a test that committed."""
    from django.db import connection, transaction

    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = [name for (name,) in cursor.fetchall() if name not in KEPT]
        filled = filled_tables(cursor, tables)
        with transaction.atomic():
            delete_all(cursor, filled)
        for name in filled:
            cursor.execute(f'VACUUM "{name}"')


def _urls(server: EmbeddedPostgres, name: str, settings: Settings) -> dict[Role, str]:
    passwords = role_passwords(settings)
    urls = {
        role: server.url(name, role=role.login, password=passwords[role.value])
        for role in Role
        if role is not Role.OWNER
    }
    return {Role.OWNER: server.url(name), **urls}
