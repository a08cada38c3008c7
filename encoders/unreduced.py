"""Rows as a quantiser compares them, before it reduces them: of unit length in a space of cosine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Metric, Space, normalized


def metric_before(encoder: Encoder) -> Metric:
    """Return the metric of the stage before, by which reduced codes are compared too; Euclidean without a stage.

    Hamming distance cannot come before: bits are always last in a pipeline.
    """
    before: Space | None = encoder.input_space
    return Metric.EUCLIDEAN if before is None else before.metric


def unreduced(encoder: Encoder, rows: Any) -> NDArray[np.float32]:
    """Return rows (n, dim) in float32, of unit length where the space before is compared by cosine."""
    dense = np.ascontiguousarray(rows, dtype=np.float32)
    return normalized(dense) if metric_before(encoder) is Metric.COSINE else dense
