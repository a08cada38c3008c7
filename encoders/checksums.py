"""Checksums of files by blocks: of all blocks, or of some blocks at a bounded cost."""

from __future__ import annotations

import hashlib
import math
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from encoders.cpu_count import available_cores
from encoders.errors import ArtifactError

BLOCK_BYTES = 2**20
#: Bytes of the SHA-256 stored for each block: half of them suffice against damage.
SUM_BYTES = 16
#: Largest number of blocks read when a file is opened: the first, the last, and random others, so that each opening
#: checks different ones. They cost 25 ms (SHA-256 at 0.7 GB/s per core).
AT_OPENING = 16
#: Smallest number of blocks for which threads are used.
_FEW = 8


def file_sums(path: Path) -> dict[str, Any]:
    """Return the size of a file and the checksums of its blocks, in the form of a manifest."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        return {"bytes": size, "blocks": b"".join(_sums(file.fileno(), range(_count(size)))).hex()}


def check_file(path: Path, known: Mapping[str, Any], whole: bool) -> None:
    """Compare a file with what `file_sums` returned when it was written; unless `whole`, only some of its blocks.

    Raises
    ------
    ArtifactError
        When the file is missing, cut off or damaged.
    KeyError, TypeError, ValueError
        When `known` is not what `file_sums` returns.
    """
    if not path.is_file():
        raise ArtifactError(f"{path.parent} is incomplete: it has no file '{path.name}'")
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size != known["bytes"]:
            raise ArtifactError(f"{path} is damaged: it has {size} bytes, the manifest says {known['bytes']}")
        count, sums = _count(size), bytes.fromhex(known["blocks"])
        if len(sums) != count * SUM_BYTES:
            raise ValueError(f"{len(sums)} bytes of checksums for {count} blocks of {path.name}")
        chosen = range(count) if whole else _some(count)
        for block, checksum in zip(chosen, _sums(file.fileno(), chosen), strict=True):
            if checksum != sums[block * SUM_BYTES : (block + 1) * SUM_BYTES]:
                raise ArtifactError(
                    f"{path} is damaged: the checksum of block {block + 1} of {count} is not the one in the manifest"
                )


def sum_of(block: bytes) -> bytes:
    """Return the checksum of a block: the first 16 bytes of its SHA-256.

    Examples
    --------
    >>> sum_of(b"").hex()
    'e3b0c44298fc1c149afbf4c8996fb924'
    """
    return hashlib.sha256(block).digest()[:SUM_BYTES]


def _count(size: int) -> int:
    return max(1, math.ceil(size / BLOCK_BYTES))


def _some(count: int) -> Sequence[int]:
    """Return the numbers of the blocks to check when a file is opened, ascending."""
    if count <= AT_OPENING:
        return range(count)
    return [0, *sorted(random.SystemRandom().sample(range(1, count - 1), AT_OPENING - 2)), count - 1]


def _sums(descriptor: int, blocks: Sequence[int]) -> list[bytes]:
    def read_sum(block: int) -> bytes:
        return sum_of(os.pread(descriptor, BLOCK_BYTES, block * BLOCK_BYTES))

    if len(blocks) < _FEW:
        return [read_sum(block) for block in blocks]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(available_cores()) as threads:  # reading and hashing release the interpreter lock
        return list(threads.map(read_sum, blocks))
