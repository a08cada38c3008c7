"""Recommendations as plain lines of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.applications.recommendation import Recommender, Suggestion
from retrieval.report.spec_wrapping import middle_cut, wrapped
from retrieval.report.terminal.listing import WIDTH, aligned
from retrieval.report.terminal.printable import table_word

#: A table of more cells than this is not printed; a longer name of a row is cut.
SMALL, LONGEST_NAME = 100, 40


def fitted_lines(recommender: Recommender, verbose: bool = False) -> list[str]:
    """Return the fitted factorisation; for a small table, also the factors and the completed ratings.

    `verbose` adds all options and, of a small table, the factors that do not fit in a line.
    """
    count = recommender.matrix.nnz
    lines = [
        f"{recommender.encoder}: {len(recommender.users):,} users, {len(recommender.items):,} items, "
        f"{count:,} ratings, root mean squared error on them {np.sqrt(recommender.error() / count):.3f}"
    ]
    if verbose:
        lines += wrapped(recommender.encoder.spec(full=True), WIDTH)
    if recommender.factors_are_zero:
        lines.append("every factor is 0: mean and biases alone predict, and no item is similar to another")
    if len(recommender.users) * len(recommender.items) > SMALL:
        return lines
    return [
        *lines,
        f"squared error on the {count} ratings: {recommender.error():.3f}",
        "", "factors of users", *_factors(recommender.users, recommender, "row", verbose),
        "", "factors of items", *_factors(recommender.items, recommender, "column", verbose),
        "", "ratings; predicted ones in brackets", *_completed(recommender, verbose),
    ]  # fmt: skip


def fitted_json(recommender: Recommender) -> dict[str, Any]:
    """Return the fitted factorisation; for a small table, also every factor and the completed ratings."""
    count, error = recommender.matrix.nnz, recommender.error()
    value: dict[str, Any] = {
        "space": str(recommender.encoder),
        "options": recommender.encoder.spec(full=True),
        "users": len(recommender.users),
        "items": len(recommender.items),
        "ratings": count,
        "squared_error": error,
        "root_mean_squared_error": float(np.sqrt(error / count)),
        "factors_are_zero": recommender.factors_are_zero,
    }
    if len(recommender.users) * len(recommender.items) > SMALL:
        return value
    factors = recommender.encoder.factors
    biases: dict[str, Any] = {}
    if recommender.encoder.biases:
        biases = {
            "user_biases": dict(zip(recommender.users, factors.row_bias.tolist(), strict=True)),
            "item_biases": dict(zip(recommender.items, factors.column_bias.tolist(), strict=True)),
        }
    predicted = recommender.completed().tolist()
    return {
        **value,
        "user_factors": dict(zip(recommender.users, factors.rows.tolist(), strict=True)),
        "item_factors": dict(zip(recommender.items, factors.columns.tolist(), strict=True)),
        **biases,
        "predicted": {
            user: dict(zip(recommender.items, row, strict=True))
            for user, row in zip(recommender.users, predicted, strict=True)
        },
    }


def _factors(names: Sequence[str], recommender: Recommender, side: str, verbose: bool) -> list[str]:
    factors = recommender.encoder.factors
    values: NDArray[Any] = getattr(factors, f"{side}s")
    head = ["", *(f"factor {number}" for number in range(1, values.shape[1] + 1))]
    rows = [[name, *(f"{value:.2f}" for value in line)] for name, line in zip(names, values, strict=True)]
    if recommender.encoder.biases:  # before the factors: it is not the one to be cut
        head.insert(1, "bias")
        for row, bias in zip(rows, getattr(factors, f"{side}_bias"), strict=True):
            row.insert(1, f"{bias:.2f}")
    return _wide_table(head, rows, verbose)


def _completed(recommender: Recommender, verbose: bool) -> list[str]:
    predicted = recommender.completed()
    given = np.full(predicted.shape, np.nan)
    rows = np.repeat(np.arange(len(recommender.users)), np.diff(recommender.matrix.indptr))
    given[rows, recommender.matrix.indices] = recommender.matrix.data
    table = [
        [user, *(f"({guess:.1f})" if np.isnan(known) else f"{known:.1f} " for known, guess in zip(*pair, strict=True))]
        for user, *pair in zip(recommender.users, given, predicted, strict=True)
    ]
    return _wide_table(["", *recommender.items], table, verbose)


def _wide_table(head: Sequence[str], rows: Sequence[Sequence[str]], verbose: bool) -> list[str]:
    """Return the columns that fit and the number of the others; `verbose` returns the others below."""
    names, lines, first = [middle_cut(row[0], LONGEST_NAME) for row in rows], [], 1
    while first < len(head):
        room, last = WIDTH - max(map(len, names)), first
        while last < len(head) and (needed := 2 + max(len(row[last]) for row in [head, *rows])) <= room:
            room, last = room - needed, last + 1
        last = max(last, first + 1)
        shown = [[name, *row[first:last]] for name, row in zip(names, rows, strict=True)]
        lines += aligned(["", *head[first:last]], shown, right=range(1, 1 + last - first))
        if not verbose and last < len(head):
            return [*lines, f"… and {len(head) - last} more; -v shows all"]
        first = last
    return lines


def prediction_lines(recommender: Recommender, user: str, item: str) -> list[str]:
    """Return the rating that is predicted, and the one that the user gave."""
    value, given = recommender.predict(user, item), recommender.rated(user, item)
    return [f"{value:.3f}" + ("" if given is None else f"  (rated {given:g})")]


def prediction_json(recommender: Recommender, user: str, item: str) -> dict[str, Any]:
    """Return the same as JSON values."""
    value, given = recommender.predict(user, item), recommender.rated(user, item)
    return {"user": user, "item": item, "predicted": value, "rated": given}


def suggestions_lines(suggestions: Sequence[Suggestion], what: str) -> list[str]:
    """Return one line for each suggestion; `what` is the heading of the value."""
    rows = [
        [rank, f"{suggestion.value:.3f}", table_word(suggestion.item), suggestion.title or ""]
        for rank, suggestion in enumerate(suggestions, 1)
    ]
    return aligned(["", what, "item", "title"], rows, right=[0, 1])


def suggestions_json(suggestions: Sequence[Suggestion], what: str) -> list[dict[str, Any]]:
    """Return the same as JSON values."""
    return [{"item": suggestion.item, "title": suggestion.title, what: suggestion.value} for suggestion in suggestions]
