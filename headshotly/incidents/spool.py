"""Where a process leaves what it saw: lines in files of its own, so that nobody waits and no crash loses a line.

Each writing process appends to a segment that it holds locked. The detector reads segments in any state, remembers how
far it came in the transaction of what it read, and removes one only when it is read to its end and nobody holds it.
A segment's room on the disk is taken when it is begun, and that of the next one beside it, so a disk that others filled
still takes lines: the rest of this segment and a whole further one. Where even that is used up, lines wait in memory,
bounded; what that cannot hold is counted, never passed over.
"""

import contextlib
import fcntl
import json
import os
import secrets
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headshotly.incidents import room
from headshotly.policy import configuration

SEGMENT_BYTES = 4 << 20
WAITING_MAX = 10_000
LINE_BYTES_MAX = 256 * 1024
_SPARE = ".spare"


def folder(name: str) -> Path:
    """Return the folder of one source's segments."""
    return configuration.current().data_folder / "spool" / name


@dataclass(slots=True)
class Writer:
    """Appends lines to a source's spool, from any thread and after any fork.

    Attributes:
        name: of the source.
        waiting: lines the disk did not take.
        lost: how many lines even memory had no room for since it was told last.
    """

    name: str
    waiting: deque[bytes] = field(default_factory=deque)
    lost: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _descriptor: int = -1
    _owner: int = -1
    _written: int = 0
    _place: str = ""
    _spare: int = -1
    _spare_place: str = ""

    def append(self, *lines: dict[str, Any], durably: bool = False) -> bool:
        """Write lines; never raises and never waits for anything but the disk.

        Args:
            lines: plain JSON data.
            durably: return only when the disk has it, for whoever promises it to somebody.

        Returns:
            Whether the disk took them. If not, they wait in memory for the next line.
        """
        data = [json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines]
        with self._lock:
            self.waiting.extend(data)
            try:
                self._flush(durably=durably)
            except OSError:
                self._close()
                while len(self.waiting) > WAITING_MAX:
                    self.waiting.popleft()
                    self.lost += 1
                return False
        return True

    def _flush(self, *, durably: bool) -> None:
        if self.lost:
            self._write(json.dumps({"lost": self.lost}).encode() + b"\n")
            self.lost = 0
        while self.waiting:
            self._write(self.waiting[0])
            self.waiting.popleft()
        if durably:
            os.fsync(self._descriptor)

    def _write(self, line: bytes) -> None:
        written = os.write(self._segment(), line)
        if written != len(line):
            # Closing cuts the half line off, for the whole one is written again. Where this process dies first, the
            # half stays at the end of the segment, and the reader finds and counts it.
            self._close()
            raise OSError("the disk took half a line")
        self._written += written

    def _segment(self) -> int:
        """Return this process's open segment, a new one after a fork or when the old one is full."""
        if self._owner != os.getpid():
            self._descriptor, self._owner, self._spare = -1, os.getpid(), -1  # the parent's stay the parent's
        if self._descriptor >= 0 and (self._written >= SEGMENT_BYTES or not Path(self._place).exists()):
            self._close()
        if self._descriptor < 0:
            self._begin()
        return self._descriptor

    def _begin(self) -> None:
        """Begin a segment: the spare where there is one, and then try to have another."""
        place = folder(self.name)
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = place / f"{secrets.token_hex(8)}.ndjson"
        if self._spare >= 0 and Path(self._spare_place).exists():
            Path(self._spare_place).rename(path)  # a crash here leaves an empty segment, which the reader removes
            self._descriptor, self._spare = self._spare, -1
        else:
            self._descriptor = _made(path)
            room.take(self._descriptor, SEGMENT_BYTES + LINE_BYTES_MAX)
        self._written, self._place = 0, str(path)
        self._provide()

    def _provide(self) -> None:
        """Have a spare whose room is taken, and remove those of processes that died; without room there is none."""
        place = folder(self.name)
        for left in place.glob(f"*{_SPARE}"):
            if str(left) != self._spare_place and is_over(left):
                left.unlink(missing_ok=True)
        path = place / f"{secrets.token_hex(8)}{_SPARE}"
        try:
            spare = _made(path)
        except OSError:
            return
        if room.take(spare, SEGMENT_BYTES + LINE_BYTES_MAX):
            self._spare, self._spare_place = spare, str(path)
        else:
            path.unlink(missing_ok=True)
            os.close(spare)

    def _close(self) -> None:
        if self._descriptor >= 0 and self._owner == os.getpid():
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._written)  # gives back the room that was not needed
            os.close(self._descriptor)
        self._descriptor = -1

    def close(self) -> None:
        """Let go of the segment; the next line begins another."""
        with self._lock:
            self._close()
            if self._spare >= 0 and self._owner == os.getpid():
                Path(self._spare_place).unlink(missing_ok=True)
                os.close(self._spare)
            self._spare = -1


def _made(path: Path) -> int:
    """Make a file, hold it locked and return its descriptor."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


_WRITERS: dict[str, Writer] = {}


def writer(name: str) -> Writer:
    """Return this process's writer of a source."""
    return _WRITERS.setdefault(name, Writer(name))


@dataclass(frozen=True, slots=True)
class Line:
    """One whole line and where the next begins, in bytes; ``text`` is empty for one that was torn or too long."""

    data: bytes
    end: int


def segments(name: str) -> list[Path]:
    """Return a source's segments, the oldest first."""
    place = folder(name)
    if not place.is_dir():
        return []
    found = [(path.stat().st_mtime_ns, path) for path in place.glob("*.ndjson") if path.exists()]
    return [path for _, path in sorted(found)]


def lines(path: Path, *, start: int, most: int) -> Iterator[Line]:
    """Yield whole lines of a segment from a place on.

    Args:
        path: of the segment.
        start: bytes already read.
        most: lines at most.
    """
    with path.open("rb") as file:
        file.seek(start)
        place = start
        for _ in range(most):
            data = file.readline(LINE_BYTES_MAX)
            if not data.endswith(b"\n"):
                if len(data) < LINE_BYTES_MAX:
                    return  # being written, or torn; ``is_over`` tells which
                while data and not data.endswith(b"\n"):  # too long: pass over it as one broken line
                    place += len(data)
                    data = file.readline(LINE_BYTES_MAX)
                yield Line(b"", place + len(data))
                place += len(data)
                continue
            place += len(data)
            yield Line(data[:-1], place)


def is_over(path: Path) -> bool:
    """Say whether nobody writes to a segment any more: its writer let it go, or died."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False  # somebody removed or renamed it in between
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
