"""The object format: Tink's judgement, the published vectors, and every way of tampering."""

import io
import json
import uuid
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headshotly.vault import envelope, streaming
from headshotly.vault.errors import ObjectDamaged
from tests.vault import tink_oracle

REPOSITORY = Path(__file__).resolve().parents[2]
KEY = bytes(range(32))
CUSTOMER = bytes(range(64, 96))
OWNER = uuid.UUID("11111111-1111-4111-8111-111111111111")
OBJECT = uuid.UUID("22222222-2222-4222-8222-222222222222")
PURPOSE = "headshot-generation"
FIRST, NEXT = streaming.FIRST_PLAIN, streaming.PLAIN
# Around every boundary at which the number of segments changes, and some in between.
LENGTHS = [
    0,
    1,
    15,
    16,
    17,
    4096,
    *(FIRST + more for more in (-1, 0, 1)),
    *(FIRST + NEXT + more for more in (-1, 0, 1)),
]


def pattern(length: int) -> bytes:
    return bytes(range(251)) * (length // 251) + bytes(range(length % 251))


def seal_body(plaintext: bytes, associated: bytes = b"about") -> bytes:
    return b"".join(bytes(piece) for piece in streaming.seal(streaming.pieces_of(plaintext), KEY, associated))


def open_body(sealed: bytes, associated: bytes = b"about", start: int = 0) -> streaming.Opener:
    return streaming.Opener(streaming.MemoryFile(sealed), start=start, data_key=KEY, associated=associated)


def seal_object(plaintext: bytes, **changes) -> bytes:
    about = {"owner": OWNER, "object_id": OBJECT, "purpose": PURPOSE, "customer_key": CUSTOMER} | changes
    data_key, header = envelope.make(**about)
    out = bytearray(streaming.sealed_length(len(plaintext)))
    streaming.seal_into(plaintext, data_key, header, memoryview(out))
    return header + bytes(out)


def open_object(sealed: bytes, **changes) -> bytes:
    about = {"owner": OWNER, "object_id": OBJECT, "purpose": PURPOSE, "customer_key": CUSTOMER} | changes
    header = envelope.read(sealed[: envelope.LONGEST])
    data_key = envelope.unwrap(header, **about)
    file = streaming.MemoryFile(sealed)
    return streaming.Opener(file, start=len(header.raw), data_key=data_key, associated=header.raw).read_all()


@pytest.mark.parametrize("length", LENGTHS)
def test_tink_reads_what_we_seal_and_we_read_what_tink_seals(length):
    plaintext = pattern(length)
    ours = seal_body(plaintext)
    assert len(ours) == streaming.sealed_length(length)
    assert tink_oracle.unseal(ours, KEY, b"about") == plaintext
    theirs = tink_oracle.seal(plaintext, KEY, b"about")
    assert open_body(theirs).read_all() == plaintext
    assert b"".join(open_body(theirs).pieces()) == plaintext


@pytest.mark.parametrize("length", LENGTHS)
def test_the_ways_to_seal_agree(length):
    plaintext = pattern(length)
    out = bytearray(streaming.sealed_length(length))
    streaming.seal_into(plaintext, KEY, b"about", memoryview(out))
    pieces = streaming.pieces_from(io.BytesIO(plaintext))
    streamed = b"".join(bytes(piece) for piece in streaming.seal(pieces, KEY, b"about"))
    for sealed in (bytes(out), streamed):
        assert open_body(sealed).read_all() == plaintext
        assert tink_oracle.unseal(sealed, KEY, b"about") == plaintext


class Trickle(io.BytesIO):
    """A source that returns less than asked, as sockets do."""

    def read(self, size=-1):
        return super().read(min(size, 65_537) if size >= 0 else size)


def test_a_source_that_trickles_is_sealed_whole():
    plaintext = pattern(FIRST + NEXT + 12_345)
    streamed = b"".join(bytes(p) for p in streaming.seal(streaming.pieces_from(Trickle(plaintext)), KEY, b"about"))
    assert tink_oracle.unseal(streamed, KEY, b"about") == plaintext


LONG = pattern(FIRST + 2 * NEXT + 777)
LONG_SEALED = seal_body(LONG)


@settings(max_examples=60, deadline=None)
@given(start=st.integers(0, len(LONG) + 10), length=st.integers(0, len(LONG) + 10))
def test_any_range_is_the_plaintext_s(start, length):
    assert open_body(LONG_SEALED).read_range(start, length) == LONG[start : start + length]


@pytest.mark.parametrize("edge", [0, FIRST, FIRST + NEXT, len(LONG)])
def test_ranges_across_the_edges_of_segments(edge):
    begin = max(0, edge - 50)
    assert open_body(LONG_SEALED).read_range(begin, 100) == LONG[begin : begin + 100]


def test_a_negative_range_is_refused():
    with pytest.raises(ValueError, match="negative"):
        open_body(LONG_SEALED).read_range(-1, 5)


@pytest.mark.parametrize("cut", [1, 16, 17, 776 + 16, 777 + 16, streaming.SEGMENT, 2 * streaming.SEGMENT])
def test_a_range_read_notices_a_truncation_far_away(cut):
    with pytest.raises(ObjectDamaged):
        open_body(LONG_SEALED[:-cut]).read_range(0, 10)


def test_a_stream_gives_nothing_out_before_its_length_is_authentic():
    with pytest.raises(ObjectDamaged):
        open_body(LONG_SEALED[: -(777 + 16)]).pieces()


def test_a_stream_stops_before_the_damaged_segment():
    damaged = bytearray(LONG_SEALED)
    damaged[streaming.SEGMENT + 5] ^= 1
    given_out = open_body(bytes(damaged)).pieces()
    assert next(given_out) == LONG[:FIRST]
    with pytest.raises(ObjectDamaged):
        next(given_out)


SAMPLE = b"a sample object, short enough to try every single bit"
SAMPLE_SEALED = seal_object(SAMPLE)


def test_the_sample_opens():
    assert open_object(SAMPLE_SEALED) == SAMPLE


@pytest.mark.clause("3.2.a")
def test_every_single_bit_flip_is_refused():
    for position in range(len(SAMPLE_SEALED) * 8):
        flipped = bytearray(SAMPLE_SEALED)
        flipped[position // 8] ^= 1 << (position % 8)
        with pytest.raises(ObjectDamaged):
            open_object(bytes(flipped))


def test_every_truncation_is_refused():
    for length in range(len(SAMPLE_SEALED)):
        with pytest.raises(ObjectDamaged):
            open_object(SAMPLE_SEALED[:length])


@given(more=st.binary(min_size=1, max_size=64))
def test_every_extension_is_refused(more):
    with pytest.raises(ObjectDamaged):
        open_object(SAMPLE_SEALED + more)


BIG = pattern(FIRST + 3 * NEXT + 500)
BIG_SEALED = seal_object(BIG)
BIG_HEADER = envelope.read(BIG_SEALED[: envelope.LONGEST]).raw


def _segments(sealed: bytes) -> list[bytes]:
    body = sealed[len(BIG_HEADER) :]
    return [body[at : at + streaming.SEGMENT] for at in range(0, len(body), streaming.SEGMENT)]


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 2), (1, 3), (2, 3), (3, 4), (1, 4)])
def test_swapped_segments_are_refused(one, other):
    segments = _segments(BIG_SEALED)
    segments[one], segments[other] = segments[other], segments[one]
    with pytest.raises(ObjectDamaged):
        open_object(BIG_HEADER + b"".join(segments))


@pytest.mark.parametrize("left_out", range(5))
def test_a_missing_or_doubled_segment_is_refused(left_out):
    segments = _segments(BIG_SEALED)
    with pytest.raises(ObjectDamaged):
        open_object(BIG_HEADER + b"".join(segments[:left_out] + segments[left_out + 1 :]))
    with pytest.raises(ObjectDamaged):
        open_object(BIG_HEADER + b"".join([*segments[:left_out], segments[left_out], *segments[left_out:]]))


@pytest.mark.parametrize("cut", range(1, 5))
def test_a_truncation_at_a_segment_s_edge_is_refused(cut):
    with pytest.raises(ObjectDamaged):
        open_object(BIG_HEADER + b"".join(_segments(BIG_SEALED)[:-cut]))


@settings(max_examples=40, deadline=None)
@given(position=st.integers(0, len(BIG_SEALED) - 1), bit=st.integers(0, 7))
def test_a_flip_anywhere_in_a_long_object_is_refused(position, bit):
    flipped = bytearray(BIG_SEALED)
    flipped[position] ^= 1 << bit
    with pytest.raises(ObjectDamaged):
        open_object(bytes(flipped))


# The parts of a header: magic, owner, object id, purpose with its length, nonce, wrapped data key, commitment.
_NAME = 1 + len(PURPOSE)
PARTS = {"magic": 8, "owner": 16, "object": 16, "purpose": _NAME, "nonce": 12, "wrapped": 48, "commitment": 32}
OTHERS = {
    "the same place sealed again": {},
    "another owner": {"owner": uuid.UUID("33333333-3333-4333-8333-333333333333")},
    "another object": {"object_id": uuid.UUID("44444444-4444-4444-8444-444444444444")},
    "another purpose": {"purpose": "headshot-generatioN"},
    "another customer key": {"customer_key": bytes(32)},
}


@pytest.mark.parametrize("other", OTHERS)
def test_every_header_splice_is_refused(other):
    """Each set of parts of another object's header in place of ours, the whole header included."""
    theirs = seal_object(SAMPLE, **OTHERS[other])
    length = sum(PARTS.values())
    names = list(PARTS)
    tried = 0
    for choice in range(1, 2 ** len(names)):
        spliced, at = b"", 0
        for number, name in enumerate(names):
            source = theirs if choice >> number & 1 else SAMPLE_SEALED
            spliced += source[at : at + PARTS[name]]
            at += PARTS[name]
        if spliced == SAMPLE_SEALED[:length]:
            continue
        tried += 1
        with pytest.raises(ObjectDamaged):
            open_object(spliced + SAMPLE_SEALED[length:])
    assert tried >= 60


@pytest.mark.parametrize(
    "expected",
    [
        {"owner": uuid.UUID("33333333-3333-4333-8333-333333333333")},
        {"object_id": uuid.UUID("44444444-4444-4444-8444-444444444444")},
        {"purpose": "support"},
        {"customer_key": bytes(32)},
    ],
)
def test_an_object_opens_only_as_itself(expected):
    with pytest.raises(ObjectDamaged):
        open_object(SAMPLE_SEALED, **expected)


def test_a_header_that_commits_to_another_key_is_refused():
    """A holder of the customer key cannot make a file that opens to two contents under two data keys."""
    _, header = envelope.make(owner=OWNER, object_id=OBJECT, purpose=PURPOSE, customer_key=CUSTOMER)
    _, other = envelope.make(owner=OWNER, object_id=OBJECT, purpose=PURPOSE, customer_key=CUSTOMER)
    spliced = envelope.read(header[:-32] + other[-32:])
    with pytest.raises(ObjectDamaged):
        envelope.unwrap(spliced, owner=OWNER, object_id=OBJECT, purpose=PURPOSE, customer_key=CUSTOMER)


@pytest.mark.parametrize("purpose", ["", "x" * 65, "ä" * 33])
def test_a_purpose_of_no_or_too_many_bytes_is_refused(purpose):
    with pytest.raises(ValueError, match="purpose"):
        envelope.make(owner=OWNER, object_id=OBJECT, purpose=purpose, customer_key=CUSTOMER)


@given(st.binary(max_size=300))
def test_noise_is_refused(noise):
    with pytest.raises(ObjectDamaged):
        open_object(noise)


@given(st.binary(max_size=300))
def test_noise_after_a_genuine_header_is_refused(noise):
    header = envelope.read(SAMPLE_SEALED[: envelope.LONGEST]).raw
    with pytest.raises(ObjectDamaged):
        open_object(header + noise)


VECTORS = json.loads((REPOSITORY / "docs" / "formats" / "object-vectors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS["objects"], ids=lambda vector: vector["title"])
def test_the_published_vectors_open(vector):
    about = {
        "owner": uuid.UUID(vector["owner"]),
        "object_id": uuid.UUID(vector["object_id"]),
        "purpose": vector["purpose"],
        "customer_key": bytes.fromhex(vector["customer_key"]),
    }
    sealed = bytes.fromhex(vector["sealed"])
    header = envelope.read(sealed[: envelope.LONGEST])
    data_key = envelope.unwrap(header, **about)
    assert data_key == bytes.fromhex(vector["data_key"])
    assert open_object(sealed, **about) == bytes.fromhex(vector["plaintext"])
    assert tink_oracle.unseal(sealed[len(header.raw) :], data_key, header.raw) == bytes.fromhex(vector["plaintext"])


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["title"])
def test_the_published_counter_examples_are_refused(vector):
    with pytest.raises(ObjectDamaged):
        open_object(
            bytes.fromhex(vector["sealed"]),
            owner=uuid.UUID(vector["owner"]),
            object_id=uuid.UUID(vector["object_id"]),
            purpose=vector["purpose"],
            customer_key=bytes.fromhex(vector["customer_key"]),
        )


def test_there_are_vectors_of_both_kinds():
    assert len(VECTORS["objects"]) >= 3
    assert len(VECTORS["refused"]) >= 4
