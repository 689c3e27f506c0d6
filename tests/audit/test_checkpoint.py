"""Signed notes: what is signed is read back, and nothing else is."""

import base64
import json
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from headshotly.audit.checkpoint import Checkpoint, parse_verifier_key, raw_public_key, read, sign, verifier_key
from headshotly.audit.errors import CheckpointForged

_ORIGIN = "example.com/journal"
_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_PUBLIC = raw_public_key(_KEY)
_DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "formats" / "journal.md"

HEADS = st.builds(
    Checkpoint, origin=st.just(_ORIGIN), size=st.integers(0, 2**63), root=st.binary(min_size=32, max_size=32)
)


@given(HEADS)
def test_a_signed_head_is_read_back(head):
    assert read(sign(head, _KEY), _PUBLIC, origin=_ORIGIN) == head


@settings(max_examples=300)
@given(HEADS, st.data())
def test_a_changed_character_is_never_accepted_as_another_head(head, data):
    note = sign(head, _KEY)
    place = data.draw(st.integers(0, len(note) - 1))
    bent = note[:place] + data.draw(st.characters(exclude_categories=["Cs"])) + note[place + 1 :]
    try:
        assert read(bent, _PUBLIC, origin=_ORIGIN) == head
    except CheckpointForged:
        assert bent != note


@given(st.text(max_size=200))
def test_any_text_is_refused_with_a_sentence(text):
    with pytest.raises(CheckpointForged):
        read(text, _PUBLIC, origin=_ORIGIN)
    with pytest.raises(CheckpointForged):
        parse_verifier_key(text)


def test_another_key_and_another_journal_are_refused():
    head = Checkpoint(_ORIGIN, 3, bytes(32))
    note = sign(head, _KEY)
    stranger = Ed25519PrivateKey.generate()
    with pytest.raises(CheckpointForged, match="by the journal's key"):
        read(note, raw_public_key(stranger), origin=_ORIGIN)
    with pytest.raises(CheckpointForged, match="by the journal's key"):
        read(sign(head, stranger), _PUBLIC, origin=_ORIGIN)
    with pytest.raises(CheckpointForged, match="another journal"):
        read(note, _PUBLIC, origin="example.com/other")


def test_a_witness_may_add_its_signature_below_ours():
    head = Checkpoint(_ORIGIN, 3, bytes(32))
    cosigned = sign(head, _KEY) + f"— witness.example {base64.b64encode(bytes(76)).decode()}\n"
    assert read(cosigned, _PUBLIC, origin=_ORIGIN) == head


@pytest.mark.parametrize("size", ["03", "+3", "-3", " 3", "3 ", "٣", "3.0", "", "x"])
def test_a_size_has_one_spelling(size):
    body = f"{_ORIGIN}\n{size}\n{base64.b64encode(bytes(32)).decode()}\n"
    signature = sign(Checkpoint(_ORIGIN, 3, bytes(32)), _KEY).split("\n\n")[1]
    with pytest.raises(CheckpointForged):
        read(f"{body}\n{signature}", _PUBLIC, origin=_ORIGIN)


def test_a_verifier_key_is_read_back_and_bent_ones_are_not():
    text = verifier_key(_ORIGIN, _PUBLIC)
    assert parse_verifier_key(text) == (_ORIGIN, _PUBLIC)
    for bent in (text[:-4], text.replace("example", "examples"), text + "AAAA", "+".join(text.split("+")[:2])):
        with pytest.raises(CheckpointForged):
            parse_verifier_key(bent)


def test_the_published_vector_is_what_the_code_signs():
    vectors = json.loads(re.search(r"```json vectors\n(.*?)```", _DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)[1])
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vectors["seed"]))
    assert verifier_key(vectors["origin"], raw_public_key(key)) == vectors["verifier_key"]
    head = Checkpoint(vectors["origin"], len(vectors["entries"]), bytes.fromhex(vectors["entries"][-1]["root_after"]))
    assert sign(head, key) == vectors["checkpoint"]
    assert read(vectors["checkpoint"], raw_public_key(key), origin=vectors["origin"]) == head
