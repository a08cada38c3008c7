"""The health values equal brute force, scikit-dimension's, and closed forms."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from encoders.codes import Kind, Metric, Space
from retrieval.evaluation.health import checks
from retrieval.evaluation.health.chance import shuffled
from retrieval.evaluation.health.distances import disagreement, far_queries, relative_contrast
from retrieval.evaluation.health.duplicates import duplicates
from retrieval.evaluation.health.hubness import chance_of_random_lists, hubness, k_occurrence
from retrieval.evaluation.health.intrinsic_dimension import levina_bickel, nearest_distances, two_nn
from retrieval.evaluation.health.ranked import measured
from retrieval.evaluation.health.remedies import (
    csls,
    mean_of_nearest,
    moments,
    mutual_proximity,
    principal_directions,
    vector_remedies,
)
from retrieval.evaluation.health.similarity import distance_matrix, mask_query_rows, rows_of, score_matrix
from retrieval.evaluation.health.spectrum import constant_components, effective_rank, mean_cosine, singular_values
from retrieval.evaluation.health.values import Vectors, vector_values
from retrieval.evaluation.relevance import LabelRelevance

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(120, 6)) * [3, 2, 1, 1, 0.5, 0.1] + 1


@pytest.mark.parametrize("metric", [Metric.COSINE, Metric.DOT, Metric.EUCLIDEAN])
def test_hubness_equals_brute_force(metric):
    scores = mask_query_rows(score_matrix(ROWS, ROWS, metric), np.arange(len(ROWS)))
    counts = np.zeros(len(ROWS))
    for query, row in enumerate(ROWS):
        if metric is Metric.EUCLIDEAN:
            likeness = -np.linalg.norm(ROWS - row, axis=1)
        else:
            likeness = ROWS @ row / (1 if metric is Metric.DOT else np.linalg.norm(ROWS, axis=1))
        likeness[query] = -np.inf
        counts[np.argsort(-likeness)[:10]] += 1
    found = k_occurrence(scores)
    assert np.array_equal(found, counts)
    deviations = counts - counts.mean()
    assert hubness(found).skewness == pytest.approx((deviations**3).mean() / (deviations**2).mean() ** 1.5)
    assert hubness(found).antihubs == (counts == 0).mean()


def test_the_order_of_items_with_equal_scores_decides_nothing():
    clusters = np.eye(4)[np.repeat(np.arange(4), 25)]
    occurrence = k_occurrence(mask_query_rows(score_matrix(clusters, clusters, Metric.COSINE), np.arange(100)))
    assert np.allclose(occurrence, 10)
    assert hubness(occurrence).skewness == 0


def test_random_lists_have_the_hubness_of_the_formula():
    n = 400
    scores = mask_query_rows(np.random.default_rng(1).random((n, n)), np.arange(n))
    found = [
        hubness(k_occurrence(mask_query_rows(np.random.default_rng(s).random((n, n)), np.arange(n)))) for s in range(20)
    ]
    assert np.mean([one.skewness for one in found]) == pytest.approx(chance_of_random_lists(n).skewness, abs=0.06)
    assert k_occurrence(scores).sum() == pytest.approx(10 * n)


@pytest.mark.parametrize(
    ("name", "width", "dimension"),
    [("M1_Sphere", 11, 10), ("M5b_Helix2d", 3, 2), ("M7_Roll", 3, 2), ("M9_Affine", 20, 20), ("M10a_Cubic", 11, 10),
     ("M12_Norm", 20, 20)],
)  # fmt: skip
def test_intrinsic_dimension_equals_that_of_scikit_dimension(name, width, dimension):
    skdim = pytest.importorskip("skdim", reason="scikit-dimension is not installed: pip install scikit-dimension")
    manifolds = skdim.datasets.BenchmarkManifolds(random_state=0)
    points = manifolds.generate(name=name, n=400, dim=width, d=dimension)
    points = points if isinstance(points, np.ndarray) else points[name]
    nearest = nearest_distances(distance_matrix(points, points, Metric.EUCLIDEAN), 20)
    assert two_nn(nearest) == pytest.approx(skdim.id.TwoNN(method="linear").fit(points).dimension_, rel=1e-4)
    assert levina_bickel(nearest) == pytest.approx(skdim.id.MLE().fit(points, n_neighbors=20).dimension_, rel=1e-4)


def test_intrinsic_dimension_of_a_cube_is_its_dimension():
    points = np.random.default_rng(3).uniform(size=(1500, 3)) @ np.random.default_rng(4).normal(size=(3, 12))
    nearest = nearest_distances(distance_matrix(points, points, Metric.EUCLIDEAN), 20)
    assert two_nn(nearest) == pytest.approx(3, abs=0.3)
    assert levina_bickel(nearest) == pytest.approx(3, abs=0.3)


def test_spectrum_of_sparse_rows_equals_that_of_dense_ones():
    dense = RNG.random((40, 60)) * (RNG.random((40, 60)) < 0.2)
    expected = np.linalg.svd(dense - dense.mean(axis=0), compute_uv=False)
    for rows in (dense, csr_array(dense), dense[:, :30]):
        wanted = expected if rows.shape[1] == 60 else np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
        assert np.allclose(singular_values(rows)[: len(wanted) - 1], wanted[:-1], atol=1e-6)
    assert mean_cosine(csr_array(dense)) == pytest.approx(mean_cosine(dense), abs=1e-6)


def test_effective_rank_of_equal_directions_is_their_number():
    assert effective_rank(np.ones(7)) == pytest.approx(7)
    assert effective_rank(np.zeros(3)) == 0


def test_mean_cosine_equals_the_mean_over_all_pairs():
    unit = ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)
    cosines = unit @ unit.T
    assert mean_cosine(ROWS) == pytest.approx(cosines[~np.eye(len(unit), dtype=bool)].mean())


def test_a_constant_word_of_sparse_rows_is_found_and_a_rare_one_is_not():
    rows = csr_array(np.array([[2.0, 1.0, 0.0], [2.0, 0.0, 3.0]]))
    assert constant_components(rows) == (pytest.approx(1 / 3), 0.0)


def test_duplicates_of_the_same_content_are_not_the_fault_of_the_space():
    distances = np.array([[0.0, 0, 9, 9], [0, 0, 9, 9], [9, 9, 0, 0], [9, 9, 0, 0]])
    found = duplicates(distances, [b"a", b"a", b"b", b"c"])
    assert found.exact == 0.5
    assert found.exact_pair == (2, 3)
    assert found.same_content == 0.5


def test_near_duplicates_are_nearer_than_one_percent_of_the_median():
    points = np.array([[0.0], [10], [20], [30], [30.05], [40]])
    found = duplicates(distance_matrix(points, points, Metric.EUCLIDEAN), [bytes([n]) for n in range(6)])
    assert (found.exact, found.near_pair) == (0, (3, 4))


def test_contrast_of_equidistant_items_is_one():
    assert relative_contrast(np.ones((5, 5)) - np.eye(5)) == 1


def test_codes_of_one_length_have_no_disagreement_of_cosine_and_dot():
    unit = ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)
    assert disagreement(unit) == pytest.approx(0, abs=1e-9)
    assert disagreement(ROWS) > 0.1


def test_queries_like_the_items_are_far_as_often_as_chance():
    points = np.random.default_rng(5).normal(size=(1200, 2))
    items, queries = points[:1000], points[1000:]
    near = far_queries(
        distance_matrix(queries, items, Metric.EUCLIDEAN), distance_matrix(items, items, Metric.EUCLIDEAN)
    )
    far = far_queries(
        distance_matrix(queries + 50, items, Metric.EUCLIDEAN), distance_matrix(items, items, Metric.EUCLIDEAN)
    )
    assert near < 0.04
    assert far == 1


@pytest.mark.parametrize("sparse", [False, True])
def test_shuffling_keeps_every_component_and_loses_what_they_share(sparse):
    column = np.where(RNG.random(300) < 0.5, 0, RNG.random(300))
    dense = np.stack([column, column, np.ones(300)], axis=1)
    rows = shuffled(csr_array(dense) if sparse else dense, seed=1)
    made = rows.toarray() if sparse else rows
    assert np.array_equal(np.sort(made, axis=0), np.sort(dense, axis=0))
    assert abs(np.corrcoef(made[:, 0], made[:, 1])[0, 1]) < 0.2


def test_shuffling_puts_sparse_entries_into_different_rows():
    wide = csr_array((RNG.random((50, 400)) < 0.1).astype(float))
    made = shuffled(wide)
    assert made.max() == 1  # two entries in one place would be 2
    assert np.array_equal(made.sum(axis=0), wide.sum(axis=0))


def test_values_of_noise_are_those_of_chance():
    rows = np.random.default_rng(6).normal(size=(300, 20))
    vectors = Vectors(rows, rows, Metric.EUCLIDEAN)
    here, chance = vector_values(vectors), vector_values(vectors.by_chance())
    for check in (checks.TWO_NN, checks.MLE, checks.EFFECTIVE_RANK, checks.CONTRAST):
        assert here[check.name] == pytest.approx(chance[check.name], rel=0.2)
    assert checks.TWO_NN.judge(here["dimension, TwoNN"], here["dimension, TwoNN"]) is checks.Level.WATCH  # never poor


def test_principal_directions_of_wide_and_tall_rows_agree():
    wide = RNG.normal(size=(8, 20))
    centred = wide - wide.mean(axis=0)
    variances, directions = principal_directions(centred)
    _, values, vectors = np.linalg.svd(centred, full_matrices=False)
    assert np.allclose(variances, values[:-1] ** 2 / 8)
    assert np.allclose(np.abs(directions @ vectors[:-1].T), np.eye(7), atol=1e-6)


def test_remedies_do_what_they_say():
    space = Space(6, Kind.DENSE, Metric.COSINE)
    made = {remedy.name: remedy.transform(ROWS) for remedy in vector_remedies(ROWS, space)}
    assert np.allclose(made["centring"].mean(axis=0), 0)
    assert np.allclose(np.cov(made["whitening"].T, bias=True), np.eye(6), atol=1e-6)
    centred = ROWS - ROWS.mean(axis=0)
    top = np.linalg.svd(centred, full_matrices=False)[2][0]
    assert np.allclose(made["all-but-the-top"] @ top, 0, atol=1e-9)
    assert made["fewer components"].shape[1] < 6


def test_a_shift_is_no_remedy_in_a_euclidean_space_and_bits_have_none():
    dense = [remedy.name for remedy in vector_remedies(ROWS, Space(6, Kind.DENSE, Metric.EUCLIDEAN))]
    assert "centring" not in dense
    bits = rows_of(np.array([[3], [1]], np.uint8), Space(8, Kind.BINARY, Metric.HAMMING))
    assert not list(vector_remedies(bits, Space(8, Kind.BINARY, Metric.HAMMING)))


def test_csls_and_mutual_proximity_reduce_the_hubs_of_gaussian_noise():
    rows = np.random.default_rng(7).normal(size=(300, 60))
    own = np.arange(300)
    distances = distance_matrix(rows, rows, Metric.EUCLIDEAN)
    before = hubness(k_occurrence(mask_query_rows(-distances, own))).skewness
    near = mean_of_nearest(mask_query_rows(-distances, own))
    spread = moments(distances, own)
    after = [csls(-distances, near, near), mutual_proximity(distances, spread, spread)]
    assert before > 2
    assert all(hubness(k_occurrence(mask_query_rows(scores, own))).skewness < before / 2 for scores in after)


def test_a_measure_of_a_constant_space_is_chance():
    labels = ["a"] * 30 + ["b"] * 70
    own = np.arange(100)
    scores = mask_query_rows(np.zeros((100, 100)), own)
    found = measured(scores, LabelRelevance(labels, labels, own), "P@10").values
    assert np.allclose(found, [29 / 99] * 30 + [69 / 99] * 70)


def test_a_list_that_ends_early_has_no_more_answers():
    scores = np.full((1, 20), -np.inf)
    scores[0, :3] = 1, 2, 3
    found = measured(scores, LabelRelevance(["a"] * 20, ["a"], np.array([-1])), "P@10").values
    assert found == pytest.approx([0.3])
