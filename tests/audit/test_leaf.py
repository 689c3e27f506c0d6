"""The canonical encoding of an entry: one spelling, published, and nothing else is read."""

import datetime as dt
import json
import re
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.audit import merkle
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.audit.errors import JournalDamaged
from headshotly.audit.leaf import Leaf, decode, sha256_hex

_DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "formats" / "journal.md"

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
LEAVES = st.builds(
    Leaf,
    entry_id=st.uuids(),
    occurred_at=st.datetimes(dt.datetime(2000, 1, 1), timezones=st.just(dt.UTC)),
    actor=st.builds(
        Actor,
        kind=st.sampled_from(["customer", "staff", "worker", "system", "visitor", "service"]),
        id=st.none() | st.uuids(),
        role=TEXT,
    ),
    act=st.sampled_from(Act),
    outcome=st.sampled_from(Outcome),
    subject=st.none() | st.uuids(),
    purpose=TEXT,
    warrant_id=st.none() | st.uuids(),
    object_ids=st.lists(st.uuids(), max_size=3).map(tuple),
    details_sha256=st.binary(max_size=5).map(sha256_hex),
)


@given(LEAVES)
def test_a_leaf_comes_back_as_it_went(leaf):
    assert decode(leaf.encode()) == leaf


@given(LEAVES, LEAVES)
def test_two_leaves_never_share_their_bytes(one, other):
    assert (one == other) == (one.encode() == other.encode())


@given(LEAVES, st.data())
def test_a_changed_byte_is_another_leaf_or_none(leaf, data):
    raw = bytearray(leaf.encode())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    try:
        other = decode(bytes(raw))
    except JournalDamaged:
        return
    assert other != leaf
    assert other.encode() == bytes(raw)


_GOOD = Leaf(
    entry_id=UUID("00000000-0000-4000-8000-000000000001"),
    occurred_at=dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC),
    actor=Actor(kind="system"),
    act=Act.KEY_CREATED,
)


def _with(**changes: object) -> bytes:
    return json.dumps(
        {**json.loads(_GOOD.encode()), **changes}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        _GOOD.encode() + b" ",
        _GOOD.encode().replace(b",", b", ", 1),
        _with(extra=1),
        _with(v=2),
        _with(at="2026-11-24T12:00:00"),
        _with(at="2026-11-24T13:00:00.000000+01:00"),
        _with(at="0001-01-01T00:00:00.000000+23:00"),
        _with(id="00000000000040008000000000000001"),
        _with(act="vault.key.invented"),
        _with(outcome="perhaps"),
        _with(actor={"kind": "stranger", "id": "", "role": ""}),
        _with(actor="system"),
        _with(objects="none"),
        _with(subject=7),
    ],
)
def test_any_other_spelling_is_refused(raw):
    with pytest.raises(JournalDamaged):
        decode(raw)


@pytest.mark.clause("5.3.a")
@pytest.mark.parametrize("act", Act)
def test_every_act_follows_the_grammar(act):
    room, _, verb = act.value.split(".")
    assert re.fullmatch(r"[a-z]+\.[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*", act.value)
    assert (Path(__file__).resolve().parents[2] / "headshotly" / room).is_dir(), f"{room} is not a room"
    irregular = {
        "begun", "broken", "built", "chosen", "drawn", "forgotten", "found", "given", "held", "left", "lost", "looked-up",
        "made", "met", "paid", "read", "run", "sent", "shred", "shut", "taken", "told", "withdrawn", "withheld", "written",
    }  # fmt: skip
    assert verb.endswith("ed") or verb in irregular, f"“{verb}” is not in the past tense"
    assert len(act.value) <= 64


def test_the_published_vectors_are_what_the_code_writes():
    vectors = json.loads(re.search(r"```json vectors\n(.*?)```", _DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)[1])
    frontier = merkle.Frontier()
    for vector in vectors["entries"]:
        raw = vector["leaf"].encode()
        assert decode(raw).encode() == raw
        assert merkle.leaf_hash(raw).hex() == vector["leaf_hash"]
        frontier.add(merkle.leaf_hash(raw))
        assert frontier.root.hex() == vector["root_after"]
    assert len(vectors["entries"]) >= 3
