"""``headshotly shoot``: the main job from a terminal, without a server."""

from pathlib import Path

import click
from django.conf import settings  # noqa: TID251 - works without the rooms being set up
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal
from headshotly.studio import marking, signatory
from headshotly.studio.decoding import decode
from headshotly.studio.engine import PortraitEngine
from headshotly.studio.errors import TooSmallForStyle
from headshotly.studio.files import write_whole
from headshotly.studio.gate import judge
from headshotly.studio.styles import DEFAULT, Style, style

_console = Console(stderr=True, highlight=False)


def _names(photos: tuple[Path, ...]) -> list[str]:
    """Return a name for each photo's results; photos of one name in two folders get numbers."""
    names: list[str] = []
    for photo in photos:
        name, number = photo.stem, 2
        while name in names:
            name, number = f"{photo.stem}-{number}", number + 1
        names.append(name)
    return names


@permission("public")
@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--style", "style_ids", multiple=True, default=[DEFAULT], show_default=True, help="May be repeated.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the results.")
@click.option("--brand-colour", default="", help="Colour of the style “brand”, such as #2c62ac.")
@click.option("--force", is_flag=True, help="Replace results that exist.")
def shoot(photos: tuple[Path, ...], style_ids: tuple[str, ...], out: Path, brand_colour: str, *, force: bool) -> None:
    """Make headshots of PHOTOS. Exit code 0: all made; 1: some refused; 2: wrong usage."""
    try:
        styles = [style(style_id, brand_colour=brand_colour) for style_id in dict.fromkeys(style_ids)]
    except Refusal as refusal:
        raise click.UsageError(refusal.sentence) from refusal
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"The folder {out} cannot be made: {error.strerror}.") from error
    engine = PortraitEngine(settings.HEADSHOTLY.models_folder)
    refused = left_out = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_console) as progress:
        bar = progress.add_task("Starting", total=len(photos) * (len(styles) + 1))
        for photo, name in zip(photos, _names(photos), strict=True):
            try:
                left_out += _shoot_one(engine, photo, styles, out / name, progress=progress, bar=bar, force=force)
            except Refusal as refusal:
                refused += 1
                _console.print(f"[red]{photo.name}[/red]: {refusal.sentence}", soft_wrap=True)
            progress.update(bar, completed=(photos.index(photo) + 1) * (len(styles) + 1))
    made = len(photos) - refused
    _console.print(f"{made} of {len(photos)} photos done; the results are in {out}", soft_wrap=True)
    if refused or left_out:
        raise SystemExit(1)


def _shoot_one(
    engine: PortraitEngine,
    photo: Path,
    styles: list[Style],
    base: Path,
    *,
    progress: Progress,
    bar: TaskID,
    force: bool,
) -> int:
    """Make a photo's headshots; return how many styles were left out, because the photo is too small for them."""
    here = settings.HEADSHOTLY
    targets = [base.with_name(f"{base.name}-{chosen.id}.jpg") for chosen in styles]
    if not force:
        for target in targets:
            if target.exists():
                raise Refusal(f"{target} exists already; use --force to replace it.", code="shoot.exists")
    if photo.stat().st_size > here.photo_bytes_max:
        raise Refusal(f"This file is larger than {here.photo_bytes_max >> 20} MB.", code="photo.too_large")
    progress.update(bar, description=f"{photo.name}: reading")
    picture = decode(photo.read_bytes(), pixels_max=here.photo_pixels_max, bytes_max=here.photo_bytes_max)
    verdict = judge(picture, here.models_folder)
    if not verdict.accepted:
        raise Refusal(f"{verdict.sentence} {verdict.advice}".strip(), code=f"photo.{verdict.findings[0].code}")
    prepared = engine.prepare(picture, progress=lambda step: progress.update(bar, description=f"{photo.name}: {step}"))
    progress.advance(bar)
    left_out = 0
    for chosen, target in zip(styles, targets, strict=True):
        progress.update(bar, description=f"{photo.name}: {chosen.title}")
        try:
            result = engine.render(prepared, chosen)
        except TooSmallForStyle as refusal:
            left_out += 1
            _console.print(f"[red]{target.name}[/red]: {refusal.sentence}", soft_wrap=True)
            continue
        write_whole(target, marking.encode(result.picture, signatory=signatory.current()))
        progress.advance(bar)
        for note in result.notes:
            _console.print(f"[yellow]{target.name}[/yellow]: {note}", soft_wrap=True)
    return left_out
