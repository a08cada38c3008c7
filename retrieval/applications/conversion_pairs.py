"""Conversion between all pairs of nuisances, such as speakers: what independent classifiers hear."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.applications.conversion_judges import Judges, Known

#: Largest number of nuisances that are converted into each other: the most frequent ones.
MOST_VALUES = 12


@dataclass(frozen=True)
class ConversionPairs:
    """What classifiers hear in the conversions between all pairs of nuisances.

    The rows of both matrices are the nuisance of the source, the columns the wanted one. On the diagonal are the real
    items, not converted: what the classifiers hear there is the most that can be expected.

    Attributes
    ----------
    field : str
        The name of the nuisance, such as ``speaker``.
    values : list of str
    counts : list of int
        How many items of each source are converted.
    nuisance_heard : ndarray float64 (n_values, n_values)
        Share of the conversions in which the classifier hears the wanted nuisance.
    label_kept : ndarray float64 (n_values, n_values), optional
        Share of the conversions in which the classifier hears the item's own label.
    left_out : int
        Number of nuisances that are left out: the less frequent ones, and those with too few items.
    """

    field: str
    values: list[str]
    counts: list[int]
    nuisance_heard: NDArray[np.float64]
    label_kept: NDArray[np.float64] | None
    left_out: int = 0

    @property
    def matrices(self) -> dict[str, NDArray[np.float64]]:
        """What is heard -> the share of each pair."""
        matrices = {f"the wanted {self.field}": self.nuisance_heard}
        return matrices if self.label_kept is None else {**matrices, "its own label": self.label_kept}

    def to_json(self) -> dict[str, Any]:
        """Return every pair as JSON values, and what is heard in real items."""
        return {
            "field": self.field,
            "left_out": self.left_out,
            "mean": {name: converted_mean(matrix) for name, matrix in self.matrices.items()},
            "real": {name: real_mean(matrix) for name, matrix in self.matrices.items()},
            "pairs": [
                {
                    "from": source,
                    "to": target,
                    "converted": source != target,
                    "items": self.counts[row],
                    **{name: float(matrix[row, column]) for name, matrix in self.matrices.items()},
                }
                for row, source in enumerate(self.values)
                for column, target in enumerate(self.values)
            ],
        }


def converted_mean(matrix: NDArray[np.float64]) -> float:
    """Return the mean of all pairs of different nuisances.

    Examples
    --------
    >>> converted_mean(np.array([[1.0, 0.5], [0.7, 0.9]]))
    0.6
    """
    return float(matrix[~np.eye(len(matrix), dtype=bool)].mean())


def real_mean(matrix: NDArray[np.float64]) -> float:
    """Return the mean of the diagonal: of items that are not converted.

    Examples
    --------
    >>> real_mean(np.array([[1.0, 0.5], [0.7, 0.5]]))
    0.75
    """
    return float(np.diag(matrix).mean())


def conversion_pairs(last: Any, judges: Judges, most_like: int) -> ConversionPairs | None:
    """Convert the held-out items of each nuisance into every other one, and judge them.

    Parameters
    ----------
    last : Disentangle
    judges : Judges
    most_like : int
        Largest number of items of the wanted nuisance whose codes are averaged.

    Returns
    -------
    ConversionPairs or None
        None if the classifiers cannot hear the nuisance, or fewer than two have items that are held out.
    """
    if judges.nuisance is None:
        return None
    known = Counter(judges.held_out.nuisances)
    learnt = Counter(judges.training.nuisances)
    values = [name for name in last.classes if known[name] and learnt[name]]
    values = sorted(sorted(values, key=lambda name: -learnt[name])[:MOST_VALUES])
    if len(values) < 2:
        return None
    sources = {name: _with(judges.held_out, name) for name in values}
    targets = {name: _with(judges.training, name).rows[:most_like] for name in values}
    heard, kept = np.empty((len(values), len(values))), np.empty((len(values), len(values)))
    for row, source in enumerate(values):
        for column, target in enumerate(values):
            real = sources[source]
            changed = real.rows if source == target else last.convert(real.rows, like=targets[target])
            heard[row, column] = np.mean([name == target for name in judges.nuisance.heard(changed)])
            kept[row, column] = _kept(judges, changed, real.labels)
    return ConversionPairs(
        judges.field,
        values,
        [len(sources[name].items) for name in values],
        heard,
        None if np.isnan(kept).any() else kept,
        len(last.classes) - len(values),
    )


def _with(known: Known, nuisance: str) -> Known:
    return known.where([at for at, name in enumerate(known.nuisances) if name == nuisance])


def _kept(judges: Judges, rows: Any, labels: list[str | None]) -> float:
    """Return the share of rows in which the classifier hears their own label; NaN if it knows none of them."""
    if judges.label is None or not any(labels):
        return float("nan")
    heard = judges.label.heard(rows)
    return float(np.mean([name == label for name, label in zip(heard, labels, strict=True) if label is not None]))
