"""Normal rows near a plane, strange ones off it; and a detector of each sort of items."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from retrieval.applications.anomaly.detector import AnomalyDetector

PLANE = np.random.default_rng(5).standard_normal((2, 6))
WORDS = "river bank water boat fish lake swim rain stream wave".split()
Make = Callable[[int, int], np.ndarray]


def _normal_rows(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((n, 2)) @ PLANE + 0.05 * rng.standard_normal((n, 6))).astype(np.float32)


def _texts(n: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, 12)) for _ in range(n)]


@pytest.fixture(scope="session")
def normal_rows() -> Make:
    """Rows near a plane: ``normal_rows(n, seed)``."""
    return _normal_rows


@pytest.fixture(scope="session")
def strange_rows() -> Make:
    """The same with a wrong column 3."""

    def make(n: int, seed: int) -> np.ndarray:
        rows = _normal_rows(n, seed)
        rows[:, 3] += 3
        return rows

    return make


@pytest.fixture(scope="session")
def texts() -> Callable[[int, int], list[str]]:
    """Texts of ten words: ``texts(n, seed)``."""
    return _texts


@pytest.fixture(scope="session")
def of_rows() -> AnomalyDetector:
    return AnomalyDetector.fit(_normal_rows(600, 0), "vectors+pca:2")


@pytest.fixture(scope="session")
def of_texts() -> AnomalyDetector:
    return AnomalyDetector.fit([*_texts(300, 1), *["money bank loan credit"] * 3], "tfidf+lsa:3")


@pytest.fixture(scope="session")
def of_pictures() -> AnomalyDetector:
    rng = np.random.default_rng(2)
    pictures = (rng.random((200, 1, 1)) * 200 + rng.random((200, 5, 4)) * 20).astype(np.uint8)
    return AnomalyDetector.fit(pictures, "pixels+pca:1")
