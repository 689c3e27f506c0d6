"""All headshots in one file, streamed: nothing is written anywhere on the way."""

import zipfile
from collections.abc import Iterable, Iterator
from io import RawIOBase


class _Pipe(RawIOBase):
    """What ``zipfile`` writes into and a response reads from."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # zipfile hands over bytes only
        """Take a piece."""
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def stream_zip(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield a ZIP file piece by piece; pictures are stored as they are, bit for bit.

    Args:
        files: name and bytes of each, opened one at a time.
    """
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name), data)
            yield pipe.take()
    yield pipe.take()
