"""``headshotly duties``: what is done regularly, when it was done last, and doing it now."""

import logging
from concurrent.futures import ThreadPoolExecutor

import click
import django

from headshotly.continuity.marker import refuse_while_restoring
from headshotly.frontdoor.stopping import Stopping
from headshotly.policy.permission import permission

_logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0


@permission("operator")
@click.group()
def duties() -> None:
    """Do what must be done regularly."""


@duties.command()
@click.option("--slow/--quick", default=None, help="Only the duties that take long, or only the others.")
@click.option("--but", multiple=True, metavar="NAME", help="Leave this duty to another program; may be said again.")
def run(*, slow: bool | None, but: tuple[str, ...]) -> None:
    """Do every duty when it is due, until told to stop; those that take long beside the others."""
    refuse_while_restoring()
    django.setup()
    from headshotly.frontdoor import loaded, program_metrics  # noqa: PLC0415 - after Django's setup
    from headshotly.frontdoor.database_roles import require_separated  # noqa: PLC0415 - after Django's setup
    from headshotly.frontdoor.roster import require_known  # noqa: PLC0415 - after Django's setup

    require_separated()
    require_known(but)
    program_metrics.listen("slow-duties" if slow else "duties")
    stop = Stopping().on()
    loaded.leave_to_itself()
    if slow is not None:
        _keep_doing(stop, slow=slow, but=but)
        return
    # Nobody is called late because a backup is being written.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="slow-duties") as beside:
        longer = beside.submit(_keep_doing, stop, slow=True, but=but)
        _keep_doing(stop, slow=False, but=but)
    longer.result()


def _keep_doing(stop: Stopping, *, slow: bool, but: tuple[str, ...]) -> None:
    """Do one of both kinds until told to stop; where this ends in whatever way, so does the other."""
    from django.db import Error as DatabaseFailure  # noqa: PLC0415 - after Django's setup
    from django.db import connections  # noqa: PLC0415 - after Django's setup

    from headshotly.frontdoor import program_metrics  # noqa: PLC0415 - after Django's setup
    from headshotly.frontdoor.roster import run_due  # noqa: PLC0415 - after Django's setup

    try:
        while not stop.wait(LOOK_SECONDS):
            try:
                run_due(slow=slow, but=but)
                program_metrics.saw_step("duties")
            except DatabaseFailure as error:
                # A duty that was done but not written down stays held, and is done again when its time is over.
                _logger.warning("database.no-answer", exc_info=error, extra={"program": "duties"})
                program_metrics.saw_step("duties", failed=True)
                connections.close_all()
    finally:
        stop.tell()


@duties.command()
@click.argument("names", nargs=-1, required=True)
def now(names: tuple[str, ...]) -> None:
    """Do the named duties at once."""
    refuse_while_restoring()
    django.setup()
    from headshotly.frontdoor.models import DutyRecord  # noqa: PLC0415 - after Django's setup
    from headshotly.frontdoor.roster import run_due  # noqa: PLC0415 - after Django's setup

    done = run_due(names=names)
    failed = False
    for name in names:
        record = DutyRecord.objects.get(name=name)
        failed = failed or name not in done or not record.succeeded
        click.echo(f"{name}: {record.sentence if name in done else 'somebody else is doing it now.'}")
    if failed:
        raise SystemExit(1)


@duties.command(name="list")
def list_() -> None:
    """List every duty, how often it is done and how it ended last."""
    django.setup()
    from headshotly.frontdoor.models import DutyRecord  # noqa: PLC0415 - after Django's setup
    from headshotly.policy.duties import declared  # noqa: PLC0415 - after Django's setup

    records = {record.name: record for record in DutyRecord.objects.all()}
    for duty in declared():
        record = records.get(duty.name)
        last = "never yet"
        if record is not None and record.ended_at is not None:
            last = f"{record.ended_at:%Y-%m-%d %H:%M} UTC: {record.sentence}"
        click.echo(f"{duty.name:<28} every {duty.every!s:<16} {last}")
