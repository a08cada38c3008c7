"""The number of clusters that several criteria recommend, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.cluster.kmeans import KMeans
from encoders.cluster.linkage import tree
from encoders.cluster.membership import clusters_of
from encoders.density.mixture import Mixture
from encoders.distances import squared_distances
from encoders.errors import BadItemError
from encoders.listed import listed
from encoders.progress import steps
from encoders.scaling import moderate

#: Largest number of items: silhouettes and the tree compare all pairs.
MAX_ITEMS = 2000
#: Number of uniform data sets that the gap statistic compares with.
REFERENCES = 10
#: How to read each criterion.
READING = {
    "silhouette": "largest: items are nearer to their own cluster than to the next",
    "Davies-Bouldin": "smallest: clusters are tight for their distance",
    "gap": "first within one standard error of the next: tighter than uniform data would be",
    "BIC": "smallest: likelihood of a Gaussian mixture, less a price for its parameters",
    "largest jump": "largest step between two merges of the tree (Ward)",
}


@dataclass
class CountStudy:
    """The value of each criterion for each number of clusters, and the number that it recommends.

    Attributes
    ----------
    counts : list of int
        The numbers tried.
    curves : dict of str to list of float
        Criterion -> its value for every number.
    recommended : dict of str to int
        Criterion -> the number it recommends.
    merges : ndarray float64 (m - 1, 4)
        The tree by Ward linkage.
    items : int
        Number of items in the sample.
    """

    counts: list[int]
    curves: dict[str, list[float]] = field(default_factory=dict)
    recommended: dict[str, int] = field(default_factory=dict)
    merges: NDArray[Any] = field(default_factory=lambda: np.empty((0, 4)))
    items: int = 0

    @property
    def answer(self) -> tuple[int, str]:
        """The number that most criteria recommend, and the reason in words.

        A criterion that is best at the largest number tried only says that more clusters would be better: it does not
        count while another criterion is best below that number.
        """
        edge = [name for name, vote in self.recommended.items() if vote == self.counts[-1]]
        votes = {name: vote for name, vote in self.recommended.items() if name not in edge} or self.recommended
        ordered = sorted(votes.values())
        middle = ordered[len(ordered) // 2]
        best = max(dict.fromkeys(ordered), key=lambda vote: (ordered.count(vote), -abs(vote - middle)))
        names = [name for name, vote in votes.items() if vote == best]
        reason = f"{listed(names)} agree" if len(names) > 1 else f"no two criteria agree; {best} is in the middle"
        if edge and len(edge) < len(self.recommended):
            are = "is" if len(edge) == 1 else "are"
            reason += f"; {listed(edge)} {are} best at {self.counts[-1]}, the largest number that was tried"
        return best, reason


def study(codes: NDArray[Any], counts: Sequence[int] | None = None, seed: int = 0) -> CountStudy:
    """Return the value of every criterion for several numbers of clusters (k-means, Ward, Gaussian mixtures).

    Parameters
    ----------
    codes : ndarray float32 (n, dim)
        More than `MAX_ITEMS` rows are sampled down to `MAX_ITEMS`.
    counts : sequence of int, optional
        Default: 2 to 20, fewer for few items.
    seed : int
        Seed of the sample and of k-means.

    References
    ----------
    Rousseeuw, Silhouettes, J. Comp. Appl. Math. 20, 1987; Davies & Bouldin, A cluster separation measure, IEEE PAMI
    1, 1979; Tibshirani, Walther & Hastie, Estimating the number of clusters in a data set via the gap statistic, JRSS
    B 63, 2001; Schwarz, Estimating the dimension of a model, Ann. Stat. 6, 1978 (BIC).
    """
    if len(codes) < 4:
        raise BadItemError(f"finding the number of clusters needs at least 4 items; got {len(codes)}")
    generator = np.random.default_rng(seed)
    if len(codes) > MAX_ITEMS:
        codes = codes[np.sort(generator.choice(len(codes), MAX_ITEMS, replace=False))]
    codes = np.asarray(codes, dtype=np.float32)
    largest = len(codes) - 1
    tried = [count for count in (counts or range(2, 21)) if 2 <= count <= largest]
    result = CountStudy(tried, items=len(codes), merges=tree(codes, "ward"))
    codes = moderate(codes)  # the criteria do not depend on the unit; the heights of the tree keep it
    clusterings = [_clustered(codes, count, seed) for count in tried]
    _separation(result, codes, clusterings)
    _gap(result, codes, clusterings, generator)
    _information(result, codes, seed)
    _jump(result)
    return result


def _clustered(codes: NDArray[Any], k: int, seed: int) -> NDArray[np.int64]:
    return clusters_of(KMeans(k, seed=seed).fit_encode(codes))


def _separation(result: CountStudy, codes: NDArray[Any], clusterings: list[NDArray[np.int64]]) -> None:
    from sklearn.metrics import davies_bouldin_score, silhouette_score

    distances = np.sqrt(squared_distances(codes, codes))
    np.fill_diagonal(distances, 0)
    usable = [len(np.unique(clusters)) > 1 for clusters in clusterings]
    silhouettes = [
        float(silhouette_score(distances, clusters, metric="precomputed")) if good else -1.0
        for clusters, good in zip(clusterings, usable, strict=True)
    ]
    bouldin = [
        float(davies_bouldin_score(codes, clusters)) if good else np.inf
        for clusters, good in zip(clusterings, usable, strict=True)
    ]
    result.curves |= {"silhouette": silhouettes, "Davies-Bouldin": bouldin}
    result.recommended["silhouette"] = result.counts[int(np.argmax(silhouettes))]
    result.recommended["Davies-Bouldin"] = result.counts[int(np.argmin(bouldin))]


def _gap(
    result: CountStudy, codes: NDArray[Any], clusterings: list[NDArray[np.int64]], generator: np.random.Generator
) -> None:
    """Compare ln of the spread within clusters with that of uniform data along the principal axes."""
    mean = codes.mean(axis=0)
    _, _, axes = np.linalg.svd(codes - mean, full_matrices=False)
    turned = (codes - mean) @ axes.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    spread = np.array([np.log(_within(codes, clusters)) for clusters in clusterings])
    expected = np.empty((REFERENCES, len(result.counts)))
    for reference in steps(REFERENCES, "gap statistic", "references"):
        uniform = generator.uniform(low, high, turned.shape).astype(np.float32)
        for column, count in enumerate(result.counts):
            model = KMeans(count, restarts=1, seed=reference).fit(uniform)
            expected[reference, column] = np.log(_within(uniform, clusters_of(model.encode(uniform))))
    gap = expected.mean(axis=0) - spread
    error = expected.std(axis=0) * np.sqrt(1 + 1 / REFERENCES)
    result.curves["gap"] = gap.tolist()
    enough = np.flatnonzero(gap[:-1] >= gap[1:] - error[1:])
    result.recommended["gap"] = result.counts[int(enough[0]) if len(enough) else int(gap.argmax())]


def _within(codes: NDArray[Any], clusters: NDArray[np.int64]) -> float:
    """Return the sum of the squared distances between the items and the means of their clusters."""
    total = 0.0
    for cluster in np.unique(clusters):
        rows = codes[clusters == cluster]
        total += float(np.square(rows - rows.mean(axis=0)).sum())
    return max(total, 1e-12)


def _information(result: CountStudy, codes: NDArray[Any], seed: int) -> None:
    """Fit Gaussian mixtures with diagonal covariances in the space of the principal axes."""
    dim = codes.shape[1]
    ridge = max(1e-6, 1e-3 * float(codes.var(axis=0).mean()))
    values = []
    for count in result.counts:
        model = Mixture(count, covariance="diag", ridge=ridge, seed=seed).fit(codes)
        parameters = count * 2 * dim + count - 1
        values.append(float(parameters * np.log(len(codes)) - 2 * model.log_likelihood(codes).sum()))
    result.curves["BIC"] = values
    result.recommended["BIC"] = result.counts[int(np.argmin(values))]


def _jump(result: CountStudy) -> None:
    heights = np.append(result.merges[:, 2], np.nan)
    n = len(heights)
    # cutting into k clusters undoes the last k - 1 merges: the step is from the merge below to the first undone one
    jumps = [float(heights[n - count] - heights[n - count - 1]) if n > count else 0.0 for count in result.counts]
    result.curves["largest jump"] = jumps
    result.recommended["largest jump"] = result.counts[int(np.argmax(jumps))]
