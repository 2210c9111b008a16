"""Databases of a run: copied from one template, put back to it after a test, and used again.

A copy costs half a second of a core and putting one back a tenth of that; hundreds of tests want
a database of their own. A copy whose schema, rights or owner a test changed is dropped instead.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from passlight.runtime.database import Role
from passlight.runtime.postgres import EmbeddedPostgres

TEMPLATE = "passlight_template"
# What migrations fill, and no test changes: emptying it would mean making it again every time.
KEPT = frozenset({"django_migrations", "django_content_type", "auth_permission"})
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
# Copies of one template share its object numbers, so that one text describes them all.
SCHEMA = """
SELECT md5(string_agg(line, ';' ORDER BY line)) FROM (
  SELECT concat_ws(',', 'class', oid, relname, relkind, relowner, relacl::text, relrowsecurity)
    FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(',', 'column', attrelid, attnum, attname, atttypid, attnotnull,
                             attisdropped, attacl::text)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0
  UNION ALL SELECT concat_ws(',', 'trigger', oid, tgname, tgenabled) FROM pg_trigger
  UNION ALL SELECT concat_ws(',', 'constraint', oid, conname, convalidated)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(',', 'function', oid, proname, prosrc, proowner, proacl::text)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(',', 'schema', nspname, nspowner, nspacl::text)
    FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
  UNION ALL SELECT concat_ws(',', 'setting', setrole, setconfig::text)
    FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
    WHERE datname = current_database()
  UNION ALL SELECT concat_ws(',', 'database', datallowconn, datconnlimit, datacl::text)
    FROM pg_database WHERE datname = current_database()
) AS described (line)
"""
SEQUENCES = "SELECT quote_ident(sequencename), last_value FROM pg_sequences ORDER BY 1"


def filled_tables(cursor: Any, tables: Iterable[str]) -> list[str]:
    """Return those of ``tables`` that have a row."""
    parts = [f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in tables]
    cursor.execute(" UNION ALL ".join(parts))
    return [name for (name,) in cursor.fetchall()]


def delete_all(cursor: Any, tables: Iterable[str]) -> None:
    """Delete every row of ``tables``, in a transaction of the caller's; no trigger runs.

    For the few rows of a test this takes a hundredth of what TRUNCATE of all tables takes.
    """
    cursor.execute("SET LOCAL session_replication_role = replica")
    for name in tables:
        cursor.execute(f'DELETE FROM "{name}"')


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a fresh copy of the template is like."""

    schema: str
    tables: tuple[str, ...]
    rows: dict[str, bytes]
    sequences: dict[str, int | None]


@dataclass
class Copies:
    """The copies that this process made, and those of them that are free."""

    server: EmbeddedPostgres
    free: list[str] = field(default_factory=list)
    origin: Origin | None = None

    def take(self) -> str:
        """Return the name of a database that is like the template."""
        if self.free:
            return self.free.pop()
        name = f"passlight_{uuid.uuid4().hex[:12]}"
        copy_template(self.server, name)
        if self.origin is None:
            with psycopg.connect(self.server.url(name), autocommit=True) as connection:
                self.origin = _describe(connection)
        return name

    def give_back(self, name: str) -> None:
        """Put a database back to what the template is, or drop it when that cannot be."""
        server = self.server.url("postgres")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
                [name],
            )
        if self._put_back(name):
            self.free.append(name)
            return
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _put_back(self, name: str) -> bool:
        origin = self.origin
        assert origin is not None, "give back what was taken"
        try:
            connection = psycopg.connect(self.server.url(name), autocommit=True)
        except psycopg.OperationalError:
            return False  # a test dropped it, or closed it to everybody
        with connection:
            cursor = connection.cursor()
            if cursor.execute(SCHEMA).fetchone() != (origin.schema,):
                return False
            changed = [
                table
                for table in {*filled_tables(cursor, origin.tables), *origin.rows}
                if table not in origin.rows or _rows(cursor, table) != origin.rows[table]
            ]
            with connection.transaction():
                delete_all(cursor, changed)
                for table in changed:
                    if table in origin.rows:
                        with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
                            copy.write(origin.rows[table])
                for sequence, value in cursor.execute(SEQUENCES).fetchall():
                    if value != origin.sequences[sequence]:
                        start = origin.sequences[sequence]
                        cursor.execute(
                            "SELECT setval(%s, %s, %s)", [sequence, start or 1, start is not None]
                        )
            for table in changed:
                cursor.execute(f'VACUUM "{table}"')
        return True


def copy_template(server: EmbeddedPostgres, name: str, *, template: str = TEMPLATE) -> None:
    """Make a database from the template, with the rights that a copy does not take from it."""
    lesser = ", ".join(role.login for role in Role if role is not Role.OWNER)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        connection.execute(f"GRANT CONNECT ON DATABASE {name} TO {lesser}")


def _rows(cursor: Any, table: str) -> bytes:
    with cursor.copy(f'COPY (SELECT * FROM "{table}" ORDER BY 1) TO STDOUT') as copy:
        return b"".join(bytes(part) for part in copy)


def _describe(connection: psycopg.Connection) -> Origin:
    cursor = connection.cursor()
    tables = tuple(name for (name,) in cursor.execute(TABLES).fetchall())
    described = cursor.execute(SCHEMA).fetchone()
    assert described is not None
    return Origin(
        schema=described[0],
        tables=tables,
        rows={name: _rows(cursor, name) for name in filled_tables(cursor, tables)},
        sequences=dict(cursor.execute(SEQUENCES).fetchall()),
    )
