"""Codes of a quantised space, packed: the few bytes that the packing of the space declares, without any loss.

A group of components has few different values in all codes, so the number of its value (a symbol) is stored, and a
table of values once for all: dictionary encoding, as in a column of Parquet. The table is learnt from the codes, so an
index needs to know no encoder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from encoders.codes import slices
from encoders.errors import BadItemError
from encoders.packing import RAW, Packing, Part, packed_bytes
from indexers.folder import array_bytes, read_array, write_array
from indexers.symbols import Dictionary, pack_symbols, scaled_symbols, scaled_values, unpack_symbols

CODES, TABLES = "codes.npy", "symbols.npy"
#: Rows that are packed or unpacked at a time.
ROWS = 4096
#: Numbers up to which unpacked codes stay in memory after the first search (64 MiB); larger ones are unpacked by block.
KEPT_NUMBERS = 2**24


class PackedCodes:
    """A float32 matrix (n, dim) that is stored packed and unpacked where it is read.

    Parameters
    ----------
    packing : tuple of Part

    Examples
    --------
    >>> codes = PackedCodes((Part(2, bits=1),))
    >>> codes.append(np.array([[0.5, -1.0], [0.25, -1.0]], dtype=np.float32))
    >>> codes.packed.shape, codes[1:].tolist()
    ((2, 1), [[0.25, -1.0]])
    """

    def __init__(self, packing: Packing) -> None:
        self.packing = packing
        self.width = sum(part.columns for part in packing)
        self.tables = [None if _is_plain(part) else Dictionary(part) for part in packing]
        self._blocks: list[NDArray[np.uint8]] = []
        self._whole: NDArray[np.float32] | None = None

    # -- the parts of a matrix that a search uses --------------------------------------------------------------

    def __len__(self) -> int:
        return sum(map(len, self._blocks))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and components."""
        return len(self), self.width

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """Of the unpacked codes."""
        return np.dtype(np.float32)

    def __getitem__(self, rows: Any) -> NDArray[np.float32]:
        if self._whole is not None:
            return np.asarray(self._whole[rows])
        return self._unpacked(self.packed[rows])

    def take(
        self, rows: Any, axis: int = 0, out: NDArray[np.float32] | None = None, mode: Any = "raise"
    ) -> NDArray[np.float32]:
        """Return some rows, as ``numpy.take`` of a matrix does."""
        taken = (
            self._unpacked(self.packed.take(rows, axis=axis, mode=mode)) if self._whole is None else self._whole[rows]
        )
        if out is None:
            return taken
        out[...] = taken
        return out

    def ready(self) -> PackedCodes:
        """Keep small codes unpacked in memory, as many searches would unpack them each time; return self."""
        if self._whole is None and len(self) * self.width <= KEPT_NUMBERS:
            self._whole = self._unpacked(self.packed)
        return self

    @property
    def packed(self) -> NDArray[np.uint8]:
        """The stored bytes (n, bytes)."""
        if len(self._blocks) != 1:
            empty = np.empty((0, packed_bytes(self.packing)), dtype=np.uint8)
            self._blocks = [np.concatenate([empty, *self._blocks])]
        return self._blocks[0]

    # -- changing ----------------------------------------------------------------------------------------------

    def append(self, codes: NDArray[np.float32]) -> None:
        """Append rows.

        Raises
        ------
        BadItemError
            When they are no codes of this space: a group has too many different values.
        """
        before = [None if table is None else table.copy() for table in self.tables]
        try:
            packed = np.concatenate([self._packed(block) for block in slices(codes, ROWS)])
        except ValueError:
            self.tables = before
            raise BadItemError(
                "these codes do not come from the codebooks of this space: add what its encoder gives (encode, not "
                "encode_queries)"
            ) from None
        self._blocks.append(packed)
        self._whole = None

    def kept(self, keep: NDArray[np.bool_]) -> PackedCodes:
        """Return the rows where `keep` is true, with the same tables."""
        rest = PackedCodes(self.packing)
        rest.tables, rest._blocks = self.tables, [self.packed[keep]]
        return rest

    # -- saving ------------------------------------------------------------------------------------------------

    def write(self, folder: Path) -> None:
        """Write the packed codes and the tables."""
        write_array(folder / CODES, self.packed)
        write_array(folder / TABLES, self._flat_tables())

    def bytes_on_disk(self) -> int:
        """Return the size of what `write` writes."""
        return array_bytes(self.packed) + array_bytes(self._flat_tables())

    @classmethod
    def read(cls, folder: Path, packing: Packing, mmap: bool) -> Self:
        """Read (or map) what `write` wrote.

        Raises
        ------
        ValueError
            When the arrays do not fit the packing.
        """
        codes = cls(packing)
        packed, flat = read_array(folder / CODES, mmap), read_array(folder / TABLES, mmap=False)
        if packed.dtype != np.uint8 or packed.ndim != 2 or packed.shape[1] != packed_bytes(packing):
            raise ValueError(f"{CODES} has shape {packed.shape}, expected {packed_bytes(packing)} bytes a row")
        tables = [table for table in codes.tables if table is not None]
        if flat.dtype != np.float32 or flat.shape != (sum(table.size for table in tables),):
            raise ValueError(f"{TABLES} has shape {flat.shape}, which the packing does not need")
        for table in tables:
            table.restore(flat[: table.size])
            flat = flat[table.size :]
        codes._blocks = [packed]
        return codes

    def _flat_tables(self) -> NDArray[np.float32]:
        tables = [table.flat() for table in self.tables if table is not None]
        return np.concatenate([np.empty(0, dtype=np.float32), *tables])

    # -- packing -----------------------------------------------------------------------------------------------

    def _packed(self, codes: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return the bytes of some rows; ValueError where a group has too many values."""
        parts = []
        for part, table, columns in self._parts(codes):
            if table is not None:
                parts.append(pack_symbols(table.symbols(columns), part.bits))
            elif part.scaled:
                scales, symbols = scaled_symbols(columns, part.bits)
                parts += [_as_bytes(scales[:, None]), pack_symbols(symbols, part.bits)]
            else:
                parts.append(_as_bytes(columns))
        return np.concatenate(parts, axis=1)

    def _parts(self, codes: NDArray[np.float32]) -> Iterator[tuple[Part, Dictionary | None, NDArray[np.float32]]]:
        start = 0
        for part, table in zip(self.packing, self.tables, strict=True):
            yield part, table, codes[:, start : start + part.columns]
            start += part.columns

    def _unpacked(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        codes = np.empty((len(packed), self.width), dtype=np.float32)
        for first in range(0, len(packed), ROWS):
            rows, start = packed[first : first + ROWS], 0
            for part, table, columns in self._parts(codes[first : first + ROWS]):
                some = rows[:, start : start + part.bytes]
                start += part.bytes
                if table is not None:
                    columns[...] = table.values(unpack_symbols(some, part.groups, part.bits))
                elif part.scaled:
                    symbols = unpack_symbols(some[:, 4:], part.groups, part.bits)
                    columns[...] = scaled_values(_as_floats(some[:, :4]), symbols, part.bits)
                else:
                    columns[...] = _as_floats(some)
        return codes


def _is_plain(part: Part) -> bool:
    """Whether a part needs no table of values."""
    return part.scaled or part.bits == RAW


def _as_bytes(numbers: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(numbers, dtype="<f4").view(np.uint8)


def _as_floats(stored: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.ascontiguousarray(stored).view("<f4").astype(np.float32, copy=False)
