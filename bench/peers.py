#!/usr/bin/env python3
"""The same work on Tributary and on PocketBase, both on SQLite, on the same machine, one after the other in turns.

usage: peers.py [--repetitions N] [--seconds N]

Contacts of forty fields; reads and creates through wrk with eight clients. PocketBase has no merge: its client lists the
related rows, changes each of them, changes the master and deletes the child, call by call, or in one of its batches.
Tributary's creates are durable (synchronous=FULL), PocketBase's are not (NORMAL, its default). Neither logs requests.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests
from bench import CLIENTS, contact
from page_sql import FIELDS
from tools import QUIET, Server, Store, alternating, compiled, free_port, machine, number, resident_mb, sequence, table, wrk

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
from rest import Rest  # noqa: E402

CONTACTS = 10_000
LISTS = ["notes", "tasks", "deals"]


class Tributary:
    name = "Tributary"

    def __init__(self, folder):
        self.store = Store.sqlite()
        self.server = Server(self.store, QUIET)
        self.client = compiled("client", folder)
        self.server.start()
        self.token = self.server.access_token()
        self.header = {"Authorization": f"Zoho-oauthtoken {self.token}"}
        self.rest = Rest(self.server.base, self.token)
        self.account = self.rest.create("Accounts", [{"Account_Name": "Account"}])[0]
        self.ids = []
        for start in range(0, CONTACTS, 100):
            self.ids += self.rest.create("Contacts", [self.record(i) for i in range(start, start + 100)])

    def record(self, i):
        return {**contact(i), "Account_Name": {"id": self.account}}

    def memory(self):
        return resident_mb(self.server.process.pid)

    def get(self, seconds):
        return wrk(f"{self.server.base}/crm/v7/Contacts/{self.ids[500]}", connections=CLIENTS, seconds=seconds, headers=self.header)

    def page(self, seconds):
        url = f"{self.server.base}/crm/v7/Contacts?fields={','.join(FIELDS)}"
        return wrk(url, connections=CLIENTS, seconds=seconds, headers=self.header)

    def create(self, seconds):
        body = json.dumps({"data": [self.record(1)]})
        return wrk(f"{self.server.base}/crm/v7/Contacts", connections=CLIENTS, seconds=seconds, headers=self.header, method="POST", body=body)

    def pairs(self, count, related):
        """Pairs, the child of each with so many related rows over three lists."""
        made = self.rest.create("Contacts", [self.record(i) for i in range(2 * count)])
        pairs = list(zip(made[::2], made[1::2]))
        for _, child in pairs:
            rows = {
                "Notes": [{"Note_Title": "n", "Note_Content": "c", "Parent_Id": {"module": {"api_name": "Contacts"}, "id": child}}],
                "Tasks": [{"Subject": "t", "Who_Id": {"id": child}}],
                "Deals": [{"Deal_Name": "d", "Stage": "Qualification", "Contact_Name": {"id": child}}],
            }
            for index, (module, row) in enumerate(rows.items()):
                left = related // 3 + (1 if index < related % 3 else 0)
                while left:
                    some = min(left, 100)
                    self.rest.create(module, row * some)
                    left -= some
        return pairs

    def merge(self, pairs, related):
        body = '{"merge":[{"data":[{"id":"%s","_fields":[{"api_name":"Phone"}]}]}]}'
        calls = [("POST", f"/crm/v7/Contacts/{master}/actions/merge", body % child) for master, child in pairs]
        header = f"Authorization: Zoho-oauthtoken {self.token}"
        return statistics.median(milliseconds for _, milliseconds in sequence(self.client, self.server.port, header, calls))

    def close(self):
        self.server.kill()
        self.store.remove()


class PocketBase:
    name = "PocketBase"

    def __init__(self, folder):
        self.client = compiled("client", folder)
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        program = Path(sys.executable).parent / "pocketbase"
        data = Path(folder) / "pocketbase"
        sign_in = ["bench@example.test", "only-for-the-benchmark"]
        subprocess.run([program, "superuser", "upsert", *sign_in, "--dir", data], check=True, capture_output=True)
        log = open(Path(folder) / "pocketbase.log", "w")  # noqa: SIM115
        self.process = subprocess.Popen([program, "serve", f"--http=127.0.0.1:{self.port}", "--dir", data], stdout=log, stderr=log)
        self.session = requests.Session()
        self.session.trust_env = False
        for _ in range(500):
            try:
                self.session.get(self.base + "/api/health", timeout=1).raise_for_status()
                break
            except OSError:
                time.sleep(0.02)
        answer = self.call("POST", "/api/collections/_superusers/auth-with-password", {"identity": sign_in[0], "password": sign_in[1]})
        self.token = answer["token"]
        self.header = {"Authorization": self.token}
        self.session.headers.update(self.header)
        self.call(
            "PATCH",
            "/api/settings",
            {"batch": {"enabled": True, "maxRequests": 100_000, "timeout": 120}, "logs": {"maxDays": 0}, "rateLimits": {"enabled": False}},
        )
        accounts = self.collection("accounts", ["Account_Name"], {})
        people = self.collection("contacts", [name for name in contact(0) if name != "Email_Opt_Out"], {"Account": accounts}, booleans=["Email_Opt_Out"])
        for name in LISTS:
            self.collection(name, ["Title"], {"contact": people})
        self.account = self.call("POST", "/api/collections/accounts/records", {"Account_Name": "Account"})["id"]
        self.ids = self.create_many("contacts", [self.record(i) for i in range(CONTACTS)])

    def call(self, method, path, body=None):
        answer = self.session.request(method, self.base + path, json=body, timeout=120)
        if answer.status_code >= 400:
            raise SystemExit(f"PocketBase refused {method} {path}: {answer.text[:1000]}")
        return answer.json() if answer.content else None

    def collection(self, name, texts, relations, booleans=()):
        fields = [{"name": text, "type": "text"} for text in texts] + [{"name": one, "type": "bool"} for one in booleans]
        # What our records have of themselves.
        fields += [{"name": "Created_Time", "type": "autodate", "onCreate": True}, {"name": "Modified_Time", "type": "autodate", "onCreate": True, "onUpdate": True}]
        fields += [{"name": one, "type": "relation", "collectionId": target, "maxSelect": 1} for one, target in relations.items()]
        indexes = [f"CREATE INDEX index_{name}_{one} ON {name} ({one})" for one in relations]
        return self.call("POST", "/api/collections", {"name": name, "type": "base", "fields": fields, "indexes": indexes})["id"]

    def create_many(self, collection, records):
        ids = []
        for start in range(0, len(records), 500):
            batch = [{"method": "POST", "url": f"/api/collections/{collection}/records", "body": one} for one in records[start : start + 500]]
            ids += [one["body"]["id"] for one in self.call("POST", "/api/batch", {"requests": batch})]
        return ids

    def record(self, i):
        return {**contact(i), "Account": self.account}

    def memory(self):
        return resident_mb(self.process.pid)

    def get(self, seconds):
        url = f"{self.base}/api/collections/contacts/records/{self.ids[500]}?expand=Account"
        return wrk(url, connections=CLIENTS, seconds=seconds, headers=self.header)

    def page(self, seconds):
        # Without the count of all rows, which ours does not give either.
        url = f"{self.base}/api/collections/contacts/records?perPage=200&skipTotal=1&expand=Account"
        return wrk(url, connections=CLIENTS, seconds=seconds, headers=self.header)

    def create(self, seconds):
        url = f"{self.base}/api/collections/contacts/records"
        body = json.dumps(self.record(1))
        return wrk(url, connections=CLIENTS, seconds=seconds, headers={**self.header, "Content-Type": "application/json"}, method="POST", body=body)

    def pairs(self, count, related):
        made = self.create_many("contacts", [self.record(i) for i in range(2 * count)])
        self.related = getattr(self, "related", {})
        for child in made[1::2]:
            self.related[child] = [
                (name, id)
                for index, name in enumerate(LISTS)
                for id in self.create_many(name, [{"Title": "x", "contact": child}] * (related // 3 + (1 if index < related % 3 else 0)))
            ]
        return list(zip(made[::2], made[1::2]))

    def changes(self, master, child):
        records = "/api/collections/%s/records/%s"
        return [
            *(("PATCH", records % row, {"contact": master}) for row in self.related[child]),
            ("PATCH", records % ("contacts", master), {"Phone": "555"}),
            ("DELETE", records % ("contacts", child), None),
        ]

    def timed(self, calls):
        header = f"Authorization: {self.token}"
        return sum(milliseconds for _, milliseconds in sequence(self.client, self.port, header, calls))

    def lists(self, child):
        return [("GET", f"/api/collections/{name}/records?perPage=1000&skipTotal=1&fields=id&filter=contact%3D%22{child}%22") for name in LISTS]

    def merge(self, pairs, related):
        return statistics.median(
            self.timed(self.lists(child) + [(m, path, *([json.dumps(body)] if body else [])) for m, path, body in self.changes(master, child)])
            for master, child in pairs
        )

    def merge_in_a_batch(self, pairs, related):
        def one(master, child):
            batch = [{"method": method, "url": url, "body": body or {}} for method, url, body in self.changes(master, child)]
            return self.timed([*self.lists(child), ("POST", "/api/batch", json.dumps({"requests": batch}))])

        return statistics.median(one(master, child) for master, child in pairs)

    def close(self):
        self.process.terminate()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    options = parser.parse_args()
    print(f"machine: {machine()}; medians of {options.repetitions}", flush=True)
    rows = [("what", "Tributary", "PocketBase", "ratio", "aim", "spread Tributary", "spread PocketBase")]

    def add(what, ours, theirs, unit, aim=None, more_is_better=True):
        ratio = ours.median / theirs.median if more_is_better else theirs.median / ours.median
        verdict = "" if aim is None else f"≥ {aim} {'yes' if ratio >= aim else 'NO'}"
        rows.append((what, f"{number(ours.median)} {unit}", f"{number(theirs.median)} {unit}", f"{ratio:.2f}", verdict, ours.spread(), theirs.spread()))

    with tempfile.TemporaryDirectory(prefix="tributary-bench-") as folder:
        ours = theirs = None
        try:
            ours, theirs = Tributary(folder), PocketBase(folder)
            for what, measure, aim in (("single reads", "get", 2), ("pages of 200", "page", 10)):
                add(what, *alternating(options.repetitions, *(lambda one=one: getattr(one, measure)(options.seconds) for one in (ours, theirs))), "/s", aim)
            for related in (10, 300):
                count = 10 if related < 100 else 2
                repetitions = options.repetitions if related < 100 else min(3, options.repetitions)
                merged = alternating(
                    repetitions,
                    lambda: ours.merge(ours.pairs(count, related), related),
                    lambda: theirs.merge(theirs.pairs(count, related), related),
                    lambda: theirs.merge_in_a_batch(theirs.pairs(count, related), related),
                )
                add(f"merge with {related} related rows; call by call", merged[0], merged[1], "ms", more_is_better=False)
                add(f"merge with {related} related rows; in a batch", merged[0], merged[2], "ms", more_is_better=False)
            creates = alternating(options.repetitions, *(lambda one=one: one.create(options.seconds) for one in (ours, theirs)))
            add("creates, ours durable, theirs not", *creates, "/s", 1.5)
            print()
            table(rows)
            print(f"\nresident memory afterwards: Tributary {ours.memory():.0f} MB, PocketBase {theirs.memory():.0f} MB")
            print(f"machine afterwards: {machine()}")
        finally:
            for one in (ours, theirs):
                if one:
                    one.close()


if __name__ == "__main__":
    main()
