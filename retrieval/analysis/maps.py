"""Maps of a space in two dimensions: PCA, an autoencoder with two code units, t-SNE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Codes, Metric, normalized
from encoders.distances import squared_distances
from encoders.errors import NearbyError
from encoders.registry import create
from encoders.scaling import moderate

#: Wider codes are first reduced to this many principal components, as van der Maaten & Hinton do.
WIDTH = 50
AUTOENCODER = "deep-ae:128-64-2,epochs=120,norm=batch,activation=silu"


def maps_of(codes: Codes, metric: Metric, say: Callable[[str], None]) -> dict[str, NDArray[np.float32]]:
    """Return the maps of a space, each (n, 2), by method.

    Cosine spaces are mapped by their directions.

    References
    ----------
    Hinton & Salakhutdinov, Science 313, 2006, Figure 3 (two code units beside two principal components); van der
    Maaten & Hinton, Visualizing data using t-SNE, JMLR 9, 2008.
    """
    rows = narrow_codes(codes, metric)
    if rows is None:
        return {}
    maps: dict[str, NDArray[np.float32]] = {"PCA": np.asarray(create("pca:2").fit_encode(rows))}
    say("mapping by an autoencoder with two code units")
    scale = float(rows.std()) or 1.0
    try:
        maps["autoencoder, 2 units"] = np.asarray(create(AUTOENCODER).fit_encode((rows / scale).astype(np.float32)))
    except NearbyError as error:
        say(f"no map by autoencoder: {error}")
    say("mapping by t-SNE")
    maps["t-SNE"] = _tsne(rows)
    return maps


def principal_map(codes: Codes, metric: Metric) -> NDArray[np.float32] | None:
    """Return the two principal components of a space (n, 2), in a second; None for too few items or components.

    Cosine spaces are mapped by their directions, bits as numbers 0 and 1.
    """
    rows = narrow_codes(codes, metric)
    return None if rows is None else np.asarray(create("pca:2").fit_encode(rows))


def turned_to(points: NDArray[Any], target: NDArray[Any]) -> NDArray[np.float64]:
    """Return a map turned and mirrored so that its dots are as near to those of another map as they can be.

    Parameters
    ----------
    points, target : ndarray (n, 2)

    References
    ----------
    Schönemann, A generalized solution of the orthogonal Procrustes problem, Psychometrika 31, 1966.

    Examples
    --------
    >>> target = np.array([[0.0, 0], [2, 0], [0, 1]])
    >>> bool(np.allclose(turned_to(-target, target), target - target.mean(axis=0)))
    True
    """
    centred = points - points.mean(axis=0)
    left, _, right = np.linalg.svd(centred.T @ (target - target.mean(axis=0)))
    return np.asarray(centred @ (left @ right), np.float64)


def narrow_codes(codes: Codes, metric: Metric) -> NDArray[np.float32] | None:
    """Return codes with at most `WIDTH` components; None where there are too few items or components for a map.

    Those of a cosine space are directions, bits are numbers 0 and 1.
    """
    if codes.dtype == np.uint8:
        codes = np.unpackbits(codes, axis=1).astype(np.float32)
    if min(codes.shape) < 2:
        return None
    rows: Any = normalized(codes) if metric is Metric.COSINE else codes
    if issparse(rows) or rows.shape[1] > WIDTH:
        rows = create(f"pca:{min(WIDTH, *(side - 1 for side in rows.shape))},solver=randomized").fit_encode(rows)
    if min(rows.shape) < 2 or len(rows) < 8:
        return None
    narrow: NDArray[np.float32] = moderate(np.asarray(rows, dtype=np.float32))
    return narrow


def same_label_share(points: NDArray[Any], labels: Sequence[str | None], k: int = 10) -> float | None:
    """Return how many of the k nearest dots of a map have the label of their dot, as a share; None without labels.

    Parameters
    ----------
    points : ndarray (n, 2)
    labels : sequence of str or None
        A dot without a label is a neighbour of others, but has no neighbours of its own.
    k : int
        Number of neighbours; fewer in a map of fewer dots.

    Examples
    --------
    >>> points = np.array([[0.0, 0], [0, 1], [9, 0], [9, 1]])
    >>> same_label_share(points, list("aabb"), k=1), same_label_share(points, [None] * 4)
    (1.0, None)
    """
    number = {label: position for position, label in enumerate(dict.fromkeys(labels))}
    classes = np.array([number[label] for label in labels])
    asking = np.array([label is not None for label in labels])
    k = min(k, len(points) - 1)
    if k < 1 or not asking.any() or len(set(labels)) in (1, len(labels)):
        return None
    distances = squared_distances(points, points)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argpartition(distances, k - 1, axis=1)[:, :k]
    return float((classes[nearest] == classes[:, None])[asking].mean())


def _tsne(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    from sklearn.manifold import TSNE

    model = TSNE(2, perplexity=min(30.0, (len(rows) - 1) / 3), init="pca", learning_rate="auto", random_state=0)
    return np.asarray(model.fit_transform(rows), dtype=np.float32)
