"""Facts about k-means and the codes made of it, against scikit-learn and the formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans as Theirs
from sklearn.datasets import load_digits

from encoders.cluster import kmeans
from encoders.cluster.kmeans import KMeans
from encoders.cluster.membership import clusters_of, one_hot
from encoders.codes import Kind, Metric
from encoders.errors import NotInvertibleError, OptionError

DIGITS = load_digits().data.astype(np.float32)
SMALL = DIGITS[:300]


def inertia(encoder, rows) -> float:
    return float(cdist(rows, encoder.centroids, "sqeuclidean").min(axis=1).sum())


@pytest.mark.parametrize("form", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_the_clusters_are_as_tight_as_scikit_learns(form):
    theirs = Theirs(10, n_init=4, random_state=0).fit(DIGITS)
    assert inertia(KMeans(10).fit(form(DIGITS)), DIGITS) < 1.01 * theirs.inertia_


def test_every_centroid_is_the_mean_of_its_items():
    encoder = KMeans(5, iterations=200).fit(SMALL)
    clusters = clusters_of(encoder.encode(SMALL))
    means = np.stack([SMALL[clusters == cluster].mean(axis=0) for cluster in range(5)])
    np.testing.assert_allclose(encoder.centroids, means, atol=0.05)


def test_one_cluster_is_the_mean():
    np.testing.assert_allclose(KMeans(1).fit(SMALL).centroids[0], SMALL.mean(axis=0), atol=1e-4)


def test_starts_are_compared_on_a_sample_of_much_data(monkeypatch):
    whole = inertia(KMeans(5).fit(DIGITS), DIGITS)
    monkeypatch.setattr(kmeans, "SAMPLE_ROWS", 300)
    monkeypatch.setattr(kmeans, "SAMPLE_PER_CLUSTER", 40)
    sampled = KMeans(5).fit(DIGITS)
    assert inertia(sampled, DIGITS) < 1.02 * whole
    means = KMeans(5).fit(DIGITS[:300]).centroids
    assert np.abs(sampled.centroids[:, None] - means).sum(axis=2).min() > 1  # the last fit is to all items


def formula(codes, rows, centroids):
    distances = cdist(rows, centroids)
    return {
        "indicator": np.eye(len(centroids))[distances.argmin(axis=1)],
        "distances": distances,
        "triangle": np.maximum(0, distances.mean(axis=1, keepdims=True) - distances),
    }[codes]


@pytest.mark.parametrize("form", [np.asarray, csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize(
    ("codes", "kind", "metric"),
    [
        ("indicator", Kind.SPARSE, Metric.COSINE),
        ("distances", Kind.DENSE, Metric.EUCLIDEAN),
        ("triangle", Kind.DENSE, Metric.COSINE),
    ],
)
def test_codes_are_those_of_the_formula(codes, kind, metric, form):
    encoder = KMeans(7, codes=codes).fit(form(SMALL))
    found = encoder.encode(form(DIGITS[300:600]))
    found = found.toarray() if codes == "indicator" else found
    np.testing.assert_allclose(found, formula(codes, DIGITS[300:600], encoder.centroids), atol=2e-3)
    assert (encoder.space.dim, encoder.space.kind, encoder.space.metric) == (7, kind, metric)


def test_about_half_of_the_triangle_activations_are_nought():
    codes = KMeans(40, codes="triangle").fit_encode(SMALL)
    assert 0.3 < (codes == 0).mean() < 0.7  # Coates, Lee & Ng: "roughly half the features are 0"


@pytest.mark.parametrize("codes", ["indicator", "distances", "triangle"])
def test_bytes_are_numbers(codes):
    pictures = SMALL.astype(np.uint8)  # whose squares do not fit into a byte
    found = [KMeans(4, codes=codes).fit_encode(rows) for rows in (pictures, SMALL)]
    np.testing.assert_array_equal(*(code.toarray() if codes == "indicator" else code for code in found))


def test_a_cluster_decodes_to_its_centroid():
    encoder = KMeans(6).fit(SMALL)
    clusters = clusters_of(encoder.encode(SMALL))
    np.testing.assert_array_equal(encoder.decode(encoder.encode(SMALL)), encoder.centroids[clusters])
    triangle = KMeans(6, codes="triangle").fit(SMALL)
    codes = triangle.encode(SMALL)
    with pytest.raises(NotInvertibleError, match="codes=triangle cannot be decoded"):
        triangle.decode(codes)


@pytest.mark.parametrize("form", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_more_clusters_than_items_are_refused(form):
    with pytest.raises(OptionError, match="8 items cannot form k=9 clusters"):
        KMeans(9).fit(form(SMALL[:8]))


def test_as_many_clusters_as_items_leave_nothing_over():
    assert inertia(KMeans(8).fit(SMALL[:8]), SMALL[:8]) == pytest.approx(0, abs=1e-3)


def test_memberships_there_and_back():
    clusters = np.array([2, 0, 1, 2])
    codes = one_hot(clusters, 4)
    assert clusters_of(codes).tolist() == clusters_of(codes.toarray()).tolist() == clusters.tolist()
    empty = np.zeros((1, 4), dtype=np.float32)
    assert clusters_of(empty).tolist() == clusters_of(csr_array(empty)).tolist() == [-1]
