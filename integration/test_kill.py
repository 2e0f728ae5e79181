"""kill -9 under load, a few rounds: see scripts/chaos.py for what is checked, `make chaos` for many rounds."""

import os
import sys

import pytest
from conftest import engines
from tributary_server import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
import chaos  # noqa: E402


@pytest.mark.parametrize("engine", engines())
def test_nothing_acknowledged_is_lost(engine):
    totals = chaos.run(engine, int(os.environ.get("TRIBUTARY_KILL_ROUNDS", "3")))
    assert totals["merges"] > 0
