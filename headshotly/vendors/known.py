"""Entries to start a register from; each is a proposal that people check, assess and approve."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def known() -> dict[str, dict[str, Any]]:
    """Return the entries by short name, as ``register.propose`` takes them."""
    return tomllib.loads((Path(__file__).parent / "known.toml").read_text(encoding="utf-8"))
