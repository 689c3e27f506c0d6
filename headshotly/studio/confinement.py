"""Locks the present process in: no files, no network, no new processes, bounded memory and time.

Linux only: a seccomp-BPF allow list (seccomp(2)) on top of resource limits. Elsewhere only the limits hold.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Sequence

_LIBRARY = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER_MODE = 1, 38, 22, 2
_LOAD, _EQUAL, _AND, _RETURN = 0x20, 0x15, 0x54, 0x06
_ALLOW, _DENY, _NO_SYSCALL = 0x7FFF0000, 0x00050001, 0x00050026  # EPERM, ENOSYS
_KILL = 0x80000000
_CLONE_THREAD, _PROT_EXEC, _ALL = 0x00010000, 0x4, 0xFFFFFFFF

# What decoding needs once everything is loaded: memory, the open socket, threads of its own, and leaving.
_X86_64 = {
    "read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "munmap": 11, "brk": 12,
    "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sched_yield": 24, "mremap": 25, "madvise": 28,
    "getpid": 39, "sendto": 44, "recvfrom": 45, "shutdown": 48, "exit": 60, "gettid": 186, "futex": 202,
    "sched_getaffinity": 204, "clock_gettime": 228, "clock_nanosleep": 230, "exit_group": 231,
    "set_robust_list": 273, "getrandom": 318, "rseq": 334,
}  # fmt: skip
_AARCH64 = {
    "close": 57, "lseek": 62, "read": 63, "write": 64, "fstat": 80, "exit": 93, "exit_group": 94, "futex": 98,
    "set_robust_list": 99, "clock_gettime": 113, "clock_nanosleep": 115, "sched_getaffinity": 123, "sched_yield": 124,
    "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "getpid": 172, "gettid": 178,
    "sendto": 206, "recvfrom": 207, "shutdown": 210, "brk": 214, "munmap": 215, "mremap": 216,
    "madvise": 233, "getrandom": 278, "rseq": 293,
}  # fmt: skip
# These are allowed under a condition: threads but no processes, memory but none that can be executed, and signals
# (glibc raises them on a fatal error) to nobody else.
_X86_64_GUARDED = {"clone": 56, "mmap": 9, "mprotect": 10, "tgkill": 234}
_AARCH64_GUARDED = {"clone": 220, "mmap": 222, "mprotect": 226, "tgkill": 131}
_CLONE3 = 435
# machine: audit architecture, allowed calls, calls allowed under a condition
_MACHINES = {
    "x86_64": (0xC000003E, _X86_64, _X86_64_GUARDED),
    "aarch64": (0xC00000B7, _AARCH64, _AARCH64_GUARDED),
}


def can_filter() -> bool:
    """Say whether this system has the filter, not only the limits."""
    return sys.platform == "linux" and platform.machine() in _MACHINES


def _instruction(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)


def _guarded(number: int, argument: int, mask: int, wanted: int) -> list[bytes]:
    """Return the rule that allows a call only where ``argument & mask == wanted``, on the argument's low 32 bits."""
    return [
        _instruction(_EQUAL, number, 0, 5),
        _instruction(_LOAD, 16 + 8 * argument),
        _instruction(_AND, mask),
        _instruction(_EQUAL, wanted, 0, 1),
        _instruction(_RETURN, _ALLOW),
        _instruction(_RETURN, _DENY),
    ]


def _program(machine: str, process: int) -> bytes:
    """Return the BPF program: kill a foreign architecture, allow the lists, deny the rest."""
    architecture, calls, guarded = _MACHINES[machine]
    program = [
        _instruction(_LOAD, 4),
        _instruction(_EQUAL, architecture, 1, 0),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, 0),
        # glibc falls back from clone3, whose flags a filter cannot see, to clone.
        _instruction(_EQUAL, _CLONE3, 0, 1),
        _instruction(_RETURN, _NO_SYSCALL),
    ]
    for number in calls.values():
        program += [_instruction(_EQUAL, number, 0, 1), _instruction(_RETURN, _ALLOW)]
    program += _guarded(guarded["clone"], 0, _CLONE_THREAD, _CLONE_THREAD)
    program += _guarded(guarded["mmap"], 2, _PROT_EXEC, 0)
    program += _guarded(guarded["mprotect"], 2, _PROT_EXEC, 0)
    program += _guarded(guarded["tgkill"], 0, _ALL, process)
    program.append(_instruction(_RETURN, _DENY))
    return b"".join(program)


def limit(*, memory_bytes: int, cpu_seconds: int) -> None:
    """Bound the process: address space, processor time, no file or socket beyond those open, no byte to any file.

    The number of processes is not bounded here: that limit counts all of a user's processes, and the filter denies
    new ones anyway. Threads are bounded by the address space their stacks take.
    """
    limits: Sequence[tuple[int, int]] = (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    )
    for name, value in limits:
        _, highest = resource.getrlimit(name)  # the operator may have set a lower one
        bound = value if highest == resource.RLIM_INFINITY else min(value, highest)
        try:
            resource.setrlimit(name, (bound, bound))
        except ValueError:
            # macOS has no limit on address space.
            if sys.platform == "linux":
                raise


def die_with_parent() -> None:
    """Have the kernel end this process when the one that forked it ends, whatever this one blocks or ignores."""
    if sys.platform == "linux":
        _LIBRARY.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def shut_all_but(descriptor: int) -> None:
    """Close what was inherited, a terminal or a log above all: what is open needs no permission to be written to."""
    os.closerange(0, descriptor)
    os.closerange(descriptor + 1, 1024)


def confine() -> None:
    """Install the filter for this process and its threads; there is no way back.

    Raises:
        OSError: the kernel refused; the caller must not go on.
    """
    program = _program(platform.machine(), os.getpid())
    buffer = ctypes.create_string_buffer(program, len(program))
    filter_ = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    for arguments in ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_PR_SET_SECCOMP, _FILTER_MODE, filter_, 0, 0)):
        if _LIBRARY.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "the kernel refused the sandbox")
