"""Counts of requests in Prometheus' text format, of all processes of the service together."""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np

from encoders.file_lock import READ_FLAGS, try_lock

#: Upper bounds of the histogram of seconds.
BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
#: Status codes that are counted; others are counted by their class, as 400.
STATUSES = (200, 204, 304, 400, 401, 403, 404, 405, 408, 413, 414, 415, 421, 422, 500, 502, 503, 504, 505)
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: Numbers of one operation: how many took how long, their seconds, how many had which status.
_WIDTH = len(BUCKETS) + 1 + 1 + len(STATUSES)


class Metrics:
    """Requests by operation, status and seconds.

    Parameters
    ----------
    operations : sequence of str
        The operations; requests that reach none are counted as ``other``.
    path : str
        File in which every process has a row of numbers, made by `create`; empty for numbers of this process alone.

    Examples
    --------
    >>> metrics = Metrics(["search"])
    >>> metrics.count("search", 200, 0.003)
    >>> 'nearby_requests_total{operation="search",status="200"} 1' in metrics.text()
    True
    """

    def __init__(self, operations: Sequence[str], path: str = "") -> None:
        self._operations = [*operations, "other"]
        shape = (len(self._operations), _WIDTH)
        self._lock, self._held = threading.Lock(), -1
        if path:
            rows = np.memmap(path, np.float64, "r+").reshape(-1, *shape)
            self._rows, self._mine = rows, rows[self._slot(Path(path), len(rows))]
        else:
            self._rows = np.zeros((1, *shape))
            self._mine = self._rows[0]

    @staticmethod
    def create(path: Path, operations: Sequence[str], processes: int) -> None:
        """Write an empty file for some processes, and one that replaces another while it still ends."""
        np.zeros((2 * processes, len(operations) + 1, _WIDTH)).tofile(path)
        for slot in range(2 * processes):
            path.with_name(f"{path.name}.{slot}").touch()

    def _slot(self, path: Path, count: int) -> int:
        """Return a row that no living process has; the lock ends with the process."""
        for slot in range(count):
            descriptor = os.open(path.with_name(f"{path.name}.{slot}"), READ_FLAGS | os.O_RDWR)
            if try_lock(descriptor) is not False:
                self._held = descriptor
                return slot
            os.close(descriptor)
        return count - 1  # every row is taken: share the last one

    def count(self, operation: str, status: int, seconds: float) -> None:
        """Count one request."""
        known = status if status in STATUSES else status // 100 * 100
        at = STATUSES.index(known) if known in STATUSES else STATUSES.index(500)
        row = self._mine[self._operations.index(operation) if operation in self._operations else -1]
        with self._lock:
            row[bisect_left(BUCKETS, seconds)] += 1
            row[len(BUCKETS) + 1] += seconds
            row[len(BUCKETS) + 2 + at] += 1

    def text(self) -> str:
        """Return the counts of all processes, in Prometheus' text format."""
        totals = self._rows.sum(axis=0)
        lines = ["# HELP nearby_requests_total Requests.", "# TYPE nearby_requests_total counter"]
        for name, row in zip(self._operations, totals, strict=True):
            counts = row[len(BUCKETS) + 2 :]
            lines += [
                f'nearby_requests_total{{operation="{name}",status="{status}"}} {int(count)}'
                for status, count in zip(STATUSES, counts, strict=True)
                if count
            ]
        lines += ["# HELP nearby_request_seconds Time of a request.", "# TYPE nearby_request_seconds histogram"]
        for name, row in zip(self._operations, totals, strict=True):
            cumulated = [int(count) for count in accumulate(row[: len(BUCKETS) + 1])]
            if not cumulated[-1]:
                continue
            bounds = [*(f"{bound:g}" for bound in BUCKETS), "+Inf"]
            lines += [
                f'nearby_request_seconds_bucket{{operation="{name}",le="{bound}"}} {count}'
                for bound, count in zip(bounds, cumulated, strict=True)
            ]
            lines.append(f'nearby_request_seconds_sum{{operation="{name}"}} {row[len(BUCKETS) + 1]:.6f}')
            lines.append(f'nearby_request_seconds_count{{operation="{name}"}} {cumulated[-1]}')
        return "\n".join(lines) + "\n"
