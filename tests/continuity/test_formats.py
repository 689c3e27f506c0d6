"""What must always hold of contents, manifests and generations."""

import datetime as dt
import os
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from headshotly.continuity import contents, manifest, sealing
from headshotly.continuity.contents import Blob, Chunk, Contents, Piecewise, StoredCopy
from headshotly.continuity.errors import BackupDamaged
from headshotly.continuity.generations import Keeping, Made, kept
from headshotly.continuity.manifest import Manifest
from headshotly.continuity.sealing import RepositoryKey

NOW = dt.datetime(2026, 11, 27, 9, tzinfo=dt.UTC)
KEY = RepositoryKey(uuid.UUID(int=1), b"wrapped", bytes(32))
digests = st.binary(min_size=32, max_size=32)
blobs = st.builds(Blob, digests, st.integers(0, 2**40), st.integers(0, 2**31))
copies = st.builds(StoredCopy, st.uuids(), st.uuids(), blobs)
parts = st.builds(
    Piecewise,
    st.integers(0, 2**50),
    digests.map(bytes.hex),
    st.lists(st.builds(Chunk, digests, blobs), max_size=4).map(tuple),
)
names = st.text("abcdefgh-", min_size=1, max_size=8)
whole = st.builds(
    Contents, st.dictionaries(names, parts, max_size=2), st.dictionaries(names, parts, max_size=2),
    st.lists(copies, max_size=6).map(tuple), st.lists(st.uuids(), max_size=3).map(tuple),
    st.lists(names, max_size=3).map(tuple),
)  # fmt: skip


@given(whole)
def test_contents_come_back_as_they_were(made):
    assert contents.decode(made.encode()) == made


@given(whole, st.data())
def test_contents_cut_short_or_of_something_else_are_refused(made, data):
    encoded = made.encode()
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(BackupDamaged):
        contents.decode(encoded[:cut])


def test_contents_without_objects_that_lack_their_last_byte_are_cut_short():
    encoded = contents.Contents({}, {}, ()).encode()
    with pytest.raises(BackupDamaged):
        contents.decode(encoded[:-1])


@given(st.binary(max_size=200))
def test_no_bytes_are_contents_by_accident(noise):
    with pytest.raises(BackupDamaged):
        contents.decode(noise)


@given(st.binary(max_size=5000))
def test_what_is_sealed_opens_and_nothing_else_does(plaintext):
    sealed = sealing.seal(KEY, plaintext, purpose="backup-chunk")
    assert sealing.unseal(KEY, sealed, purpose="backup-chunk") == plaintext
    other = RepositoryKey(KEY.repository, b"wrapped", b"\x01" * 32)
    for key, purpose in ((KEY, "backup-contents"), (other, "backup-chunk")):
        with pytest.raises(BackupDamaged):
            sealing.unseal(key, sealed, purpose=purpose)
    flipped = bytearray(sealed)
    flipped[len(flipped) // 2] ^= 1
    with pytest.raises(BackupDamaged):
        sealing.unseal(KEY, bytes(flipped), purpose="backup-chunk")
    with pytest.raises(BackupDamaged):
        sealing.unseal(KEY, sealed[:-1], purpose="backup-chunk")


def test_the_three_keys_of_a_repository_differ():
    seed = KEY.signing.private_bytes_raw()
    assert len({KEY.sealing, KEY.naming, seed, KEY.secret}) == 4


def a_manifest(**more) -> Manifest:
    fields = {
        "backup": str(uuid.uuid4()), "repository": str(uuid.uuid4()), "key": "00", "generation": 3, "environment": "test",
        "engine": "sqlite", "began_at": NOW.isoformat(), "snapshot_at": NOW.isoformat(), "checkpoint": "",
        "contents": os.urandom(32).hex(), "contents_size": 5, "contents_locked_until": 0, "objects": 1,
        "object_bytes": 2, "database_bytes": 3, "missing": 0,
    }  # fmt: skip
    return Manifest(**{**fields, **more})


def test_a_manifest_is_read_only_as_it_was_signed():
    key = Ed25519PrivateKey.generate()
    made = a_manifest()
    signed = manifest.write(made, key)
    assert manifest.read(signed, key.public_key()) == made
    with pytest.raises(BackupDamaged):
        manifest.read(signed, Ed25519PrivateKey.generate().public_key())
    for position in range(0, len(signed), 7):
        changed = bytearray(signed)
        changed[position] ^= 0x01
        try:
            read = manifest.read(bytes(changed), key.public_key())
        except BackupDamaged:
            continue
        assert read == made, "only white space may differ"


@pytest.mark.parametrize(
    "more", [{"snapshot_at": "yesterday"}, {"snapshot_at": "2026-11-27T09:00:00"}, {"contents": "zz"}, {"backup": "x"}]
)
def test_a_signed_manifest_that_makes_no_sense_is_refused(more):
    key = Ed25519PrivateKey.generate()
    with pytest.raises(BackupDamaged):
        manifest.read(manifest.write(a_manifest(**more), key), key.public_key())


hours = st.lists(st.integers(0, 24 * 800), max_size=60, unique=True).map(lambda ages: sorted(ages, reverse=True))
keepings = st.builds(Keeping, st.integers(0, 72), st.integers(1, 10), st.integers(0, 6), st.integers(0, 14))


def series(ages) -> list[Made]:
    return [Made(number, number, NOW - dt.timedelta(hours=age)) for number, age in enumerate(ages)]


@given(hours, keepings)
def test_the_newest_and_the_recent_are_kept_and_never_too_many(ages, keeping):
    made = series(ages)
    chosen = kept(made, keeping, now=NOW)
    assert chosen <= {one.id for one in made}
    if made:
        assert made[-1].id in chosen
    assert {one.id for one in made if one.at > NOW - dt.timedelta(hours=keeping.hours)} <= chosen
    recent = sum(one.at > NOW - dt.timedelta(hours=keeping.hours) for one in made)
    assert len(chosen) <= 1 + recent + keeping.days + keeping.weeks + keeping.months


@given(hours, keepings)
def test_pruning_again_removes_nothing_more(ages, keeping):
    made = series(ages)
    chosen = kept(made, keeping, now=NOW)
    assert kept([one for one in made if one.id in chosen], keeping, now=NOW) == chosen


def test_a_year_of_backups_every_six_hours():
    made = series(range(24 * 400, -1, -6))
    chosen = kept(made, Keeping(), now=NOW)
    ages = sorted((NOW - one.at).total_seconds() / 86400 for one in made if one.id in chosen)
    assert len(chosen) <= 8 + 7 + 5 + 12 + 1
    assert ages[0] == 0
    assert max(ages) > 300, "the oldest month is there"


def test_keeping_nothing_is_refused():
    with pytest.raises(ValueError):
        Keeping(hours=1, days=0, weeks=0, months=0)
