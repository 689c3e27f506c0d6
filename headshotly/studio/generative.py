"""The generative engine: the same interface as the portrait engine, with the operator's model behind it.

Picks the best selfies by the gate, has several candidates painted, throws away what the safety gate refuses, and keeps
the candidate most like the person where likeness can be measured. Where it cannot, the result says so.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from headshotly.studio import gate, marking, prompting, watermark
from headshotly.studio.engine import Headshot, Progress
from headshotly.studio.errors import NoFaceToFrame, NothingSafePainted
from headshotly.studio.faces import Face, Picture, find_faces
from headshotly.studio.painter import Order
from headshotly.studio.styles import Style

# How alike two pictures of faces are, -1 to 1; an operator's licensed model. It keeps nothing.
type Likeness = Callable[[Picture, Picture], float]
SELFIES_MAX, CANDIDATES, CANDIDATES_MAX, SIDE_MAX = 3, 4, 8, 1024
LIKE_ENOUGH = 0.35
_SKIN_NEAR = 14.0  # difference in CIE a*b* within which cloth counts as the person's own skin
_BARE_MAX = 0.55  # share of the body below the chin that may have the tint of the face
NOT_MEASURED = "The likeness was not measured. Please look closely whether this is you."


class Paints(Protocol):
    """What paints: the painter's process, or another of the same kind."""

    model: str

    def paint(self, order: Order, selfies: Sequence[Picture]) -> list[Picture]:
        """Return one picture for each seed of the order."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The selfies a model is shown.

    Attributes:
        selfies: one to three, the best first.
        face: the face in the best.
    """

    selfies: tuple[Picture, ...]
    face: Face


class GenerativeEngine:
    """Has headshots painted after selfies."""

    photos_used = SELFIES_MAX

    def __init__(
        self, painter: Paints, models: Path, *, candidates: int = CANDIDATES, likeness: Likeness | None = None
    ) -> None:
        """Take who paints, the face models, and the operator's measure of likeness.

        Args:
            painter: who paints.
            models: the model folder; the gate looks at results with it.
            candidates: painted for each style, one of which is handed out; 1 to 8.
            likeness: only where the operator has a licensed model and the person agreed to be measured so.
        """
        self._painter, self._models, self._likeness = painter, models, likeness
        self._candidates = min(max(candidates, 1), CANDIDATES_MAX)

    def prepare(
        self, picture: Picture, *, others: Sequence[Picture] = (), progress: Progress = lambda _: None
    ) -> Chosen:
        """Return the best selfies of a person.

        Args:
            picture: (height, width, 3) uint8, sRGB, upright.
            others: more of the same person.
            progress: told each step in a word or two.

        Raises:
            NoFaceToFrame: none passes the gate.
        """
        progress("choosing the best photos")
        judged = []
        for place, selfie in enumerate((picture, *others)):
            faces = find_faces(selfie, self._models)
            verdict = gate.judge_faces(selfie, faces)
            if verdict.accepted:
                judged.append((-verdict.score, -faces[0].width, place, selfie, faces[0]))
        if not judged:
            raise NoFaceToFrame("None of these photos shows a face well enough.")
        judged.sort(key=lambda one: one[:3])
        best = judged[:SELFIES_MAX]
        return Chosen(tuple(_within(one[3], SIDE_MAX) for one in best), best[0][4])

    def render(self, prepared: Chosen, style: Style) -> Headshot:
        """Return the best painted candidate in one style; the same selfies and style paint the same.

        Raises:
            NothingSafePainted: every candidate was refused; nothing is shown.
            PainterFailed: the painter's process failed.
        """
        order = Order(
            prompting.require_ours(prompting.prompt(style)), prompting.NEGATIVE, _size(style),
            _seeds(prepared.selfies, style, self._candidates),
        )  # fmt: skip
        painted = self._painter.paint(order, prepared.selfies)
        safe = [(one, faces[0]) for one in painted if not refused(one, faces := find_faces(one, self._models))]
        if self._likeness is not None:
            ranked = [(self._likeness(prepared.selfies[0], one), place) for place, (one, _) in enumerate(safe)]
            ranked = [pair for pair in ranked if pair[0] >= LIKE_ENOUGH]
        else:
            ranked = [(gate.judge_faces(one, [face]).score, place) for place, (one, face) in enumerate(safe)]
        if not ranked:
            raise NothingSafePainted("The generative model painted nothing that we would hand out. Please try again.")
        best = safe[max(ranked, key=lambda pair: (pair[0], -pair[1]))[1]][0]
        notes = () if self._likeness is not None else (NOT_MEASURED,)
        return Headshot(watermark.embed(best, self._models), notes, marking.generated(self._painter.model))


def refused(picture: Picture, faces: list[Face]) -> str:
    """Return why a painted picture is not handed out, or nothing.

    Args:
        picture: (height, width, 3) uint8.
        faces: found in it, largest first.
    """
    verdict = gate.judge_faces(picture, faces)
    if not verdict.accepted:
        return verdict.findings[0].code
    if len(faces) != 1:
        return "several_people"
    return "bare" if _bare_share(picture, faces[0]) > _BARE_MAX else ""


def _bare_share(picture: Picture, face: Face) -> float:
    """Return which share of what lies under the chin has the tint of the person's own cheeks.

    Compared with nobody's skin but their own; a bare neck and a blouse stay far below the bound.
    """
    height, width = picture.shape[:2]
    chin, middle = face.landmarks[152, 1], float(face.landmarks[:, 0].mean())
    top = int(np.clip(chin + 0.45 * face.height, 0, height))
    left, right = (int(np.clip(middle + side * 0.9 * face.width, 0, width)) for side in (-1, 1))
    body = picture[top:, left:right]
    if body.shape[0] < 8 or body.shape[1] < 8:  # noqa: PLR2004 - too little of it to say anything
        return 0.0
    lab = cv2.cvtColor((body / 255).astype(np.float32), cv2.COLOR_RGB2LAB)
    apart = np.hypot(*np.moveaxis(lab[..., 1:] - gate.cheek_tint(picture, face), -1, 0))
    return float((apart < _SKIN_NEAR).mean())


def _within(picture: Picture, side: int) -> Picture:
    scale = side / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _size(style: Style) -> tuple[int, int]:
    width, height = style.crop.width, style.crop.height
    scale = SIDE_MAX / max(width, height)
    return int(width * scale) // 16 * 16, int(height * scale) // 16 * 16


def _seeds(selfies: Sequence[Picture], style: Style, candidates: int) -> tuple[int, ...]:
    digest = hashlib.sha256(style.id.encode() + style.swatch.encode() + selfies[0].tobytes()).digest()
    return tuple(int.from_bytes(digest[4 * place : 4 * place + 4]) for place in range(candidates))
