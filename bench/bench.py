#!/usr/bin/env python3
"""Speed as ratios: Tributary beside code written by hand for the same work, on the same machine, data and engine.

usage: bench.py [--only abcdefghr] [--repetitions N] [--seconds N] [--million N]

SQLite. Each figure is the median of several repetitions that alternate with those of its yardstick. The yardsticks are
C programs against SQLite's own interface (handwritten.c), nginx and,
for bulk jobs, SQLite's shell. "Same rows" yardsticks write what the server writes,
its change log included; "records only" leaves the log out.
"""

import argparse
import csv
import io
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from page_sql import FIELDS, page_sql
from tools import (
    QUIET,
    Server,
    Store,
    alternating,
    compiled,
    free_port,
    machine,
    number,
    journal_statements,
    resident_mb,
    sequence,
    table,
    take,
    wrk,
)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
from rest import Rest  # noqa: E402
from tributary_server import ALL_SCOPES  # noqa: E402

CLIENTS = 8
# Seven of the eight lists of a merged contact: module, lookup, a body that makes one row. The
# eighth is its products, which are link rows.
LISTS = [
    ("Notes", "Parent_Id", {"Note_Title": "Note", "Note_Content": "Some words about a person"}),
    ("Tasks", "Who_Id", {"Subject": "Call"}),
    ("Events", "Who_Id", {"Event_Title": "Visit", "Start_DateTime": "2026-03-04T12:00:00Z", "End_DateTime": "2026-03-04T13:00:00Z"}),
    ("Calls", "Who_Id", {"Subject": "Ring", "Call_Type": "Outbound", "Call_Start_Time": "2026-03-04T12:00:00Z", "Call_Duration": "05:00"}),
    ("Deals", "Contact_Name", {"Deal_Name": "Deal", "Stage": "Qualification"}),
    ("Cases", "Related_To", {"Subject": "Case", "Case_Origin": "Email", "Status": "New"}),
    ("Contacts", "Reporting_To", {"Last_Name": "Report"}),
]


def contact(i):
    """A contact with a value in most of the forty fields."""
    return {
        "Last_Name": f"Last {i}",
        "First_Name": f"First {i}",
        "Salutation": "Ms.",
        "Email": f"person{i}@example.test",
        "Secondary_Email": f"second{i}@example.test",
        "Title": "Head of Things",
        "Department": "Research",
        "Phone": "+49 30 123456",
        "Home_Phone": "+49 30 123457",
        "Other_Phone": "+49 30 123458",
        "Mobile": "+49 170 123456",
        "Fax": "+49 30 123459",
        "Assistant": "Somebody Else",
        "Asst_Phone": "+49 30 123460",
        "Lead_Source": "Advertisement",
        "Date_of_Birth": "1980-02-29",
        "Email_Opt_Out": i % 2 == 0,
        "Skype_ID": f"skype{i}",
        "Twitter": f"twitter{i}",
        "Description": "A few words that describe the person, long enough to look like what people write. " * 2,
        "Mailing_Street": f"{i} Long Street",
        "Mailing_City": "Springfield",
        "Mailing_State": "Oregon",
        "Mailing_Zip": "97477",
        "Mailing_Country": "USA",
        "Other_Street": f"{i} Short Street",
        "Other_City": "Shelbyville",
        "Other_State": "Oregon",
        "Other_Zip": "97478",
        "Other_Country": "USA",
        "Reports_To": "The Board",
    }


BULK_COLUMNS = ["Last_Name", "First_Name", "Email", "Phone", "Department", "Mailing_Street", "Mailing_City", "Mailing_Zip", "Lead_Source", "Date_of_Birth"]
BULK_FILE = 25_000  # the most rows a file may have


# What a row of ours holds, with the indexes it is in; the shell has lower() and no fold().
WHOLE_TABLE = f"""
CREATE TABLE t (id INTEGER PRIMARY KEY, {", ".join(f"{name} TEXT" for name in BULK_COLUMNS)}, full_name TEXT, owner INTEGER, created_by INTEGER,
    modified_by INTEGER, created_time INTEGER, modified_time INTEGER, last_activity_time INTEGER, layout INTEGER, record_status TEXT,
    email_opt_out INTEGER, row_version INTEGER) STRICT;
CREATE INDEX t_owner ON t (owner, id);
CREATE INDEX t_name ON t (lower(full_name)) WHERE full_name IS NOT NULL;
CREATE INDEX t_email ON t (lower(Email)) WHERE Email IS NOT NULL;
CREATE INDEX t_created ON t (created_time, id);
CREATE INDEX t_modified ON t (modified_time, id);
"""
TEXTS = [*(name for name in BULK_COLUMNS if name not in ("Lead_Source", "Date_of_Birth")), "full_name"]
WHOLE_TRIGGERS = f"""
CREATE TABLE change (sequence INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER NOT NULL, at INTEGER NOT NULL, user_id INTEGER NOT NULL,
    origin TEXT NOT NULL, module_id INTEGER NOT NULL, record_id INTEGER NOT NULL, kind TEXT NOT NULL, field_id INTEGER, before TEXT, after TEXT) STRICT;
CREATE INDEX change_record ON change (record_id, sequence);
CREATE INDEX change_group ON change (group_id, sequence);
CREATE VIRTUAL TABLE search USING fts5(texts, tokenize = 'trigram', detail = none, columnsize = 0);
CREATE TRIGGER t_added AFTER INSERT ON t BEGIN
    INSERT INTO change (group_id, at, user_id, origin, module_id, record_id, kind)
    VALUES (1, NEW.created_time, NEW.owner, 'bulkapi', 2, NEW.id, 'added');
    INSERT INTO search (rowid, texts) VALUES (NEW.id, {" || ' ' || ".join(f"NEW.{name}" for name in TEXTS)});
END;
"""


class Bench:
    def __init__(self, options, folder):
        self.repetitions, self.seconds, self.million = options.repetitions, options.seconds, options.million
        self.bulk_rows = options.bulk_rows
        self.folder = Path(folder)
        self.hand = compiled("handwritten", folder)
        self.client = compiled("client", folder)
        self.store = Store.sqlite()
        self.server = Server(self.store, QUIET)
        self.rows = [("", "what", "ours", "yardstick", "ratio", "aim", "spread ours", "spread yardstick")]
        self.next_id = 1_000_000_000
        self.idle_mb = self.templates = None

    # The server and its file

    def start(self):
        self.server.start()
        if self.idle_mb is None:
            self.idle_mb = resident_mb(self.server.process.pid)
        self.token = self.server.access_token()
        self.header = {"Authorization": f"Zoho-oauthtoken {self.token}"}
        self.rest = Rest(self.server.base, self.token)
        self.file = next(self.store.folder.glob("data/tributary.db"), None)
        accounts = self.rest.create("Accounts", [{"Account_Name": f"Account {i}"} for i in range(50)])
        boss = self.rest.create("Contacts", [contact(0)])[0]
        self.links = lambda i: {"Account_Name": {"id": accounts[i % 50]}, "Reporting_To": {"id": boss}}
        for start in range(1, 10_001, 100):
            self.rest.create("Contacts", [{**contact(i), **self.links(i)} for i in range(start, start + 100)])

    def database(self):
        connection = sqlite3.connect(self.file, timeout=30, isolation_level=None)
        connection.row_factory = sqlite3.Row
        # The server's own function, which its indexes use; the data here is ASCII.
        connection.create_function("fold", 1, lambda text: text and text.lower(), deterministic=True)
        return connection

    def ids(self, count):
        """Ids that the server will not give out: far below its own."""
        first = self.next_id
        self.next_id += count
        return first

    def forget(self, mark):
        """Takes out the contacts made since, so that every repetition meets a file of the same size."""
        connection = self.database()
        connection.execute("BEGIN IMMEDIATE")
        for low, high in ((1_000_000_000, self.next_id), (mark, 2**62)):
            connection.execute("DELETE FROM sys_change WHERE record_id > ? AND record_id < ?", (low, high))
            connection.execute("DELETE FROM m_contacts WHERE id > ? AND id < ?", (low, high))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    def mark(self):
        """The newest contact: everything above it is the benchmark's."""
        return self.database().execute("SELECT max(id) FROM m_contacts").fetchone()[0]

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def run_hand(self, *arguments):
        done = subprocess.run([self.hand, *map(str, arguments)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"the yardstick failed: {done.stderr}")
        return done.stdout

    def add(self, letter, what, ours, theirs, aim, unit, more_is_better=True):
        ratio = ours.median / theirs.median
        verdict = ""
        if aim is not None:
            good = ratio >= aim if more_is_better else ratio <= aim
            verdict = f"{'≥' if more_is_better else '≤'} {aim} {'yes' if good else 'NO'}"
        self.rows.append(
            (
                letter,
                what,
                f"{number(ours.median)} {unit}",
                f"{number(theirs.median)} {unit}",
                f"{ratio:.2f}",
                verdict,
                ours.spread(),
                theirs.spread(),
            )
        )

    # (a) to (h)

    def page(self):
        """(a) 200 contacts of 40 fields over HTTP; the same JSON made by SQLite in process."""
        fields = {field["api_name"]: field for field in self.rest.get("settings/fields", params={"module": "Contacts"}).body["fields"]}
        users = self.rest.get("users", params={"type": "AllUsers"}).body["users"]
        path = f"/crm/v7/Contacts?fields={','.join(FIELDS)}"
        answer = self.rest.get(path)
        offset = answer.body["data"][0]["Created_Time"][-6:]
        sql = self.write("page.sql", page_sql(fields, users, offset))
        text = self.database().execute(Path(sql).read_text()).fetchone()[0]
        if problem := different(answer.body["data"], json.loads(text)["data"]):
            print(f"note: the two pages of (a) differ: {problem}")
        url = self.server.base + path
        for connections, threads in ((1, 1), (CLIENTS, 2)):
            ours, theirs = alternating(
                self.repetitions,
                lambda: wrk(url, connections=connections, seconds=self.seconds, headers=self.header),
                lambda: float(self.run_hand("repeat", self.file, sql, self.seconds, threads).split()[0]),
            )
            what = f"pages of 200 × 40, {len(answer.text):,} bytes; {connections} connections, {threads} threads"
            self.add("a", what, ours, theirs, 1.0, "/s")

    def hand_insert(self, batch, with_log, records):
        """The server's own rows for these records, inserted by a prepared statement; rows a second."""
        made = self.rest.create("Contacts", records)
        connection = self.database()
        rows = [connection.execute("SELECT * FROM m_contacts WHERE id = ?", (id,)).fetchone() for id in made]
        log = [connection.execute("SELECT * FROM sys_change WHERE record_id = ?", (id,)).fetchone() for id in made]
        width = len(rows[0].keys())
        statements = [f"INSERT INTO m_contacts ({', '.join(rows[0].keys())}) VALUES ({', '.join(f'?{i + 1}' for i in range(width))})"]
        if with_log:
            names = [name for name in log[0].keys() if name != "sequence"]
            places = ["?1" if name == "record_id" else f"?{width + 1 + i}" for i, name in enumerate(names)]
            statements.append(f"INSERT INTO sys_change ({', '.join(names)}) VALUES ({', '.join(places)})")

        def run():
            first = self.ids(50_000_000)
            lines = []
            for row, change in zip(rows, log):
                values = [first, *row[1:]] + ([change[name] for name in names] if with_log else [])
                lines.append("\t".join(cell(value) for value in values))
            sql, data = self.write("insert.sql", "\n".join(statements)), self.write("insert.rows", "\n".join(lines))
            rate = float(self.run_hand("insert", self.file, sql, data, batch, self.seconds).split()[0])
            self.forget(mark)
            return rate

        mark = self.mark()
        connection.close()
        return run

    def served_insert(self, records, connections):
        """Creates through the API; rows a second."""
        mark, url, body = self.mark(), self.server.base + "/crm/v7/Contacts", json.dumps({"data": records})

        def run():
            rate = wrk(url, connections=connections, seconds=self.seconds, headers=self.header, method="POST", body=body)
            self.forget(mark)
            return len(records) * rate

        return run

    def inserts(self):
        """(b) 100 records a call."""
        records = [{**contact(i), **self.links(i)} for i in range(100)]
        for connections in (1, 4):
            ours, same, bare = alternating(
                self.repetitions,
                self.served_insert(records, connections),
                self.hand_insert(100, True, records),
                self.hand_insert(100, False, records),
            )
            self.add("b", f"100 contacts a call, {connections} connections; same rows", ours, same, 0.5, "rows/s")
            self.add("b", f"100 contacts a call, {connections} connections; records only", ours, bare, None, "rows/s")

    def creates(self):
        """(c) one durable create at a time from eight clients; the same inserts one by one in process."""
        records = [{**contact(1), **self.links(1)}]
        ours, same, bare = alternating(
            self.repetitions, self.served_insert(records, CLIENTS), self.hand_insert(1, True, records), self.hand_insert(1, False, records)
        )
        self.add("c", f"single durable creates, {CLIENTS} clients; same rows", ours, same, 0.6, "/s")
        self.add("c", f"single durable creates, {CLIENTS} clients; records only", ours, bare, None, "/s")

    def related_templates(self):
        """One row of each list, made by the server, to be copied."""
        owner = self.rest.create("Contacts", [contact(1)])[0]
        templates = []
        for module, lookup, body in LISTS:
            value = {"id": owner, **({"module": {"api_name": "Contacts"}} if module == "Notes" else {})}
            id = self.rest.create(module, [{**body, lookup: value}])[0]
            templates.append((f"m_{module.lower()}", lookup.lower(), int(id)))
        product = self.rest.create("Products", [{"Product_Name": "Product"}])[0]
        templates.append(("m_contacts_x_products", "parent", int(product)))
        return templates

    def pairs(self, count, related):
        """Pairs of contacts, the child of each with so many related rows, spread over eight lists."""
        connection = self.database()
        if self.templates is None:
            self.templates = self.related_templates()
            self.template_contact = int(self.rest.create("Contacts", [{**contact(2), **self.links(2)}])[0])
        first = self.ids(2 * count)
        connection.execute("BEGIN IMMEDIATE")
        copy(connection, "m_contacts", self.template_contact, first, 2 * count, {})
        pairs = [(first + 2 * i, first + 2 * i + 1) for i in range(count)]
        for index, (table_name, column, template) in enumerate(self.templates):
            each = related // 8 + (1 if index < related % 8 else 0)
            for _, child in pairs:
                start = self.ids(each)
                if table_name == "m_contacts_x_products":
                    products = copy(connection, "m_products", template, self.ids(each), each, {})
                    link(connection, start, child, products, template)
                else:
                    copy(connection, table_name, template, start, each, {column: child})
        connection.execute("COMMIT")
        connection.close()
        return pairs

    def hand_merge_sql(self, with_log):
        """The row changes of one merge, as statements over ?1, the master, and ?2, the child."""
        connection = self.database()
        change = connection.execute("SELECT * FROM sys_change WHERE kind = 'repoint' LIMIT 1").fetchone()
        grave = connection.execute("SELECT * FROM sys_grave WHERE kind = 'merged' LIMIT 1").fetchone()
        lines = []
        for table_name, column, _ in self.templates:
            if with_log:
                lines.append(
                    "INSERT INTO sys_change (group_id, at, user_id, origin, module_id, record_id, kind, field_id, before, after) "
                    f"SELECT ?1, {change['at']}, {change['user_id']}, '{change['origin']}', {change['module_id']}, id, 'repoint', "
                    f"{change['field_id']}, CAST(?2 AS TEXT), CAST(?1 AS TEXT) FROM {table_name} WHERE {column} = ?2"
                )
            lines.append(f"UPDATE {table_name} SET {column} = ?1, row_version = row_version + 1 WHERE {column} = ?2")
        image = grave["image"].replace("'", "''")
        if with_log:
            lines += journal_statements(lambda query: connection.execute(query).fetchone(), "?1", "?2")
        lines += [
            f"INSERT INTO sys_grave (id, module_id, kind, display_name, created_by, deleted_by, deleted_at, group_id, successor, image) "
            f"VALUES (?2, {grave['module_id']}, 'merged', 'x', {grave['created_by']}, {grave['deleted_by']}, {grave['deleted_at']}, ?1, ?1, '{image}')",
            "DELETE FROM m_contacts WHERE id = ?2",
            f"UPDATE m_contacts SET phone = '555', modified_time = {grave['deleted_at']}, row_version = row_version + 1 WHERE id = ?1",
        ]
        connection.close()
        return "\n".join(lines)

    def server_merges(self, pairs):
        body = '{"merge":[{"data":[{"id":"%d","_fields":[{"api_name":"Phone"}]}]}]}'
        requests = [("POST", f"/crm/v7/Contacts/{master}/actions/merge", body % child) for master, child in pairs]
        header = f"Authorization: Zoho-oauthtoken {self.token}"
        milliseconds = [milliseconds for _, milliseconds in sequence(self.client, self.server.port, header, requests)]
        self.check_moved(pairs)
        return milliseconds

    def check_moved(self, pairs):
        """No row is left with a child: what was measured was done."""
        connection = self.database()
        low, high = pairs[0][0], pairs[-1][1]
        for table_name, column, _ in self.templates:
            left = connection.execute(
                f"SELECT count(*) FROM {table_name} WHERE {column} BETWEEN ? AND ? AND {column} % 2 = ?", (low, high, pairs[0][1] % 2)
            ).fetchone()[0]
            assert left == 0, f"{left} rows of {table_name} still hang on merged contacts"
        connection.close()

    def hand_merges(self, pairs, sql):
        file = self.write("pairs", "\n".join(f"{master} {child}" for master, child in pairs) + "\n")
        milliseconds = [float(line) for line in self.run_hand("merge", self.file, self.write("merge.sql", sql), file).split()]
        self.check_moved(pairs)
        return milliseconds

    def merges(self):
        """(d) a merge with related rows in eight lists; one transaction written by hand for the same row changes."""
        self.server_merges(self.pairs(20, 10))  # warm, and gives the log and the graves a row to copy
        for related, aim, most in ((10, 3, 2), (500, 1.5, 4), (5000, 1.3, 40)):
            each = 4 if related > 1000 else 10

            def median(measure, *arguments):
                return statistics.median(measure(self.pairs(each, related), *arguments))

            ours, same, bare = alternating(
                self.repetitions,
                lambda: median(self.server_merges),
                lambda: median(self.hand_merges, self.hand_merge_sql(True)),
                lambda: median(self.hand_merges, self.hand_merge_sql(False)),
            )
            self.add("d", f"merge with {related:,} related rows (≤ {most} ms); same rows", ours, same, aim, "ms", more_is_better=False)
            self.add("d", f"merge with {related:,} related rows; records only", ours, bare, None, "ms", more_is_better=False)

    def single(self):
        """(e) one record over HTTP; nginx with a file of the same size."""
        id = self.rest.create("Contacts", [{**contact(3), **self.links(3)}])[0]
        answer = self.rest.get(f"Contacts/{id}")
        with Nginx(self.folder, answer.text) as nginx:
            ours, theirs = alternating(
                self.repetitions,
                lambda: wrk(f"{self.server.base}/crm/v7/Contacts/{id}", connections=CLIENTS, seconds=self.seconds, headers=self.header),
                lambda: wrk(nginx.url, connections=CLIENTS, seconds=self.seconds),
            )
        self.add("e", f"one record of {len(answer.text):,} bytes, {CLIENTS} clients; nginx, same size", ours, theirs, 0.25, "/s")

    def large(self):
        """(f) a merge among a million contacts; among ten thousand."""
        self.close()
        self.templates = None
        self.store = Store.sqlite()
        self.server = Server(self.store, QUIET)
        self.start()

        def measure():
            return statistics.median(self.server_merges(self.pairs(30, 10)))

        measure()
        small = alternating(self.repetitions, measure)[0]
        connection = self.database()
        there = connection.execute("SELECT count(*) FROM m_contacts").fetchone()[0]
        for start in range(there, self.million, 50_000):
            connection.execute("BEGIN IMMEDIATE")
            copy(connection, "m_contacts", self.template_contact, self.ids(50_000), min(50_000, self.million - start), {})
            connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        measure()
        big = alternating(self.repetitions, measure)[0]
        self.add("f", f"merge among {self.million:,} contacts; among {there:,}", big, small, 1.3, "ms", more_is_better=False)

    def bulk(self):
        """(h) a bulk write and a bulk read of 100,000 contacts; SQLite's shell, .import and .once.

        Three imports: of the ten columns into a bare table with two indexes; of whole rows into a table with the columns that ours
        fill and the indexes that ours have; and the same with the change log and an FTS5 table of trigrams kept by triggers."""
        self.rest.token = self.server.access_token([*ALL_SCOPES, "ZohoFiles.files.ALL"])
        files = [self.bulk_file(start) for start in range(0, self.bulk_rows, BULK_FILE)]
        uploads = [self.upload(text) for text in files]
        paths = [self.write(f"bulk{index}.csv", text) for index, text in enumerate(files)]
        mark = self.mark()

        def served_write():
            begin = time.monotonic()
            resource = lambda file: {  # noqa: E731
                "type": "data",
                "module": {"api_name": "Contacts"},
                "file_id": file,
                "field_mappings": [
                    {"api_name": name, "index": index, **({"format": "yyyy-MM-dd"} if name == "Date_of_Birth" else {})}
                    for index, name in enumerate(BULK_COLUMNS)
                ],
            }
            jobs = [
                self.rest.post("/crm/bulk/v7/write", {"operation": "insert", "resource": [resource(file)]}).body["details"]["id"]
                for file in uploads
            ]
            for job in jobs:
                done = self.ended(lambda: self.rest.get(f"/crm/bulk/v7/write/{job}").body, "status")
                assert done["resource"][0]["file"]["skipped_count"] == 0, done
            return self.bulk_rows / (time.monotonic() - begin)

        def hand_write():
            target = self.folder / "import.db"
            target.unlink(missing_ok=True)
            columns = ", ".join(f"{name} TEXT" for name in BULK_COLUMNS)
            indexes = "".join(f"CREATE INDEX i_{name} ON t ({name});" for name in ("Last_Name", "Email"))
            imports = "\n".join(f".import --csv --skip 1 {path} t" for path in paths)
            return self.bulk_rows / self.shell(target, f"PRAGMA journal_mode = WAL; CREATE TABLE t ({columns}); {indexes}\n{imports}\n")

        whole = [self.write(f"whole{index}.csv", self.whole_rows(start)) for index, start in enumerate(range(0, self.bulk_rows, BULK_FILE))]

        def hand_rows(triggers):
            target = self.folder / "import.db"
            target.unlink(missing_ok=True)
            imports = "\n".join(f".import --csv {path} t" for path in whole)
            return self.bulk_rows / self.shell(target, f"PRAGMA journal_mode = WAL; {WHOLE_TABLE}{WHOLE_TRIGGERS if triggers else ''}\n{imports}\n")

        def served_read():
            begin = time.monotonic()
            query = {"module": {"api_name": "Contacts"}, "fields": BULK_COLUMNS}
            answer = self.rest.post("/crm/bulk/v7/read", {"query": query}, headers={"Content-Type": "application/json"})
            job = answer.item()["details"]["id"]
            done = self.ended(lambda: self.rest.get(f"/crm/bulk/v7/read/{job}").item(), "state")
            return done["result"]["count"] / (time.monotonic() - begin)

        def hand_read():
            names = ", ".join(name.lower() for name in BULK_COLUMNS)
            count = self.database().execute("SELECT count(*) FROM m_contacts").fetchone()[0]
            return count / self.shell(self.file, f".mode csv\n.headers on\n.once {self.folder}/out.csv\nSELECT id, {names} FROM m_contacts ORDER BY id;\n")

        def write_and_forget():
            rate = served_write()
            self.forget(mark)
            return rate

        repetitions = min(self.repetitions, 3)
        same_rows = self.hand_insert(500, True, [{name: contact(i)[name] for name in BULK_COLUMNS} for i in range(100)])
        ours, theirs, indexed, logged, same = alternating(
            repetitions, write_and_forget, hand_write, lambda: hand_rows(False), lambda: hand_rows(True), same_rows
        )
        self.add("h", f"bulk write of {self.bulk_rows:,} contacts of 10 columns; .import of the columns, two indexes", ours, theirs, 0.33, "rows/s")
        self.add("h", f"bulk write of {self.bulk_rows:,} contacts of 10 columns; .import of whole rows, the same indexes", ours, indexed, 0.33, "rows/s")
        self.add("h", f"bulk write of {self.bulk_rows:,} contacts of 10 columns; … with change log and trigrams", ours, logged, 0.33, "rows/s")
        self.add("h", f"bulk write of {self.bulk_rows:,} contacts of 10 columns; same rows", ours, same, 0.33, "rows/s")
        served_write()
        ours, theirs = alternating(repetitions, served_read, hand_read)
        self.add("h", f"bulk read of {self.bulk_rows:,} contacts, zipped; .once, not zipped", ours, theirs, 0.33, "rows/s")
        self.forget(mark)

    def bulk_file(self, start):
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(BULK_COLUMNS)
        for i in range(start, min(start + BULK_FILE, self.bulk_rows)):
            rows.writerow([str(contact(i).get(name, "")) for name in BULK_COLUMNS])
        return text.getvalue()

    def whole_rows(self, start):
        """The rows as our table holds them: the file's columns, and what the server adds."""
        text = io.StringIO()
        rows = csv.writer(text)
        for i in range(start, min(start + BULK_FILE, self.bulk_rows)):
            person = contact(i)
            now = 1_760_000_000_000 + i // 50
            rows.writerow([
                700_000_000_000_000_000 + i * 500, *(person.get(name, "") for name in BULK_COLUMNS), f"{person['First_Name']} {person['Last_Name']}",
                100_000_000_000_000_021, 100_000_000_000_000_021, 100_000_000_000_000_021, now, now, now, 100_000_000_000_000_100, "Available", 0, 0,
            ])
        return text.getvalue()

    def upload(self, text):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("contacts.csv", text)
        headers = {"Authorization": f"Zoho-oauthtoken {self.rest.token}", "feature": "bulk-write", "X-CRM-ORG": self.rest.get("org").item("org")["zgid"]}
        answer = self.rest.session.post(f"{self.server.base}/crm/v7/upload", files={"file": ("contacts.zip", content.getvalue())}, headers=headers, timeout=120)
        return answer.json()["details"]["file_id"]

    def ended(self, look, key):
        while (found := look())[key] != "COMPLETED":
            assert not found[key].startswith("FAIL"), found
            time.sleep(0.02)
        return found

    def shell(self, file, script):
        """Seconds that SQLite's shell takes for a script."""
        begin = time.monotonic()
        subprocess.run(["sqlite3", str(file)], input=script, text=True, check=True, capture_output=True)
        return time.monotonic() - begin

    def memory(self):
        """(g) resident memory, idle after the start."""
        now = resident_mb(self.server.process.pid)
        good = "yes" if self.idle_mb <= 60 else "NO"
        self.rows.append(("g", "resident memory: idle after start; after all of this", f"{self.idle_mb:.0f} MB; {now:.0f} MB", "", "", f"≤ 60 {good}", "", ""))

    def rights(self):
        """(r) pages of 200 for a user who sees half of a private module; the same pages while it is public."""
        top = self.rest.get("settings/roles").body["roles"][0]["id"]
        profile = self.rest.get("settings/profiles").body["profiles"][1]["id"]
        role = self.rest.post("settings/roles", {"roles": [{"name": "Sellers", "reporting_to": top}]}).body["roles"][0]["details"]["id"]
        person = {"last_name": "Seller", "email": "seller@example.test", "role": role, "profile": {"id": profile}}
        seller = self.rest.post("users", {"users": [person]}).body["users"][0]["details"]["id"]
        connection = self.database()
        connection.execute("UPDATE m_contacts SET owner = ? WHERE id % 2 = 0", (int(seller),))
        connection.close()
        header = {"Authorization": f"Zoho-oauthtoken {self.server.access_token(user='seller@example.test')}"}
        settings = self.rest.get("settings/data_sharing").body["data_sharing"]
        module = next(setting["module"] for setting in settings if setting["module"]["api_name"] == "Contacts")

        def pages(share_type):
            body = {"data_sharing": [{"module": {"id": module["id"]}, "share_type": share_type}]}
            assert self.rest.put("settings/data_sharing", body).status == 200
            path = f"/crm/v7/Contacts?fields={','.join(FIELDS)}"
            return wrk(self.server.base + path, connections=CLIENTS, seconds=self.seconds, headers=header)

        limited, public = alternating(self.repetitions, lambda: pages("private"), lambda: pages("public"))
        # At most one and a half times the cost.
        self.add("r", f"pages of 200 with rights on records, {CLIENTS} clients; without", limited, public, 0.67, "/s")
        pages("public")

    def close(self):
        self.server.kill()
        self.store.remove()


class Nginx:
    """nginx on a free port with one file."""

    def __init__(self, folder, text):
        self.folder = Path(folder) / "nginx"
        self.folder.mkdir(exist_ok=True)
        (self.folder / "record.json").write_text(text)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/record.json"
        self.configuration = self.folder / "nginx.conf"
        self.configuration.write_text(
            f"""
            daemon off; worker_processes 2; pid {self.folder}/pid; error_log {self.folder}/error.log;
            events {{ worker_connections 256; }}
            http {{
                access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max=10;
                types {{ application/json json; }}
                client_body_temp_path {self.folder}/a; proxy_temp_path {self.folder}/b; fastcgi_temp_path {self.folder}/c;
                uwsgi_temp_path {self.folder}/d; scgi_temp_path {self.folder}/e;
                server {{ listen 127.0.0.1:{self.port}; root {self.folder}; }}
            }}
            """
        )

    def __enter__(self):
        # Its workers drop root's rights and must still reach the file.
        for folder in (self.folder, *self.folder.parents):
            if str(folder).startswith(tempfile.gettempdir() + "/"):
                folder.chmod(0o755)
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-c", str(self.configuration), "-p", str(self.folder)])
        for _ in range(200):
            try:
                Rest(f"http://127.0.0.1:{self.port}").session.get(self.url, timeout=1).raise_for_status()
                return self
            except OSError:
                time.sleep(0.02)
        raise SystemExit("nginx does not answer")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def cell(value):
    """A value as handwritten.c reads it."""
    if value is None:
        return "n"
    kind = "i" if isinstance(value, int) else "r" if isinstance(value, float) else "t"
    return kind + str(value).replace("\t", " ").replace("\n", " ")


def copy(connection, table_name, template, first, count, values):
    """Rows like the template, with new ids and some columns set; their ids."""
    columns = [row["name"] for row in connection.execute(f"PRAGMA table_info({table_name})")]
    chosen = ["n.value" if name == "id" else str(values[name]) if name in values else f"t.{name}" for name in columns]
    connection.execute(
        f"INSERT INTO {table_name} ({', '.join(columns)}) SELECT {', '.join(chosen)} FROM {table_name} t, "
        f"(WITH RECURSIVE n(value) AS (SELECT ? UNION ALL SELECT value + 1 FROM n WHERE value + 1 < ?) SELECT value FROM n) n WHERE t.id = ?",
        (first, first + count, template),
    )
    return range(first, first + count)


def link(connection, first, child, products, template):
    """Link rows between a contact and products."""
    at, user = connection.execute("SELECT created_time, created_by FROM m_products WHERE id = ?", (template,)).fetchone()
    connection.executemany(
        "INSERT INTO m_contacts_x_products (id, parent, product, created_by, modified_by, created_time, modified_time) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(first + i, child, product, user, user, at, at) for i, product in enumerate(products)],
    )


def different(ours, theirs):
    """The first difference of two pages, or None."""
    if len(ours) != len(theirs):
        return f"{len(ours)} and {len(theirs)} rows"
    for a, b in zip(ours, theirs):
        for name in FIELDS:
            if a.get(name) != b.get(name):
                return f"{name} is {a.get(name)!r} and {b.get(name)!r}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="abcdefghr", help="letters of the figures to take")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each repetition of a rate")
    parser.add_argument("--million", type=int, default=1_000_000, help="contacts of the large database of (f)")
    parser.add_argument("--bulk-rows", type=int, default=100_000, help="contacts of the bulk jobs of (h)")
    options = parser.parse_args()
    # (d) leaves rows behind, and (f) begins anew.
    figures = {"a": Bench.page, "e": Bench.single, "c": Bench.creates, "d": Bench.merges, "r": Bench.rights, "b": Bench.inserts, "h": Bench.bulk, "g": Bench.memory, "f": Bench.large}
    print(f"machine: {machine()}; SQLite {sqlite3.sqlite_version}; medians of {options.repetitions}", flush=True)
    with tempfile.TemporaryDirectory(prefix="tributary-bench-") as folder:
        bench = Bench(options, folder)
        take(bench, figures, options.only)
        table([bench.rows[0], *sorted(bench.rows[1:], key=lambda row: row[0])])
    print(f"\nmachine afterwards: {machine()}")


if __name__ == "__main__":
    main()
