"""The gate is installable alone: its wheel holds its files, and it needs its own extra only.

What may be imported is read from pyproject.toml and from the metadata of the installed packages,
not from the code: whatever ``pip install passlight[gate]`` would not bring is refused.
"""

import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

ROOT = Path(__file__).parents[2]
GATE = ROOT / "src" / "passlight" / "gate"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
NAME = re.compile(r"[A-Za-z0-9._-]+")
CONFIG = """\
[server]
url = "http://127.0.0.1:9"

[door]
venue = "5f8b1c5e-2d7c-4b2a-9a53-6f0f6a1b7c11"
entrance = "east"

[state]
folder = "state"

[display]

[speaker]
driver = "simulated"
"""
# Run in a process of its own; its arguments are the file and the modules that may not be imported.
SCRIPT = """
import json, pkgutil, sys
from importlib import import_module
from pathlib import Path

path, refused = Path(sys.argv[1]), set(json.loads(sys.argv[2]))

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused or name in refused:
            raise ModuleNotFoundError(f"not in a gate: {name}", name=name)

sys.meta_path.insert(0, Refuse())
try:
    import django
except ModuleNotFoundError as error:
    print("control:", error)

import passlight.gate as gate
from passlight.gate import kiosk_page, running, speaker
from passlight.gate.config import read_config
for module in pkgutil.walk_packages(gate.__path__, "passlight.gate."):
    if not module.name.endswith("__main__"):
        import_module(module.name)
import_module("passlight.cli.gate")
config = read_config(path)
door = running.open_door(config, running.build_devices(config))
page = kiosk_page.page(language="zh", token="t", boot="b", settings={})
print("page:", "kiosk.js" in page)
print("served:", sorted(n for n in kiosk_page.KINDS if kiosk_page.static_file(n)))
print("prompts:", len(list(speaker.RECORDINGS.glob("*.wav"))) > 0)
door.door.close()
"""


def name_of(requirement: str) -> str:
    found = NAME.match(requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found.group()).lower()


def brought() -> set[str]:
    """The distributions that ``pip install passlight[gate]`` brings, with what they need."""
    declared = PROJECT["project"]
    waiting = [*declared["dependencies"], *declared["optional-dependencies"]["gate"]]
    found: set[str] = set()
    while waiting:
        name = name_of(waiting.pop())
        if name in found:
            continue
        found.add(name)
        try:
            needed = requires(name) or []
        except PackageNotFoundError:  # of another system
            continue
        waiting += [need for need in needed if "extra ==" not in need]
    return found


def test_it_runs_with_nothing_but_its_own_extra(tmp_path: Path) -> None:
    ours = brought()
    refused = {
        module
        for module, names in packages_distributions().items()
        if module != "passlight" and not {name_of(name) for name in names} & ours
    }
    assert {"django", "psycopg", "msgspec"} <= refused  # the control: the office needs them
    assert not {"nacl", "starlette", "yaml"} & refused
    server = {f"passlight.{part}" for part in ("office", "gateway", "journal", "simulation")}
    path = tmp_path / "gate.toml"
    path.write_text(CONFIG)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path), json.dumps(sorted(refused | server))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == "control: not in a gate: django"
    assert said[1] == "page: True"
    assert "kiosk.css" in said[2]
    assert said[3] == "prompts: True"


def test_every_file_of_the_gate_is_in_the_wheel() -> None:
    """Hatch leaves out what git ignores, unless it is named as an artifact."""
    artifacts = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["artifacts"]
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "src/passlight/gate"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    ignored = [one for one in listed.stdout.splitlines() if "__pycache__" not in one]
    left_out = [one for one in ignored if not any(fnmatch(one, kind) for kind in artifacts)]
    assert left_out == []
    # The control: the built files of the screen are ignored, and would be left out.
    assert any(fnmatch("src/passlight/gate/static/dist/kiosk.js", kind) for kind in artifacts)
