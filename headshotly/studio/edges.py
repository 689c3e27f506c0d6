"""The edge between a person and what lies behind: which share of each pixel is whose.

A mask says where the edge runs; the picture says how. Where the outline is known, a guided filter (He et al., 2013)
fits it to the picture. Where it is only known roughly, each pixel near it is explained as a mixture of a colour surely
the person's and one surely the background's (after Gastal and Oliveira, 2010); where the two do not differ, as with
dark hair before a dark wall, the edge becomes one smooth line, as a retoucher would draw it.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headshotly.studio.faces import CHIN, Face, Picture

type Alpha = NDArray[np.float32]
type Image = NDArray[np.float32]
type Where = NDArray[np.bool_]

# Lengths are in hundredths of the face's width, so that a face of any size is treated alike.
_SHOULDER_REACH, _HAIR_OUT, _HAIR_IN = 2.5, 8.5, 7.5
_HAIR_SURE = 0.85  # hair counts as surely the person's from here on, cloth from one half
_ALIKE, _DIFFERENT = 0.015, 0.075  # squared colour difference under which nothing is seen, and over which all is
_WORTH = 0.05
_SURE_OF_IT = 0.6  # trust from which a mask's outline is followed
_KNOWN = 0.95  # and from which it needs no help


@dataclass(frozen=True, slots=True)
class _Edge:
    """What is known before a pixel of the edge is decided.

    Attributes:
        image: (height, width, 3) float32, 0 to 1.
        unit: a hundredth of the face's width, in pixels.
        hair: (height, width) 1 where hair may be, 0 at the shoulders.
        depth: distance inside the sure person, in pixels.
        signed: distance from the line where the mask is one half, inside positive, in pixels.
        sure: where the pixel is surely the person.
        sure_not: where it is surely not.
    """

    image: Image
    unit: float
    hair: Alpha
    depth: Alpha
    signed: Alpha
    sure: NDArray[np.bool_]
    sure_not: NDArray[np.bool_]


def refine(picture: Picture, mask: Alpha, face: Face, *, trust: Alpha | None = None) -> Alpha:
    """Return the matte that a mask and the picture's own colours give.

    Args:
        picture: (height, width, 3) uint8, sRGB.
        mask: (height, width) float32, 0 to 1, soft.
        face: whose size sets all lengths.
        trust: (height, width) float32; 1, as by default, where the mask's outline is right to a pixel or two, 0 where
            it is a few off.

    Returns:
        (height, width) float32, 0 to 1.
    """
    edge = _edge(picture, mask, face)
    followed = np.clip(guided(edge.image, mask, max(2, round(2.2 * edge.unit)), 1e-4), 0, 1)
    alpha = np.clip((0.4 * mask + 0.6 * followed - 0.3) / 0.58, 0, 1).astype(np.float32)
    known = np.ones_like(mask) if trust is None else blur(trust, 2 * edge.unit)
    if ((known < _SURE_OF_IT) & ~(edge.sure | edge.sure_not)).any():
        alpha = (known * alpha + (1 - known) * _by_colour(edge, mask, known < _KNOWN)).astype(np.float32)
    return alpha


def reached(stain: Alpha, alpha: Alpha) -> Alpha:
    """Return 1 where a stain hangs together with the background, 0 where the person surrounds it."""
    _, labels = cv2.connectedComponents(((stain > 0.2) | (alpha < 0.2)).astype(np.uint8))  # noqa: PLR2004 - rather than not
    outside = np.unique(labels[alpha < 0.02])  # noqa: PLR2004 - surely not the person
    return np.isin(labels, outside[outside > 0]).astype(np.float32)


def _by_colour(edge: _Edge, mask: Alpha, where: NDArray[np.bool_]) -> Alpha:
    """Return the matte where the mask's outline may be some pixels off: colour decides, or else a smooth line.

    Args:
        edge: what is known.
        mask: (height, width), 0 to 1.
        where: (height, width), the places that are asked for; elsewhere nothing costly is done.
    """
    firm = np.clip((blur(mask, edge.unit) - 0.5) / 0.35 + 0.5, 0, 1).astype(np.float32)
    narrow = guided(edge.image, firm, max(2, round(4 * edge.unit)), 1e-4)
    wide = guided(edge.image, firm, max(2, round(9 * edge.unit)), 2e-4)
    follows = np.clip(np.where(edge.hair > 0.5, (narrow + wide) / 2, narrow), 0, 1)  # noqa: PLR2004 - rather hair
    drawn = np.clip(blur(edge.signed, 1.5 * edge.unit) / (1.6 * edge.unit) + 0.5, 0, 1)
    clear = _clear(edge)
    prior = (clear * follows + (1 - clear) * drawn).astype(np.float32)
    alpha = _mixtures(edge, prior, np.where(where, clear, 0).astype(np.float32))
    joined = guided(edge.image, alpha, max(1, round(1.6 * edge.unit)), 3e-5)
    alpha = alpha + 0.6 * clear * (np.clip(joined, 0, 1) - alpha)
    alpha = np.where(edge.sure, 1.0, np.where(edge.sure_not, 0.0, alpha))
    result: Alpha = np.clip((alpha - 0.12) / 0.80, 0, 1).astype(np.float32)
    return result


def enlarge(alpha: Alpha, picture: Picture) -> Alpha:
    """Return a matte that was decided on a smaller picture, fitted to the large one.

    Args:
        alpha: (height, width) float32, of the smaller picture.
        picture: (height, width, 3) uint8, the large one.
    """
    large = cv2.resize(alpha, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC).astype(np.float32, copy=False)
    radius = max(2, round(1.5 * picture.shape[1] / alpha.shape[1]))
    fitted = guided((picture / 255).astype(np.float32), large, radius, 3e-5)
    open_ = ((large > 0.01) & (large < 0.99)).astype(np.uint8)  # noqa: PLR2004 - neither whole nor nothing
    undecided = cv2.dilate(open_, np.ones((3, 3), np.uint8)) > 0
    return np.clip(np.where(undecided, (large + fitted) / 2, large), 0, 1).astype(np.float32)


def blur(image: Alpha, sigma: float) -> Alpha:
    """Return (height, width) blurred; by 0.8 pixels at least, or a line would stay jagged."""
    return cv2.GaussianBlur(image, (0, 0), max(0.8, sigma)).astype(np.float32, copy=False)


def _edge(picture: Picture, mask: Alpha, face: Face) -> _Edge:
    unit = face.width / 100
    height, width = mask.shape
    rows = np.arange(height, dtype=np.float32)[:, None]
    hair = np.clip((face.landmarks[CHIN, 1] + 0.15 * face.height - rows) / (0.3 * face.height), 0, 1)
    hair = np.broadcast_to(hair, (height, width)).astype(np.float32)
    soft = blur(mask, unit)
    signed = signed_distance(soft)
    depth = _distance((soft > 0.5 + (_HAIR_SURE - 0.5) * hair).astype(np.uint8))
    sure = depth > (_SHOULDER_REACH + (_HAIR_IN - _SHOULDER_REACH) * hair) * unit
    sure_not = signed < -(_SHOULDER_REACH + (_HAIR_OUT - _SHOULDER_REACH) * hair) * unit
    return _Edge((picture / 255).astype(np.float32), unit, hair, depth, signed, sure, sure_not)


def signed_distance(mask: Alpha) -> Alpha:
    """Return (height, width) the distance from the line where a mask is one half, inside positive, in pixels."""
    core = (mask > 0.5).astype(np.uint8)  # noqa: PLR2004 - the line itself
    return _distance(core) - _distance(1 - core)


def _distance(inside: NDArray[np.uint8]) -> Alpha:
    return cv2.distanceTransform(inside, cv2.DIST_L2, 5).astype(np.float32, copy=False)


def _clear(edge: _Edge) -> Alpha:
    """Return how well person and background can be told apart by colour around each pixel, 0 to 1."""
    gap = surroundings(edge.image, edge.sure, 6 * edge.unit) - surroundings(edge.image, edge.sure_not, 6 * edge.unit)
    clear: Alpha = np.clip(((gap * gap).sum(axis=2) - _ALIKE) / (_DIFFERENT - _ALIKE), 0, 1).astype(np.float32)
    return clear


def surroundings(image: Image, where: NDArray[np.bool_], sigma: float) -> Image:
    """Return around each pixel the mean colour of the chosen pixels near it; black where there are none.

    Args:
        image: (height, width, 3) float32.
        where: (height, width), the chosen ones.
        sigma: how near, in pixels.
    """
    weight = where.astype(np.float32)
    # An eighth of the size: nothing finer survives so wide a blur.
    size = (max(1, image.shape[1] // 8), max(1, image.shape[0] // 8))
    small = cv2.resize(image * weight[..., None], size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    sigma = max(0.6, sigma / 8)
    colour = cv2.GaussianBlur(small, (0, 0), sigma) / (cv2.GaussianBlur(share, (0, 0), sigma)[..., None] + 1e-4)
    return cv2.resize(colour, image.shape[1::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)


def deviation(image: Image, where: Where, mean: Image, sigma: float) -> Image:
    """Return around each pixel how far the chosen pixels near it stray from their mean, in each channel.

    Args:
        image: (height, width, 3) float32.
        where: (height, width), the chosen ones.
        mean: their ``surroundings``.
        sigma: how near, in pixels.
    """
    spread: Image = np.sqrt(np.maximum(surroundings(image * image, where, sigma) - mean * mean, 0))
    return spread


def _samples(edge: _Edge, where: NDArray[np.bool_], rows: Any, columns: Any) -> list[Image]:
    """Return for each pixel of the edge the colours of sure pixels near it, looked for in several directions."""
    _, nearest = cv2.distanceTransformWithLabels(
        1 - where.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    places = np.zeros((int(nearest.max()) + 1, 2), np.int32)
    found = np.nonzero(where)
    places[nearest[found]] = np.stack(found, axis=1)
    smooth = cv2.GaussianBlur(edge.image, (0, 0), max(0.8, 0.5 * edge.unit))
    height, width = where.shape
    colours = []
    for radius, count, turn in ((0.0, 1, 0.0), (8.0, 3, 0.0), (18.0, 4, 0.6)):
        for angle in np.arange(count) * (2 * np.pi / count) + turn:
            down, right = (int(radius * edge.unit * part) for part in (np.sin(angle), np.cos(angle)))
            at = places[nearest[np.clip(rows + down, 0, height - 1), np.clip(columns + right, 0, width - 1)]]
            colours.append(smooth[at[:, 0], at[:, 1]])
    return colours


def _mixtures(edge: _Edge, prior: Alpha, clear: Alpha) -> Alpha:
    """Return the prior, where the edge is clear moved to the mixture that explains each pixel best."""
    # Where nothing can be told apart the mixtures would count for nothing.
    rows, columns = np.nonzero(~(edge.sure | edge.sure_not) & (clear > _WORTH))
    if not rows.size or not edge.sure.any() or not edge.sure_not.any():
        return prior
    seen = edge.image[rows, columns]
    own, behind = _samples(edge, edge.sure, rows, columns), _samples(edge, edge.sure_not, rows, columns)
    before = prior[rows, columns]
    share, misfit, contrast = _best_pair(seen, own, behind, before)
    trust = np.exp(-misfit / 0.004) * np.clip((contrast - 0.004) / 0.03, 0, 1) * clear[rows, columns]
    value = before + trust * (share - before)
    is_own, is_behind = _nearest_colour(seen, own), _nearest_colour(seen, behind)
    shows_behind = np.exp(-is_behind / 0.003) * np.clip((is_own - 0.008) / 0.03, 0, 1)
    shows_own = np.exp(-is_own / 0.003) * np.clip((is_behind - 0.008) / 0.03, 0, 1)
    # Well inside nothing becomes transparent, well outside nothing opaque, unless the colours say so plainly.
    deep = np.clip(edge.depth[rows, columns] / edge.unit / 2.5, 0, 1) * (1 - shows_behind)
    away = np.clip((-edge.signed[rows, columns] / edge.unit - 0.5) / (1 + 2.5 * edge.hair[rows, columns]), 0, 1)
    alpha = prior.copy()
    alpha[rows, columns] = np.clip(value, deep, np.maximum(deep, 1 - away * (1 - shows_own)))
    return alpha


def _nearest_colour(seen: Image, colours: list[Image]) -> Alpha:
    """Return the smallest squared difference to any of the colours."""
    smallest: Alpha = np.min([((seen - colour) ** 2).sum(axis=1) for colour in colours], axis=0)
    return smallest


def _best_pair(seen: Image, own: list[Image], behind: list[Image], before: Alpha) -> tuple[Alpha, Alpha, Alpha]:
    """Return for each pixel the share, the misfit and the contrast of the pair of colours that explains it best."""
    misfit = np.full(len(seen), np.inf, np.float32)
    share, contrast = before.copy(), np.zeros_like(before)
    for back in behind:
        above = seen - back
        for front in own:
            span = front - back
            length = (span * span).sum(axis=1)
            mixed = np.clip((above * span).sum(axis=1) / (length + 1e-4), 0, 1)
            rest = above - mixed[:, None] * span
            cost = (rest * rest).sum(axis=1) + 0.02 * (mixed - before) ** 2
            better = cost < misfit
            misfit = np.where(better, cost, misfit)
            share = np.where(better, mixed, share)
            contrast = np.where(better, length, contrast)
    return share, misfit, contrast


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
