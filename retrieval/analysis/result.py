"""The results of an analysis: of a corpus, and of each of its spaces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.neural.criterion import Criterion
from retrieval.analysis.cluster_count import CountStudy
from retrieval.analysis.components import Components, PartialSums
from retrieval.analysis.dendrogram import FoldedTree
from retrieval.analysis.locality import Locality
from retrieval.analysis.posterior import AggregatePosterior
from retrieval.search.result import Shown


@dataclass
class SpaceStudy:
    """The results for one space."""

    spec: str
    dim: int
    metric: str
    components: Components | None = None
    sums: list[tuple[int, PartialSums]] = field(default_factory=list)
    quality: dict[str, dict[str, float]] = field(default_factory=dict)
    maps: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    posterior: AggregatePosterior | None = None
    discriminator: Criterion | None = None


@dataclass
class Analysis:
    """The results for a corpus; row numbers are those of the sample."""

    corpus: str
    modality: str
    shown: list[Shown]
    labels: list[str | None]
    spaces: list[SpaceStudy] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    lost: dict[str, list[float]] = field(default_factory=dict)
    counts: CountStudy | None = None
    tree: FoldedTree | None = None
    tree_space: str = ""
    latent: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    local: Locality | None = None
    local_space: str = ""
    notes: list[str] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)
