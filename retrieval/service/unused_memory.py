"""Memory that was freed, but that the C library keeps for later: it goes back to the system."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

#: A number of glibc's malloc.h, and the size of a block from which on it gets memory of its own: 1 MiB.
M_MMAP_THRESHOLD, LARGE_BYTES = -3, 2**20


def return_large_blocks() -> None:
    """Let the C library return every large block when it is freed; macOS, Windows and musl have no such call.

    glibc raises the size of such blocks to that of the largest block ever freed. Bodies of 10 MiB then come from the
    heap, and one that is freed below another that is in use stays with the process: 9 MiB, for minutes.
    """
    _call("mallopt")(M_MMAP_THRESHOLD, LARGE_BYTES)


def release_unused() -> None:
    """Give the system what the C library keeps of freed memory; macOS, Windows and musl have no such call.

    Bodies of requests come in parts of some 100 KiB, and glibc keeps what was freed between parts that are still used:
    20 MiB and more after a few large bodies, and it grows with time. A call that finds nothing to give takes .1 ms.
    """
    _call("malloc_trim")(0)


@cache
def _call(name: str) -> Callable[..., Any]:
    try:
        function: Callable[..., Any] = getattr(ctypes.CDLL(None), name)  # see malloc_trim(3), mallopt(3)
    except (AttributeError, OSError, TypeError):  # a C library without it, or none
        return lambda *_: None
    return function
