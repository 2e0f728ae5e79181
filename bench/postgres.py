"""The parts of the merge benchmark that touch the database, on PostgreSQL: rows copied and checked through psql, and a yardstick of libpq."""

import json
import re
import subprocess
from pathlib import Path

from bench import contact
from tools import HERE, QUIET, Server, Store, journal_statements


def compiled_with_libpq(folder):
    target = Path(folder) / "handwritten_postgres"
    include = subprocess.run(["pg_config", "--includedir"], capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(
        ["gcc", "-O2", "-D_GNU_SOURCE", f"-I{include}", "-o", str(target), str(HERE / "handwritten_postgres.c"), "-lpq"], check=True
    )
    return str(target)


class OnPostgres:
    """Mixed into `MergeBench`."""

    def open_store(self):
        self.hand_postgres = compiled_with_libpq(self.folder)
        self.store = Store.of("postgres")
        self.server = Server(self.store, QUIET)
        base, _, _ = self.store.admin_url.rpartition("/")
        self.url = f"{base}/{self.store.database}"

    def sql(self, *statements):
        arguments = [part for statement in statements for part in ("-c", statement)]
        done = subprocess.run(["psql", self.url, "-v", "ON_ERROR_STOP=1", "-qAt", "-1", *arguments], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout.strip()

    def copying(self, table_name, template, first, count, values):
        """A statement that makes rows like the template, with new ids and some columns set."""
        if table_name not in self.columns:
            query = f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table_name}' ORDER BY ordinal_position"
            self.columns[table_name] = self.sql(query).split("\n")
        names = self.columns[table_name]
        chosen = ["n" if name == "id" else str(values[name]) if name in values else f't."{name}"' for name in names]
        listed = ", ".join(f'"{name}"' for name in names)
        return (
            f"INSERT INTO {table_name} ({listed}) SELECT {', '.join(chosen)} FROM {table_name} t, "
            f"generate_series({first}::bigint, {first + count - 1}::bigint) n WHERE t.id = {template}"
        )

    def pairs(self, count, related):
        if self.templates is None:
            self.columns = {}
            self.templates = self.related_templates()
            self.template_contact = int(self.rest.create("Contacts", [{**contact(2), **self.links(2)}])[0])
        first = self.ids(2 * count)
        statements = [self.copying("m_contacts", self.template_contact, first, 2 * count, {})]
        pairs = [(first + 2 * i, first + 2 * i + 1) for i in range(count)]
        for index, (table_name, column, template) in enumerate(self.templates):
            each = related // 8 + (1 if index < related % 8 else 0)
            for _, child in pairs:
                start = self.ids(each)
                if table_name == "m_contacts_x_products":
                    product = self.ids(each)
                    statements.append(self.copying("m_products", template, product, each, {}))
                    statements.append(
                        f"INSERT INTO {table_name} (id, parent, product, created_by, modified_by, created_time, modified_time) "
                        f"SELECT {start} + p.id - {product}, {child}, p.id, p.created_by, p.created_by, p.created_time, p.created_time "
                        f"FROM m_products p WHERE p.id >= {product} AND p.id < {product + each}"
                    )
                else:
                    statements.append(self.copying(table_name, template, start, each, {column: child}))
        self.sql(*statements)
        self.sql_alone("VACUUM ANALYZE")
        return pairs

    def sql_alone(self, statement):
        subprocess.run(["psql", self.url, "-qc", statement], check=True, capture_output=True)

    def hand_merge_sql(self, with_log=True):
        def row(query):
            return json.loads(self.sql(f"SELECT row_to_json(r) FROM ({query} LIMIT 1) r"))

        change = row("SELECT * FROM sys_change WHERE kind = 'repoint'")
        grave = row("SELECT * FROM sys_grave WHERE kind = 'merged'")
        lines = []
        for table_name, column, _ in self.templates:
            lines.append(
                "INSERT INTO sys_change (group_id, at, user_id, origin, module_id, record_id, kind, field_id, before, after) "
                f"SELECT $1, {change['at']}, {change['user_id']}, '{change['origin']}', {change['module_id']}, id, 'repoint', "
                f"{change['field_id']}, $2::text, $1::text FROM {table_name} WHERE {column} = $2"
            )
            lines.append(f"UPDATE {table_name} SET {column} = $1, row_version = row_version + 1 WHERE {column} = $2")
        image = grave["image"].replace("'", "''")
        lines += journal_statements(row, "$1", "$2")
        lines += [
            "INSERT INTO sys_grave (id, module_id, kind, display_name, created_by, deleted_by, deleted_at, group_id, successor, image) "
            f"VALUES ($2, {grave['module_id']}, 'merged', 'x', {grave['created_by']}, {grave['deleted_by']}, {grave['deleted_at']}, $1, $1, '{image}')",
            "DELETE FROM m_contacts WHERE id = $2",
            f"UPDATE m_contacts SET phone = '555', modified_time = {grave['deleted_at']}, row_version = row_version + 1 WHERE id = $1",
        ]
        return "\n".join(re.sub(r"\s+", " ", line) for line in lines)

    def hand_merges(self, pairs, sql):
        listed = self.write("pairs", "\n".join(f"{master} {child}" for master, child in pairs) + "\n")
        done = subprocess.run([self.hand_postgres, self.url, self.write("merge.sql", sql + "\n"), listed], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        self.check_moved(pairs)
        return [float(line) for line in done.stdout.split()]

    def check_moved(self, pairs):
        low, high = pairs[0][0], pairs[-1][1]
        for table_name, column, _ in self.templates:
            left = int(
                self.sql(f"SELECT count(*) FROM {table_name} WHERE {column} BETWEEN {low} AND {high} AND {column} % 2 = {pairs[0][1] % 2}")
            )
            assert left == 0, f"{left} rows of {table_name} still hang on merged contacts"
