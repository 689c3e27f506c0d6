"""``headshotly release``: enter a commit that is to be released, and list what was."""

from pathlib import Path

import click
import django

from headshotly.policy.permission import permission


@permission("operator")
@click.group()
def release() -> None:
    """Keep the record of releases; reviewing and releasing are acts of members of staff, in the console."""


@release.command()
@click.option("--version", required=True, help="What customers will call it.")
@click.option("--author", required=True, help="Handle of the member of staff who wrote it.")
@click.option("--gates", default="build/gates.json", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def record(version: str, author: str, gates: Path) -> None:
    """Enter the commit that the gates ran on last."""
    django.setup()
    from headshotly.access import members  # noqa: PLC0415 - after Django's setup
    from headshotly.audit.actor import SYSTEM  # noqa: PLC0415 - after Django's setup
    from headshotly.lifecycle import releases  # noqa: PLC0415 - after Django's setup
    from headshotly.policy.refusal import Refusal  # noqa: PLC0415 - after Django's setup

    found = next((one for one in members.everybody() if one.handle == author), None)
    if found is None:
        raise Refusal(f"There is no member of staff “{author}”.", code="release.author")
    made = releases.record(actor=SYSTEM, version=version, author_id=found.id, gates=gates.read_bytes())
    missing = releases.missing_gates(made.gates)
    click.echo(f"{made.version} is {made.commit}; it waits for a review by somebody other than {author}.")
    if missing:
        click.echo(f"It cannot go out: {', '.join(missing)} did not pass.")


@release.command(name="list")
def list_() -> None:
    """List releases, newest first."""
    django.setup()
    from headshotly.lifecycle import selectors  # noqa: PLC0415 - after Django's setup

    for one in selectors.releases():
        reviewed = f"reviewed by {one.reviewer.handle}" if one.reviewer else "not reviewed"
        out = f"released {one.released_at:%Y-%m-%d}" if one.released_at else "not released"
        click.echo(f"{one.version}  {one.commit[:12]}  by {one.author.handle}, {reviewed}, {out}")
