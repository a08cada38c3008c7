"""Truncation: the first components of a code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space, normalized
from encoders.errors import BadItemError, OptionError
from encoders.options import option
from encoders.unreduced import metric_before


@dataclass
class Truncate(Encoder):
    """The first components of a code, scaled to unit length again where codes are compared by cosine.

    Use it when the components before it are in the order of their importance: after ``pca`` or ``lsa``, or after a
    sentence model that was trained for it (Matryoshka). It costs nothing to fit.

    Decoding returns the mean of the training values for each component that is cut off; under cosine, zeros.

    Examples
    --------
    >>> Truncate(2).fit_encode(np.array([[3, 4, 9], [6, 8, 9]], dtype=np.float32)).tolist()
    [[3.0, 4.0], [6.0, 8.0]]

    References
    ----------
    Kusupati et al., Matryoshka representation learning, NeurIPS 2022, §3.
    """

    name: ClassVar[str] = "truncate"
    reads_sparse: ClassVar[bool] = False
    n_components: int = option(64, "Number of components that are kept.", ge=1)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        count, total = 0, np.zeros(0)
        for batch in batches:
            count += len(batch.items)
            total = batch.items.sum(axis=0, dtype=np.float64) + (total if total.size else 0)
        if not count:
            raise BadItemError("there is nothing to fit on: the corpus holds no items")
        if self.n_components > len(total):
            raise OptionError(
                f"truncate: n-components={self.n_components} is more than the {len(total)} of the codes: "
                f"use at most {len(total)}"
            )
        metric = metric_before(self)
        self.mean = (total * (0 if metric is Metric.COSINE else 1) / count).astype(np.float32)
        return Space(self.n_components, Kind.DENSE, metric)

    def _encode(self, items: Any) -> Codes:
        first = np.ascontiguousarray(items[:, : self.n_components], dtype=np.float32)
        return normalized(first) if self.space.metric is Metric.COSINE else first

    def _decode(self, codes: Codes) -> Items:
        items = np.tile(self.mean, (codes.shape[0], 1))
        items[:, : self.n_components] = codes
        return items

    def state(self) -> State:
        """Return the mean of every component (dim,); zeros under cosine."""
        return {"mean": self.mean}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.mean = state["mean"]
