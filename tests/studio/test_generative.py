"""The generative engine without a GPU: weights looked through, words of ours, a real process, unsafe results kept back."""

import hashlib
import json
import os
import re
import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from headshotly.frontdoor.commands import studio as studio_commands
from headshotly.policy import configuration
from headshotly.studio import (
    credentials,
    decoding,
    generative,
    marking,
    painter,
    prompting,
    services,
    tasks,
    watermark,
    weights,
)
from headshotly.studio.errors import NoFaceToFrame, NothingSafePainted, PainterFailed, PromptRefused
from headshotly.studio.faces import find_faces
from headshotly.studio.generative import GenerativeEngine, refused
from headshotly.studio.models import Headshot, Shoot, ShootState
from headshotly.studio.painter import Order, Painter
from headshotly.studio.styles import STYLES
from headshotly.studio.weights import WeightsRefused, describe, verify
from headshotly.vault import services as vault

ROOT = Path(__file__).resolve().parents[2]
# The real protocol and the real checks around a model that shows its first selfie, brighter with each seed.
STAND_IN = """
import os
from headshotly.studio import painting
painting.load = lambda weights, **_: weights.model
def paint(model, order, selfies, steps):
    if model == "dies":
        os._exit(1)
    if model == "counts badly":
        return selfies[:1] * (len(order["seeds"]) + 1)
    size = (order["width"], order["height"])
    return [selfies[0].resize(size).point(lambda v, n=n: min(255, v + 4 * n)) for n, _ in enumerate(order["seeds"])]
painting.paint = paint
painting.main()
"""
COMMAND = [sys.executable, "-c", STAND_IN]
ORDER = Order(prompting.ALL[0], prompting.NEGATIVE, (64, 80), (1, 2))
SELFIE = np.full((40, 32, 3), 90, np.uint8)


def folder_of(place: Path, model: str = "Some model", **changed: object) -> Path:
    """A folder as an operator's, with a few bytes for weights."""
    (place / "vae").mkdir(parents=True)
    files = {
        "model_index.json": json.dumps(
            {"_class_name": "Flux2KleinPipeline", "vae": ["diffusers", "AutoencoderKLFlux2"], "is_distilled": True}
        ).encode(),
        "vae/config.json": b"{}",
        "vae/model.safetensors": bytes(64),
    }
    for name, data in files.items():
        (place / name).write_bytes(data)
    manifest = {
        "model": model, "licence": "Apache-2.0", "pipeline": "Flux2KleinPipeline",
        "files": [
            {"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
        ],
    } | changed  # fmt: skip
    (place / "manifest.json").write_text(json.dumps(manifest))
    return place


def listed(place: Path, name: str, data: bytes) -> None:
    """Add or change a file and have the manifest name it, as an attacker with a pen would."""
    (place / name).write_bytes(data)
    manifest = json.loads((place / "manifest.json").read_text())
    manifest["files"] = [entry for entry in manifest["files"] if entry["path"] != name]
    manifest["files"].append({"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    (place / "manifest.json").write_text(json.dumps(manifest))


def test_a_folder_as_its_manifest_says_is_let_in(tmp_path: Path) -> None:
    found = verify(folder_of(tmp_path / "w"))
    assert (found.model, found.licence, found.pipeline) == ("Some model", "Apache-2.0", "Flux2KleinPipeline")
    assert found.steps == 4, "a distilled model is asked for the steps it was trained for"
    assert verify(folder_of(tmp_path / "other", steps=8)).steps == 8


def test_a_described_folder_is_let_in_and_one_that_would_not_be_stays_without_a_manifest(tmp_path: Path) -> None:
    place = folder_of(tmp_path / "w")
    (place / "manifest.json").unlink()
    describe(place, model="Mine", licence="Apache-2.0", steps=6)
    found = verify(place)
    assert (found.model, found.steps) == ("Mine", 6)
    (place / "vae/model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(WeightsRefused, match=r"model\.bin"):
        describe(place, model="Mine", licence="Apache-2.0")
    assert not (place / "manifest.json").exists()
    with pytest.raises(WeightsRefused, match="model_index"):
        describe(tmp_path, model="Mine", licence="Apache-2.0")


def test_the_operators_command_describes_a_folder_or_says_why_not(tmp_path: Path) -> None:
    place = folder_of(tmp_path / "w")
    (place / "manifest.json").unlink()
    called = ["weights", str(place), "--model", "Mine", "--licence", "Apache-2.0"]
    assert CliRunner().invoke(studio_commands.studio, called).exit_code == 0
    assert verify(place).model == "Mine"
    (place / "run.py").write_text("print(1)")
    failed = CliRunner().invoke(studio_commands.studio, called)
    assert failed.exit_code == 1
    assert "run.py" in failed.output


SPOILED = {
    "changed": lambda w: (w / "vae/model.safetensors").write_bytes(b"\1" * 64),
    "cut short": lambda w: (w / "vae/model.safetensors").write_bytes(bytes(63)),
    "missing": lambda w: (w / "vae/model.safetensors").unlink(),
    "left over": lambda w: (w / "vae/readme.txt").write_text("x"),
    "pickled": lambda w: listed(w, "vae/model.bin", b"\x80\x04."),
    "torch file": lambda w: listed(w, "vae/model.pt", b"PK"),
    "code": lambda w: listed(w, "vae/modeling.py", b"print(1)"),
    "remote code": lambda w: listed(w, "vae/config.json", b'{"auto_map": {"AutoModel": "evil--model.Model"}}'),
    "a part of elsewhere": lambda w: listed(
        w, "model_index.json", b'{"_class_name": "Flux2KleinPipeline", "vae": ["pipeline_evil", "Vae"]}'
    ),
    "another pipeline inside": lambda w: listed(w, "model_index.json", b'{"_class_name": "StableDiffusionPipeline"}'),
    "an index that is none": lambda w: listed(w, "model_index.json", b"[1]"),
    "linked file": lambda w: ((w / "vae/model.safetensors").unlink(), (w / "vae/model.safetensors").symlink_to("/dev/zero")),
    "linked folder": lambda w: (w / "etc").symlink_to("/etc"),
    "no manifest": lambda w: (w / "manifest.json").unlink(),
    "linked manifest": lambda w: (
        (w / "manifest.json").rename(w.parent / "m"), (w / "manifest.json").symlink_to(w.parent / "m")
    ),
    "broken manifest": lambda w: (w / "manifest.json").write_text("{"),
    "a pipe": lambda w: os.mkfifo(w / "vae/pipe.json"),
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILED)
def test_a_folder_that_is_not_as_its_manifest_says_is_refused(tmp_path: Path, what: str) -> None:
    place = folder_of(tmp_path / "w")
    SPOILED[what](place)
    with pytest.raises(WeightsRefused):
        verify(place)


@pytest.mark.parametrize(
    "changed",
    [
        {"licence": " "}, {"steps": 0}, {"steps": True}, {"steps": "4"}, {"steps": 101}, {"model": ""}, {"pipeline": "StableDiffusionPipeline"}, {"files": []}, {"files": "all"},
        {"files": [{"path": "../outside.json", "bytes": 1, "sha256": "0"}]},
        {"files": [{"path": "/etc/passwd.json", "bytes": 1, "sha256": "0"}]},
    ],
)  # fmt: skip
def test_a_manifest_that_leaves_something_open_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    with pytest.raises(WeightsRefused):
        verify(folder_of(tmp_path / "w", **changed))


def test_a_link_to_a_folder_is_no_folder(tmp_path: Path) -> None:
    folder_of(tmp_path / "w")
    (tmp_path / "link").symlink_to(tmp_path / "w")
    with pytest.raises(WeightsRefused):
        verify(tmp_path / "link")


def test_every_style_has_words_of_ours_and_no_others_pass() -> None:
    for style in STYLES.values():
        assert prompting.require_ours(prompting.prompt(style))
    ours = prompting.ALL[0]
    for text in ("", "a nude", ours + " naked", ours.replace("#", "celebrity #"), ours.replace("Keep the face", "")):
        with pytest.raises(PromptRefused):
            prompting.require_ours(text)


@pytest.fixture
def process(tmp_path: Path):
    made = Painter(COMMAND, folder_of(tmp_path / "w"), device="cpu", precision="float32")
    yield made
    made.close()


def test_the_painters_process_paints_one_picture_a_seed(process: Painter) -> None:
    for _ in range(2):  # the second order finds it running
        painted = process.paint(ORDER, [SELFIE])
        assert [one.shape for one in painted] == [(80, 64, 3)] * 2
        assert [int(one.mean()) for one in painted] == [90, 94]
    assert process.model == "Some model"


@pytest.mark.parametrize("model", ["dies", "counts badly"])
def test_a_process_that_fails_is_said_and_replaced(tmp_path: Path, model: str) -> None:
    made = Painter(COMMAND, folder_of(tmp_path / "w", model), device="cpu", precision="float32")
    for _ in range(2):
        with pytest.raises(PainterFailed, match="stopped while it was painting"):
            made.paint(ORDER, [SELFIE])
    assert made._process is None


def test_refused_weights_are_named_to_the_operator(tmp_path: Path) -> None:
    place = folder_of(tmp_path / "w")
    SPOILED["pickled"](place)
    with pytest.raises(PainterFailed, match=r"vae/model\.bin"):
        Painter(COMMAND, place, device="cpu", precision="float32").paint(ORDER, [SELFIE])


def test_a_process_that_says_nothing_is_ended(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(painter, "LOAD_SECONDS", 0.5)
    sleeper = Painter(
        [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, device="cpu", precision="float32"
    )
    with pytest.raises(PainterFailed):
        sleeper.paint(ORDER, [SELFIE])


class Shown:
    """Paints what it was given."""

    model = "Some model"

    def __init__(self, *pictures: np.ndarray) -> None:
        self.pictures, self.orders = list(pictures), []

    def paint(self, order: Order, selfies) -> list[np.ndarray]:
        self.orders.append((order, list(selfies)))
        return self.pictures


@pytest.fixture(scope="module")
def load(shared: Path):
    def loaded(name: str) -> np.ndarray:
        data = (shared / "photos" / name).read_bytes()
        return decoding.decode(data, pixels_max=60_000_000, bytes_max=30 << 20)

    return loaded


@pytest.fixture(scope="module")
def models() -> Path:
    return configuration.current().models_folder


SCOTT, BLURRED, TWO = "good/senate_tim-scott.jpg", "derived/blurry_timscott.jpg", "derived/two_people_collage.jpg"


def test_the_best_selfies_are_chosen_and_the_rest_is_not_shown(load, models: Path) -> None:
    shown = Shown(load(SCOTT))
    engine = GenerativeEngine(shown, models)
    soft = cv2.GaussianBlur(load(SCOTT), (0, 0), 2)
    chosen = engine.prepare(load(BLURRED), others=[soft, load(SCOTT), load(TWO)])
    assert len(chosen.selfies) == 2
    assert np.array_equal(chosen.selfies[0], load(SCOTT)), "the sharp one leads"
    with pytest.raises(NoFaceToFrame):
        engine.prepare(load(BLURRED), others=[load(TWO)])


@pytest.mark.parametrize(("asked", "painted"), [(0, 1), (2, 2), (100, 8)])
def test_the_operator_says_how_many_candidates_are_painted(load, models: Path, asked: int, painted: int) -> None:
    shown = Shown(load(SCOTT))
    engine = GenerativeEngine(shown, models, candidates=asked)
    engine.render(engine.prepare(load(SCOTT)), STYLES["studio-navy"])
    assert len(set(shown.orders[0][0].seeds)) == painted


def test_a_result_says_that_it_was_generated_and_not_measured(load, models: Path) -> None:
    shown = Shown(load(BLURRED), load(SCOTT))
    engine = GenerativeEngine(shown, models)
    result = engine.render(engine.prepare(load(SCOTT)), STYLES["studio-navy"])
    assert cv2.PSNR(result.picture, load(SCOTT)) > 45, "the blurred candidate is not taken"
    assert watermark.read(result.picture, models).ours
    assert not watermark.read(load(SCOTT), models).ours
    assert result.notes == (generative.NOT_MEASURED,)
    assert result.origin == marking.generated("Some model")
    again = engine.prepare(load(SCOTT))
    engine.render(again, STYLES["studio-navy"])
    engine.render(again, STYLES["studio-warm"])
    orders = [order for order, _ in shown.orders]
    assert orders[0] == orders[1], "the same photo and style paint the same"
    assert orders[0].seeds != orders[2].seeds
    assert len(set(orders[0].seeds)) == generative.CANDIDATES
    assert all(side % 16 == 0 for side in orders[0].size)


def test_candidates_are_ranked_by_likeness_where_it_is_measured(load, models: Path) -> None:
    less, more = load(SCOTT), np.ascontiguousarray(load(SCOTT)[:, ::-1])
    engine = GenerativeEngine(
        Shown(less, more), models, likeness=lambda _, one: 0.9 if np.array_equal(one, more) else 0.5
    )
    result = engine.render(engine.prepare(less), STYLES["studio-grey"])
    assert cv2.PSNR(result.picture, more) > 45
    assert result.notes == ()
    stranger = GenerativeEngine(Shown(less, more), models, likeness=lambda *_: 0.1)
    with pytest.raises(NothingSafePainted):
        stranger.render(stranger.prepare(less), STYLES["studio-grey"])


def test_unsafe_candidates_are_never_shown(load, models: Path) -> None:
    engine = GenerativeEngine(Shown(load(TWO), np.zeros((200, 160, 3), np.uint8)), models)
    with pytest.raises(NothingSafePainted):
        engine.render(engine.prepare(load(SCOTT)), STYLES["studio-grey"])


@pytest.mark.parametrize("name", ["tim-scott", "tammy-duckworth", "ted-cruz", "kirsten-gillibrand"])
def test_skin_where_clothes_should_be_is_refused_on_any_skin(load, models: Path, name: str) -> None:
    dressed = load(f"good/senate_{name}.jpg")
    faces = find_faces(dressed, models)
    assert refused(dressed, faces) == ""
    x, y = faces[0].landmarks[205, :2].astype(int)
    bare = dressed.copy()
    bare[int(faces[0].landmarks[152, 1] + 0.1 * faces[0].height) :] = np.median(
        dressed[y - 8 : y + 8, x - 8 : x + 8].reshape(-1, 3), axis=0
    )
    # The body must reach below the chin for anybody to judge it.
    bare = cv2.copyMakeBorder(bare, 0, 300, 0, 0, cv2.BORDER_REPLICATE)
    assert refused(bare, find_faces(bare, models)) == "bare"


@pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])
def test_a_shoot_with_the_generative_engine_is_marked_as_generated(
    person, shared: Path, load, models, monkeypatch
) -> None:
    shown = Shown(load(SCOTT))
    monkeypatch.setattr(tasks, "engine", lambda: GenerativeEngine(shown, models))
    photos = [
        services.receive_photo(
            actor=person.actor, subject=person.id, data=(shared / "photos" / name).read_bytes()
        ).photo
        for name in (SCOTT, "derived/timscott.webp")
    ]
    shoot = services.start_shoot(
        actor=person.actor, subject=person.id, photo_ids=[one.id for one in photos], style_ids=["studio-navy"]
    )
    tasks.run_shoot.call(str(shoot.id))
    assert Shoot.objects.get().state == ShootState.DONE
    made = list(Headshot.objects.all())
    assert len(made) == 2
    assert [len(selfies) for _, selfies in shown.orders] == [2, 2], "each is painted after both photos"
    assert made[0].notes == [generative.NOT_MEASURED]
    data = vault.open(object_id=made[0].object_id, warrant=person.warrant("view"))
    statement = credentials.read(data)
    assert statement is not None
    assert statement.intact
    assert statement.source.endswith("/trainedAlgorithmicMedia")


def test_the_operators_options_choose_the_engine(tmp_path: Path, monkeypatch) -> None:
    options = configuration.current().options
    monkeypatch.setitem(options, "studio.engine", "diffusion")
    monkeypatch.setitem(options, "diffusion.weights", str(tmp_path))
    tasks.engine.cache_clear()
    try:
        assert isinstance(tasks.engine(), GenerativeEngine)
    finally:
        tasks.engine.cache_clear()


def test_what_the_two_ends_share_is_in_no_other_module() -> None:
    """The painter's environment has torch and its own Python; of ours it gets these two files."""
    for module in (weights, sys.modules["headshotly.studio.painting"]):
        text = Path(module.__file__ or "").read_text()
        assert "\ntype " not in text
        imported = {
            line.split()[1] for line in text.splitlines() if line.startswith(("from headshotly", "import headshotly"))
        }
        assert imported <= {"headshotly.studio.weights"}


def test_the_extra_and_the_painters_lock_name_the_same() -> None:
    """``headshotly[diffusion]``, the list that is locked, and the lock; torch is the operator's, so it is in none."""
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["diffusion"]
    listed = [line for line in (ROOT / "requirements/diffusion.in").read_text().splitlines() if line[:1].isalpha()]
    assert sorted(one for one in extra if not one.startswith("torch")) == sorted(listed)
    assert [one for one in extra if one.startswith("torch")]
    lock = (ROOT / "requirements/diffusion.lock").read_text()
    entries = re.findall(r"^([a-z0-9.-]+)==(\S+)(.*\\\n(?:    --hash.*\n)+)", lock, re.MULTILINE)
    locked = {name: version for name, version, _ in entries}
    for one in listed:
        name, _, version = one.partition("==")
        assert version in {"", locked[name]}
    assert not {"torch", "triton", "nvidia-nccl-cu13"} & set(locked)
    assert len(entries) == len(re.findall(r"^[a-z0-9.-]+==", lock, re.MULTILINE)), "each has its hashes"
