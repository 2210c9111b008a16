"""Every measurement runs and gives rows; the figures themselves are never a test."""

import importlib

import pytest

from bench.__main__ import MODULES


@pytest.mark.parametrize("name", MODULES)
def test_a_measurement_runs_in_its_short_form(name):
    rows = importlib.import_module(f"bench.{name}").run(0.05)
    assert rows
    for row in rows:
        assert row.name and row.unit
        assert row.value > 0
        # A ratio says what it stands beside, and nothing else does.
        assert (row.ratio is None) == (row.compared_with == "")
