"""``headshotly journal …``: verify, prove, export, and verify an export with nothing but a key."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headshotly.audit.checkpoint import parse_verifier_key, read
from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal

if TYPE_CHECKING:
    from headshotly.audit.checkpoint import Checkpoint

_KEY_HELP = "Verifier key, from “headshotly journal key”."
_LARGEST_DOWNLOAD = 256 << 20


def _set_up() -> None:
    """Load the rooms; the offline commands never do."""
    import django  # noqa: PLC0415 - only where a database is asked

    django.setup()


@permission("operator")
@click.group()
def journal() -> None:
    """Check the journal, or give it to somebody who will."""


@journal.command()
@click.option(
    "--from",
    "kept",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint kept from earlier; what it covers is held against its root and not recomputed.",
)
def verify(kept: Path | None) -> None:
    """Recompute the journal and hold it against every signed head, here and at the witness."""
    _set_up()
    from headshotly.audit import keys  # noqa: PLC0415 - after Django's setup
    from headshotly.audit.selectors import waiting  # noqa: PLC0415 - after Django's setup
    from headshotly.audit.verification import verify as verify_journal  # noqa: PLC0415 - after Django's setup

    since = read(kept.read_text(encoding="utf-8"), keys.public_key(), origin=keys.ORIGIN) if kept else None
    found = verify_journal(since)
    click.echo(
        f"The journal holds: {found.entries} entries ({found.recomputed} recomputed), {found.heads} signed heads, "
        f"{found.witnessed} of them at the witness; {waiting()} entries wait to be sequenced."
    )
    if found.damaged:
        raise Refusal(
            f"{found.damaged} entries had been changed before they were sequenced; "
            "the entries “audit.entry.damaged” name them.",
            code="journal.damaged",
        )


@journal.command()
def key() -> None:
    """Print the verifier key, to be pinned by auditors."""
    _set_up()
    from headshotly.audit.keys import published_key  # noqa: PLC0415 - after Django's setup

    click.echo(published_key())


def _latest() -> "Checkpoint":
    from headshotly.audit import selectors  # noqa: PLC0415 - after Django's setup

    head = selectors.latest_checkpoint()
    if head is None:
        raise Refusal("The journal is empty; there is nothing to prove or export yet.", code="journal.empty")
    return head


@journal.command()
def checkpoint() -> None:
    """Print the newest signed head; keep it, and the journal can never be rewritten behind it unseen."""
    _set_up()
    from headshotly.audit import selectors  # noqa: PLC0415 - after Django's setup

    _latest()
    click.echo(selectors.latest_head(), nl=False)


@journal.command()
@click.argument("index", type=click.IntRange(min=0))
def prove(index: int) -> None:
    """Print entry INDEX with the proof that it is in the signed journal, as JSON."""
    _set_up()
    from headshotly.audit import selectors  # noqa: PLC0415 - after Django's setup

    if index >= _latest().size:
        raise Refusal(f"The signed journal has no entry {index}.", code="journal.no_entry")
    click.echo(json.dumps(selectors.proof_of_entry(index), indent=1))


@journal.command(name="prove-consistency")
@click.argument("kept", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def prove_consistency(kept: Path) -> None:
    """Print the proof that the journal still begins with what the checkpoint in KEPT covers, as JSON."""
    _set_up()
    from headshotly.audit import keys, selectors  # noqa: PLC0415 - after Django's setup

    old, new = read(kept.read_text(encoding="utf-8"), keys.public_key(), origin=keys.ORIGIN), _latest()
    if old.size > new.size:
        raise Refusal(
            f"The journal was cut short: the checkpoint covers {old.size} entries, but only {new.size} are there.",
            code="journal.damaged",
        )
    click.echo(json.dumps(selectors.proof_of_consistency(old.size), indent=1))


@journal.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(file: Path) -> None:
    """Write the signed part of the journal to FILE."""
    _set_up()
    from headshotly.audit import export as exporting  # noqa: PLC0415 - after Django's setup
    from headshotly.audit import keys, selectors  # noqa: PLC0415 - after Django's setup

    _latest()
    note = str(selectors.latest_head())
    size = read(note, keys.public_key(), origin=keys.ORIGIN).size
    with file.open("w", encoding="utf-8") as out:
        count = exporting.write(out, note=note, verifier=keys.published_key(), leaves=selectors.leaves(size))
    click.echo(f"{count} entries written to {file}")


@journal.command()
@click.argument("web_role")
@click.argument("sequencer_role")
def privileges(web_role: str, sequencer_role: str) -> None:
    """Print the SQL that lets WEB_ROLE only add to the journal; run it in PostgreSQL as the owner of the tables."""
    _set_up()
    from headshotly.audit.privileges import statements  # noqa: PLC0415 - after Django's setup

    for statement in statements(web=web_role, sequencer=sequencer_role):
        click.echo(f"{statement};")


@permission("public")
@journal.command(name="verify-export")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "--public-key", "verifier", required=True, help=_KEY_HELP)
def verify_export(file: Path, verifier: str) -> None:
    """Check an exported journal offline."""
    from headshotly.audit.export import verify_file  # noqa: PLC0415 - only here

    head = verify_file(file, verifier=verifier)
    click.echo(f"The file holds: {head.size} entries of {head.origin}, as signed.")


@permission("public")
@journal.command(name="verify-openings")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "--public-key", "verifier", required=True, help=_KEY_HELP)
def verify_openings(file: Path, verifier: str) -> None:
    """Check a download of “Who opened my photos”, or one proven entry, offline."""
    from headshotly.audit.export import verify_openings as check  # noqa: PLC0415 - only here

    click.echo(f"{check(_document(file), verifier=verifier)} entries are in the signed journal.")


@permission("public")
@journal.command(name="verify-consistency")
@click.argument("kept", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("proof", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "--public-key", "verifier", required=True, help=_KEY_HELP)
def verify_consistency(kept: Path, proof: Path, verifier: str) -> None:
    """Check offline that the journal in PROOF begins with all that the checkpoint in KEPT covers."""
    from headshotly.audit.export import verify_consistency as check  # noqa: PLC0415 - only here

    origin, public_key = parse_verifier_key(verifier)
    old = read(kept.read_text(encoding="utf-8"), public_key, origin=origin)
    new = check(old, _document(proof), verifier=verifier)
    click.echo(f"The first {old.size} of {new.size} entries are unchanged.")


def _document(file: Path) -> dict[str, object]:
    if file.stat().st_size > _LARGEST_DOWNLOAD:
        raise Refusal("The file is too large to be a proof.")
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refusal("The file is not a proof from the journal.") from error
    if not isinstance(document, dict):
        raise Refusal("The file is not a proof from the journal.")
    return document
