"""The measures of every query as one table: a Parquet file beside the report, and `Comparison.per_query`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from retrieval.experiment.result import Comparison
from retrieval.output import writing


def per_query_table(comparison: Comparison) -> Any:
    """Return a ``pyarrow.Table``: ``query_id``, ``space``, ``measure`` (str) and ``value`` (float64).

    Its rows are ordered by space, then measure, then query. Without a query set, ids are the numbers of the queries.

    Parameters
    ----------
    comparison : Comparison
    """
    import pyarrow

    ids = query_ids(comparison)
    blocks = [
        (space.label, measure, np.asarray(values, np.float64))
        for space in comparison.spaces
        for measure, values in space.per_query.items()
    ]
    rows = len(blocks) * len(ids)
    text = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())

    def column(names: list[str], repeated: int) -> Any:
        """Return each name `repeated` times, one after the other."""
        distinct = list(dict.fromkeys(names))
        numbers = np.repeat([distinct.index(name) for name in names] or np.zeros(0, int), repeated).astype(np.int32)
        return pyarrow.DictionaryArray.from_arrays(numbers, pyarrow.array(distinct, pyarrow.string())).cast(text)

    queries = np.tile(np.arange(len(ids), dtype=np.int32), len(blocks))
    columns = {
        "query_id": pyarrow.DictionaryArray.from_arrays(queries, pyarrow.array(ids, pyarrow.string())),
        "space": column([space for space, _, _ in blocks], len(ids)),
        "measure": column([measure for _, measure, _ in blocks], len(ids)),
        "value": pyarrow.array(np.concatenate([values for *_, values in blocks]) if rows else [], pyarrow.float64()),
    }
    return pyarrow.table(columns)


def write_per_query(comparison: Comparison, path: Path) -> Path:
    """Write `per_query_table` as a Parquet file; an existing one is replaced.

    Raises
    ------
    ArtifactError
        When it cannot be written.
    """
    from pyarrow import parquet

    with writing(path) as file:
        parquet.write_table(per_query_table(comparison), file, compression="zstd")
    return path


def query_ids(comparison: Comparison) -> list[str]:
    """Return the ids of the queries, in the order of the values of `SpaceResult.per_query`."""
    if comparison.query_set is None:
        return [str(number) for number in range(comparison.n_queries)]
    return [query.id for query in comparison.query_set.queries]
