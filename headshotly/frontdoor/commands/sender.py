"""``headshotly sender``: delivers customers' messages where they want them, and does nothing else.

The one program that speaks to hosts nobody knows beforehand. It can have a network and a role of its own, which
reach nothing else (docs/adr/0166); the duties then run with ``--but integrations.deliver``.
"""

import logging

import click
import django

from headshotly.continuity.marker import refuse_while_restoring
from headshotly.frontdoor.stopping import Stopping
from headshotly.policy.permission import permission

_logger = logging.getLogger(__name__)

LOOK_SECONDS = 2.0


@permission("operator")
@click.command()
@click.option("--once", is_flag=True, help="Send what is due, then stop.")
def sender(*, once: bool) -> None:
    """Deliver customers' messages to their endpoints until told to stop."""
    refuse_while_restoring()
    django.setup()
    from django.db import Error as DatabaseFailure  # noqa: PLC0415 - after Django's setup
    from django.db import connections  # noqa: PLC0415 - after Django's setup

    from headshotly.frontdoor import loaded, program_metrics  # noqa: PLC0415 - after Django's setup
    from headshotly.frontdoor.database_roles import require_separated  # noqa: PLC0415 - after Django's setup

    require_separated()
    if not once:
        program_metrics.listen("sender")
    stop = Stopping().on()
    loaded.leave_to_itself()
    while not stop.is_told():
        try:
            program_metrics.saw_step("sender", taken=_send())
        except DatabaseFailure as error:
            # What was sent and not written down stays marked, and is sent again with its id.
            _logger.warning("database.no-answer", exc_info=error, extra={"program": "sender"})
            program_metrics.saw_step("sender", failed=True)
            connections.close_all()
            if once:
                raise
        except Exception:
            # One message must not keep the others from being sent; its kind and place are enough to find it by.
            _logger.exception("sender.failed", extra={"program": "sender"})
            program_metrics.saw_step("sender", failed=True)
            if once:
                raise
        if once:
            return
        stop.wait(LOOK_SECONDS)


def _send() -> int:
    """Send what is due, unless an incident made the service read-only; return how many messages arrived."""
    from headshotly.incidents import containment  # noqa: PLC0415 - after Django's setup
    from headshotly.integrations import delivering  # noqa: PLC0415 - after Django's setup

    return 0 if containment.read_only() else delivering.send_due()
