"""Every operation of the vendor's client that belongs to a served row of the directory is called by a test.

`operations.tsv` says which operation belongs to which row. What the client itself cannot do is listed here with its reason.
"""

import re
from pathlib import Path

HERE = Path(__file__).parent
UNCALLABLE: dict[str, str] = {}


def served_rows():
    """Rows of the directory that docs/COVERAGE.md calls full or partial."""
    table = re.findall(r"^\| (\w+) \| `[^`]*` \| [^|]* \| (full|partial)", (HERE.parent / "docs/COVERAGE.md").read_text(), re.M)
    return {row for row, _ in table}


def test_each_operation_of_a_served_row_is_called():
    tests = "".join(path.read_text() for path in HERE.glob("*.py") if path.name != Path(__file__).name)
    served, missing = served_rows(), []
    for line in (HERE / "operations.tsv").read_text().splitlines()[1:]:
        row, package, operation = line.split("\t")
        if row in served and not re.search(rf'[".]{operation}["(]', tests) and f"{package}.{operation}" not in UNCALLABLE:
            missing.append(f"{row} {package}.{operation}")
    assert not missing
