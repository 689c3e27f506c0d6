"""The record of processing activities, generated from the declarations (GDPR Art. 30(1), clause 1.1.a)."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from headshotly.policy.enforcement import enforces
from headshotly.policy.operator import Operator
from headshotly.purposes.declarations import Activity, kept_places

COLUMNS = (
    "activity", "purpose", "legal basis", "people", "data", "recipients",
    "transfers", "retention", "measures", "kept in", "needs a DPIA",
)  # fmt: skip


def _row(activity: Activity, places: dict[str, str]) -> dict[str, str]:
    """Return one line of the record, every cell in words."""
    return {
        "activity": activity.title,
        "purpose": activity.purpose,
        "legal basis": activity.basis.value,
        "people": ", ".join(activity.people),
        "data": ", ".join(activity.data),
        "recipients": ", ".join(activity.recipients) or "nobody outside",
        "transfers": ", ".join(activity.transfers) or "none",
        "retention": activity.retention,
        "measures": ", ".join(f"clause {clause}" for clause in activity.measures),
        "kept in": ", ".join(sorted(place for place, id_ in places.items() if id_ == activity.id)) or "nowhere",
        "needs a DPIA": "yes: " + ", ".join(sorted(activity.risks)) if activity.needs_dpia else "no",
    }


def rows(activities: Iterable[Activity]) -> list[dict[str, str]]:
    """Return the record's lines, one an activity, with the keys of ``COLUMNS``."""
    places = kept_places()
    return [_row(activity, places) for activity in activities]


@enforces("1.1.a")
def as_json(activities: Iterable[Activity], *, operator: Operator) -> str:
    """Return the record as JSON with the controller's name and contacts.

    Args:
        activities: which activities to list.
        operator: the controller.
    """
    document: dict[str, Any] = {
        "controller": {
            "name": operator.name,
            "address": operator.postal_address,
            "contact": operator.privacy_email,
        },
        "activities": rows(activities),
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def as_csv(activities: Iterable[Activity]) -> str:
    """Return the record as CSV (RFC 4180), one line an activity."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, fieldnames=COLUMNS)
    writer.writeheader()
    writer.writerows(rows(activities))
    return out.getvalue()
