"""``headshotly studio …``: look at the engine's work, and at what a picture says about itself."""

from pathlib import Path

import click
from django.conf import settings  # noqa: TID251 - works without the rooms being set up
from rich.console import Console
from rich.progress import Progress

from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal
from headshotly.studio import credentials, gate, marking, watermark, weights
from headshotly.studio.decoding import decode
from headshotly.studio.engine import PortraitEngine, Prepared
from headshotly.studio.errors import TooSmallForStyle
from headshotly.studio.faces import Picture
from headshotly.studio.files import write_whole
from headshotly.studio.sheet import Row, blank, compose, on_squares
from headshotly.studio.styles import STYLES, Style, style

_console = Console(stderr=True, highlight=False)
_LARGEST = 64 << 20
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif"}
_MEDIA_TYPES = ((b"\xff\xd8", "image/jpeg"), (b"\x89PNG", "image/png"), (b"RIFF", "image/webp"))


@permission("public")
@click.group()
def studio() -> None:
    """Judge the studio's work and read what its pictures say."""


@studio.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", default="contact-sheet.png", show_default=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--style", "style_ids", multiple=True, default=list(STYLES), help="May be repeated; all by default.")
@click.option("--width", default=240, show_default=True, type=click.IntRange(60, 1200), help="Of each picture, pixels.")
@click.option("--brand-colour", default="", help="Colour of the style “brand”, such as #2c62ac.")
def sheet(folder: Path, out: Path, style_ids: tuple[str, ...], width: int, brand_colour: str) -> None:
    """Write one picture that shows every photo of FOLDER with its gate crop, its matte and each style."""
    try:
        styles = [style(style_id, brand_colour=brand_colour) for style_id in dict.fromkeys(style_ids)]
    except Refusal as refusal:
        raise click.UsageError(refusal.sentence) from refusal
    photos = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not photos:
        raise Refusal(f"There are no photos in {folder}.", code="sheet.empty")
    engine = PortraitEngine(settings.HEADSHOTLY.models_folder)
    rows = []
    with Progress(console=_console) as progress:
        bar = progress.add_task("Starting", total=len(photos))
        for photo in photos:
            progress.update(bar, description=photo.name)
            rows.append(_row(engine, photo, styles))
            progress.advance(bar)
    write_whole(out, marking.encode_sheet(compose(rows, width=width), out.suffix))
    _console.print(f"{len(photos)} photos in {len(styles)} styles: {out}", soft_wrap=True)


def _row(engine: PortraitEngine, photo: Path, styles: list[Style]) -> Row:
    """Return a photo's row; what is refused shows why."""
    here = settings.HEADSHOTLY
    try:
        with photo.open("rb") as file:
            data = file.read(here.photo_bytes_max + 1)  # a byte too many is enough for decode to refuse it
        picture = decode(data, pixels_max=here.photo_pixels_max, bytes_max=here.photo_bytes_max)
        verdict = gate.judge(picture, here.models_folder)
        shown = [("source", picture), (f"gate {verdict.score:.2f}", gate.draw(picture, verdict))]
        if not verdict.accepted:
            return Row(f"{photo.name}: {verdict.sentence}", tuple(shown))
        prepared = engine.prepare(picture)
    except Refusal as refusal:
        return Row(f"{photo.name}: {refusal.sentence}", ())
    shown.append((f"matte {prepared.confidence:.2f}", on_squares(prepared.picture, prepared.alpha)))
    shown += [_cell(engine, prepared, chosen) for chosen in styles]
    return Row(f"{photo.name}: {verdict.sentence}", tuple(shown))


def _cell(engine: PortraitEngine, prepared: Prepared, chosen: Style) -> tuple[str, Picture]:
    """Return a style's title and picture; its size stands in the title where a small face made it small."""
    try:
        picture = engine.render(prepared, chosen).picture
    except TooSmallForStyle:
        width, height = chosen.crop.demanded
        return f"{chosen.title}: photo too small", blank(width, height)
    small = picture.shape[1] < chosen.crop.pixels[0]
    return f"{chosen.title} {picture.shape[1]}×{picture.shape[0]}" if small else chosen.title, picture


@studio.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def inspect(file: Path) -> None:
    """Show what FILE says about its making. Exit code 0: intact credentials; 1: none, or changed since."""
    if file.stat().st_size > _LARGEST:
        raise Refusal("The file is too large for a headshot.", code="inspect.too_large")
    data = file.read_bytes()
    media_type = next((media for start, media in _MEDIA_TYPES if data.startswith(start)), None)
    if media_type is None:
        raise Refusal("This is neither a JPEG, a PNG nor a WebP picture.", code="inspect.not_a_picture")
    statement, stated = credentials.read(data, media_type), marking.source_type(data)
    mark = _mark(data)
    click.echo(_in_short(statement, stated, mark))
    click.echo()
    _show_credentials(statement)
    click.echo(f"XMP digital source type: {stated or 'none'}")
    click.echo(f"Mark in the pixels: {mark if isinstance(mark, str) else _said_of(mark)}")
    if statement is None or not statement.intact:
        raise SystemExit(1)


def _mark(data: bytes) -> watermark.Reading | str:
    """Return what the pixels say, or in words why they cannot be read. The file may come from anybody."""
    here = settings.HEADSHOTLY
    try:
        picture = decode(data, pixels_max=here.photo_pixels_max, bytes_max=_LARGEST)
        return watermark.read(picture, here.models_folder)
    except Refusal as refusal:
        return f"not looked for. {refusal.sentence}"


def _said_of(mark: watermark.Reading) -> str:
    if mark.ours:
        good = watermark.BITS - mark.wrong
        return f"HeadShotly's for generated pictures ({good} of {watermark.BITS} bits); a hint, no proof"
    return "none of ours; only generated pictures carry it"


def _in_short(statement: credentials.Statement | None, stated: str, mark: watermark.Reading | str) -> str:
    """Return in one sentence for whoever asks what kind of picture this is."""
    marked = not isinstance(mark, str) and mark.ours
    if statement is not None and statement.intact:
        return f"{_KINDS.get(statement.source, 'This picture says how it was made')}, unchanged since it was signed."
    if statement is not None and not statement.readable:
        return "This file is damaged: what it says about itself, if anything, cannot be read."
    if statement is not None:
        return "This file was changed after it was signed. Do not rely on what it says about itself."
    if marked:
        return "This picture was generated by HeadShotly. It was saved again elsewhere: its statement is lost."
    if stated:
        return f"{_KINDS.get(stated, 'This picture says how it was made')}, it says; nobody signed that."
    return "This picture says nothing about how it was made."


_CODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_KINDS = {
    f"{_CODES}compositeWithTrainedAlgorithmicMedia": "A photo that was edited with the help of AI",
    f"{_CODES}trainedAlgorithmicMedia": "A picture that was generated by AI",
}


def _show_credentials(statement: credentials.Statement | None) -> None:
    if statement is None:
        click.echo("Content credentials: none")
        return
    if not statement.readable:
        click.echo("Content credentials: unreadable")
        return
    click.echo(f"Content credentials: {'intact' if statement.intact else 'BROKEN: ' + ', '.join(statement.failures)}")
    click.echo(f"  signed by    {statement.signer or 'nobody that can be read'} ({statement.issuer or 'unknown'})")
    click.echo(f"  source type  {statement.source or 'none'}")
    click.echo(f"  made with    {statement.software or 'unknown'}")
    click.echo(f"  actions      {', '.join(statement.actions) or 'none'}")
    if statement.issuer == credentials.SELF_MADE:
        click.echo(
            "  trust        the certificate is self-made: it shows that the picture was not changed, not who made it"
        )
    else:
        click.echo(
            "  trust        not checked here against a public list; https://contentcredentials.org/verify does that"
        )


@studio.command("weights")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", required=True, help="The model's public name; every result carries it.")
@click.option("--licence", required=True, help="Under which you use it.")
@click.option("--steps", type=click.IntRange(1, weights.STEPS_MAX), help="Where the weights want others than usual.")
def describe_weights(folder: Path, model: str, licence: str, steps: int | None) -> None:
    """Write the manifest of FOLDER, a generative model that you put there and trust."""
    with _console.status("Reading every file …"):
        try:
            path = weights.describe(folder, model=model, licence=licence, steps=steps)
        except weights.WeightsRefused as refused:
            raise click.ClickException(str(refused)) from refused
    _console.print(f"Written: {path}", soft_wrap=True)
