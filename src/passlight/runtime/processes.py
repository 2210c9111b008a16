"""Running several processes as one: start in order, restart what falls, stop in reverse."""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from passlight.core.kernel.clock import Clock
from passlight.runtime.clock import sleep
from passlight.runtime.settings import child_environment

STOP_SECONDS = 10
RESTART_SECONDS_MAX = 30
READY_SECONDS = 60
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """One process: its name, command, added environment, and how it says it is ready.

    ``descriptors`` are open files of ours that it is handed, under their own numbers.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    descriptors: Sequence[int] = ()
    ready: Callable[[], bool] | None = None


@dataclass(slots=True, kw_only=True)
class _Running:
    spec: ProcessSpec
    process: subprocess.Popen[bytes]
    falls: int = 0
    restart_at: float | None = None


class ProcessFailedError(RuntimeError):
    """A process did not become ready; the message names its log."""


class Supervisor:
    """Keeps a list of processes running; every log goes to a file of its own in ``logs``."""

    def __init__(self, *, logs: Path, clock: Clock) -> None:
        self.logs = logs
        self._clock = clock
        self._running: list[_Running] = []
        # A fault's traceback is for whoever runs this, not for every user of the machine.
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)

    def start(self, spec: ProcessSpec) -> None:
        """Start one process and wait until it is ready; what fell before it is restarted.

        Raises:
            ProcessFailedError: when it ends or is not ready after a minute.
        """
        running = _Running(spec=spec, process=self._launch(spec))
        self._running.append(running)
        until = self._clock.monotonic() + READY_SECONDS
        while spec.ready is not None and not spec.ready():
            for other in self._running[:-1]:
                self._mend(other)
            if running.process.poll() is not None or self._clock.monotonic() > until:
                raise ProcessFailedError(self._failure(spec.name))
            sleep(0.05)

    def _failure(self, waited_for: str) -> str:
        """Return which processes fell, since the one that was waited for may need them."""
        fallen = [one.spec.name for one in self._running[:-1] if one.falls]
        names = [*fallen, waited_for]
        logs = ", ".join(str(self.log(name)) for name in names)
        return f"{' and '.join(names)} did not start; see {logs}"

    def log(self, name: str) -> Path:
        """Return where the process ``name`` writes."""
        return self.logs / f"{name}.log"

    def watch(
        self, stopped: Callable[[], bool], *, besides: Callable[[], None] = lambda: None
    ) -> None:
        """Restart what falls, ever more slowly, until ``stopped`` says so; do ``besides``, too."""
        while not stopped():
            besides()
            for running in self._running:
                self._mend(running)
            sleep(0.2)

    def stop(self) -> None:
        """Stop all processes, last started first; kill what does not end in ten seconds."""
        for running in reversed(self._running):
            if running.process.poll() is None:
                running.process.send_signal(signal.SIGTERM)
        for running in reversed(self._running):
            try:
                running.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                running.process.kill()
                running.process.wait()
        self._running.clear()

    def _mend(self, running: _Running) -> None:
        now = self._clock.monotonic()
        if running.restart_at is not None:
            if now >= running.restart_at:
                running.process = self._launch(running.spec)
                running.restart_at = None
        elif running.process.poll() is not None:
            running.falls += 1
            delay = min(RESTART_SECONDS_MAX, 0.5 * 2 ** min(running.falls - 1, 6))
            running.restart_at = now + delay
            sys.stderr.write(
                f"{running.spec.name} ended with status {running.process.returncode}; "
                f"restarting in {delay:g} s (log: {self.log(running.spec.name)})\n"
            )

    def _launch(self, spec: ProcessSpec) -> subprocess.Popen[bytes]:
        with self.log(spec.name).open("ab") as out:
            return subprocess.Popen(
                list(spec.command),
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=child_environment(**spec.environment),
                pass_fds=spec.descriptors,
                # Children must not outlive a supervisor that was killed: a second start would
                # find their ports taken. Nothing else runs between fork and exec.
                preexec_fn=_die_with_parent,  # noqa: PLW1509
            )


def die_with_parent(number: signal.Signals) -> None:
    """Let Linux send this process ``number`` when its parent ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


def _die_with_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the supervisor, which stops us
    die_with_parent(signal.SIGTERM)
