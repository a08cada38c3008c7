"""Networks of transformers that read pictures: how they are pooled, texts beside pictures, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_models import clip_model, clip_spec, resnet_model, shared_folder, transformer, vit_model, vit_spec

from encoders.base import Encoder
from encoders.codes import normalized
from encoders.errors import ArtifactError, BadItemError, DownloadError, MissingLibraryError, OptionError
from encoders.registry import create
from encoders.spec import write_stage
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.search.read_query import asked_query
from retrieval.search.request import SearchRequest

RNG = np.random.default_rng(0)
PICTURES = [RNG.integers(0, 256, shape, dtype=np.uint8) for shape in ((16, 16), (20, 30, 3), (40, 17))]


def colours() -> list[Image.Image]:
    return [Image.fromarray(picture).convert("RGB") for picture in PICTURES]


@pytest.mark.parametrize("pool", ["auto", "first", "mean"])
def test_a_network_of_tokens_gives_its_first_token_or_their_mean(pool):
    from transformers import AutoImageProcessor, AutoModel

    encoder = create(f"{vit_spec()},pool={pool}").fit(PICTURES)
    network = AutoModel.from_pretrained(encoder.model).eval()
    batch = AutoImageProcessor.from_pretrained(encoder.model)(images=colours(), return_tensors="pt")
    with torch.inference_mode():
        states = network(**batch).last_hidden_state.numpy()
    expected = states.mean(axis=1) if pool == "mean" else states[:, 0]
    np.testing.assert_allclose(encoder.encode(PICTURES), expected, rtol=1e-4, atol=1e-5)


def test_a_network_of_convolutions_gives_the_mean_over_places(tmp_path):
    from transformers import AutoImageProcessor, AutoModel

    folder = resnet_model(tmp_path / "resnet")
    codes = create(write_stage("image-model", str(folder), {})).fit(PICTURES).encode(PICTURES)
    batch = AutoImageProcessor.from_pretrained(folder)(images=colours(), return_tensors="pt")
    with torch.inference_mode():
        expected = AutoModel.from_pretrained(folder).eval()(**batch).pooler_output[:, :, 0, 0].numpy()
    np.testing.assert_allclose(codes, expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(OptionError, match="has no tokens: use pool=mean"):
        create(write_stage("image-model", str(folder), {"pool": "first"})).fit(PICTURES)


def test_texts_and_pictures_are_in_one_space():
    from transformers import AutoProcessor, CLIPModel

    encoder = create(clip_spec()).fit(PICTURES)
    network, processor = CLIPModel.from_pretrained(encoder.model).eval(), AutoProcessor.from_pretrained(encoder.model)
    texts = ["a red apple", "tree"]
    batch = processor(text=texts, images=colours(), padding=True, return_tensors="pt")
    with torch.inference_mode():
        expected = network(**batch)
    codes = encoder.encode(PICTURES)
    asked = encoder.encode_queries([texts[0], PICTURES[1], texts[1]])
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (codes, asked)]
    np.testing.assert_allclose(unit[0], expected.image_embeds.numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(unit[1][[0, 2]], expected.text_embeds.numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(unit[1][1], unit[0][1], rtol=1e-4, atol=1e-5)
    pipeline = create(f"{clip_spec()}+truncate:4").fit(PICTURES)
    np.testing.assert_allclose(
        normalized(pipeline.encode_queries(texts)), normalized(asked[[0, 2], :4]), rtol=1e-4, atol=1e-5
    )
    prompted = create(write_stage("clip", encoder.model, {"prompt": "a red "})).fit(PICTURES)
    np.testing.assert_allclose(prompted.encode_queries(["apple"])[0], asked[0], rtol=1e-4, atol=1e-5)
    with pytest.raises(BadItemError):
        encoder.encode(texts)


def test_pictures_are_found_by_words(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(6):
        Image.fromarray(RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    collection = LocalCollection.create(tmp_path / "c", open_corpus(str(folder)))
    collection = collection.add_space("pixels").add_space(clip_spec())
    pixels, clip = SearchRequest(k=3).answer(collection, asked_query(collection, "green apple tree", None)).found
    assert "'pixels' reads images, and the query is a text" in pixels.note
    encoder = collection.space(clip.spec).encoder
    items = list(collection.items)
    codes, asked = encoder.encode([item.content for item in items]), encoder.encode_queries(["green apple tree"])[0]
    near = codes @ asked / np.linalg.norm(codes, axis=1)
    assert [answer.shown.id for answer in clip.answers] == [items[row].id for row in np.argsort(-near)[:3]]
    found = SearchRequest(k=1).answer(collection, asked_query(collection, str(folder / "3.png"), None)).found
    assert all(space.answers[0].distance == pytest.approx(0, abs=1e-3) for space in found)


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("image-model", lambda folder: (folder / "model.safetensors").unlink(), "holds no weights"),
        ("image-model", lambda folder: (folder / "model.safetensors").write_bytes(b"{}"), "cannot read the model"),
        ("image-model", lambda folder: (folder / "config.json").unlink(), "holds no model of transformers"),
        ("image-model", lambda folder: (folder / "preprocessor_config.json").unlink(), "cannot read the model"),
        ("clip", lambda folder: None, "holds a model of type 'vit'; expected clip or siglip"),
    ],
)
def test_what_is_no_such_model_is_refused(tmp_path, name, damage, words):
    folder = Path(shutil.copytree(vit_model(shared_folder() / "other"), tmp_path / "model"))
    damage(folder)
    with pytest.raises(ArtifactError, match=words) as raised:
        create(write_stage(name, str(folder), {})).fit(PICTURES)
    assert "\n" not in str(raised.value)


def test_code_of_a_model_is_not_run(tmp_path):
    folder = vit_model(tmp_path / "model")
    (folder / "own.py").write_text("raise SystemExit('was run')")
    settings = json.loads((folder / "config.json").read_text())
    settings |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}
    (folder / "config.json").write_text(json.dumps(settings))
    with pytest.raises(ArtifactError, match=r"needs code of its own, .* which image-model never runs: choose a"):
        create(write_stage("image-model", str(folder), {})).fit(PICTURES)


def test_other_settings_are_refused_and_a_model_that_is_nowhere_is_said(tmp_path, monkeypatch):
    folder = clip_model(tmp_path / "model")
    saved = create(write_stage("clip", str(folder), {})).fit(PICTURES).save(tmp_path / "saved")
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "logit_scale_init_value": 1.0}))
    loaded = Encoder.load(saved)
    from encoders.image import image_models

    image_models._load.cache_clear()
    with pytest.raises(ArtifactError, match="is not the one that this encoder was saved with"):
        loaded.encode(PICTURES)

    def unreachable() -> None:
        raise OSError("no network")

    monkeypatch.setattr("encoders.hub.reach_hub", unreachable)
    with pytest.raises(
        DownloadError, match=r"image-model: cannot get 'no/such'.*'hf download no/such --local-dir FOLDER'"
    ):
        create("image-model:no/such").fit(PICTURES)


def test_a_model_of_texts_reads_no_pictures(tmp_path):
    with pytest.raises(ArtifactError, match="cannot read the model"):
        create(write_stage("image-model", str(transformer(tmp_path / "bert")), {})).fit(PICTURES)


@pytest.mark.parametrize("settings", [{"model_type": "timm_wrapper"}, {}])
def test_a_model_of_timm_names_the_extra_that_reads_it(tmp_path, settings, monkeypatch):
    monkeypatch.setattr("transformers.utils.import_utils.is_timm_available", lambda: False)
    folder = vit_model(tmp_path / "timm")
    timm = {**settings, "architecture": "resnet18", "num_classes": 0, "pretrained_cfg": {"input_size": [3, 16, 16]}}
    (folder / "config.json").write_text(json.dumps(timm))
    said = f"image-model: the model in {folder} needs timm: pip install 'nearby-spaces[timm]'"
    with pytest.raises(MissingLibraryError, match=re.escape(said)):
        create(write_stage("image-model", str(folder), {})).fit(PICTURES)
