"""kill -9 under load and in the middle of jobs, a few rounds: see scripts/chaos.py and scripts/chaos_jobs.py for what is checked,
`make chaos` for many rounds."""

import os
import sys

import pytest
from conftest import engines
from tributary_server import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
import chaos  # noqa: E402
import chaos_jobs  # noqa: E402


@pytest.mark.parametrize("engine", engines())
def test_nothing_acknowledged_is_lost(engine):
    totals = chaos.run(engine, int(os.environ.get("TRIBUTARY_KILL_ROUNDS", "3")))
    assert totals["merges"] > 0


@pytest.mark.parametrize("kind", [kind.__name__ for kind in chaos_jobs.KINDS])
@pytest.mark.parametrize("engine", engines())
def test_a_job_is_done_whole_and_once(engine, kind):
    # On PostgreSQL a job waits ten seconds for its dead worker after each kill.
    kills = int(os.environ.get("TRIBUTARY_JOB_KILLS", "2"))
    totals = chaos_jobs.run(engine, rows=600, kinds=[kind], most_kills=kills)
    assert totals[kind] > 0
