"""Database roles and what each may do: one table, applied after every migration.

The owner migrates and is the only one who may change or remove a fact. The other three get
exactly what is written here and nothing by default; a table without an entry stops
``passlight migrate``, so nobody forgets to decide.
"""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from passlight.core.kernel.problem import Problem, ProblemError
from passlight.office.accounts.table_grants import GRANTS
from passlight.runtime.database import Role

LESSER = (Role.OFFICE, Role.EVALUATOR, Role.GATEWAY)


class Cursor(Protocol):
    """The little of a database cursor that is used here (Django's and psycopg's have it)."""

    def execute(self, query: Any, params: Any = None) -> Any:
        """Run one statement."""
        ...

    def fetchall(self) -> list[Any]:
        """Return the rows of the last statement."""
        ...


def create_roles(cursor: Cursor, passwords: Mapping[str, str]) -> None:
    """Make the three lesser roles, or give them the passwords of this installation again."""
    cursor.execute("SELECT rolname FROM pg_roles")
    known = {row[0] for row in cursor.fetchall()}
    for role in LESSER:
        password = passwords[role.value]
        assert re.fullmatch(r"[0-9a-f]{32,}", password), "a role's password is hexadecimal"
        verb = "ALTER" if role.login in known else "CREATE"
        cursor.execute(
            f"{verb} ROLE {role.login} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT "
            f"NOREPLICATION PASSWORD '{password}'"
        )


def apply_grants(cursor: Cursor, grants: Mapping[str, Mapping[Role, str]] = GRANTS) -> None:
    """Take everything from the lesser roles, then give them what ``grants`` says.

    A table without an entry gets no grant at all; ``check_complete`` names it.
    """
    tables = _tables(cursor)
    names = ", ".join(role.login for role in LESSER)
    cursor.execute("SELECT current_database()")
    database = cursor.fetchall()[0][0]
    cursor.execute(f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC')
    cursor.execute(f'GRANT CONNECT ON DATABASE "{database}" TO {names}')
    cursor.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    cursor.execute(f"REVOKE ALL ON SCHEMA public FROM {names}")
    cursor.execute(f"GRANT USAGE ON SCHEMA public TO {names}")
    cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {names}")
    cursor.execute(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {names}")
    for table, columns in tables.items():
        listed = ", ".join(f'"{column}"' for column in columns)
        # A column's grant outlives REVOKE on its table.
        cursor.execute(
            f'REVOKE SELECT ({listed}), INSERT ({listed}), UPDATE ({listed}) ON "{table}" '  # noqa: S608  # names from pg_class
            f"FROM {names}"
        )
        for role, privileges in grants.get(table, {}).items():
            cursor.execute(f'GRANT {privileges} ON "{table}" TO {role.login}')
    for table, sequence in _sequences(cursor):
        for role, privileges in grants.get(table, {}).items():
            if "INSERT" in privileges:
                cursor.execute(f'GRANT USAGE ON SEQUENCE "{sequence}" TO {role.login}')


def _sequences(cursor: Cursor) -> list[tuple[str, str]]:
    """Return the sequences of serial columns with their tables: who inserts draws from them.

    Ours are identity columns, which need no grant; Procrastinate's are older than those.
    """
    cursor.execute(
        "SELECT t.relname, s.relname FROM pg_depend d"
        " JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'"
        " JOIN pg_class t ON t.oid = d.refobjid"
        " WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass"
        " AND d.deptype = 'a' AND t.relnamespace = 'public'::regnamespace"
        " ORDER BY t.relname, s.relname"
    )
    return [(table, sequence) for table, sequence in cursor.fetchall()]


def _tables(cursor: Cursor) -> dict[str, list[str]]:
    """Return every table of ours with its columns; partitions follow their parent."""
    cursor.execute(
        "SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')"
        " AND NOT c.relispartition GROUP BY c.relname ORDER BY c.relname"
    )
    return {name: list(columns) for name, columns in cursor.fetchall()}


def check_complete(cursor: Cursor, grants: Mapping[str, Mapping[Role, str]] = GRANTS) -> None:
    """Refuse a database with a table that nobody has decided about.

    Raises:
        ProblemError: one problem for every table without an entry.
    """
    missing = sorted(set(_tables(cursor)) - set(grants))
    if missing:
        raise ProblemError(
            *(
                Problem(
                    code="accounts.grant-missing",
                    message=f"Table {table} has no entry in accounts/table_grants.py.",
                    remedy="Write down which role may do what with it ({}: the owner alone).",
                )
                for table in missing
            )
        )
