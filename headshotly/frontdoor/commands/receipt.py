"""``headshotly receipt …``: check a deletion receipt, offline and without a database."""

import json
from pathlib import Path

import click

from headshotly.policy.permission import permission
from headshotly.vault.errors import ReceiptForged
from headshotly.vault.receipt import fingerprint
from headshotly.vault.receipt import verify as verify_receipt

_LARGEST = 64 << 20


@permission("operator")
@click.group()
def receipt() -> None:
    """Check deletion receipts."""


@permission("public")
@receipt.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "expected_key", help="Our public key (base64), from the trust page or “headshotly receipt key”.")
def verify(file: Path, expected_key: str | None) -> None:
    """Check the signature of the deletion receipt in FILE and say what it certifies."""
    try:
        if file.stat().st_size > _LARGEST:
            raise ReceiptForged("The file is too large for a deletion receipt.")
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ReceiptForged("The file is not a deletion receipt.") from error
    statement = verify_receipt(document, expected_key=expected_key)
    objects = statement.get("objects", [])
    click.echo(f"The signature holds: {len(objects)} objects of {statement.get('subject')} are destroyed,")
    click.echo(f"as of {statement.get('erased_at')}. The key: {statement.get('key')}.")
    for one in objects:
        click.echo(f"  {one['id']}  {one['kind']}")
    if expected_key is None:
        click.echo(
            f"Signed with the key {fingerprint(document['public_key'])}, which the receipt brings itself. "
            "Give --key to check that it is ours."
        )


@receipt.command()
def key() -> None:
    """Print the public key that checks our receipts."""
    import django  # noqa: PLC0415 - only this command needs the service's own keys

    django.setup()
    from headshotly.vault.services import receipt_public_key  # noqa: PLC0415 - after Django's setup

    click.echo(receipt_public_key())
