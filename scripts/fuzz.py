#!/usr/bin/env python3
"""Feeds a live server with broken and hostile requests and insists on a documented answer to each.

usage: fuzz.py [--seconds N] [--seed N] [--engine sqlite|postgres]

A third of the requests are queries in COQL, made by its grammar and then often bent (`coql_grammar.py`). Every answer must come within a few seconds, must not be a 5xx, and, when it refuses, must carry an envelope with code,
message, details and status "error". The server must be alive and consistent at the end.
"""

import argparse
import json
import random
import sys
import time
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
from coql_grammar import Grammar  # noqa: E402
from rest import Rest  # noqa: E402
from tributary_server import Server, Store  # noqa: E402

SLOW = 5.0  # seconds; the machine may be busy, but nothing here is real work
NAMES = ["data", "merge", "id", "_fields", "_data", "api_name", "master_record_fields", "Last_Name", "Email", "Owner", "Tag", "Layout"]
NAMES += ["Account_Name", "Annual_Revenue", "No_of_Employees", "Date_of_Birth", "Email_Opt_Out", "$se_module", "What_Id", "trigger", ""]
TEXTS = ["", "x", "-None-", "null", "0", "-1", "9" * 19, "9" * 40, "1e400", "\u0000", "\ud7ff", "\U0001f642", "a" * 300, "%", "_", "'", '"', "\\", "--"]
TEXTS += ["'; DROP TABLE m_leads; --", "\u202e", "İ", "ß", "2026-02-30", "2026-02-28", "2026-03-04T12:00:00+00:00", "a@b.co", "{{", "$.x", "x" * 70_000]
NUMBERS = ["0", "-0", "1", "-1", "1.5", "1e3", "1E+400", "-1e-400", "9223372036854775807", "9223372036854775808", "1" * 400, "0.1" + "0" * 300]
PATHS = ["Leads", "Contacts", "Accounts", "Deals", "Tasks", "Notes", "Leads/upsert", "Leads/deleted", "Leads/actions/count", "settings/modules"]
PATHS += ["settings/fields", "settings/layouts", "settings/related_lists", "org", "users", "__apis", "coql", "Nonsense", "Contacts/{id}", "Leads/{id}"]
PATHS += ["Contacts/{id}/actions/merge", "Contacts/{id}/Notes", "Contacts/{id}/Tasks", "Contacts/{id}/{text}", "{text}", "{text}/{text}/{text}"]
PARAMETERS = ["fields", "ids", "page", "per_page", "page_token", "sort_by", "sort_order", "module", "type", "cvid", "job_id", "criteria", "{text}"]


class Found(Exception):
    """An answer that breaks a rule, with the request that brought it."""


class Fuzzer:
    def __init__(self, base, token, seed):
        self.random = random.Random(seed)
        self.rest = Rest(base, token)
        self.coql = Grammar(self.random)
        self.ids = self.rest.create("Contacts", [{"Last_Name": f"Seed {n}"} for n in range(20)])

    def text(self):
        return self.random.choice([*TEXTS, *self.ids])

    def value(self, depth=0):
        """JSON text of a random value, often close to a valid one."""
        kind = self.random.random()
        if depth > 5 or kind < 0.35:
            return json.dumps(self.text(), ensure_ascii=self.random.random() < 0.5)
        if kind < 0.5:
            return self.random.choice(NUMBERS)
        if kind < 0.6:
            return self.random.choice(["null", "true", "false"])
        if kind < 0.75:
            return "[" + ",".join(self.value(depth + 1) for _ in range(self.random.choice([0, 1, 1, 2, 5]))) + "]"
        names = [self.random.choice(NAMES) for _ in range(self.random.choice([0, 1, 2, 3, 6]))]
        return "{" + ",".join(f"{json.dumps(name)}:{self.value(depth + 1)}" for name in names) + "}"

    def body(self):
        kind = self.random.random()
        if kind < 0.25:
            text = self.value()
        elif kind < 0.5:
            text = '{"data":[' + ",".join(self.object() for _ in range(self.random.choice([1, 2, 5, 101]))) + "]}"
        elif kind < 0.75:
            children = ",".join(self.object() for _ in range(self.random.choice([0, 1, 2, 3])))
            text = f'{{"merge":[{{"data":[{children}],"master_record_fields":{self.value(2)}}}]}}'
        elif kind < 0.8:
            text = "[" * self.random.choice([10, 257, 100_000])
        else:
            text = json.dumps({"data": [{"Last_Name": "Fine", "Email": "a@b.co"}]})
        data = bytearray(text.encode("utf-8", "surrogatepass"))
        for _ in range(self.random.choice([0, 0, 0, 1, 3])):
            if data:
                place = self.random.randrange(len(data))
                change = self.random.random()
                if change < 0.4:
                    data[place] = self.random.randrange(256)
                elif change < 0.7:
                    del data[place : place + self.random.randint(1, 8)]
                else:
                    data[place:place] = bytes(self.random.randrange(256) for _ in range(3))
        return bytes(data)

    def object(self):
        names = {self.random.choice(NAMES) for _ in range(self.random.randint(0, 5))} | {self.random.choice(["id", "Last_Name"])}
        return "{" + ",".join(f"{json.dumps(name)}:{self.value(2)}" for name in sorted(names)) + "}"

    def path(self):
        path = self.random.choice(PATHS)
        while "{text}" in path:
            path = path.replace("{text}", requests.utils.quote(self.text()[:200], safe=""), 1)
        return path.replace("{id}", requests.utils.quote(self.random.choice([self.random.choice(self.ids), self.text()[:100]]), safe=""))

    def one(self):
        if self.random.random() < 0.3:
            text = self.coql.text().encode("utf-8", "replace").decode()
            return self.send("POST", "/crm/v7/coql", {}, {}, json.dumps({"select_query": text}).encode())
        method = self.random.choice(["GET", "GET", "POST", "POST", "POST", "PUT", "DELETE", "PATCH"])
        path = "/crm/v7/" + self.path()
        params = {self.random.choice(PARAMETERS).replace("{text}", self.text()[:50]): self.text()[:3000] for _ in range(self.random.randint(0, 3))}
        headers = {}
        if self.random.random() < 0.1:
            headers[self.random.choice(["If-Modified-Since", "If-Unmodified-Since", "Content-Type", "X-EXTERNAL"])] = self.random.choice(
                ["nonsense", "2026-03-04T12:00:00+00:00", "multipart/form-data", "application/x-www-form-urlencoded", "Leads.X"]
            )
        return self.send(method, path, params, headers, self.body() if method in ("POST", "PUT", "PATCH") else None)

    def send(self, method, path, params, headers, body):
        begin = time.monotonic()
        try:
            answer = self.rest.call(method, path, raw=body, params=params, headers=headers)
            problem = self.problem(answer, time.monotonic() - begin)
        except requests.RequestException as error:
            answer, problem = None, f"no answer: {error}"
        if problem:
            said = f"{answer.status} {answer.text[:1000]}" if answer else "none"
            raise Found(f"{problem}\nrequest: {method} {path} {params} {headers}\nbody: {body!r}\nanswer: {said}")
        return answer.status

    @staticmethod
    def problem(answer, seconds):
        if seconds > SLOW:
            return f"took {seconds:.1f} s"
        if answer.status >= 500:
            return "a server error"
        if answer.status in (204, 304):
            return "a body where there should be none" if answer.text else None
        if answer.body is None:
            return "no JSON"
        if answer.status < 400:
            return None
        if "code" in answer.body:
            refusals = [answer.body]
        else:
            refusals = [item for items in answer.body.values() if isinstance(items, list) for item in items]
        for refusal in refusals:
            if refusal.get("status") not in ("error", "success") or not {"code", "message", "details"} <= set(refusal):
                return "not the documented envelope"
        return None if refusals else "a refusal without a reason"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    options = parser.parse_args()
    print(f"fuzzing for {options.seconds:.0f} s on {options.engine}, seed {options.seed}", flush=True)
    store = Store.of(options.engine)
    server = Server(store)
    try:
        server.start()
        fuzzer = Fuzzer(server.base, server.access_token(), options.seed)
        statuses = {}
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            status = fuzzer.one()
            statuses[status] = statuses.get(status, 0) + 1
        assert server.alive(), "the server died"
        fuzzer.rest.every("Contacts", ["Last_Name"])
        assert server.stop() == 0, "the server did not shut down cleanly"
        print(f"{sum(statuses.values()):,} requests, by status: " + ", ".join(f"{key}: {value:,}" for key, value in sorted(statuses.items())))
    except Found as found:
        time.sleep(1)
        words = [line for line in server.tail(2000).splitlines() if "Fatal" in line or "crashed" in line or "/Sources/" in line]
        ours = [line for line in words if "/checkouts/" not in line]
        print(f"FAILED with seed {options.seed}: {found}", *ours[:20], sep="\n", file=sys.stderr)
        sys.exit(1)
    finally:
        server.kill()
        store.remove()


if __name__ == "__main__":
    main()
