"""The components of a code as pictures or words, and items as weighted sums of components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from encoders.base import Encoder
from encoders.codes import Kind
from encoders.errors import NotInvertibleError
from encoders.pipeline import decode_through

#: Methods whose components are clusters: an item belongs to one of them and is not a sum.
CLUSTERS = ("kmeans", "hac")
#: Methods that order their components by how much they explain.
ORDERED = ("pca", "lsa")
#: Largest width of a code whose components are shown.
MAX_COMPONENTS = 1024
TOP_WORDS = 8
#: Largest deviation of a linear decoder, as a share of its output.
LINEAR = 1e-3


@dataclass(frozen=True)
class Components:
    """What each number of a code adds to an item, in the space that the first stage reads.

    Attributes
    ----------
    spec : str
    clusters : bool
        The rows are the means of clusters: an item is one of them, not a sum.
    base : ndarray (dim,)
        The decoded code of zeros.
    atoms : ndarray (k, dim)
        What a 1 in each component adds.
    shape : tuple of int or None
        Shape of the pictures.
    vocabulary : list of str or None
        The vocabulary of texts.
    ordered : bool
        The components are ordered by importance, most important first.
    """

    spec: str
    clusters: bool
    base: NDArray[np.float32]
    atoms: NDArray[np.float32]
    shape: tuple[int, ...] | None
    vocabulary: list[str] | None
    ordered: bool = False

    @property
    def signed(self) -> bool:
        """Whether some component has negative values."""
        return bool(self.atoms.min() < -1e-6 * max(float(np.abs(self.atoms).max()), 1e-12)) and not self.clusters

    def top_words(self, component: int, limit: int = TOP_WORDS) -> tuple[list[str], list[str]]:
        """Return the words with the largest positive and the largest negative weights in a component."""
        atom, words = self.atoms[component], self.vocabulary or []
        best = np.argsort(-atom, kind="stable")[:limit]
        worst = np.argsort(atom, kind="stable")[:limit]
        return [words[at] for at in best if atom[at] > 0], [words[at] for at in worst if atom[at] < 0]


def components_of(encoder: Encoder) -> Components | None:
    """Return the components of a space, or None when its codes are neither sums of components nor clusters.

    A decoder that is not linear, such as that of a deep autoencoder, has no components in this sense.
    """
    stages = encoder.parts
    if len(stages) < 2 or encoder.space.dim > MAX_COMPONENTS or encoder.space.kind is Kind.BINARY:
        return None
    tail, k = stages[1:], encoder.space.dim
    clusters = stages[-1].name in CLUSTERS
    try:
        unit = _decoded(tail, np.eye(k, dtype=np.float32))
        base = np.zeros(unit.shape[1], np.float32) if clusters else _decoded(tail, np.zeros((1, k), np.float32))[0]
        atoms = unit - base
        if not clusters:
            twice = _decoded(tail, 2 * np.eye(k, dtype=np.float32)) - base
            if np.abs(twice - 2 * atoms).max() > LINEAR * max(float(np.abs(atoms).max()), 1e-12):
                return None
    except NotInvertibleError:
        return None
    first = stages[0]
    words = first.vocabulary if first.vocabulary is not None and len(first.vocabulary) == len(base) else None
    return Components(str(encoder), clusters, base, atoms, first.space.shape, words, stages[-1].name in ORDERED)


def _decoded(stages: Sequence[Encoder], codes: NDArray[np.float32]) -> NDArray[np.float32]:
    decoded = decode_through(stages, codes if stages[-1].space.kind is Kind.DENSE else csr_array(codes))
    return np.asarray(decoded.toarray() if issparse(decoded) else decoded, dtype=np.float32)


@dataclass(frozen=True)
class PartialSums:
    """An item rebuilt from the first components: base + c1 w1 + c2 w2 + ...

    Attributes
    ----------
    order : list of int
        The components: in their order of importance, or those that add most to this item first.
    weights : ndarray (k,)
        The code of the item, in that order.
    counts : list of int
        Number of components in each sum.
    sums : ndarray (len(counts), dim)
        The sums.
    errors : list of float
        Squared error of each sum, summed over the values of the item.
    """

    order: list[int]
    weights: NDArray[np.float32]
    counts: list[int]
    sums: NDArray[np.float32]
    errors: list[float]


def partial_sums(components: Components, code: NDArray[Any], item: NDArray[Any]) -> PartialSums:
    """Rebuild one item from 1, 2, 5, 10, 30, ... components.

    Parameters
    ----------
    components : Components
        Components that are added, not clusters.
    code : ndarray (k,)
        Code of the item.
    item : ndarray (dim,)
        The item itself.
    """
    sizes = np.abs(code) * np.linalg.norm(components.atoms, axis=1)
    order = np.arange(len(code)) if components.ordered else np.argsort(-sizes, kind="stable")
    k = len(order)
    counts = [count for count in (1, 2, 5, 10, 30, 50, 100) if count < k] + [k]
    weights = np.asarray(code[order], dtype=np.float32)
    steps = np.cumsum(weights[:, None] * components.atoms[order], axis=0) + components.base
    sums = steps[[count - 1 for count in counts]]
    errors = np.square(sums - item).sum(axis=1)
    return PartialSums(order.tolist(), weights, counts, sums, [float(error) for error in errors])
