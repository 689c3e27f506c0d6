"""The table of ASVS requirements names tests and files that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")


def test_every_test_named_in_the_table_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TABLE)
    assert len(named) > 40
    missing = [f"{file}::{name}" for file, name in named if f"def {name}(" not in (ROOT / file).read_text()]
    assert missing == []


def test_every_file_named_in_the_table_exists():
    assert [name for name in re.findall(r"`((?:docs|headshotly)/[\w./]+)`", TABLE) if not (ROOT / name).exists()] == []


def test_every_row_says_whether_it_is_met():
    rows = [line.split("|") for line in TABLE.splitlines() if re.match(r"\| [678]\.", line)]
    assert len(rows) > 55
    for row in rows:
        assert row[3].strip().startswith(("yes", "partly", "no", "not used")), row
        assert row[4].strip() or row[3].strip() == "not used", row
