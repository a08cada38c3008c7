"""Options of sentence models: prompts, fewer components, long texts that are counted or cut, backends, code of a model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from small_models import LIMIT, sentence_model

from encoders import sentence_backends
from encoders.base import Encoder
from encoders.codes import normalized
from encoders.cross_encoder import CrossEncoder
from encoders.errors import ArtifactError, MissingLibraryError, OptionError
from encoders.registry import create
from encoders.spec import write_stage

SHORT, LONG = "flow of heat", "apple tree in the " * 12


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return sentence_model(tmp_path_factory.mktemp("models") / "model")


def sbert(model: Path, **more: str) -> Encoder:
    return create(write_stage("sbert", str(model), more)).fit(["a"])


def close(first, second) -> None:
    np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)


def test_prompts_come_before_documents_and_queries(model):
    asked = sbert(model, prompt="passage: ", **{"query-prompt": "query: "})
    plain = sbert(model)
    close(asked.encode([SHORT]), plain.encode([f"passage: {SHORT}"]))
    close(asked.encode_queries([SHORT]), plain.encode([f"query: {SHORT}"]))
    assert not np.allclose(asked.encode([SHORT]), plain.encode([SHORT]), atol=1e-3)


def test_fewer_components_are_the_first_ones(model):
    close(sbert(model, **{"truncate-dim": "5"}).encode([SHORT]), sbert(model).encode([SHORT])[:, :5])
    with pytest.raises(OptionError, match="truncate-dim=17 is more than the 16 components"):
        sbert(model, **{"truncate-dim": "17"})


def test_long_documents_are_counted_and_queries_are_not(model):
    encoder = sbert(model)
    encoder.encode([SHORT, LONG])
    encoder.encode([LONG, ""])
    encoder.encode_queries([LONG])
    (remark,) = encoder.remarks()
    assert remark.startswith(
        f"sbert: 2 of 4 documents are longer than {LIMIT} tokens, and their rest is not read: chunk="
    )
    assert encoder.remarks() == []
    sbert(model, chunk=remark.partition("chunk=")[2].split()[0]).encode([LONG])  # what it says can be done


@pytest.mark.parametrize("letters", [LIMIT - 3, LIMIT - 2, LIMIT - 1, LIMIT])
def test_a_text_is_long_from_the_first_token_that_is_not_read(model, letters):
    encoder = sbert(model)
    encoder.encode([" ".join("abcd"[at % 4] for at in range(letters))])  # with the two marks of the model
    assert bool(encoder.remarks()) == (letters + 2 > LIMIT)


def test_the_shortest_prompt_counts(model):
    encoder = sbert(model, prompt="query : ")
    encoder.encode([" ".join("a" * (LIMIT - 2))])
    assert encoder.remarks()


def test_a_text_in_parts_has_the_largest_or_mean_components(model):
    words = "one two three four five six seven eight nine ten a b c d e f g h i j".split()
    parts = [" ".join(words[start : start + 8]) for start in (0, 6, 12)]
    unit = normalized(sbert(model).encode(parts))
    for pool, expected in (("max", unit.max(axis=0)), ("mean", unit.mean(axis=0))):
        encoder = sbert(model, chunk="8", overlap="2", pool=pool)
        codes = encoder.encode([SHORT, " ".join(words)])
        close(codes[1], expected)
        close(codes[0], normalized(sbert(model).encode([SHORT]))[0])
        assert encoder.remarks() == ["sbert: 1 of 2 documents were cut; there are 4 parts in all"]
    assert encoder.encode([]).shape == (0, 16)


def test_every_token_is_read_once_without_overlap(model):
    from encoders.text.long_texts import chunked

    network = sbert(model)._known_model().model
    text = " ".join("one two three four five six seven eight nine ten".split() * 5)
    for overlap in (0, 3, 7):
        parts, starts = chunked("sbert", network, [text, SHORT], 8, overlap, "")
        own = [part.split() for part in parts[: starts[1]]]
        assert all(len(part) <= 8 for part in own)
        joined = own[0] + [word for part in own[1:] for word in part[overlap:]]
        assert joined == text.split()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"chunk": "31"}, "32 tokens, 2 of which are its marks and the prompt: chunk= should be at most 30, got 31"),
        ({"chunk": "30", "prompt": "query : "}, "4 of which .* at most 28"),
        ({"chunk": "8", "overlap": "8"}, "overlap=8 should be smaller than chunk=8"),
        ({"overlap": "8"}, "give their length, chunk="),
    ],
)
def test_parts_that_do_not_fit_are_refused(model, options, words):
    with pytest.raises(OptionError, match=words):
        sbert(model, **options).encode([LONG])


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_a_backend_that_is_missing_names_its_extra(model, backend, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(
        MissingLibraryError, match=rf"backend={backend} needs optimum and .*'nearby-spaces\[{backend}\]'"
    ):
        sbert(model, backend=backend)


def test_a_backend_needs_its_files_and_is_known_by_them(model, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: True)
    with pytest.raises(ArtifactError, match=r"no folder with weights for backend=onnx \(\*\.onnx"):
        sbert(model, backend="onnx")
    own = sentence_model(tmp_path / "own")
    (own / "onnx").mkdir()
    (own / "onnx" / "model.onnx").write_bytes(b"weights")
    with pytest.raises(OptionError, match="precision=bf16"):
        sbert(own, backend="onnx", precision="bf16")
    first = sentence_backends.files_fingerprint(str(own), "onnx")
    np.testing.assert_array_equal(sentence_backends.files_fingerprint(str(own), "onnx"), first)
    (own / "onnx" / "model.onnx").write_bytes(b"others!")
    assert not np.array_equal(sentence_backends.files_fingerprint(str(own), "onnx"), first)
    assert sentence_backends.loading_options("onnx", False) == {
        "backend": "onnx",
        "trust_remote_code": False,
        "model_kwargs": {},
    }


def test_code_of_a_model_runs_only_where_the_user_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    own = sentence_model(tmp_path / "own")
    (own / "own_module.py").write_text(
        "from sentence_transformers.sentence_transformer.modules import Pooling\n"
        "class Own(Pooling):\n    pass\n"
        "from pathlib import Path\n"
        f"with Path({str(tmp_path / 'ran')!r}).open('a') as file:\n    file.write('x')\n"
    )
    modules = json.loads((own / "modules.json").read_text())
    modules[1]["type"] = "own_module.Own"
    (own / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ArtifactError, match=r"needs code of its own \(own_module.Own\).*trust-remote-code=true"):
        sbert(own)
    assert not (tmp_path / "ran").exists()
    saved = sbert(own, **{"trust-remote-code": "true"}).save(tmp_path / "saved")
    before = (tmp_path / "ran").read_text()
    loaded = Encoder.load(saved)
    with pytest.raises(ArtifactError, match=r"this saved space runs code .* set NEARBY_TRUST_REMOTE_CODE="):
        loaded.encode([SHORT])  # the spec of a collection is not consent
    assert (tmp_path / "ran").read_text() == before
    monkeypatch.setenv("NEARBY_TRUST_REMOTE_CODE", f"other, {own}")
    assert Encoder.load(saved).encode([SHORT]).shape == (1, 16)


def with_own_type(folder: Path, ran: Path) -> Path:
    """Give a transformer's folder settings that ask for program code in it, which would leave a file."""
    config = json.loads((folder / "config.json").read_text())
    named = {"AutoConfig": "own.Own", "AutoModel": "own.Own", "AutoModelForSequenceClassification": "own.Own"}
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "own-type", "auto_map": named}))
    (folder / "own.py").write_text(f"open({str(ran)!r}, 'a').write('x')\n")
    return folder


def in_cache(folder: Path, cache: Path, name: str) -> str:
    """Put a model into the cache of the hub, and return its name."""
    model = cache / f"models--{name.replace('/', '--')}"
    shutil.copytree(folder, model / "snapshots" / ("a" * 40))
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("a" * 40)
    return name


def load_by(name: str, model: str) -> None:
    if name == "cross-encoder":
        CrossEncoder(model).scores("a", ["b"])
    else:
        create(write_stage(name, model, {})).fit(["a", "b c"])


@pytest.mark.parametrize("name", ["sbert", "splade", "tsdae", "cross-encoder"])
@pytest.mark.parametrize("cached", [False, True])
def test_settings_that_ask_for_code_are_refused_by_a_sentence_that_can_be_followed(tmp_path, monkeypatch, name, cached):
    own = with_own_type(sentence_model(tmp_path / "own"), tmp_path / "ran")
    model = str(own)
    if cached:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr("encoders.sentence_models.reach_hub", lambda: pytest.fail("the model is in the cache"))
        model = in_cache(own, tmp_path / "cache", "org/own")
    can = ": read it, and write trust-remote-code=true if you trust it"
    cannot = f", and which {name} never runs: choose a model without code"
    said = f"{name}: {model} needs code of its own, which could do anything on this machine"
    with pytest.raises(ArtifactError) as caught:
        load_by(name, model)
    assert str(caught.value) == said + (can if name == "sbert" else cannot)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["splade", "cross-encoder"])
def test_no_option_is_advised_that_an_encoder_does_not_have(tmp_path, name):
    own = sentence_model(tmp_path / "own")
    modules = json.loads((own / "modules.json").read_text())
    modules[1]["type"] = "own_module.Own"
    (own / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ArtifactError, match=rf"\(own_module.Own\).*which {name} never runs"):
        load_by(name, str(own))
