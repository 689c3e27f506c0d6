"""The ledger of the erased: append-only, doubled, readable after a crash in the middle of a line."""

import datetime as dt
import os
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.policy import clock
from headshotly.vault.erasures import ErasureLedger
from headshotly.vault.errors import StoreFull, StoreUnavailable

ID = uuid.UUID("11111111-1111-4111-8111-111111111111")
WHEN = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


@pytest.fixture
def paths(tmp_path):
    return [tmp_path / "one" / "ledger.txt", tmp_path / "two" / "ledger.txt"]


def test_whoever_is_noted_is_erased_for_every_process(paths):
    mine, other = ErasureLedger(*paths), ErasureLedger(*paths)
    assert not other.holds(ID)
    mine.note(ID, WHEN)
    assert other.holds(ID)
    assert other.erased() == {ID: WHEN}
    assert ErasureLedger(*paths).holds(ID)


def test_noting_twice_keeps_the_first_time(paths):
    ledger = ErasureLedger(*paths)
    ledger.note(ID, WHEN)
    ledger.note(ID, clock.now())
    assert ledger.erased() == {ID: WHEN}


@pytest.mark.parametrize("lost", [0, 1])
def test_one_lost_copy_forgets_nobody(paths, lost):
    ErasureLedger(*paths).note(ID, WHEN)
    paths[lost].unlink()
    assert ErasureLedger(*paths).holds(ID)


def test_a_ledger_that_becomes_shorter_forgets_nobody_in_this_process(paths):
    ledger = ErasureLedger(*paths)
    ledger.note(ID, WHEN)
    assert ledger.holds(ID)
    for path in paths:
        path.write_text("")
    assert ledger.holds(ID)


def test_a_copy_put_back_from_a_backup_is_read_anew(paths):
    ledger = ErasureLedger(*paths)
    others = [uuid.uuid4() for _ in range(3)]
    for one in others:
        ledger.note(one, WHEN)
    assert ledger.holds(others[2])
    for path in paths:
        path.write_text(f"\n{ID} {WHEN.isoformat()}\n")
    assert ledger.holds(ID)


@pytest.mark.parametrize("cut", range(1, 64))
def test_a_line_torn_by_a_crash_hides_nobody(paths, cut):
    """Wherever the line is torn, whoever is noted before and after it is erased."""
    before, after = uuid.uuid4(), uuid.uuid4()
    ledger = ErasureLedger(*paths)
    ledger.note(before, WHEN)
    ledger.note(ID, WHEN)
    for path in paths:
        path.write_bytes(path.read_bytes()[:-cut])
    assert ledger.holds(before)
    ledger.note(after, WHEN)
    for reader in (ledger, ErasureLedger(*paths)):
        assert set(reader.erased()) >= {before, after}
        assert set(reader.erased()) <= {before, ID, after}


@given(noise=st.binary(max_size=200))
def test_noise_in_the_file_hides_nobody(noise, tmp_path_factory):
    path = tmp_path_factory.mktemp("ledger") / "ledger.txt"
    ErasureLedger(path).note(ID, WHEN)
    with path.open("ab") as file:
        file.write(noise)
    late = uuid.uuid4()
    ErasureLedger(path).note(late, WHEN)
    assert set(ErasureLedger(path).erased()) >= {ID, late}


def test_a_full_disk_is_said_and_nothing_is_claimed(paths, monkeypatch):
    ledger = ErasureLedger(*paths)
    monkeypatch.setattr(os, "fsync", lambda _descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(StoreFull):
        ledger.note(ID, WHEN)


def test_an_unreadable_ledger_is_not_taken_for_an_empty_one(paths):
    ErasureLedger(*paths).note(ID, WHEN)
    paths[0].unlink()
    paths[0].mkdir()
    with pytest.raises(StoreUnavailable):
        ErasureLedger(*paths).holds(ID)


def test_a_ledger_without_files_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        ErasureLedger()
