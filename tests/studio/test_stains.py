"""What a cut-out holds of the old background is found by colour, taken away where it can be, and measured where not."""

import cv2
import numpy as np
import pytest

from headshotly.studio import matting, stains
from headshotly.studio.faces import Face

SIZE = (300, 300)
SURE, UNSURE = np.ones(SIZE, np.float32), np.zeros(SIZE, np.float32)
HAIR, SKIN = (96, 72, 54), (205, 160, 135)


def face() -> Face:
    """A face of 100 pixels at (150, 180); a unit is a pixel."""
    around = np.linspace(0, 2 * np.pi, 468, endpoint=False)
    landmarks = np.zeros((468, 3), np.float32)
    landmarks[:, 0], landmarks[:, 1] = 150 + 50 * np.cos(around), 180 + 60 * np.sin(around)
    landmarks[152, :2] = 150, 240
    return Face((100, 120, 200, 240), 1, landmarks, 0, 0, 0, (0.3, 0.3), 1)


def disc(radius: int, x: int = 150, y: int = 160) -> np.ndarray:
    mask = np.zeros(SIZE, np.float32)
    cv2.circle(mask, (x, y), radius, 1.0, -1)
    return mask


def portrait(wall: tuple[int, int, int], hair: tuple[int, int, int] = HAIR) -> np.ndarray:
    """Somebody with much hair before a wall, with grain: no colour is quite even."""
    picture = np.full((*SIZE, 3), wall, np.uint8)
    cv2.circle(picture, (150, 160), 90, hair, -1)
    cv2.ellipse(picture, (150, 180), (50, 60), 0, 0, 360, SKIN, -1)
    grain = np.random.default_rng(3).normal(0, 3, picture.shape)
    return (picture + grain).clip(0, 255).astype(np.uint8)


def hue(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2LAB)[..., 1:]


@pytest.mark.parametrize("wall", [(170, 30, 40), (110, 125, 150), (225, 225, 225), (20, 24, 60)])
def test_a_piece_of_the_wall_that_came_along_goes_and_the_hair_stays(wall) -> None:
    picture, alpha = portrait(wall), np.maximum(disc(90), disc(14, x=245))
    shown = stains.showing(picture, alpha, UNSURE, face())
    cleaned = stains.without(alpha, shown, 1.0)
    assert cleaned[160, 250] < 0.1
    assert cleaned[disc(84) > 0].min() > 0.95


def test_dark_hair_before_a_dark_wall_is_not_eaten() -> None:
    picture, alpha = portrait((70, 62, 58), hair=(58, 50, 46)), disc(90)
    shown = stains.showing(picture, alpha, SURE, face())
    assert stains.without(alpha, shown, 1.0)[disc(88) > 0].min() > 0.95


def test_a_pearl_of_the_walls_colour_within_the_hair_stays() -> None:
    picture, alpha = portrait((225, 225, 225)), disc(90)
    cv2.circle(picture, (72, 160), 4, (225, 225, 225), -1)
    shown = stains.showing(picture, alpha, UNSURE, face())
    assert shown[160, 72] > 0.5, "it looks like the wall"
    assert stains.without(alpha, shown, 1.0)[160, 72] > 0.95


def test_where_both_models_are_sure_more_is_asked_for() -> None:
    picture, alpha = portrait((120, 96, 78)), np.maximum(disc(90), disc(14, x=245))
    doubted, believed = (stains.showing(picture, alpha, belief, face())[160, 250] for belief in (UNSURE, SURE))
    assert doubted > believed


def test_thin_white_hair_that_shows_the_wall_is_measured() -> None:
    """Nothing of it is taken from a photo with full hair; from thin hair much is, and the rest counts."""
    wall = (110, 125, 150)
    full, thin = portrait(wall, hair=(232, 232, 230)), portrait(wall, hair=(232, 232, 230))
    between = (disc(90) > 0) & (np.indices(SIZE)[0] < 84)
    thin[between & (np.indices(SIZE)[1] % 7 > 1)] = wall
    assert matting._stained(full, disc(90), face()) < 1
    assert matting._stained(thin, disc(90), face()) > 1 / matting._BY_STAINS * (1 - matting.TRUSTED)


@pytest.mark.parametrize("wall", [(170, 30, 40), (40, 60, 170), (200, 170, 40)])
def test_the_rim_takes_no_hue_from_the_wall(wall) -> None:
    picture, alpha = portrait(wall), disc(90)
    tinted = picture.astype(np.float32) / 255
    rim = (disc(90) - disc(84)) > 0
    tinted[rim] = 0.5 * tinted[rim] + 0.5 * np.array(wall, np.float32) / 255
    result = stains.own_hues(tinted, picture, alpha, face())
    hair = hue(np.float32([[HAIR]]) / 255)[0, 0]
    before, after = (float(np.linalg.norm(hue(image)[rim] - hair, axis=1).mean()) for image in (tinted, result))
    assert before > 20
    assert after < 0.6 * before
    inside = disc(60) > 0
    assert np.abs(result - tinted)[inside].max() < 0.02, "inside nothing changes"


def test_an_overshoot_to_the_other_side_is_given_back_and_a_red_ear_stays_red() -> None:
    """Taking red out of dark hair must not leave it green; what the photo itself shows is nobody's error."""
    picture, alpha = portrait((170, 30, 40)), disc(90)
    green = picture.astype(np.float32) / 255
    rim = (disc(90) - disc(84)) > 0
    green[rim] = (0.16, 0.42, 0.22)
    assert hue(stains.own_hues(green, picture, alpha, face()))[rim][:, 0].mean() > hue(green)[rim][:, 0].mean() + 8
    picture, alpha = portrait((40, 60, 170)), np.maximum(disc(90), disc(12, x=240))
    cv2.circle(picture, (240, 160), 12, (225, 110, 90), -1)
    own = picture.astype(np.float32) / 255
    ear = disc(8, x=245) > 0
    assert np.abs(hue(stains.own_hues(own, picture, alpha, face())) - hue(own))[ear].mean() < 3


def test_grey_temples_beside_dark_hair_stay_grey() -> None:
    picture, alpha = portrait((40, 60, 170)), disc(90)
    rim = (disc(90) - disc(84)) > 0
    picture[rim] = (150, 150, 150)
    own = picture.astype(np.float32) / 255
    result = stains.own_hues(own, picture, alpha, face())
    assert np.linalg.norm(hue(result)[rim], axis=1).mean() < 3


def test_what_crowds_around_the_head_is_measured_and_what_stands_apart_is_not() -> None:
    person = disc(90)
    crowd = np.maximum(person, disc(60, x=265))
    assert matting._crowded(person, person, person, face()) == 0
    assert matting._crowded(person, crowd, person, face()) > 0.08
    apart = np.maximum(person, disc(12, x=285))
    assert matting._crowded(person, apart, person, face()) < 0.02


def test_without_a_background_nothing_is_concluded() -> None:
    picture = portrait((225, 225, 225))
    assert not stains.showing(picture, SURE, SURE, face()).any()
    own = picture.astype(np.float32) / 255
    assert np.array_equal(stains.own_hues(own, picture, SURE, face()), own)
