"""``headshotly backup …``: make, list, check and prune backups."""

import click
import django

from headshotly.frontdoor.progress_bar import showing
from headshotly.policy.permission import permission, production_act


@permission("operator")
@click.group(invoke_without_command=True)
@click.pass_context
def backup(context: click.Context) -> None:
    """Back everything up, encrypted, into every store, and read it back."""
    if context.invoked_subcommand is not None:
        return
    django.setup()
    from headshotly.audit.actor import SYSTEM  # noqa: PLC0415 - after Django's setup
    from headshotly.continuity import services  # noqa: PLC0415 - after Django's setup

    with showing() as progress:
        record = services.back_up(actor=SYSTEM, progress=progress)
    services.require_complete(record)
    click.echo(
        f"Backup {record.id} is complete in {' and '.join(record.held_by)}: {record.object_count} objects, "
        f"{_size(record.object_bytes + record.database_bytes)}; {_size(record.written_bytes)} were new."
    )
    if record.sentence:
        click.echo(record.sentence, err=True)


def _size(count: int) -> str:
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:  # noqa: PLR2004 - a kilo
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


@backup.command(name="list")
def list_() -> None:
    """List the backups, as the stores themselves say; asks no database."""
    django.setup()
    from headshotly.continuity import catalogue, places  # noqa: PLC0415 - after Django's setup

    stores = places.stores()
    found = catalogue.look(stores, places.key_service())
    for one in found.backups:
        made = one.manifest
        regions = ", ".join(store.region for store in one.stores)
        alone = "" if len(one.stores) == len(stores) else "  NOT IN EVERY REGION"
        lacking = f"  {made.missing} OBJECTS MISSING" if made.missing else ""
        click.echo(
            f"{made.backup}  {made.moment:%Y-%m-%d %H:%M:%S} UTC  {made.objects} objects, "
            f"{_size(made.object_bytes + made.database_bytes)}  {regions}{alone}{lacking}"
        )
    for region, why in found.silent.items():
        click.echo(f"{region}: {why}", err=True)
    for sentence in found.damaged:
        click.echo(sentence, err=True)
    if not found.backups:
        click.echo("There is no backup yet.")
    _tell_root()
    if found.silent or found.damaged:
        raise click.exceptions.Exit(1)


def _tell_root() -> None:
    from headshotly.continuity import selectors  # noqa: PLC0415 - after Django's setup
    from headshotly.policy import clock  # noqa: PLC0415 - as above

    state = selectors.root_key_state()
    if state is None:
        return
    click.echo(f"Root key {state.root}, {(clock.now() - state.made_at).days} days old.")
    if state.older or state.stale:
        click.echo("An older root key is still there; run “headshotly backup rotate-key”.", err=True)


@backup.command()
@click.option(
    "--share", type=click.IntRange(0, 27), help="Read only one of 28 parts; names and sizes are all looked at."
)
def check(share: int | None) -> None:
    """Read every copy in every store again, and heal what rotted from one that did not."""
    django.setup()
    from headshotly.audit.actor import SYSTEM  # noqa: PLC0415 - after Django's setup
    from headshotly.continuity import services  # noqa: PLC0415 - after Django's setup

    with showing() as progress:
        found = services.check(actor=SYSTEM, share=share, progress=progress)
    for one in found.stores:
        state = one.failed or f"{one.read} of {one.blobs} read; {one.damaged} damaged, {one.healed} healed"
        click.echo(f"{one.region}: {state}")
    for sentence in found.unusable:
        click.echo(sentence, err=True)
    if not found.whole:
        raise click.exceptions.Exit(1)


@backup.command()
def prune() -> None:
    """Let old backups go: grandfather, father, son."""
    django.setup()
    from headshotly.audit.actor import SYSTEM  # noqa: PLC0415 - after Django's setup
    from headshotly.continuity import services  # noqa: PLC0415 - after Django's setup

    with showing() as progress:
        done = services.prune(actor=SYSTEM, progress=progress)
    held = f"; a lock still holds {done.locked}" if done.locked else ""
    click.echo(f"{done.backups} backups let go, {done.blobs} blobs removed ({_size(done.bytes)}){held}.")


@production_act("act:rotate-keys")
@backup.command(name="rotate-key")
def rotate_key() -> None:
    """Put a new root key of the backups in force, wrap their keys under it, and destroy the older one.

    No backup is written anew, and each stays readable throughout. Interrupted anywhere, running it again goes on.
    """
    django.setup()
    from headshotly.audit.actor import SYSTEM  # noqa: PLC0415 - after Django's setup
    from headshotly.continuity import services  # noqa: PLC0415 - after Django's setup

    with showing() as progress:
        done = services.rotate_root(actor=SYSTEM, progress=progress)
    went = "An interrupted rotation was finished" if done.resumed else "A new root key is in force"
    click.echo(
        f"{went}: {done.root}. {done.backups} backups open with it in every region, {done.written} keys written, "
        f"{len(done.retired)} older roots destroyed."
    )


@backup.command()
def mirror() -> None:
    """Bring every region's mirror of keys and erasures up to date."""
    django.setup()
    from headshotly.continuity import services  # noqa: PLC0415 - after Django's setup

    found = services.mirror(thorough=True)
    for one in found:
        click.echo(one.sentence or f"{one.keys} keys, {one.added} of them new, {one.removed} removed.")
    if any(one.sentence for one in found):
        raise click.exceptions.Exit(1)
