"""The codes inside a FAISS index: whether they are the codes as they were added, and what quantised ones stand for."""

from __future__ import annotations

import typing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Kind, Metric, Space
from encoders.errors import NotInvertibleError
from indexers.brute_force import Search, search_dense
from indexers.exact import Exact
from indexers.faiss_factory import downcast, reason_of
from indexers.hits import Rows
from indexers.unit import Unit


class DecodedCodes(Exact):
    """Exact search in the codes that a quantising index stands for; the queries are not quantised.

    Decoded codes of a cosine space have no unit length any more. Like the index itself, this search compares them with
    a query of unit length by the inner product.
    """

    name = "decoded"

    @classmethod
    def of(cls, space: Space, ids: list[str], codes: NDArray[np.float32], unit: Unit) -> DecodedCodes:
        """Build the index from decoded codes (n, dim) in the unit of the index that decoded them."""
        index = cls(space)
        index._unit = unit
        index._batches, index._ids = [codes], list(ids)
        return index

    def _search(self, queries: Any, k: int) -> Rows:
        squares = self._lengths()
        metric = Metric.DOT if self.space.metric is Metric.COSINE else self.space.metric
        return search_dense(Search(queries, self._matrix(), squares, self._described(squares), metric, k))


def compares_all(index: Any) -> bool:
    """Return whether a FAISS index compares a query with every code at full precision."""
    import faiss

    return isinstance(downcast(index), faiss.IndexFlat | faiss.IndexBinaryFlat)


def keeps_precision(index: Any) -> bool:
    """Return whether the final scores of a FAISS index are those of the codes as they were added.

    A rotation rounds, but loses nothing. An index that refines its answers by full codes keeps them.
    """
    import faiss

    part: Any = downcast(index)
    if isinstance(part, faiss.IndexBinary | faiss.IndexFlat | faiss.IndexIVFFlat):
        return True
    if isinstance(part, faiss.IndexPreTransform):
        chain: Any = part.chain
        steps = [chain.at(position) for position in range(chain.size())]
        return all(step.d_out >= step.d_in for step in steps) and keeps_precision(part.index)
    if isinstance(part, faiss.IndexRefine):
        return keeps_precision(part.refine_index)
    if isinstance(part, faiss.IndexHNSW | faiss.IndexNSG):
        return keeps_precision(typing.cast("Any", part).storage)
    return False


def decoded(index: Any, space: Space, description: str) -> NDArray[np.float32]:
    """Return the codes (ntotal, dim) that the quantised codes of a FAISS index stand for.

    Raises
    ------
    NotInvertibleError
        When FAISS cannot decode them, or does not compare by them (``LSH``).
    """
    import faiss

    inner: Any = downcast(index)
    while isinstance(inner, faiss.IndexPreTransform):
        inner = downcast(inner.index)
    if space.kind is Kind.BINARY or isinstance(inner, faiss.IndexLSH):
        raise NotInvertibleError(f"'{description}' compares bits, which stand for no codes of its space")
    try:
        return typing.cast("NDArray[np.float32]", index.reconstruct_n(0, index.ntotal))
    except RuntimeError as error:
        raise NotInvertibleError(f"'{description}' cannot decode its codes: {reason_of(error)}") from None
