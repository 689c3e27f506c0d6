"""``headshotly drill``: exercise the disaster-recovery plan, and check a drill's record offline."""

import base64
from pathlib import Path

import click
import django

from headshotly.frontdoor.progress_bar import showing
from headshotly.policy.permission import permission


@permission("operator")
@click.group(invoke_without_command=True)
@click.option("--pdf", type=click.Path(dir_okay=False, path_type=Path), help="Write the report here.")
@click.option("--record", type=click.Path(dir_okay=False, path_type=Path), help="Write the signed record here.")
@click.pass_context
def drill(context: click.Context, pdf: Path | None, record: Path | None) -> None:
    """Restore everything into an empty place, step by step as the plan says, and measure it."""
    if context.invoked_subcommand is not None:
        return
    django.setup()
    from headshotly.audit.actor import SYSTEM  # noqa: PLC0415 - after Django's setup
    from headshotly.continuity import report, services  # noqa: PLC0415 - after Django's setup
    from headshotly.continuity.errors import DrillFailed  # noqa: PLC0415 - after Django's setup

    with showing() as progress:
        held = services.drill(actor=SYSTEM, progress=progress)
    seen = report.of(held)
    for step in seen.steps:
        mark = "passed" if step["passed"] else ("FAILED" if step["ran"] else "not run")
        click.echo(f"{mark:<8} {step['seconds']:>7.1f} s  {step['title']}: {step['sentence']}")
    for line in seen.measured:
        click.echo(line)
    if record is not None:
        record.write_text(held.signed, encoding="utf-8")
    if pdf is not None:
        pdf.write_bytes(report.pdf(held))
    if not held.passed:
        raise DrillFailed(held.sentence)


@permission("public")
@drill.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, help="The public key of the backups, base64; “headshotly drill key” prints it.")
def verify(file: Path, key: str) -> None:
    """Check the signed record of a drill offline."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - only here

    from headshotly.continuity import manifest  # noqa: PLC0415 - only here
    from headshotly.policy.refusal import Refusal  # noqa: PLC0415 - only here

    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
    except ValueError as error:
        raise Refusal("That is no public key.", code="drill.key") from error
    document = manifest.require_signature(file.read_bytes(), public)
    click.echo(f"Signed: a drill of {document['began_at']} that {'passed' if document['passed'] else 'failed'}.")


@drill.command(name="key")
def key_() -> None:
    """Print the public key that checks the records of drills and the manifests of backups."""
    django.setup()
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - only here

    from headshotly.continuity import catalogue, places  # noqa: PLC0415 - after Django's setup

    found = catalogue.require_newest(catalogue.look(places.stores(), places.key_service()))
    public = found.key.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    click.echo(base64.b64encode(public).decode())
