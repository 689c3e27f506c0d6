"""The ``headshotly`` program: finds the command and runs it."""

import importlib
import os
import sys

import click

from headshotly.policy.refusal import Refusal

# command → module under ``commands`` holding a click command of the same name; loaded only when asked for,
# so that ``shoot`` needs no database and ``--help`` is quick.
COMMANDS = {
    "shoot": "shoot",
    "serve": "serve",
    "worker": "worker",
    "sequencer": "sequencer",
    "duties": "duties",
    "setup": "setup",
    "keys": "keys",
    "receipt": "receipt",
    "journal": "journal",
    "policy": "policy",
    "staff": "staff",
    "manage": "manage",
}


class Commands(click.Group):
    """Loads a command's module when it is first named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return every command's name."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the named command, or None."""
        module_name = COMMANDS.get(cmd_name)
        if module_name is None:
            return None
        module = importlib.import_module(f"headshotly.frontdoor.commands.{module_name}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(cls=Commands)
@click.version_option(package_name="headshotly")
def program() -> None:
    """HeadShotly: professional headshots, under a security policy that runs."""


def main() -> None:
    """Run the program; a refusal becomes one plain sentence and exit code 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "headshotly.frontdoor.settings")  # noqa: TID251 - names the one place
    try:
        program()
    except Refusal as refusal:
        click.echo(f"headshotly: {refusal.sentence}", err=True)
        sys.exit(1)
