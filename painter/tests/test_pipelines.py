"""The real pipelines of diffusers, a few thousand random weights each: loaded, run and refused as in production."""

import json
import sys
from pathlib import Path

import pytest
import tiny
from PIL import Image

from headshotly.studio import painting
from headshotly.studio.weights import WeightsRefused, verify

SELFIES = [Image.new("RGB", (72, 80), colour) for colour in ((200, 150, 120), (90, 60, 50))]
ORDER = {"prompt": "a headshot", "negative": "text", "width": 64, "height": 80, "seeds": [1, 2]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tiny.saved(tiny.klein(), tmp_path_factory.mktemp("weights") / "klein", model="Tiny klein")


def test_a_saved_pipeline_passes_loads_and_paints_the_same_for_the_same_seed(folder: Path) -> None:
    pipeline = painting.load(verify(folder), device="cpu", precision="float32")
    one, two = painting.paint(pipeline, ORDER, SELFIES, 2)
    assert one.size == (64, 80)
    assert one.tobytes() != two.tobytes()
    assert painting.paint(pipeline, ORDER, SELFIES, 2)[0].tobytes() == one.tobytes()
    assert painting.paint(pipeline, ORDER, SELFIES[:1], 2)[0].tobytes() != one.tobytes(), "the selfies count"


def test_the_process_speaks_loads_and_paints(folder: Path) -> None:
    import os
    import subprocess

    environment = painting.OFFLINE | {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath}
    command = [sys.executable, "-m", "headshotly.studio.painting", str(folder), "cpu", "float32"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert painting.read(process.stdout)[0]["model"] == "Tiny klein"
        sizes = [list(selfie.size) for selfie in SELFIES]
        painting.write(process.stdin, ORDER | {"sizes": sizes}, [selfie.tobytes() for selfie in SELFIES])
        answer, pictures = painting.read(process.stdout)
        process.stdin.close()
        assert process.wait(timeout=30) == 0
    assert answer["sizes"] == [[64, 80]] * 2
    assert all(len(picture) == 64 * 80 * 3 for picture in pictures)


def test_pickled_weights_do_not_even_get_looked_at(folder: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "vae" / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(WeightsRefused):
        verify(copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    assert manifest["pipeline"] == "Flux2KleinPipeline"


def test_the_strong_pipeline_passes_loads_and_paints_the_same_for_the_same_seed(tmp_path: Path, monkeypatch) -> None:
    """Its picture processor needs torchvision in the build of its torch."""
    from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus as module

    monkeypatch.setattr(module, "CONDITION_IMAGE_SIZE", 56 * 56)
    monkeypatch.setattr(module, "VAE_IMAGE_SIZE", 64 * 64)
    place = tiny.saved(tiny.qwen(), tmp_path / "qwen", model="Tiny Qwen")
    pipeline = painting.load(verify(place), device="cpu", precision="float32")
    one, two = painting.paint(pipeline, ORDER, SELFIES, 2)
    assert one.size == (64, 80)
    assert one.tobytes() != two.tobytes()
    assert painting.paint(pipeline, ORDER, SELFIES, 2)[0].tobytes() == one.tobytes()
    assert painting.paint(pipeline, ORDER, SELFIES[:1], 2)[0].tobytes() != one.tobytes(), "the selfies count"
