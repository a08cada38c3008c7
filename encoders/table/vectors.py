"""Vectors, unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space
from encoders.errors import BadItemError
from encoders.options import option


@dataclass
class Vectors(Encoder):
    """The vectors of the corpus, unchanged.

    Use it when your vectors were computed elsewhere and you want to search them, or put a projection after them.

    Examples
    --------
    >>> Vectors("cosine").fit([[1.0, 2.0]]).encode([[3.0, 4.0]]).tolist()
    [[3.0, 4.0]]

    References
    ----------
    Salton, Wong & Yang, A vector space model for automatic indexing, CACM 18(11), 1975.
    """

    name: ClassVar[str] = "vectors"
    keeps_items: ClassVar[bool] = True
    metric: str = option("euclidean", "How two vectors are compared.", choices=("euclidean", "cosine", "dot"))

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        for batch in batches:
            return Space(int(batch.items.shape[1]), Kind.DENSE, Metric(self.metric))
        raise BadItemError("there is nothing to fit on: the corpus holds no vectors")

    def _encode(self, items: Any) -> Codes:
        return items

    def _decode(self, codes: Codes) -> Items:
        return codes

    def state(self) -> State:
        """Return no arrays: nothing is learnt."""
        return {}

    def restore(self, state: State) -> None:
        """Nothing to restore."""
