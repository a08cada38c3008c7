"""One space of a detector: its encoder, its score, and the codes of the training items that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Codes
from encoders.progress import progress
from indexers.base import Index
from indexers.registry import create_index
from retrieval.applications.anomaly.choice import create_score
from retrieval.applications.anomaly.neighbours import Nearest, Neighbours, nearest
from retrieval.applications.anomaly.score import Score
from retrieval.applications.anomaly.stages import Stages, blocks
from retrieval.corpora.base import Content, Corpus, Item

Floats = NDArray[np.float64]
#: Items that are encoded at a time.
ROWS = 1024


@dataclass
class Member:
    """One space of a detector.

    Attributes
    ----------
    encoder : Encoder
    stages : Stages
    score : Score
    index : Index
        Exact, with the codes of the training items that are kept. The code of a density is one number, so its input
        stands there instead, unless the score is the distance to neighbours.
    mean : ndarray float64 (dim,)
        Mean of each component over the training items.
    reference : ndarray float64 (n,)
        Scores of held-out items among which a score gets its rank; empty if the detector has one space only.
    indexes_inputs : bool
        Whether the index holds the input of the last stage instead of codes.
    """

    encoder: Encoder
    stages: Stages
    score: Score
    index: Index
    mean: Floats
    reference: Floats = field(default_factory=lambda: np.zeros(0))
    indexes_inputs: bool = False

    @classmethod
    def fit(
        cls, encoder: Encoder, training: Corpus, kept: Sequence[Item], score: str, k: int, standardise: bool | None
    ) -> Member:
        """Fit the score of a fitted encoder to training items; the codes of the items `kept` are indexed."""
        stages = Stages.of(encoder)
        made = create_score(score, stages, k, standardise)
        indexes_inputs = stages.ends_in_density and not isinstance(made, Neighbours)
        index = create_index("exact", stages.input_space if indexes_inputs else encoder.space)
        for start in range(0, len(kept), ROWS):
            some: Any = [item.content for item in kept[start : start + ROWS]]
            codes = stages.before_last(stages.read(some)) if indexes_inputs else encoder.encode(some)
            index.add([str(start + row) for row in range(len(some))], codes)
        if isinstance(made, Neighbours):
            made.index = index
        rows = _Averaged(stages, training)
        passing = iter(rows)
        made.fit(passing)
        for _ in passing:  # what the score did not need
            pass
        return cls(encoder, stages, made, index, rows.mean, indexes_inputs=indexes_inputs)

    def nearest(self, content: Content, k: int) -> Nearest:
        """Return the training items that are nearest to an item, among those that are kept."""
        items: Any = [content]
        if self.indexes_inputs:
            codes = self.stages.before_last(self.stages.read(items))
        else:
            codes = self.encoder.encode_queries(items)
        return nearest(self.index, codes, min(k, len(self.index)))

    def scores(self, corpus: Corpus) -> Floats:
        """Return the score of every item of a corpus, float64 (n,)."""
        parts = []
        with progress(f"scoring by {self.encoder}", corpus.size, "items") as bar:
            for batch in corpus.batches(ROWS):
                parts.append(self.score.score(batch.items))
                bar.update(len(parts[-1]))
        return np.concatenate(parts) if parts else np.zeros(0)


class _Averaged:
    """The rows of the items of a corpus, block by block, in one pass, which also gives their mean."""

    def __init__(self, stages: Stages, corpus: Corpus) -> None:
        self.stages, self.corpus = stages, corpus
        self.mean = np.zeros(stages.width)

    def __iter__(self) -> Iterator[Codes]:
        total, count = np.zeros(self.stages.width), 0
        for batch in self.corpus.batches(ROWS):
            rows = self.stages.read(batch.items)
            for block in blocks(rows):
                total += np.asarray(block.sum(axis=0, dtype=np.float64), dtype=np.float64).ravel()
                count += block.shape[0]
            yield rows
        self.mean = total / max(1, count)
