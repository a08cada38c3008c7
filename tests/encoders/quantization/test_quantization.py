"""Quantisers agree with FAISS' own, and with what their papers promise."""

from __future__ import annotations

import faiss
import numpy as np
import pytest

from encoders.codes import Metric, normalized
from encoders.errors import BadItemError, OptionError
from encoders.pipeline import Pipeline
from encoders.quantization.product import ProductQuantizer
from encoders.quantization.rabitq import RaBitQ, nearest_on_grid, random_rotation
from encoders.registry import create
from encoders.table.vectors import Vectors
from indexers.registry import create_index

RNG = np.random.default_rng(3)
ROWS = (RNG.standard_normal((2000, 32)) * np.linspace(2, 0.2, 32) + 1).astype(np.float32)
QUERIES = (RNG.standard_normal((40, 32)) * np.linspace(2, 0.2, 32) + 1).astype(np.float32)


def fitted(stage: str, metric: str = "euclidean"):
    return Pipeline((Vectors(metric), *create(f"vectors+{stage}").parts[1:])).fit(ROWS)


def found(encoder, k: int = 10):
    index = create_index("exact", encoder.space)
    index.add([str(row) for row in range(len(ROWS))], encoder.encode(ROWS))
    return index.search_rows(encoder.encode_queries(QUERIES), k)


def agreement(ours, theirs) -> float:
    return float(np.mean([len(set(a) & set(b)) / len(a) for a, b in zip(ours.tolist(), theirs.tolist(), strict=True)]))


@pytest.mark.parametrize("stage", ["sq8", "sq4"])
def test_scalar_levels_are_those_of_the_faiss_index_of_the_same_name(stage):
    encoder = fitted(stage)
    theirs = faiss.index_factory(32, stage.upper(), faiss.METRIC_L2)
    theirs.train(ROWS)
    theirs.add(ROWS)
    decoded = theirs.reconstruct_n(0, len(ROWS))
    ours = encoder.encode(ROWS)
    near = np.isclose(ours, decoded, atol=1e-4)
    assert near.mean() > 0.999  # a value on the edge of a cell may be rounded into the next one
    distances, rows = theirs.search(QUERIES, 10)
    hits = found(encoder)
    assert agreement(hits.rows, rows) > 0.99
    np.testing.assert_allclose(-hits.scores, distances, rtol=2e-3)


def test_product_codes_are_those_of_the_faiss_index_with_the_same_centroids():
    encoder = fitted("pq:8")
    stage = encoder.parts[-1]
    theirs = faiss.IndexPQ(32, 8, 8)
    faiss.copy_array_to_vector(np.concatenate([part.ravel() for part in stage.centroids]), theirs.pq.centroids)
    theirs.is_trained = True
    theirs.add(ROWS)
    np.testing.assert_allclose(encoder.encode(ROWS), theirs.reconstruct_n(0, len(ROWS)), atol=1e-6)
    assert agreement(found(encoder).rows, theirs.search(QUERIES, 10)[1]) > 0.995


def test_product_centroids_are_as_good_as_those_that_faiss_trains():
    encoder = fitted("pq:8")
    theirs = faiss.IndexPQ(32, 8, 8)
    theirs.pq.cp.min_points_per_centroid = 1
    theirs.train(ROWS)
    theirs.add(ROWS)
    ours = np.square(encoder.encode(ROWS) - ROWS).mean()
    assert ours < 1.03 * np.square(theirs.reconstruct_n(0, len(ROWS)) - ROWS).mean()


@pytest.mark.parametrize("metric", ["euclidean", "dot"])
def test_one_bit_estimates_are_those_of_the_faiss_index_of_rotated_rows(metric):
    encoder = fitted("rabitq:1", metric)
    stage = encoder.parts[-1]
    kind = faiss.METRIC_L2 if metric == "euclidean" else faiss.METRIC_INNER_PRODUCT
    theirs = faiss.IndexRaBitQ(32, kind)
    theirs.qb = 0  # queries are not quantised
    rotated = ROWS @ stage.rotation.T
    theirs.train(rotated)
    theirs.add(rotated)
    scores, rows = theirs.search(QUERIES @ stage.rotation.T, 10)
    hits = found(encoder)
    assert agreement(hits.rows, rows) > 0.99
    if metric == "dot":
        np.testing.assert_allclose(hits.scores, scores, rtol=1e-3, atol=1e-3)
    else:  # a score is (|query - centre|^2 - distance^2) / 2
        squares = np.square(QUERIES - stage.centre).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(squares - 2 * hits.scores, scores, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_the_estimated_product_is_unbiased(bits):
    row, query = ROWS[:1] - ROWS.mean(axis=0), QUERIES[0]
    true = float((row @ query)[0])
    estimates = []
    for seed in range(400):
        rotation = random_rotation(32, seed)
        rotated = row @ rotation.T
        grid, cosine = nearest_on_grid(rotated, bits)
        scale = np.linalg.norm(rotated) / (np.linalg.norm(grid) * cosine[0])
        estimates.append(float((grid * scale @ (rotation @ query))[0]))
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert abs(np.mean(estimates) - true) < 4 * error
    assert np.std(estimates) < 0.75 * np.linalg.norm(row) * np.linalg.norm(query) / np.sqrt(31) / 2 ** (bits - 1) * 1.5


def test_more_bits_keep_more_neighbours():
    exact = create_index("exact", fitted("truncate:32").space)
    exact.add([str(row) for row in range(len(ROWS))], ROWS)
    true = exact.search_rows(QUERIES, 10).rows
    kept = [agreement(found(fitted(f"rabitq:{bits}")).rows, true) for bits in (1, 2, 4, 8)]
    assert kept == sorted(kept)
    assert kept[-1] > 0.95


@pytest.mark.parametrize("stage", ["truncate:8", "sq8", "sq4", "pq:8", "rabitq:4"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "dot"])
def test_decoded_codes_are_near_the_rows(stage, metric):
    encoder = fitted(stage, metric)
    wanted = normalized(ROWS) if metric == "cosine" else ROWS
    decoded = encoder.parts[-1].decode(encoder.encode(ROWS))
    spread = np.square(wanted - wanted.mean(axis=0)).sum()
    limit = {"truncate:8": 0.9, "sq8": 1e-3, "sq4": 0.15, "pq:8": 0.35, "rabitq:4": 0.02}[stage]
    if (stage, metric) != ("truncate:8", "cosine"):  # the length of what is cut off is lost
        assert np.square(decoded - wanted).sum() < limit * spread


def test_truncated_rows_have_unit_length_under_cosine():
    codes = fitted("truncate:8", "cosine").encode(ROWS)
    np.testing.assert_allclose(np.linalg.norm(codes, axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(fitted("truncate:8").encode(ROWS), ROWS[:, :8])


def test_the_metric_is_that_of_the_stage_before():
    for metric in ("euclidean", "cosine", "dot"):
        for stage in ("truncate:3", "sq8", "pq:4"):
            assert fitted(stage, metric).space.metric is Metric(metric)
        assert fitted("rabitq:2", metric).space.metric is Metric.DOT


def test_values_outside_the_range_of_the_training_data_are_moved_to_its_ends():
    encoder = create("sq8").fit(ROWS)
    top, beyond = encoder.encode(ROWS.max(axis=0)[None]), encoder.encode(ROWS.max(axis=0)[None] + 100)
    np.testing.assert_array_equal(top, beyond)


@pytest.mark.parametrize("bad", ["truncate:33", "pq:33"])
def test_more_than_there_is_is_refused(bad):
    with pytest.raises(OptionError, match="more than the 32"):
        create(bad).fit(ROWS)


def test_what_is_too_wide_to_rotate_is_refused():
    with pytest.raises(OptionError, match="put pca before it"):
        RaBitQ().fit(np.zeros((2, 4097), dtype=np.float32))


@pytest.mark.parametrize("stage", ["sq8", "sq4", "pq:4", "rabitq", "truncate:4"])
def test_sparse_counts_are_refused_with_a_cure(stage):
    with pytest.raises(BadItemError, match="put lsa"):
        create(f"bow+{stage}").fit(["a text", "another text"])


def test_few_different_rows_are_kept_exactly():
    rows = ROWS[np.arange(900) % 200]
    np.testing.assert_array_equal(ProductQuantizer(4).fit(rows).encode(rows), rows)
