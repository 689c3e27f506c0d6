"""What is painted behind people: as coarse in every crop, never flat, always the same."""

import numpy as np
import pytest

from headshotly.studio import backgrounds
from headshotly.studio.styles import BANNER, PORTRAIT, SQUARE, STYLES, Crop

COLOURS = STYLES["outdoor"].colours


def slopes(scene: np.ndarray) -> float:
    """How steep the scene is sideways by how steep it is up and down, its fall from light to shade taken out."""
    grey = scene.mean(axis=2)
    grey = grey - grey.mean(axis=1, keepdims=True)
    return float(np.abs(np.diff(grey, axis=1)).mean() / np.abs(np.diff(grey, axis=0)).mean())


@pytest.mark.parametrize("crop", [PORTRAIT, SQUARE, BANNER])
def test_leaves_and_light_are_not_stretched_in_any_crop(crop: Crop) -> None:
    scene = backgrounds.outdoor(crop.pixels, COLOURS)
    assert scene.shape == (crop.pixels[1], crop.pixels[0], 3)
    assert 0.8 < slopes(scene) < 1.3
    assert scene.std(axis=(0, 1)).min() > 0.05, "flat"
    assert scene.min() > 0
    assert scene.max() < 1
    assert np.array_equal(scene, backgrounds.outdoor(crop.pixels, COLOURS))
