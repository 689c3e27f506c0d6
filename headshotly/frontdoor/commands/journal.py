"""``headshotly journal …``: verify, export, and verify an export with nothing but a key."""

import json
from pathlib import Path

import click
import django

from headshotly.policy.refusal import Refusal


@click.group()
def journal() -> None:
    """Check the journal, or give it to somebody who will."""


@journal.command()
def verify() -> None:
    """Recompute the journal and hold it against every signed head, here and at the witness."""
    django.setup()
    from headshotly.audit.selectors import waiting  # noqa: PLC0415 - after Django's setup
    from headshotly.audit.verification import verify as verify_journal  # noqa: PLC0415 - after Django's setup

    found = verify_journal()
    click.echo(
        f"The journal holds: {found.entries} entries, {found.heads} signed heads, "
        f"{found.witnessed} of them at the witness; {waiting()} entries wait to be sequenced."
    )


@journal.command()
def key() -> None:
    """Print the verifier key, to be pinned by auditors."""
    django.setup()
    from headshotly.audit.keys import published_key  # noqa: PLC0415 - after Django's setup

    click.echo(published_key())


@journal.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(file: Path) -> None:
    """Write the signed part of the journal to FILE."""
    django.setup()
    from headshotly.audit import export as exporting  # noqa: PLC0415 - after Django's setup
    from headshotly.audit import keys, selectors  # noqa: PLC0415 - after Django's setup
    from headshotly.audit.checkpoint import read  # noqa: PLC0415 - after Django's setup

    note = selectors.latest_head()
    if note is None:
        raise Refusal("The journal is empty; there is nothing to export yet.", code="journal.empty")
    size = read(note, keys.public_key()).size
    with file.open("w", encoding="utf-8") as out:
        count = exporting.write(out, note=note, verifier=keys.published_key(), leaves=selectors.leaves(size))
    click.echo(f"{count} entries written to {file}")


@journal.command(name="verify-export")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "verifier", required=True, help="Verifier key, from “headshotly journal key”.")
def verify_export(file: Path, verifier: str) -> None:
    """Check an exported journal offline."""
    django.setup()
    from headshotly.audit.export import verify_file  # noqa: PLC0415 - after Django's setup

    checkpoint = verify_file(file, verifier=verifier)
    click.echo(f"The file holds: {checkpoint.size} entries of {checkpoint.origin}, as signed.")


@journal.command(name="verify-openings")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "verifier", required=True, help="Verifier key, from “headshotly journal key”.")
def verify_openings(file: Path, verifier: str) -> None:
    """Check a download of “Who opened my photos” offline."""
    django.setup()
    from headshotly.audit.export import verify_openings as check  # noqa: PLC0415 - after Django's setup

    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Refusal("The file is not a download of “Who opened my photos”.") from error
    click.echo(f"{check(document, verifier=verifier)} entries are in the signed journal.")
