"""The package that a server installs: its rules run as machine code and say what the sources say.

Expected are the sources' own bytes; what those are worth is shown elsewhere. The cases worked by
hand run against the compiled rules as well.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 300
HAND_WORKED = ("tests/scenarios/test_acceptance.py", "tests/core/test_chains.py")


@pytest.fixture(scope="module")
def unpacked() -> Path:
    """Return the unpacked package; made once, and again when a source has changed."""
    done = subprocess.run(
        [ROOT / "tools/wheel.sh"],
        env={**os.environ, "WHEEL_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return ROOT / Path(done.stdout.strip()).parent / "unpacked"


def started(source: Path) -> subprocess.Popen[bytes]:
    """Start ``told_lines`` on the evaluator below ``source``."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.tools.told_lines"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{source}:{ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def told(child: subprocess.Popen[bytes]) -> tuple[str, list[bytes]]:
    """Return which file evaluated, and its lines."""
    out, err = child.communicate(timeout=SECONDS)
    assert child.returncode == 0, err.decode()
    return err.decode(), out.splitlines()


def test_machine_code_says_what_the_sources_say(unpacked: Path) -> None:
    running = [started(ROOT / "src"), started(unpacked)]
    (interpreted, lines), (compiled, others) = map(told, running)
    assert interpreted.endswith("evaluate.py")
    assert compiled.endswith(".so")
    assert len(lines) == len(others) > 10_000
    assert next(((a, b) for a, b in zip(lines, others, strict=True) if a != b), None) is None


def test_cases_worked_by_hand_hold_for_machine_code(unpacked: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-o", f"pythonpath={unpacked} {ROOT}", *HAND_WORKED],
        cwd=ROOT,
        env={**os.environ, "PASSLIGHT_COMPILED": "yes"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_compiled_lies_among_the_sources() -> None:
    """It would be read in place of the source beside it, however much that changes."""
    assert not [*(ROOT / "src").rglob("*.so"), *(ROOT / "src").rglob("*.pyd")]
