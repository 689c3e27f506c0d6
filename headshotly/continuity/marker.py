"""The mark on a place that is being restored: while it is there, nothing serves anybody (clause 6.2.b).

It is written before the first byte is restored and removed after the last check, so that a crash anywhere in between
leaves a closed place.
"""

import json
from pathlib import Path
from typing import Any

from headshotly.continuity.errors import StillRestoring
from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces
from headshotly.vault import durable


def _path() -> Path:
    return configuration.current().data_folder / "restoring.json"


def present() -> dict[str, Any] | None:
    """Return what the mark says, or None where there is none; a damaged one counts as one."""
    try:
        text = _path().read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def place(about: dict[str, Any]) -> None:
    """Close the place.

    Raises:
        StoreUnavailable: the mark is not known to be on the disk; nothing may be restored.
    """
    durable.write(_path(), [json.dumps(about, indent=1).encode()])


def lift() -> None:
    """Open the place.

    Raises:
        StoreUnavailable: the mark may still be there.
    """
    durable.remove(_path())


@enforces("6.2.b", "1.2.c")
def refuse_while_restoring() -> None:
    """Let nothing start on a place that is being restored.

    Raises:
        StillRestoring: it is.
    """
    if present() is not None:
        raise StillRestoring(
            "This place is being restored, or a restore of it was interrupted, so nothing starts here. "
            "Run “headshotly restore” again; it begins anew and opens the place at its end."
        )
