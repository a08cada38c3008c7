"""A checksum of the items of a load that does not depend on the order in which they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.paginate import positions_and_digests

_MODULUS = 1 << 256


class Checksum:
    """The number of items, and the sum of the SHA-256 of each one's position and digest.

    A sum does not depend on the order, and an item that is refused later is subtracted (Bellare & Micciancio,
    "A new paradigm for collision-free hashing", Eurocrypt 1997: AdHash).

    Examples
    --------
    >>> one, other = Checksum(), Checksum()
    >>> one.add(0, "aa"), one.add(1, "bb"), other.add(1, "bb"), other.add(0, "aa")
    (None, None, None, None)
    >>> one.value == other.value
    True
    >>> other.subtract(1, "bb")
    >>> other.count, one.value == other.value
    (1, False)
    """

    def __init__(self) -> None:
        self.count, self._sum = 0, 0

    def add(self, position: int, digest: str) -> None:
        """Take an item in."""
        self.count += 1
        self._sum += _hashed(position, digest)

    def subtract(self, position: int, digest: str) -> None:
        """Take an item out again."""
        self.count -= 1
        self._sum -= _hashed(position, digest)

    @property
    def value(self) -> str:
        """The sum, as 64 hexadecimal digits."""
        return f"{self._sum % _MODULUS:064x}"


def _hashed(position: int, digest: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{position}:{digest}".encode()).digest())


def held_checksums(admin: IndexAdmin, index: str, shards: int, number_at: Callable[[int, int], int]) -> list[Checksum]:
    """Return the checksum of what an index holds, of each shard of a load: that of a position is `number_at` it."""
    checksums = [Checksum() for _ in range(shards)]
    for position, digest in positions_and_digests(admin, index):
        checksums[number_at(position, shards) - 1].add(position, digest)
    return checksums


def total(checksums: Iterable[str]) -> str:
    """Return the checksum of all items together, given that of each part.

    Examples
    --------
    >>> total(["01", "ff"])[-4:]
    '0100'
    """
    return f"{sum(int(checksum, 16) for checksum in checksums) % _MODULUS:064x}"


def differing(expected: Sequence[tuple[int, str]], checksums: Sequence[Checksum]) -> list[int]:
    """Return the numbers (from 1) of the shards whose count or sum is not as expected."""
    return [
        number
        for number, (wanted, held) in enumerate(zip(expected, checksums, strict=True), 1)
        if wanted != (held.count, held.value)
    ]
