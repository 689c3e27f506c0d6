"""``headshotly keys …``: look after the key hierarchy and what is sealed under it."""

from pathlib import Path

import click
import django

from headshotly.policy.permission import permission, production_act
from headshotly.policy.refusal import Refusal


@permission("operator")
@click.group()
def keys() -> None:
    """Look after the keys."""
    django.setup()


@keys.command()
def status() -> None:
    """Show the roots in force and whether every key is wrapped, replicated and rightly there."""
    from headshotly.vault import selectors  # noqa: PLC0415 - after Django's setup

    state = selectors.keys_state()
    for root, made_at in sorted(state.roots.items(), key=lambda pair: pair[1]):
        click.echo(f"root {root}  made {made_at}{'  in force' if root == state.current_root else ''}")
    click.echo(f"{state.keys} customer keys; {state.erased} customers erased.")
    wrong = [
        (state.stale, "keys are wrapped under an older root; run “headshotly keys rotate”"),
        (state.incomplete, "keys are missing from a replica; run “headshotly keys repair”"),
        (state.erased_held, "keys of erased customers are still there; run “headshotly keys replay-erasures”"),
        (len(selectors.unwrappable()), "keys are opened by no root"),
    ]
    for count, sentence in wrong:
        if count:
            click.echo(f"{count} {sentence}.", err=True)
    if any(count for count, _ in wrong):
        raise click.exceptions.Exit(1)


@production_act("act:rotate-keys")
@keys.command()
def rotate() -> None:
    """Put a new root key in force, wrap every living key under it, and destroy the older roots.

    Interrupted anywhere, running it again goes on.
    """
    from headshotly.audit.actor import SYSTEM  # noqa: PLC0415 - after Django's setup
    from headshotly.vault import rotation  # noqa: PLC0415 - after Django's setup

    done = rotation.rotate(actor=SYSTEM)
    went = "An interrupted rotation was finished" if done.resumed else "A new root key is in force"
    click.echo(f"{went}: {done.root}. {done.rewrapped} keys wrapped anew, {len(done.retired)} older roots destroyed.")


@production_act("act:rotate-keys")
@keys.command()
@click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File whose first line is the new passphrase; leave out to keep the keys unsealed.",
)
def protect(passphrase_file: Path | None) -> None:
    """Seal the embedded root keys under a passphrase, or under none.

    Then name the same file in HEADSHOTLY_OPTION_KMS__PASSPHRASE_FILE, for instance a systemd credential.
    """
    from headshotly.vault import wiring  # noqa: PLC0415 - after Django's setup
    from headshotly.vault.embedded_keys import EmbeddedKeyService  # noqa: PLC0415 - after Django's setup

    service = wiring.key_service()
    if not isinstance(service, EmbeddedKeyService):
        raise Refusal("Only the embedded key service has a file to protect.", code="keys.not_embedded")
    service.protect(passphrase_file)
    click.echo("The root keys are sealed under the passphrase." if passphrase_file else "The root keys are unsealed.")


@keys.command()
def repair() -> None:
    """Copy keys to the replicas that lost them."""
    from headshotly.vault import services  # noqa: PLC0415 - after Django's setup

    click.echo(f"{services.repair_key_replicas()} copies made.")


@keys.command(name="replay-erasures")
def replay_erasures() -> None:
    """Shred again whoever was erased and a restored backup brought back. Run it before serving anybody."""
    from headshotly.audit.actor import SYSTEM  # noqa: PLC0415 - after Django's setup
    from headshotly.vault import services  # noqa: PLC0415 - after Django's setup

    click.echo(f"{services.replay_erasures(actor=SYSTEM)} erased customers had come back and are gone again.")


@keys.command()
def sweep() -> None:
    """Remove stored bytes that no row names, left by crashes more than an hour ago."""
    from headshotly.vault import services  # noqa: PLC0415 - after Django's setup

    click.echo(f"{services.sweep_orphans()} leftovers removed.")
