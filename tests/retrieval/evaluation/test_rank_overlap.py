"""Jaccard and rank-biased overlap against slow textbook code and known values."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import DimensionError, OptionError
from retrieval.evaluation.rank_overlap import jaccard_at_k, rbo


def slow_rbo(first: list[int], second: list[int], p: float) -> float:
    """Equation 32 of Webber et al. 2010, term by term."""
    short, long = sorted((first, second), key=len)
    s, l = len(short), len(long)  # noqa: E741
    if l == 0:
        return 1.0
    if s == 0:
        return 0.0

    def shared(depth: int) -> int:
        return len(set(short[:depth]) & set(long[:depth]))

    total = sum(shared(d) / d * p**d for d in range(1, l + 1))
    total += sum(shared(s) * (d - s) / (s * d) * p**d for d in range(s + 1, l + 1))
    return (1 - p) / p * total + ((shared(l) - shared(s)) / l + shared(s) / s) * p**l


def rankings(n: int, k: int, items: int, seed: int) -> np.ndarray:
    """Draw n rankings without repetition, the first half of them ended early."""
    rng = np.random.default_rng(seed)
    rows = np.stack([rng.permutation(items)[:k] for _ in range(n)])
    for row in rows[: n // 2]:
        row[rng.integers(0, k + 1) :] = -1
    return rows


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 0.98])
@pytest.mark.parametrize("k", [1, 2, 10, 33])
def test_rbo_agrees_with_the_textbook(p: float, k: int) -> None:
    first, second = rankings(60, k, k + 5, 1), rankings(60, k, k + 5, 2)[::-1]
    expected = [
        slow_rbo([a for a in one if a >= 0], [b for b in two if b >= 0], p)
        for one, two in zip(first.tolist(), second.tolist(), strict=True)
    ]
    np.testing.assert_allclose(rbo(first, second, p), expected, atol=1e-12)
    np.testing.assert_allclose(rbo(second, first, p), expected, atol=1e-12)


def test_rbo_known_values() -> None:
    rows = np.arange(20).reshape(2, 10)
    np.testing.assert_allclose(rbo(rows, rows), [1, 1])
    np.testing.assert_array_equal(rbo(rows, rows + 100), [0, 0])
    # Agreement is 0 at rank 1 and 1 at rank 2, and stays: p.
    np.testing.assert_allclose(rbo(np.array([[1, 2]]), np.array([[2, 1]]), 0.7), [0.7])
    # The first ranks weigh more.
    early, late = rows.copy(), rows.copy()
    early[:, 0], late[:, -1] = 99, 99
    assert (rbo(rows, early) < rbo(rows, late)).all()


def test_nobody_answers() -> None:
    none, some = np.full((1, 3), -1), np.array([[1, 2, 3]])
    assert rbo(none, none).tolist() == jaccard_at_k(none, none, 3).tolist() == [1.0]
    assert rbo(none, some).tolist() == rbo(some, none).tolist() == jaccard_at_k(none, some, 3).tolist() == [0.0]
    assert rbo(none[:, :0], none[:, :0]).tolist() == [1.0]
    assert rbo(none[:0], none[:0]).shape == (0,)


@pytest.mark.parametrize("k", [1, 4, 10])
def test_jaccard_agrees_with_sets(k: int) -> None:
    first, second = rankings(50, 10, 14, 3), rankings(50, 12, 14, 4)[::-1]
    sets = [
        ({a for a in one[:k] if a >= 0}, {b for b in two[:k] if b >= 0})
        for one, two in zip(first.tolist(), second.tolist(), strict=True)
    ]
    expected = [len(one & two) / len(one | two) if one | two else 1.0 for one, two in sets]
    np.testing.assert_allclose(jaccard_at_k(first, second, k), expected)


def test_blocks_of_queries_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = rankings(50, 10, 14, 5), rankings(50, 10, 14, 6)
    whole = rbo(first, second), jaccard_at_k(first, second)
    monkeypatch.setattr("retrieval.evaluation.rank_overlap._BLOCK", 100 * 7)
    np.testing.assert_array_equal(rbo(first, second), whole[0])
    np.testing.assert_array_equal(jaccard_at_k(first, second), whole[1])


def test_what_cannot_be_compared_is_refused() -> None:
    rows = np.zeros((2, 5), np.int64)
    with pytest.raises(DimensionError, match="same queries"):
        rbo(rows, rows[:1])
    with pytest.raises(DimensionError, match="one depth"):
        rbo(rows, rows[:, :4])
    with pytest.raises(DimensionError, match="Jaccard@10"):
        jaccard_at_k(rows, rows)
    for p in (0.0, 1.0, -1.0):
        with pytest.raises(OptionError, match="above 0 and below 1"):
            rbo(rows, rows, p)
