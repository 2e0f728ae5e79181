"""kill -9 under load and in the middle of jobs, a few rounds: see scripts/chaos.py and scripts/chaos_jobs.py for what is checked,
`make chaos` for many rounds."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

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


def test_every_kind_of_job_is_killed_somewhere():
    here = {job for kind in chaos_jobs.KINDS for job in kind.jobs}
    registered = chaos_jobs.registered()
    assert len(registered) > 30, "the list in JobHandlers.swift is not read as it is written"
    assert registered - here - set(chaos_jobs.NOT_HERE) == set(), "kinds without a kill test: see scripts/kills/README.md"
    assert (here | set(chaos_jobs.NOT_HERE)) - registered == set(), "kinds that the server does not have"
    assert here & set(chaos_jobs.NOT_HERE) == set()


@pytest.fixture(scope="module")
def rounds(request):
    """One round of each kind and engine. On PostgreSQL a job waits ten seconds for its dead worker after each kill, so many wait at once."""
    kills = int(os.environ.get("TRIBUTARY_JOB_KILLS", "1"))
    chosen = [item.callspec.params for item in request.session.items if "rounds" in getattr(item, "fixturenames", [])]
    # Those that wait longest begin.
    wanted = sorted((one["engine"], one["kind"]) for one in chosen)
    with ThreadPoolExecutor(16) as pool:
        yield {
            (engine, kind): pool.submit(chaos_jobs.run, engine, rows=1200, kinds=[kind], most_kills=kills) for engine, kind in wanted
        }


@pytest.mark.parametrize("kind", [kind.__name__ for kind in chaos_jobs.KINDS])
@pytest.mark.parametrize("engine", engines())
def test_a_job_is_done_whole_and_once(rounds, engine, kind):
    killed, _ = rounds[engine, kind].result()[kind]
    assert killed > 0
