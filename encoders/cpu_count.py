"""How many cores this process may really use, and work that is spread over them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from encoders.numbers import is_whole

CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def available_cores() -> int:
    """Return the cores that the scheduler, a container's quota and ``OMP_NUM_THREADS`` leave to this process.

    Libraries count the machine's cores; where a container grants two of 64, 64 threads are slower than two.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wished = os.environ.get("OMP_NUM_THREADS", "")
    if is_whole(wished, least=1):
        cores = min(cores, int(wished))
    return max(1, min(cores, _quota(cores)))


def _quota(otherwise: int) -> int:
    try:
        allowed, period = CGROUP_QUOTA.read_text(encoding="ascii").split()
        return otherwise if allowed == "max" else max(1, int(allowed) // int(period))
    except (OSError, ValueError):
        return otherwise


def in_parallel(work: Callable[[int], None], places: Sequence[int]) -> None:
    """Call `work` for every place, on all cores; it should spend its time in NumPy, which lets threads run.

    Meanwhile BLAS uses one thread a call: products too small to be worth splitting are what this is for.
    """
    if len(places) < 2:
        for place in places:
            work(place)
        return
    from concurrent.futures import ThreadPoolExecutor

    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(available_cores()) as pool:
        list(pool.map(work, places))
