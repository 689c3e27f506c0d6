"""Reading the journal, and proving what was read."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from headshotly.audit import keys, merkle
from headshotly.audit.leaf import Leaf, decode
from headshotly.audit.models import Disclosure, Entry, PendingEntry, SignedHead
from headshotly.audit.sequencing import stored_subtree


@dataclass(frozen=True, slots=True)
class Recorded:
    """One sequenced entry.

    Attributes:
        index: its place in the journal, from zero.
        leaf: what it says.
        raw: its canonical bytes.
    """

    index: int
    leaf: Leaf
    raw: bytes


def entries_of_subject(subject: UUID) -> list[Recorded]:
    """Return every sequenced entry about a data subject, oldest first."""
    return [
        Recorded(entry.index, decode(bytes(entry.leaf)), bytes(entry.leaf))
        for entry in Entry.objects.filter(subject=subject).order_by("index")
    ]


def waiting() -> int:
    """Return how many entries wait to be sequenced."""
    return PendingEntry.objects.count() + Disclosure.objects.using("journal").count()


def latest_head() -> str | None:
    """Return the newest signed head as a note, or None where nothing is signed yet."""
    head = SignedHead.objects.order_by("-size").first()
    return head.note if head else None


def proofs_of_subject(subject: UUID) -> dict[str, Any]:
    """Return a subject's entries with a proof for each, verifiable offline.

    Returns:
        ``checkpoint`` (signed note), ``verifier_key`` and ``entries``: index, leaf (base64), proof (base64 list).
    """
    head = SignedHead.objects.order_by("-size").first()
    size = head.size if head else 0
    return {
        "format": "headshotly-openings-1",
        "verifier_key": keys.published_key(),
        "checkpoint": head.note if head else "",
        "entries": [
            {
                "index": entry.index,
                "leaf": base64.b64encode(entry.raw).decode(),
                "proof": [
                    base64.b64encode(hash_).decode()
                    for hash_ in merkle.inclusion_proof(entry.index, size, stored_subtree)
                ],
            }
            for entry in entries_of_subject(subject)
            if entry.index < size
        ],
    }


def leaves(size: int) -> Iterator[bytes]:
    """Yield the canonical bytes of the first ``size`` entries, in order."""
    for leaf in (
        Entry.objects.filter(index__lt=size).order_by("index").values_list("leaf", flat=True).iterator(chunk_size=2000)
    ):
        yield bytes(leaf)
