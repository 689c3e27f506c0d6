"""``headshotly staff …``: members of staff, from the terminal of the one who runs the service."""

import click
import django

from headshotly.policy.permission import permission


@permission("operator")
@click.group()
def staff() -> None:
    """Look after members of staff."""


@staff.command()
@click.argument("handle")
@click.option("--role", required=True, help="support, security-officer, dpo, operations, finance, developer, auditor")
def create(handle: str, role: str) -> None:
    """Create a member of staff and print their one-time enrolment link."""
    django.setup()
    from headshotly.access.services import create_staff  # noqa: PLC0415 - after Django's setup
    from headshotly.audit.actor import SYSTEM  # noqa: PLC0415 - after Django's setup

    click.echo(create_staff(actor=SYSTEM, handle=handle, role=role))
