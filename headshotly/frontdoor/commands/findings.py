"""``headshotly findings``: take what scanners found into the register, and read it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import django

from headshotly.policy import dates
from headshotly.policy.permission import permission

if TYPE_CHECKING:
    from headshotly.lifecycle.models import Finding


@permission("operator")
@click.group()
def findings() -> None:
    """Keep the register of findings."""


@findings.command(name="import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--commit", default="", help="Full hash of what was scanned, where the file does not say.")
@click.option("--method", default=None, help="code, service, dependencies, secrets, licences or other.")
def import_(files: tuple[Path, ...], commit: str, method: str | None) -> None:
    """Take SARIF 2.1.0 or CycloneDX files in; a file that is known changes nothing."""
    django.setup()
    from headshotly.audit.actor import SYSTEM  # noqa: PLC0415 - after Django's setup
    from headshotly.lifecycle import importing  # noqa: PLC0415 - after Django's setup
    from headshotly.lifecycle.bounded import LARGEST_DOCUMENT  # noqa: PLC0415 - after Django's setup
    from headshotly.lifecycle.states import Method  # noqa: PLC0415 - after Django's setup
    from headshotly.policy.refusal import Refusal  # noqa: PLC0415 - after Django's setup

    chosen = None
    if method is not None:
        if method not in set(Method.values) - {Method.PENETRATION.value}:
            raise Refusal(
                "A method is code, service, dependencies, secrets, licences or other.", code="findings.method"
            )
        chosen = Method(method)
    failed = False
    for path in files:
        try:
            with path.open("rb") as file:
                raw = file.read(LARGEST_DOCUMENT + 1)
            scans = importing.take_in(actor=SYSTEM, raw=raw, commit=commit, method=chosen)
        except Refusal as refusal:
            click.echo(f"{path}: {refusal.sentence}", err=True)
            failed = True
            continue
        for scan in scans:
            words = f"{scan.seen} seen, {scan.fresh} new, {scan.reopened} opened again, {scan.missed} no longer seen"
            waved = f", {scan.suppressed} waved through in the code" if scan.suppressed else ""
            broke = "" if scan.succeeded else "; the tool did not come to its end"
            click.echo(f"{path}: {scan.tool} {scan.version}: {words}{waved}{broke}.")
    if failed:
        raise SystemExit(1)


@findings.command(name="list")
@click.option("--state", default="", help="open, fixed, accepted, false-positive or overdue.")
@click.option("--severity", default="", help="critical, high, medium, low or none.")
def list_(state: str, severity: str) -> None:
    """List findings, what must be fixed first in front."""
    django.setup()
    from headshotly.lifecycle import selectors, services  # noqa: PLC0415 - after Django's setup

    today = dates.today()
    found = selectors.findings(selectors.Wanted(state=state, severity=severity))
    for one in found:
        late = " LATE" if services.is_overdue(one, today) else ""
        due = f"due {one.due_on}{late}" if one.state == "open" and one.due_on else one.get_state_display()
        click.echo(f"{one.reference}  {one.severity:<8}  {due:<20}  {one.title}  {one.place}")
    counts = selectors.counts()
    click.echo(f"{len(found)} shown; {counts['open']} open, {counts['overdue']} past their limit.")


@findings.command()
@click.argument("reference")
def show(reference: str) -> None:
    """Show one finding with its history."""
    django.setup()
    from headshotly.lifecycle import selectors  # noqa: PLC0415 - after Django's setup

    finding = selectors.by_reference(reference)
    for name, value in _facts(finding):
        if value:
            click.echo(f"{name:<10} {value}")
    if finding.words:
        click.echo(f"\n{finding.words}")
    click.echo("")
    for step in selectors.history(finding):
        click.echo(f"{step.at:%Y-%m-%d %H:%M} UTC  {step.get_kind_display()}{f': {step.words}' if step.words else ''}")
    for retest in selectors.retests(finding):
        click.echo(
            f"Retest: {retest.test} failed on {retest.failed_commit} (file {retest.failed_sha256[:16]}…), "
            f"passes on {retest.passed_commit} (file {retest.passed_sha256[:16]}…)"
        )


def _facts(finding: "Finding") -> list[tuple[str, str]]:
    score = f" {finding.score}" if finding.score is not None else ""
    return [
        ("Finding", f"{finding.reference}: {finding.title}"),
        ("Place", finding.place),
        ("Rule", f"{finding.tool}, {finding.rule}"),
        (
            "Severity",
            f"{finding.get_severity_display()}{score}, by {finding.get_grading_display()} {finding.vector}".strip(),
        ),
        ("CWE", ", ".join(str(one) for one in finding.weaknesses)),
        ("State", finding.get_state_display()),
        ("Due", str(finding.due_on or "")),
        ("Owner", finding.owner.handle if finding.owner else "nobody"),
        ("Seen", f"{finding.first_seen_at:%Y-%m-%d %H:%M} to {finding.last_seen_at:%Y-%m-%d %H:%M} UTC"),
        (
            "Missed",
            f"{finding.missed_at:%Y-%m-%d %H:%M} UTC, by a scan that could have seen it" if finding.missed_at else "",
        ),
    ]
