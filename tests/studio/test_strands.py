"""Single hairs before an even wall are told from it by colour; what is no hair, and what cannot be told, stays."""

import cv2
import numpy as np
import pytest

from headshotly.studio import matting
from headshotly.studio.faces import Face
from headshotly.studio.strands import strands

SIZE = (600, 600)
HAIR, SKIN, WALL = (120, 88, 52), (205, 160, 135), (222, 226, 228)


def face() -> Face:
    """A face of 200 pixels at (300, 360); a unit is two pixels."""
    around = np.linspace(0, 2 * np.pi, 468, endpoint=False)
    landmarks = np.zeros((468, 3), np.float32)
    landmarks[:, 0], landmarks[:, 1] = 300 + 100 * np.cos(around), 360 + 120 * np.sin(around)
    landmarks[152, :2] = 300, 480
    return Face((200, 240, 400, 480), 1, landmarks, 0, 0, 0, (0.3, 0.3), 1)


def disc(radius: int) -> np.ndarray:
    mask = np.zeros(SIZE, np.float32)
    cv2.circle(mask, (300, 320), radius, 1.0, -1, cv2.LINE_AA)
    return mask


def portrait(true: np.ndarray, wall: tuple[int, int, int] | np.ndarray = WALL) -> np.ndarray:
    """Somebody of whom so much of each pixel is hair before a wall; hair is light and dark, and everything has grain."""
    source = np.random.default_rng(5)
    locks = cv2.GaussianBlur(source.normal(0, 1, SIZE).astype(np.float32), (0, 0), 1.2)
    hair = np.array(HAIR, np.float32) * (1 + 0.35 * locks / locks.std() / 3)[..., None]
    picture = hair * true[..., None] + np.broadcast_to(np.array(wall, np.float32), (*SIZE, 3)) * (1 - true[..., None])
    cv2.ellipse(picture, (300, 360), (100, 120), 0, 0, 360, SKIN, -1)
    return (picture + source.normal(0, 2, picture.shape)).clip(0, 255).astype(np.uint8)


def with_flyaways(radius: int = 180) -> tuple[np.ndarray, np.ndarray]:
    """How much is truly hair, and where its single hairs are."""
    whole, hairs = disc(radius), np.zeros(SIZE, np.float32)
    for angle in np.linspace(np.pi * 1.1, np.pi * 1.9, 24):
        start, end = (
            (int(300 + reach * np.cos(angle)), int(320 + reach * np.sin(angle))) for reach in (radius - 4, radius + 12)
        )
        cv2.line(hairs, start, end, 1.0, 1, cv2.LINE_AA)
    return np.maximum(whole, 0.8 * hairs), (hairs > 0.8) & (whole < 0.1)


def test_single_hairs_stand_out_before_an_even_wall() -> None:
    true, hairs = with_flyaways()
    drawn = disc(180)
    found = strands(portrait(true), drawn, face())
    assert drawn[hairs].mean() < 0.1
    assert found[hairs].mean() > 0.3
    assert np.abs(found - true).mean() < 0.8 * np.abs(drawn - true).mean()


def test_the_wall_shows_between_hairs_that_were_drawn_as_one() -> None:
    true = disc(180)
    gaps = np.zeros(SIZE, np.float32)
    for angle in np.linspace(np.pi * 1.1, np.pi * 1.9, 24):
        ends = ((int(300 + reach * np.cos(angle)), int(320 + reach * np.sin(angle))) for reach in (174, 184))
        cv2.line(gaps, next(ends), next(ends), 1.0, 1, cv2.LINE_AA)
    inside = (gaps > 0.8) & (disc(177) > 0.9)
    found = strands(portrait(true * (1 - gaps)), true, face())
    assert true[inside].mean() > 0.95
    assert found[inside].mean() < 0.6
    assert found[disc(165) > 0.9].min() > 0.97, "deep inside nothing becomes transparent"


def test_hair_of_the_walls_colour_and_a_busy_wall_stay_as_they_were_drawn() -> None:
    true, _ = with_flyaways()
    drawn = disc(180)
    alike = strands(portrait(true, wall=(112, 92, 64)), drawn, face())
    assert np.abs(alike - drawn).max() < 0.05
    stripes = np.where((np.indices(SIZE)[1] // 14 % 2 > 0)[..., None], (230, 230, 230), (40, 50, 120))
    busy = strands(portrait(true, wall=stripes), drawn, face())
    assert np.abs(busy - drawn).mean() < 0.25 * np.abs(strands(portrait(true), drawn, face()) - drawn).mean()


def test_what_is_too_wide_or_too_small_for_a_hair_is_none() -> None:
    picture, drawn = portrait(disc(180)), disc(180)
    cv2.circle(picture, (300, 320 - 188), 6, HAIR, -1)
    picture[320 - 190, 340:342] = HAIR
    found = strands(picture, drawn, face())
    assert found[320 - 188, 300] < 0.2
    assert found[320 - 190, 340:342].max() < 0.2


def test_nothing_is_told_of_a_picture_without_a_wall() -> None:
    whole = np.ones(SIZE, np.float32)
    assert np.array_equal(strands(portrait(whole), whole, face()), whole)


@pytest.mark.parametrize("wall", [WALL, (60, 80, 150)])
def test_the_rim_keeps_its_light_and_dark_hairs(wall: tuple[int, int, int]) -> None:
    """What the wall shines into the rim is taken out, and the texture of the hair is not taken with it."""
    true = disc(180)
    picture = portrait(true, wall=wall)
    colours = matting.foreground(picture, true, 36)
    rim = (disc(175) > 0.99) & (disc(167) < 0.01) & (np.indices(SIZE)[0] < 260)

    def detail(image: np.ndarray) -> float:
        return float((image - cv2.GaussianBlur(image, (0, 0), 1.5))[rim].std())

    assert detail(colours) > 0.85 * detail(picture.astype(np.float32) / 255)
