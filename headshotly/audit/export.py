"""The journal as a file an auditor checks without us: no database, no configuration."""

import base64
import binascii
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from headshotly.audit import merkle
from headshotly.audit.checkpoint import Checkpoint, parse_verifier_key, read
from headshotly.audit.errors import JournalDamaged
from headshotly.audit.leaf import decode
from headshotly.audit.verification import verify_leaves

FORMAT = "headshotly-journal-1"


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
    _, public_key = parse_verifier_key(verifier)
    with path.open(encoding="utf-8") as lines:
        head = _header(next(lines, ""))
        checkpoint = read(str(head.get("checkpoint", "")), public_key)
        count = verify_leaves((_leaf(line) for line in lines), [checkpoint])
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
    _, public_key = parse_verifier_key(verifier)
    checkpoint = read(str(document.get("checkpoint", "")), public_key)
    entries = document.get("entries", [])
    for entry in entries:
        leaf = base64.b64decode(entry["leaf"])
        decode(leaf)
        path = [base64.b64decode(hash_) for hash_ in entry["proof"]]
        try:
            root = merkle.root_from_inclusion(merkle.leaf_hash(leaf), entry["index"], checkpoint.size, path)
        except ValueError as error:
            raise JournalDamaged(f"The proof of entry {entry['index']} has the wrong form.") from error
        if root != checkpoint.root:
            raise JournalDamaged(f"Entry {entry['index']} is not in the journal that was signed.")
    return len(entries)


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
    except binascii.Error as error:
        raise JournalDamaged("A line of the exported journal cannot be read.") from error
    decode(leaf)
    return leaf
