"""Finding faces: two detectors, then 468 landmarks, and the angles and openness that follow from them.

Detectors are BlazeFace (Bazarevsky et al., 2019), landmarks are Face Mesh (Kartynnik et al., 2019); both run on
the CPU. Nothing here recognises anybody: no embedding of a face is ever computed.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from headshotly.studio.models_folder import trusted

type Picture = NDArray[np.uint8]
type Points = NDArray[np.float32]

_SHORT, _FULL = "face_detection_short_range.tflite", "face_detection_full_range_sparse.tflite"
_MESH = "face_landmark.tflite"
# Detectors see half-hidden and turned faces only weakly; the mesh then decides whether it is one.
_SCORE_MIN = 0.3
NEAR_SIDE = 128  # pixels: as large as the detector for near faces sees any picture
_CANDIDATES = 40
_OVERLAP_MAX = 0.3
_MESH_SIDE = 192
_MESH_SCALE = 1.5  # the crop is this much larger than the detector's box
_FACE_FLAG_MIN = 0.5
# Mesh indices, as published with the model.
_RIGHT_EYE = ((33, 133), (160, 144), (159, 145), (158, 153))
_LEFT_EYE = ((263, 362), (387, 373), (386, 374), (385, 380))
CHIN = 152
_RIGHT_CORNER, _LEFT_CORNER, _FOREHEAD, _NOSE = 33, 263, 10, 1


class Network:
    """A model and the lock that keeps its one interpreter to one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._interpreter = Interpreter(model_path=str(path), num_threads=2)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = {detail["name"]: detail["index"] for detail in self._interpreter.get_output_details()}
        self._lock = threading.Lock()

    def run(self, batch: NDArray[np.float32]) -> dict[str, Any]:
        """Return every output by name for one input batch."""
        with self._lock:
            self._interpreter.set_tensor(self._input, batch)
            self._interpreter.invoke()
            return {name: self._interpreter.get_tensor(index).copy() for name, index in self._outputs.items()}


_networks: dict[Path, Network] = {}
_networks_lock = threading.Lock()


def network(folder: Path, name: str) -> Network:
    """Return a loaded model, loaded once a process."""
    path = trusted(folder, name)
    with _networks_lock:
        if path not in _networks:
            _networks[path] = Network(path)
        return _networks[path]


@dataclass(frozen=True, slots=True)
class Face:
    """One face.

    Attributes:
        box: left, top, right, bottom in pixels; may reach beyond the picture.
        score: the detector's confidence, 0 to 1.
        landmarks: (468, 3) mesh; x and y in pixels of the picture, z in pixels towards the camera negative.
        yaw: degrees turned to the side, positive to the picture's right.
        pitch: degrees up or down, positive looking down.
        roll: degrees tilted in the picture's plane, clockwise positive.
        eyes: openness of the eye at the picture's left and right: height by width, about 0.3 open, below 0.12 closed.
        mesh_score: the landmark model's confidence that this is a face, 0 to 1.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: Points
    yaw: float
    pitch: float
    roll: float
    eyes: tuple[float, float]
    mesh_score: float

    @property
    def width(self) -> float:
        """Return the width of the face from cheek to cheek, in pixels."""
        return float(np.ptp(self.landmarks[:, 0]))

    @property
    def height(self) -> float:
        """Return the height from the top of the forehead to the chin, in pixels."""
        return float(np.ptp(self.landmarks[:, 1]))


def _anchors(grids: list[tuple[int, int]]) -> Points:
    """Return anchor centres (n, 2), 0 to 1: so many anchors on each cell of each grid, row by row."""
    centres = []
    for side, count in grids:
        cell = (np.arange(side, dtype=np.float32) + 0.5) / side
        grid = np.stack(np.meshgrid(cell, cell), axis=-1).reshape(-1, 2)
        centres.append(np.repeat(grid, count, axis=0))
    return np.concatenate(centres)


_DETECTORS = {
    # name: input side, anchors, names of the two outputs
    _SHORT: (NEAR_SIDE, _anchors([(16, 2), (8, 6)]), ("regressors", "classificators")),
    _FULL: (192, _anchors([(48, 1)]), ("Identity", "Identity_1")),
}


def _letterbox(picture: Picture, side: int) -> tuple[NDArray[np.float32], float, tuple[float, float]]:
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    canvas = np.zeros((side, side, 3), np.float32)
    canvas[top : top + size[1], left : left + size[0]] = small
    return canvas[None] / 127.5 - 1.0, scale, (left, top)


def _detect(picture: Picture, folder: Path, name: str) -> list[tuple[float, Points]]:
    """Return score and eight points (box centre, box size, six keypoints) of each raw detection, in pixels."""
    side, anchors, (boxes_name, scores_name) = _DETECTORS[name]
    batch, scale, offset = _letterbox(picture, side)
    outputs = network(folder, name).run(batch)
    scores = 1 / (1 + np.exp(-np.clip(outputs[scores_name].reshape(-1), -60, 60)))
    found = []
    for index in np.flatnonzero(scores >= _SCORE_MIN):
        raw = outputs[boxes_name].reshape(-1, 8, 2)[index] / side
        points = raw + anchors[index]
        points[1] = raw[1]  # a size, not a place
        pixels = (points * side - np.array(offset)) / scale
        pixels[1] = raw[1] * side / scale
        found.append((float(scores[index]), pixels.astype(np.float32)))
    return found


def _box(points: Points) -> tuple[float, float, float, float]:
    (x, y), (width, height) = points[0], points[1]
    return float(x - width / 2), float(y - height / 2), float(x + width / 2), float(y + height / 2)


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the intersection of two boxes by their union, 0 to 1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


def find_faces(picture: Picture, folder: Path) -> list[Face]:
    """Return every face in a picture, largest first.

    Args:
        picture: (height, width, 3) uint8, sRGB, upright.
        folder: the model folder.

    Raises:
        ModelsMissing: the model folder is incomplete.
    """
    raw = sorted(_detect(picture, folder, _FULL) + _detect(picture, folder, _SHORT), key=lambda item: -item[0])
    faces = [face for score, points in raw[:_CANDIDATES] if (face := _mesh(picture, folder, score, points)) is not None]
    unique: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.mesh_score * face.score):
        if all(overlap(_hull(face), _hull(other)) < _OVERLAP_MAX for other in unique):
            unique.append(face)
    return sorted(unique, key=lambda face: -face.width * face.height)


def surest(picture: Picture, folder: Path) -> float:
    """Return how sure the detector for near faces is of the surest one in a picture, 0 to 1.

    Args:
        picture: (height, width, 3) uint8, sRGB.
        folder: the model folder.

    Raises:
        ModelsMissing: the model folder is incomplete.
    """
    return max((score for score, _ in _detect(picture, folder, _SHORT)), default=0.0)


def _hull(face: Face) -> tuple[float, float, float, float]:
    low, high = face.landmarks[:, :2].min(axis=0), face.landmarks[:, :2].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _mesh(picture: Picture, folder: Path, score: float, points: Points) -> Face | None:
    """Return the face with its landmarks, or None where the mesh model sees none."""
    right_eye, left_eye = points[2], points[3]
    angle = float(np.arctan2(left_eye[1] - right_eye[1], left_eye[0] - right_eye[0]))
    side = float(max(points[1])) * _MESH_SCALE
    if side < 1:
        return None
    cos, sin = np.cos(angle) * _MESH_SIDE / side, np.sin(angle) * _MESH_SIDE / side
    centre = points[0]
    half = _MESH_SIDE / 2
    into = np.array(
        [
            [cos, sin, half - cos * centre[0] - sin * centre[1]],
            [-sin, cos, half + sin * centre[0] - cos * centre[1]],
        ],
        np.float32,
    )
    crop = cv2.warpAffine(picture, into, (_MESH_SIDE, _MESH_SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT)
    outputs = network(folder, _MESH).run(crop[None].astype(np.float32) / 255.0)
    flag = float(1 / (1 + np.exp(-outputs["conv2d_31"].reshape(-1)[0])))
    if flag < _FACE_FLAG_MIN:
        return None
    mesh = outputs["conv2d_21"].reshape(468, 3)
    back = cv2.invertAffineTransform(into)
    landmarks = np.empty((468, 3), np.float32)
    landmarks[:, :2] = mesh[:, :2] @ back[:, :2].T + back[:, 2]
    landmarks[:, 2] = mesh[:, 2] * side / _MESH_SIDE
    eyes = (_openness(mesh, _RIGHT_EYE), _openness(mesh, _LEFT_EYE))
    yaw, pitch = _angles(mesh)
    return Face(_box(points), score, landmarks, yaw, pitch, float(np.degrees(angle)), eyes, flag)


def _openness(mesh: Points, eye: tuple[tuple[int, int], ...]) -> float:
    """Return an eye's height by its width (Soukupová and Čech, 2016); the first pair are its corners."""
    corners, *lids = eye
    width = float(np.linalg.norm(mesh[corners[0], :2] - mesh[corners[1], :2]))
    heights = [float(np.linalg.norm(mesh[upper, :2] - mesh[lower, :2])) for upper, lower in lids]
    return sum(heights) / len(heights) / max(width, 1e-3)


def _angles(mesh: Points) -> tuple[float, float]:
    """Return yaw and pitch in degrees from the mesh's own depth, in the upright crop."""
    across = mesh[_LEFT_CORNER] - mesh[_RIGHT_CORNER]
    down = mesh[CHIN] - mesh[_FOREHEAD]
    yaw = float(np.degrees(np.arctan2(across[2], across[0])))
    pitch = float(np.degrees(np.arctan2(down[2], down[1])))
    return yaw, pitch


def oval(shape: tuple[int, ...], face: Face, border: float) -> NDArray[np.bool_]:
    """Return (height, width) where a face is, less a border.

    Args:
        shape: height and width.
        face: the face.
        border: in hundredths of the face's width.
    """
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(face.landmarks[:, :2].astype(np.int32)), 1)
    inside: NDArray[np.bool_] = cv2.distanceTransform(mask, cv2.DIST_L2, 5) > border * face.width / 100
    return inside
