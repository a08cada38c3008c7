"""A scalar quantiser with its own step for each component of a code, and the entropy models of its symbols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes
from encoders.errors import ArtifactError, DimensionError, one_line
from retrieval.applications.compression.integer_model import MAX_SYMBOLS, TOTAL

#: Reconstruction points are moved from the middle of their cell by this part of a step.
SHIFT_UNIT = 1 / 256
#: Largest size of the tables, decompressed.
MAX_TABLE_BYTES = 1 << 28
#: Symbols beyond this are not written: no code of a trained encoder reaches them.
_FAR = 1 << 30


@dataclass(frozen=True)
class Quantizer:
    """Turns codes into whole numbers (symbols) and back.

    A component with step 0 is dropped: all items get its offset. Of every other, symbol s stands for the numbers near
    ``offset + step * s``, and is decoded to their mean.

    Attributes
    ----------
    steps, offsets : ndarray float32 (dim,)
    dead_zones : ndarray float32 (dim,)
        By how much of a step the cell of symbol 0 is wider on each side.
    lows : ndarray int32 (dim,)
        The smallest symbol with a frequency of its own.
    frequencies : tuple of ndarray int64 (symbols + 1,)
        One for each component: of the symbols from `lows` on, the last of an escape; they add up to 2^16. Empty for a
        dropped component.
    shifts : tuple of ndarray int8 (symbols,)
        Reconstruction points, in 256ths of a step from the middle.

    References
    ----------
    .. [1] Sullivan, Efficient scalar quantization of exponential and Laplacian random variables, IEEE Transactions on
       Information Theory 42(5), 1996: uniform steps with a dead zone.
    .. [2] Lloyd, Least squares quantization in PCM, IEEE Transactions on Information Theory 28(2), 1982: the mean of a
       cell as its point.
    """

    steps: NDArray[np.float32]
    offsets: NDArray[np.float32]
    dead_zones: NDArray[np.float32]
    lows: NDArray[np.int32]
    frequencies: tuple[NDArray[np.int64], ...]
    shifts: tuple[NDArray[np.int8], ...]

    @property
    def dim(self) -> int:
        """Number of components."""
        return len(self.steps)

    @property
    def kept(self) -> list[int]:
        """The components that are not dropped."""
        return np.flatnonzero(self.steps).tolist()

    def quantize(self, codes: Codes) -> NDArray[np.int64]:
        """Return the symbols of codes (n, dim); 0 for dropped components.

        Raises
        ------
        DimensionError
        """
        if codes.shape[1] != self.dim:
            raise DimensionError(f"the quantiser has {self.dim:,} components, the codes have {codes.shape[1]:,}")
        return symbols_of(np.asarray(codes), self.steps, self.offsets, self.dead_zones)

    def dequantize(self, symbols: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return codes float32 (n, dim) of symbols (n, dim): a pure function of the tables, the same everywhere."""
        codes = np.tile(self.offsets, (len(symbols), 1))
        for component in self.kept:
            column, shifts = symbols[:, component], self.shifts[component]
            rows = column - int(self.lows[component])
            known = (rows >= 0) & (rows < len(shifts))
            moved = np.where(known, shifts[np.clip(rows, 0, len(shifts) - 1)] * SHIFT_UNIT, 0.0)
            exact = float(self.offsets[component]) + float(self.steps[component]) * (column + moved)
            codes[:, component] = exact.astype(np.float32)
        return codes

    def to_bytes(self) -> bytes:
        """Return the tables as safetensors, compressed."""
        import zlib

        from safetensors.numpy import save

        parts: dict[str, NDArray[Any]] = {
            "steps": self.steps,
            "offsets": self.offsets,
            "dead_zones": self.dead_zones,
            "lows": self.lows,
            "symbols": np.array([len(one) for one in self.shifts], np.uint16),
            "frequencies": np.concatenate([*self.frequencies, np.empty(0, np.int64)]).astype(np.uint16),
            "shifts": np.concatenate([*self.shifts, np.empty(0, np.int8)]),
        }
        return zlib.compress(save(parts), 9)

    @classmethod
    def from_bytes(cls, data: bytes) -> Quantizer:
        """Read what `to_bytes` returned.

        Raises
        ------
        ArtifactError
            When the tables cannot be those of a quantiser.
        """
        import zlib

        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            stream = zlib.decompressobj()
            text = stream.decompress(data, MAX_TABLE_BYTES)
            if not stream.eof:
                raise ValueError(f"they are cut, or larger than {MAX_TABLE_BYTES:,} bytes")
            parts = load(text)
            counts = parts["symbols"].astype(np.int64)
            quantizer = cls(
                _finite(parts["steps"], len(counts)),
                _finite(parts["offsets"], len(counts)),
                _finite(parts["dead_zones"], len(counts)),
                _typed(parts["lows"], np.int32, len(counts)),
                _cut(parts["frequencies"], np.uint16, counts + (counts > 0), np.int64),
                _cut(parts["shifts"], np.int8, counts, np.int8),
            )
            quantizer._require_valid()
        except (LookupError, TypeError, ValueError, zlib.error, SafetensorError) as error:
            raise ArtifactError(f"the tables of the quantiser are corrupt: {one_line(error)}") from None
        return quantizer

    def _require_valid(self) -> None:
        if (self.steps < 0).any() or (np.abs(self.lows.astype(np.int64)) > _FAR).any():
            raise ValueError("a step or symbol is out of range")
        if (np.fromiter(map(len, self.frequencies), np.int64, self.dim).astype(bool) != (self.steps > 0)).any():
            raise ValueError("a component has a step or frequencies, but not both")
        for component in self.kept:
            table = self.frequencies[component]
            if not 2 <= len(table) <= MAX_SYMBOLS or table.sum() != TOTAL or table.min() < 1:
                raise ValueError("frequencies do not add up")


def symbols_of(
    codes: NDArray[np.float32],
    steps: NDArray[np.float32],
    offsets: NDArray[np.float32],
    dead_zones: NDArray[np.float32],
) -> NDArray[np.int64]:
    """Return the symbols of codes; steps, offsets and dead zones apply to the last axis; step 0 gives symbol 0."""
    scaled = (codes.astype(np.float64) - offsets) / np.where(steps > 0, steps, 1)
    rounded = np.sign(scaled) * np.maximum(np.floor(np.abs(scaled) + 0.5 - dead_zones), 0)
    return np.where(steps > 0, np.clip(rounded, -_FAR, _FAR), 0).astype(np.int64)


def _finite(array: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    if not np.isfinite(_typed(array, np.float32, size)).all():
        raise ValueError("a number is not finite")
    return array


def _cut(
    array: NDArray[Any], dtype: type[Any], lengths: NDArray[np.int64], made: type[Any]
) -> tuple[NDArray[Any], ...]:
    """Cut an array into pieces of these lengths, of the type `made`.

    The empty ones, of dropped components, are one object: a few kilobytes can say that there are millions of them.
    """
    whole = _typed(array, dtype, int(lengths.sum())).astype(made)
    pieces, ends = [whole[:0]] * len(lengths), np.cumsum(lengths)
    for component in np.flatnonzero(lengths).tolist():
        pieces[component] = whole[ends[component] - lengths[component] : ends[component]]
    return tuple(pieces)


def _typed(array: NDArray[Any], dtype: type[Any], size: int) -> NDArray[Any]:
    if array.dtype != dtype or array.shape != (size,):
        raise ValueError(f"a table has {array.shape} numbers of {array.dtype}, not {size} of {np.dtype(dtype)}")
    return array
