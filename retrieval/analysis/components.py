"""What each component of a code stands for: pictures, or words; and items as the weighted sum that they are."""

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

#: Methods whose components are clusters: one is chosen, none are added.
CLUSTERS = ("kmeans", "hac")
#: Methods that put the components that explain most first.
ORDERED = ("pca", "lsa")
#: Codes of more numbers than this have no picture for each.
MOST = 1024
TOP_WORDS = 8
#: How far a decoder may be from linear, as a share of its output.
LINEAR = 1e-3


@dataclass(frozen=True)
class Components:
    """What the numbers of a code add to an item, down to what the first stage reads.

    Attributes
    ----------
    spec : str
    clusters : bool
        The rows are the means of clusters: an item is one of them, not a sum.
    base : ndarray (dim,)
        What a code of zeros stands for.
    atoms : ndarray (k, dim)
        What a 1 in each place adds.
    shape : tuple of int or None
        Of the pictures.
    vocabulary : list of str or None
        The words of texts.
    ordered : bool
        The components come in an order of their own, those that matter most first.
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
        """True when components take away as well as add."""
        return bool(self.atoms.min() < -1e-6 * max(float(np.abs(self.atoms).max()), 1e-12)) and not self.clusters

    def top_words(self, place: int, most: int = TOP_WORDS) -> tuple[list[str], list[str]]:
        """Return the words that a component adds most of, and those that it takes away most of."""
        atom, words = self.atoms[place], self.vocabulary or []
        best = np.argsort(-atom, kind="stable")[:most]
        worst = np.argsort(atom, kind="stable")[:most]
        return [words[at] for at in best if atom[at] > 0], [words[at] for at in worst if atom[at] < 0]


def components_of(encoder: Encoder) -> Components | None:
    """Return the components of a space, or None where its code is no sum of parts and no cluster.

    A decoder that is not linear (a deep autoencoder's) has no components in this sense.
    """
    stages = encoder.parts
    if len(stages) < 2 or encoder.space.dim > MOST or encoder.space.kind is Kind.BINARY:
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
    given: Any = codes if stages[-1].space.kind is Kind.DENSE else csr_array(codes)
    for stage in reversed(stages):
        given = stage.decode(given)
    return np.asarray(given.toarray() if issparse(given) else given, dtype=np.float32)


@dataclass(frozen=True)
class PartialSums:
    """An item rebuilt from the first components: base + c1 w1 + c2 w2 + ...

    Attributes
    ----------
    order : list of int
        The components: their own order, or those that add most to this item first.
    weights : ndarray (k,)
        The item's own code, in that order.
    counts : list of int
        How many components each sum has.
    sums : ndarray (len(counts), dim)
        The sums.
    errors : list of float
        Squared error of each, summed over the values of the item.
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
        Of a sum, not of clusters.
    code : ndarray (k,)
        The item's.
    item : ndarray (dim,)
        What the sum should meet.
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
