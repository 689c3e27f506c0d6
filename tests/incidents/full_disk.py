"""Fills the disk a spool lies on, and goes on leaving lines. Run as a program: ``python -m tests.incidents.full_disk``.

Prints how many lines the disk took before and after somebody else filled it, how many wait in memory, and how many of
all can be read back.
"""

import contextlib
import json
import os
import sys
from pathlib import Path

import django

django.setup()

from headshotly.incidents import spool  # noqa: E402
from headshotly.policy import configuration  # noqa: E402

LINE = {"at": "2026-11-27T12:00:00+00:00", "filler": "x" * 400}


def fill(place: Path) -> None:
    """Take every byte of the disk, as a runaway log would."""
    with (place / "hog").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


def main() -> None:
    writer, data = spool.writer("web"), configuration.current().data_folder
    before = sum(writer.append({"id": str(number)} | LINE) for number in range(100))
    fill(data)
    with contextlib.suppress(OSError):  # it is full indeed
        (data / "one-more").write_bytes(b"x" * 8192)
        sys.exit("the disk was not full")
    after, number = 0, 100
    while writer.append({"id": str(number)} | LINE):
        after, number = after + 1, number + 1
    waiting = len(writer.waiting)
    (data / "hog").unlink()
    writer.append({"id": str(number + 1)} | LINE)
    read = [json.loads(line.data)["id"] for path in spool.segments("web") for line in spool.lines(path, start=0, most=10**6)]  # fmt: skip
    sys.stdout.write(json.dumps({
        "before": before, "after": after, "waiting": waiting, "lost": writer.lost, "written": number + 2,
        "read": len(read), "different": len(set(read)), "process": os.getpid(),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
