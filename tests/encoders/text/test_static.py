"""Static embeddings: the mean of rows of a table, as sentence-transformers computes it from the same files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from small_models import static_model

from encoders.base import Encoder
from encoders.codes import normalized
from encoders.errors import ArtifactError
from encoders.registry import create
from encoders.spec import write_stage

TEXTS = ["flow of heat", "apple tree in the red air", "a", ""]


@pytest.fixture
def model(tmp_path) -> Path:
    return static_model(tmp_path / "model")


def static(model: Path, **more: str) -> Encoder:
    return create(write_stage("static", str(model), more)).fit(["a"])


def test_it_is_the_mean_that_sentence_transformers_computes(model):
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    table = load_file(model / "model.safetensors")["embeddings"]
    peer = StaticEmbedding(Tokenizer.from_file(str(model / "tokenizer.json")), embedding_weights=table)
    means = [peer(peer.tokenize([text]))["sentence_embedding"].detach().numpy()[0] for text in TEXTS[:3]]
    codes = static(model).encode(TEXTS)
    np.testing.assert_allclose(codes[:3], normalized(np.array(means)), atol=1e-6)
    assert not codes[3].any()


def test_unknown_tokens_are_left_out_and_long_texts_cut(model):
    codes = static(model).encode(["flow zzzz heat", "flow heat"])
    np.testing.assert_allclose(codes[0], codes[1], atol=1e-6)
    cut = static(model, **{"max-length": "2"}).encode(["flow heat air", "flow heat"])
    np.testing.assert_allclose(cut[0], cut[1], atol=1e-6)


def test_weights_and_a_smaller_table_with_a_mapping(model):
    plain = static(model).encode(["flow heat"])
    table = load_file(model / "model.safetensors")["embeddings"]
    rows = np.arange(len(table))[::-1].copy()
    shrunk = {"embeddings": table[::-1].copy(), "mapping": rows, "weights": np.ones(len(table))}
    save_file(shrunk, model / "model.safetensors")
    np.testing.assert_allclose(static(model).encode(["flow heat"]), plain, atol=1e-6)
    tokens = static(model)._known_model().tokenizer.encode("flow heat", add_special_tokens=False).ids
    shrunk["weights"][tokens[1]] = 0
    save_file(shrunk, model / "model.safetensors")
    np.testing.assert_allclose(static(model).encode(["flow heat"]), static(model).encode(["flow"]), atol=1e-6)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda model: (model / "model.safetensors").write_bytes(b"{"), "no readable model2vec model"),
        (lambda model: (model / "config.json").unlink(), "no readable model2vec model"),
        (lambda model: (model / "tokenizer.json").write_text("{}"), "no readable tokenizer"),
        (lambda model: save_file({"other": np.ones((2, 2))}, model / "model.safetensors"), "holds no table"),
        (
            lambda model: save_file({"embeddings": np.ones((2, 2), np.float32)}, model / "model.safetensors"),
            "does not fit",
        ),
    ],
)
def test_what_is_no_model_is_refused(model, damage, words):
    damage(model)
    with pytest.raises(ArtifactError, match=words) as raised:
        static(model)
    assert "\n" not in str(raised.value)


def test_another_table_is_refused(model, tmp_path):
    saved = static(model).save(tmp_path / "saved")
    table = load_file(model / "model.safetensors")["embeddings"]
    save_file({"embeddings": table + 1}, model / "model.safetensors")
    with pytest.raises(ArtifactError, match="is not the one that this encoder was saved with"):
        Encoder.load(saved).encode(["flow"])
