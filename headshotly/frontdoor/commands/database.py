"""``headshotly database …``: the roles of PostgreSQL."""

import click
import django

from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal


@permission("operator")
@click.group()
def database() -> None:
    """Look after the database's roles."""


@database.command()
@click.option("--apply", "at_once", is_flag=True, help="Run it, as the owner of the tables, instead of printing it.")
@click.option("--prefix", default="", help="Of the roles' names, such as staging_.")
@click.option("--keys", is_flag=True, help="For the database of customer keys.")
def roles(*, at_once: bool, prefix: str, keys: bool) -> None:
    """Print the SQL that gives each program a role with no more than it needs; run it after every migration."""
    django.setup()
    from headshotly.frontdoor import database_roles  # noqa: PLC0415 - after Django's setup

    alias = "keys" if keys else "default"
    if at_once:
        click.echo(f"{database_roles.apply(prefix=prefix, alias=alias)} statements run.")
        return
    for statement in database_roles.statements(prefix=prefix, alias=alias):
        click.echo(f"{statement};")


@database.command()
def check() -> None:
    """Say what this process's role may do that no program of the service should."""
    django.setup()
    from headshotly.frontdoor import database_roles  # noqa: PLC0415 - after Django's setup

    found = database_roles.shortcomings()
    if found:
        raise Refusal(" ".join(found), code="database.role")
    click.echo("This role makes nothing, owns nothing, and cannot change the journal.")
