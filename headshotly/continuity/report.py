"""A drill's record as people read it: on a page, in the terminal, on paper."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from headshotly.continuity.models import DrillRecord
from headshotly.policy import configuration
from headshotly.policy.documents import Document, Grid, Part, Text, render_pdf


@dataclass(frozen=True, slots=True)
class Report:
    """What a record says.

    Attributes:
        fields: the signed document.
        steps: one after the other.
        measured: sentences about what was measured against the objectives.
        is_signed: whether the record carries a signature.
    """

    fields: dict[str, Any]
    steps: list[dict[str, Any]]
    measured: list[str]
    is_signed: bool


def span(seconds: float) -> str:
    """Return a length of time in words, such as “2 h 5 min”."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest if not days and not hours else 0, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def of(record: DrillRecord) -> Report:
    """Return what a drill's record says."""
    outer = json.loads(record.signed)
    fields = outer["signed"]
    plan = fields["plan"]
    measured = [
        _measured("Time to recover", fields["recovery_seconds"], plan["recovery_hours"]),
        _measured("Loss of data", fields["loss_seconds"], plan["data_loss_hours"]),
    ]
    if fields["entries_lost"] is not None:
        measured.append(f"Journal entries written since the backup: {fields['entries_lost']}.")
    return Report(fields, fields["steps"], measured, bool(outer["signature"]))


def _measured(what: str, seconds: float | None, hours: float) -> str:
    if seconds is None:
        return f"{what}: not measured; the objective is {hours:g} hours."
    inside = "inside" if seconds <= hours * 3600 else "outside"
    return f"{what}: {span(seconds)}, {inside} the objective of {hours:g} hours."


def pdf(record: DrillRecord) -> bytes:
    """Return the report on paper."""
    report = of(record)
    fields = report.fields
    began = dt.datetime.fromisoformat(fields["began_at"])
    result = "Passed." if record.passed else f"Failed. {record.sentence}"
    rows = tuple(
        (
            step["title"],
            step["who"],
            "passed" if step["passed"] else ("failed" if step["ran"] else "not run"),
            f"{step['seconds']:.1f} s",
            step["sentence"],
        )
        for step in report.steps
    )
    record_words = (
        "The signed record of this drill is kept with the service; “headshotly drill verify” checks it."
        if report.is_signed
        else "The record carries no signature: the key of the backups could not be had."
    )
    document = Document(
        title="Disaster-recovery drill",
        lead=(
            f"{began:%Y-%m-%d %H:%M} UTC, {fields['environment']}",
            f"Backup {fields['backup'] or 'none'} from {fields['region']} alone",
            result,
        ),
        parts=(
            Part("Measured", tuple(Text(line) for line in report.measured)),
            Part("Steps", (Grid(("Step", "Who", "Result", "Took", "Seen"), rows, (2, 1.4, 0.9, 0.8, 3.4)),)),
            Part("Record", (Text(record_words), Text(f"Plan, SHA-256: {fields['plan']['sha256']}"))),
        ),
        type_points=9,
    )
    return render_pdf(document, operator=configuration.current().operator)
