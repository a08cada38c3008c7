"""FAISS' factory strings: the index that one builds for a space, and a clear refusal of those that build none."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable
from typing import Any

import numpy as np

from encoders.codes import Codes, Kind, Metric, Space, packed_width
from encoders.cpu_count import available_cores
from encoders.errors import OptionError, UnsupportedSpaceError
from encoders.npy import release
from encoders.numbers import is_whole

#: Training points per cluster beyond which FAISS takes a sample itself, and the smallest sample in rows.
POINTS_PER_CLUSTER, MIN_SAMPLE = 256, 2**16
#: Rows of a sample that are read together, and rows that are copied into known lists together.
GATHERED_ROWS = 2**13


class UnfitFactoryError(OptionError):
    """A factory string that FAISS cannot build for these codes; it may fit codes of another width."""


def build_faiss_index(factory: str, space: Space) -> Any:
    """Return an empty FAISS index.

    Raises
    ------
    OptionError, UnsupportedSpaceError
        With what is wrong with the factory string.
    """
    import faiss

    faiss.omp_set_num_threads(available_cores())
    index: Any
    try:
        if space.kind is Kind.BINARY:
            named = factory if factory.startswith("B") else f"B{factory}"
            index = faiss.index_binary_factory(faiss_dim(space), named)
        else:
            metric = faiss.METRIC_L2 if space.metric is Metric.EUCLIDEAN else faiss.METRIC_INNER_PRODUCT
            index = faiss.index_factory(space.dim, factory, metric)
            _require_same_geometry(index, metric, factory, space.metric)
    except (RuntimeError, MemoryError) as error:
        reason = reason_of(error)
        if "could not parse" in reason or "did not generate an index" in reason:
            if factory.startswith("B") and space.kind is not Kind.BINARY:
                raise OptionError(
                    f"'{factory}' indexes bits, and these codes are {space.kind}: put binarize or semantic-hash last "
                    "in the space, or take an index such as HNSW32"
                ) from None
            raise OptionError(f"FAISS has no index '{factory}': {reason}") from None
        raise UnfitFactoryError(
            f"FAISS cannot build '{factory}' for {space.kind} codes of width {space.dim}: {reason}"
        ) from None
    _require_usable_table(index, factory, space)
    if isinstance(downcast(index), faiss.IndexIDMap | faiss.IndexBinaryIDMap):
        raise OptionError(f"'faiss:{factory}': leave IDMap out, as nearby keeps the ids itself")
    _quieten(index)
    return index


def _require_same_geometry(index: Any, metric: int, factory: str, wanted: Metric) -> None:
    """Refuse factory strings that silently compare by another metric than that of the space."""
    import faiss

    if index.metric_type != metric:
        raise UnsupportedSpaceError(
            f"FAISS' '{factory}' compares by distance only and cannot search by {wanted}: use HNSW32, for example"
        )
    outer = downcast(index)
    if not isinstance(outer, faiss.IndexPreTransform):
        return
    chain: Any = outer.chain
    for position in range(chain.size()):
        step = faiss.downcast_VectorTransform(chain.at(position))
        centred = isinstance(step, faiss.PCAMatrix | faiss.CenteringTransform | faiss.ITQTransform)
        scaled = isinstance(step, faiss.NormalizationTransform) or getattr(step, "eigen_power", 0) != 0
        if (centred and wanted is not Metric.EUCLIDEAN) or (scaled and wanted is not Metric.COSINE):
            raise UnsupportedSpaceError(
                f"FAISS' '{factory}' {'moves the origin' if centred else 'changes lengths'} before it compares, so it"
                f" does not search by {wanted}; transform in the encoder instead, as in 'SPEC+pca:64'"
            )


def _require_usable_table(index: Any, factory: str, space: Space) -> None:
    """Refuse keys with more bits than the codes: FAISS builds and saves such a table, but cannot read it."""
    table = hash_table(index)
    if table is not None and not 1 <= table.b <= faiss_dim(space):
        refusal = OptionError if table.b < 1 else UnfitFactoryError
        raise refusal(
            f"FAISS cannot build '{factory}' for {space.kind} codes of width {space.dim}: "
            f"a key has from 1 to {faiss_dim(space)} bits, here it has {table.b}"
        )


def hash_table(index: Any) -> Any:
    """Return the index as a hash table of bits (``BHash16``) or several (``BHash4x16``); None if it is another type."""
    import faiss

    table = downcast(index)
    return table if isinstance(table, faiss.IndexBinaryHash | faiss.IndexBinaryMultiHash) else None


def set_nflip(index: Any, factory: str, value: str) -> None:
    """Set how many bits of a key may differ; FAISS looks up every such key, and never ends above the width.

    Raises
    ------
    OptionError
    """
    table = hash_table(index)
    if not is_whole(value, 0, table.b):
        raise OptionError(f"'faiss:{factory}': nflip should be a number of bits, 0 to {table.b}; got '{value}'")
    table.nflip = int(value)


def set_binary_parameter(index: Any, factory: str, key: str, value: str) -> bool:
    """Set a search parameter of an index of bits, which FAISS' ParameterSpace does not know; False if it has none so.

    Raises
    ------
    OptionError
    """
    import faiss

    owner = _binary_parameters(index).get(key) if isinstance(index, faiss.IndexBinary) else None
    if owner is None:
        return False
    if not is_whole(value, 1, 2**31 - 1):
        raise OptionError(f"'faiss:{factory}': {key} should be a whole number, at least 1; got '{value}'")
    setattr(owner, key, int(value))
    return True


def _binary_parameters(index: Any) -> dict[str, Any]:
    """Return the search parameters of lists and graphs of bits, and the object that has each."""
    import faiss

    inner: Any = downcast(index)
    if isinstance(inner, faiss.IndexBinaryIVF):
        return {"nprobe": inner}
    return {"efSearch": inner.hnsw} if isinstance(inner, faiss.IndexBinaryHNSW) else {}


def parameter_names(index: Any) -> list[str]:
    """Return the search parameters of an index, by FAISS' own names."""
    import faiss

    if hash_table(index) is not None:
        return ["nflip"]
    if isinstance(index, faiss.IndexBinary):
        return list(_binary_parameters(index))
    space: Any = faiss.ParameterSpace()
    space.initialize(index)
    ranges = space.parameter_ranges
    return [ranges.at(position).name for position in range(ranges.size())]


def array_functions() -> tuple[Callable[[Any], Any], Callable[[Any, int], float]]:
    """Return FAISS' functions from an array to its memory, and from there to its sum of squares.

    An index looks them up once, as an ``import`` in every search takes time.
    """
    import faiss

    return faiss.swig_ptr, faiss.fvec_norm_L2sqr


def graph_parameters(index: Any, fetch: int) -> Any:
    """Return search parameters for a graph to find `fetch` rows; by default it stops after ``efSearch`` steps."""
    import faiss

    graph, library = downcast(index), typing.cast("Any", faiss)
    if not isinstance(graph, faiss.IndexHNSW | faiss.IndexBinaryHNSW):
        return None
    return library.SearchParametersHNSW(efSearch=max(graph.hnsw.efSearch, fetch))


def sample_rows(index: Any) -> int:
    """Return the largest number of training rows that FAISS uses."""
    inverted = inverted_file(index)
    return max(MIN_SAMPLE, POINTS_PER_CLUSTER * (0 if inverted is None else int(inverted.nlist)))


def sample_of(codes: Codes, size: int) -> Codes:
    """Return at most `size` rows: a fixed sample, in the order of the rows."""
    if codes.shape[0] <= size:
        return codes
    rows = np.sort(np.random.default_rng(0).choice(codes.shape[0], size, replace=False))
    sample = np.empty((size, codes.shape[1]), codes.dtype)
    for start in range(0, size, GATHERED_ROWS):  # of a mapped file, only a part is in memory at a time
        part = rows[start : start + GATHERED_ROWS]
        sample[start : start + len(part)] = codes[part]
        release(codes)
    return sample


def downcast(index: Any) -> Any:
    """Return the index as an object of its own class; it is valid only as long as `index` exists."""
    import faiss

    binary = isinstance(index, faiss.IndexBinary)
    return faiss.downcast_IndexBinary(index) if binary else faiss.downcast_index(index)


def faiss_dim(space: Space) -> int:
    """Return the width of codes in FAISS; bits are filled up to whole bytes."""
    return 8 * packed_width(space.dim) if space.kind is Kind.BINARY else space.dim


def _quieten(index: Any) -> None:
    """Turn off FAISS' warnings on stderr, one per codebook; too few points are still an error."""
    for part in (downcast(index), inverted_file(index)):
        for clustering in (getattr(part, "cp", None), getattr(getattr(part, "pq", None), "cp", None)):
            if clustering is not None:
                clustering.min_points_per_centroid = 1


def inverted_file(index: Any) -> Any:
    """Return the inverted file inside an index, or None."""
    import faiss

    if isinstance(index, faiss.IndexBinary):
        inverted = downcast(index)
        return inverted if isinstance(inverted, faiss.IndexBinaryIVF) else None
    return faiss.try_extract_index_ivf(index)


def reason_of(error: Exception) -> str:
    """Return FAISS' message without its source file and line."""
    message = str(error).rsplit("Error: ", 1)[-1].split(" failed: ")[-1].rsplit(".cpp:", 1)[-1]
    return re.sub(r"^\d+: ", "", message).strip()
