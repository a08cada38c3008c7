"""The number of cores that this process may use, and work in parallel on them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from encoders.numbers import is_whole

CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def available_cores() -> int:
    """Return the number of cores that the scheduler, the container's quota and ``OMP_NUM_THREADS`` allow.

    Libraries count all cores of the machine; in a container with two of 64 cores, 64 threads are slower than two.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    requested = os.environ.get("OMP_NUM_THREADS", "")
    if is_whole(requested, lowest=1):
        cores = min(cores, int(requested))
    return max(1, min(cores, _quota(cores)))


def _quota(otherwise: int) -> int:
    try:
        allowed, period = CGROUP_QUOTA.read_text(encoding="ascii").split()
        return otherwise if allowed == "max" else max(1, int(allowed) // int(period))
    except (OSError, ValueError):
        return otherwise


def in_parallel(work: Callable[[int], None], positions: Sequence[int]) -> None:
    """Call `work` for every position on all cores; it should spend its time in NumPy, which releases the interpreter.

    Meanwhile BLAS uses one thread per call: this function is for products that are too small to split.
    """
    if len(positions) < 2:
        for position in positions:
            work(position)
        return
    from concurrent.futures import ThreadPoolExecutor

    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(available_cores()) as pool:
        list(pool.map(work, positions))
