"""The photo gate: will this photo do, and if not, what would be better.

Every measure is relative to the picture itself. None looks at how light or dark the skin is: darkness is judged on the
brightest parts of the scene, over-exposure on clipped pixels, sunglasses against the person's own cheeks.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from headshotly.studio.faces import Face, Picture, find_faces
from headshotly.studio.styles import PORTRAIT

FACE_WIDTH_MIN = 80  # pixels; under this nothing of a face is left to work with
FACE_WIDTH_GOOD = 250  # pixels; smaller faces are never enlarged
SECOND_FACE_SHARE = 0.4  # of the main face's width: a person in the picture, not one in the background
YAW_MAX, PITCH_MAX = 35.0, 35.0  # degrees
TURNED_HINT = 22.0  # degrees
EYES_CLOSED = 0.10  # height by width
EDGE_SHARE = 0.02  # of the face's width that may lie outside the picture
SHARPNESS_MIN, SHARPNESS_HINT = 0.010, 0.022
SCENE_WHITE_MIN = 70  # brightest percent of the scene, 0 to 255
CLIPPED_MAX = 0.40  # share of the face with a channel at its limit
SUNGLASSES = 0.33  # brightness of the eyes by that of the cheeks

COVERED = 18.0  # difference in CIE a*b* between forehead and lower face, of the person's own skin
_PORTRAIT = 2.2  # height of a portrait by that of the face, forehead to chin
LIPS_SHOW = 2.5  # difference in CIE a*b* between mouth and cheeks: lips have a colour of their own

_CHEEKS = (50, 280, 205, 425)
_FOREHEAD, _LOWER = (10, 67, 297, 151, 9), (4, 5, 205, 187, 425, 411, 164, 0, 17, 199, 200)
_MOUTH = (0, 17, 13)
_EYES = ((33, 133, 159, 145), (263, 362, 386, 374))

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
    return judge_faces(picture, find_faces(picture, folder))


def judge_faces(picture: Picture, faces: list[Face]) -> Verdict:
    """Return the verdict on a photo whose faces were found already, largest first."""
    if not faces:
        lonely = Finding(
            "no_face", "We found no face in this photo.", "Please use a photo that shows your face from the front.",
            "refuse", 0.0,
        )  # fmt: skip
        return _verdict([lonely], None)
    face = faces[0]
    found = [
        finding
        for finding in (
            _several(faces),
            _cut_off(picture, face),
            _turned(face),
            _small(picture, face),
            _light(picture, face),
            _sharp(picture, face),
            _eyes(face),
            _covered(picture, face),
            _sunglasses(picture, face),
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
    shown = (picture * 0.45).astype(np.uint8)
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
    sentence = f"This photo will do. {first.sentence}" if accepted else first.sentence
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
    return None


def _face_crop(picture: Picture, face: Face) -> Picture:
    height, width = picture.shape[:2]
    low, high = face.landmarks[:, :2].min(axis=0), face.landmarks[:, :2].max(axis=0)
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    return picture[top : min(height, int(high[1]) + 1), left : min(width, int(high[0]) + 1)]


def _light(picture: Picture, face: Face) -> Finding | None:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    brightest = float(np.percentile(grey, 99))
    if brightest < SCENE_WHITE_MIN:
        return Finding(
            "too_dark",
            "This photo is too dark: even its brightest parts are dim.",
            "Please take it by a window or with more light in the room.",
            "refuse",
            0.3 * brightest / 255,
        )
    clipped = float((_face_crop(picture, face).max(axis=2) >= 253).mean())  # noqa: PLR2004 - as good as the limit
    if clipped > CLIPPED_MAX:
        return Finding(
            "over_exposed",
            "This photo is over-exposed: parts of your face have lost their colour.",
            "Please take it with less light or without the flash.",
            "refuse",
            0.3 * (1 - clipped),
        )
    return None


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


def _eyes(face: Face) -> Finding | None:
    openness = max(face.eyes)
    if openness >= EYES_CLOSED:
        return None
    return Finding(
        "eyes_closed",
        "Your eyes look closed in this photo.",
        "Please use one with your eyes open.",
        "refuse",
        0.3 * openness / EYES_CLOSED,
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


def _covered(picture: Picture, face: Face) -> Finding | None:
    """Compare the face with itself: a mask or a scarf has another tint than the forehead, and no lips."""
    lower = _tint(picture, face, _LOWER)
    apart = float(np.hypot(*(_tint(picture, face, _FOREHEAD) - lower)))
    if apart < COVERED:
        return None
    if float(np.hypot(*(_tint(picture, face, _MOUTH) - _tint(picture, face, _CHEEKS)))) < LIPS_SHOW:
        return Finding(
            "covered",
            "Something covers your mouth and chin.",
            "Please use a photo without a mask, a scarf or a hand before your face.",
            "refuse",
            0.1,
        )
    return Finding(
        "half_covered",
        "Something may cover a part of your face.",
        "Please use a photo without a mask, a scarf or a hand before your face.",
        "hint",
        0.5,
    )


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
