"""The ``headshotly`` program: finds the command and runs it."""

import functools
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission_of, production_act_of
from headshotly.policy.refusal import Refusal

# command → module under ``commands`` holding a click command of the same name; loaded only when asked for,
# so that ``shoot`` needs no database and ``--help`` is quick.
COMMANDS = {
    "shoot": "shoot",
    "studio": "studio",
    "serve": "serve",
    "worker": "worker",
    "sequencer": "sequencer",
    "sender": "sender",
    "duties": "duties",
    "detector": "detector",
    "setup": "setup",
    "remote": "remote",
    "keys": "keys",
    "backup": "backup",
    "restore": "restore",
    "drill": "drill",
    "receipt": "receipt",
    "journal": "journal",
    "policy": "policy",
    "findings": "findings",
    "release": "release",
    "staff": "staff",
    "vendors": "vendors",
    "manage": "manage",
    "database": "database",
    "slo": "slo",
    "queue": "queue",
    "health": "health",
}

_OFFLINE = frozenset({"shoot", "--help", "--version"})


class Commands(click.Group):
    """Loads a command's module when it is first named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return every command's name."""
        return sorted(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that was asked for; at a service, those that work there."""
        if ctx.params.get("remote") and args[:1] != ["remote"]:
            args = ["remote", *args]
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the named command, or None."""
        module_name = COMMANDS.get(cmd_name)
        if module_name is None:
            return None
        module = importlib.import_module(f"headshotly.frontdoor.commands.{module_name}")
        command: click.Command = getattr(module, cmd_name)
        _guard(command, None)
        return command


def _guard(command: click.Command, inherited: str | None) -> None:
    """Put the permission that each command names, or its group for it, before what it does."""
    needed = permission_of(command) or inherited
    if isinstance(command, click.Group):
        for each in command.commands.values():
            _guard(each, needed)
    if command.callback is not None and not hasattr(command.callback, "guarded"):
        scope = production_act_of(command)
        command.callback = _guarded(command.callback, needed, scope, alone=not isinstance(command, click.Group))


def _guarded(act: Callable[..., Any], needed: str | None, scope: str | None, *, alone: bool) -> Callable[..., Any]:
    @functools.wraps(act)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        # A group's own act runs before the command that was asked for, which answers for itself.
        if alone or click.get_current_context().invoked_subcommand is None:
            require(needed)
            if scope is not None:
                require_grant(scope)
        return act(*args, **kwargs)

    guarded.guarded, guarded.needed = True, needed  # type: ignore[attr-defined]
    return guarded


def walk(command: click.Command | None = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str | None]]:
    """Yield every command that does something, with the permission in force before it; None where nothing guards it."""
    if command is None:
        for name in COMMANDS:
            yield from walk(program.get_command(click.Context(program), name), (name,))
        return
    if command.callback is not None and getattr(command, "invoke_without_command", True):
        guarded = hasattr(command.callback, "guarded")
        yield " ".join(path), command.callback.needed if guarded else None  # type: ignore[attr-defined]
    for name, each in getattr(command, "commands", {}).items():
        yield from walk(each, (*path, name))


@enforces("2.4.a")
def require(needed: str | None) -> None:
    """Refuse a command that names no permission, or one of the operator's to anybody else.

    The operator is the account of the operating system that owns the data folder; whoever comes first to an empty
    place becomes it. Root is refused where somebody else owns the folder: it would leave files nobody else can write.

    Raises:
        Refusal: not this command, or not this account.
    """
    if needed == "public":
        return
    if needed != "operator":
        raise Refusal("This command names no permission, so nobody may run it.", code="command.no_permission")
    from headshotly.policy import configuration  # noqa: PLC0415 - ``shoot`` and ``--help`` need no settings

    folder = configuration.current().data_folder
    if folder.exists() and folder.stat().st_uid != os.geteuid():
        raise Refusal(f"Only the account that owns the data folder {folder} may do this.", code="command.not_operator")


@enforces("2.4.c")
def require_grant(scope: str) -> None:
    """Let an act in production happen only under a live grant for it, approved by somebody else; elsewhere nobody asks.

    Args:
        scope: of the grant, such as ``act:rotate-keys``.

    Raises:
        Refusal: no grant was named, or it is not live, or is for something else.
    """
    from headshotly.policy import configuration  # noqa: PLC0415 - as above

    if configuration.current().environment != "production":
        return
    named = (click.get_current_context().find_root().params or {}).get("grant")
    if named is None:
        raise Refusal(
            f"In production this takes a grant for “{scope}”: ask for one in the console, have somebody approve it, "
            "and say “headshotly --grant ID …”.",
            code="command.no_grant",
        )
    import django  # noqa: PLC0415 - only here is a database needed

    django.setup()
    from headshotly.access import grants  # noqa: PLC0415 - after Django's setup

    grants.use_for_act(grant_id=named, scope=scope)


@click.group(cls=Commands)
@click.version_option(package_name="headshotly")
@click.option("--grant", type=click.UUID, help="The grant you act under, where one is needed in production.")
@click.option(
    "--remote", metavar="URL", help="Work at this service; then: shoot, photos, results, seats, delete, export."
)
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Trust this certificate (PEM) of a service, and no other.",
)
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The token for a service, in a file that only you can read; else HEADSHOTLY_TOKEN holds it.",
)
def program(grant: UUID | None, remote: str | None, ca: Path | None, token_file: Path | None) -> None:
    """HeadShotly: professional headshots, under a security policy that runs."""


def main() -> None:
    """Run the program; a refusal becomes one plain sentence and exit code 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "headshotly.frontdoor.settings")  # noqa: TID251 - names the one place
    # ``shoot`` and ``--help`` load neither settings nor rooms; what they say is for whoever typed them.
    if not _OFFLINE & set(sys.argv[1:]):
        from headshotly.frontdoor.logs import guard_process  # noqa: PLC0415 - loads a room

        guard_process()
    try:
        program()
    except Refusal as refusal:
        click.echo(f"headshotly: {refusal.sentence}", err=True)
        sys.exit(1)
    except Exception as error:
        # Asked of the loaded modules, since ``shoot`` and ``--help`` load no database at all.
        database = sys.modules.get("django.db.utils")
        if database is None or not isinstance(error, (database.OperationalError, database.ProgrammingError)):
            raise
        click.echo("headshotly: The database does not answer, or “headshotly serve” never set it up.", err=True)
        click.echo(f"  {error}", err=True)
        sys.exit(1)
