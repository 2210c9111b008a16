"""The supervisor while it starts: what falls is named, and what only stumbled is restarted."""

import sys
from pathlib import Path

import pytest

from passlight.runtime.clock import SystemClock
from passlight.runtime.processes import ProcessFailedError, ProcessSpec, Supervisor


def python(name: str, code: str, **ready: object) -> ProcessSpec:
    return ProcessSpec(name=name, command=(sys.executable, "-c", code), **ready)  # type: ignore[arg-type]


def test_whoever_fell_is_named_with_its_log(tmp_path: Path) -> None:
    """The front waits for the office; when the office cannot run, its log is what helps."""
    supervisor = Supervisor(logs=tmp_path, clock=SystemClock())
    try:
        supervisor.start(python("office", "raise SystemExit('no database')"))
        with pytest.raises(ProcessFailedError) as failed:
            waiting = python("front", "import time; time.sleep(2)", ready=lambda: False)
            supervisor.start(waiting)
    finally:
        supervisor.stop()
    assert str(failed.value).startswith("office and front did not start; see ")
    assert str(tmp_path / "office.log") in str(failed.value)
    assert "no database" in supervisor.log("office").read_text()


def test_what_stumbles_at_the_start_is_started_again(tmp_path: Path) -> None:
    """After a kill -9 the first gateway may still hold the spool's lock for a moment."""
    mark, up = tmp_path / "tried", tmp_path / "up"
    code = (
        "import pathlib, sys, time\n"
        f"mark, up = pathlib.Path({str(mark)!r}), pathlib.Path({str(up)!r})\n"
        "if not mark.exists():\n"
        "    mark.touch(); sys.exit('locked')\n"
        "up.touch(); time.sleep(60)\n"
    )
    supervisor = Supervisor(logs=tmp_path, clock=SystemClock())
    try:
        supervisor.start(python("gateway", code))
        supervisor.start(python("front", "import time; time.sleep(60)", ready=up.exists))
    finally:
        supervisor.stop()
    assert "locked" in supervisor.log("gateway").read_text(), "positive control: it fell once"
