"""Feature selection."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from encoders.base import Encoder, State
from encoders.batches import collect_labelled
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space
from encoders.errors import OptionError
from encoders.options import option
from encoders.projection import feature_scores

LABEL_CRITERIA = ("chi2", "mutual-information")
CRITERIA = ("variance", "laplacian", "reconstruction", *LABEL_CRITERIA)


@dataclass
class FeatureSelection(Encoder):
    """Feature selection: the components that score best by a criterion, unchanged; the others are dropped.

    Use it when the components must stay readable, such as words or pixels.

    Criteria: ``variance``; ``laplacian``, components that change least between near neighbours; ``reconstruction``,
    one component after another, from which a linear map predicts all the others best; with labels, ``chi2`` and
    ``mutual-information`` with the class. Decoding fills dropped components with their mean.

    Examples
    --------
    >>> rows = np.array([[0, 5, 1], [9, 5, 2], [0, 5, 1]], dtype=np.float32)
    >>> FeatureSelection(1).fit(rows).encode(rows).ravel().tolist()
    [0.0, 9.0, 0.0]

    References
    ----------
    Guyon & Elisseeff, An introduction to variable and feature selection, JMLR 3, 2003; He, Cai & Niyogi, Laplacian
    score for feature selection, NIPS 2005, §3; Farahat, Ghodsi & Kamel, An efficient greedy method for unsupervised
    feature selection, ICDM 2011, Theorem 4 (``reconstruction``); Manning, Raghavan & Schütze, Introduction to
    Information Retrieval, 2008, §13.5 (``chi2``, ``mutual-information``).
    """

    name: ClassVar[str] = "select"
    n_components: int = option(50, "Number of components to select.", ge=1)
    criterion: str = option("variance", "Score by which components are selected.", choices=CRITERIA)
    neighbours: int = option(5, "Nearest neighbours in the graph of the Laplacian score.", ge=1)
    metric: str = option(
        "auto",
        "How two codes are compared; auto: cosine for sparse codes, euclidean for dense codes.",
        choices=("auto", "cosine", "euclidean"),
    )

    @property
    def reads_labels(self) -> bool:
        """True for the criteria that use labels."""
        return self.criterion in LABEL_CRITERIA

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        matrix, labels = collect_labelled(batches)
        width = int(matrix.shape[1])
        variance = feature_scores.variances(matrix)
        varying = int(np.count_nonzero(variance > 0))
        if self.n_components > varying:
            constant = f"; the other {width - varying} are constant" if varying < width else ""
            raise OptionError(
                f"select: n-components={self.n_components} is more than the {varying} components that vary{constant}: "
                f"use at most {varying}"
            )
        self.columns = np.sort(self._chosen(matrix, labels, variance)).astype(np.int64)
        self.mean = feature_scores.means(matrix).astype(np.float32)
        sparse = issparse(matrix)
        metric = self.metric if self.metric != "auto" else "cosine" if sparse else "euclidean"
        return Space(self.n_components, Kind.SPARSE if sparse else Kind.DENSE, Metric(metric))

    def _chosen(self, matrix: Codes, labels: list[str] | None, variance: NDArray[np.float64]) -> NDArray[np.int64]:
        if self.criterion == "reconstruction":
            return feature_scores.greedy_reconstruction(matrix, self.n_components)
        if self.criterion == "variance":
            scores = variance
        elif self.criterion == "laplacian":
            scores = -feature_scores.laplacian(matrix, self.neighbours)
        else:
            if labels is None:
                raise OptionError(
                    f"select: criterion={self.criterion} needs the label of every item, and some have none: "
                    "use variance, laplacian or reconstruction"
                )
            score_of = feature_scores.chi2 if self.criterion == "chi2" else feature_scores.mutual_information
            scores = score_of(matrix, labels)
        scores = np.where(variance > 0, scores, -np.inf)
        return np.argsort(-scores, kind="stable")[: self.n_components]

    def _encode(self, items: Any) -> Codes:
        return csr_array(items[:, self.columns]) if issparse(items) else np.ascontiguousarray(items[:, self.columns])

    def _decode(self, codes: Codes) -> Items:
        items = np.tile(self.mean, (codes.shape[0], 1))
        items[:, self.columns] = codes.toarray() if issparse(codes) else codes
        return items

    def state(self) -> State:
        """Return selected columns (n_components,), ascending, and the mean of every component (dim,)."""
        return {"columns": self.columns, "mean": self.mean}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.columns, self.mean = state["columns"], state["mean"]
