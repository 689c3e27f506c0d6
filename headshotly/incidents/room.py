"""Taking room on the disk before it is needed, so that a disk others filled still takes what was planned.

``fallocate`` with ``FALLOC_FL_KEEP_SIZE`` (Linux, man 2 fallocate): blocks are reserved, the size stays what was
"""

import ctypes

_KEEP_SIZE = 1


def take(descriptor: int, size: int) -> bool:
    """Reserve so many bytes from a file's beginning; return whether the disk has and can do it.

    Args:
        descriptor: of a file open for writing.
        size: bytes.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    reserve = getattr(libc, "fallocate64", None)
    if reserve is None:  # not Linux: lines still go to the disk while it has room
        return False
    reserve.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    while (failed := reserve(descriptor, _KEEP_SIZE, 0, size)) != 0 and ctypes.get_errno() == _INTERRUPTED:
        pass
    return bool(failed == 0)


_INTERRUPTED = 4  # EINTR
