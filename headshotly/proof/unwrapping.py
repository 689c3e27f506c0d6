"""Opens one encrypted message and ends: a program of its own, so that a bomb in it harms nobody (see ``openpgp``).

Reads a four-byte length, the secret key and the message from standard input; writes what was inside.
"""

import resource
import sys

from pysequoia import Tsk, decrypt

MEMORY_BYTES = 768 << 20
OUTPUT_BYTES_MAX = 32 << 20
CPU_SECONDS = 10


def main() -> int:
    """Open the message; return 0 where that worked."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    length = int.from_bytes(sys.stdin.buffer.read(4), "big")
    key, message = sys.stdin.buffer.read(length), sys.stdin.buffer.read()
    try:
        opened = decrypt(decryptor=Tsk.from_bytes(key).decryptor(), bytes=message).bytes
    except Exception:  # noqa: BLE001 - whatever it is, it was not opened, and nothing about it is said
        return 1
    if opened is None or len(opened) > OUTPUT_BYTES_MAX:
        return 1
    sys.stdout.buffer.write(opened)
    return 0


if __name__ == "__main__":
    sys.exit(main())
