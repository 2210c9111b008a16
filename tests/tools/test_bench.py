"""Every measurement runs and gives rows; the figures themselves are never a test."""

import importlib
import time

import httpx
import pytest

from bench.__main__ import MODULES
from bench.door import Blackhole


@pytest.mark.parametrize("name", MODULES)
def test_a_measurement_runs_in_its_short_form(name):
    rows = importlib.import_module(f"bench.{name}").run(0.05)
    assert rows
    for row in rows:
        assert row.name and row.unit
        assert row.value > 0
        # A ratio says what it stands beside, and nothing else does.
        assert (row.ratio is None) == (row.compared_with == "")


def test_the_hanging_server_of_the_door_really_hangs():
    """The control: a door that asks its server first stands there until its own time-out."""
    with Blackhole.open() as hanging:
        begun = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"http://127.0.0.1:{hanging.port}/code", timeout=0.5, trust_env=False)
        assert time.monotonic() - begun >= 0.5
        assert hanging.asked() == ["GET /code HTTP/1.1"]
