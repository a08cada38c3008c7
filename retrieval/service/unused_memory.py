"""Memory that was freed, but that the C library keeps for later: it goes back to the system."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache


def release_unused() -> None:
    """Give the system what the C library keeps of freed memory; macOS, Windows and musl have no such call.

    Bodies of requests come in parts of some 100 KiB, and glibc keeps what was freed between parts that are still used:
    20 MiB and more after a few large bodies, and it grows with time. A call that finds nothing to give takes .1 ms.
    """
    _trim()(0)


@cache
def _trim() -> Callable[[int], object]:
    try:
        return ctypes.CDLL(None).malloc_trim  # malloc_trim(3)
    except (AttributeError, OSError, TypeError):  # a C library without it, or none
        return lambda _: None
