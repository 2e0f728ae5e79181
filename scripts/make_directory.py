#!/usr/bin/env python3
"""Writes Sources/RestV7/Resources/directory.tsv, the list of API entries that coverage is measured against.

usage: make_directory.py CONTRACT_FOLDER

The folder holds endpoints.tsv and endpoints_upstream.tsv. Credits are known for few entries: `n`, or `least-most` when
they depend on the request; empty means not known (one, by the general rule).
"""

import sys
from pathlib import Path

COLUMNS = ["n", "section", "title", "method", "path", "alt_paths", "scope", "credits", "page"]

# By method and path; from the limits section of the contract.
CREDITS = {
    ("POST", "/crm/v7/{module}"): "1-10",
    ("PUT", "/crm/v7/{module}"): "1-10",
    ("POST", "/crm/v7/{module}/upsert"): "1-10",
    ("GET", "/crm/v7/{module}/deleted"): "2",
    ("POST", "/crm/v7/Leads/{record_id}/actions/convert"): "5",
    ("POST", "/crm/v7/{module}/{master_record_id}/actions/merge"): "50",
    ("GET", "/crm/v7/{module}/{master_record_id}/actions/merge"): "1",
    ("POST", "/crm/v7/{module}/{record_id}/actions/send_mail"): "20",
    ("POST", "/crm/v7/{module}/{record_id}/actions/download_mail_merge"): "1-5",
    ("POST", "/crm/v7/{module}/actions/add_tags"): "1-50",
    ("POST", "/crm/v7/__composite_requests"): "1-2",
    ("POST", "/crm/v7/coql"): "1-3",
    ("POST", "/crm/bulk/v7/write"): "500",
    ("POST", "/crm/v7/settings/modules"): "500",
}


def entries(path):
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    names = header.split("\t")
    return [dict(zip(names, row.split("\t"), strict=True)) for row in rows if row]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    output = Path(__file__).resolve().parent.parent / "Sources/RestV7/Resources/directory.tsv"
    known = [*entries(folder / "endpoints.tsv"), *entries(folder / "endpoints_upstream.tsv")]
    unused = set(CREDITS) - {(entry["method"], entry["path"]) for entry in known}
    if unused:
        sys.exit(f"credits for entries that do not exist: {sorted(unused)}")
    lines = ["\t".join(COLUMNS)]
    for entry in known:
        entry["credits"] = CREDITS.get((entry["method"], entry["path"]), "")
        entry["page"] = entry["doc"]
        lines.append("\t".join(entry[column] for column in COLUMNS))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{output.name}: {len(known)} entries, {sum(bool(entry['credits']) for entry in known)} with known credits")


if __name__ == "__main__":
    main()
