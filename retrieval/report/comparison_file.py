"""``comparison.json``: a comparison with the measures of every query, for programs, and as a baseline for later ones.

``comparison.schema.json`` beside this file says what every field means; docs/machines.md is written from it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.experiment.baseline_file import SCHEMA_VERSION
from retrieval.experiment.digests import queries_digest
from retrieval.experiment.per_query import query_ids, write_per_query
from retrieval.experiment.result import Comparison
from retrieval.experiment.trec_files import file_name
from retrieval.output import writing
from retrieval.report.json import finite, to_json

#: The JSON Schema of the file.
SCHEMA = Path(__file__).parent / "comparison.schema.json"


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``comparison.json``."""
    read: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return read


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """Return the content of ``comparison.json``.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    dict
        `to_json` of the comparison; version, digests and query ids; ``per_query`` and ``influence`` of each space, with
        all digits, so that a later comparison differs only where the space does.
    """
    query_set = comparison.query_set
    document = to_json(comparison)
    for written, space in zip(document["spaces"], comparison.spaces, strict=True):
        for name, of in (("per_query", space.per_query), ("influence", space.influence)):
            written[name] = {measure: np.asarray(values, np.float64).tolist() for measure, values in of.items()}
    return {
        "schema_version": SCHEMA_VERSION,
        "corpus_digest": "" if query_set is None else query_set.digest,
        "queries_digest": "" if query_set is None else queries_digest(query_set.queries, query_set.qrels),
        "queries": query_ids(comparison),
        **document,
    }


def write_comparison(comparison: Comparison, path: str | Path) -> Path:
    """Write ``comparison.json``; an existing one is replaced.

    Parameters
    ----------
    comparison : Comparison
    path : str or Path

    Raises
    ------
    ArtifactError
        When it cannot be written.
    """
    path = Path(path)
    text = json.dumps(finite(comparison_document(comparison)), ensure_ascii=True, allow_nan=False)
    with writing(path) as file:
        file.write(text.encode())
        file.write(b"\n")
    return path


def write_machine_files(comparisons: Sequence[Comparison], folder: Path) -> list[str]:
    """Write ``comparison.json`` and ``per_query.parquet`` of each comparison; return a sentence for each.

    Of several comparisons, each has a folder of its own with the name of its corpus.
    """
    sentences = []
    for comparison in comparisons:
        target = folder if len(comparisons) == 1 else folder / file_name(comparison.corpus)
        written = write_comparison(comparison, target / "comparison.json")
        sentences.append(
            f"for programs: {written} and {write_per_query(comparison, target / 'per_query.parquet').name}"
        )
    return sentences
