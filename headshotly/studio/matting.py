"""Cutting a person out: a coarse mask from the segmentation model, refined on the picture's own edges.

The model sees 256 by 256 pixels. Its answers for the whole figure and for the head alone, each also mirrored, are
merged; a guided filter (He et al., 2013) with the picture as guide then finds hair and shoulders at full resolution.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from headshotly.studio.faces import Face, Picture, network

type Alpha = NDArray[np.float32]
type Image = NDArray[np.float32]

_MODEL = "selfie_segmentation.tflite"
_SIDE = 256


@dataclass(frozen=True, slots=True)
class Matte:
    """How much of each pixel is the person.

    Attributes:
        alpha: (height, width) float32, 0 to 1.
        confidence: 0 to 1; under ``TRUSTED`` a cut would show, and the original background is kept.
    """

    alpha: Alpha
    confidence: float


TRUSTED = 0.55


def _segment(picture: Picture, folder: Path) -> Alpha:
    """Return the model's mask for a picture, at the picture's size, averaged with its mirror image."""
    small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
    net = network(folder, _MODEL)
    straight = net.run(small[None])["activation_10"][0, :, :, 0]
    mirrored = net.run(np.ascontiguousarray(small[:, ::-1])[None])["activation_10"][0, :, ::-1, 0]
    mask = (straight + mirrored) / 2
    full: Alpha = cv2.resize(mask, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return full


def _square(picture: Picture, centre: tuple[float, float], side: float) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of a square around a centre, moved and cut to lie within the picture."""
    height, width = picture.shape[:2]
    size = int(min(side, max(height, width)))
    left = int(np.clip(centre[0] - size / 2, 0, max(0, width - size)))
    top = int(np.clip(centre[1] - size / 2, 0, max(0, height - size)))
    return left, top, min(width, left + size), min(height, top + size)


def coarse(picture: Picture, face: Face, folder: Path) -> tuple[Alpha, float]:
    """Return the merged mask and how well its parts agree, 0 to 1."""
    middle = face.landmarks[:, :2].mean(axis=0)
    whole = _place(picture, folder, _square(picture, (middle[0], middle[1] + face.height), 5.5 * face.height))
    head = _place(picture, folder, _square(picture, (middle[0], middle[1] - 0.1 * face.height), 2.6 * face.height))
    # Each view fades towards its own border, where the model sees too little around it.
    weight = whole[1] + 2.0 * head[1]
    merged = (whole[0] * whole[1] + 2.0 * head[0] * head[1]) / np.maximum(weight, 1e-6)
    both = (whole[1] > 0.5) & (head[1] > 0.5)  # noqa: PLR2004 - well inside both views
    apart = float(np.abs(whole[0] - head[0])[both].mean()) if both.any() else 0.5
    return np.clip(merged, 0, 1), 1 - min(1.0, 4 * apart)


def _place(picture: Picture, folder: Path, box: tuple[int, int, int, int]) -> tuple[Alpha, Alpha]:
    """Return mask and trust of one view, at the picture's size."""
    height, width = picture.shape[:2]
    left, top, right, bottom = box
    mask, trust = np.zeros((height, width), np.float32), np.full((height, width), 1e-4, np.float32)
    mask[top:bottom, left:right] = _segment(np.ascontiguousarray(picture[top:bottom, left:right]), folder)
    inner = np.full((bottom - top, right - left), 1.0, np.float32)
    fade = max(1, int(0.12 * (right - left)))
    ramp = np.linspace(0.02, 1, fade, dtype=np.float32)
    if left > 0:
        inner[:, :fade] *= ramp
    if right < width:
        inner[:, -fade:] *= ramp[::-1]
    if top > 0:
        inner[:fade] *= ramp[:, None]
    if bottom < height:
        inner[-fade:] *= ramp[::-1, None]
    trust[top:bottom, left:right] = inner
    return mask, trust


def guided(guide: Image, target: Alpha, radius: int, softness: float) -> Alpha:
    """Return the target filtered so that its edges follow the guide's (He et al., 2013, colour guide).

    Args:
        guide: (height, width, 3) float32, 0 to 1.
        target: (height, width) float32.
        radius: of the window, in pixels.
        softness: contrast, squared, under which the guide counts as flat.
    """
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(image: Image) -> Image:
        return cv2.blur(image, size, borderType=cv2.BORDER_REFLECT).astype(np.float32, copy=False)

    mean_guide, mean_target = mean(guide), mean(target)
    covariance = mean(guide * target[..., None]) - mean_guide * mean_target[..., None]
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    products = mean(np.stack([guide[..., i] * guide[..., j] for i, j in pairs[:4]], axis=-1))
    rest = mean(np.stack([guide[..., i] * guide[..., j] for i, j in pairs[4:]], axis=-1))
    rr, rg, rb, gg = (products[..., k] - mean_guide[..., i] * mean_guide[..., j] for k, (i, j) in enumerate(pairs[:4]))
    gb, bb = (rest[..., k] - mean_guide[..., i] * mean_guide[..., j] for k, (i, j) in enumerate(pairs[4:]))
    rr, gg, bb = rr + softness, gg + softness, bb + softness
    # The inverse of the 3 by 3 covariance by cofactors, for every window at once.
    c00, c01, c02 = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    c11, c12, c22 = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    determinant = rr * c00 + rg * c01 + rb * c02
    k0, k1, k2 = covariance[..., 0], covariance[..., 1], covariance[..., 2]
    slope = np.stack(
        [c00 * k0 + c01 * k1 + c02 * k2, c01 * k0 + c11 * k1 + c12 * k2, c02 * k0 + c12 * k1 + c22 * k2], axis=-1
    ) / (determinant[..., None] + 1e-12)
    offset = mean_target - (slope * mean_guide).sum(axis=-1)
    result: Alpha = (mean(slope) * guide).sum(axis=-1) + mean(offset)
    return result


def matte(picture: Picture, face: Face, folder: Path) -> Matte:
    """Return the matte of the person whose face is given.

    Args:
        picture: (height, width, 3) uint8, sRGB, upright.
        face: the person's face.
        folder: the model folder.
    """
    mask, agreement = coarse(picture, face, folder)
    mask = _one_person(mask, face)
    guide = picture.astype(np.float32) / 255.0
    unit = face.width / 100
    alpha = guided(guide, mask, max(2, round(9 * unit)), 2e-4)
    alpha = 0.5 * alpha + 0.5 * guided(guide, mask, max(2, round(3.5 * unit)), 1e-4)
    # Far from the coarse edge the model is right: flat skin and flat wall must not become half transparent.
    reach = max(3, round(14 * unit))
    inside = cv2.erode((mask > 0.9).astype(np.uint8), np.ones((reach, reach), np.uint8))  # noqa: PLR2004
    near = cv2.dilate((mask > 0.1).astype(np.uint8), np.ones((reach, reach), np.uint8))  # noqa: PLR2004
    alpha = np.where(inside > 0, 1.0, np.where(near == 0, 0.0, alpha)).astype(np.float32)
    alpha = np.clip((alpha - 0.12) / 0.76, 0, 1)
    return Matte(alpha, _confidence(alpha, mask, agreement, face))


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
    return colours


def _fuse(image: Image, colours: Image, background: Image, alpha: Alpha, reach: int) -> tuple[Image, Image]:
    size = (2 * reach + 1, 2 * reach + 1)
    opacity = alpha[..., None]
    share = cv2.blur(alpha, size)[..., None]
    smooth = cv2.blur(colours * opacity, size) / (share + 1e-5)
    behind = cv2.blur(background * (1 - opacity), size) / (1 - share + 1e-5)
    fused = smooth + opacity * (image - opacity * smooth - (1 - opacity) * behind)
    return np.clip(fused, 0, 1).astype(np.float32), behind.astype(np.float32)
