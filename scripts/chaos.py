#!/usr/bin/env python3
"""Kills the server with SIGKILL at random moments under load, restarts it, and checks that nothing acknowledged is lost.

usage: chaos.py --engine sqlite|postgres [--rounds N] [--seed N] [--writers N]

Each writer keeps a model of what the server has acknowledged to it. The one request that was under way when the server
died may have happened or not, but only as a whole: after the restart the check finds out which of the two it is, and
then the whole content must equal the models: every contact with its values, every note, task and deal with the contact
it hangs on, every merged and every deleted contact in its list, and no record locked. Merges of two and three, of groups, and
their undos are among the requests, at once and as jobs.
"""

import argparse
import copy
import random
import sys
import threading
import time
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
from rest import Rest  # noqa: E402
from tributary_server import Server, Store  # noqa: E402

ROUNDS_PER_STORE = 10
FIELDS = ["Last_Name", "Phone", "Description"]
JOB_ROWS = 1001  # of one list of a child: the least that makes a merge, of a group too, or an undo a job
JOB_KINDS = ["merge", "group", "undo"]  # what the first writers leave to jobs, one each
# module: (lookup that points at a contact, field that holds the text, values every row needs)
RELATED = {
    "Notes": ("Parent_Id", "Note_Title", {"Note_Content": "content"}),
    "Tasks": ("Who_Id", "Subject", {}),
    "Deals": ("Contact_Name", "Deal_Name", {"Stage": "Qualification"}),
}


class Wrong(AssertionError):
    """The server broke a promise."""


class Content:
    """What is there: contacts with their values, related rows with their contact, and the ids that are gone."""

    def __init__(self):
        self.contacts = {}
        self.related = {module: {} for module in RELATED}
        self.merged = set()
        self.deleted = set()

    def add(self, other):
        self.contacts |= other.contacts
        for module in RELATED:
            self.related[module] |= other.related[module]
        self.merged |= other.merged
        self.deleted |= other.deleted

    def merge(self, master, children):
        for child, names in children:
            for name in names:
                self.contacts[master][name] = self.contacts[child][name]
            del self.contacts[child]
            self.merged.add(child)
            for rows in self.related.values():
                for row, parent in rows.items():
                    if parent == child:
                        rows[row] = master

    def revert(self, before, ids):
        """Back to what was before a merge of these contacts, for them alone."""
        for id in ids:
            self.contacts[id] = before.contacts[id]
            self.merged.discard(id)
        for module, rows in self.related.items():
            for row, parent in before.related[module].items():
                if parent in ids:
                    rows[row] = parent


def differences(expected, found):
    """Readable sentences, at most a few of each kind."""
    said = []
    for what, want, got in [
        ("contact", expected.contacts, found.contacts),
        *((module, expected.related[module], found.related[module]) for module in RELATED),
    ]:
        lost, extra = want.keys() - got.keys(), got.keys() - want.keys()
        other = [key for key in want.keys() & got.keys() if want[key] != got[key]]
        said += [f"{what} {key} is lost: {want[key]}" for key in sorted(lost)[:3]]
        said += [f"{what} {key} should not be there: {got[key]}" for key in sorted(extra)[:3]]
        said += [f"{what} {key} is {got[key]}, acknowledged was {want[key]}" for key in sorted(other)[:3]]
    for module, rows in found.related.items():
        said += [f"{module} {row} points at {parent}, which is gone" for row, parent in rows.items() if parent not in found.contacts][:3]
    for what, want, got in (("merged", expected.merged, found.merged), ("deleted", expected.deleted, found.deleted)):
        said += [f"{what} contact {key} is not in the list of deleted ones" for key in sorted(want - got)[:3]]
        said += [f"contact {key} is listed as {what}" for key in sorted(got - want)[:3]]
    return said


class Writer(threading.Thread):
    """Writes until the server is gone. `pending` is the request that got no answer, as (kind, arguments)."""

    def __init__(self, number, round_name, base, token, seed):
        super().__init__(daemon=True)
        self.name_stem = f"{round_name}-{number}"
        self.rest = Rest(base, token)
        self.random = random.Random(seed)
        self.content = Content()
        self.pending = None
        self.held = set()  # contacts that a job has
        self.scheduled = []  # acknowledged jobs: (where to ask, key of the answer, what it does to the model)
        self.acknowledged = 0
        self.merges = self.groups = self.undos = 0
        self.failure = None
        self.counter = 0
        self.halt = threading.Event()
        self.job_kind = JOB_KINDS[number] if number < len(JOB_KINDS) else None

    def run(self):
        try:
            while not self.halt.is_set():
                self.step()
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
            pass
        except Exception as error:  # reported by the main thread
            self.failure = error

    def step(self):
        chosen = self.random.random()
        free = [id for id in self.content.contacts if id not in self.held]
        if self.job_kind and self.acknowledged > 10:
            kind, self.job_kind = self.job_kind, None
            self.start_job(kind)
        elif chosen < 0.25 or len(free) < 6:
            self.create_contacts()
        elif chosen < 0.50:
            self.create_related(self.random.choice(list(RELATED)), free, self.random.randint(1, 8))
        elif chosen < 0.65:
            self.update(self.random.choice(free))
        elif chosen < 0.70:
            bare = [id for id in free if not any(id in rows.values() for rows in self.content.related.values())]
            if bare:
                self.delete(self.random.choice(bare))
        elif chosen < 0.78:
            self.group(self.random.sample(free, self.random.randint(2, 5)))
        else:
            master, *children = self.random.sample(free, self.random.randint(2, 3))
            self.merge(master, [(child, names) for child, names in zip(children, (["Phone"], ["Description"]))])

    def call(self, kind, arguments, method, path, body=None, expected=(200, 201), **options):
        self.pending = (kind, arguments)
        answer = self.rest.call(method, path, body, **options)
        self.pending = None
        if answer.status not in expected:
            raise Wrong(f"{method} {path}: {answer.status} {answer.text[:500]}")
        self.acknowledged += 1
        return answer

    def fresh(self):
        self.counter += 1
        return f"{self.name_stem}-{self.counter}"

    def create_contacts(self):
        rows = [
            {"Last_Name": self.fresh(), "Phone": str(self.random.randrange(10**6, 10**7)), "Description": self.fresh()}
            for _ in range(self.random.choice([1, 1, 2, 5, 20]))
        ]
        answer = self.call("contacts", rows, "POST", "Contacts", {"data": rows})
        for row, item in zip(rows, answer.body["data"]):
            self.content.contacts[item["details"]["id"]] = row

    def related_rows(self, module, parents):
        lookup, text, others = RELATED[module]
        return [
            {text: self.fresh(), **others, lookup: {"id": parent, **({"module": {"api_name": "Contacts"}} if module == "Notes" else {})}}
            for parent in parents
        ]

    def create_related(self, module, parents, count):
        lookup = RELATED[module][0]
        rows = self.related_rows(module, [self.random.choice(parents) for _ in range(count)])
        answer = self.call("related", (module, rows), "POST", module, {"data": rows})
        for row, item in zip(rows, answer.body["data"]):
            self.content.related[module][item["details"]["id"]] = row[lookup]["id"]

    def update(self, id):
        values = {"Description": self.fresh()}
        self.call("update", (id, values), "PUT", "Contacts", {"data": [{"id": id, **values}]})
        self.content.contacts[id] = {**self.content.contacts[id], **values}

    def delete(self, id):
        self.call("delete", id, "DELETE", f"Contacts/{id}")
        del self.content.contacts[id]
        self.content.deleted.add(id)

    def merge(self, master, children, wants_undo=None):
        body = {"merge": [{"data": [{"id": id, "_fields": [{"api_name": name} for name in names]} for id, names in children]}]}
        answer = self.call("merge", (master, children), "POST", f"Contacts/{master}/actions/merge?verbose=true", body)
        self.merges += 1
        self.take(master, children, answer.item("merge"), f"Contacts/{master}/actions/merge?job_id=", "merge", wants_undo)

    def group(self, ids, wants_undo=None):
        """Any number by a policy that keeps the master's values."""
        master, *others = ids
        children = [(id, []) for id in others]
        body = {"merge_group": [{"ids": ids, "master": master, "policy": {"default": "master", "groups": []}}]}
        answer = self.call("merge", (master, children), "POST", "Contacts/actions/merge_group", body)
        self.groups += 1
        self.take(master, children, answer.item("merge_group"), "Contacts/actions/merge_group?job_id=", "merge_group", wants_undo)

    def take(self, master, children, item, status, key, wants_undo):
        """Brings the answer of a merge into the model, or remembers its job. Some are undone at once."""
        before = copy.deepcopy(self.content)
        ids = (master, *(id for id, _ in children))
        if item["code"] != "SCHEDULED":
            self.content.merge(master, children)
            if wants_undo or (wants_undo is None and self.random.random() < 0.3):
                self.undo(master, ids, item["details"]["journal_id"], before)
            return
        job = item["details"]["job_id"]
        self.held |= set(ids)
        self.scheduled.append((status + job, key, lambda content: content.merge(master, children)))
        if not wants_undo:
            return
        while self.rest.get(status + job).item(key)["status"] != "COMPLETED":
            if self.halt.wait(0.005):
                return
        self.scheduled.pop()
        self.content.merge(master, children)
        self.undo(master, ids, job, before)

    def undo(self, master, ids, journal, before):
        """Nothing of these contacts has changed since the merge, so the model goes back to what it was."""
        answer = self.call(
            "undo", (master, ids, before), "POST", f"Contacts/{master}/actions/unmerge", {"journal_id": journal}
        )
        self.undos += 1
        item = answer.item("unmerge")
        if item["code"] != "SCHEDULED":
            self.content.revert(before, ids)
            return
        self.held |= set(ids)
        path = f"Contacts/{master}/actions/unmerge?job_id={item['details']['job_id']}"
        self.scheduled.append((path, "unmerge", lambda content: content.revert(before, ids)))

    def start_job(self, kind):
        """A merge with so many notes that it, or its undo, runs on after its answer."""
        while len(self.content.contacts) < 4:
            self.create_contacts()
        ids = [id for id in self.content.contacts if id not in self.held][-3:]
        for start in range(0, JOB_ROWS, 100):
            self.create_related("Notes", [ids[1]], min(100, JOB_ROWS - start))
        if kind == "group":
            self.group(ids, wants_undo=False)
        else:
            self.merge(ids[0], [(ids[1], ["Phone"])], wants_undo=kind == "undo")


def snapshot(rest):
    """Everything the server shows, read through the API."""
    found = Content()
    for row in rest.every("Contacts", FIELDS):
        found.contacts[row["id"]] = {name: row[name] for name in FIELDS}
    for module, (lookup, _, _) in RELATED.items():
        for row in rest.every(module, [lookup]):
            found.related[module][row["id"]] = row[lookup]["id"] if row[lookup] else None
    for type, into in (("permanent", found.merged), ("recycle", found.deleted)):
        page = 1
        while True:
            answer = rest.get("Contacts/deleted", params={"type": type, "page": page, "per_page": 200})
            if answer.status == 204:
                break
            into |= {row["id"] for row in answer.body["data"]}
            if not answer.body["info"]["more_records"]:
                break
            page += 1
    return found


def names_of(rest, module):
    text = RELATED[module][1]
    return {row[text]: row["id"] for row in rest.every(module, [text])}


def await_jobs(rest, master, what):
    """Waits until no job of that master is open; the last status word, None when there is no job."""
    deadline = time.monotonic() + 120
    while True:
        answer = rest.get(f"Contacts/{master}/actions/merge")
        if answer.status == 204:
            return None
        words = [job["status"] for job in answer.body["merge"]]
        if not set(words) & {"SCHEDULED", "RUNNING"}:
            return words[0]
        if time.monotonic() > deadline:
            raise Wrong(f"{what} of {master} is still {words} two minutes after the restart")
        time.sleep(0.05)


def await_job(rest, path, key):
    """The last status word of an acknowledged job."""
    deadline = time.monotonic() + 120
    while True:
        answer = rest.get(path)
        if answer.status == 204:
            raise Wrong(f"the acknowledged job {path} is gone")
        word = answer.item(key)["status"]
        if word not in ("SCHEDULED", "RUNNING"):
            return word
        if time.monotonic() > deadline:
            raise Wrong(f"the job {path} is still {word} two minutes after the restart")
        time.sleep(0.05)


def await_freedom(rest, id):
    """Waits until no merge and no undo holds the contact."""
    deadline = time.monotonic() + 120
    while (answer := rest.get(f"Contacts/{id}")).status == 200 and answer.body["data"][0]["$in_merge"]:
        if time.monotonic() > deadline:
            raise Wrong(f"contact {id} is still held two minutes after the restart")
        time.sleep(0.05)


def settle(writer, rest, found):
    """Decides whether the unanswered request happened, and makes the model say so. Returns "did", "did not" or ""."""
    content = writer.content
    for path, key, apply in writer.scheduled:
        if (word := await_job(rest, path, key)) != "COMPLETED":
            raise Wrong(f"the acknowledged job {path} ended as {word}")
        apply(content)
    if writer.pending is None:
        return ""
    kind, arguments = writer.pending
    if kind == "contacts":
        there = {values["Last_Name"]: id for id, values in found.contacts.items()}
        ids = [there.get(row["Last_Name"]) for row in arguments]
        happened = any(ids)
        if happened and not all(ids):
            raise Wrong(f"half a request: {sum(map(bool, ids))} of {len(ids)} contacts")
        if happened:
            content.contacts |= dict(zip(ids, arguments))
    elif kind == "related":
        module, rows = arguments
        lookup, text, _ = RELATED[module]
        there = names_of(rest, module)
        ids = [there.get(row[text]) for row in rows]
        happened = any(ids)
        if happened and not all(ids):
            raise Wrong(f"half a request: {sum(map(bool, ids))} of {len(ids)} {module}")
        if happened:
            content.related[module] |= {id: row[lookup]["id"] for id, row in zip(ids, rows)}
    elif kind == "update":
        id, values = arguments
        happened = found.contacts.get(id, {}).get("Description") == values["Description"]
        if happened:
            content.contacts[id] = {**content.contacts[id], **values}
    elif kind == "delete":
        happened = arguments not in found.contacts
        if happened:
            del content.contacts[arguments]
            content.deleted.add(arguments)
    elif kind == "undo":
        master, ids, before = arguments
        await_freedom(rest, master)
        there = [rest.get(f"Contacts/{id}").status == 200 for id in ids[1:]]
        happened = any(there)
        if happened and not all(there):
            raise Wrong(f"half an undo: {sum(there)} of {len(there)} contacts are back")
        if happened:
            content.revert(before, ids)
    else:
        master, children = arguments
        await_jobs(rest, master, "the job")
        happened = rest.get(f"Contacts/{children[0][0]}").status == 204
        if happened:
            content.merge(master, children)
    return "did" if happened else "did not"


def check_unlocked(rest, ids):
    """Every record can be written: nothing is left marked as being merged."""
    for start in range(0, len(ids), 100):
        rows = [{"id": id, "Department": "free"} for id in ids[start : start + 100]]
        answer = rest.put("Contacts", {"data": rows})
        if answer.status != 200:
            raise Wrong(f"records are locked or unwritable after the restart: {answer.status} {answer.text[:500]}")


class Chaos:
    def __init__(self, engine, seed, writers):
        self.engine, self.writers = engine, writers
        self.random = random.Random(seed)
        self.seed = seed
        self.store = self.server = None
        self.totals = {"acknowledged": 0, "merges": 0, "groups": 0, "undos": 0, "jobs": 0, "unfinished jobs": 0, "did": 0, "did not": 0}

    def new_store(self):
        self.close()
        self.store = Store.of(self.engine)
        self.server = Server(self.store)
        self.server.start()
        self.token = self.server.access_token()
        self.content = Content()

    def close(self):
        if self.server:
            self.server.kill()
        if self.store:
            self.store.remove()
        self.server = self.store = None

    def round(self, number):
        if (number - 1) % ROUNDS_PER_STORE == 0:
            self.new_store()
        elif not self.server.alive():
            self.server.start()
        writers = [
            Writer(index, f"r{number}", self.server.base, self.token, self.random.random()) for index in range(self.writers)
        ]
        for writer in writers:
            writer.start()
        self.wait(writers)
        self.server.kill()
        for writer in writers:
            writer.halt.set()
        for writer in writers:
            writer.join(70)
            if writer.failure:
                raise writer.failure
        killed_again = 0
        while self.random.random() < 0.25:
            self.start_and_kill()
            killed_again += 1
        self.server.start()
        begin = time.monotonic()
        outcome = self.verify(writers)
        counts = {name: sum(getattr(w, name) for w in writers) for name in ("acknowledged", "merges", "groups", "undos")}
        for name, count in counts.items():
            self.totals[name] += count
        self.totals["jobs"] += sum(len(w.scheduled) for w in writers)
        print(
            f"round {number:3}: {counts['acknowledged']:5} acknowledged, {counts['merges']:3} of them merges, "
            f"{counts['groups']:2} of groups, {counts['undos']:2} undos; {outcome['did']} unanswered ones happened, "
            f"{outcome['did not']} did not{f', killed {killed_again} times while starting' if killed_again else ''}; "
            f"up again in {self.server.seconds_to_start:.2f} s, checked in {time.monotonic() - begin:.1f} s",
            flush=True,
        )

    def wait(self, writers):
        """Until the moment to kill: early, so that first requests are hit; late; or just when a merge job has begun."""
        kind = self.random.choice(["early", "late", "job"])
        if kind == "job":
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline and all(w.is_alive() for w in writers) and not any(w.scheduled for w in writers):
                time.sleep(0.001)
            time.sleep(self.random.uniform(0.0, 0.05))
        else:
            time.sleep(self.random.uniform(0.05, 0.6) if kind == "early" else self.random.uniform(0.5, 3.0))

    def start_and_kill(self):
        """A crash while recovering from the last one."""
        starting = threading.Thread(target=self._start_quietly)
        starting.start()
        time.sleep(self.random.uniform(0.0, 0.4))
        self.server.kill()
        starting.join()
        self.server.kill()

    def _start_quietly(self):
        try:
            self.server.start()
        except (RuntimeError, AttributeError):
            pass

    def verify(self, writers):
        rest = Rest(self.server.base, self.token)
        for writer in writers:
            for path, key, _ in writer.scheduled:
                self.totals["unfinished jobs"] += rest.get(path).item(key)["status"] != "COMPLETED"
        found = snapshot(rest)
        outcome = {"did": 0, "did not": 0, "": 0}
        for writer in writers:
            outcome[settle(writer, rest, found)] += 1
            self.content.add(writer.content)
        # Read again: a merge job may have been running during the first reading.
        said = differences(self.content, snapshot(rest))
        if said:
            raise Wrong("\n  ".join([f"{len(said)} or more differences:", *said]))
        check_unlocked(rest, [id for writer in writers for id in writer.content.contacts])
        for key in ("did", "did not"):
            self.totals[key] += outcome[key]
        return outcome


def run(engine, rounds, seed=None, writers=6):
    """Raises Wrong at the first broken promise; the totals otherwise."""
    seed = random.randrange(10**6) if seed is None else seed
    print(f"{rounds} rounds on {engine}, seed {seed}", flush=True)
    chaos = Chaos(engine, seed, writers)
    try:
        for number in range(1, rounds + 1):
            try:
                chaos.round(number)
            except BaseException:
                print(f"failed in round {number} on {engine}, seed {seed}; the server's last words:\n{chaos.server.tail()}", flush=True)
                raise
    finally:
        chaos.close()
    return chaos.totals


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--writers", type=int, default=6)
    options = parser.parse_args()
    totals = run(options.engine, options.rounds, options.seed, options.writers)
    print(
        f"{options.rounds} kills on {options.engine}: {totals['acknowledged']:,} acknowledged writes, {totals['merges']:,} of them merges, {totals['groups']:,} of "
        f"groups and {totals['undos']:,} undos, none lost; {totals['jobs']} jobs under way, at least {totals['unfinished jobs']} of them cut short and finished after the restart; "
        f"of the requests under way {totals['did']} had happened whole and {totals['did not']} not at all"
    )


if __name__ == "__main__":
    main()
