"""What the database itself refuses to each role, tried as that role, with controls.

Expected values are design.md 3 ("Nobody sets a colour") and what each process needs, written
here statement by statement; nothing is read from the table of grants that is tested.
"""

from datetime import UTC, datetime

import psycopg
import pytest
from django.db import connection
from psycopg import errors

from passlight.core.kernel.documents import read_document
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.database_roles import apply_grants, check_complete
from passlight.office.accounts.table_grants import GRANTS
from passlight.office.people.actions import register_person
from passlight.office.people.identity import NewPerson
from passlight.runtime.database import Role

NOW = datetime(2026, 3, 1, tzinfo=UTC).isoformat()
FACT = (
    "INSERT INTO facts_fact (seq, fact_id, ver, op, kind, subject, occurred_at, recorded_at,"
    f" source, batch_id, payload) VALUES (999, 'x', 1, 'assert', 'case.confirmed', 'p-1', '{NOW}',"
    f" '{NOW}', 'x', 'x', '{{}}')"
)
NOBODY = {
    "change a fact": "UPDATE facts_fact SET kind = 'case.discharged'",
    "backdate a fact": f"UPDATE facts_fact SET recorded_at = '{NOW}'",
    "remove a fact": "DELETE FROM facts_fact",
    "empty the facts": "TRUNCATE facts_fact",
    "change what was published": "UPDATE statuses_publication SET segments = '[]'",
    "remove what was published": "DELETE FROM statuses_publication",
    "change a record": "UPDATE records_record SET answer = 'green'",
    "remove a record": "DELETE FROM records_record",
    "change who read whom": "UPDATE people_access SET actor_id = 1",
    "remove who read whom": "DELETE FROM people_access",
    "make a person another one": "UPDATE people_person SET facts_key = 'p-2'",
    "remove a person": "DELETE FROM people_person",
    "hand a document on": "UPDATE people_document SET person_id = gen_random_uuid()",
    "forget a revocation": "DELETE FROM accounts_revocation",
    "remove a user": "DELETE FROM accounts_user",
    "change a trust list": "UPDATE keyring_trustlist SET document = ''",
    "change an incident's log": "UPDATE incidents_event SET body = '{}'",
    "remove from an incident's log": "DELETE FROM incidents_event",
    "empty the incidents' logs": "TRUNCATE incidents_event CASCADE",
    "change evidence": "UPDATE incidents_evidence SET sealed = ''",
    "take sight of an incident away": "DELETE FROM incidents_sight",
    "change what is asked of the district": "UPDATE incidents_correction SET fact_id = 'x'",
    "change a gate's record": "UPDATE gates_record SET body = ''",
    "remove a gate's branch": "DELETE FROM gates_branch",
    "give a gate another key": "UPDATE gates_device SET thumbprint = 'x'",
    "hang a gate elsewhere": "UPDATE gates_device SET entrance = 'west'",
    "forget who invited a gate": "UPDATE gates_device SET invited_by_id = 1",
    "let a token live on": f"UPDATE gates_token SET expires_at = '{NOW}'",
    "change an alarm": "UPDATE gates_alarm SET details = '{}'",
    "remove an alarm": "DELETE FROM gates_alarm",
    "change a door document": "UPDATE gates_door SET document = ''",
    "make a table": "CREATE TABLE mine (id int)",
    "change a table": "ALTER TABLE facts_fact ADD COLUMN mine int",
    "drop a table": "DROP TABLE facts_fact",
    "switch a trigger off": "ALTER TABLE facts_fact DISABLE TRIGGER ALL",
    "make a function": "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "make a schema": "CREATE SCHEMA mine",
    "make a role": "CREATE ROLE mine",
    "become the owner": "SET ROLE passlight_owner",
    "give itself rights": "GRANT ALL ON facts_fact TO CURRENT_USER; DELETE FROM facts_fact",
    "skip triggers": "SET session_replication_role = replica",
    "read the server's files": "SELECT pg_read_file('PG_VERSION')",
    "run a program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "read password hashes": "SELECT rolpassword FROM pg_authid",
}
FORBIDDEN = {
    Role.OFFICE: {
        "publish a status": "INSERT INTO statuses_publication (seq) VALUES (1)",
        "change a reason": "UPDATE statuses_reason SET colour = 'green'",
        "fake a heartbeat": f"UPDATE statuses_heartbeat SET at = '{NOW}'",
        "make up a record": "INSERT INTO records_record (key) VALUES ('x')",
        "sign a trust list": "INSERT INTO keyring_trustlist (version) VALUES (9)",
    },
    Role.EVALUATOR: {
        "land a fact": FACT,
        "read sealed names": "SELECT name_sealed FROM people_person",
        "read name marks": "SELECT name_mark FROM people_person",
        "read visits keys": "SELECT visits_key FROM people_person",
        "read documents": "SELECT handle FROM people_document",
        "read sealed numbers": "SELECT number_sealed FROM people_document",
        "read users": "SELECT username FROM accounts_user",
        "read sessions": "SELECT session_key FROM django_session",
        "read who read whom": "SELECT seq FROM people_access",
        "read records": "SELECT key FROM records_record",
        "make up a record": "INSERT INTO records_record (key) VALUES ('x')",
    },
    Role.GATEWAY: {
        "land a fact": FACT,
        "read facts": "SELECT seq FROM facts_fact",
        "publish a status": "INSERT INTO statuses_publication (seq) VALUES (1)",
        "change a reason": "UPDATE statuses_reason SET colour = 'green'",
        "fake a heartbeat": f"UPDATE statuses_heartbeat SET at = '{NOW}'",
        "read facts keys": "SELECT facts_key FROM people_person",
        "read sealed names": "SELECT name_sealed FROM people_person",
        "read documents": "SELECT handle FROM people_document",
        "read sealed numbers": "SELECT number_sealed FROM people_document",
        "read users": "SELECT username FROM accounts_user",
        "read passwords": "SELECT password FROM accounts_user",
        "read sessions": "SELECT session_key FROM django_session",
        "revoke": f"INSERT INTO accounts_revocation (jti, handle, revoked_at) VALUES ('', 'x', '{NOW}')",
        "open a venue": "UPDATE venues_venue SET active = true",
    },
}
ALLOWED = {
    Role.OFFICE: [
        FACT,
        "SELECT segments FROM statuses_publication",
        "SELECT colour FROM statuses_reason",
        "SELECT name_sealed FROM people_person",
        "SELECT number_sealed FROM people_document",
        "UPDATE people_person SET phone_sealed = NULL",
        "SELECT key FROM records_record",
        f"INSERT INTO accounts_revocation (jti, handle, revoked_at) VALUES ('', 'x', '{NOW}')",
        "SELECT pg_advisory_xact_lock(1)",
        "SELECT pg_notify('passlight_facts', '1')",
    ],
    Role.EVALUATOR: [
        "SELECT seq, payload FROM facts_fact",
        "SELECT ordinal, facts_key FROM people_person",
        "UPDATE statuses_heartbeat SET at = at",
        "SELECT pg_notify('passlight_statuses', '1')",
    ],
    Role.GATEWAY: [
        "SELECT segments FROM statuses_publication",
        "SELECT colour FROM statuses_reason",
        "SELECT at FROM statuses_heartbeat",
        "SELECT jti, handle, seq FROM accounts_revocation",
        "SELECT document FROM keyring_trustlist",
        "SELECT id, active FROM venues_venue",
        "LISTEN passlight_statuses",
    ],
}
# A statement that fails for another reason than rights would prove nothing.
REFUSED = (errors.InsufficientPrivilege,)


def refused(opened: psycopg.Connection, statement: str) -> bool:
    try:
        with opened.transaction(force_rollback=True):
            opened.execute(statement)
    except REFUSED:
        return True
    return False


@pytest.fixture
def somebody(role_urls: dict[Role, str]) -> None:
    document = read_document("passport", "SIM000001")
    register_person(NewPerson(documents=(document,), name="王晓明"))


@pytest.mark.parametrize("role", [Role.OFFICE, Role.EVALUATOR, Role.GATEWAY])
def test_forbidden_statements_are_refused(
    role_urls: dict[Role, str], somebody: None, role: Role
) -> None:
    with psycopg.connect(role_urls[role], autocommit=True) as opened:
        statements = {**NOBODY, **FORBIDDEN[role]}
        open_doors = [what for what, sql in statements.items() if not refused(opened, sql)]
    assert open_doors == []


@pytest.mark.parametrize("role", list(ALLOWED))
def test_what_a_role_needs_is_allowed(
    role_urls: dict[Role, str], somebody: None, role: Role
) -> None:
    """Control: refusals above are about rights, not about a role that can do nothing."""
    with psycopg.connect(role_urls[role], autocommit=True) as opened:
        for statement in ALLOWED[role]:
            with opened.transaction(force_rollback=True):
                opened.execute(statement)


def test_the_owner_may_do_what_the_others_may_not(
    role_urls: dict[Role, str], somebody: None
) -> None:
    """Control: the statements themselves are sound, so a refusal is a refusal."""
    only_by_role = {"become the owner", "run a program", "skip triggers"}
    tried = {what: sql for what, sql in NOBODY.items() if what not in only_by_role}
    with psycopg.connect(role_urls[Role.OWNER], autocommit=True) as opened:
        barred = [what for what, sql in tried.items() if refused(opened, sql)]
    assert barred == []


def privileges(query: str) -> set[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {tuple(row) for row in cursor.fetchall()}


def test_nobody_holds_a_dangerous_right_on_any_table(db: None) -> None:
    held = privileges(
        "SELECT grantee, table_name, privilege_type FROM information_schema.table_privileges"
        " WHERE table_schema = 'public' AND privilege_type IN ('TRUNCATE', 'REFERENCES',"
        " 'TRIGGER') AND grantee <> 'passlight_owner'"
    )
    assert held == set()


def test_only_the_evaluator_writes_what_is_published(db: None) -> None:
    writers = privileges(
        "SELECT DISTINCT grantee FROM information_schema.column_privileges WHERE table_name LIKE"
        " 'statuses_%' AND privilege_type IN ('INSERT', 'UPDATE')"
        " AND grantee <> 'passlight_owner'"
    )
    assert writers == {("passlight_evaluator",)}


def test_only_the_office_reads_sealed_columns(db: None) -> None:
    readers = privileges(
        "SELECT DISTINCT grantee FROM information_schema.column_privileges WHERE column_name LIKE"
        " '%sealed%' AND grantee <> 'passlight_owner'"
    )
    assert readers == {("passlight_office",)}


def test_a_colour_column_is_written_by_the_evaluator_alone(db: None) -> None:
    """Every column of every table that could hold a colour, found by its name.

    ``records_record.answer`` is what a door said, appended by the gateway; it is no status.
    ``procrastinate_jobs.status`` is whether a job waits or runs.
    """
    writers = privileges(
        "SELECT DISTINCT table_name::text, grantee::text FROM information_schema.column_privileges"
        " WHERE column_name IN ('colour', 'segments', 'color', 'status') AND privilege_type IN"
        " ('INSERT', 'UPDATE') AND grantee <> 'passlight_owner'"
        " AND table_name <> 'procrastinate_jobs'"
    )
    tables = {table for table, _ in writers}
    assert {grantee for _, grantee in writers} == {"passlight_evaluator"}, writers
    assert tables <= {"statuses_publication", "statuses_reason"}


def test_a_new_table_has_to_be_decided_about(db: None) -> None:
    with connection.cursor() as cursor:
        check_complete(cursor)  # control: as migrated, every table has an entry
        cursor.execute("CREATE TABLE forgotten (id int)")
        with pytest.raises(ProblemError, match="forgotten"):
            check_complete(cursor)


def test_every_entry_is_a_table(db: None) -> None:
    tables = privileges(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        " UNION SELECT viewname FROM pg_views WHERE schemaname = 'public'"
    )
    assert {(name,) for name in GRANTS} - tables == set()


def test_applying_takes_back_what_was_given_by_hand(db: None) -> None:
    def may() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT has_table_privilege('passlight_office', 'facts_fact', 'DELETE'),"
                " has_column_privilege('passlight_gateway', 'people_person', 'name_sealed',"
                " 'SELECT')"
            )
            return any(cursor.fetchone())

    with connection.cursor() as cursor:
        cursor.execute("GRANT DELETE ON facts_fact TO passlight_office")
        cursor.execute("GRANT SELECT (name_sealed) ON people_person TO passlight_gateway")
        assert may(), "control"
        apply_grants(cursor)
    assert not may()
