"""What a headshot costs and where it goes: ``python -m bench.studio [--photos DIR] [--rounds N]``.

Each round makes every photo once in each way, in turns, so that what else the machine does touches all alike; the
tables show medians. The floor is what any picture service must do: Pillow decodes, resizes and encodes. The rival is
``rembg`` with the very model that is among ours, the small U²-Net, where it is installed (``pip install rembg
onnxruntime`` into .venv; nothing is fetched then). ``bench.workers`` measures photos a minute.
"""

import argparse
import io
import os
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "headshotly.frontdoor.settings")  # noqa: TID251 - a program of its own

from headshotly.policy import configuration
from headshotly.studio import decoding, light, marking, matting, signatory, stains
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


def steps(data: bytes, spent: dict[str, list[float]], rival: Callable[[bytes], object] | None) -> None:
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
    note("what shows of the background", lambda: stains.showing(near, mask, np.full_like(mask, 0.5), face))
    cut = note("matte, as a whole", lambda: matting.matte(near, face, MODELS))
    if rival is not None:
        note("rembg, small U²-Net, mask alone", lambda: rival(data))
    own = note("own colours", lambda: matting.foreground(near, cut.alpha, max(4, int(face.width * 0.18))))
    hued = note("own hues", lambda: stains.own_hues(own, near, cut.alpha, face))
    note("retouch and exposure", lambda: light.expose(light.retouch(hued, face), light.exposure_gain(near)))
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


def rembg_mask() -> Callable[[bytes], object] | None:
    """Return what makes rembg's mask, warm, or nothing where it is not installed."""
    os.environ["U2NET_HOME"] = str(MODELS)  # noqa: TID251 - how rembg is told
    try:
        import rembg
    except ImportError:
        return None
    session = rembg.new_session("u2netp")
    return lambda data: rembg.remove(Image.open(io.BytesIO(data)).convert("RGB"), session=session, only_mask=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=Path("../shared/photos/good"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=100, help="most photos")
    given = parser.parse_args()
    photos = [path.read_bytes() for path in sorted(given.photos.iterdir()) if path.name.startswith("senate_")][
        : given.limit
    ]
    first, _ = timed(lambda: one_whole(photos[0]))
    warm, _ = timed(lambda: one_whole(photos[0]))
    spent: dict[str, list[float]] = {}
    rival = rembg_mask()
    if rival is not None:
        rival(photos[0])
    for _ in range(given.rounds):
        for data in photos:
            steps(data, spent, rival)
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
    if rival is None:
        print("rembg: not measured, for it is not installed.")
    else:
        mask, theirs = middle["matte, as a whole"], middle["rembg, small U²-Net, mask alone"]
        print(f"Our matte {mask:.0f} ms, rembg's mask {theirs:.0f} ms: {mask / theirs:.2f}.")


if __name__ == "__main__":
    main()
