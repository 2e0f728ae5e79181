#!/usr/bin/env python3
"""Kills the server with SIGKILL in the middle of twelve kinds of jobs, and checks that the job is done whole and once.

usage: chaos_jobs.py --engine sqlite|postgres [--rounds N] [--kills N] [--seed N] [--rows N] [--kind NAME …]

A round is one job of each kind on a database of its own: it is started, the server is killed at random moments until the
job is over, and then everything the job should have done is there, and nothing twice. Merges and undos are in chaos.py.
"""

import argparse
import csv
import datetime
import io
import json
import random
import sys
import time
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
from receiver import Receiver  # noqa: E402
from rest import Rest  # noqa: E402
from tributary_server import ALL_SCOPES, Server, Store  # noqa: E402

SCOPES = [
    *ALL_SCOPES, "ZohoFiles.files.ALL", "ZohoCRM.notifications.ALL", "ZohoCRM.mass_update.ALL", "ZohoCRM.mass_delete.ALL",
    "ZohoCRM.change_owner.ALL", "ZohoCRM.bulk.backup.ALL",
]  # fmt: skip


class Wrong(AssertionError):
    """The server broke a promise."""


def insist(condition, said):
    if not condition:
        raise Wrong(said)


class Round:
    """A database with a server that is killed, and what the kinds of jobs need."""

    def __init__(self, engine, chance, rows, most_kills):
        self.chance, self.rows, self.most_kills, self.kills = chance, rows, most_kills, 0
        self.store = Store.of(engine)
        self.server = Server(self.store, ["--allow-private-callbacks"])
        self.server.start()
        self.rest = Rest(self.server.base, self.server.access_token(SCOPES))
        self.person = self.rest.get("users").body["users"][0]

    def close(self):
        self.server.kill()
        self.store.remove()

    def answered(self, answer, *statuses):
        insist(answer.status in (statuses or (200, 201, 202)), f"{answer.status} {answer.text[:500]}")
        return answer.body

    def send(self, rows, module="Leads"):
        """Starts a bulk write of these rows; the job's id."""
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
        return self.answered(answer)["details"]["id"]

    def leads(self, count=None, owner=None):
        """Leads that are there before the job begins."""
        head = ["Last_Name", "Company", "Description"] + (["Owner.id"] if owner else [])
        last = [owner] if owner else []
        self.send([head, *[[f"Lead {n}", f"Company {n}", "x" * 100, *last] for n in range(count or self.rows)]])
        self.settle()

    def view(self):
        views = self.answered(self.rest.get("settings/custom_views", params={"module": "Leads"}))["custom_views"]
        return next(view["id"] for view in views if "ALL" in (view["system_name"] or "").upper())

    def unfinished(self):
        answer = self.rest.get("__jobs", params={"state": "unfinished"})
        return [] if answer.status == 204 else self.answered(answer)["jobs"]

    def settle(self):
        """Waits until no job is open."""
        deadline = time.monotonic() + 180
        while jobs := self.unfinished():
            insist(time.monotonic() < deadline, f"jobs do not end: {jobs}")
            time.sleep(0.02)

    def kill_until_done(self, is_done=None):
        """Kills the server again and again, until the job is over or has been cut short often enough."""
        for _ in range(self.most_kills):
            time.sleep(self.chance.uniform(0.0, 0.35))
            self.server.kill()
            self.kills += 1
            self.server.start()
            if is_done() if is_done else not self.unfinished():
                break
        self.settle()
        failed = self.rest.get("__jobs", params={"state": "failed"})
        insist(failed.status == 204, f"a job failed: {failed.text[:500]}")

    def every(self, module="Leads", *fields):
        return self.rest.every(module, list(fields) or ["Last_Name"])

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


def bulk_write(round):
    job = round.send([["Last_Name", "Company"], *[[f"Lead {n}", "C"] for n in range(round.rows)]])
    round.kill_until_done()
    insist(round.names() == round.expected(), "rows are lost or doubled")
    details = round.answered(round.rest.get(f"/crm/bulk/v7/write/{job}"))
    insist(details["status"] == "COMPLETED" and details["resource"][0]["file"]["added_count"] == round.rows, json.dumps(details))
    [report] = round.files(round.rest.base + details["result"]["download_url"]).values()
    lines = list(csv.reader(io.StringIO(report.decode())))[1:]
    insist([line[0] for line in lines] == [f"Lead {n}" for n in range(round.rows)], "the report is not whole")


def bulk_read(round):
    round.leads()
    answer = round.rest.post(
        "/crm/bulk/v7/read", {"query": {"module": {"api_name": "Leads"}}}, headers={"Content-Type": "application/json"}
    )
    job = round.answered(answer)["data"][0]["details"]["id"]
    round.kill_until_done()
    [content] = round.files(f"{round.rest.base}/crm/bulk/v7/read/{job}/result").values()
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    insist(sorted(line["Last_Name"] for line in lines) == round.expected(), "the export has rows twice, or not at all")


def mass_update(round):
    round.leads()
    round.answered(round.rest.post("Leads/actions/mass_update", {"data": [{"City": "Ulm"}], "cvid": round.view()}))
    round.kill_until_done()
    rows = round.every("Leads", "City", "Last_Name")
    insist(sorted(row["Last_Name"] for row in rows) == round.expected(), "leads are lost")
    insist({row["City"] for row in rows} == {"Ulm"}, "some were left out")
    for row in random.sample(rows, 10):
        timeline = round.answered(round.rest.get(f"Leads/{row['id']}/__timeline"))["__timeline"]
        insist([entry["action"] for entry in timeline].count("updated") == 1, f"changed more than once: {timeline}")


def mass_delete(round):
    round.leads()
    round.answered(round.rest.post("Leads/actions/mass_delete", {"cvid": round.view()}))
    round.kill_until_done()
    insist(round.every() == [], "some are left")
    deleted, page = 0, 1
    while (answer := round.rest.get("Leads/deleted", params={"type": "all", "page": page, "per_page": 200})).status == 200:
        deleted, page = deleted + len(answer.body["data"]), page + 1
    insist(deleted == round.rows, f"{deleted} of {round.rows} are in the list of deleted ones")


def another_user(round):
    roles = round.answered(round.rest.get("settings/roles"))["roles"]
    profiles = round.answered(round.rest.get("settings/profiles"))["profiles"]
    person = {"last_name": "Other", "email": "other@x.test", "role": roles[0]["id"], "profile": profiles[0]["id"]}
    return round.answered(round.rest.post("users", {"users": [person]}))["users"][0]["details"]["id"]


def mass_change_owner(round):
    round.leads()
    other = another_user(round)
    round.answered(round.rest.post("Leads/actions/mass_change_owner", {"cvid": round.view(), "owner": {"id": other}}))
    round.kill_until_done()
    rows = round.every("Leads", "Owner", "Last_Name")
    insist(len(rows) == round.rows and {row["Owner"]["id"] for row in rows} == {other}, "some kept their owner")


def mass_convert(round):
    count = 50  # as many as a call takes
    round.leads(count)
    ids = [row["id"] for row in round.every()]
    round.answered(round.rest.post("Leads/actions/mass_convert", {"ids": ids, "assign_to": {"id": round.person["id"]}}))
    round.kill_until_done()
    insist(round.every() == [], "some are not converted")
    insist(sorted(row["Last_Name"] for row in round.every("Contacts")) == round.expected(count), "contacts are lost or doubled")
    accounts = sorted(row["Account_Name"] for row in round.every("Accounts", "Account_Name"))
    insist(accounts == sorted(f"Company {n}" for n in range(count)), "accounts are lost or doubled")


def mass_convert_quotes(round):
    count = 50  # as many as a call takes
    (product,) = round.rest.create("Products", [{"Product_Name": "Bike"}])
    line = {"Product_Name": {"id": product}, "Quantity": 1, "List_Price": 10}
    (account,) = round.rest.create("Accounts", [{"Account_Name": "Acme"}])
    quotes = [{"Subject": f"Quote {n}", "Account_Name": {"id": account}, "Quoted_Items": [line]} for n in range(count)]
    ids = round.rest.create("Quotes", quotes)
    body = {"convert_to": [{"module": {"api_name": "Sales_Orders"}, "carry_over_tags": False}], "ids": ids}
    round.answered(round.rest.post("Quotes/actions/mass_convert", body))
    round.kill_until_done()
    orders = sorted(row["Subject"] for row in round.every("Sales_Orders", "Subject"))
    insist(orders == sorted(f"Quote {n}" for n in range(count)), "orders are lost or doubled")


def transfer(round):
    other = another_user(round)
    round.leads(owner=other)
    body = {"id": other, "transfer": {"records": True, "assignment": False, "criteria": False, "id": round.person["id"]}}
    round.answered(round.rest.post("users/actions/transfer_and_delete", {"transfer_and_delete": [body]}))
    round.kill_until_done()
    rows = round.every("Leads", "Owner", "Last_Name")
    insist(len(rows) == round.rows and {row["Owner"]["id"] for row in rows} == {round.person["id"]}, "some were left behind")


def backup(round):
    round.leads()
    round.answered(round.rest.post("/crm/bulk/v7/backup"))
    round.kill_until_done()
    urls = round.answered(round.rest.get("/crm/bulk/v7/backup/urls"))["urls"]
    files = {}
    for url in urls["data_links"]:
        files |= round.files(url)
    manifest = json.loads(files.pop("manifest.json"))
    insist({entry["path"] for entry in manifest["entries"]} == set(files), "the archives are not what the manifest says")
    leads = [entry for entry in manifest["entries"] if "leads" in entry["path"].lower() and entry["rows"] == round.rows]
    insist(leads, "the leads are not in the backup")
    for entry in leads:
        lines = files[entry["path"]].decode().count("Lead ")
        insist(lines >= round.rows, f"{entry['path']} has {lines} leads")


def audit_export(round):
    round.leads()
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    times = [(now - datetime.timedelta(days=1)).isoformat(), (now + datetime.timedelta(minutes=1)).isoformat()]
    criteria = {"comparator": "between", "field": {"api_name": "audited_time"}, "value": times}
    answer = round.rest.post("settings/audit_log_export", {"audit_log_export": [{"criteria": criteria}]})
    job = round.answered(answer)["audit_log_export"][0]["details"]["id"]
    round.kill_until_done()
    export = round.answered(round.rest.get(f"settings/audit_log_export/{job}"))["audit_log_export"][0]
    insist(export["status"] == "finished", f"the export is {export}")
    link = export["download_links"][0]
    text = round.rest.session.get(link, headers={"Authorization": f"Zoho-oauthtoken {round.rest.token}"}, timeout=60).text
    for number in range(0, round.rows, 97):
        said = sum(f"Lead {number}" in line.split(",") or f'"Lead {number}"' in line for line in text.splitlines())
        insist(said == 1, f"lead {number} is told of {said} times")


def notifications(round):
    heard = Receiver()
    try:
        watch = {"channel_id": "7", "events": ["Leads.create"], "notify_url": heard.url(), "token": "t"}
        round.answered(round.rest.post("actions/watch", {"watch": [watch]}))
        round.send([["Last_Name", "Company"], *[[f"Lead {n}", "C"] for n in range(round.rows)]])

        def told():
            return {id for body in heard.bodies() for id in body["ids"]}

        round.kill_until_done(lambda: len(told()) == round.rows)
        ids = {row["id"] for row in round.every()}
        insist(len(ids) == round.rows, "rows are lost or doubled")
        deadline = time.monotonic() + 120
        while told() != ids:
            insist(time.monotonic() < deadline, f"{len(ids - told())} records were not told of")
            time.sleep(0.05)
    finally:
        heard.close()


def recurrence(round):
    task = {"Subject": "Daily", "Due_Date": "2090-01-01", "Recurring_Activity": {"RRULE": "FREQ=DAILY"}}
    round.rest.create("Tasks", [task])
    round.kill_until_done()
    days = [row["Due_Date"] for row in round.every("Tasks", "Due_Date")]
    insist(len(days) == len(set(days)) == 101, f"{len(days)} tasks on {len(set(days))} days, not one on each of 101")


KINDS = [bulk_write, bulk_read, mass_update, mass_delete, mass_change_owner, mass_convert, mass_convert_quotes, transfer, backup, audit_export, notifications, recurrence]


def run(engine, rounds=1, seed=None, rows=1500, kinds=None, most_kills=6):
    """Raises at the first broken promise; how often the server was killed, by kind, otherwise."""
    seed = random.randrange(10**6) if seed is None else seed
    print(f"{rounds} rounds of jobs on {engine}, seed {seed}", flush=True)
    chance = random.Random(seed)
    totals = {}
    for number in range(1, rounds + 1):
        for kind in KINDS:
            if kinds and kind.__name__ not in kinds:
                continue
            round = Round(engine, chance, rows, most_kills)
            begin = time.monotonic()
            try:
                kind(round)
            except BaseException:
                print(f"{kind.__name__} failed in round {number} on {engine}, seed {seed}; the server's last words:\n{round.server.tail()}")
                raise
            finally:
                round.close()
            totals[kind.__name__] = totals.get(kind.__name__, 0) + round.kills
            print(f"round {number:3}: {kind.__name__}, killed {round.kills} times, whole after {time.monotonic() - begin:.1f} s", flush=True)
    return totals


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--kills", type=int, default=6, help="of one job, at most; ten are its end")
    parser.add_argument("--kind", nargs="*", choices=[kind.__name__ for kind in KINDS])
    options = parser.parse_args()
    totals = run(options.engine, options.rounds, options.seed, options.rows, options.kind, options.kills)
    print(f"jobs on {options.engine}: {sum(totals.values())} kills, every job done whole and once")


if __name__ == "__main__":
    main()
