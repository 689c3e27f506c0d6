"""Packing a customer's copy: a ZIP of JSON, pictures, consents and access history, with a manifest of hashes.

The format is published in ``docs/formats/export.md`` and ``export.schema.json``. At most one picture is in memory at a
time; nothing is written anywhere but sealed into the vault.
"""

import hashlib
import io
import json
from collections.abc import Buffer, Callable, Iterator
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from headshotly.accounts import selectors as accounts
from headshotly.audit import selectors as journal
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.wording import speaking
from headshotly.rights import rooms
from headshotly.studio import selectors as studio
from headshotly.studio.downloads import stream_zip
from headshotly.vault import services as vault
from headshotly.vault.warrant import Warrant

FORMAT = "headshotly-export-1"
type MintWarrant = Callable[[], Warrant]
type Tell = Callable[[], None]

_READ_ME = noop("""This is your copy of everything HeadShotly holds about you.

data.json             what every part of the service keeps about you
consents.json         what you agreed to, when, and which words you were shown
access-history.json   who opened your data, when and why, with proofs (check: headshotly journal verify-openings)
photos/               the photos you uploaded, as they are kept: upright, without location and other metadata
headshots/            the pictures made of them
manifest.json         the SHA-256 of every other file

Not in it, because a copy must not help a thief (11 CCR 7024(d)): your password's hash and your second factors.
Measurements of your face are not in it because they are never kept.
""")


def _json(document: Any) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=2, default=_plain) + "\n").encode()


def _plain(value: Any) -> str:
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def pictures_of(subject: UUID) -> list[tuple[str, UUID]]:
    """Return the name in the copy and the object of every photo and headshot of a customer."""
    photos = [(f"photos/{photo.id}.jpg", photo.object_id) for photo in studio.photos_of(subject)]
    made = [(f"headshots/{one.id}.jpg", one.object_id) for one in studio.all_headshots_of(subject)]
    return photos + made


def _documents(subject: UUID, mint: MintWarrant) -> Iterator[tuple[str, bytes]]:
    data = rooms.export_all(subject, mint())
    head = {
        "format": FORMAT,
        "made_at": clock.now(),
        "controller": configuration.current().operator.name,
        "subject": str(subject),
    }
    with speaking(accounts.language_of(subject)):
        read_me = _(_READ_ME)
    yield "README.txt", read_me.encode()
    yield "data.json", _json({**head, "rooms": data})
    yield "consents.json", _json({**head, "consents": data["purposes"]["consents"]})
    yield "access-history.json", _json(journal.proofs_of_subject(subject))


@enforces("1.2.c")
def files(subject: UUID, *, mint: MintWarrant, tell: Tell) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of a customer's copy, the manifest last.

    Args:
        subject: whose.
        mint: makes a fresh warrant; a large copy outlives a single one.
        tell: called before each file; may raise to stop.
    """
    hashes: dict[str, str] = {}

    def noted(name: str, content: bytes) -> tuple[str, bytes]:
        hashes[name] = hashlib.sha256(content).hexdigest()
        return name, content

    for name, content in _documents(subject, mint):
        tell()
        yield noted(name, content)
    for name, object_id in pictures_of(subject):
        tell()
        yield noted(name, vault.open(object_id=object_id, warrant=mint()))
    yield "manifest.json", _json({"format": FORMAT, "sha256": hashes})


class Packed(io.RawIOBase):
    """A customer's copy as a stream to read, made while it is read."""

    def __init__(self, content: Iterator[tuple[str, bytes]]) -> None:
        self._pieces = stream_zip(content)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill a buffer with what comes next; return how much, zero at the end."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        room = memoryview(buffer).cast("B")
        length = min(len(room), len(self._left))
        room[:length] = self._left[:length]
        self._left = self._left[length:]
        return length
