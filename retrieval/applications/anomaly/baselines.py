"""Trivial detectors that a learnt one must beat: the length of an item, and a network that has not learnt anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Codes
from retrieval.applications.anomaly.stages import Stages, by_blocks, dense
from retrieval.corpora.base import Corpus
from retrieval.spaces.space_encoder import encoder_of

#: A learning rate with which weights stay as they were drawn.
NO_LEARNING = 1e-12


def length_scores(stages: Stages, corpus: Corpus) -> NDArray[np.float64]:
    """Return the L2 norm of the row of every item, float64 (n,)."""
    parts = [by_blocks(stages.read(batch.items), _norms) for batch in corpus.batches()]
    return np.concatenate(parts) if parts else np.zeros(0)


def _norms(rows: Codes) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(np.square(dense(rows), dtype=np.float64).sum(axis=1)))


def untrained(spec: str) -> str | None:
    """Return the spec of the same encoder whose networks keep their first weights; None if it has no network.

    Means and variances of normalisations, and the first bias of a decoder, are those of the data, as in the network
    before its training.

    Examples
    --------
    >>> untrained("vectors+deep-ae:8-2"), untrained("vectors+pca:2")
    ('vectors+deep-ae:8-2,epochs=1,learning-rate=1e-12', None)
    """
    encoder = encoder_of(spec)
    if encoder.__sklearn_is_fitted__():
        return None
    stages = [_not_learning(stage) for stage in encoder.parts]
    if all(stage is part for stage, part in zip(stages, encoder.parts, strict=True)):
        return None
    return "+".join(map(str, stages))


def _not_learning(stage: Encoder) -> Encoder:
    from encoders.neural.encoder import NeuralEncoder

    if not isinstance(stage, NeuralEncoder):
        return stage
    changes: dict[str, Any] = {"epochs": 1, "learning_rate": NO_LEARNING}
    if hasattr(stage, "pretrain"):
        changes["pretrain"] = "none"
    return replace(stage, **changes)
