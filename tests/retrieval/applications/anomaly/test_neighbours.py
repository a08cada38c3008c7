"""Distances to neighbours: those of float64, in the right order, for codes of any size."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.codes import Kind, Metric, Space
from indexers.registry import create_index
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.neighbours import nearest


@pytest.mark.parametrize("metric", [Metric.EUCLIDEAN, Metric.DOT, Metric.COSINE])
@pytest.mark.parametrize("size", [1e-20, 1.0, 1e16, 1e25, 1e36])
def test_distances_are_those_of_float64(metric, size):
    rng = np.random.default_rng(0)
    known = (rng.standard_normal((30, 3)) * size).astype(np.float32)
    asked = rng.standard_normal((60, 3)) * 10.0 ** rng.uniform(-3, 38 - max(0, np.log10(size)), (60, 1)) * size / 10
    asked = np.clip(asked, -3e38, 3e38).astype(np.float32)
    index = create_index("exact", Space(3, Kind.DENSE, metric))
    index.add(list(map(str, range(30))), known)
    found = nearest(index, asked, 4)
    wide, a, b = known.astype(np.float64), asked[:, None].astype(np.float64), known[None].astype(np.float64)
    if metric is Metric.EUCLIDEAN:
        far = np.linalg.norm(a - b, axis=2)
    elif metric is Metric.DOT:
        far = -(asked.astype(np.float64) @ wide.T)
    else:
        far = 1 - (a * b).sum(2) / np.linalg.norm(a, axis=2) / np.linalg.norm(b, axis=2)
    scale = 1 if metric is Metric.COSINE else np.abs(far).max(axis=1, keepdims=True)
    assert np.abs(found.distances - np.sort(far, axis=1)[:, :4]).max() < 1e-5 * np.max(scale)
    assert (np.abs(found.distances - np.sort(far, axis=1)[:, :4]) <= 1e-5 * scale).all()
    assert np.abs(np.take_along_axis(far, found.rows, axis=1) - found.distances).max() < 1e-5 * np.max(scale)


@pytest.mark.parametrize("training", [1.0, 1e25])
def test_order_beyond_what_an_index_takes(training):
    rows = np.random.default_rng(1).standard_normal((200, 4)).astype(np.float32) * np.float32(training)
    detector = AnomalyDetector.fit(rows, "vectors", score="neighbours")
    sizes = [1e10, 9e16, 2e17, 1e18, 1e20, 1e24, 1e26, 1e30, 3e38]
    asked = np.outer(sizes, np.ones(4)).astype(np.float32)
    scores = detector.score(asked)
    beyond = scores[np.array(sizes) > 10 * training]
    assert (np.diff(beyond) > 0).all()
    assert np.isfinite(scores).all()
    found = detector.explain(asked[-1])
    assert found.score == scores[-1]
    assert len(found.nearest) == 3
