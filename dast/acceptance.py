"""Which findings somebody accepted, why, and until when."""

import datetime as dt
import tomllib
from pathlib import Path

from dast.results import Found

ACCEPTED = Path(__file__).with_name("accepted.toml")


def in_force(tool: str, *, today: dt.date, file: Path = ACCEPTED) -> dict[str, tuple[str, dt.date]]:
    """Return fingerprint → reason and last day of what is accepted today.

    Args:
        tool: whose findings.
        today: an entry counts up to and on its last day.
        file: the list.

    Raises:
        ValueError: an entry lacks its reason or its last day, or is accepted for more than a year.
    """
    listed = tomllib.loads(file.read_text(encoding="utf-8")).get("accepted", [])
    made = {}
    for entry in listed:
        found = Found(rule=entry["rule"], place=entry["place"], detail=entry.get("detail", ""), words="")
        reason, until = entry.get("reason", ""), entry.get("until")
        if not reason or not isinstance(until, dt.date) or until > today + dt.timedelta(days=400):
            raise ValueError(f"{entry['rule']} is accepted without a reason, without a last day, or for too long.")
        if entry["tool"] == tool and today <= until:
            made[found.fingerprint] = (str(reason), until)
    return made
