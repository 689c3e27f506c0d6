"""A disk that others filled still takes what its room was taken for: the rest of a segment and a whole further one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from headshotly.incidents import planting, room, spool

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.clause("8.2.b")


def taken(path: Path) -> int:
    return path.stat().st_blocks * 512


def test_room_is_taken_without_growing_the_file(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        assert room.take(file.fileno(), 1 << 20)
        assert (tmp_path / "a").stat().st_size == 0
        assert taken(tmp_path / "a") >= 1 << 20
    closed = os.open(tmp_path / "a", os.O_RDONLY)
    assert not room.take(closed, 1 << 20), "what cannot be written takes no room"
    os.close(closed)


def test_a_segment_and_the_next_have_their_room_and_give_back_what_they_do_not_need() -> None:
    planting.beat()
    place = spool.folder("heartbeat")
    [segment], [spare] = list(place.glob("*.ndjson")), list(place.glob("*.spare"))
    assert min(taken(segment), taken(spare)) >= spool.SEGMENT_BYTES
    spool.writer("heartbeat").close()
    assert taken(segment) < 64 << 10
    assert list(place.glob("*.spare")) == []


def test_the_spare_becomes_the_next_segment(monkeypatch) -> None:
    monkeypatch.setattr(spool, "SEGMENT_BYTES", 200)
    writer, place = spool.writer("web"), spool.folder("web")
    writer.append({"id": "a" * 300})
    [spare] = place.glob("*.spare")
    inode = spare.stat().st_ino
    writer.append({"id": "b"})
    newest = max(place.glob("*.ndjson"), key=lambda path: path.stat().st_ino == inode)
    assert newest.stat().st_ino == inode
    assert b'"b"' in newest.read_bytes()
    assert len(list(place.glob("*.spare"))) == 1


def test_spares_of_the_dead_are_removed_and_those_of_the_living_stay() -> None:
    place = spool.folder("web")
    place.mkdir(parents=True)
    (place / "dead.spare").write_bytes(b"")
    writer = spool.Writer("web")
    writer.append({"id": "1"})
    assert not (place / "dead.spare").exists()
    spool.writer("web").append({"id": "2"})
    assert len(list(place.glob("*.spare"))) == 2
    writer.close()


def test_without_room_to_take_lines_still_go_to_the_disk(monkeypatch) -> None:
    monkeypatch.setattr(room, "take", lambda *_: False)
    assert spool.writer("web").append({"id": "1"}, {"id": "2"})
    place = spool.folder("web")
    assert list(place.glob("*.spare")) == []
    assert [len(path.read_bytes().splitlines()) for path in place.glob("*.ndjson")] == [2]


def test_half_a_line_is_cut_off_and_written_whole_again(monkeypatch) -> None:
    real = os.write
    with monkeypatch.context() as halved:
        halved.setattr(spool.os, "write", lambda where, data: real(where, data[: len(data) // 2]))
        assert not spool.writer("web").append({"id": "1"})
    assert spool.writer("web").append({"id": "2"})
    assert b"".join(path.read_bytes() for path in spool.segments("web")) == b'{"id":"1"}\n{"id":"2"}\n'


def test_a_really_full_disk_takes_a_whole_segment_more_and_memory_the_rest(tmp_path: Path) -> None:
    """On a small disk of its own, which a namespace of its own may mount without asking anybody."""
    program = f"mount -t tmpfs -o size=24m tmpfs {tmp_path} && exec {sys.executable} -m tests.incidents.full_disk"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "headshotly.frontdoor.settings",
        "HEADSHOTLY_ENVIRONMENT": "test",
        "HEADSHOTLY_DATA": str(tmp_path / "data"),
    }
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", program],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["before"] == 100
    assert told["after"] * 440 > spool.SEGMENT_BYTES, "a whole segment was taken after the disk was full"
    assert (told["waiting"], told["lost"]) == (1, 0)
    assert told["read"] == told["different"] == told["written"], "each line once, also those that waited"
