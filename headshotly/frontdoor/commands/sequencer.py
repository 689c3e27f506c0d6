"""``headshotly sequencer``: moves journal entries into the tree, a head a second at most."""

import logging
import os

import click
import django

from headshotly.continuity.marker import refuse_while_restoring
from headshotly.frontdoor.stopping import Stopping
from headshotly.policy.permission import permission

_logger = logging.getLogger(__name__)


@permission("operator")
@click.command()
@click.option("--once", is_flag=True, help="Sequence what is waiting, then stop.")
def sequencer(*, once: bool) -> None:
    """Sequence the journal until told to stop."""
    refuse_while_restoring()
    django.setup()
    from django.db import Error as DatabaseFailure  # noqa: PLC0415 - after Django's setup
    from django.db import close_old_connections  # noqa: PLC0415 - after Django's setup

    from headshotly.audit.sequencing import BATCH, NICENESS, PAUSE, sequence_once  # noqa: PLC0415 - after Django's setup
    from headshotly.frontdoor import loaded, program_metrics  # noqa: PLC0415 - after Django's setup
    from headshotly.frontdoor.database_roles import require_separated  # noqa: PLC0415 - after Django's setup

    require_separated()
    if not once:
        program_metrics.listen("sequencer")
    os.nice(NICENESS)
    stop = Stopping().on()
    loaded.leave_to_itself()
    while not stop.is_told():
        try:
            moved = sequence_once()
            program_metrics.saw_step("sequencer", taken=moved)
        except (DatabaseFailure, OSError) as error:
            # Nothing is lost: what a step did not commit still waits, and the next one tells the witness again.
            what = "witness.no-answer" if isinstance(error, OSError) else "database.no-answer"
            _logger.warning(what, exc_info=error, extra={"program": "sequencer"})
            program_metrics.saw_step("sequencer", failed=True)
            close_old_connections()
            if once:
                raise
            moved = 0
        if once and not moved:
            return
        if not once and moved < BATCH:
            stop.wait(PAUSE)
