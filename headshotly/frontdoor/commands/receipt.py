"""``headshotly receipt …``: deletion receipts, checked without us."""

import json
from pathlib import Path

import click
import django

from headshotly.policy.refusal import Refusal


@click.group()
def receipt() -> None:
    """Check deletion receipts."""


@receipt.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "expected_key", default=None, help="Public key you got from somewhere else, base64.")
def verify(file: Path, expected_key: str | None) -> None:
    """Check a receipt's signature offline and say what it states."""
    django.setup()
    from headshotly.vault.receipt import verify as verify_receipt  # noqa: PLC0415 - after Django's setup

    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Refusal("The file is not a deletion receipt.", code="vault.receipt_forged") from error
    statement = verify_receipt(document, expected_key=expected_key)
    click.echo(f"The signature holds. Erased at {statement['erased_at']}: {len(statement['objects'])} objects.")
    for item in statement["objects"]:
        click.echo(f"  {item['id']}  {item['kind']}")
    if expected_key is None:
        click.echo("The key is the one inside the receipt; compare it with a key you trust: --key")


@receipt.command()
def key() -> None:
    """Print the public key that this installation signs receipts with."""
    django.setup()
    from headshotly.vault.receipt import public_key  # noqa: PLC0415 - after Django's setup

    click.echo(public_key())
