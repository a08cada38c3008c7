"""The contract of a score: one number for each item; the larger, the stranger the item."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.base import State
from encoders.codes import Codes, Items
from encoders.errors import UnsupportedSpaceError
from encoders.progress import say_once
from encoders.row import Row
from retrieval.applications.anomaly.stages import Stages, by_blocks

#: What stands for a score too large for float64, or one that a network could not compute for extreme values.
LARGEST = float(np.finfo(np.float64).max)


class Score(ABC):
    """A score of one encoder. A subclass writes ``_score`` and ``why_not``, and ``fit`` if it learns.

    Parameters
    ----------
    stages : Stages
        Of the fitted encoder.
    """

    #: The name on the command line.
    name: ClassVar[str]
    #: What the number is, for people.
    meaning: ClassVar[str]

    def __init__(self, stages: Stages) -> None:
        self.stages = stages

    @classmethod
    @abstractmethod
    def why_not(cls, stages: Stages) -> str:
        """Return why an encoder, fitted or not, has no such score; an empty text if it has."""

    @abstractmethod
    def _score(self, rows: Codes) -> Any:
        """Return the score of each row of a block (n,)."""

    def fit(self, blocks: Iterable[Codes]) -> None:  # noqa: B027  # most scores learn nothing
        """Learn from the rows of the training items, block by block."""

    def score_rows(self, rows: Codes) -> NDArray[np.float64]:
        """Return the score of each row, float64 (n,); never NaN or infinite.

        A text of which no word is known would be reconstructed without error: it is stranger than every other.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            scores = np.nan_to_num(by_blocks(rows, self._score), nan=LARGEST, posinf=LARGEST, neginf=-LARGEST)
        if issparse(rows):
            scores[np.diff(rows.indptr) == 0] = LARGEST
        return scores

    def score(self, items: Items) -> NDArray[np.float64]:
        """Return the score of each item, float64 (n,).

        A code has no number for an infinite value: the row of a table that holds one is stranger than every other.

        Raises
        ------
        BadItemError, DimensionError
            When the encoder cannot read the items.
        """
        scores = self.score_rows(self.stages.read(items))
        if self.stages.table is not None:
            infinite = self.stages.table.infinite_columns(cast("Sequence[Row]", items))
            for name in dict.fromkeys(name for names in infinite.values() for name in names):
                say_once(f"{name}: a row with an infinite number is stranger than every other")
            scores[list(infinite)] = LARGEST
        return scores

    def options(self) -> dict[str, Any]:
        """Return the options that `create_score` needs, as JSON values."""
        return {}

    def state(self) -> State:
        """Return the learnt arrays by name."""
        return {}

    def restore(self, state: State) -> None:  # noqa: B027  # most scores have no arrays
        """Restore what `state` returned."""


def require_possible(kind: type[Score], stages: Stages) -> None:
    """Raise an error for an encoder that has no such score.

    Raises
    ------
    UnsupportedSpaceError
    """
    reason = kind.why_not(stages)
    if reason:
        raise UnsupportedSpaceError(f"'{stages.encoder}' has no score '{kind.name}': {reason}")
