"""The engine: every good photo in every style, skin tones left alone, the second style cheap."""

import io
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from headshotly.frontdoor.commands.shoot import shoot
from headshotly.policy import configuration
from headshotly.studio import decoding, light, marking, signatory
from headshotly.studio.engine import PortraitEngine, Prepared
from headshotly.studio.errors import NoFaceToFrame, StyleUnknown, TooSmallForStyle
from headshotly.studio.faces import Face, find_faces
from headshotly.studio.framing import frame
from headshotly.studio.gate import FACE_WIDTH_GOOD, judge_faces
from headshotly.studio.matting import TRUSTED
from headshotly.studio.styles import STYLES, Style, style

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


@dataclass(frozen=True)
class Looked:
    """What was measured on one photo: its skin, and each of its results."""

    skin: float  # individual typology angle in degrees: above 28 light, below 10 dark (Chardon, 1991)
    face: float  # width in the photo, pixels
    shifts: dict[str, float]
    faces: dict[str, list[Face]]
    pictures: dict[str, np.ndarray]
    kept: bool  # its own background, as the cut could not be trusted
    heads: dict[str, float]  # share of the head, hair to chin, that each style's frame holds


EXTREMES = ("studio-white", "studio-black")  # what lies behind must not reach the skin


def look(path: Path, number: int, engine: PortraitEngine) -> Looked:
    prepared = engine.prepare(load(path))
    landmarks, radius = prepared.face.landmarks, max(2, int(prepared.face.width * 0.03))
    exposed = light.expose(prepared.picture.astype(np.float32) / 255, prepared.gain)
    before = cheek(exposed, landmarks, radius)
    shifts, faces, pictures = {}, {}, {}
    for style_id in dict.fromkeys([EXTREMES[number % 2], list(STYLES)[number % len(STYLES)]]):
        result = engine.render(prepared, style(style_id)).picture
        cut = frame(prepared.alpha, prepared.face, STYLES[style_id].crop)
        placed = landmarks.copy()
        placed[:, :2] = (landmarks[:, :2] - (cut.left, cut.top)) * (result.shape[0] / cut.height)
        after = cheek(result.astype(np.float32) / 255, placed, max(2, int(radius * result.shape[0] / cut.height)))
        shifts[style_id] = ciede2000(before, after)
        faces[style_id] = find_faces(result, configuration.current().models_folder)
        pictures[style_id] = cv2.resize(result, (result.shape[1] // 4, result.shape[0] // 4))
        pictures[f"{style_id}:size"] = np.array(result.shape[1::-1])
    skin = math.degrees(math.atan2(float(before[0]) - 50, float(before[2])))
    heads = {each.id: held(prepared, each) for each in STYLES.values()}
    return Looked(skin, prepared.face.width, shifts, faces, pictures, prepared.confidence < TRUSTED, heads)


def held(prepared: Prepared, chosen: Style) -> float:
    """The share of the face, forehead to chin, inside a style's frame."""
    cut = frame(prepared.alpha, prepared.face, chosen.crop)
    top, chin = prepared.face.landmarks[10, 1], prepared.face.landmarks[152, 1]
    return float((min(chin, cut.top + cut.height) - max(top, cut.top)) / (chin - top))


@pytest.fixture(scope="module")
def looked(good_photos: list[Path], engine: PortraitEngine) -> dict[str, Looked]:
    return {path.name: look(path, number, engine) for number, path in enumerate(good_photos)}


def test_no_skin_tone_is_moved_neither_dark_nor_medium_nor_light(looked: dict[str, Looked]) -> None:
    assert len(looked) == 22
    groups: dict[str, list[float]] = {"dark": [], "medium": [], "light": []}
    for each in looked.values():
        name = "light" if each.skin > 28 else "medium" if each.skin >= 10 else "dark"
        groups[name] += each.shifts.values()
    assert all(len(shifts) >= 3 for shifts in groups.values()), {name: len(shifts) for name, shifts in groups.items()}
    worst = {name: max(shifts) for name, shifts in groups.items()}
    assert max(worst.values()) <= TONE_BOUND, worst


def test_every_good_photo_gives_a_usable_picture(looked: dict[str, Looked]) -> None:
    seen = set()
    for name, each in looked.items():
        for style_id, faces in each.faces.items():
            seen.add(style_id)
            size, small = each.pictures[f"{style_id}:size"], each.pictures[style_id]
            if each.face >= FACE_WIDTH_GOOD:
                assert (size >= STYLES[style_id].crop.pixels).all()
            assert len(faces) == 1, (name, style_id)
            assert 0.3 < faces[0].landmarks[:, 0].mean() / size[0] < 0.7, (name, style_id)
            # no empty border: the bottom rows show the person, not only background
            assert small[-1:].std() > 3, (name, style_id)
    assert seen == set(STYLES)


def test_which_photos_keep_their_background(looked: dict[str, Looked]) -> None:
    """A flag against a cheek, thin white hair that shows the wall, a dark hat before a dark flag; the others are cut."""
    kept = {name for name, each in looked.items() if each.kept}
    assert kept == {"senate_tim-scott.jpg", "senate_bernard-sanders.jpg", "tf_grace_hopper.jpg"}


def test_no_frame_cuts_a_face_not_even_a_wide_one_with_the_photos_own_background(looked: dict[str, Looked]) -> None:
    least = {name: min(each.heads.values()) for name, each in looked.items()}
    assert min(least.values()) > 0.9, least


def test_the_same_photo_gives_the_same_picture(good_photos: list[Path], engine: PortraitEngine) -> None:
    picture = load(good_photos[0])
    one = engine.render(engine.prepare(picture), style("outdoor")).picture
    two = engine.render(engine.prepare(picture), style("outdoor")).picture
    assert np.array_equal(one, two)


def test_a_matte_that_cannot_be_trusted_keeps_the_background_and_says_so(shared: Path, engine: PortraitEngine) -> None:
    """As in dense fog: the model still finds somebody, but not where they end."""
    clear = load(shared / "photos" / "good" / "senate_cory-booker.jpg")
    noise = np.random.default_rng(1).normal(0, 6, clear.shape)
    prepared = engine.prepare((clear * 0.15 + 150 + noise).clip(0, 255).astype(np.uint8))
    assert prepared.confidence < TRUSTED
    result = engine.render(prepared, style("studio-navy"))
    assert any("original background was kept" in note for note in result.notes)
    assert result.picture[:40].mean() > 120, "the fog is still there, not the navy"
    assert engine.prepare(clear).confidence > TRUSTED


def size_of_a_small_one(engine: PortraitEngine, prepared: Prepared, chosen: Style) -> tuple[int, int] | None:
    """Render a small face, see that nothing of it grew, and return its size; None where the style is refused."""
    cut = frame(prepared.alpha, prepared.face, chosen.crop)
    demanded = chosen.crop.demanded
    if cut.width - 2 < demanded[0] or cut.height - 2 < demanded[1]:
        with pytest.raises(TooSmallForStyle, match=f"needs {demanded[0]} × {demanded[1]} pixels"):
            engine.render(prepared, chosen)
        return None
    result = engine.render(prepared, chosen)
    height, width = result.picture.shape[:2]
    assert width <= cut.width
    assert height <= cut.height
    assert abs(width - height * chosen.crop.width / chosen.crop.height) <= 1
    assert any(f"{width} × {height} pixels" in note for note in result.notes)
    return width, height


@pytest.mark.parametrize("name", ["tim-scott", "tina-smith", "alejandro-padilla"])
def test_no_face_under_250_pixels_is_enlarged_in_any_style(shared: Path, engine: PortraitEngine, name: str) -> None:
    source = load(shared / "photos" / "good" / f"senate_{name}.jpg")
    refused = 0
    for share in (0.2, 0.34, 0.47):
        small = cv2.resize(source, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        prepared = engine.prepare(small)
        assert prepared.face.width < FACE_WIDTH_GOOD
        sizes = {each.id: size_of_a_small_one(engine, prepared, each) for each in STYLES.values()}
        assert {style_id for style_id, size in sizes.items() if size is None} <= {"id-photo"}
        refused += sizes["id-photo"] is None
        said = judge_faces(small, [prepared.face]).sentence
        told, made = int(said.split("about ")[1].split(" ")[0]), sizes["studio-grey"]
        assert made is not None
        assert 0.8 < told / made[0] < 1.25, (said, made)
    assert refused >= 2, "an ID photo needs more pixels than these photos hold"


def test_a_small_face_is_its_own_pixels(shared: Path, engine: PortraitEngine) -> None:
    """Nothing is resampled: the eye in the result is the eye in the photo, but for light and retouch."""
    prepared = engine.prepare(load(shared / "photos" / "good" / "sk_astronaut.png"))
    result = engine.render(prepared, style("studio-grey")).picture
    eye = prepared.picture[tuple(slice(int(c) - 6, int(c) + 6) for c in prepared.face.landmarks[159, 1::-1])]
    found = cv2.matchTemplate(result, eye, cv2.TM_CCOEFF_NORMED)
    assert found.max() > 0.99


def test_a_large_photo_is_worked_on_no_larger_than_a_headshot_shows(shared: Path, engine: PortraitEngine) -> None:
    small = load(shared / "photos" / "good" / "tf_grace_hopper.jpg")
    large = cv2.resize(small, None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC)
    prepared = engine.prepare(large)
    assert prepared.face.width == pytest.approx(800, abs=1)
    result = engine.render(prepared, style("studio-grey")).picture
    assert len(find_faces(result, configuration.current().models_folder)) == 1
    assert result.shape[0] <= 2048


def test_a_picture_without_a_face_is_refused(engine: PortraitEngine) -> None:
    with pytest.raises(NoFaceToFrame):
        engine.prepare(np.full((300, 300, 3), 128, np.uint8))


@pytest.mark.parametrize("colour", ["red", "#12345", "#gggggg", "#1234567", "javascript:"])
def test_a_brand_colour_is_a_colour(colour: str) -> None:
    with pytest.raises(StyleUnknown):
        style("brand", brand_colour=colour)
    assert style("brand", brand_colour="#102030").colours[0] == (16, 32, 48)


def test_the_result_says_what_it_is_and_nothing_else() -> None:
    data = marking.encode(np.zeros((20, 16, 3), np.uint8), signatory=signatory.current())
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


def test_shoot_says_what_a_small_photo_is_too_small_for(shared: Path, tmp_path: Path) -> None:
    small = shared / "photos" / "good" / "sk_astronaut.png"
    done = run(str(small), "--style", "id-photo", "--style", "studio-grey", "--out", str(tmp_path))
    assert done.exit_code == 1
    assert "sk_astronaut-id-photo.jpg: This style needs 413 × 531 pixels" in done.output
    assert "your headshot is" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["sk_astronaut-studio-grey.jpg"]


def test_shoot_explains_wrong_usage(shared: Path, tmp_path: Path) -> None:
    good = str(shared / "photos" / "good" / "senate_cory-booker.jpg")
    unknown = run(good, "--style", "studio-pink", "--out", str(tmp_path))
    assert unknown.exit_code == 2
    assert "Choose from" in unknown.output
    assert run("/no/such/photo.jpg", "--out", str(tmp_path)).exit_code == 2
    (tmp_path / "file").write_text("")
    assert run(good, "--out", str(tmp_path / "file")).exit_code == 2
