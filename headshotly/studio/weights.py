"""A folder with a generative model: looked through file by file before anything of it is loaded.

The manifest names every file with its length and SHA-256, the model, its licence and its pipeline. Only weights that
cannot run code (safetensors) and plain text are let in; nothing else may lie in the folder, and nothing may point out
of it. Runs in the painter's own environment too, and so on its Python (3.11 and later) and on nothing but it.
"""

import hashlib
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MANIFEST = "manifest.json"
# Steps of the sampler that each model was trained to be asked for; a distilled one is done after four.
PIPELINES = {"QwenImageEditPlusPipeline": 40, "Flux2KleinPipeline": 4}
STEPS_MAX = 100
SUFFIXES = (".safetensors", ".json", ".txt", ".jinja")
LIBRARIES = ("diffusers", "transformers")
_TEXT_MAX = 64 << 20
_REMOTE_CODE = ("auto_map", "custom_pipelines", "trust_remote_code")


class WeightsRefused(Exception):
    """The folder is not one that may be loaded; its words are for the operator."""


@dataclass(frozen=True)
class Weights:
    """A folder that was looked through.

    Attributes:
        folder: where it lies.
        model: the model's public name.
        licence: under which it is used.
        pipeline: class of ``diffusers`` that runs it, one of ``PIPELINES``.
        steps: of the sampler: the manifest's, otherwise the pipeline's own.
    """

    folder: Path
    model: str
    licence: str
    pipeline: str
    steps: int


def verify(folder: Path) -> Weights:
    """Return the weights in a folder after every file of it was compared with its manifest.

    Args:
        folder: the operator's.

    Raises:
        WeightsRefused: anything is missing, left over, changed, linked, executable as code, or of another pipeline.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise WeightsRefused(f"{folder} is no folder of its own.")
    manifest = _manifest(folder)
    listed = {str(entry["path"]): entry for entry in manifest["files"]}
    for path in listed:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or "\\" in path or pure.suffix not in SUFFIXES:
            raise WeightsRefused(f"The manifest names {path}, which may not be loaded.")
    present = set(_files(folder))
    if present != set(listed):
        odd = min(present ^ set(listed))
        raise WeightsRefused(f"The folder and its manifest do not name the same files: {odd}.")
    for path, entry in listed.items():
        _compare(folder / path, path, entry)
    _check_index(folder, str(manifest["pipeline"]))
    pipeline = str(manifest["pipeline"])
    steps = int(manifest.get("steps", PIPELINES[pipeline]))
    return Weights(folder, str(manifest["model"]), str(manifest["licence"]), pipeline, steps)


def describe(folder: Path, *, model: str, licence: str, steps: int | None = None) -> Path:
    """Write the manifest of a folder that the operator has just put there and trusts; return where it lies.

    Args:
        folder: what ``save_pretrained`` or a download left.
        model: its public name.
        licence: under which the operator uses it.
        steps: of the sampler, where the weights want others than their pipeline (a distilled variant, say).

    Raises:
        WeightsRefused: what lies there would not be loaded, and why; no manifest is left.
    """
    try:
        pipeline = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))["_class_name"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsRefused("The folder has no model_index.json that can be read.") from error
    files = [
        {"path": name, "bytes": (folder / name).stat().st_size, "sha256": _digest(folder / name)}
        for name in sorted(_files(folder))
    ]
    manifest = {"model": model, "licence": licence, "pipeline": pipeline, "files": files}
    if steps is not None:
        manifest["steps"] = steps
    path = folder / MANIFEST
    path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    try:
        verify(folder)
    except WeightsRefused:
        path.unlink()
        raise
    return path


def _manifest(folder: Path) -> dict:  # type: ignore[type-arg]  # as JSON has it
    path = folder / MANIFEST
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _TEXT_MAX:
        raise WeightsRefused(f"The folder has no {MANIFEST}.")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        entries = [(entry["path"], int(entry["bytes"]), entry["sha256"]) for entry in manifest["files"]]
        words = [manifest[name] for name in ("model", "licence", "pipeline")]
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsRefused(f"The {MANIFEST} names no model, licence, pipeline and files.") from error
    if not entries or not all(isinstance(word, str) and word.strip() for word in words):
        raise WeightsRefused(f"The {MANIFEST} leaves the model, its licence, its pipeline or its files open.")
    if manifest["pipeline"] not in PIPELINES:
        raise WeightsRefused(f"{manifest['pipeline']} is none of the pipelines we run: {', '.join(PIPELINES)}.")
    steps = manifest.get("steps", 1)
    if not isinstance(steps, int) or isinstance(steps, bool) or not 1 <= steps <= STEPS_MAX:
        raise WeightsRefused(f"The {MANIFEST} asks for {steps} steps; 1 to {STEPS_MAX} are possible.")
    checked: dict = manifest  # type: ignore[type-arg]
    return checked


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise WeightsRefused(f"{path.name} is a link; weights must lie in the folder itself.")
        if stat.S_ISDIR(mode):
            continue
        if not stat.S_ISREG(mode):
            raise WeightsRefused(f"{path.name} is no plain file.")
        name = path.relative_to(folder).as_posix()
        if name != MANIFEST:
            yield name


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _compare(path: Path, name: str, entry: dict) -> None:  # type: ignore[type-arg]
    if path.stat().st_size != int(entry["bytes"]):
        raise WeightsRefused(f"{name} has another length than the manifest says.")
    if _digest(path) != str(entry["sha256"]).lower():
        raise WeightsRefused(f"{name} is not the file that the manifest names.")
    if path.suffix == ".json":
        text = path.read_text(encoding="utf-8", errors="replace")
        if any(f'"{word}"' in text for word in _REMOTE_CODE):
            raise WeightsRefused(f"{name} asks for code of its own, which is never run.")


def _check_index(folder: Path, pipeline: str) -> None:
    """Let in only parts that come from the two libraries themselves."""
    try:
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        parts = {name: value for name, value in index.items() if isinstance(value, list)}
        own = index["_class_name"]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise WeightsRefused("The folder has no model_index.json that can be read.") from error
    if own != pipeline:
        raise WeightsRefused(f"The folder holds a {own}, the manifest says {pipeline}.")
    for name, value in parts.items():
        if len(value) != 2 or (value[0] is not None and value[0] not in LIBRARIES):  # noqa: PLR2004 - library, class
            raise WeightsRefused(f"The part {name} comes from {value[0]}, which is never loaded.")
