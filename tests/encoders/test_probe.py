"""A saved encoder that somebody has changed, checksums too, is refused when it is opened, in one sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from encoders.artifact import MANIFEST, STATE, digest_of
from encoders.base import Encoder
from encoders.errors import ArtifactError
from encoders.registry import create

ROWS = np.random.default_rng(0).normal(size=(10, 12)).astype(np.float32)
SPECS = ["pca:3", "kmeans:4", "random-projection:5", "gaussian:0.1", "select:4", "binarize", "linear-ae:3,epochs=1"]


@pytest.fixture
def folder(tmp_path, request):
    create(request.param).fit(ROWS).save(tmp_path / "encoder")
    return tmp_path / "encoder"


def changed(folder, change):
    """Change the manifest, and sign the state anew."""
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["digests"] = {name: digest_of(folder / name) for name in manifest["digests"]}
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def refused(folder):
    with pytest.raises(ArtifactError, match=r"encoder is corrupt: |manifest\.json is ") as raised:
        Encoder.load(folder)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 1000


@pytest.mark.parametrize("folder", SPECS, indirect=True)
def test_arrays_of_another_width_are_refused(folder):
    state = load_file(folder / STATE)
    wide = {key: np.repeat(value, 2, axis=-1) if value.ndim else value for key, value in state.items()}
    save_file({key: np.ascontiguousarray(value) for key, value in wide.items()}, folder / STATE)
    changed(folder, lambda manifest: None)
    refused(folder)


@pytest.mark.parametrize("folder", ["pca:3"], indirect=True)
@pytest.mark.parametrize("value", [-1, 2**40, 1e300, float("inf"), True, "3", [3]])
@pytest.mark.parametrize("key", ["dim", "input_dim"])
def test_dims_that_no_code_has_are_refused(folder, key, value):
    def change(manifest):
        place = manifest["learnt"]["space"] if key == "dim" else manifest["learnt"]
        place[key] = value

    changed(folder, change)
    refused(folder)


@pytest.mark.parametrize("folder", ["pca:3"], indirect=True)
@pytest.mark.parametrize(
    ("key", "value"),
    [("config", "pca,3"), ("config", "p" * 70_000), ("config", 7), ("nearby", ["a"] * 1000), ("format", [0] * 1000)],
)
def test_a_manifest_of_other_values_is_one_short_sentence(folder, key, value):
    def change(manifest):
        manifest[key] = value

    changed(folder, change)
    refused(folder)


@pytest.mark.parametrize("spec", ["bow", "tfidf", "bm25"])
@pytest.mark.parametrize("part", ["words", "arrays"])
def test_words_and_their_weights_belong_together(tmp_path, spec, part):
    folder = create(spec).fit(["the red kite", "a green kite", "the green boat"]).save(tmp_path / "encoder")
    if part == "words":
        words = json.loads((folder / "vocabulary.json").read_text())
        (folder / "vocabulary.json").write_text(json.dumps(words[:-1]))
    else:
        state = load_file(folder / STATE)
        if not any(value.ndim and value.size > 1 for value in state.values()):
            return  # counts have no weights
        save_file({key: value[:-1].copy() if value.ndim else value for key, value in state.items()}, folder / STATE)
    changed(folder, lambda manifest: None)
    refused(folder)
