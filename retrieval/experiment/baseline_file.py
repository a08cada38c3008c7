"""Read an earlier comparison from the ``comparison.json`` that `nearby compare -o` wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import ArtifactError
from retrieval.experiment.baseline import Baseline

#: The version of ``comparison.json`` that is written and read.
SCHEMA_VERSION = 1
#: No comparison is larger than this: 100 spaces, 100,000 queries, 4 measures.
MAX_BYTES = 2**30
#: No value of a measure, and no influence of a query, is larger.
_LARGEST = 1e6
_NO_COMPARISON = "{} is not a nearby comparison: name the comparison.json that nearby compare -o wrote"


def read_baseline(path: str | Path) -> Baseline:
    """Read the ``comparison.json`` of an earlier comparison.

    Raises
    ------
    ArtifactError
        When there is no such file, it is cut or no comparison, or another version of nearby wrote it.
    """
    path = Path(path)
    read = _read(path)
    version = read.get("schema_version")
    if version is None:
        raise ArtifactError(_NO_COMPARISON.format(path))
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise ArtifactError(
            f"{path} has schema version {version!r}, and this nearby reads {SCHEMA_VERSION}: "
            "write a new baseline with -o"
        )
    try:
        queries = _texts(read["queries"])
        named = [_texts([space["spec"], space["index"]]) for space in read["spaces"]]
        keys = [(spec, index) for spec, index in named]
        if not keys or not all(space.get("per_query") for space in read["spaces"]):
            raise ValueError("it has no space, or a space without measures")
        if len(set(queries)) < len(queries) or len(set(keys)) < len(keys):
            raise ValueError("it has a query or a space twice")
        spaces, influences, seeds = (
            {
                key: {str(measure): _values(values, count) for measure, values in space.get(name, {}).items()}
                for key, space in zip(keys, read["spaces"], strict=True)
            }
            for name, count in (("per_query", len(queries)), ("influence", len(queries)), ("means_of_seeds", None))
        )
        corpus, *digests, judged_by = _texts(
            [read[name] for name in ("corpus", "corpus_digest", "queries_digest", "judged_by")]
        )
        return Baseline(path, corpus, digests[0], digests[1], judged_by, queries, spaces, influences, seeds)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = f"it has no field {error}" if isinstance(error, KeyError) else str(error)
        raise ArtifactError(f"{path} is a damaged comparison ({what}): write a new baseline with -o") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        size = path.stat().st_size
        if not path.is_file() or size > MAX_BYTES:
            raise ArtifactError(_NO_COMPARISON.format(path))
        read = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArtifactError(f"no baseline {path}: write one with  nearby compare ... -o DIR") from None
    except OSError as error:
        raise ArtifactError(f"cannot read the baseline {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # cut in the middle, or no JSON at all
        raise ArtifactError(f"{path} is cut or is not JSON: write a new baseline with -o") from error
    if not isinstance(read, dict):
        raise ArtifactError(_NO_COMPARISON.format(path))
    return read


def _texts(values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("a name or id is not a string")
    return values


def _values(values: Any, count: int | None) -> NDArray[np.float64]:
    if not isinstance(values, list) or (count is not None and len(values) != count):
        raise ValueError("a measure has no value for some query")
    if not all(type(value) in (int, float) and abs(value) <= _LARGEST for value in values):  # nor NaN, nor true
        raise ValueError("a value of a measure is not a number")
    return np.array(values, np.float64)
