"""What both benchmarks share: the load of the machine, wrk, the C programs, medians and tables."""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from tributary_server import Server, Store, binary, free_port  # noqa: E402, F401

# Every request as a log line costs time, and the yardsticks write none.
QUIET = ["--log-level", "warning"]


def compiled(name, folder):
    """The C program bench/<name>.c, built with optimisation."""
    target = Path(folder) / name
    subprocess.run(
        ["gcc", "-O2", "-D_GNU_SOURCE", "-o", str(target), str(HERE / f"{name}.c"), "-lsqlite3", "-lpthread"], check=True
    )
    return str(target)


def idle_percent(seconds=1.0):
    """How idle the machine is without us."""

    def reading():
        numbers = [int(number) for number in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        return numbers[3] + numbers[4], sum(numbers[:8])

    idle, total = reading()
    time.sleep(seconds)
    idle2, total2 = reading()
    return 100 * (idle2 - idle) / max(1, total2 - total)


def machine():
    load = os.getloadavg()
    return f"{os.cpu_count()} cores, load {load[0]:.2f} {load[1]:.2f} {load[2]:.2f}, {idle_percent():.0f} % idle before the start"


def resident_mb(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def wrk(url, *, connections, seconds, headers=None, method="GET", body=None):
    """Requests a second. Fails if any answer is not a success."""
    threads = min(2, connections)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f'wrk.method = "{method}"\n')
        for name, value in (headers or {}).items():
            script.write(f'wrk.headers["{name}"] = "{value}"\n')
        if body is not None:
            script.write(f"wrk.body = [==[{body}]==]\n")
        script.flush()
        done = subprocess.run(
            ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", script.name, url],
            capture_output=True, text=True, check=True,
        )
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise SystemExit(f"{method} {url} was refused:\n{done.stdout}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout).group(1))


def sequence(program, port, header, requests):
    """Sends requests one by one from C; [(status, milliseconds)]."""
    with tempfile.NamedTemporaryFile("w", suffix=".requests") as file:
        file.writelines(" ".join(request) + "\n" for request in requests)
        file.flush()
        done = subprocess.run([program, str(port), header, file.name], capture_output=True, text=True, check=True)
    answers = [line.split() for line in done.stdout.splitlines()]
    assert len(answers) == len(requests), f"{len(answers)} answers to {len(requests)} requests"
    if bad := [line for line in answers if int(line[0]) >= 400]:
        raise SystemExit(f"{len(bad)} of {len(answers)} requests were refused:\n{done.stderr[:2000]}")
    return [(int(line[0]), float(line[1])) for line in answers]


def alternating(repetitions, *measures):
    """Runs the measures in turn, several times, so that a change of the machine's load hits all; the medians."""
    results = [[] for _ in measures]
    for _ in range(repetitions):
        for measure, into in zip(measures, results):
            into.append(measure())
    return [Result(into) for into in results]


class Result:
    def __init__(self, values):
        self.values = sorted(values)
        self.median = statistics.median(values)

    def spread(self):
        return f"{number(self.values[0])}–{number(self.values[-1])}"


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def take(bench, figures, only, prepare=lambda: None):
    """Starts a bench and takes those of its figures that `only` names, in their order. Ends it whatever happens."""
    try:
        bench.start()
        prepare()
        for letter, figure in figures.items():
            if letter in only:
                print(figure.__doc__, flush=True)
                figure(bench)
    except BaseException:
        print(bench.server.tail(), file=sys.stderr)
        raise
    finally:
        bench.close()
    print()


def table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for index, row in enumerate(rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |", flush=True)
        if index == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|", flush=True)


def journal_statements(row, master, child):
    """What a merge leaves of itself besides the rows that moved, as statements: its journal, and an entry in the change log for the
    master and for the child. `row` answers the first row of a query by column, of a merge that was made; `master` and `child` are how
    parameters are written."""

    def quoted(value):
        return "NULL" if value is None else str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"

    def copied(table_name, condition, given):
        found = row(f"SELECT * FROM {table_name} WHERE {condition}")
        names = [name for name in found.keys() if name != "sequence"]
        values = [given.get(name) or quoted(found[name]) for name in names]
        return f"INSERT INTO {table_name} ({', '.join(names)}) VALUES ({', '.join(values)})"

    return [
        copied("sys_change", "kind = 'merged_away'", {"group_id": master, "record_id": child, "after": f"CAST({master} AS TEXT)"}),
        copied("sys_change", "kind = 'find_and_merge_duplicate'", {"group_id": master, "record_id": master}),
        copied("sys_merge", "state = 'COMPLETED'", {"id": master, "master_id": master, "children": f"CAST({child} AS TEXT)"}),
    ]
