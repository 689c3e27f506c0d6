"""The ledger of single objects destroyed: append-only, doubled, a file a day, readable after a crash in a line."""

import datetime as dt
import errno
import os
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.vault import destructions, services, wiring
from headshotly.vault.destructions import DestructionLedger
from headshotly.vault.errors import StoreFull, StoreUnavailable
from headshotly.vault.models import StoredObject

ID = uuid.UUID("11111111-1111-4111-8111-111111111111")
WHEN = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def folders(tmp_path):
    return [tmp_path / "one", tmp_path / "two"]


def test_what_is_noted_is_destroyed_for_every_process(folders):
    mine, other = DestructionLedger(*folders), DestructionLedger(*folders)
    assert other.destroyed() == {}
    mine.note({ID: WHEN})
    assert other.destroyed() == {ID: WHEN}
    mine.note({ID: WHEN + HOUR})
    assert other.destroyed() == {ID: WHEN}, "destroying was repeated; it was destroyed when it first was"


@pytest.mark.parametrize("lost", [0, 1])
def test_one_lost_copy_forgets_nothing(folders, lost):
    DestructionLedger(*folders).note({ID: WHEN})
    (folders[lost] / "2026-11-24.txt").unlink()
    assert DestructionLedger(*folders).destroyed() == {ID: WHEN}


def test_a_torn_line_hides_neither_itself_in_the_other_copy_nor_the_next(folders):
    ledger, next_one = DestructionLedger(*folders), uuid.uuid4()
    ledger.note({ID: WHEN})
    torn = folders[0] / "2026-11-24.txt"
    torn.write_bytes(torn.read_bytes()[:-9])
    ledger.note({next_one: WHEN})
    assert ledger.destroyed() == {ID: WHEN, next_one: WHEN}


def test_what_a_restore_revived_counts_again_only_when_it_is_destroyed_again(folders):
    ledger = DestructionLedger(*folders)
    ledger.note({ID: WHEN})
    ledger.revive([ID], WHEN + HOUR)
    assert ledger.destroyed() == {}
    ledger.note({ID: WHEN + 30 * HOUR})
    assert ledger.destroyed() == {ID: WHEN + 30 * HOUR}


def test_days_are_forgotten_up_to_one(folders):
    ledger, other = DestructionLedger(*folders), uuid.uuid4()
    ledger.note({ID: WHEN, other: WHEN + dt.timedelta(days=1)})
    assert [str(day) for day in ledger.days()] == ["2026-11-24", "2026-11-25"]
    assert ledger.forget(dt.date(2026, 11, 25)) == 1
    assert ledger.destroyed() == {other: WHEN + dt.timedelta(days=1)}
    assert not (folders[1] / "2026-11-24.txt").exists()


def test_what_else_lies_there_is_no_day(folders):
    ledger = DestructionLedger(*folders)
    ledger.note({ID: WHEN})
    for name in ("notes.txt", "2026-11-24.bak", "2026-13-01.txt"):
        (folders[0] / name).write_text(f"{uuid.uuid4()} {WHEN.isoformat()}\n")
    assert ledger.destroyed() == {ID: WHEN}
    with pytest.raises(ValueError, match="one folder"):
        DestructionLedger()


@given(
    st.lists(
        st.tuples(
            st.sampled_from([ID, uuid.UUID(int=1)]),
            st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 3), timezones=st.just(dt.UTC)),
            st.sampled_from(["", " revived"]),
        )
    )
)
def test_whatever_the_order_of_lines_the_last_word_of_each_object_counts(told):
    lines = [f"{one} {at.isoformat()}{more}" for one, at, more in told]
    found = destructions.standing(lines)
    assert found == destructions.standing(reversed(lines))
    for one in {one for one, _, _ in told}:
        last = max((at, not more) for name, at, more in told if name == one)
        assert (one in found) == last[1]


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data):
    assert all(destructions.standing([line]) for line in destructions.lines_of(data) if "revived" not in line)


class TestDestroying:
    """Through ``vault.destroy``; the note comes first."""

    pytestmark = pytest.mark.django_db

    @pytest.fixture
    def photo(self, owner, subject, vault):
        return services.seal(actor=owner, subject=subject, kind="photo", purpose="generate", plaintext=b"x" * 99)

    def test_what_is_destroyed_is_noted_in_both_copies(self, owner, photo, vault):
        services.destroy(actor=owner, object_id=photo)
        assert set(wiring.destruction_ledger().destroyed()) == {photo}
        for folder in ("erasures", "erasures-mirror"):
            (day,) = (vault.data_folder / folder / "objects").iterdir()
            assert str(photo) in day.read_text()

    @pytest.mark.parametrize("number", ["ENOSPC", "EIO"])
    def test_what_cannot_be_noted_is_not_destroyed(self, owner, photo, subject, monkeypatch, number):
        real = os.fsync

        def failing(descriptor):
            if "erasures" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
                raise OSError(getattr(errno, number), "no")
            real(descriptor)

        monkeypatch.setattr(os, "fsync", failing)
        with pytest.raises(StoreFull if number == "ENOSPC" else StoreUnavailable):
            services.destroy(actor=owner, object_id=photo)
        assert StoredObject.objects.filter(id=photo).exists()
        assert wiring.object_store().holds(subject, photo)
        monkeypatch.setattr(os, "fsync", real)
        services.destroy(actor=owner, object_id=photo)
        assert not wiring.object_store().holds(subject, photo)

    def test_a_crash_after_the_note_leaves_what_repeating_finishes(self, owner, photo, subject, monkeypatch):
        store = wiring.object_store()
        monkeypatch.setattr(type(store), "delete", lambda *_: (_ for _ in ()).throw(StoreUnavailable("no answer")))
        with pytest.raises(StoreUnavailable):
            services.destroy(actor=owner, object_id=photo)
        monkeypatch.undo()
        assert photo in wiring.destruction_ledger().destroyed()
        services.destroy(actor=owner, object_id=photo)
        assert not store.holds(subject, photo)
        assert not StoredObject.objects.filter(id=photo).exists()
