"""Every test photo gets its own plain answer, and hostile files meet a confined process."""

import contextlib
import io
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms

from headshotly.policy import configuration
from headshotly.policy.refusal import Refusal
from headshotly.studio import confinement, decoding, gate
from headshotly.studio.errors import PhotoTooLarge, PhotoUnreadable
from headshotly.studio.faces import find_faces

PIXELS, BYTES = 60_000_000, 30 << 20


def decode(data: bytes) -> np.ndarray:
    return decoding.decode(data, pixels_max=PIXELS, bytes_max=BYTES)


def answer(path: Path) -> tuple[str, str]:
    """Return the first code and the sentence a customer would read."""
    try:
        picture = decode(path.read_bytes())
    except Refusal as refusal:
        return refusal.code, refusal.sentence
    verdict = gate.judge(picture, configuration.current().models_folder)
    code = verdict.findings[0].code if verdict.findings and not verdict.accepted else "accepted"
    return code, verdict.sentence


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("bad/exif_orientation6_faceless_or_Portrait_6.jpg", "no_face"),
        ("bad/exif_orientation6_pil_hopper.jpg", "too_small"),
        ("bad/gray_profile_occluded_sk_camera.png", "turned_away"),
        ("bad/no_face_heic_lh_example.heic", "no_face"),
        ("bad/no_face_sk_coffee.png", "no_face"),
        ("bad/small_128_pil_hopper.avif", "too_small"),
        ("bad/small_128_pil_hopper.jpg", "too_small"),
        ("bad/small_128_pil_hopper.webp", "too_small"),
        ("bad/too_small_64px_cory-booker.jpg", "too_small"),
        ("bad/truncated_pil.jpg", "photo.truncated"),
        ("derived/blurry_timscott.jpg", "blurred"),
        ("derived/cmyk_timscott.jpg", "accepted"),
        ("derived/four_people_collage.jpg", "several_people"),
        ("derived/gps_orientation6_timscott.jpg", "accepted"),
        ("derived/gps_timscott.heic", "accepted"),
        ("derived/not_an_image.jpg", "photo.not_a_picture"),
        ("derived/overexposed_timscott.jpg", "over_exposed"),
        ("derived/partial_face_timscott.jpg", "cut_off"),
        ("derived/png_alpha_astronaut.png", "accepted"),
        ("derived/timscott.webp", "accepted"),
        ("derived/tiny_100x100_timscott.jpg", "too_small"),
        ("derived/truncated_timscott.jpg", "photo.truncated"),
        ("derived/two_people_collage.jpg", "several_people"),
        ("derived/very_dark_timscott.jpg", "too_dark"),
    ],
)
def test_each_photo_gets_its_own_sentence(shared: Path, name: str, code: str) -> None:
    found, sentence = answer(shared / "photos" / name)
    assert found == code
    assert sentence.endswith(".")
    assert sentence[0].isupper()


def test_every_bad_and_derived_photo_is_in_the_table(shared: Path) -> None:
    marks = test_each_photo_gets_its_own_sentence.pytestmark
    named = {name for mark in marks if mark.name == "parametrize" for name, _ in mark.args[1]}
    present = {
        f"{folder}/{path.name}" for folder in ("bad", "derived") for path in (shared / "photos" / folder).iterdir()
    }
    assert named == present


@pytest.mark.parametrize(
    ("cloth", "name"), [((120, 160, 205), "tim-scott"), ((235, 238, 240), "tina-smith"), ((40, 40, 45), "ted-cruz")]
)
def test_a_covered_mouth_is_refused_on_any_skin(shared: Path, cloth: tuple[int, int, int], name: str) -> None:
    picture = decode((shared / "photos" / "good" / f"senate_{name}.jpg").read_bytes()).copy()
    folder = configuration.current().models_folder
    edge = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 195)
    points = find_faces(picture, folder)[0].landmarks[list(edge), :2].astype(np.int32)
    cv2.fillPoly(picture, [points], cloth)
    verdict = gate.judge(picture, folder)
    assert "covered" in [finding.code for finding in verdict.findings]
    assert not verdict.accepted


def test_the_crop_is_shown_bright_in_the_picture_and_placed_for_any_size(shared: Path) -> None:
    picture = decode((shared / "photos" / "good" / "senate_tim-scott.jpg").read_bytes())
    verdict = gate.judge(picture, configuration.current().models_folder)
    assert verdict.crop is not None
    shown = gate.draw(picture, verdict)
    left, top, right, bottom = verdict.crop
    inside = (slice(top + 20, bottom - 20), slice(left + 20, right - 20))
    assert np.array_equal(shown[inside], picture[inside])
    assert shown[:, : left - 5].mean() < 0.5 * picture[:, : left - 5].mean()
    half = cv2.resize(picture, (512, 512), interpolation=cv2.INTER_AREA)
    small = gate.draw_placed(half, gate.placed(picture, verdict.crop), accepted=True)
    edge = small[(top + bottom) // 4, max(0, round(left / 2))]
    assert edge.tolist() == [46, 160, 67]
    assert gate.draw_placed(half, [], accepted=False).mean() < 0.5 * half.mean()


def test_what_is_kept_is_what_quality_95_without_subsampling_is(good_photos: list[Path]) -> None:
    """Pillow and OpenCV count quality alike; what was sealed earlier and what is sealed now look the same."""
    picture = decode(good_photos[0].read_bytes())
    out = io.BytesIO()
    Image.fromarray(picture).save(out, format="JPEG", quality=95, subsampling=0)
    with Image.open(out) as wanted, Image.open(io.BytesIO(decoding.encode_master(picture))) as kept:
        assert kept.quantization == wanted.quantization
        assert ImageChops.difference(kept, wanted).getbbox() is None
        assert not kept.getexif()
        assert set(kept.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_every_good_photo_is_accepted(good_photos: list[Path]) -> None:
    assert len(good_photos) == 22
    assert [path.name for path in good_photos if answer(path)[0] != "accepted"] == []


def test_a_rotated_photo_comes_out_upright(shared: Path) -> None:
    folder = shared / "photos"
    upright = decode((folder / "good" / "senate_tim-scott.jpg").read_bytes()).astype(int)
    turned = decode((folder / "derived" / "gps_orientation6_timscott.jpg").read_bytes()).astype(int)
    assert np.abs(upright - turned).mean() < 6


def test_no_metadata_of_the_input_is_in_what_is_kept(shared: Path) -> None:
    data = (shared / "photos" / "derived" / "gps_timscott.heic").read_bytes()
    master = decoding.encode_master(decode(data))
    with Image.open(io.BytesIO(master)) as image:
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def png(width: int, height: int, body: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


def test_a_300_megapixel_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(PhotoTooLarge, match="300 megapixels"):
        decode(png(20_000, 15_000, bytes(10_000_000)))


def test_a_bomb_within_the_limit_costs_bounded_memory_and_time() -> None:
    start = time.monotonic()
    with pytest.raises(PhotoUnreadable):
        decode(png(7_700, 7_700, bytes(1000)))
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "photo.empty"),
        (b"hello", "photo.not_a_picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "photo.not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "photo.not_a_picture"),
        (b"GIF89a" + bytes(40), "photo.not_a_picture"),
        (b"II*\x00" + bytes(60), "photo.not_a_picture"),
        (b"%PDF-1.7\n", "photo.not_a_picture"),
    ],
)
def test_what_is_no_picture_is_said_to_be_none(data: bytes, code: str) -> None:
    with pytest.raises(PhotoUnreadable) as refused:
        decode(data)
    assert refused.value.code == code


def test_too_many_bytes_are_not_even_looked_at() -> None:
    with pytest.raises(PhotoTooLarge, match="larger than 1 MB"):
        decoding.decode(bytes((1 << 20) + 1), pixels_max=PIXELS, bytes_max=1 << 20)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "I;16", "1", "CMYK"])
def test_every_kind_of_pixel_becomes_rgb(mode: str) -> None:
    source = Image.linear_gradient("L").resize((40, 30))
    image = Image.fromarray(np.asarray(source).astype(np.uint16) * 257) if mode == "I;16" else source.convert(mode)
    out = io.BytesIO()
    image.save(out, "JPEG" if mode == "CMYK" else "PNG")
    picture = decode(out.getvalue())
    assert picture.shape == (30, 40, 3)
    assert picture.min() < 60
    assert picture.max() > 190


def test_a_colour_profile_is_applied() -> None:
    image = Image.new("RGB", (8, 8), (200, 100, 50))
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    for profile in (swapped, b"not a profile"):
        out = io.BytesIO()
        image.save(out, "PNG", icc_profile=profile)
        assert decode(out.getvalue()).shape == (8, 8, 3)


HOSTILE = {
    "open a file": "open('/etc/hostname').read()",
    "write a file": "open('/tmp/headshotly-escape', 'w').write('x')",
    "list a folder": "os.listdir('/')",
    "open a socket": "socket.socket(socket.AF_INET)",
    "start a program": "os.execv('/bin/true', ['true'])",
    "fork": "os.fork()",
    "read the environment of others": "open('/proc/1/environ').read()",
    "kill": "os.kill(os.getppid(), 0)",
    "open a local socket": "socket.socket(socket.AF_UNIX)",
    "make a pair of sockets": "socket.socketpair()",
    "make a file in memory": "os.memfd_create('x')",
    "make a pipe": "os.pipe()",
    "start a program from the library": "os.posix_spawn('/bin/true', ['true'], {})",
    "map memory that can be executed": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)",
    "raise its own limits": "resource.setrlimit(resource.RLIMIT_CPU, (9, 9))",
    "look at another process": "os.readlink('/proc/1/exe')",
    "become somebody else": "os.setuid(65534)",
    "delete a file": "os.unlink('/tmp/headshotly-escape')",
    "change the folder": "os.chdir('/')",
}


def confined(code: str) -> "subprocess.CompletedProcess[str]":
    program = (
        "import mmap, os, resource, socket, sys, threading\n"
        "from headshotly.studio import confinement\n"
        "confinement.limit(memory_bytes=1 << 30, cpu_seconds=2)\n"
        "confinement.confine()\n"
        "try:\n"
        f"    {code}\n"
        "except BaseException as error:\n"
        "    os.write(1, type(error).__name__.encode())\n"
        "    os._exit(7)\n"
        "os._exit(0)\n"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("what", HOSTILE)
def test_the_sandbox_denies(what: str) -> None:
    assert confinement.can_filter(), "this machine has no seccomp filter; the sandbox cannot be shown to hold"
    done = confined(HOSTILE[what])
    assert done.returncode == 7, (what, done)
    assert "Error" in done.stdout


def test_the_sandbox_lets_work_be_done() -> None:
    assert confined("sum(bytearray(1000))").returncode == 0
    assert confined("thread = threading.Thread(target=int); thread.start(); thread.join()").returncode == 0


def test_a_decoder_has_nothing_open_but_its_own_socket() -> None:
    program = (
        "import os, socket\n"
        "from headshotly.studio import confinement\n"
        "ours, theirs = socket.socketpair()\n"
        "confinement.shut_all_but(ours.fileno())\n"
        "left = [one for one in range(1024) if os.path.exists(f'/proc/self/fd/{one}')]\n"
        "os._exit(0 if left == [ours.fileno()] else 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30).returncode == 0


def test_so_many_decoders_run_at_once_and_no_more(monkeypatch) -> None:
    from headshotly.studio import sandbox
    from headshotly.studio.errors import StudioBusy

    box, leave, inside = sandbox.Sandbox(at_once=2, filter_required=False), threading.Event(), []

    def wait(self, data: bytes, pixels_max: int) -> str:
        inside.append(data)
        leave.wait(10)
        return "decoded"

    monkeypatch.setattr(sandbox.Sandbox, "_decode_once", wait)
    monkeypatch.setattr(sandbox, "_QUEUE_SECONDS", 0.2)
    with ThreadPoolExecutor(3) as threads:
        two = [threads.submit(box.decode, b"x", pixels_max=1) for _ in range(2)]
        while len(inside) < 2:
            time.sleep(0.01)
        with pytest.raises(StudioBusy, match="try again in a minute"):
            box.decode(b"third", pixels_max=1)
        assert inside == [b"x", b"x"]
        leave.set()
        assert [one.result(5) for one in two] == ["decoded", "decoded"]
    assert box.decode(b"third", pixels_max=1) == "decoded"


@pytest.mark.parametrize("required", [True, False])
def test_without_the_filter_pictures_are_read_only_where_that_is_allowed(monkeypatch, required: bool) -> None:
    from headshotly.studio import sandbox
    from headshotly.studio.errors import DecodingUnavailable

    # The zygote's word for "the filter holds", taken for its word for "there is none".
    monkeypatch.setattr(sandbox, "UNFILTERED", sandbox.FILTERED)
    monkeypatch.setattr(sandbox, "FILTERED", b"\x07")
    box = sandbox.Sandbox(at_once=1, filter_required=required)
    out = io.BytesIO()
    Image.new("RGB", (9, 9)).save(out, "PNG")
    try:
        if required:
            with pytest.raises(DecodingUnavailable):
                box.decode(out.getvalue(), pixels_max=PIXELS)
        else:
            assert box.decode(out.getvalue(), pixels_max=PIXELS)[1] == (9, 9)
    finally:
        box.close()


@pytest.mark.parametrize(
    "answer",
    [(0, 60_000, 60_000, 60_000 * 60_000 * 3), (0, 9, 9, 1 << 40), (0, 0, 9, 0), (9, 0, 0, 0), (1, 0, 0, 4096)],
)
def test_what_a_decoder_that_was_taken_over_answers_is_not_believed(monkeypatch, answer: tuple[int, ...]) -> None:
    from headshotly.studio.sandbox import Sandbox
    from headshotly.studio.zygote import ANSWER, READY

    def hand_over_to_a_liar(self, connection: socket.socket) -> None:
        connection.sendall(READY + ANSWER.pack(*answer))
        connection.shutdown(socket.SHUT_WR)

    monkeypatch.setattr(Sandbox, "_hand_over", hand_over_to_a_liar)
    with pytest.raises(PhotoUnreadable, match="damaged"):
        decode(b"\x89PNG\r\n\x1a\n" + bytes(100))


def test_nothing_of_the_sandbox_outlives_a_killed_service() -> None:
    program = (
        "import io, os, signal, sys\n"
        "from PIL import Image\n"
        "from headshotly.studio.sandbox import Sandbox\n"
        "out = io.BytesIO()\n"
        "Image.new('RGB', (9, 9)).save(out, 'PNG')\n"
        "box = Sandbox(at_once=1, filter_required=False)\n"
        "box.decode(out.getvalue(), pixels_max=1000)\n"
        "print(box._process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    deadline = time.monotonic() + 10
    while _runs(int(done.stdout)):
        assert time.monotonic() < deadline, "the zygote still waits for a parent that is gone"
        time.sleep(0.05)


def _runs(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_sandbox_bounds_memory_and_time() -> None:
    assert confined("bytearray(4 << 30)").stdout == "MemoryError"
    assert confined("[None for _ in iter(int, 1)]").returncode != 0


def test_a_killed_zygote_is_started_again() -> None:
    box = decoding.sandbox(at_once=2, filter_required=False)
    out = io.BytesIO()
    Image.new("RGB", (9, 9)).save(out, "PNG")
    assert decode(out.getvalue()).shape == (9, 9, 3)
    box._process.kill()
    box._process.wait()
    assert decode(out.getvalue()).shape == (9, 9, 3)


def test_a_decoder_that_dies_answers_with_a_sentence(monkeypatch) -> None:
    from headshotly.studio.sandbox import Sandbox
    from headshotly.studio.zygote import READY

    def hand_over_to_one_who_dies(self, connection: socket.socket) -> None:
        connection.sendall(READY)
        connection.shutdown(socket.SHUT_RDWR)

    monkeypatch.setattr(Sandbox, "_hand_over", hand_over_to_one_who_dies)
    with pytest.raises(PhotoUnreadable, match="damaged"):
        decode(b"\x89PNG\r\n\x1a\n" + bytes(100))


def test_where_no_decoder_starts_the_photo_is_not_blamed(monkeypatch) -> None:
    from headshotly.studio.errors import DecodingUnavailable
    from headshotly.studio.sandbox import Sandbox

    attempts = []

    def hand_over_to_nobody(self, connection: socket.socket) -> None:
        attempts.append(connection)
        connection.shutdown(socket.SHUT_RDWR)

    monkeypatch.setattr(Sandbox, "_hand_over", hand_over_to_nobody)
    with pytest.raises(DecodingUnavailable, match="try again in a few minutes"):
        decode(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert len(attempts) == 3


@pytest.fixture(scope="module")
def small_files() -> list[bytes]:
    pillow_heif.register_heif_opener()
    picture = Image.effect_noise((48, 48), 60).convert("RGB")
    files = []
    for name in ("JPEG", "PNG", "WEBP", "AVIF", "HEIF"):
        out = io.BytesIO()
        picture.save(out, name)
        files.append(out.getvalue())
    return files


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_files_never_hurt_the_parent(small_files: list[bytes], data) -> None:
    mutated = bytearray(data.draw(st.sampled_from(small_files)))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(mutated) - 1))
        mutated[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(mutated)))
    with contextlib.suppress(PhotoUnreadable, PhotoTooLarge):
        assert decode(bytes(mutated[:cut])).shape[2] == 3
