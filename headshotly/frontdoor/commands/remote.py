"""``headshotly --remote URL …``: the same job at a service, through its API."""

import time
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import click
from headshotly_client import AuthenticatedClient
from headshotly_client.api.account import ask_export, delete_account, get_export
from headshotly_client.api.jobs import get_job, start_job
from headshotly_client.api.photos import delete_photo, list_photos, upload_photo
from headshotly_client.api.results import delete_result, download_result, list_results
from headshotly_client.api.team import list_seats, make_seat_link, withdraw_seat
from headshotly_client.models import NewDeletion, NewJob, UploadPhotoFileParams
from headshotly_client.types import File
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from headshotly.frontdoor.commands.connection import ask, connect, stream_to
from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal
from headshotly.studio.files import write_whole
from headshotly.studio.styles import DEFAULT

_console = Console(stderr=True, highlight=False)
_POLL_SECONDS = 2.0
_AT_ONCE = 10  # photos of one job
_OVER = frozenset({"done", "failed", "cancelled"})
_EXPORT_OVER = frozenset({"ready", "failed", "expired"})


def _key() -> str:
    return str(uuid4())


@permission("public")
@click.group()
@click.pass_context
def remote(context: click.Context) -> None:
    """Work at a service: say “headshotly --remote URL shoot …”. The token is in HEADSHOTLY_TOKEN or a file."""
    root = context.find_root().params
    if not root.get("remote"):
        raise click.UsageError("Name the service: headshotly --remote https://… shoot …")
    context.obj = connect(root["remote"], token_file=root.get("token_file"), authority=root.get("ca"))


def _upload(client: AuthenticatedClient, photo: Path) -> Any:
    data, key = photo.read_bytes(), _key()

    def call() -> Any:
        # The body is made anew for each try: a stream that was read is empty.
        body = UploadPhotoFileParams(file=File(BytesIO(data), "photo", "application/octet-stream"))
        return upload_photo.sync_detailed(client=client, body=body, idempotency_key=key)

    return ask(call)


def _upload_all(client: AuthenticatedClient, photos: tuple[Path, ...]) -> dict[UUID, str]:
    """Return the name of each photo that was taken by its id; the others are said."""
    taken: dict[UUID, str] = {}
    for photo in photos:
        try:
            found = _upload(client, photo)
        except Refusal as refusal:
            _console.print(f"[red]{photo.name}[/red]: {refusal.sentence}", soft_wrap=True)
            continue
        name = photo.stem if photo.stem not in taken.values() else f"{photo.stem}-{found.id.hex[:6]}"
        taken[found.id] = name
    return taken


def _job(client: AuthenticatedClient, photo_ids: list[UUID], styles: list[str], colour: str) -> Any:
    new, key = NewJob.from_dict({"photo_ids": [str(one) for one in photo_ids], "styles": styles}), _key()
    if colour:
        new.brand_colour = colour
    job = ask(start_job.sync_detailed, client=client, body=new, idempotency_key=key)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_console) as progress:
        bar = progress.add_task("waiting", total=100)
        while job.state not in _OVER:
            time.sleep(_POLL_SECONDS)
            job = ask(get_job.sync_detailed, job.id, client=client)
            progress.update(bar, completed=job.percent, description=job.sentence[:60])
    if job.state != "done":
        raise Refusal(job.sentence, code=f"job.{job.state}")
    return job


def _results(client: AuthenticatedClient, job_id: UUID | None) -> list[Any]:
    found, cursor = [], None
    while True:
        page = ask(list_results.sync_detailed, client=client, job_id=job_id, cursor=cursor)
        found += page.items
        cursor = page.next_
        if cursor is None:
            return found


def _download(client: AuthenticatedClient, result: Any, target: Path) -> None:
    file = ask(download_result.sync_detailed, result.id, client=client)
    write_whole(target, file.payload.read())


@permission("public")
@remote.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--style", "styles", multiple=True, default=[DEFAULT], show_default=True, help="May be repeated.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the results.")
@click.option("--brand-colour", default="", help="Colour of the style “brand”, such as #2c62ac.")
@click.option("--clean", is_flag=True, help="Delete photos and results at the service once they are here.")
@click.pass_obj
def shoot(
    client: AuthenticatedClient,
    photos: tuple[Path, ...],
    styles: tuple[str, ...],
    out: Path,
    brand_colour: str,
    *,
    clean: bool,
) -> None:
    """Make headshots of PHOTOS at the service. Exit code 0: all made; 1: some refused; 2: wrong usage."""
    out.mkdir(parents=True, exist_ok=True)
    names = _upload_all(client, photos)
    ids = list(names)
    for begin in range(0, len(ids), _AT_ONCE):
        batch = ids[begin : begin + _AT_ONCE]
        job = _job(client, batch, list(dict.fromkeys(styles)), brand_colour)
        for one in _results(client, job.id):
            _download(client, one, out / f"{names[one.photo_id]}-{one.style}.jpg")
            if clean:
                ask(delete_result.sync_detailed, one.id, client=client)
        for photo_id in batch if clean else ():
            ask(delete_photo.sync_detailed, photo_id, client=client)
    _console.print(f"{len(ids)} of {len(photos)} photos done; the results are in {out}", soft_wrap=True)
    if len(ids) < len(photos):
        raise SystemExit(1)


@permission("public")
@remote.command()
@click.pass_obj
def photos(client: AuthenticatedClient) -> None:
    """List the photos the service keeps: id, when it came, what was said."""
    cursor = None
    while True:
        page = ask(list_photos.sync_detailed, client=client, cursor=cursor)
        for one in page.items:
            click.echo(f"{one.id}  {one.received_at:%Y-%m-%d %H:%M}  {one.verdict}")
        cursor = page.next_
        if cursor is None:
            return


@permission("public")
@remote.command()
@click.option("--job", type=click.UUID, help="Of one job only.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Download them into this folder.")
@click.pass_obj
def results(client: AuthenticatedClient, job: UUID | None, out: Path | None) -> None:
    """List the headshots the service keeps, or download them."""
    for one in _results(client, job):
        click.echo(f"{one.id}  {one.made_at:%Y-%m-%d %H:%M}  {one.style}")
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            _download(client, one, out / f"{one.style}-{one.id.hex[:6]}.jpg")


@permission("public")
@remote.command()
@click.option("--photo", "photo_ids", multiple=True, type=click.UUID, help="May be repeated.")
@click.option("--result", "result_ids", multiple=True, type=click.UUID, help="May be repeated.")
@click.option("--everything", is_flag=True, help="The account with everything in it, at once and for good.")
@click.pass_obj
def delete(
    client: AuthenticatedClient, photo_ids: tuple[UUID, ...], result_ids: tuple[UUID, ...], *, everything: bool
) -> None:
    """Delete photos, headshots, or everything."""
    if not (photo_ids or result_ids or everything):
        raise click.UsageError("Say what: --photo ID, --result ID or --everything.")
    for result_id in result_ids:
        ask(delete_result.sync_detailed, result_id, client=client)
        click.echo(f"{result_id} is deleted for good.")
    for photo_id in photo_ids:
        ask(delete_photo.sync_detailed, photo_id, client=client)
        click.echo(f"{photo_id} is deleted for good.")
    if everything:
        click.confirm(
            "Everything, your account and this token are destroyed, and nobody can undo it. Go on?", abort=True
        )
        new = NewDeletion.from_dict({"confirm": "delete everything", "days": 0})
        done = ask(delete_account.sync_detailed, client=client, body=new)
        click.echo(f"Everything is deleted. The signed receipt: {done.receipt_url}")


@permission("public")
@remote.command()
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The ZIP file to write.")
@click.pass_obj
def export(client: AuthenticatedClient, out: Path) -> None:
    """Fetch a copy of everything the service holds about you (GDPR 15 and 20)."""
    key = _key()
    made = ask(ask_export.sync_detailed, client=client, idempotency_key=key)
    while made.state not in _EXPORT_OVER:
        time.sleep(_POLL_SECONDS)
        made = ask(get_export.sync_detailed, made.id, client=client)
    if made.state != "ready":
        raise Refusal("The copy could not be packed. Please ask again later.", code="export.failed")
    stream_to(client, f"/exports/{made.id}/file", out)
    click.echo(f"The copy is in {out}.")


@permission("public")
@remote.command()
@click.option("--link", "link_id", type=click.UUID, help="Make a new link for this seat and print it.")
@click.option("--withdraw", "withdraw_id", type=click.UUID, help="Take this seat back, until somebody began with it.")
@click.pass_obj
def seats(client: AuthenticatedClient, link_id: UUID | None, withdraw_id: UUID | None) -> None:
    """List the seats of your team, make a link for one, or take one back."""
    if withdraw_id is not None:
        ask(withdraw_seat.sync_detailed, withdraw_id, client=client, idempotency_key=_key())
    if link_id is not None:
        click.echo(ask(make_seat_link.sync_detailed, link_id, client=client, idempotency_key=_key()).url)
        return
    for one in ask(list_seats.sync_detailed, client=client).items:
        since = one.taken_at or one.invited_at
        click.echo(f"{one.id}  {one.state:<7}" + (f"  since {since:%Y-%m-%d %H:%M}" if since else ""))
