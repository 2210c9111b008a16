"""``passlight doctor``: what is missing on this machine, and what to do about it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

import click

from passlight.runtime.database import Role, url_for
from passlight.runtime.postgres import PostgresError, binaries
from passlight.runtime.settings import Settings, read_settings

COMMAND_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    good: bool
    found: str
    remedy: str = ""


def _postgres(_settings: Settings) -> Finding:
    try:
        folder = binaries()
    except PostgresError as error:
        return Finding(what="PostgreSQL programs", good=False, found="none", remedy=str(error))
    done = subprocess.run(
        [folder / "postgres", "--version"],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    return Finding(what="PostgreSQL programs", good=done.returncode == 0, found=done.stdout.strip())


def _keys(settings: Settings) -> Finding:
    exists = settings.keys.is_dir()
    private = exists and settings.keys.stat().st_mode & 0o077 == 0
    return Finding(
        what="key folder",
        good=bool(private),
        found=str(settings.keys) if exists else "none",
        remedy="Run passlight migrate." if not exists else f"Run chmod 700 {settings.keys}.",
    )


def _database(settings: Settings) -> Iterator[Finding]:
    import psycopg

    for role in Role:
        try:
            with psycopg.connect(url_for(role, settings), connect_timeout=3) as connection:
                connection.execute("select 1")
        except (psycopg.Error, OSError) as error:
            reason = str(error).strip().splitlines()[0]
            yield Finding(
                what=f"database as {role.value}",
                good=False,
                found=reason,
                remedy="Run passlight migrate, then passlight serve.",
            )
        else:
            yield Finding(what=f"database as {role.value}", good=True, found="answers")


def _heartbeat(settings: Settings) -> Finding:
    import psycopg

    query = "select extract(epoch from now() - at)::int from statuses_heartbeat"
    remedy = "Is the worker running? See the log 'worker' below the state folder."
    try:
        with psycopg.connect(url_for(Role.GATEWAY, settings), connect_timeout=3) as connection:
            row = connection.execute(query).fetchone()
    except (psycopg.Error, OSError):
        return Finding(what="worker", good=False, found="database does not answer", remedy=remedy)
    if row is None:
        return Finding(what="worker", good=False, found="no heartbeat yet", remedy=remedy)
    age = int(row[0])
    return Finding(what="worker", good=age <= 30, found=f"heartbeat {age} s ago", remedy=remedy)  # noqa: PLR2004


def _gates(settings: Settings) -> Finding:
    import psycopg

    query = """
        select count(*), count(*) filter (where report.at > now() - interval '5 minutes')
        from gates_device device left join gates_report report on report.device_id = device.id
        where device.state = 'active'
    """
    remedy = "See the office's page of gates; at the door itself: passlight gate status."
    try:
        with psycopg.connect(url_for(Role.OFFICE, settings), connect_timeout=3) as connection:
            row = connection.execute(query).fetchone()
    except (psycopg.Error, OSError):
        return Finding(what="gates", good=False, found="database does not answer", remedy=remedy)
    active, heard = row or (0, 0)
    found = f"{heard} of {active} heard in the last 5 minutes" if active else "none in service"
    return Finding(what="gates", good=active == heard, found=found, remedy=remedy)


def _fonts(_settings: Settings) -> Finding:
    fc_list = shutil.which("fc-list")
    found = ""
    if fc_list:
        done = subprocess.run(
            [fc_list, ":lang=zh", "family"],
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        found = (done.stdout.splitlines() or [""])[0]
    return Finding(
        what="Chinese font for posters",
        good=bool(found),
        found=found or "none",
        remedy="sudo apt-get install -y fontconfig fonts-noto-cjk",
    )


def _rules(_settings: Settings) -> Finding:
    from passlight.core.status import evaluate

    compiled = not evaluate.__file__.endswith(".py")
    slower = "interpreted; the package of make wheel needs half the time"
    return Finding(what="rules", good=True, found="machine code" if compiled else slower)


CHECKS: tuple[Callable[[Settings], Finding], ...] = (
    _postgres,
    _keys,
    _fonts,
    _rules,
    _heartbeat,
    _gates,
)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(as_json: bool) -> None:
    """Look at this installation and say what is missing; status 1 when something is."""
    settings = read_settings()
    findings = [check(settings) for check in CHECKS] + list(_database(settings))
    findings = [replace(one, remedy="") if one.good else one for one in findings]
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(f"{'✓' if finding.good else '✗'} {finding.what}: {finding.found}")
            if not finding.good and finding.remedy:
                click.echo(f"  {finding.remedy}")
    sys.exit(0 if all(finding.good for finding in findings) else 1)
