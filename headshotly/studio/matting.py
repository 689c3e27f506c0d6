"""Cutting a person out: where they are from one model, how their outline runs from another, the edge from the picture.

The segmentation model knows people and sees 256 by 256 pixels. Its answers for several views, from the whole figure to
the head alone, each also mirrored and two with the shadows lifted, are merged. ``outline`` draws finely whatever stands
out, person or not. Where both agree on the whole, the outline counts; where they do not, the model that knows people.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from headshotly.studio import stains
from headshotly.studio.edges import Alpha, Image, deviation, enlarge, refine, signed_distance, surroundings
from headshotly.studio.faces import CHIN, Face, Picture, network
from headshotly.studio.gate import cheek_tint
from headshotly.studio.outline import outline
from headshotly.studio.strands import strands
from headshotly.studio.views_of_a_face import Box, fading, square

_MODEL = "selfie_segmentation.tflite"
_SIDE = 256
# Side of each view and how far its middle lies below the face's, by the face's height; its weight; shadows lifted.
_VIEWS = (
    (5.5, 1.0, 0.8, False),
    (3.6, 0.35, 1.0, False),
    (2.7, -0.1, 1.6, False),
    (2.2, -0.2, 1.4, False),
    (2.7, -0.1, 1.0, True),
    (3.6, 0.35, 0.7, True),
)
_LIFT = (255 * (np.arange(256) / 255) ** 0.55).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Matte:
    """How much of each pixel is the person.

    Attributes:
        alpha: (height, width) float32, 0 to 1.
        confidence: 0 to 1; under ``TRUSTED`` a cut would show, and the original background is kept.
    """

    alpha: Alpha
    confidence: float


TRUSTED = 0.7
_RIM = 0.45  # of the radius in which colours are looked for; what lies deeper is not the edge's own
_OWN_SPREAD = 1.5  # deviations from their mean that hair's own colours may reach
_FINEST = 450  # pixels of face width at which the edge is decided
# From here on, in hundredths of the face's width, the two models cannot both be right; and what then counts as doubt.
_WELL_INSIDE, _WELL_OUTSIDE, _DOUBT = 5.0, 6.0, 0.12
_ON_THE_LINE = 1.5  # hundredths of the face's width on either side of the outline
# What is left of the background, and what crowds around the head, costs of the confidence.
_BY_STAINS, _BY_CROWDING = 0.05, 2.5


def _segment(picture: Picture, folder: Path) -> Alpha:
    """Return the model's mask for a picture, at the picture's size, averaged with its mirror image."""
    small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
    net = network(folder, _MODEL)
    straight = net.run(small[None])["activation_10"][0, :, :, 0]
    mirrored = net.run(np.ascontiguousarray(small[:, ::-1])[None])["activation_10"][0, :, ::-1, 0]
    mask = (straight + mirrored) / 2
    full: Alpha = cv2.resize(mask, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return full


def coarse(picture: Picture, face: Face, folder: Path) -> tuple[Alpha, float]:
    """Return the merged mask and how well its parts agree, 0 to 1."""
    middle = face.landmarks[:, :2].mean(axis=0)
    lifted = cv2.LUT(picture, _LIFT).astype(np.uint8, copy=False)
    total, trusts = np.zeros(picture.shape[:2], np.float32), np.full(picture.shape[:2], 1e-6, np.float32)
    masks = []
    for side, below, weight, shadows in _VIEWS:
        box = square(picture, (middle[0], middle[1] + below * face.height), side * face.height)
        mask, trust = _place(lifted if shadows else picture, folder, box)
        # Each view fades towards its own border, where the model sees too little around it.
        total, trusts = total + mask * trust * weight, trusts + trust * weight
        masks.append((mask, trust))
    merged = np.clip(total / trusts, 0, 1).astype(np.float32)
    seen = [float(np.abs(mask - merged)[trust > 0.5].mean()) for mask, trust in masks if (trust > 0.5).any()]  # noqa: PLR2004 - well inside the view
    return merged, 1 - min(1.0, 4 * (sum(seen) / len(seen) if seen else 0.25))


def _place(picture: Picture, folder: Path, box: Box) -> tuple[Alpha, Alpha]:
    """Return mask and trust of one view, at the picture's size."""
    height, width = picture.shape[:2]
    left, top, right, bottom = box
    mask, trust = np.zeros((height, width), np.float32), np.full((height, width), 1e-4, np.float32)
    mask[top:bottom, left:right] = _segment(np.ascontiguousarray(picture[top:bottom, left:right]), folder)
    trust[top:bottom, left:right] = fading(picture, box)
    return mask, trust


def matte(picture: Picture, face: Face, folder: Path) -> Matte:
    """Return the matte of the person whose face is given.

    Args:
        picture: (height, width, 3) uint8, sRGB, upright.
        face: the person's face.
        folder: the model folder.
    """
    scale = min(1.0, _FINEST / face.width)
    # A larger face holds no more edge, only more pixels of it: decided small, then fitted to the large picture.
    small, seen = scaled(picture, face, scale) if scale < 1 else (picture, face)
    mask, agreement = coarse(small, seen, folder)
    person = _one_person(mask, seen)
    drawn, looked = outline(small, seen, folder)
    mask, trust = _joined(person, drawn, looked, _like_the_cheeks(small, seen), seen)
    refined = _one_person(refine(small, mask, seen, trust=trust), seen)
    both = np.clip((np.minimum(person, drawn) - 0.5) / 0.45, 0, 1) * trust
    shown = stains.showing(small, refined, both.astype(np.float32), seen)
    alpha = _one_person(stains.without(refined, shown, seen.width / 100), seen)
    confidence = (
        _confidence(refined, mask, agreement, seen)
        * (1 - min(1.0, _BY_STAINS * _stained(small, alpha, seen)))
        * (1 - min(1.0, _BY_CROWDING * _crowded(person, drawn, alpha, seen)))
    )
    alpha = strands(small, alpha, seen)
    return Matte(enlarge(alpha, picture) if scale < 1 else alpha, confidence)


def _stained(picture: Picture, alpha: Alpha, face: Face) -> float:
    """Return how much of the background still shows around the head, by the face's width squared, in thousandths."""
    shown = stains.showing(picture, alpha, np.full_like(alpha, 0.5), face) * alpha
    return float(shown[: _under_the_chin(alpha, face)].sum()) / face.width**2 * 1000


def _crowded(person: Alpha, drawn: Alpha, alpha: Alpha, face: Face) -> float:
    """Return along what share of the head's outline something else stands out, so that nobody knows where they part.

    Args:
        person: mask of the model that knows people.
        drawn: mask of what stands out.
        alpha: the matte.
        face: whose size sets all lengths.
    """
    unit = face.width / 100
    added = np.clip(drawn - person, 0, 1) * (signed_distance(person) / unit < -_WELL_OUTSIDE)
    beside = np.clip(cv2.GaussianBlur(added.astype(np.float32), (0, 0), 5 * unit) / _DOUBT, 0, 1)
    line = np.abs(signed_distance(alpha)) < _ON_THE_LINE * unit
    line[_under_the_chin(alpha, face) :] = False
    return float(beside[line].mean()) if line.any() else 0.0


def _under_the_chin(alpha: Alpha, face: Face) -> int:
    """Return the row a quarter of a face under the chin, where the head is over."""
    return int(np.clip(face.landmarks[CHIN, 1] + 0.25 * face.height, 1, alpha.shape[0]))


def _like_the_cheeks(picture: Picture, face: Face) -> Alpha:
    """Return how near each pixel comes to the tint of the person's own cheeks, whatever that is; 0 to 1."""
    lab = cv2.cvtColor((picture / 255).astype(np.float32), cv2.COLOR_RGB2LAB)
    apart = np.hypot(*np.moveaxis(lab[..., 1:] - cheek_tint(picture, face), -1, 0))
    skin: Alpha = np.clip((18 - apart) / 8, 0, 1).astype(np.float32)
    return skin


def _joined(person: Alpha, drawn: Alpha, looked: Alpha, skin: Alpha, face: Face) -> tuple[Alpha, Alpha]:
    """Return the outline as far as it is the person's, and how far it may be trusted there, 0 to 1.

    Args:
        person: mask of the model that knows people.
        drawn: mask of what stands out.
        looked: 1 where that was looked for.
        skin: 1 where the colour is that of the face.
        face: whose size sets all lengths.
    """
    unit = face.width / 100
    inside = signed_distance(person) / unit
    # A part of the person that does not stand out, or something beside them that does.
    lost = np.clip(person - drawn, 0, 1) * (inside > _WELL_INSIDE)
    added = np.clip(drawn - person, 0, 1) * (inside < -_WELL_OUTSIDE)
    doubt = cv2.GaussianBlur((lost + added).astype(np.float32), (0, 0), 5 * unit)
    trust = np.exp(-((doubt / _DOUBT) ** 2)) * looked
    near = np.clip((cv2.GaussianBlur(person, (0, 0), 3 * unit) - 0.04) / 0.16, 0, 1)
    deep = np.clip((inside - _WELL_OUTSIDE) / 5, 0, 1)
    fine = np.maximum(drawn * near, deep * person)
    # Ears stand out from nothing that has their own colour; what has it, where people are known to be, is theirs.
    fine = np.maximum(fine, skin * np.clip(2 * person - 0.6, 0, 1))
    joined = (trust * fine + (1 - trust) * person).astype(np.float32)
    return np.maximum(joined, _holes(joined) * np.clip(2 * person - 0.8, 0, 1)).astype(np.float32), trust.astype(
        np.float32
    )


def _holes(mask: Alpha) -> Alpha:
    """Return 1 where a mask is open but surrounded by itself, such as at an earring before dark hair."""
    _, labels = cv2.connectedComponents((mask < 0.7).astype(np.uint8))  # noqa: PLR2004 - less than nearly whole
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return ((labels > 0) & ~np.isin(labels, border)).astype(np.float32)


def scaled(picture: Picture, face: Face, scale: float) -> tuple[Picture, Face]:
    """Return a smaller picture and the face in it.

    Args:
        picture: (height, width, 3) uint8.
        face: the face in it.
        scale: below one.
    """
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    left, top, right, bottom = (side * scale for side in face.box)
    return small, replace(face, landmarks=face.landmarks * np.float32(scale), box=(left, top, right, bottom))


def _one_person(mask: Alpha, face: Face) -> Alpha:
    """Return the mask without anything that is not connected to the face."""
    count, labels = cv2.connectedComponents((mask > 0.3).astype(np.uint8))  # noqa: PLR2004 - surely not background
    if count <= 2:  # noqa: PLR2004 - the background and one figure
        return mask
    x, y = np.clip(face.landmarks[1, :2].astype(int), 0, np.array(mask.shape[::-1]) - 1)
    own = cv2.dilate((labels == labels[y, x]).astype(np.uint8), np.ones((15, 15), np.uint8))
    return mask * own if labels[y, x] else mask


def _confidence(alpha: Alpha, mask: Alpha, agreement: float, face: Face) -> float:
    """Return how far the matte may be trusted: little undecided, views that agree, refinement that did not run off."""
    undecided = float(((alpha > 0.1) & (alpha < 0.9)).sum()) / max(1.0, face.width * face.height)  # noqa: PLR2004
    moved = float(np.abs(alpha - mask).sum()) / max(1.0, float(mask.sum()))
    return float(np.clip(agreement * (1 - 0.6 * undecided) * (1 - 2.0 * moved), 0, 1))


def foreground(picture: Picture, alpha: Alpha, radius: int) -> Image:
    """Return the person's own colours, also where a pixel is partly background (Forte, 2021: blur fusion, twice).

    Args:
        picture: (height, width, 3) uint8.
        alpha: (height, width), 0 to 1.
        radius: how far colours are looked for, in pixels.

    Returns:
        (height, width, 3) float32, 0 to 1.
    """
    image = picture.astype(np.float32) / 255.0
    colours = background = image
    for reach in (radius, max(2, radius // 8)):
        colours, background = _fuse(image, colours, background, alpha, reach)
    return _without_spill(colours, image, alpha, radius)


def _without_spill(colours: Image, image: Image, alpha: Alpha, radius: int) -> Image:
    """Return the colours without what the old background shines into them along the edge.

    Near the edge a pixel that lies between the person's colour there and the background's holds background by just so
    much; what is left of it is the person's.
    """
    # Only what lies near the edge: the skin behind a temple's grey hair is not its colour.
    whole = (alpha > 0.97) & (signed_distance(alpha) < radius * _RIM)  # noqa: PLR2004 - nothing of it open
    own = surroundings(image, whole, radius / 3)
    span = surroundings(image, alpha < 0.03, radius / 3) - own  # noqa: PLR2004 - none
    length = (span * span).sum(axis=2)
    held = ((colours - own) * span).sum(axis=2) / (length + 1e-3)
    # Light hairs among dark ones lean towards a light wall as well; what hair itself varies by is no spill.
    spread = (np.abs(span) * deviation(image, whole, own, radius / 3)).sum(axis=2) / (length + 1e-3)
    free = np.clip(_OWN_SPREAD * spread, 0, 0.7)
    held = np.clip((held - free) / (1 - free), 0, 1)
    near = np.clip(2.4 * (1 - cv2.GaussianBlur(alpha, (0, 0), max(1.0, radius / 9))), 0, 1)
    clear = np.clip((length - 0.01) / 0.03, 0, 1)
    result: Image = (colours - (held * near * clear)[..., None] * span).astype(np.float32)
    return result


def _fuse(image: Image, colours: Image, background: Image, alpha: Alpha, reach: int) -> tuple[Image, Image]:
    size = (2 * reach + 1, 2 * reach + 1)
    opacity = alpha[..., None]
    share = cv2.blur(alpha, size)[..., None]
    smooth = cv2.blur(colours * opacity, size) / (share + 1e-5)
    behind = cv2.blur(background * (1 - opacity), size) / (1 - share + 1e-5)
    fused = smooth + opacity * (image - opacity * smooth - (1 - opacity) * behind)
    return np.clip(fused, 0, 1).astype(np.float32), behind.astype(np.float32)
