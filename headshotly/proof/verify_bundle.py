"""Checks an auditor's pack offline: no database, no network, nothing of HeadShotly but this file.

It needs Python 3.12 or newer and the package ``cryptography``. A copy lies in every pack as ``verify.py``; take it from
the source or from somebody you trust, not from the pack you doubt, and the verifier key from elsewhere too::

    python verify.py PACK --key "headshotly.ai/journal+…" [--witness FOLDER]

Format: ``docs/formats/auditors-pack.md``. Exit code 0: everything holds; 1: it says what does not.
"""

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "headshotly-auditors-pack-1"
INDEX = "index.json"
_ED25519 = b"\x01"
_ACT = "proof.checks.run"


class PackBroken(Exception):
    """The pack is not what was signed; the message says where."""


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise PackBroken(f"{path.name} is missing or cannot be read.") from error


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except ValueError as error:
        raise PackBroken("A proof is not base64.") from error


def check_files(pack: Path) -> int:
    """Hold every file against the index; a file more or less is as bad as a changed one. Return how many there are."""
    index = _json(pack / INDEX)
    if not isinstance(index, dict) or index.get("format") != FORMAT or not isinstance(index.get("files"), dict):
        raise PackBroken("The index is not one of an auditor's pack.")
    there = {str(path.relative_to(pack)) for path in pack.rglob("*") if path.is_file()} - {INDEX}
    for name in sorted(there ^ set(index["files"])):
        raise PackBroken(f"{name} is {'not in the index' if name in there else 'missing'}.")
    for name, digest in index["files"].items():
        if _sha256((pack / name).read_bytes()) != digest:
            raise PackBroken(f"{name} was changed.")
    return len(there)


def _key(text: str) -> tuple[str, bytes, bytes]:
    """Return name, key id and public key of a verifier key (C2SP signed-note)."""
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    material = _bytes(encoded)
    wanted = hashlib.sha256(name.encode() + b"\n" + material).digest()[:4]
    if material[:1] != _ED25519 or wanted.hex() != key_id:
        raise PackBroken("The verifier key does not match its own id.")
    return name, wanted, material[1:]


def check_checkpoint(note: str, verifier: str) -> tuple[int, bytes]:
    """Return size and root of a signed head (C2SP tlog-checkpoint) whose signature holds."""
    name, key_id, public = _key(verifier)
    body, separator, signatures = note.partition("\n\n")
    lines = body.split("\n")
    if not separator or len(lines) != 3 or lines[0] != name or not lines[1].isdecimal():  # noqa: PLR2004 - origin, size, root
        raise PackBroken("The checkpoint is not a signed head of this journal.")
    for line in signatures.splitlines():
        blob = _bytes(line.rpartition(" ")[2])
        if line.startswith(f"— {name} ") and blob[:4] == key_id:
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(blob[4:], f"{body}\n".encode())
            except InvalidSignature:
                continue
            return int(lines[1]), _bytes(lines[2])
    raise PackBroken("No signature on the checkpoint is by this key.")


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that an inclusion proof leads to (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise PackBroken(f"Entry {index} is not within the checkpoint.")
    current, place, last = hashlib.sha256(b"\x00" + leaf).digest(), index, size - 1
    for sibling in path:
        if last == 0:
            raise PackBroken(f"The proof of entry {index} is too long.")
        left_of_it = not place & 1 and place != last
        pair = current + sibling if left_of_it else sibling + current
        current = hashlib.sha256(b"\x01" + pair).digest()
        while not left_of_it and not place & 1 and place:
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    if last != 0:
        raise PackBroken(f"The proof of entry {index} is too short.")
    return current


def _evidence_digest(fields: Any) -> str:
    spelled = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return _sha256(spelled.encode())


def check_run(document: Any, *, size: int, root: bytes) -> dict[str, Any]:
    """Check one run and return its evidence by hash: evidence → run → journal's entry → signed root."""
    try:
        run, proof = document["run"], document["journal"]
        digests = [_evidence_digest(one) for one in document["evidence"]]
        foreign = [one for one in document["evidence"] if one["run"] != run["id"]]
        leaf, path = _bytes(proof["leaf"]), [_bytes(one) for one in proof["proof"]]
        entry, index = json.loads(leaf), int(proof["index"])
        total = _sha256("\n".join([run["id"], *sorted(digests)]).encode())
        said = f"run {run['id']} of {len(digests)} checks, sha256 {total}"
        act, purpose = entry["act"], entry["purpose"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PackBroken("A run's file lacks a part.") from error
    if root_of(leaf, index, size, path) != root:
        raise PackBroken(f"The entry of run {run['id']} is not in the signed journal.")
    if foreign or act != _ACT or purpose != said:
        raise PackBroken(f"The journal does not say what the file of run {run['id']} says.")
    return dict(zip(digests, document["evidence"], strict=True))


def check_verdicts(document: Any, known: dict[str, Any]) -> int:
    """Check that every check's verdict rests on evidence in the pack, and that no PASS is more than was seen."""
    resting = 0
    for clause in document["clauses"]:
        for one in clause["checks"]:
            digest = one["evidence_sha256"]
            if digest is None:
                if one["verdict"] != "UNKNOWN":
                    raise PackBroken(f"The check {one['check']} says {one['verdict']} without evidence.")
                continue
            seen = known.get(digest)
            if seen is None or seen["check"] != one["check"] or clause["clause"] not in seen["clauses"]:
                raise PackBroken(f"The evidence of the check {one['check']} is not in the pack.")
            if one["verdict"] == "PASS" and (seen["outcome"] != "held" or seen["population"] < 1):
                raise PackBroken(f"The check {one['check']} passes on evidence that does not say so.")
            resting += 1
        if clause["verdict"] == "PASS" and any(one["verdict"] != "PASS" for one in clause["checks"]):
            raise PackBroken(f"Clause {clause['clause']} passes while a check of it does not.")
    return resting


def check_witness(folder: Path, note: str, verifier: str) -> int:
    """Hold the checkpoint against heads somebody kept: two roots over one size are a fork. Return how many."""
    size, root = check_checkpoint(note, verifier)
    kept = [check_checkpoint(path.read_text(encoding="utf-8"), verifier) for path in sorted(folder.glob("*.note"))]
    if not kept:
        raise PackBroken("The witness's folder holds no heads.")
    for other_size, other_root in kept:
        if other_size == size and other_root != root:
            raise PackBroken(f"The witness kept another head over {size} entries: the journal was forked.")
    return len(kept)


def verify(pack: Path, *, verifier: str, witness: Path | None = None) -> list[str]:
    """Check a whole pack and return what was found to hold, a sentence each.

    Args:
        pack: the folder.
        verifier: verifier key of the journal, obtained from somewhere else than the pack.
        witness: a folder of heads that somebody else kept.

    Raises:
        PackBroken: says what does not hold.
    """
    said = [f"All {check_files(pack)} files are as the index says."]
    note = (pack / "evidence" / "checkpoint.note").read_text(encoding="utf-8")
    size, root = check_checkpoint(note, verifier)
    said.append(f"The checkpoint over {size} entries is signed by the key you gave.")
    known: dict[str, Any] = {}
    runs = sorted((pack / "evidence" / "runs").glob("*.json"))
    for path in runs:
        known |= check_run(_json(path), size=size, root=root)
    said.append(f"{len(runs)} runs with {len(known)} pieces of evidence are in the signed journal, unchanged.")
    try:
        resting = check_verdicts(_json(pack / "policy" / "verdicts.json"), known)
    except (KeyError, TypeError) as error:
        raise PackBroken("The file of verdicts lacks a part.") from error
    said.append(f"{resting} verdicts of checks rest on that evidence.")
    if witness is not None:
        said.append(f"None of {check_witness(witness, note, verifier)} heads of the witness contradicts it.")
    return said


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Check an auditor's pack offline.")
    parser.add_argument("pack", type=Path)
    parser.add_argument("--key", required=True, help="verifier key of the journal, from somewhere else than the pack")
    parser.add_argument("--witness", type=Path, help="folder of heads that somebody else kept")
    asked = parser.parse_args()
    try:
        for sentence in verify(asked.pack, verifier=asked.key, witness=asked.witness):
            sys.stdout.write(f"{sentence}\n")
    except (PackBroken, OSError) as error:
        sys.stderr.write(f"NOT VERIFIED: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
