"""Symbols of a chunk as bytes and back, by asymmetric numeral systems with whole frequencies."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.applications.compression.ans_stack import AnsStack
from retrieval.applications.compression.integer_model import integer_model
from retrieval.applications.compression.quantizer import Quantizer

#: A symbol without a frequency of its own is written as two halves of 16 bits.
_HALF = 1 << 16


class SymbolCoder:
    """Codes the symbols of a quantiser; a component after another, so that each model is used for a whole column."""

    def __init__(self, quantizer: Quantizer) -> None:
        self.quantizer = quantizer

    @cached_property
    def _models(self) -> list[Any]:
        return [integer_model(self.quantizer.frequencies[component]) for component in self.quantizer.kept]

    def encode(self, symbols: NDArray[np.int64]) -> bytes:
        """Return the bytes of symbols (n, dim)."""
        coder = AnsStack()
        columns, escaped = self._columns(symbols)
        for far in reversed(escaped):
            halves = np.stack([far // _HALF, far % _HALF], axis=1).ravel().astype(np.int32)
            coder.push_uniform(halves, _HALF)
        for column, model in zip(reversed(columns), reversed(self._models), strict=True):
            coder.push(column, model)
        return coder.to_bytes().rstrip(b"\0")

    def _columns(self, symbols: NDArray[np.int64]) -> tuple[list[NDArray[np.int32]], list[NDArray[np.int64]]]:
        """Return the columns as rows of their tables, and the symbols that need an escape, as whole numbers from 0."""
        columns, escaped = [], []
        for component in self.quantizer.kept:
            size = len(self.quantizer.shifts[component])
            rows = symbols[:, component] - int(self.quantizer.lows[component])
            outside = (rows < 0) | (rows >= size)
            columns.append(np.where(outside, size, rows).astype(np.int32))
            if outside.any():
                far = symbols[outside, component]
                escaped.append(np.where(far >= 0, 2 * far, -2 * far - 1))
        return columns, escaped

    def decode(self, data: bytes, items: int) -> NDArray[np.int64]:
        """Return the symbols (items, dim) of bytes.

        Raises
        ------
        ValueError
            When the bytes are not those of so many items.
        """
        coder = AnsStack(data + b"\0" * (-len(data) % 4))
        symbols = np.zeros((items, self.quantizer.dim), np.int64)
        kept = self.quantizer.kept
        for component, model in zip(kept, self._models, strict=True):
            symbols[:, component] = coder.pop(model, items)
        for component in kept:
            size = len(self.quantizer.shifts[component])
            outside = symbols[:, component] == size
            if outside.any():
                halves = coder.pop_uniform(2 * int(outside.sum()), _HALF).reshape(-1, 2)
                far = halves[:, 0].astype(np.int64) * _HALF + halves[:, 1]
                symbols[outside, component] = np.where(far % 2, -(far + 1) // 2, far // 2)
            known = ~outside
            symbols[known, component] += int(self.quantizer.lows[component])
        if not coder.is_empty:
            raise ValueError("symbols are left over")
        return symbols
