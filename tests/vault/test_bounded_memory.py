"""A large object goes through in bounded memory: sealed from a stream and opened to a stream."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys, uuid
from pathlib import Path
from headshotly.vault import envelope, streaming
from headshotly.vault.objectstore import FolderObjectStore

def peak():
    # Of this program alone; getrusage would count what the parent had before it as well.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))

class Endless:
    def __init__(self, length):
        self.left, self.block = length, bytes(1 << 16)
    def read(self, size):
        piece = self.block[:min(size, self.left, len(self.block))]
        self.left -= len(piece)
        return piece

def seal_and_open(store, length):
    owner, object_id = uuid.uuid4(), uuid.uuid4()
    key, header = envelope.make(owner=owner, object_id=object_id, purpose="test", customer_key=bytes(32))
    body = streaming.seal(streaming.pieces_from(Endless(length)), key, header)
    def pieces():
        yield header
        yield from body
    store.write(owner, object_id, pieces())
    file = store.open(owner, object_id)
    opener = streaming.Opener(file, start=len(header), data_key=key, associated=header)
    assert sum(map(len, opener.pieces())) == length
    file.close()
    store.delete(owner, object_id)

store = FolderObjectStore(Path(sys.argv[1]))
seal_and_open(store, 1 << 20)
base = peak()
seal_and_open(store, int(sys.argv[2]))
print(peak() - base)
"""


@pytest.mark.parametrize("length", [300 << 20])
def test_a_long_stream_takes_little_memory(tmp_path, length):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), str(length)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) * 1024 < 64 << 20
