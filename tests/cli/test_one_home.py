"""Two supervisors on one state folder: the second says who has it and touches nothing."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from passlight.cli.serve import only_here
from passlight.runtime.settings import read_settings


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_second_one_ends_with_a_clear_line(command: str, tmp_path: Path, free_port: int) -> None:
    home = tmp_path / "home"
    with only_here(replace(read_settings(), home=home)):
        done = subprocess.run(
            [sys.executable, "-m", "passlight.cli.main", command],
            env={**os.environ, "PASSLIGHT_HOME": str(home), "PORT": str(free_port)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert f"{home} is in use" in done.stderr
    assert f"(process {os.getpid()})" in done.stderr
    assert [entry.name for entry in home.iterdir()] == ["lock"], "no database was begun"


def test_the_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    settings = replace(read_settings(), home=tmp_path)
    for _ in range(2):
        with only_here(settings):
            pass
