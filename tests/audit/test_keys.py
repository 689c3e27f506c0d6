"""The files of the journal's secrets, where several processes share the disk."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from headshotly.audit import keys


def test_machines_that_start_together_agree_on_one_secret(tmp_path: Path, monkeypatch) -> None:
    """In containers on a shared disk even the process ids are the same."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    path = tmp_path / "journal-outbox-key"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: keys._make(path), range(40)))
    assert [one.name for one in tmp_path.iterdir()] == [path.name], "no scratch file stays"
    assert len(path.read_bytes()) == 32
    assert path.stat().st_mode & 0o077 == 0
