"""The wheel with core's dependencies alone: a gate box has no Django and still evaluates."""

import subprocess
import sys
from pathlib import Path

# An import hook stands for the packages that a core-only installation does not have; the real
# wheel is tried with `uv build` and an empty environment at each release.
WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {
            *("django", "starlette", "psycopg", "cryptography", "httpx"),
            *("serial", "aiomqtt", "pymodbus", "zxingcpp", "uvicorn"),
        }:
            raise ModuleNotFoundError(name=name)
        return None

sys.meta_path.insert(0, Missing())
import importlib.util
found = importlib.util.find_spec

def find_spec(name, package=None):
    try:
        return found(name, package)
    except ModuleNotFoundError:
        return None

importlib.util.find_spec = find_spec
from passlight.cli.main import main
main()
"""
PACK = Path(__file__).parents[2] / "policies" / "shanghai-2020-02"


def core_only(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments],
        capture_output=True,
        text=True,
        input=text,
        timeout=60,
        check=False,
    )


def test_evaluate_needs_no_office():
    done = core_only(
        *("evaluate", "--pack", str(PACK), "--facts", "-", "--at", "2020-03-01T10:00:00+08:00")
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_a_command_that_needs_more_says_what_to_install():
    done = core_only("demo")
    assert done.returncode == 2
    assert "pip install 'passlight[office,gateway,gate]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_lists_what_can_run():
    listed = core_only("--help").stdout
    assert "evaluate" in listed
    assert "demo" not in listed
