"""``headshotly manage …``: Django's own management commands, for developers and migrations."""

import click
from django.core.management import execute_from_command_line

from headshotly.frontdoor.commandline import require_grant
from headshotly.policy.permission import permission

# What a release does by itself before it serves anybody.
_HARMLESS = frozenset({"migrate", "check", "showmigrations", "collectstatic"})


@permission("operator")
@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(arguments: tuple[str, ...]) -> None:
    """Run a Django management command; in production anything but migrating takes a grant for the database."""
    if not arguments or arguments[0] not in _HARMLESS:
        require_grant("act:database")
    execute_from_command_line(["headshotly manage", *arguments])
