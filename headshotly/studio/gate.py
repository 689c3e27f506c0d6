"""The photo gate: will this photo do, and if not, what would be better.

Every measure is relative to the picture itself. None looks at how light or dark the skin is: darkness is judged on the
brightest parts of the scene, shadow on the whites of the eyes, over-exposure on clipped pixels, glasses and coverings
against the person's own cheeks.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from headshotly.studio.faces import Face, Picture, find_faces
from headshotly.studio.styles import PORTRAIT
from headshotly.studio.uprightness import Lying, lying

FACE_WIDTH_MIN = 80  # pixels; under this nothing of a face is left to work with
FACE_WIDTH_GOOD = 250  # pixels; smaller faces are never enlarged
SECOND_FACE_SHARE = 0.4  # of the main face's width: a person in the picture, not one in the background
YAW_MAX, PITCH_MAX = 35.0, 35.0  # degrees
TURNED_HINT = 22.0  # degrees
UP_HINT, DOWN_HINT = -20.0, 28.0  # degrees; a smile straight into the camera measures up to 20
SIDEWAYS = 40.0  # degrees from upright
# Openness of an eye by how much of its detail stands upright. The least of 22 people with open eyes has 0.119; of them
# with their own lids drawn down, ten lie below the first bound and all but one below the second. The first is low on
# purpose: nobody is turned away for narrow eyes.
EYES_CLOSED, EYES_PERHAPS = 0.07, 0.11
EDGE_SHARE = 0.02  # of the face's width that may lie outside the picture
SHARPNESS_MIN, SHARPNESS_HINT = 0.010, 0.022
SCENE_WHITE_MIN = 70  # brightest percent of the scene, 0 to 255
CLIPPED_MAX, CLIPPED_HINT = 0.40, 0.22  # share of the face with a channel at its limit
EYE_WHITES_MIN, EYE_WHITES_HINT = 12.0, 26.0  # CIE L* of the whites of the eyes: white on everybody
HEADROOM_HINT = 0.15  # space above the forehead by the height of the face, forehead to chin
SUNGLASSES = 0.33  # brightness of the eyes by that of the cheeks

COVERED = 18.0  # difference in CIE a*b* between forehead and lower face, of the person's own skin
_PORTRAIT = 2.2  # height of a portrait by that of the face, forehead to chin
LIPS_SHOW = 2.5  # difference in CIE a*b* between mouth and cheeks: lips have a colour of their own

_WILL_DO = "This photo will do."
_CHEEKS = (50, 280, 205, 425)
_FOREHEAD, _LOWER = (10, 67, 297, 151, 9), (4, 5, 205, 187, 425, 411, 164, 0, 17, 199, 200)
_MOUTH = (0, 17, 13)
_TOP = 10  # of the forehead, where the hair begins
_EYES = ((33, 133, 159, 145), (263, 362, 386, 374))
# The outlines of both eyes, from corner to corner.
_LIDS = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)
_CORNERS = ((33, 133), (362, 263))
_COLOURLESS = 6.0  # CIE a*b* of the cheeks under which a photo is black and white, and tints say nothing

type Severity = Literal["refuse", "hint"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the gate noticed.

    Attributes:
        code: stable name.
        sentence: what is the matter, in plain words.
        advice: what to do better.
        severity: ``refuse`` or ``hint``.
        score: how good the photo is in this respect, 0 to 1.
    """

    code: str
    sentence: str
    advice: str
    severity: Severity
    score: float


_TURN_IT = "Please turn it upright first and save it, then upload it again."
_ON_ITS_HEAD = Finding("upside_down", "This photo is upside down.", _TURN_IT, "refuse", 0.0)
_ON_ITS_SIDE = Finding("sideways", "This photo lies on its side.", _TURN_IT, "refuse", 0.0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says about a photo.

    Attributes:
        accepted: whether a headshot can be made of it.
        sentence: the verdict in one plain sentence.
        advice: what to do better; empty when nothing.
        score: how good the photo is, 0 to 1.
        findings: everything noticed, the gravest first.
        crop: left, top, right, bottom of the head in pixels, within the picture; None without a face.
    """

    accepted: bool
    sentence: str
    advice: str
    score: float
    findings: tuple[Finding, ...]
    crop: tuple[int, int, int, int] | None


def judge(picture: Picture, folder: Path) -> Verdict:
    """Return the verdict on a photo.

    Args:
        picture: (height, width, 3) uint8, sRGB, upright.
        folder: the model folder.
    """
    faces = find_faces(picture, folder)
    return judge_faces(picture, faces, how=lying(picture, faces[0], folder) if faces else "")


def judge_faces(picture: Picture, faces: list[Face], *, how: Lying = "") -> Verdict:
    """Return the verdict on a photo whose faces were found already, largest first.

    Args:
        picture: (height, width, 3) uint8, sRGB.
        faces: those found in it.
        how: it lies, where that is known; of a photo that is not upright little else can be told.
    """
    if not faces:
        lonely = Finding(
            "no_face", "We found no face in this photo.", "Please use a photo that shows your face from the front.",
            "refuse", 0.0,
        )  # fmt: skip
        return _verdict([lonely], None)
    face = faces[0]
    if how or abs(face.roll) > SIDEWAYS:
        # A face that is partly hidden tells little of how it lies: then that is said first.
        hidden = [one for one in (_cut_off(picture, face), _covered(picture, face)) if one and one.severity == "refuse"]
        turn = _ON_ITS_HEAD if how == "upside_down" else _ON_ITS_SIDE
        return _verdict([*hidden, turn], head_box(picture, face))
    found = [
        finding
        for finding in (
            _several(faces),
            _cut_off(picture, face),
            _turned(face),
            _small(picture, face),
            _light(picture, face),
            _sharp(picture, face),
            _covered(picture, face),
            _sunglasses(picture, face) or _eyes(picture, face) or _shadow(picture, face),
            _headroom(face),
        )
        if finding is not None
    ]
    return _verdict(found, head_box(picture, face))


def head_box(picture: Picture, face: Face) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of head and shoulders' beginning, within the picture."""
    height, width = picture.shape[:2]
    low, high = face.landmarks[:, :2].min(axis=0), face.landmarks[:, :2].max(axis=0)
    reach = 0.45 * face.height
    return (
        max(0, int(low[0] - reach)),
        max(0, int(low[1] - 1.2 * reach)),
        min(width, int(high[0] + reach)),
        min(height, int(high[1] + reach)),
    )


def placed(picture: Picture, crop: tuple[int, int, int, int] | None) -> list[float]:
    """Return a crop as shares of the picture's width and height, for pages that show the picture in another size."""
    if crop is None:
        return []
    height, width = picture.shape[:2]
    return [round(edge / side, 4) for edge, side in zip(crop, (width, height) * 2, strict=True)]


def draw(picture: Picture, verdict: Verdict) -> Picture:
    """Return a copy of the picture with what will be used bright and the rest dimmed."""
    return draw_placed(picture, placed(picture, verdict.crop), accepted=verdict.accepted)


def draw_placed(picture: Picture, crop: list[float], *, accepted: bool) -> Picture:
    """Return a copy of a picture of any size with the crop bright, framed, and the rest dimmed.

    Args:
        picture: (height, width, 3) uint8.
        crop: from ``placed``; without one everything is dimmed.
        accepted: frames in green, otherwise in red.
    """
    shown = np.asarray(cv2.convertScaleAbs(picture, alpha=0.45), np.uint8)
    if not crop:
        return shown
    height, width = picture.shape[:2]
    left, top, right, bottom = (round(edge * side) for edge, side in zip(crop, (width, height) * 2, strict=True))
    shown[top:bottom, left:right] = picture[top:bottom, left:right]
    colour = (46, 160, 67) if accepted else (218, 54, 51)
    cv2.rectangle(shown, (left, top), (right - 1, bottom - 1), colour, max(2, width // 200))
    return shown


def _verdict(found: list[Finding], crop: tuple[int, int, int, int] | None) -> Verdict:
    # The checks run in the order in which their advice helps: who is in the picture, then how it was taken.
    ordered = tuple(sorted(found, key=lambda finding: finding.severity != "refuse"))
    score = min((finding.score for finding in ordered), default=1.0)
    if not ordered:
        return Verdict(True, "This photo will do very well.", "", score, (), crop)
    first = ordered[0]
    accepted = first.severity == "hint"
    sentence = f"{_WILL_DO} {first.sentence}" if accepted else first.sentence
    return Verdict(accepted, sentence, first.advice, score, ordered, crop)


def _several(faces: list[Face]) -> Finding | None:
    people = [face for face in faces if face.width >= SECOND_FACE_SHARE * faces[0].width]
    if len(people) == 1:
        return None
    return Finding(
        "several_people",
        f"There are {len(people)} people in this photo.",
        "Please use a photo of you alone, or crop it first.",
        "refuse",
        0.0,
    )


def _cut_off(picture: Picture, face: Face) -> Finding | None:
    height, width = picture.shape[:2]
    low, high = face.landmarks[:, :2].min(axis=0), face.landmarks[:, :2].max(axis=0)
    outside = max(-low[0], -low[1], high[0] - width, high[1] - height, 0.0) / face.width
    if outside <= EDGE_SHARE:
        return None
    return Finding(
        "cut_off",
        "Part of your face lies outside the photo.",
        "Please use a photo with your whole head and some space around it.",
        "refuse",
        0.0,
    )


def _small(picture: Picture, face: Face) -> Finding | None:
    score = min(1.0, face.width / FACE_WIDTH_GOOD)
    if face.width < FACE_WIDTH_MIN:
        return Finding(
            "too_small",
            f"Your face is only {face.width:.0f} pixels wide in this photo; at least {FACE_WIDTH_MIN} are needed.",
            "Please use a larger original, not a thumbnail, or step closer to the camera.",
            "refuse",
            score * 0.3,
        )
    if face.width < FACE_WIDTH_GOOD:
        height = round(min(_PORTRAIT * face.height, picture.shape[0]))
        width = round(height * PORTRAIT.width / PORTRAIT.height)
        return Finding(
            "small",
            f"Your face is {face.width:.0f} pixels wide, so your headshot will be about {width} × {height} pixels.",
            f"We do not enlarge faces under {FACE_WIDTH_GOOD} pixels: a larger photo gives a larger headshot.",
            "hint",
            score,
        )
    return None


def _turned(face: Face) -> Finding | None:
    yaw, pitch = abs(face.yaw), abs(face.pitch)
    score = 1 - min(1.0, max(yaw / 60, pitch / 60))
    if yaw > YAW_MAX or pitch > PITCH_MAX:
        return Finding(
            "turned_away",
            "Your face is turned away from the camera.",
            "Please look roughly into the camera.",
            "refuse",
            score * 0.3,
        )
    if yaw > TURNED_HINT:
        return Finding(
            "turned", "Your face is turned to the side a little.", "Please look roughly into the camera.", "hint", score
        )
    if not UP_HINT <= face.pitch <= DOWN_HINT:
        sentence = "You look down a little." if face.pitch > 0 else "You look up a little."
        return Finding("tilted", sentence, "Please hold the camera at the height of your eyes.", "hint", score)
    return None


def _headroom(face: Face) -> Finding | None:
    room = float(face.landmarks[_TOP, 1]) / face.height
    if room >= HEADROOM_HINT:
        return None
    return Finding(
        "no_headroom",
        "The top of your head reaches the edge of the photo.",
        "A photo with some space above your hair can be framed better.",
        "hint",
        max(0.3, min(0.9, 0.3 + 4 * room)),
    )


def _face_crop(picture: Picture, face: Face) -> Picture:
    height, width = picture.shape[:2]
    low, high = face.landmarks[:, :2].min(axis=0), face.landmarks[:, :2].max(axis=0)
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    return picture[top : min(height, int(high[1]) + 1), left : min(width, int(high[0]) + 1)]


def _percentile(grey: Picture, percent: float) -> float:
    """Return what ``numpy.percentile`` does, from a count of each brightness instead of sorting a whole picture."""
    seen = np.cumsum(cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().astype(np.int64))
    place = (grey.size - 1) * percent / 100
    low, high = np.searchsorted(seen, [math.floor(place), math.ceil(place)], side="right")
    return float(low + (high - low) * (place % 1))


def _light(picture: Picture, face: Face) -> Finding | None:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    brightest = _percentile(np.asarray(grey, np.uint8), 99)
    if brightest < SCENE_WHITE_MIN:
        return Finding(
            "too_dark",
            "This photo is too dark: even its brightest parts are dim.",
            "Please take it by a window or with more light in the room.",
            "refuse",
            0.3 * brightest / 255,
        )
    red, green, blue = np.moveaxis(_face_crop(picture, face), 2, 0)
    clipped = float((np.maximum(np.maximum(red, green), blue) >= 253).mean())  # noqa: PLR2004 - as good as the limit
    if clipped > CLIPPED_MAX:
        return Finding(
            "over_exposed",
            "This photo is over-exposed: parts of your face have lost their colour.",
            "Please take it with less light or without the flash.",
            "refuse",
            0.3 * (1 - clipped),
        )
    if clipped > CLIPPED_HINT:
        return Finding(
            "bright",
            "Some of your face is so bright that its detail is lost.",
            "A photo with softer light gives a better headshot.",
            "hint",
            1 - clipped,
        )
    return None


def _eye_whites(picture: Picture, face: Face) -> float:
    """Return CIE L* of the brightest that is between the lids of either eye, 0 to 100."""
    brightest = 0.0
    for lids in _LIDS:
        outline = face.landmarks[list(lids), :2]
        middle = outline.mean(axis=0)
        inner = (middle + (outline - middle) * (0.8, 0.75)).astype(np.int32)
        left, top, width, height = cv2.boundingRect(inner)
        left, top = max(0, left), max(0, top)
        patch = picture[top : top + height, left : left + width]
        if patch.size:
            mask = np.zeros(patch.shape[:2], np.uint8)
            cv2.fillPoly(mask, [inner - (left, top)], 1)
            light = cv2.cvtColor((patch / 255).astype(np.float32), cv2.COLOR_RGB2LAB)[..., 0][mask > 0]
            brightest = max(brightest, float(np.percentile(light, 95)) if light.size else 0.0)
    return brightest


def _shadow(picture: Picture, face: Face) -> Finding | None:
    """Judge the light on the face by what is white on everybody, whatever their skin."""
    whites = _eye_whites(picture, face)
    if whites >= EYE_WHITES_HINT:
        return None
    dark = whites < EYE_WHITES_MIN
    sentence = "Your face lies in deep shadow." if dark else "Your face lies in shadow."
    return Finding(
        "in_shadow" if dark else "shadow",
        sentence,
        "Please turn towards the window or the lamp, so that the light falls on your face.",
        "refuse" if dark else "hint",
        0.3 * whites / EYE_WHITES_MIN if dark else whites / EYE_WHITES_HINT,
    )


def sharpness(picture: Picture, face: Face) -> float:
    """Return how much fine detail the face holds, relative to its own contrast; about 0.03 and more is sharp."""
    crop = cv2.cvtColor(_face_crop(picture, face), cv2.COLOR_RGB2GRAY).astype(np.float32)
    if min(crop.shape) < 8:  # noqa: PLR2004 - too few pixels for a second derivative to mean anything
        return 0.0
    scale = 200 / crop.shape[1]
    even = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    spread = float(even.std()) + 1.0
    return float(np.abs(cv2.Laplacian(even, cv2.CV_32F)).mean()) / spread / 4


def _sharp(picture: Picture, face: Face) -> Finding | None:
    value = sharpness(picture, face)
    score = min(1.0, value / (2 * SHARPNESS_HINT))
    if value < SHARPNESS_MIN:
        return Finding(
            "blurred",
            "This photo is blurred: your face holds no fine detail.",
            "Please hold the camera still and let it focus on your face.",
            "refuse",
            score * 0.3,
        )
    if value < SHARPNESS_HINT:
        return Finding(
            "soft", "Your face is a little soft.", "A sharper photo gives a sharper headshot.", "hint", score
        )
    return None


def eyes_open(picture: Picture, face: Face) -> float:
    """Return how open the more open eye is: over 0.12 with every open eye looked at so far, smiling ones included.

    The mesh alone draws open eyes over closed lids. An iris has upright edges, a closed lid and its lashes have none:
    the mesh's openness is multiplied by the detail across the eye, by that along the lids.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    measured = []
    for corners, openness in zip(_CORNERS, face.eyes, strict=True):
        band = cv2.GaussianBlur(_levelled(grey, face.landmarks[list(corners), :2]), (0, 0), 1.5)[16:32, 8:56]
        across, along = (float(np.abs(np.diff(band, axis=axis)).mean()) for axis in (1, 0))
        measured.append(openness * across / max(along, 1e-3))
    return max(measured)


def _levelled(grey: Picture, corners: np.ndarray) -> np.ndarray:
    """Return an eye as (48, 64) float32, its corners level at both ends."""
    width, height = 64, 48
    first, last = corners.astype(np.float64)
    across = (last - first) / width
    down = np.array((-across[1], across[0]))
    origin = (first + last) / 2 - across * width / 2 - down * height / 2
    onto = np.column_stack((across, down, origin))
    flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
    eye = cv2.warpAffine(grey, onto, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return eye.astype(np.float32)


def _eyes(picture: Picture, face: Face) -> Finding | None:
    if abs(face.yaw) > TURNED_HINT:
        return None  # seen from the side, an iris is too narrow to tell
    openness = eyes_open(picture, face)
    if openness >= EYES_PERHAPS:
        return None
    if openness < EYES_CLOSED:
        return Finding(
            "eyes_closed",
            "Your eyes look closed in this photo.",
            "Please use one with your eyes open.",
            "refuse",
            0.3 * openness / EYES_CLOSED,
        )
    return Finding(
        "eyes_perhaps_closed",
        "Your eyes may be closed in this photo.",
        "If they are, please use one with your eyes open.",
        "hint",
        0.5 + 0.5 * (openness - EYES_CLOSED) / (EYES_PERHAPS - EYES_CLOSED),
    )


def _patch_brightness(grey: Picture, face: Face, indices: tuple[int, ...]) -> float:
    radius = max(2, int(face.width * 0.03))
    height, width = grey.shape[:2]
    values = []
    for index in indices:
        x, y = (int(value) for value in face.landmarks[index, :2])
        patch = grey[max(0, y - radius) : min(height, y + radius), max(0, x - radius) : min(width, x + radius)]
        if patch.size:
            values.append(float(np.median(patch)))
    return float(np.mean(values)) if values else 0.0


def eye_darkness(picture: Picture, face: Face) -> float:
    """Return the brightness around the eyes by that of the person's own cheeks."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    cheeks = _patch_brightness(grey, face, _CHEEKS)
    return max(_patch_brightness(grey, face, eye) for eye in _EYES) / max(cheeks, 1.0)


def _tint(picture: Picture, face: Face, indices: tuple[int, ...]) -> np.ndarray:
    """Return the median CIE a* and b* around some landmarks: colour without lightness."""
    radius = max(2, int(face.width * 0.025))
    height, width = picture.shape[:2]
    tints = []
    for index in indices:
        x, y = (int(value) for value in face.landmarks[index, :2])
        patch = picture[max(0, y - radius) : min(height, y + radius), max(0, x - radius) : min(width, x + radius)]
        if patch.size:
            lab = cv2.cvtColor((patch / 255).astype(np.float32), cv2.COLOR_RGB2LAB)
            tints.append(np.median(lab.reshape(-1, 3)[:, 1:], axis=0))
    return np.median(tints, axis=0) if tints else np.zeros(2)


def cheek_tint(picture: Picture, face: Face) -> np.ndarray:
    """Return CIE a* and b* of the person's own cheeks."""
    return _tint(picture, face, _CHEEKS)


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.hypot(*(one - other)))


def _covered(picture: Picture, face: Face) -> Finding | None:
    """Compare the face with itself: a mask or a scarf has another tint than the cheeks' skin, and no lips."""
    cheeks, forehead, lower = (_tint(picture, face, places) for places in (_CHEEKS, _FOREHEAD, _LOWER))
    if max(float(np.hypot(*tint)) for tint in (cheeks, forehead, lower)) < _COLOURLESS:
        return None
    no_lips = _apart(_tint(picture, face, _MOUTH), cheeks) < LIPS_SHOW
    if _apart(forehead, lower) >= COVERED and no_lips:
        return Finding(
            "covered",
            "Something covers your mouth and chin.",
            "Please use a photo without a mask, a scarf or a hand before your face.",
            "refuse",
            0.1,
        )
    if _apart(forehead, cheeks) >= COVERED > _apart(lower, cheeks):
        return Finding(
            "forehead_covered",
            "Something covers your forehead: a hat, perhaps.",
            "Without a hat your headshot will look better. A fringe of hair is fine.",
            "hint",
            0.6,
        )
    # In deep shadow lips have no colour either.
    if _apart(forehead, lower) >= COVERED or (no_lips and _eye_whites(picture, face) >= EYE_WHITES_HINT):
        return Finding(
            "half_covered",
            "Something may cover a part of your face.",
            "Please use a photo without a mask, a scarf or a hand before your face.",
            "hint",
            0.5,
        )
    return None


def _sunglasses(picture: Picture, face: Face) -> Finding | None:
    value = eye_darkness(picture, face)
    if value >= SUNGLASSES:
        return None
    return Finding(
        "sunglasses",
        "Your eyes are hard to see: sunglasses, a hat or a shadow may cover them.",
        "A photo with your eyes well visible gives a better headshot.",
        "hint",
        value / SUNGLASSES,
    )
