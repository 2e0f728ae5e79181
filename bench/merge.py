#!/usr/bin/env python3
"""Merges, dry runs and undos beside what one would write by hand, and many merges at once.

usage: merge.py [--only mqput] [--repetitions N] [--large N]

(m) a merge beside one transaction in C against SQLite that changes the same rows, journal included; above 1,000 rows in one
    list the server does it as a job, and what is timed is the time until the job says COMPLETED
(q) a merge and a dry run on PostgreSQL beside one transaction in C with libpq, a round trip for each statement, and beside its merge
(p) a dry run (a preview) beside its merge
(u) an undo beside its merge; above 1,000 rows it is a job, too
(t) merges a second from eight clients, each pair its own, and all clients on the same eight masters; on both engines

Every merge but the last kind's has rows in eight lists. Figures are medians; SQLite unless said; (q) and half of (t) need
TRIBUTARY_TEST_POSTGRES, which merge.sh sets. No letter means anything else in bench.py or large.py.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

from bench import CLIENTS, Bench, contact
from postgres import OnPostgres
from tools import QUIET, Result, Server, Store, alternating, machine, number, sequence, table, take

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
from rest import Rest  # noqa: E402

SYNCHRONOUS_ROWS = 1000  # of all lists together: the most of an undo that is not a job
PAIRS = 40  # of each client in (t)
NOTES = 10  # on each child in (t)


class MergeBench(Bench):
    def __init__(self, options, folder):
        super().__init__(SimpleNamespace(repetitions=options.repetitions, seconds=1, million=0, bulk_rows=0), folder)
        self.large = options.large

    # Requests

    def send(self, pairs, path, body):
        """Milliseconds of one request for each pair. `path` and `body` are made of the pair."""
        header = f"Authorization: Zoho-oauthtoken {self.token}"
        requests = [("POST", path(*pair), body(*pair)) for pair in pairs]
        return [milliseconds for _, milliseconds in sequence(self.client, self.server.port, header, requests)]

    def merge_times(self, pairs, query=""):
        body = '{"merge":[{"data":[{"id":"%d","_fields":[{"api_name":"Phone"}]}]}]}'
        return self.send(pairs, lambda master, _: f"/crm/v7/Contacts/{master}/actions/merge{query}", lambda _, child: body % child)

    def job_times(self, pairs):
        """Milliseconds from the request to COMPLETED."""
        times = []
        for master, child in pairs:
            begin = time.monotonic()
            body = {"merge": [{"data": [{"id": str(child), "_fields": [{"api_name": "Phone"}]}]}]}
            job = self.rest.post(f"Contacts/{master}/actions/merge", body).item("merge")["details"]["job_id"]
            self.await_job(f"Contacts/{master}/actions/merge?job_id={job}", "merge")
            times.append((time.monotonic() - begin) * 1000)
        self.check_moved(pairs)
        return times

    def await_job(self, path, key):
        while (word := self.rest.get(path).item(key)["status"]) != "COMPLETED":
            assert word in ("SCHEDULED", "RUNNING"), word
            time.sleep(0.002)

    def undo_times(self, pairs):
        """Milliseconds of taking back the last merge of each pair's master."""
        times = []
        for master, _ in pairs:
            journal = self.rest.get(f"Contacts/{master}/actions/unmerge").item("unmerge")["journal_id"]
            begin = time.monotonic()
            item = self.rest.post(f"Contacts/{master}/actions/unmerge", {"journal_id": journal}).item("unmerge")
            if item["code"] == "SCHEDULED":
                self.await_job(f"Contacts/{master}/actions/unmerge?job_id={item['details']['job_id']}", "unmerge")
            times.append((time.monotonic() - begin) * 1000)
        return times

    # Figures

    def by_hand(self):
        """(m) merges beside the same row changes by hand"""
        for related, aim in ((10, 1.5), (500, None), (5000, 1.2), (self.large, 1.1)):
            each = 10 if related <= 1000 else 4 if related < 50_000 else 1
            is_job = related // 8 >= 1000

            def ours(related=related, each=each, is_job=is_job):
                pairs = self.pairs(each, related)
                if is_job:
                    return statistics.median(self.job_times(pairs))
                times = self.merge_times(pairs)
                self.check_moved(pairs)
                return statistics.median(times)

            mine, theirs = alternating(
                self.repetitions if each > 1 else min(3, self.repetitions),
                ours,
                lambda related=related, each=each: statistics.median(
                    self.hand_merges(self.pairs(each, related), self.hand_merge_sql(True))
                ),
            )
            what = f"merge with {related:,} related rows{', a job' if is_job else ''}; by hand with its journal"
            self.add("m", what, mine, theirs, aim, "ms", more_is_better=False)

    def dry_runs(self):
        """(p) a dry run beside its merge"""
        for related in (10, 500, 5000):
            each = 10 if related <= 1000 else 4
            dry, real = [], []
            for _ in range(self.repetitions):
                pairs = self.pairs(each, related)
                dry.append(statistics.median(self.merge_times(pairs, "?dry_run=true")))
                real.append(statistics.median(self.merge_times(pairs)))
            self.compare("p", f"dry run with {related:,} related rows; its merge", dry, real, 0.5)

    def on_postgres(self):
        """(q) merges and dry runs on PostgreSQL"""
        if not os.environ.get("TRIBUTARY_TEST_POSTGRES"):
            return
        options = SimpleNamespace(repetitions=self.repetitions, large=self.large)
        other = PostgresMergeBench(options, self.folder)
        try:
            other.start()
            # Warm: each connection prepares a statement when it first gets it, and plans it anew for the first five times.
            warm = other.pairs(20, 10)
            for _ in range(5):
                other.merge_times(warm, "?dry_run=true")
            other.server_merges(warm)
            for related, aim in ((10, 1.5), (500, None), (5000, 1.2)):
                each = 10 if related <= 1000 else 4
                dry, real, hand = [], [], []
                for _ in range(self.repetitions):
                    pairs = other.pairs(each, related)
                    dry.append(statistics.median(other.merge_times(pairs, "?dry_run=true")))
                    real.append(statistics.median(other.merge_times(pairs)))
                    hand.append(statistics.median(other.hand_merges(other.pairs(each, related), other.hand_merge_sql())))
                self.compare("q", f"merge with {related:,} related rows, postgres; by hand with its journal", real, hand, aim)
                self.compare("q", f"dry run with {related:,} related rows, postgres; its merge", dry, real, 0.5)
        finally:
            other.close()

    def undos(self):
        """(u) an undo beside its merge"""
        for related in (10, 500, 5000):
            each = 10 if related <= 1000 else 4
            undo, real = [], []
            for _ in range(self.repetitions):
                pairs = self.pairs(each, related)
                real.append(statistics.median(self.merge_times(pairs)))
                undo.append(statistics.median(self.undo_times(pairs)))
            note = ", a job" if related > SYNCHRONOUS_ROWS else ""
            self.compare("u", f"undo with {related:,} related rows{note}; its merge", undo, real, None)

    def compare(self, letter, what, ours, theirs, aim):
        self.add(letter, what, Result(ours), Result(theirs), aim, "ms", more_is_better=False)

    def throughput(self):
        """(t) merges from eight clients at once"""
        engines = ["sqlite"] + (["postgres"] if os.environ.get("TRIBUTARY_TEST_POSTGRES") else [])
        for engine in engines:
            with Crowd(engine, self.client, self.folder) as crowd:
                for shared in (False, True):
                    rates, refused = zip(*(crowd.run(shared) for _ in range(min(3, self.repetitions))))
                    what = "on the same eight masters" if shared else "each pair its own"
                    self.rows.append(
                        (
                            "t",
                            f"merges with {NOTES} notes, {CLIENTS} clients, {what}, {engine}",
                            f"{number(statistics.median(rates))} /s",
                            "",
                            "",
                            "",
                            f"{number(min(rates))}–{number(max(rates))}",
                            f"{sum(refused)} of {len(rates) * CLIENTS * PAIRS} refused",
                        )
                    )


class PostgresMergeBench(OnPostgres, MergeBench):
    def __init__(self, options, folder):
        super().__init__(options, folder)
        self.open_store()


class Crowd:
    """A server of its own, and eight clients that merge at once."""

    def __init__(self, engine, client, folder):
        self.client, self.folder = client, Path(folder)
        self.store = Store.of(engine)
        self.server = Server(self.store, QUIET)

    def __enter__(self):
        self.server.start()
        self.token = self.server.access_token()
        self.rest = Rest(self.server.base, self.token)
        return self

    def __exit__(self, *_):
        self.server.kill()
        self.store.remove()

    def create(self, module, rows):
        return [id for start in range(0, len(rows), 100) for id in self.rest.create(module, rows[start : start + 100])]

    def run(self, shared):
        """Merges a second, and how many requests were refused."""
        children = self.create("Contacts", [contact(i) for i in range(CLIENTS * PAIRS)])
        masters = self.create("Contacts", [contact(i) for i in range(CLIENTS if shared else CLIENTS * PAIRS)])
        note = {"Note_Title": "Note", "Note_Content": "Some words about a person"}
        self.create(
            "Notes", [{**note, "Parent_Id": {"id": id, "module": {"api_name": "Contacts"}}} for id in children for _ in range(NOTES)]
        )
        files = []
        for client in range(CLIENTS):
            lines = []
            for index in range(PAIRS):
                position = client * PAIRS + index
                # All clients come to all masters, each in its own order.
                master = masters[(client + index) % CLIENTS] if shared else masters[position]
                body = '{"merge":[{"data":[{"id":"%s","_fields":[{"api_name":"Phone"}]}]}]}' % children[position]
                lines.append(f"POST /crm/v7/Contacts/{master}/actions/merge {body}\n")
            file = self.folder / f"crowd-{client}"
            file.write_text("".join(lines))
            files.append(file)
        header = f"Authorization: Zoho-oauthtoken {self.token}"
        begin = time.monotonic()
        running = [
            subprocess.Popen([self.client, str(self.server.port), header, str(file)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            for file in files
        ]
        answers = [line.split()[0] for process in running for line in process.communicate()[0].splitlines()]
        seconds = time.monotonic() - begin
        done = answers.count("201")
        left = sum(self.rest.get(f"Contacts/{id}").status == 200 for id in children[:20])
        assert shared or (done == len(answers) and left == 0), f"{done} of {len(answers)} merges, {left} children left"
        return done / seconds, len(answers) - done


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="mqput", help="letters of the figures to take")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--large", type=int, default=100_000, help="related rows of the largest merge")
    options = parser.parse_args()
    figures = {
        "p": MergeBench.dry_runs, "m": MergeBench.by_hand, "q": MergeBench.on_postgres, "u": MergeBench.undos, "t": MergeBench.throughput
    }
    print(f"machine: {machine()}; medians of {options.repetitions}", flush=True)
    with tempfile.TemporaryDirectory(prefix="tributary-bench-") as folder:
        bench = MergeBench(options, folder)
        # Warm, and gives the log and the graves a row to copy.
        take(bench, figures, options.only, lambda: bench.server_merges(bench.pairs(20, 10)))
        table([bench.rows[0], *sorted(bench.rows[1:], key=lambda row: "mqput".index(row[0]))])
    print(f"\nmachine afterwards: {machine()}")


if __name__ == "__main__":
    main()
