"""The painter's process: loads one generative pipeline from a verified folder and paints what it is asked to.

Started by ``painter`` under the operator's own Python, where torch and diffusers are; nothing of the service is in
it, no key and no database. It speaks through two pipes: a JSON line's length, the line, then raw RGB pictures.
"""

import json
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

from headshotly.studio.weights import Weights, WeightsRefused, verify

HEAD = struct.Struct("!I")
HEAD_MAX = 1 << 20
PICTURE_MAX = 64 << 20
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DIFFUSERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
}


def write(pipe: BinaryIO, head: dict[str, Any], pictures: list[bytes]) -> None:
    """Send one message."""
    line = json.dumps(head).encode()
    pipe.write(HEAD.pack(len(line)) + line)
    pipe.writelines(pictures)
    pipe.flush()


def read(pipe: BinaryIO) -> tuple[dict[str, Any], list[bytes]]:
    """Return one message.

    Raises:
        EOFError: the other side is gone, or sends what is no message.
    """
    (length,) = HEAD.unpack(_exactly(pipe, HEAD.size))
    if length > HEAD_MAX:
        raise EOFError
    try:
        head = json.loads(_exactly(pipe, length))
        sizes = [(int(width), int(height)) for width, height in head.get("sizes", [])]
    except (ValueError, TypeError, AttributeError) as error:
        raise EOFError from error
    if any(min(size) < 1 or size[0] * size[1] * 3 > PICTURE_MAX for size in sizes):
        raise EOFError
    return head, [_exactly(pipe, width * height * 3) for width, height in sizes]


def _exactly(pipe: BinaryIO, length: int) -> bytes:
    data = pipe.read(length)
    if len(data) != length:
        raise EOFError
    return data


def _no_network(*_: object) -> None:
    """Stand where a socket would connect."""
    raise OSError("the painter has no network")


def load(weights: Weights, *, device: str, precision: str) -> Any:
    """Return the pipeline in a verified folder: safetensors only, nothing fetched, no code but the library's.

    Args:
        weights: from ``weights.verify``.
        device: ``cpu`` or ``cuda``.
        precision: ``float32`` or ``bfloat16``.
    """
    import diffusers  # type: ignore[import-not-found]  # noqa: PLC0415 - only in the painter's own environment
    import torch  # type: ignore[import-not-found]  # noqa: PLC0415

    pipeline = getattr(diffusers, weights.pipeline).from_pretrained(
        str(weights.folder), local_files_only=True, use_safetensors=True, dtype=getattr(torch, precision)
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def paint(pipeline: Any, order: dict[str, Any], selfies: list[Any], steps: int) -> list[Any]:
    """Return the painted candidates, as PIL pictures.

    Args:
        pipeline: from ``load``.
        order: ``prompt``, ``negative``, ``width``, ``height``, ``seeds``.
        selfies: one to three pictures of the person, PIL.
        steps: of the sampler.
    """
    import torch  # noqa: PLC0415 - only in the painter's own environment

    words = {"prompt": order["prompt"]}
    if type(pipeline).__name__ == "QwenImageEditPlusPipeline":
        words |= {"negative_prompt": order["negative"], "true_cfg_scale": 4.0}
    painted = []
    for seed in order["seeds"]:
        generator = torch.Generator("cpu").manual_seed(int(seed))
        result = pipeline(
            image=selfies, width=order["width"], height=order["height"], num_inference_steps=steps,
            generator=generator, **words,
        )  # fmt: skip
        painted.append(result.images[0].convert("RGB"))
    return painted


def serve(source: BinaryIO, sink: BinaryIO, *, folder: Path, device: str, precision: str) -> None:
    """Verify, load, say so, and paint until the other side closes."""
    from PIL import Image  # noqa: PLC0415 - after the environment is set

    try:
        weights = verify(folder)
        pipeline = load(weights, device=device, precision=precision)
    except WeightsRefused as refused:
        write(sink, {"refused": str(refused)}, [])
        return
    write(sink, {"model": weights.model, "licence": weights.licence}, [])
    while True:
        try:
            order, selfies = read(source)
        except EOFError:
            return
        pictures = [
            Image.frombytes("RGB", tuple(size), data) for size, data in zip(order["sizes"], selfies, strict=True)
        ]
        painted = paint(pipeline, order, pictures, weights.steps)
        write(sink, {"sizes": [one.size for one in painted]}, [one.tobytes() for one in painted])


def main() -> None:
    """Run as ``python -m headshotly.studio.painting FOLDER DEVICE PRECISION``."""
    socket.socket.connect = _no_network  # type: ignore[method-assign]
    # Libraries print as they like; the pipe that carries pictures is not theirs.
    with os.fdopen(os.dup(1), "wb") as sink:
        os.dup2(2, 1)
        serve(sys.stdin.buffer, sink, folder=Path(sys.argv[1]), device=sys.argv[2], precision=sys.argv[3])


if __name__ == "__main__":
    main()
