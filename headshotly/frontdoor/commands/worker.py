"""``headshotly worker``: makes headshots in the background."""

import click
import django

from headshotly.continuity.marker import refuse_while_restoring
from headshotly.policy.permission import permission


@permission("operator")
@click.command()
@click.option("--until-idle", is_flag=True, help="Stop when nothing is left to do.")
def worker(*, until_idle: bool) -> None:
    """Run background work until told to stop."""
    refuse_while_restoring()
    django.setup()
    from headshotly.frontdoor import loaded  # noqa: PLC0415 - after Django's setup
    from headshotly.frontdoor.database_roles import require_separated  # noqa: PLC0415 - after Django's setup
    from headshotly.frontdoor.program_metrics import listen  # noqa: PLC0415 - after Django's setup
    from headshotly.frontdoor.worker import LeasedWorker  # noqa: PLC0415 - after Django's setup

    require_separated()
    listen("worker")
    leased = LeasedWorker(batch=until_idle)
    leased.configure_signals()
    loaded.leave_to_itself()
    leased.run()
