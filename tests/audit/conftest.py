"""A journal of one's own for each test, and a real PostgreSQL for those that need one."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.scratch_postgres import ScratchPostgres, available


@pytest.fixture(scope="session")
def scratch_postgres() -> Iterator[ScratchPostgres]:
    """A running cluster; where PostgreSQL is not installed that is said, and fails in CI."""
    if not available():
        sentence = "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    with ScratchPostgres() as cluster:
        yield cluster


@pytest.fixture
def witness_folder(settings, tmp_path: Path) -> Iterator[Path]:
    """An empty witness, and keys of this test only."""
    from headshotly.audit import witnesses

    folder = tmp_path / "witness"
    options = {
        **settings.HEADSHOTLY.options,
        "witness.folder": str(folder),
        "journal.key_file": str(tmp_path / "journal-key"),
        "journal.outbox_key_file": str(tmp_path / "journal-outbox-key"),
    }
    settings.HEADSHOTLY = replace(settings.HEADSHOTLY, options=options)
    witnesses.use_folder()
    yield folder
    witnesses.use_folder()
