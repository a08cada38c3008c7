"""Scalar quantisation: every component as one of a few evenly spaced levels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Items, Kind, Space
from encoders.errors import BadItemError
from encoders.packing import Part
from encoders.unreduced import metric_before, unreduced


@dataclass
class ScalarQuantizer(Encoder):
    """What `sq8` and `sq4` have in common: evenly spaced levels between the extremes of every component.

    A code holds the values of the levels, float32 (n, dim), which an exact index stores as symbols of `bits` bits.
    Queries are not reduced (asymmetric distance). Values outside the range of the training data are moved to its ends.
    """

    reads_sparse: ClassVar[bool] = False
    bits: ClassVar[int]

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        low: Any = None
        high: Any = None
        for batch in batches:
            if not len(batch.items):
                continue
            rows = unreduced(self, batch.items)
            low = rows.min(axis=0) if low is None else np.minimum(low, rows.min(axis=0))
            high = rows.max(axis=0) if high is None else np.maximum(high, rows.max(axis=0))
        if low is None:
            raise BadItemError("there is nothing to fit on: the corpus holds no items")
        self.low, self.width = low.astype(np.float64), high.astype(np.float64) - low
        return Space(len(low), Kind.DENSE, metric_before(self), packing=(Part(len(low), bits=self.bits),))

    def _encode(self, items: Any) -> Codes:
        steps = 2**self.bits - 1
        rows = unreduced(self, items) - self.low
        share = np.divide(rows, self.width, out=np.zeros_like(rows), where=self.width > 0)
        symbols = np.floor(np.clip(share, 0, 1) * steps)
        middle = np.where(self.width > 0, (symbols + 0.5) / steps, 0)  # the middle of a cell, as FAISS decodes
        return np.asarray(self.low + middle * self.width, dtype=np.float32)

    def _encode_queries(self, items: Any) -> Codes:
        return unreduced(self, items)

    def _decode(self, codes: Codes) -> Items:
        return np.array(codes, dtype=np.float32)

    def state(self) -> State:
        """Return the smallest value and the range of every component, float64 (dim,) each."""
        return {"low": self.low, "width": self.width}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.low, self.width = state["low"], state["width"]


@dataclass
class SQ8(ScalarQuantizer):
    """Scalar quantisation with 8 bits: one byte per component instead of four, between the extremes in training.

    Use it when you want a quarter of the bytes almost without loss.

    Queries are not reduced (asymmetric distance). The code holds the 256 levels of each component as numbers; an exact
    index stores one byte for each. Levels are those of FAISS' ``SQ8``. Codes are compared by the metric of the space
    before; cosine quantises rows of unit length. Decoding returns the levels.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((100, 16)).astype(np.float32)
    >>> encoder = SQ8().fit(rows)
    >>> encoder.space.bytes_per_item, bool(np.abs(encoder.encode(rows) - rows).max() < 0.02)
    (16, True)

    References
    ----------
    Jégou, Douze & Schmid, Product quantization for nearest neighbor search, TPAMI 33(1), 2011, §II (quantisation, and
    asymmetric distance in §III); Douze et al., The Faiss library, 2024, §4.1 (``SQ8``).
    """

    name: ClassVar[str] = "sq8"
    bits: ClassVar[int] = 8


@dataclass
class SQ4(ScalarQuantizer):
    """Scalar quantisation with 4 bits: half a byte per component, between the extremes of the training data.

    Use it when you want an eighth of the bytes, and small losses are acceptable.

    As ``sq8``, with 16 levels of each component; FAISS calls it ``SQ4``.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((100, 16)).astype(np.float32)
    >>> encoder = SQ4().fit(rows)
    >>> encoder.space.bytes_per_item, len(np.unique(encoder.encode(rows)[:, 0])) <= 16
    (8, True)

    References
    ----------
    Jégou, Douze & Schmid, Product quantization for nearest neighbor search, TPAMI 33(1), 2011, §II (quantisation, and
    asymmetric distance in §III); Douze et al., The Faiss library, 2024, §4.1 (``SQ4``).
    """

    name: ClassVar[str] = "sq4"
    bits: ClassVar[int] = 4
