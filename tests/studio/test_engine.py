"""The engine: every good photo in every style, skin tones left alone, the second style cheap."""

import io
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from headshotly.frontdoor.commands.shoot import shoot
from headshotly.policy import configuration
from headshotly.studio import decoding, light, marking
from headshotly.studio.engine import PortraitEngine
from headshotly.studio.errors import NoFaceToFrame, StyleUnknown
from headshotly.studio.faces import find_faces
from headshotly.studio.styles import STYLES, style

CHEEKS = (50, 280, 205, 425)
TONE_BOUND = 3.0  # CIEDE2000; the same for everybody


@pytest.fixture(scope="module")
def engine() -> PortraitEngine:
    return PortraitEngine(configuration.current().models_folder)


def load(path: Path) -> np.ndarray:
    return decoding.decode(path.read_bytes(), pixels_max=60_000_000, bytes_max=30 << 20)


def ciede2000(one: np.ndarray, other: np.ndarray) -> float:
    """Colour difference of two CIE L*a*b* colours (Sharma, Wu and Dalal, 2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    c_mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = 0.5 * (1 - math.sqrt(c_mean**7 / (c_mean**7 + 25**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = math.degrees(math.atan2(b1, a1)) % 360, math.degrees(math.atan2(b2, a2)) % 360
    dl, dc = l2 - l1, c2 - c1
    dh = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    dh_big = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(dh) / 2)
    l_mean, c_bar = (l1 + l2) / 2, (c1 + c2) / 2
    if c1 * c2 == 0:
        h_mean = h1 + h2
    elif abs(h1 - h2) <= 180:
        h_mean = (h1 + h2) / 2
    else:
        h_mean = (h1 + h2 + (360 if h1 + h2 < 360 else -360)) / 2
    t = (
        1
        - 0.17 * math.cos(math.radians(h_mean - 30))
        + 0.24 * math.cos(math.radians(2 * h_mean))
        + 0.32 * math.cos(math.radians(3 * h_mean + 6))
        - 0.20 * math.cos(math.radians(4 * h_mean - 63))
    )
    sl = 1 + 0.015 * (l_mean - 50) ** 2 / math.sqrt(20 + (l_mean - 50) ** 2)
    sc, sh = 1 + 0.045 * c_bar, 1 + 0.015 * c_bar * t
    rc = 2 * math.sqrt(c_bar**7 / (c_bar**7 + 25**7))
    rt = -math.sin(math.radians(60 * math.exp(-(((h_mean - 275) / 25) ** 2)))) * rc
    return math.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh_big / sh) ** 2 + rt * (dc / sc) * (dh_big / sh))


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [  # from table 1 of the paper
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1, 2), (50, 0, 0), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ],
)
def test_the_measure_of_colour_is_the_published_one(one, other, difference: float) -> None:
    assert ciede2000(np.array(one), np.array(other)) == pytest.approx(difference, abs=1e-4)


def cheek(image: np.ndarray, landmarks: np.ndarray, radius: int) -> np.ndarray:
    patches = []
    for index in CHEEKS:
        x, y = (int(value) for value in landmarks[index, :2])
        patches.append(image[y - radius : y + radius, x - radius : x + radius].reshape(-1, 3))
    mean = np.concatenate(patches).mean(axis=0).astype(np.float32)
    return cv2.cvtColor(mean[None, None], cv2.COLOR_RGB2LAB)[0, 0]


def test_no_skin_tone_is_moved(good_photos: list[Path], engine: PortraitEngine) -> None:
    shifts = {}
    for path in good_photos:
        picture = load(path)
        prepared = engine.prepare(picture)
        radius = max(2, int(prepared.face.width * 0.03))
        exposed = light.expose(picture.astype(np.float32) / 255, prepared.gain)
        before = cheek(exposed, prepared.face.landmarks, radius)
        after = cheek(prepared.colours, prepared.face.landmarks, radius)
        shifts[path.name] = ciede2000(before, after)
    assert len(shifts) == 22
    assert {name: shift for name, shift in shifts.items() if shift > TONE_BOUND} == {}


def test_every_good_photo_gives_a_usable_picture_in_every_style(
    good_photos: list[Path], engine: PortraitEngine
) -> None:
    for number, path in enumerate(good_photos):
        prepared = engine.prepare(load(path))
        # every photo in the default style, and all styles spread over the photos
        for style_id in ["studio-grey", list(STYLES)[number % len(STYLES)]]:
            result = engine.render(prepared, style(style_id)).picture
            width, height = STYLES[style_id].crop.pixels
            assert result.shape[1] >= width
            assert result.shape[0] >= height
            faces = find_faces(result, configuration.current().models_folder)
            assert len(faces) == 1, (path.name, style_id)
            assert 0.25 < faces[0].landmarks[:, 0].mean() / result.shape[1] < 0.75
            # no empty border: the bottom rows show the person, not only background
            assert result[-4:].std() > 3, (path.name, style_id)


def test_the_same_photo_gives_the_same_picture(good_photos: list[Path], engine: PortraitEngine) -> None:
    picture = load(good_photos[0])
    one = engine.render(engine.prepare(picture), style("outdoor")).picture
    two = engine.render(engine.prepare(picture), style("outdoor")).picture
    assert np.array_equal(one, two)


def test_a_matte_that_cannot_be_trusted_keeps_the_background_and_says_so(shared: Path, engine: PortraitEngine) -> None:
    prepared = engine.prepare(load(shared / "photos" / "good" / "sk_astronaut.png"))
    notes = engine.render(prepared, style("studio-grey")).notes
    assert any("original background was kept" in note for note in notes)
    assert any("92 pixels" in note for note in notes)


def test_a_picture_without_a_face_is_refused(engine: PortraitEngine) -> None:
    with pytest.raises(NoFaceToFrame):
        engine.prepare(np.full((300, 300, 3), 128, np.uint8))


@pytest.mark.parametrize("colour", ["red", "#12345", "#gggggg", "#1234567", "javascript:"])
def test_a_brand_colour_is_a_colour(colour: str) -> None:
    with pytest.raises(StyleUnknown):
        style("brand", brand_colour=colour)
    assert style("brand", brand_colour="#102030").colours[0] == (16, 32, 48)


def test_the_result_says_what_it_is_and_nothing_else() -> None:
    data = marking.encode(np.zeros((20, 16, 3), np.uint8))
    with Image.open(io.BytesIO(data)) as image:
        assert marking.SOURCE_TYPE in image.info["xmp"].decode()
        assert not image.getexif()
        assert image.info["icc_profile"]


def run(*arguments: str):
    return CliRunner().invoke(shoot, arguments, catch_exceptions=False)


def test_shoot_makes_pictures_and_says_what_failed(shared: Path, tmp_path: Path) -> None:
    photos = shared / "photos"
    good, bad = photos / "good" / "senate_cory-booker.jpg", photos / "derived" / "not_an_image.jpg"
    done = run(str(good), str(bad), "--style", "studio-navy", "--style", "linkedin", "--out", str(tmp_path))
    assert done.exit_code == 1
    assert "not a picture we can read" in done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "senate_cory-booker-linkedin.jpg",
        "senate_cory-booker-studio-navy.jpg",
    ]
    again = run(str(good), "--style", "linkedin", "--out", str(tmp_path))
    assert again.exit_code == 1
    assert "--force" in again.output
    assert run(str(good), "--style", "linkedin", "--out", str(tmp_path), "--force").exit_code == 0


def test_shoot_explains_wrong_usage(shared: Path, tmp_path: Path) -> None:
    good = str(shared / "photos" / "good" / "senate_cory-booker.jpg")
    unknown = run(good, "--style", "studio-pink", "--out", str(tmp_path))
    assert unknown.exit_code == 2
    assert "Choose from" in unknown.output
    assert run("/no/such/photo.jpg", "--out", str(tmp_path)).exit_code == 2
    (tmp_path / "file").write_text("")
    assert run(good, "--out", str(tmp_path / "file")).exit_code == 2
