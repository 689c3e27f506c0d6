"""The body of a sealed object: Tink's AES256_GCM_HKDF_1MB wire format.

https://developers.google.com/tink/streaming-aead/aes_gcm_hkdf_streaming. Layout: one byte 40, a salt of 32 bytes,
a nonce prefix of 7, then segments of 1 MiB ciphertext. The first segment is shorter by the 40 bytes of that header.
Nonce of a segment: prefix, big-endian segment number, 1 for the last segment and else 0.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO

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


def _cipher(data_key: bytes, salt: bytes, associated: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=associated).derive(data_key))


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])


def sealed_length(plain_length: int) -> int:
    """Return the body's length in bytes for a plaintext's."""
    return HEADER + plain_length + TAG * _segments(plain_length)


def _segments(plain_length: int) -> int:
    return 1 + max(0, -(-(plain_length - FIRST_PLAIN) // PLAIN))


def seal(source: BinaryIO, data_key: bytes, associated: bytes) -> Iterator[bytes]:
    """Yield the body of a sealed object piece by piece.

    Args:
        source: plaintext, read to its end; at most two segments are held.
        data_key: 32 bytes.
        associated: bound to the body through key derivation.
    """
    salt, prefix = os.urandom(SALT), os.urandom(PREFIX)
    cipher = _cipher(data_key, salt, associated)
    yield bytes([HEADER]) + salt + prefix
    number, piece = 0, _read_exactly(source, FIRST_PLAIN)
    while True:
        following = _read_exactly(source, PLAIN) if len(piece) >= (PLAIN if number else FIRST_PLAIN) else b""
        yield cipher.encrypt(_nonce(prefix, number, last=not following), piece, None)
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


class Opener:
    """Reads a sealed body from a seekable file, whole or in part."""

    def __init__(self, body: BinaryIO, *, start: int, length: int, data_key: bytes, associated: bytes) -> None:
        """Prepare to read.

        Args:
            body: seekable file.
            start: offset of the body in the file, in bytes.
            length: length of the body, in bytes.
            data_key: 32 bytes.
            associated: what the body was bound to.

        Raises:
            ObjectDamaged: the body cannot have this length or header.
        """
        self._body, self._start, self._length = body, start, length
        body.seek(start)
        header = _read_exactly(body, HEADER)
        if len(header) < HEADER or header[0] != HEADER or length < HEADER + TAG:
            raise ObjectDamaged(_DAMAGED)
        self._prefix = header[1 + SALT :]
        self._cipher = _cipher(data_key, header[1 : 1 + SALT], associated)
        self._count = -(-length // SEGMENT)
        self._plain_length = length - HEADER - TAG * self._count
        if self._plain_length < 0 or sealed_length(self._plain_length) != length:
            raise ObjectDamaged(_DAMAGED)

    def _segment(self, number: int) -> bytes:
        begin = number * SEGMENT if number else HEADER
        end = min((number + 1) * SEGMENT, self._length)
        self._body.seek(self._start + begin)
        sealed = _read_exactly(self._body, end - begin)
        nonce = _nonce(self._prefix, number, last=number == self._count - 1)
        try:
            return self._cipher.decrypt(nonce, sealed, None)
        except InvalidTag:
            raise ObjectDamaged(_DAMAGED) from None

    def authenticated_length(self) -> int:
        """Return the plaintext's length after the last segment proved that nothing was cut off or added."""
        self._segment(self._count - 1)
        return self._plain_length

    def pieces(self) -> Iterator[bytes]:
        """Yield the plaintext segment by segment; the caller must not trust it before the last one came."""
        for number in range(self._count):
            yield self._segment(number)

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
        end = min(start + length, self.authenticated_length())
        parts: list[bytes] = []
        position = start
        while position < end:
            number = 0 if position < FIRST_PLAIN else 1 + (position - FIRST_PLAIN) // PLAIN
            begin = 0 if number == 0 else FIRST_PLAIN + (number - 1) * PLAIN
            piece = self._segment(number)[position - begin : end - begin]
            parts.append(piece)
            position += len(piece)
        return b"".join(parts)
