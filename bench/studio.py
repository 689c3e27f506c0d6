"""What a headshot costs and where it goes: ``python -m bench.studio [--photos DIR] [--rounds N]``.

Each round makes every photo once in each way, in turns, so that what else the machine does touches all alike; the
tables show medians. The floor is what any picture service must do: Pillow decodes, resizes and encodes. The rival is
``rembg`` with its default model, U²-Net, where it and its weights (option ``--u2net FOLDER``) are there.
"""

import argparse
import concurrent.futures
import io
import os
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "headshotly.frontdoor.settings")  # noqa: TID251 - a program of its own

from headshotly.policy import configuration
from headshotly.studio import decoding, light, marking, matting, signatory
from headshotly.studio.edges import refine
from headshotly.studio.engine import PortraitEngine, close_up
from headshotly.studio.faces import find_faces
from headshotly.studio.styles import STYLES

MODELS = configuration.current().models_folder
SIX = ("studio-grey", "studio-white", "office", "outdoor", "linkedin", "banner")


def timed(act: Callable[[], object]) -> tuple[float, object]:
    begin = time.perf_counter()
    result = act()
    return (time.perf_counter() - begin) * 1000, result


def floor(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        small = image.convert("RGB").resize((1228, 1536), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, format="JPEG", quality=95, subsampling=0)
    return out.getvalue()


def steps(data: bytes, spent: dict[str, list[float]]) -> None:
    """Make one photo in six styles and note the milliseconds of each step."""

    def note(name: str, act: Callable[[], object]) -> object:
        took, result = timed(act)
        spent.setdefault(name, []).append(took)
        return result

    engine = PortraitEngine(MODELS)
    picture = note("decode, in the sandbox", lambda: decoding.decode(data, pixels_max=60_000_000, bytes_max=30 << 20))
    faces = note("find the face", lambda: find_faces(picture, MODELS))
    near, face = close_up(picture, faces[0])
    mask, _ = note("coarse mask, six views", lambda: matting.coarse(near, face, MODELS))
    note("edges", lambda: refine(near, mask, face))
    cut = matting.matte(near, face, MODELS)
    own = note("own colours", lambda: matting.foreground(near, cut.alpha, max(4, int(face.width * 0.18))))
    note("retouch and exposure", lambda: light.expose(light.retouch(own, face), light.exposure_gain(near)))
    prepared = note("prepare, as a whole", lambda: engine.prepare(picture))
    for style_id in SIX:
        result = note(f"render {style_id}", lambda style_id=style_id: engine.render(prepared, STYLES[style_id]))
        if style_id == SIX[0]:
            note("encode and sign", lambda result=result: marking.encode(result.picture, signatory=signatory.current()))
    note("floor: Pillow alone", lambda: floor(data))


def one_whole(data: bytes) -> int:
    """Make one photo in one style, as a worker does, and return its length."""
    engine = PortraitEngine(MODELS)
    picture = decoding.decode(data, pixels_max=60_000_000, bytes_max=30 << 20)
    result = engine.render(engine.prepare(picture), STYLES["studio-grey"])
    return len(marking.encode(result.picture, signatory=signatory.current()))


def rival(photos: list[bytes], folder: str, rounds: int) -> list[float]:
    """Return the milliseconds of rembg's mask for each photo, or nothing where it is not installed."""
    os.environ["U2NET_HOME"] = folder  # noqa: TID251 - how rembg is told
    try:
        import rembg
    except ImportError:
        return []
    session = rembg.new_session("u2net")
    rembg.remove(Image.open(io.BytesIO(photos[0])), session=session, only_mask=True)
    return [
        timed(
            lambda data=data: rembg.remove(Image.open(io.BytesIO(data)).convert("RGB"), session=session, only_mask=True)
        )[0]
        for _ in range(rounds)
        for data in photos
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=Path("../shared/photos/good"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=100, help="most photos")
    parser.add_argument("--u2net", default="", help="folder with u2net.onnx")
    given = parser.parse_args()
    photos = [path.read_bytes() for path in sorted(given.photos.iterdir()) if path.name.startswith("senate_")][
        : given.limit
    ]
    first, _ = timed(lambda: one_whole(photos[0]))
    warm, _ = timed(lambda: one_whole(photos[0]))
    spent: dict[str, list[float]] = {}
    for _ in range(given.rounds):
        for data in photos:
            steps(data, spent)
    middle = {name: statistics.median(taken) for name, taken in spent.items()}
    base = middle["floor: Pillow alone"]
    print(f"\n### {len(photos)} photos of about 1024 by 1024, median of {given.rounds} rounds\n")
    print("| step | ms | of the floor |\n|---|---:|---:|")
    for name, took in middle.items():
        print(f"| {name} | {took:.0f} | {took / base:.2f} |")
    one = middle["decode, in the sandbox"] + middle["prepare, as a whole"] + middle["render studio-grey"]
    second = middle["render studio-white"]
    print(f"\nFirst style {one:.0f} ms, second {second:.0f} ms: {second / one:.2f} of the first.")
    print(f"First call of a process {first:.0f} ms, the same again {warm:.0f} ms.")
    print(f"Memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB.")
    taken = rival(photos, given.u2net, 1) if given.u2net else []
    mask = middle["coarse mask, six views"] + middle["edges"]
    if taken:
        theirs = statistics.median(taken)
        print(f"Our matte {mask:.0f} ms, rembg (U²-Net) {theirs:.0f} ms: {mask / theirs:.2f}.")
    else:
        print("rembg: not measured (not installed, or no --u2net).")
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        list(pool.map(one_whole, photos[:2]))
        took, _ = timed(lambda: list(pool.map(one_whole, photos)))
    print(f"Two processes: {len(photos) * 60000 / took:.0f} photos a minute, decoded, made in one style, signed.")


if __name__ == "__main__":
    main()
