"""The journal as a file an auditor checks without us: no database, no configuration."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from headshotly.audit import merkle
from headshotly.audit.checkpoint import Checkpoint, parse_verifier_key, read
from headshotly.audit.errors import JournalDamaged
from headshotly.audit.leaf import decode
from headshotly.audit.replay import verify_leaves

FORMAT = "headshotly-journal-1"
OPENINGS_FORMAT = "headshotly-openings-1"
CONSISTENCY_FORMAT = "headshotly-consistency-1"


def write(out: TextIO, *, note: str, verifier: str, leaves: Iterator[bytes]) -> int:
    """Write the export: a first line with the signed head, then one line an entry.

    Returns:
        How many entries were written.
    """
    out.write(json.dumps({"format": FORMAT, "checkpoint": note, "verifier_key": verifier}) + "\n")
    count = 0
    for leaf in leaves:
        out.write(base64.b64encode(leaf).decode() + "\n")
        count += 1
    return count


def verify_file(path: Path, *, verifier: str) -> Checkpoint:
    """Check an exported journal against a pinned key.

    Args:
        path: the exported file.
        verifier: verifier key obtained from somewhere else than the file.

    Raises:
        JournalDamaged: names what is wrong.
    """
    origin, public_key = parse_verifier_key(verifier)
    try:
        with path.open(encoding="utf-8") as lines:
            head = _header(next(lines, ""))
            checkpoint = read(str(head.get("checkpoint", "")), public_key, origin=origin)
            count = verify_leaves((_leaf(line) for line in lines), [checkpoint]).size
    except UnicodeDecodeError as error:
        raise JournalDamaged("The file is not an exported journal.") from error
    if count != checkpoint.size:
        raise JournalDamaged(f"The file holds {count} entries; its signed head covers {checkpoint.size}.")
    return checkpoint


def verify_openings(document: dict[str, Any], *, verifier: str) -> int:
    """Check a customer's download of *Who opened my photos*.

    Returns:
        How many entries were proven.

    Raises:
        JournalDamaged: names the entry that is not in the signed journal.
    """
    origin, public_key = parse_verifier_key(verifier)
    if document.get("format") != OPENINGS_FORMAT:
        raise JournalDamaged("The file is not a download of “Who opened my photos”.")
    checkpoint = read(str(document.get("checkpoint", "")), public_key, origin=origin)
    entries = document.get("entries")
    if not isinstance(entries, list):
        raise JournalDamaged("The file is not a download of “Who opened my photos”.")
    seen = {_proven(entry, checkpoint) for entry in entries}
    if len(seen) != len(entries):
        raise JournalDamaged("The file lists an entry twice.")
    return len(entries)


def verify_consistency(old: Checkpoint, document: dict[str, Any], *, verifier: str) -> Checkpoint:
    """Check that a journal begins with what an older checkpoint covers.

    Args:
        old: the checkpoint that was kept.
        document: what ``headshotly journal prove-consistency`` printed.
        verifier: verifier key obtained from somewhere else than the document.

    Returns:
        The newer checkpoint.

    Raises:
        JournalDamaged: it does not, or the proof cannot be read.
    """
    origin, public_key = parse_verifier_key(verifier)
    if document.get("format") != CONSISTENCY_FORMAT:
        raise JournalDamaged("The file is not a proof of consistency.")
    new = read(str(document.get("checkpoint", "")), public_key, origin=origin)
    try:
        path = [base64.b64decode(hash_, validate=True) for hash_ in document["proof"]]
    except (KeyError, TypeError, ValueError) as error:
        raise JournalDamaged("The proof of consistency cannot be read.") from error
    if not merkle.is_consistent(old.size, old.root, new.size, new.root, path):
        raise JournalDamaged(f"The journal does not begin with the {old.size} entries the checkpoint was signed over.")
    return new


def _proven(entry: Any, checkpoint: Checkpoint) -> int:
    """Return the index of an entry whose proof leads to the signed root."""
    try:
        index, leaf = int(entry["index"]), base64.b64decode(entry["leaf"], validate=True)
        path = [base64.b64decode(hash_, validate=True) for hash_ in entry["proof"]]
    except (KeyError, TypeError, ValueError) as error:
        raise JournalDamaged("An entry of the download cannot be read.") from error
    decode(leaf)
    try:
        root = merkle.root_from_inclusion(merkle.leaf_hash(leaf), index, checkpoint.size, path)
    except ValueError as error:
        raise JournalDamaged(f"The proof of entry {index} has the wrong form.") from error
    if root != checkpoint.root:
        raise JournalDamaged(f"Entry {index} is not in the journal that was signed.")
    return index


def _header(line: str) -> dict[str, Any]:
    try:
        head = json.loads(line)
    except ValueError as error:
        raise JournalDamaged("The file is not an exported journal.") from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise JournalDamaged("The file is not an exported journal.")
    return head


def _leaf(line: str) -> bytes:
    try:
        leaf = base64.b64decode(line.strip(), validate=True)
    except ValueError as error:
        raise JournalDamaged("A line of the exported journal cannot be read.") from error
    decode(leaf)
    return leaf
