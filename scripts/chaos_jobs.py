#!/usr/bin/env python3
"""Kills the server with SIGKILL in the middle of every kind of job, and checks that the job is done whole and once.

usage: chaos_jobs.py --engine sqlite|postgres [--rounds N] [--kills N] [--seed N] [--rows N] [--at-once N] [--kind NAME …]

A round is one job of each kind on a database of its own: it is started, the server is killed at random moments until the
job is over, and then everything the job should have done is there, and nothing twice. The kinds are in `kills`; merges and
undos are in chaos.py.
"""

import argparse
import random
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kills import clocks, exports, people, records, settings  # noqa: F401
from kills.round import KINDS, Round, Wrong

SOURCES = Path(__file__).resolve().parent.parent / "Sources/CRMCore"

NOT_HERE = {
    "merge": "chaos.py kills merges that are jobs",
    "unmerge": "chaos.py kills undos that are jobs",
}


def registered():
    """The kinds of jobs that the server knows, as its sources say."""
    listed = re.findall(r"^        (\w+)\(\),$", (SOURCES / "Jobs/JobHandlers.swift").read_text(), re.MULTILINE)
    text = "\n".join(path.read_text() for path in SOURCES.rglob("*.swift"))
    kinds = dict(re.findall(r"struct (\w+): JobHandler \{\n\s*(?:package )?static let kind = \"(\w+)\"", text))
    return {kinds[name] for name in listed}


def once(engine, kind, number, seed, rows, most_kills):
    """One kind, one database: how often the server was killed, and how many jobs of the kind were cut short."""
    round = Round(engine, random.Random(f"{seed} {number} {kind.__name__}"), rows, most_kills, kind.options)
    begin = time.monotonic()
    try:
        kind(round)
        ran = round.ran()
        if missing := [job for job in kind.jobs if job not in ran]:
            raise Wrong(f"there were no jobs of the kinds {missing}")
    except BaseException:
        print(f"{kind.__name__} failed in round {number} on {engine}, seed {seed}; the server's last words:\n{round.last_words()}")
        raise
    finally:
        round.close()
    cut = sum(ran[job][1] for job in kind.jobs)
    said = f"killed {round.kills} times, {cut} of its jobs cut short" if kind.jobs else f"killed {round.kills} times"
    print(f"round {number:3}: {kind.__name__}, {said}, whole after {time.monotonic() - begin:.1f} s", flush=True)
    return round.kills, cut


def run(engine, rounds=1, seed=None, rows=3000, kinds=None, most_kills=6, at_once=1):
    """Raises at the first broken promise; how often the server was killed and how many jobs were cut short, by kind, otherwise."""
    seed = random.randrange(10**6) if seed is None else seed
    print(f"{rounds} rounds of jobs on {engine}, seed {seed}", flush=True)
    totals = {}
    with ThreadPoolExecutor(at_once) as pool:
        wanted = [(kind, number) for number in range(1, rounds + 1) for kind in KINDS if not kinds or kind.__name__ in kinds]
        tasks = [(kind, pool.submit(once, engine, kind, number, seed, rows, most_kills)) for kind, number in wanted]
        try:
            for kind, task in tasks:
                before = totals.get(kind.__name__, (0, 0))
                totals[kind.__name__] = tuple(map(sum, zip(before, task.result())))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return totals


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=6, help="of one job, at most; ten are its end")
    parser.add_argument("--at-once", type=int, default=4, help="kinds side by side; on PostgreSQL most of the time is waiting for leases")
    parser.add_argument("--kind", nargs="*", choices=[kind.__name__ for kind in KINDS])
    options = parser.parse_args()
    totals = run(options.engine, options.rounds, options.seed, options.rows, options.kind, options.kills, options.at_once)
    for name, (killed, cut) in totals.items():
        print(f"{name:24} {killed:4} kills {cut:6} jobs cut short")
    print(f"jobs on {options.engine}: {sum(killed for killed, _ in totals.values())} kills, every job done whole and once")


if __name__ == "__main__":
    main()
