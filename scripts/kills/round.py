"""A database with a server that is killed again and again, and what the kinds of jobs need."""

import csv
import datetime
import io
import json
import sqlite3
import subprocess
import sys
import time
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "integration"))
from rest import Rest  # noqa: E402
from tributary_server import ALL_SCOPES, Server, Store  # noqa: E402

SCOPES = [
    *ALL_SCOPES, "ZohoFiles.files.ALL", "ZohoCRM.notifications.ALL", "ZohoCRM.mass_update.ALL", "ZohoCRM.mass_delete.ALL",
    "ZohoCRM.change_owner.ALL", "ZohoCRM.bulk.backup.ALL",
]  # fmt: skip

KINDS = []


class Wrong(AssertionError):
    """The server broke a promise."""


def insist(condition, said):
    if not condition:
        raise Wrong(said)


def kills(*jobs, options=lambda folder: []):
    """Registers a kind: which jobs of the server it cuts short, and what the server is started with beside the usual."""

    def register(kind):
        kind.jobs, kind.options = jobs, options
        KINDS.append(kind)
        return kind

    return register


class Round:
    def __init__(self, engine, chance, rows, most_kills, options=lambda folder: []):
        self.chance, self.rows, self.most_kills, self.kills = chance, rows, most_kills, 0
        self.store = Store.of(engine)
        self.server = Server(self.store, ["--allow-private-callbacks", *options(self.store.folder)])
        try:
            self.server.start()
            self.rest = Rest(self.server.base, self.server.access_token(SCOPES))
            self.person = self.rest.get("users").body["users"][0]
        except BaseException:
            self.close()
            raise

    def close(self):
        self.server.kill()
        self.store.remove()

    def last_words(self, count=30):
        """Of the server's log, without the requests."""
        lines = self.server.log.read_text(errors="replace").splitlines()
        return "\n".join([line for line in lines if not line.endswith("[HTTPShell] request")][-count:])

    # Calls

    def answered(self, answer, *statuses):
        insist(answer.status in (statuses or (200, 201, 202)), f"{answer.status} {answer.text[:500]}")
        return answer.body

    def made(self, wrapper, path, item, method="POST"):
        """The id of one thing that is made by its settings call."""
        answer = self.answered(self.rest.call(method, path, {wrapper: [item]}))
        return answer[wrapper][0]["details"]["id"]

    def send(self, rows, module="Leads", settle=False):
        """Starts a bulk write of these rows, the first of which names the fields; the job's id."""
        text, content = io.StringIO(), io.BytesIO()
        csv.writer(text).writerows(rows)
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("rows.csv", text.getvalue())
        zgid = self.rest.get("org").item("org")["zgid"]
        headers = {"Authorization": f"Zoho-oauthtoken {self.rest.token}", "feature": "bulk-write", "X-CRM-ORG": zgid}
        sent = self.rest.session.post(
            f"{self.rest.base}/crm/v7/upload", files={"file": ("rows.zip", content.getvalue())}, headers=headers, timeout=60
        )
        insist(sent.status_code == 200, sent.text[:500])
        resource = {"type": "data", "module": {"api_name": module}, "file_id": sent.json()["details"]["file_id"]}
        answer = self.rest.post("/crm/bulk/v7/write", {"operation": "insert", "resource": [resource]})
        job = self.answered(answer)["details"]["id"]
        if settle:
            self.settle()
            details = self.answered(self.rest.get(f"/crm/bulk/v7/write/{job}"))
            insist(details["resource"][0]["file"]["added_count"] == len(rows) - 1, json.dumps(details))
        return job

    def leads(self, count=None, **more):
        """Leads that are there before the job begins. `more` are columns with the same value for all, a dot for each `__`."""
        head = ["Last_Name", "Company", "Description", *(name.replace("__", ".") for name in more)]
        self.send([head, *[[f"Lead {n}", f"Company {n}", "x" * 100, *more.values()] for n in range(count or self.rows)]], settle=True)

    def first(self, path, wrapper, **params):
        return self.answered(self.rest.get(path, params=params))[wrapper][0]

    def view(self, module="Leads"):
        views = self.answered(self.rest.get("settings/custom_views", params={"module": module}))["custom_views"]
        return next(view["id"] for view in views if "ALL" in (view["system_name"] or "").upper())

    def every(self, module="Leads", *fields):
        return self.rest.every(module, list(fields) or ["Last_Name"])

    def numbered(self, path, wrapper, **params):
        """All items of a list that counts its pages."""
        items, page = [], 1
        while (answer := self.rest.get(path, params={"per_page": 200, "page": page, **params})).status == 200:
            items, page = items + answer.body[wrapper], page + 1
            if not answer.body["info"]["more_records"]:
                break
        insist(answer.status in (200, 204), answer.text[:500])
        return items

    def names(self):
        return sorted(row["Last_Name"] for row in self.every())

    def expected(self, count=None):
        return sorted(f"Lead {n}" for n in range(count or self.rows))

    def files(self, url):
        answer = self.rest.session.get(url, headers={"Authorization": f"Zoho-oauthtoken {self.rest.token}"}, timeout=60)
        insist(answer.status_code == 200, answer.text[:500])
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            insist(archive.testzip() is None, f"{url} is damaged")
            return {name: archive.read(name) for name in archive.namelist()}

    def updates(self, module, record):
        """How often its timeline says that a record was updated."""
        timeline = self.answered(self.rest.get(f"{module}/{record}/__timeline"))["__timeline"]
        return [entry["action"] for entry in timeline].count("updated")

    # Jobs and kills

    def unfinished(self, later=None):
        """Jobs that are open; without those that wait for a time more than `later` seconds away."""
        answer = self.rest.get("__jobs", params={"state": "unfinished"})
        jobs = [] if answer.status == 204 else self.answered(answer)["jobs"]
        if later is None:
            return jobs
        limit = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=later)
        return [job for job in jobs if job["state"] == "running" or datetime.datetime.fromisoformat(job["due_time"]) <= limit]

    def settle(self, later=None):
        """Waits until no job is open."""
        deadline = time.monotonic() + 120
        while jobs := self.unfinished(later):
            insist(time.monotonic() < deadline, f"jobs do not end: {self.open_jobs()}")
            time.sleep(0.05)

    def wait(self, longest):
        """Until the moment to kill: any, or, mostly, one shortly after a job was taken, since many jobs are soon over."""
        if self.chance.random() < 0.8:
            deadline = time.monotonic() + 2
            while (jobs := self.unfinished()) and time.monotonic() < deadline and all(job["state"] == "waiting" for job in jobs):
                time.sleep(0.001)
        time.sleep(longest * self.chance.random() ** 2)

    def kill(self):
        self.server.kill()
        self.kills += 1

    def kill_until_done(self, is_done=None, longest=0.3, later=None):
        """Kills the server again and again, until the job is over or has been cut short often enough."""
        for _ in range(self.most_kills):
            self.wait(longest)
            self.kill()
            self.server.start()
            if is_done() if is_done else not self.unfinished(later):
                break
        self.settle(later)
        failed = self.rest.get("__jobs", params={"state": "failed"})
        insist(failed.status == 204, f"a job failed: {self.open_jobs()}")

    def open_jobs(self):
        """The first that are not done, with what went wrong."""
        return self.ask("SELECT id, kind, state, run_at, attempts, error FROM sys_job WHERE state <> 'done' ORDER BY id LIMIT 20")

    def ran(self):
        """By kind: how many jobs there were, and how many of them were cut short and taken again."""
        found = {}
        for kind, attempts, count in self.ask("SELECT kind, attempts - postponed, count(*) FROM sys_job GROUP BY kind, attempts - postponed"):
            there, cut = found.get(kind, (0, 0))
            found[kind] = (there + int(count), cut + int(count) * (int(attempts) > 1))
        return found

    # The database itself, for what no call shows or does

    def put_back(self, *statements):
        """Changes the database while the server is down, as when time goes by meanwhile."""
        self.server.kill()
        self.ask(*statements)
        self.server.start()

    def ask(self, *statements):
        """Rows of the last of these statements, which are one transaction."""
        if self.store.engine == "sqlite":
            database = sqlite3.connect(self.store.folder / "data" / "tributary.db", timeout=30)
            try:
                with database:
                    for statement in statements:
                        rows = database.execute(statement).fetchall()
                return rows
            finally:
                database.close()
        command = ["psql", self.store.arguments[1], "-v", "ON_ERROR_STOP=1", "-qAt", "-F", "\t", "-1"]
        for statement in statements:
            command += ["-c", statement]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def everything(self):
        """All that is kept, as text."""
        if self.store.engine == "sqlite":
            database = sqlite3.connect(self.store.folder / "data" / "tributary.db", timeout=30)
            try:
                # The index of the search is binary there; its source is a table like any other.
                names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
                return "\n".join(str(row) for name in names for row in database.execute(f'SELECT * FROM "{name}"'))
            finally:
                database.close()
        command = ["pg_dump", "--data-only", self.store.arguments[1]]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
