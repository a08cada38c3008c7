"""Recommendations as plain lines of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.applications.recommendation import Recommender, Suggestion
from retrieval.report.terminal.listing import aligned

#: A table of more cells than this is not printed.
SMALL = 100


def fitted_lines(recommender: Recommender) -> list[str]:
    """Return what was fitted; of a small table also every factor and the completed ratings."""
    count = recommender.matrix.nnz
    lines = [
        f"{recommender.encoder}: {len(recommender.users):,} users, {len(recommender.items):,} items, "
        f"{count:,} ratings, root mean squared error on them {np.sqrt(recommender.error() / count):.3f}"
    ]
    if recommender.factors_are_zero:
        lines.append("every factor is 0: mean and biases alone predict, and no item is similar to another")
    if len(recommender.users) * len(recommender.items) > SMALL:
        return lines
    return [
        *lines,
        f"squared error on the {count} ratings: {recommender.error():.3f}",
        "", "factors of users", *_factors(recommender.users, recommender, "row"),
        "", "factors of items", *_factors(recommender.items, recommender, "column"),
        "", "ratings; what was missing, in brackets", *_completed(recommender),
    ]  # fmt: skip


def _factors(names: Sequence[str], recommender: Recommender, side: str) -> list[str]:
    factors = recommender.encoder.factors
    values: NDArray[Any] = getattr(factors, f"{side}s")
    head = ["", *(f"factor {place}" for place in range(1, values.shape[1] + 1))]
    rows = [[name, *(f"{value:.2f}" for value in line)] for name, line in zip(names, values, strict=True)]
    if recommender.encoder.biases:
        head.append("bias")
        for row, bias in zip(rows, getattr(factors, f"{side}_bias"), strict=True):
            row.append(f"{bias:.2f}")
    return aligned(head, rows, right=range(1, len(head)))


def _completed(recommender: Recommender) -> list[str]:
    predicted = recommender.completed()
    given = np.full(predicted.shape, np.nan)
    rows = np.repeat(np.arange(len(recommender.users)), np.diff(recommender.matrix.indptr))
    given[rows, recommender.matrix.indices] = recommender.matrix.data
    table = [
        [user, *(f"({guess:.1f})" if np.isnan(known) else f"{known:.1f} " for known, guess in zip(*pair, strict=True))]
        for user, *pair in zip(recommender.users, given, predicted, strict=True)
    ]
    return aligned(["", *recommender.items], table, right=range(1, len(recommender.items) + 1))


def prediction_lines(recommender: Recommender, user: str, item: str) -> list[str]:
    """Return the rating that is predicted, and the one that the user gave."""
    value, given = recommender.predict(user, item), recommender.rated(user, item)
    return [f"{value:.3f}" + ("" if given is None else f"  (rated {given:g})")]


def prediction_json(recommender: Recommender, user: str, item: str) -> dict[str, Any]:
    """Return the same as JSON values."""
    value, given = recommender.predict(user, item), recommender.rated(user, item)
    return {"user": user, "item": item, "predicted": value, "rated": given}


def suggestions_lines(found: Sequence[Suggestion], what: str) -> list[str]:
    """Return one line a suggestion, `what` heading the value."""
    rows = [[place, f"{one.value:.3f}", one.item, one.title or ""] for place, one in enumerate(found, 1)]
    return aligned(["", what, "item", "title"], rows, right=[0, 1])


def suggestions_json(found: Sequence[Suggestion], what: str) -> list[dict[str, Any]]:
    """Return the same as JSON values."""
    return [{"item": one.item, "title": one.title, what: one.value} for one in found]
