"""Saved encoders: one that is foreign or damaged is said in a sentence, one that cannot be written leaves nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
import safetensors.numpy
from safetensors import SafetensorError

from encoders.base import Encoder
from encoders.errors import ArtifactError
from encoders.registry import create

ROWS = np.random.default_rng(0).random((20, 6)).astype(np.float32)


@pytest.fixture
def saved(tmp_path):
    create("pca:2").fit(ROWS).save(tmp_path / "e")
    return tmp_path / "e"


@pytest.mark.parametrize(
    "changed",
    [{"digests": []}, {"digests": None}, {"config": 5}, {"learnt": []}, {"learnt": {"space": []}}],
)
def test_a_manifest_of_other_values_is_corrupt(saved, changed):
    manifest = json.loads((saved / "manifest.json").read_text())
    (saved / "manifest.json").write_text(json.dumps({**manifest, **changed}))
    with pytest.raises(ArtifactError, match="e is corrupt: "):
        Encoder.load(saved)


def test_a_full_disk_leaves_what_was_there(saved, monkeypatch):
    def full(arrays, path, **options):
        path.write_bytes(b"half")
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    before = create("pca:2").fit(ROWS).encode(ROWS)
    monkeypatch.setattr(safetensors.numpy, "save_file", full)
    with pytest.raises(ArtifactError, match=r"cannot write .*e: .*No space left on device.*; nothing was changed"):
        create("pca:3").fit(ROWS).save(saved)
    assert [path.name for path in saved.parent.iterdir()] == ["e"]
    np.testing.assert_array_equal(Encoder.load(saved).encode(ROWS), before)
