"""Every encoder on data in another unit, and on data that vary in few directions."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.codes import Metric, Modality
from encoders.errors import BadItemError
from encoders.registry import ENCODERS, create, encoder_class
from indexers.registry import create_index

RNG = np.random.default_rng(2)
#: Three groups, so that neighbours mean something; non-negative, for nmf.
ROWS = np.abs(RNG.standard_normal((60, 12)) + 4 * np.repeat(np.eye(12)[:3], 20, axis=0)).astype(np.float32)
LABELS = ["abc"[place // 20] for place in range(60)]
EXPONENTS = (-83, -40, 50)
#: What gives the same neighbours in any unit.
FREE = {
    "vectors": ["vectors", "vectors:cosine", "vectors:dot"],
    "pca": ["pca:4", "pca:4,whiten=true", "pca:4,solver=randomized", "pca:4,solver=incremental"],
    "lsa": ["lsa:4"],
    "ica": ["ica:3"],
    "nmf": ["nmf:3", "nmf:3,solver=mu,iterations=20"],
    "random-projection": ["random-projection:8"],
    "select": ["select:5", "select:5,criterion=laplacian", "select:5,criterion=reconstruction"],
    "kmeans": ["kmeans:4", "kmeans:4,codes=distances", "kmeans:4,codes=triangle"],
    "hac": ["hac:4", "hac:4,codes=distances", "hac:4,linkage=average", "hac:4,linkage=single"],
    "binarize": ["binarize", "binarize:mean"],
    "truncate": ["truncate:5"],
    "sq8": ["sq8"],
    "sq4": ["sq4"],
    "pq": ["pq:4"],
    "rabitq": ["rabitq:1", "rabitq:4", "vectors:dot+rabitq:4", "vectors:cosine+rabitq:4"],
    "mf": ["mf:3", "mf:3,solver=als"],
    "kernel-density": ["kernel-density"],
    "nearest-density": ["nearest-density:3"],
}
#: What has a unit of its own, a penalty, a ridge or a learning rate, and refuses data of another.
BOUND = {
    "gaussian": "gaussian", "mixture": "mixture:2", "sparse-coding": "sparse-coding:4", "linear-ae": "linear-ae:3",
    "deep-ae": "deep-ae:4-2,epochs=1", "denoising-ae": "denoising-ae:4-2,epochs=1", "vae": "vae:4-2,epochs=1",
    "semantic-hash": "semantic-hash:8,hidden=4,epochs=1",
    "deep-infomax": "deep-infomax:4,hidden=8,comparison-width=8,epochs=1", "pretrained-dnn": "pretrained-dnn:4-2,epochs=1",
    "gan": "gan:4,hidden=8,epochs=1", "disentangle": "disentangle:4,hidden=8,epochs=1",
}  # fmt: skip
#: What reads pictures behind pixels, whose values are what they are.
PICTURES = {"conv-ae", "unet-ae", "fpn-ae", "block-transform"}


def ranked(text: str, rows: np.ndarray, k: int) -> list[list[tuple[str, float]]]:
    encoder = create(text)
    codes = encoder.fit_encode(rows, LABELS)
    index = create_index("exact", encoder.space).fit(codes)
    index.add([str(row) for row in range(len(rows))], codes)
    return [[(hit.id, hit.score) for hit in hits] for hits in index.search(encoder.encode_queries(rows), k)]


def test_every_encoder_of_vectors_is_tried():
    vectors = {name for name in ENCODERS if encoder_class(name).reads is Modality.VECTOR}
    assert vectors == FREE.keys() | BOUND.keys() | PICTURES


@pytest.mark.filterwarnings("ignore:mf")
@pytest.mark.parametrize("text", [text for texts in FREE.values() for text in texts])
def test_the_unit_of_the_data_changes_no_neighbour(text):
    near = []
    for hits in ranked(text, ROWS, len(ROWS)):  # of items that are equally near, any may be among the ten
        tenth = hits[9][1]
        near.append({id for id, score in hits if score >= tenth - 1e-6 * abs(tenth)})
    for exponent in EXPONENTS:
        found = ranked(text, ROWS * np.float32(2.0**exponent), 10)
        same = np.mean([sum(id in among for id, _ in hits) / 10 for hits, among in zip(found, near, strict=True)])
        assert same > 0.99, exponent  # logarithms of densities are rounded otherwise in another unit


@pytest.mark.parametrize("text", BOUND.values())
def test_what_has_a_unit_of_its_own_refuses_tiny_values(text):
    with pytest.raises(BadItemError, match=r"multiply|scale"):
        create(text).fit(ROWS * np.float32(2.0**-83), LABELS)


FLAT = (RNG.standard_normal((80, 3)) @ RNG.standard_normal((3, 12))).astype(np.float32)


@pytest.mark.parametrize("factor", [1.0, 2.0**-83, 2.0**40])
@pytest.mark.parametrize("offset", [0, 100])
@pytest.mark.parametrize("text", ["pca:6,whiten=true", "pca:6,whiten=true,solver=randomized", "ica:6"])
def test_whitening_leaves_out_directions_that_do_not_vary(text, offset, factor):
    rows = (FLAT + np.float32(offset)) * np.float32(factor)
    encoder = create(text)
    codes = encoder.fit_encode(rows)
    spread = np.sort(codes.std(axis=0))
    np.testing.assert_allclose(spread[3:], 1, atol=0.02)
    np.testing.assert_array_equal(spread[:3], 0)
    np.testing.assert_allclose(encoder.decode(codes), rows, atol=2e-4 * np.abs(rows).max())


@pytest.mark.parametrize("text", ["pca:2,whiten=true", "ica:2"])
def test_constant_rows_are_whitened_to_nothing(text):
    assert not create(text).fit_encode(np.full((9, 4), 0.1, dtype=np.float32)).any()


@pytest.mark.parametrize("text", ["vectors", "pca:3", "kmeans:10", "hac:5", "pca:3+kmeans:10", "pca:3+binarize"])
def test_an_item_finds_its_copies_at_distance_0(text):
    five = RNG.standard_normal((5, 9)).astype(np.float32)
    rows = five[np.arange(60) % 5]
    encoder = create(text).fit(rows)
    index = create_index("exact", encoder.space)
    index.add([str(row) for row in range(60)], encoder.encode(rows))
    for row in range(0, 60, 7):
        hits = index.search(encoder.encode_queries(rows[row : row + 1]), 12)[0]
        assert {hit.id for hit in hits} == {str(other) for other in range(row % 5, 60, 5)}
        best = 1.0 if encoder.space.metric is Metric.COSINE else 0.0
        assert [hit.score for hit in hits] == [best] * 12
