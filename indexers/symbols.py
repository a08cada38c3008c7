"""Values of quantised codes as symbols of few bits, and back, exactly."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from encoders.packing import Part


class Dictionary:
    """The values of every group of a part, in the order in which they were first seen.

    Examples
    --------
    >>> table = Dictionary(Part(1, bits=1))
    >>> table.symbols(np.array([[7.0], [5.0], [7.0]], dtype=np.float32)).ravel().tolist()
    [1, 0, 1]
    >>> table.values(np.array([[1]], dtype=np.uint8)).tolist()
    [[7.0]]
    """

    def __init__(self, part: Part) -> None:
        self.part, self.max_symbols = part, 2**part.bits
        #: (groups, 2**bits, width); NaN where no value is known yet.
        self.table = np.full((part.groups, self.max_symbols, part.width), np.nan, dtype=np.float32)
        self.counts = np.zeros(part.groups, dtype=np.int64)
        self._mixers = np.random.default_rng(0).integers(1, 2**63, part.width, dtype=np.uint64) | np.uint64(1)
        self._sorted: list[tuple[NDArray[np.uint64], NDArray[np.int64]] | None] = [None] * part.groups

    @property
    def size(self) -> int:
        """Number of values in `flat`."""
        return self.table.size

    def flat(self) -> NDArray[np.float32]:
        """Return the table as one row of numbers."""
        return self.table.ravel()

    def restore(self, flat: NDArray[np.float32]) -> None:
        """Read what `flat` returned."""
        self.table = np.array(flat, dtype=np.float32).reshape(self.table.shape)
        self.counts = (~np.isnan(self.table[:, :, 0])).sum(axis=1)
        self._sorted = [None] * self.part.groups

    def copy(self) -> Self:
        """Return a copy that later values do not change."""
        other = type(self)(self.part)
        other.table, other.counts, other._sorted = self.table.copy(), self.counts.copy(), list(self._sorted)
        return other

    def symbols(self, columns: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return the symbol of every group, uint8 (n, groups); new values are added to the table.

        Raises
        ------
        ValueError
            When a group has more values than symbols.
        """
        groups = np.ascontiguousarray(columns, dtype=np.float32).reshape(
            len(columns), self.part.groups, self.part.width
        )
        groups = groups + np.float32(0)  # -0 is 0
        symbols = np.empty(groups.shape[:2], dtype=np.uint8)
        for group in range(self.part.groups):
            symbols[:, group] = self._symbols_of(group, groups[:, group])
        if not np.array_equal(self.values(symbols), groups.reshape(len(columns), -1)):  # two values had one key
            raise ValueError("the values of a group cannot be told apart")
        return symbols

    def values(self, symbols: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the components of symbols, float32 (n, groups * width)."""
        starts = np.arange(self.part.groups) * self.max_symbols
        rows = self.table.reshape(-1, self.part.width)
        return np.asarray(np.take(rows, symbols + starts, axis=0).reshape(len(symbols), -1))

    def _symbols_of(self, group: int, values: NDArray[np.float32]) -> NDArray[np.int64]:
        keys = self._keys(values)
        known, order = self._known(group)
        positions = np.minimum(np.searchsorted(known, keys), max(len(known) - 1, 0))
        new = known[positions] != keys if len(known) else np.ones(len(keys), dtype=bool)
        if new.any():
            _, firsts = np.unique(keys[new], return_index=True)
            count = int(self.counts[group])
            if count + len(firsts) > self.max_symbols:
                raise ValueError("a group has more values than symbols")
            self.table[group, count : count + len(firsts)] = values[new][firsts]
            self.counts[group] += len(firsts)
            self._sorted[group] = None
            known, order = self._known(group)
            positions = np.searchsorted(known, keys)
        return order[positions]

    def _known(self, group: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Return the keys of the known values of a group in ascending order, and their symbols."""
        ready = self._sorted[group]
        if ready is None:
            keys = self._keys(self.table[group, : self.counts[group]])
            order = np.argsort(keys)
            ready = self._sorted[group] = keys[order], order
        return ready

    def _keys(self, values: NDArray[np.float32]) -> NDArray[np.uint64]:
        """Return one number for every value (n, width); different values have different numbers almost surely."""
        bits = np.ascontiguousarray(values).view(np.uint32)
        if bits.shape[1] == 1:
            return bits[:, 0].astype(np.uint64)
        return np.asarray((bits * self._mixers).sum(axis=1, dtype=np.uint64))


def pack_symbols(symbols: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Pack symbols of a few bits (n, groups) into bytes.

    Examples
    --------
    >>> pack_symbols(np.array([[1, 2, 3]], dtype=np.uint8), 4).tolist()
    [[18, 48]]
    """
    if bits == 8:
        return symbols
    if bits == 0:
        return np.empty((len(symbols), 0), dtype=np.uint8)
    single = np.unpackbits(symbols[:, :, None], axis=2)[:, :, 8 - bits :]
    return np.packbits(single.reshape(len(symbols), -1), axis=1)


def unpack_symbols(packed: NDArray[np.uint8], groups: int, bits: int) -> NDArray[np.uint8]:
    """Return the symbols that `pack_symbols` packed, uint8 (n, groups)."""
    if bits == 8:
        return packed
    if bits == 0:
        return np.zeros((len(packed), groups), dtype=np.uint8)
    if bits == 4:  # three times as fast
        return np.stack([packed >> 4, packed & 15], axis=2).reshape(len(packed), -1)[:, :groups]
    single = np.unpackbits(packed, axis=1, count=groups * bits).reshape(len(packed), groups, bits)
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint8)
    return np.asarray(single @ weights, dtype=np.uint8)


def scaled_symbols(values: NDArray[np.float32], bits: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the scale of every row, float32 (n,), and its odd multiples as symbols, uint8 (n, groups).

    Raises
    ------
    ValueError
        When a row is not made of odd multiples of one number.

    Examples
    --------
    >>> scaled_symbols(np.array([[0.5, -1.5]], dtype=np.float32), 2)
    (array([0.5], dtype=float32), array([[2, 0]], dtype=uint8))
    """
    largest = np.abs(values).max(axis=1)
    scales, symbols = np.zeros(len(values), dtype=np.float32), np.zeros(values.shape, dtype=np.uint8)
    open_rows = np.flatnonzero(largest > 0)
    for level in range(2**bits - 1, 0, -2):
        if not len(open_rows):
            break
        scale = (largest[open_rows] / np.float32(level)).astype(np.float32)
        rows = values[open_rows]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            multiples = rows.astype(np.float64) / scale[:, None]
        tried = np.clip(np.rint((np.nan_to_num(multiples) + 2**bits - 1) / 2), 0, 2**bits - 1).astype(np.uint8)
        fits = (scaled_values(scale, tried, bits) == rows).all(axis=1)
        scales[open_rows[fits]], symbols[open_rows[fits]] = scale[fits], tried[fits]
        open_rows = open_rows[~fits]
    if len(open_rows):
        raise ValueError("a row has no scale of which its numbers are multiples")
    return scales, symbols


def scaled_values(scales: Any, symbols: NDArray[np.uint8], bits: int) -> NDArray[np.float32]:
    """Return the values of `scaled_symbols`, float32 (n, groups)."""
    levels = 2 * symbols.astype(np.float32) - np.float32(2**bits - 1)
    return np.asarray(levels * np.reshape(scales, (-1, 1)).astype(np.float32), dtype=np.float32)
