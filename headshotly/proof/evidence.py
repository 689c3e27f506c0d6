"""How evidence becomes a hash: canonical JSON, so that anybody can recompute it from an exported row."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from typing import Any

FIELDS = (
    "id", "run", "check", "clauses", "outcome", "sentence", "population", "broken",
    "assurance", "environment", "observed_from", "observed_to", "expires_at",
)  # fmt: skip


def canonical(fields: dict[str, Any]) -> bytes:
    """Return one piece of evidence as bytes: JSON, keys sorted, no white space, UTF-8, times as ISO 8601 in UTC.

    Args:
        fields: exactly those of ``FIELDS``.

    Raises:
        ValueError: a field is missing or foreign.
    """
    if set(fields) != set(FIELDS):
        raise ValueError("evidence has exactly the fields of FIELDS")
    plain = {name: _plain(value) for name, value in fields.items()}
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    if isinstance(value, list | tuple):
        return [str(one) for one in value]
    return value if value is None or isinstance(value, int) else str(value)


def digest(fields: dict[str, Any]) -> str:
    """Return the SHA-256 of one piece of evidence, in hex."""
    return hashlib.sha256(canonical(fields)).hexdigest()


def digest_of_run(run_id: str, digests: Iterable[str]) -> str:
    """Return the SHA-256 (hex) of a run: its id and its evidence's digests, sorted, one a line."""
    return hashlib.sha256("\n".join([run_id, *sorted(digests)]).encode()).hexdigest()
