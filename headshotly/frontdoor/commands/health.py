"""``headshotly health``: whether everything this installation needs answers, for people and for probes."""

import click
import django

from headshotly.policy.permission import permission


@permission("operator")
@click.command()
def health() -> None:
    """Ask database, key service, store and queue; end with 1 where one does not answer."""
    django.setup()
    from headshotly.frontdoor.health import ALL, answering  # noqa: PLC0415 - after Django's setup

    found = answering(ALL)
    for name, good in found.items():
        click.echo(f"{name}: {'ok' if good else 'does not answer'}")
    if not all(found.values()):
        raise SystemExit(1)
