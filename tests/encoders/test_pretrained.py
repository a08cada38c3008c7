"""What encoders of pretrained models save: it stays readable, whatever class their common parts are in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small_models import clip_spec, sentence_model, shared_folder, splade_spec, static_spec, vit_spec

from encoders.artifact import MANIFEST
from encoders.base import Encoder
from encoders.errors import ArtifactError
from encoders.pretrained import PretrainedEncoder
from encoders.registry import ENCODERS, create, encoder_class
from encoders.spec import write_stage

TEXTS = ["flow of heat", "apple tree"]
PICTURES = [np.full((16, 16, 3), shade, np.uint8) for shade in (20, 200)]


def sbert_spec() -> str:
    return write_stage("sbert", str(sentence_model(shared_folder() / "sentence-model")), {})


#: Encoder -> its spec, items, and its options as saved spaces have them since they exist; new ones have a default.
SAVED = {
    "sbert": (
        sbert_spec,
        TEXTS,
        "batch-size=64,max-length=none,precision=fp32,prompt=none,query-prompt=none,truncate-dim=none,chunk=none,"
        "overlap=0,pool=mean,backend=torch,trust-remote-code=false,revision=none,device=auto",
    ),
    "static": (static_spec, TEXTS, "max-length=512,revision=none"),
    "splade": (splade_spec, TEXTS, "batch-size=32,max-length=none,max-words=none,revision=none,device=auto"),
    "clip": (clip_spec, PICTURES, 'prompt="",batch-size=32,revision=none,device=auto'),
    "image-model": (vit_spec, PICTURES, "pool=auto,batch-size=32,revision=none,device=auto"),
}


def rows(codes) -> np.ndarray:
    return codes.toarray() if hasattr(codes, "toarray") else codes


def test_every_pretrained_encoder_is_here():
    assert set(SAVED) == {name for name in ENCODERS if issubclass(encoder_class(name), PretrainedEncoder)}


@pytest.mark.parametrize("name", SAVED)
def test_options_that_a_saved_space_has_are_read_and_give_the_same_codes(name, tmp_path):
    make, items, written = SAVED[name]
    encoder = create(make()).fit(items)
    folder = encoder.save(tmp_path / "saved")
    assert json.loads((folder / MANIFEST).read_text())["config"] == f"{name}:{encoder.model},{written}"
    assert encoder.state().keys() == {"fingerprint"}
    assert encoder.state()["fingerprint"].shape == (32,)
    np.testing.assert_allclose(rows(Encoder.load(folder).encode(items)), rows(encoder.encode(items)), atol=1e-6)


@pytest.mark.parametrize("name", SAVED)
def test_another_model_is_refused_by_the_name_of_the_encoder(name):
    make, items, _ = SAVED[name]
    encoder = create(make()).fit(items)
    encoder.restore({"fingerprint": np.zeros(32, np.uint8)})
    with pytest.raises(ArtifactError, match=f"{name}: the model at '.*' is not the one .* bring the old model back"):
        encoder.encode(items)


@pytest.mark.parametrize("name", SAVED)
def test_a_model_folder_that_went_is_said_at_the_first_item(name, tmp_path):
    make, items, _ = SAVED[name]
    encoder = create(make()).fit(items)
    encoder.model = str(tmp_path / "gone")
    encoder.restore(encoder.state())
    with pytest.raises(ArtifactError, match=f"{name}: there is no model folder {Path(encoder.model)}"):
        encoder.encode(items)
