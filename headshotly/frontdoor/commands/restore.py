"""``headshotly restore``: the whole service into an empty place, or parts of a living one."""

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click
import django

from headshotly.frontdoor.commandline import require_grant
from headshotly.frontdoor.progress_bar import showing
from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal

if TYPE_CHECKING:
    from headshotly.continuity.restoring import Restored


def _moment(_context: click.Context, _parameter: click.Parameter, text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("write it like 2026-11-27T08:30") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


@permission("operator")
@click.command()
@click.option("--at", callback=_moment, help="The newest backup made by then, such as 2026-11-27T08:30 (UTC).")
@click.option(
    "--backup", "backup_id", type=click.UUID, help="Exactly this backup; “headshotly backup list” names them."
)
@click.option("--from", "regions", multiple=True, help="Use only the store in this region; may be said again.")
@click.option("--keep-objects", is_flag=True, help="The object store survived: keep what it holds unchanged.")
@click.option("--accept-losses", is_flag=True, help="Open the place although something is missing; it is journalled.")
@click.option(
    "--destroyed-since",
    callback=_moment,
    help="Bring back what was deleted one by one since then (UTC): deleting it was the fault. It is journalled.",
)
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write what was done here, as JSON.")
@click.option("--customer", type=click.UUID, help="In a living system: bring back this customer's lost objects.")
@click.option("--objects", "all_objects", is_flag=True, help="In a living system: bring back every lost object.")
@click.option("--keys", "lost_keys", is_flag=True, help="In a living system: bring back lost keys from the mirrors.")
def restore(
    *,
    at: dt.datetime | None,
    backup_id: UUID | None,
    regions: tuple[str, ...],
    keep_objects: bool,
    accept_losses: bool,
    destroyed_since: dt.datetime | None,
    report: Path | None,
    customer: UUID | None,
    all_objects: bool,
    lost_keys: bool,
) -> None:
    """Restore the whole service into this empty place and open it, or bring back parts of a living one."""
    django.setup()
    if lost_keys or customer or all_objects:
        require_grant("act:restore")
    if lost_keys:
        _keys()
    elif customer or all_objects:
        _objects(customer, regions, report)
    else:
        from headshotly.continuity.restoring import Wanted  # noqa: PLC0415 - after Django's setup

        wanted = Wanted(
            at=at,
            backup=backup_id,
            keep_objects=keep_objects,
            accept_losses=accept_losses,
            only=tuple(regions),
            destroyed_since=destroyed_since,
        )
        _everything(wanted, report)


def _everything(wanted: object, report: Path | None) -> None:
    from headshotly.continuity import services  # noqa: PLC0415 - after Django's setup

    with showing() as progress:
        done = services.restore(wanted=wanted, progress=progress)  # type: ignore[arg-type]
    _write(report, done.plain())
    _tell(done)


def _tell(done: "Restored") -> None:
    click.echo(f"The service is back as of {done.moment}, from backup {done.backup}, in {done.seconds:.1f} s.")
    click.echo(
        f"{done.objects} objects and {done.keys} keys; the journal holds: {done.entries} entries, "
        f"{done.checkpoint} of them under the backup's checkpoint; {done.superseded} later ones are lost."
    )
    click.echo(f"{done.erased} customers stay erased; the backup had brought back {done.erased_again} of them.")
    click.echo(f"{len(done.withheld)} objects that were deleted since the backup did not come back.")
    if done.revived:
        click.echo(f"{done.revived} objects were deleted and are back, as you asked. Tell whoever deleted their own.")
    for sentence in (*done.warnings, *([f"Accepted: {done.lost}."] if done.lost else [])):
        click.echo(sentence, err=True)
    click.echo("The place is open: “headshotly serve” starts here.")


def _objects(customer: UUID | None, regions: tuple[str, ...], report: Path | None) -> None:
    from headshotly.audit.actor import SYSTEM  # noqa: PLC0415 - after Django's setup
    from headshotly.continuity import services  # noqa: PLC0415 - after Django's setup

    with showing() as progress:
        done = services.restore_objects(actor=SYSTEM, subject=customer, only=tuple(regions), progress=progress)
    _write(
        report,
        {
            "looked_at": done.looked_at,
            "whole": done.whole,
            "back": [str(one) for one in done.back],
            "nowhere": [str(one) for one in done.nowhere],
        },
    )
    click.echo(f"{done.looked_at} objects looked at: {done.whole} were whole, {len(done.back)} are back.")
    if done.nowhere:
        raise Refusal(f"{len(done.nowhere)} objects are neither here nor in the backup.", code="restore.nowhere")


def _keys() -> None:
    from headshotly.audit.actor import SYSTEM  # noqa: PLC0415 - after Django's setup
    from headshotly.continuity import services  # noqa: PLC0415 - after Django's setup

    added, warnings = services.recover_keys(actor=SYSTEM)
    click.echo(f"{added} keys are back.")
    if warnings:
        raise Refusal(" ".join(warnings), code="restore.keys")


def _write(report: Path | None, document: dict[str, object]) -> None:
    if report is not None:
        report.write_text(json.dumps(document, indent=1), encoding="utf-8")
