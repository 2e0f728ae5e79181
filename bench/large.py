#!/usr/bin/env python3
"""Questions to a large organisation beside the same questions in hand-written SQL, and uploads beside a file copy.

usage: large.py [--only wkjson] [--repetitions N] [--contacts N] [--megabytes N]

(w) search by a word over all text fields; the yardstick is an FTS5 table of words made for the purpose
(k) search by criteria on two fields
(j) a COQL query through a lookup, 200 rows
(s) a COQL aggregate with GROUP BY over a fifth of all records
(o) the upload of a file, until it is kept for good, beside a copy of it that is flushed to disk
(n) start and memory with 500 custom fields in 50 custom modules, beside those of a new organisation

SQLite. A question is timed from the request to the last byte of the answer; its yardstick runs inside the process that asks,
without HTTP and JSON. Figures are medians of repetitions that alternate.
"""

import argparse
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools import QUIET, Server, Store, alternating, machine, number, resident_mb, table, take

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
from rest import Rest  # noqa: E402

# Some 850 syllables, of two and three letters.
OPEN = [a + b for a in "bcdfghjklmnprstvwz" for b in "aeiou"]
SYLLABLES = OPEN + [a + c for a in OPEN for c in "lnrstkmp"]
SOURCES = ["Advertisement", "Cold Call", "Employee Referral", "Online Store", "Partner"]
FIELDS = "First_Name,Last_Name,Email,Mailing_City"
COLUMNS = "id, first_name, last_name, email, mailing_city"


def word(random_source, syllables=3):
    return "".join(random_source.choice(SYLLABLES) for _ in range(syllables)).capitalize()


class LargeBench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = Path(folder)
        self.store = Store.sqlite()
        self.server = Server(self.store, QUIET)
        self.rows = [("", "what", "ours", "yardstick", "ratio", "aim", "spread ours", "spread yardstick")]

    def start(self):
        self.server.start()
        self.token = self.server.access_token()
        self.rest = Rest(self.server.base, self.token)

    def add(self, letter, what, ours, theirs, aim, unit, more_is_better=False):
        ratio = ours.median / theirs.median
        good = ratio >= aim if more_is_better else ratio <= aim
        sign = "≥" if more_is_better else "≤"
        self.rows.append(
            (letter, what, f"{number(ours.median)} {unit}", f"{number(theirs.median)} {unit}", f"{ratio:.2f}", f"{sign} {aim} {'yes' if good else 'NO'}", ours.spread(), theirs.spread())
        )

    # A million contacts

    def fill(self):
        source = random.Random(7)
        accounts = []
        for start in range(0, 1000, 100):
            items = [{"Account_Name": f"{word(source)} {start + i}", "Industry": "Energy" if i % 50 == 0 else "Banking"} for i in range(100)]
            accounts += self.rest.create("Accounts", items)
        cities = [word(source) for _ in range(1000)]
        self.names = [word(source) for _ in range(self.options.contacts // 20)]

        def contacts(start):
            chosen = random.Random(start)
            return [
                {
                    "First_Name": word(chosen, 2), "Last_Name": chosen.choice(self.names), "Email": f"p{start + i}@{chosen.choice(cities).lower()}.test",
                    "Mailing_City": chosen.choice(cities), "Lead_Source": SOURCES[(start + i) % 5], "Account_Name": {"id": chosen.choice(accounts)},
                }
                for i in range(100)
            ]

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda start: Rest(self.server.base, self.token).create("Contacts", contacts(start)), range(0, self.options.contacts, 100)))
        (self.file,) = self.store.folder.glob("data/tributary.db")
        self.cities = cities
        self.database = sqlite3.connect(self.file, timeout=30)
        self.database.create_function("fold", 1, lambda text: text and text.lower(), deterministic=True)

    def ask(self, call, statement, parameters=()):
        """Milliseconds of a request and of its yardstick, and how many rows each found."""

        def ours():
            begin = time.perf_counter()
            answer = call()
            passed = (time.perf_counter() - begin) * 1000
            assert answer.status in (200, 204), answer.text
            self.found = len(answer.body["data"]) if answer.status == 200 else 0
            return passed

        def theirs():
            begin = time.perf_counter()
            rows = self.database.execute(statement, parameters).fetchall()
            passed = (time.perf_counter() - begin) * 1000
            self.expected = len(rows)
            return passed

        ours(), theirs()
        figures = alternating(self.options.repetitions, ours, theirs)
        assert self.found == self.expected, f"{self.found} and {self.expected} rows"
        return figures

    def words(self):
        """(w) search by a word"""
        words = sqlite3.connect(self.folder / "words.db")
        words.execute("CREATE VIRTUAL TABLE words USING fts5(first_name, last_name, email, mailing_city, content='')")
        words.executemany("INSERT INTO words (rowid, first_name, last_name, email, mailing_city) VALUES (?, ?, ?, ?, ?)", self.database.execute(f"SELECT {COLUMNS} FROM m_contacts"))
        words.commit()
        words.close()
        self.database.execute("ATTACH ? AS w", (str(self.folder / "words.db"),))
        name = self.names[5]
        ours, theirs = self.ask(
            lambda: self.rest.get("Contacts/search", params={"word": name, "fields": FIELDS, "per_page": 200}),
            f"SELECT {COLUMNS} FROM m_contacts WHERE id IN (SELECT rowid FROM w.words WHERE words MATCH ?) ORDER BY id DESC LIMIT 200",
            (name.lower(),),
        )
        self.add("w", f"a word among {self.options.contacts:,} contacts, {self.found} found; FTS5 of words", ours, theirs, 20, "ms")

    def criteria(self):
        """(k) search by criteria"""
        name, letter = self.names[9], self.cities[0][0]
        ours, theirs = self.ask(
            lambda: self.rest.get("Contacts/search", params={"criteria": f"((Last_Name:equals:{name})and(Mailing_City:starts_with:{letter}))", "fields": FIELDS, "per_page": 200}),
            f"SELECT {COLUMNS} FROM m_contacts WHERE fold(last_name) LIKE '%' || ? || '%' AND fold(mailing_city) LIKE ? || '%' ORDER BY id DESC LIMIT 200",
            (name.lower(), letter.lower()),
        )
        self.add("k", f"two criteria, {self.found} found; the same tests over all rows", ours, theirs, 0.1, "ms")

    def join(self):
        """(j) a COQL query through a lookup"""
        name = self.names[3][:4]
        query = f"select Last_Name, Account_Name.Account_Name from Contacts where Last_Name like '{name}%' and Account_Name.Industry = 'Energy' limit 200"
        ours, theirs = self.ask(
            lambda: self.rest.post("coql", {"select_query": query}),
            "SELECT c.id, c.last_name, a.account_name FROM m_contacts c JOIN m_accounts a ON a.id = c.account_name "
            "WHERE fold(c.last_name) >= ? AND fold(c.last_name) < ? AND a.industry = 'Energy' ORDER BY c.id LIMIT 200",
            (name.lower(), name.lower()[:-1] + chr(ord(name.lower()[-1]) + 1)),
        )
        self.add("j", f"COQL through a lookup, {self.found} rows; hand-written join", ours, theirs, 1.2, "ms")

    def aggregate(self):
        """(s) a COQL aggregate"""
        query = "select Mailing_City, COUNT(id) from Contacts where Lead_Source = 'Partner' group by Mailing_City limit 200"
        ours, theirs = self.ask(
            lambda: self.rest.post("coql", {"select_query": query}),
            "SELECT mailing_city, count(id) FROM m_contacts WHERE lead_source = 'Partner' GROUP BY fold(mailing_city) ORDER BY 1 LIMIT 200",
        )
        self.add("s", f"COQL aggregate over {self.options.contacts // 5:,} rows, {self.found} groups; hand-written", ours, theirs, 1.2, "ms")

    # Files

    def upload(self):
        """(o) the upload of a file"""
        size = self.options.megabytes << 20
        path = self.folder / "upload.bin"
        mark = b"--tributary-bench\r\nContent-Disposition: form-data; name=\"file\"; filename=\"large.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        end = b"\r\n--tributary-bench--\r\n"

        def fresh():
            # Other bytes each time: the store keeps equal contents once.
            block = os.urandom(1 << 20)
            with open(path, "wb") as file:
                for i in range(size >> 20):
                    file.write(i.to_bytes(8, "little") + block[8:])

        def body():
            yield mark
            with open(path, "rb") as file:
                while chunk := file.read(1 << 18):
                    yield chunk
            yield end

        def ours():
            fresh()
            begin = time.perf_counter()
            answer = self.rest.call("POST", "files", raw=body(), headers={"Content-Type": "multipart/form-data; boundary=tributary-bench"}, timeout=300)
            assert answer.status in (200, 201), answer.text
            return self.options.megabytes / (time.perf_counter() - begin)

        def theirs():
            fresh()
            begin = time.perf_counter()
            copied = self.folder / "copied.bin"
            shutil.copyfile(path, copied)
            with open(copied, "rb+") as file:
                os.fsync(file.fileno())
            return self.options.megabytes / (time.perf_counter() - begin)

        ours, theirs = alternating(self.options.repetitions, ours, theirs)
        peak = resident_mb(self.server.process.pid)
        self.add("o", f"upload of {self.options.megabytes} MB ({peak:.0f} MB resident afterwards); copy and fsync", ours, theirs, 0.25, "MB/s", more_is_better=True)

    # Metadata

    def metadata(self):
        """(n) start and memory with many custom modules and fields"""

        def start():
            begin = time.perf_counter()
            self.server.start()
            return (time.perf_counter() - begin) * 1000, resident_mb(self.server.process.pid)

        self.server.kill()
        self.store.remove()
        self.store = Store.sqlite()
        self.server = Server(self.store, QUIET)
        self.start()

        def measure():
            self.server.stop()
            self.started = start()
            return self.started[0]

        small = alternating(self.options.repetitions, measure)[0]
        small_memory = self.started[1]
        profiles = self.rest.get("settings/profiles").body["profiles"]
        for number_ in range(50):
            module = {"plural_label": f"Things {number_}", "singular_label": f"Thing {number_}", "profiles": [{"id": profiles[0]["id"]}], "api_name": f"Thing_{number_}", "display_field": {"field_label": "Name", "data_type": "text"}}
            answer = self.rest.post("settings/modules", {"modules": [module]})
            assert answer.status in (200, 201), answer.text
            for half in range(2):
                fields = [{"field_label": f"Field {half} {i}", "data_type": "text", "length": 100} for i in range(5)]
                answer = self.rest.post("settings/fields", {"fields": fields}, params={"module": f"Thing_{number_}"})
                assert answer.status == 201, answer.text
        large = alternating(self.options.repetitions, measure)[0]
        self.add("n", f"start with 500 custom fields in 50 modules ({self.started[1]:.0f} MB); new organisation ({small_memory:.0f} MB)", large, small, 3, "ms")

    def close(self):
        self.server.kill()
        self.store.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="wkjson", help="letters of the figures to take")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--megabytes", type=int, default=100)
    options = parser.parse_args()
    figures = {"w": LargeBench.words, "k": LargeBench.criteria, "j": LargeBench.join, "s": LargeBench.aggregate, "o": LargeBench.upload, "n": LargeBench.metadata}
    print(f"machine: {machine()}; SQLite {sqlite3.sqlite_version}; medians of {options.repetitions}", flush=True)
    with tempfile.TemporaryDirectory(prefix="tributary-bench-") as folder:
        bench = LargeBench(options, folder)

        def fill():
            if set("wkjs") & set(options.only):
                begin = time.perf_counter()
                bench.fill()
                print(f"{options.contacts:,} contacts written in {time.perf_counter() - begin:,.0f} s through the API", flush=True)

        take(bench, figures, options.only, fill)
        table(bench.rows)
    print(f"\nmachine afterwards: {machine()}")


if __name__ == "__main__":
    main()
