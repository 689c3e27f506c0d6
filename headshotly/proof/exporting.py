"""Writing an auditor's pack: all of it or nothing, and a line in the journal that it was given."""

import hashlib
import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.proof import bundle
from headshotly.proof.errors import ExportRefused
from headshotly.proof.verify_bundle import FORMAT, INDEX


@dataclass(frozen=True, slots=True)
class Exported:
    """A pack as it was written.

    Attributes:
        folder: where.
        files: how many, the index not counted.
        sha256: hash of the index, which names the hash of every file; it stands in the journal.
    """

    folder: Path
    files: int
    sha256: str


@enforces("1.3.a")
def export(folder: Path, *, progress: Callable[[str], None] = lambda _name: None) -> Exported:
    """Write a pack into a folder that does not exist yet.

    It grows beside its place and is moved there last: a crash leaves a hidden folder, never half a pack.

    Args:
        folder: where to.
        progress: called with each file's name when it is written.

    Raises:
        ExportRefused: the folder exists, cannot be written, or there is nothing to export yet.
    """
    if folder.exists():
        raise ExportRefused(f"{folder} exists already; a pack is written into a new folder.")
    scratch = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        digests = _write(scratch, progress)
        index = {"format": FORMAT, "made_at": clock.now().isoformat(timespec="seconds"), "files": digests}
        spelled = (json.dumps(index, indent=1, sort_keys=True) + "\n").encode()
        (scratch / INDEX).write_bytes(spelled)
        scratch.rename(folder)
    except OSError as error:
        shutil.rmtree(scratch, ignore_errors=True)
        raise ExportRefused(f"The pack could not be written to {folder}: {error.strerror}.") from error
    except ExportRefused:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    digest = hashlib.sha256(spelled).hexdigest()
    audit.record(actor=SYSTEM, act=Act.POLICY_EXPORTED, purpose=f"auditor's pack, index sha256 {digest}")
    return Exported(folder, len(digests), digest)


def _write(scratch: Path, progress: Callable[[str], None]) -> dict[str, str]:
    digests = {}
    for name, data in bundle.contents():
        path = scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        digests[name] = hashlib.sha256(data).hexdigest()
        progress(name)
    return digests
