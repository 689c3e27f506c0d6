"""``headshotly manage …``: Django's own management commands, for developers and migrations."""

import click
from django.core.management import execute_from_command_line

from headshotly.policy.permission import permission


@permission("operator")
@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(arguments: tuple[str, ...]) -> None:
    """Run a Django management command."""
    execute_from_command_line(["headshotly manage", *arguments])
