"""Large pieces of memory go back to the system once they are freed, whichever thread held them."""

import subprocess
import sys
from unittest import mock

from headshotly.frontdoor import server

_PROGRAM = """
import ctypes, sys
sys.path[:0] = {path!r}
if {steady}:
    from headshotly.frontdoor.server import give_memory_back
    assert give_memory_back()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 >> 20
def held(size):
    place = libc.malloc(size)
    ctypes.memset(place, 1, size)
    return place
libc.free(held(16 << 20))  # glibc now believes that pieces of this size come and go, and keeps them
before = resident()
pieces = [held(12 << 20) for _ in range(4)]
pin = held(120_000)  # above them in the heap, so that they cannot be trimmed from its end
for piece in pieces:
    libc.free(piece)
print(resident() - before)
"""


def _kept(*, steady: bool) -> int:
    program = _PROGRAM.format(path=sys.path, steady=steady)
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return int(told.stdout)


def test_what_was_freed_leaves_the_process_and_would_stay_otherwise() -> None:
    assert _kept(steady=False) > 30
    assert _kept(steady=True) < 5


def test_another_c_library_goes_on_as_it_is() -> None:
    with mock.patch.object(server.ctypes, "CDLL", return_value=object()):
        assert not server.give_memory_back()
