"""How much of the mark in generated pictures is left after what happens to pictures, its cost, and what it changes.

Marks headshots of every test photo; the limit is what ADR 102 asks: read after a network's recompression in 95 of
100, for under 0.3 s of a processor. Run: ``python -m bench.watermark [FOLDER]``
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "headshotly.frontdoor.settings")  # noqa: TID251 - a program of its own

from headshotly.policy import configuration
from headshotly.studio import decoding, watermark
from headshotly.studio.engine import PortraitEngine
from headshotly.studio.faces import Picture
from headshotly.studio.styles import STYLES

FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "photos" / "good"
LIMIT_READ, LIMIT_SECONDS = 0.95, 0.3
STYLE_IDS = ("studio-grey", "studio-white", "office", "banner")
SIZE = (1228, 1536)


def jpeg(picture: Picture, quality: int) -> Picture:
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def wide(picture: Picture, width: int) -> Picture:
    height = round(width * picture.shape[0] / picture.shape[1])
    how = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_CUBIC
    return cv2.resize(picture, (width, height), interpolation=how).astype(np.uint8)


def within(picture: Picture, share: float) -> Picture:
    height, width = (round(side * share / 2) for side in picture.shape[:2])
    return np.ascontiguousarray(picture[height : picture.shape[0] - height, width : picture.shape[1] - width])


AFTER: dict[str, Callable[[Picture], Picture]] = {
    "nothing": lambda picture: picture,
    "JPEG 95": lambda picture: jpeg(picture, 95),
    "JPEG 75": lambda picture: jpeg(picture, 75),
    "800 px wide, JPEG 85": lambda picture: jpeg(wide(picture, 800), 85),
    "400 px wide, JPEG 80": lambda picture: jpeg(wide(picture, 400), 80),
    "10 % cropped off": lambda picture: within(picture, 0.1),
    "20 % cropped off": lambda picture: within(picture, 0.2),
    "enlarged 1.25 times": lambda picture: wide(picture, round(1.25 * picture.shape[1])),
    "mirrored": lambda picture: np.ascontiguousarray(picture[:, ::-1]),
}


def headshots(folder: Path) -> list[Picture]:
    engine, made = PortraitEngine(configuration.current().models_folder), []
    for place, photo in enumerate(sorted(folder.iterdir())):
        picture = decoding.decode(photo.read_bytes(), pixels_max=60_000_000, bytes_max=30 << 20)
        style = STYLES[STYLE_IDS[place % len(STYLE_IDS)]]
        shot = engine.render(engine.prepare(picture), style).picture
        made.append(shot if shot.shape[1] >= SIZE[0] else cv2.resize(shot, SIZE, interpolation=cv2.INTER_CUBIC))
    return made


def main() -> None:
    """Print the table."""
    models = configuration.current().models_folder
    pictures = headshots(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
    watermark.read(watermark.embed(pictures[0], models), models)  # loads the networks
    writing, reading, likeness, marked = [], [], [], []
    for picture in pictures:
        start = time.process_time()
        marked.append(watermark.embed(picture, models))
        writing.append(time.process_time() - start)
        likeness.append(cv2.PSNR(picture, marked[-1]))
    table = Table("after", "read", "wrong bits, most")
    for name, change in AFTER.items():
        start = time.process_time()
        wrong = [watermark.read(change(one), models).wrong for one in marked]
        reading.append((time.process_time() - start) / len(marked))
        good = sum(one <= watermark.WRONG_MAX for one in wrong)
        table.add_row(name, f"{good} of {len(wrong)}", str(max(wrong)))
    console = Console()
    console.print(table)
    plain = [watermark.read(one, models).wrong for one in pictures]
    cost = statistics.median(writing)
    console.print(
        f"writing {cost:.2f} s of a processor ({cost / LIMIT_SECONDS:.2f} of the limit), reading {min(reading):.2f} s, "
        f"{statistics.median(likeness):.1f} dB; pictures without it differ in {min(plain)} to {max(plain)} bits"
    )


if __name__ == "__main__":
    main()
