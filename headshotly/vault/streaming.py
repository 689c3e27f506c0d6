"""The body of a sealed object: Tink's AES256_GCM_HKDF_1MB wire format.

https://developers.google.com/tink/streaming-aead/aes_gcm_hkdf_streaming. Layout: one byte 40, a salt of 32 bytes,
a nonce prefix of 7, then segments of 1 MiB ciphertext. The first segment is shorter by the 40 bytes of that header.
Nonce of a segment: prefix, big-endian segment number, 1 for the last segment and else 0. The key of the segments is
HKDF-SHA-256 of the data key with the salt, and with the associated data as info.
"""

import io
import os
from collections.abc import Buffer, Iterator
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from headshotly.vault.errors import ObjectDamaged

SEGMENT = 1 << 20
TAG = 16
SALT = 32
PREFIX = 7
HEADER = 1 + SALT + PREFIX
FIRST_PLAIN = SEGMENT - HEADER - TAG
PLAIN = SEGMENT - TAG
_DAMAGED = "The stored file is damaged or incomplete; nothing of it was opened."


class SealedFile(Protocol):
    """What reading a sealed object needs of the place it is kept."""

    @property
    def size(self) -> int:
        """Return the file's length in bytes."""

    def view(self, offset: int, length: int) -> memoryview:
        """Return bytes of the file, valid until the next call; fewer only where the file ends."""

    def close(self) -> None:
        """Let go of it."""


class MemoryFile:
    """A sealed file that lies in memory."""

    def __init__(self, content: Buffer) -> None:
        self._content = memoryview(content)
        self.size = len(self._content)

    def view(self, offset: int, length: int) -> memoryview:
        """Return bytes of the file without copying them."""
        return self._content[offset : offset + length]

    def close(self) -> None:
        """Do nothing; memory needs no closing."""


def _cipher(data_key: bytes, salt: bytes, associated: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=associated).derive(data_key))


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])


def _room(number: int) -> int:
    """Return how much plaintext a segment holds."""
    return PLAIN if number else FIRST_PLAIN


def _segments(plain_length: int) -> int:
    return 1 + max(0, -(-(plain_length - FIRST_PLAIN) // PLAIN))


def sealed_length(plain_length: int) -> int:
    """Return the body's length in bytes for a plaintext's."""
    return HEADER + plain_length + TAG * _segments(plain_length)


def pieces_of(plaintext: Buffer) -> Iterator[memoryview]:
    """Yield a plaintext segment by segment, without copying; an empty one is one empty segment."""
    whole = memoryview(plaintext)
    position = 0
    for number in range(_segments(len(whole))):
        yield whole[position : position + _room(number)]
        position += _room(number)


def pieces_from(source: BinaryIO) -> Iterator[bytes]:
    """Yield what a source holds segment by segment; at most two are in memory."""
    number, piece = 0, _read_exactly(source, FIRST_PLAIN)
    while True:
        following = _read_exactly(source, PLAIN) if len(piece) == _room(number) else b""
        yield piece
        if not following:
            return
        number, piece = number + 1, following


def _read_exactly(source: BinaryIO, length: int) -> bytes:
    """Read up to ``length`` bytes; short only at the end, also from sources that return less than asked."""
    piece = source.read(length)
    if len(piece) in {0, length}:
        return piece
    parts = [piece]
    missing = length - len(piece)
    while missing and (piece := source.read(missing)):
        parts.append(piece)
        missing -= len(piece)
    return b"".join(parts)


class Sealer:
    """Seals one body: draws salt and nonce prefix, then takes its segments in order. Use it once."""

    def __init__(self, data_key: bytes, associated: bytes) -> None:
        """Prepare to seal.

        Args:
            data_key: 32 bytes.
            associated: bound to the body through key derivation.
        """
        salt, self._prefix = os.urandom(SALT), os.urandom(PREFIX)
        self._cipher = _cipher(data_key, salt, associated)
        self._number = 0
        self.header = bytes([HEADER]) + salt + self._prefix

    def segment(self, piece: memoryview | bytes, *, last: bool, out: memoryview) -> None:
        """Seal the next segment into ``out``, which is 16 bytes longer than the piece."""
        self._cipher.encrypt_into(_nonce(self._prefix, self._number, last=last), piece, None, out)
        self._number += 1


def seal(pieces: Iterator[memoryview] | Iterator[bytes], data_key: bytes, associated: bytes) -> Iterator[Buffer]:
    """Yield the body of a sealed object piece by piece.

    Args:
        pieces: the plaintext, from ``pieces_of`` or ``pieces_from``.
        data_key: 32 bytes.
        associated: bound to the body through key derivation.

    Yields:
        Parts of the body; each is valid only until the next is asked for, for the memory is used again.
    """
    sealer = Sealer(data_key, associated)
    yield sealer.header
    buffer = memoryview(bytearray(SEGMENT))
    ahead: Iterator[memoryview | bytes] = iter(pieces)
    piece: memoryview | bytes | None = next(ahead)
    while piece is not None:
        following = next(ahead, None)
        out = buffer[: len(piece) + TAG]
        sealer.segment(piece, last=following is None, out=out)
        yield out
        piece = following


def seal_into(plaintext: Buffer, data_key: bytes, associated: bytes, out: memoryview) -> None:
    """Seal a plaintext in memory into ``out``, which has ``sealed_length`` bytes."""
    sealer = Sealer(data_key, associated)
    out[:HEADER] = sealer.header
    whole = memoryview(plaintext)
    count = _segments(len(whole))
    read, written = 0, HEADER
    for number in range(count):
        piece = whole[read : read + _room(number)]
        end = written + len(piece) + TAG
        sealer.segment(piece, last=number == count - 1, out=out[written:end])
        read, written = read + len(piece), end


class Opener:
    """Reads a sealed body, whole or in part. Gives out nothing of a segment that is not what was sealed."""

    def __init__(self, file: SealedFile, *, start: int, data_key: bytes, associated: bytes) -> None:
        """Prepare to read.

        Args:
            file: where the body lies, up to its end.
            start: offset of the body in the file, in bytes.
            data_key: 32 bytes.
            associated: what the body was bound to.

        Raises:
            ObjectDamaged: the body cannot have this length or header.
        """
        self._file, self._start, self._length = file, start, file.size - start
        header = bytes(file.view(start, HEADER))
        if len(header) < HEADER or header[0] != HEADER or self._length < HEADER + TAG:
            raise ObjectDamaged(_DAMAGED)
        self._prefix = header[1 + SALT :]
        self._cipher = _cipher(data_key, header[1 : 1 + SALT], associated)
        self._count = -(-self._length // SEGMENT)
        self.plain_length = self._length - HEADER - TAG * self._count
        # Only lengths that a sealer produces; for instance no last segment without content after a full one.
        if self.plain_length < 0 or sealed_length(self.plain_length) != self._length:
            raise ObjectDamaged(_DAMAGED)

    def _sealed(self, number: int) -> memoryview:
        begin = number * SEGMENT if number else HEADER
        end = min((number + 1) * SEGMENT, self._length)
        sealed = self._file.view(self._start + begin, end - begin)
        if len(sealed) < end - begin:
            raise ObjectDamaged(_DAMAGED)
        return sealed

    def _segment(self, number: int) -> bytes:
        nonce = _nonce(self._prefix, number, last=number == self._count - 1)
        try:
            return self._cipher.decrypt(nonce, self._sealed(number), None)
        except InvalidTag:
            raise ObjectDamaged(_DAMAGED) from None

    def authenticate_length(self) -> int:
        """Return the plaintext's length after the last segment proved that nothing was cut off or added."""
        self._segment(self._count - 1)
        return self.plain_length

    def read_into(self, out: memoryview) -> None:
        """Open the whole body into ``out``, which has ``plain_length`` bytes; after an error it is not to be used.

        Raises:
            ObjectDamaged: a segment is not what was sealed.
        """
        position = 0
        for number in range(self._count):
            sealed = self._sealed(number)
            end = position + len(sealed) - TAG
            nonce = _nonce(self._prefix, number, last=number == self._count - 1)
            try:
                self._cipher.decrypt_into(nonce, sealed, None, out[position:end])
            except InvalidTag:
                raise ObjectDamaged(_DAMAGED) from None
            position = end

    def read_all(self) -> bytes:
        """Return the whole plaintext; raises as ``read_into`` does."""
        # Opened in place: a BytesIO hands its buffer over as bytes without copying them.
        whole = io.BytesIO()
        if self.plain_length:
            whole.seek(self.plain_length - 1)
            whole.write(b"\x00")
        with whole.getbuffer() as out:
            self.read_into(out)
        return whole.getvalue()

    def pieces(self) -> Iterator[bytes]:
        """Return the plaintext segment by segment, after the length of the whole was authenticated.

        Raises:
            ObjectDamaged: the last segment, or later the one whose turn it is, is not what was sealed.
        """
        self.authenticate_length()
        return map(self._segment, range(self._count))

    def read_range(self, start: int, length: int) -> bytes:
        """Return part of the plaintext; the length of the whole is authenticated first.

        Args:
            start: first byte, from zero.
            length: how many bytes at most.

        Raises:
            ValueError: start or length is negative.
            ObjectDamaged: a segment in the way, or the last one, is not what was sealed.
        """
        if start < 0 or length < 0:
            raise ValueError("a range has neither a negative start nor a negative length")
        end = min(start + length, self.authenticate_length())
        parts: list[bytes] = []
        position = start
        while position < end:
            number = 0 if position < FIRST_PLAIN else 1 + (position - FIRST_PLAIN) // PLAIN
            begin = 0 if number == 0 else FIRST_PLAIN + (number - 1) * PLAIN
            piece = self._segment(number)[position - begin : end - begin]
            parts.append(piece)
            position += len(piece)
        return b"".join(parts)
