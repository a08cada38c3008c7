"""Small models with random weights, written as their libraries write them, so that no test needs the network."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from encoders.spec import write_stage

WORDS = ("a the of and in flow heat air tree apple pear plum cake red green text wing speed high low is on "
         "one two three four five six seven eight nine ten query passage : b c d e f g h i j k l m n o p").split()  # fmt: skip
LIMIT = 32


class Specs(dict[str, Any]):
    """Specs by the name of an encoder; one that needs a model is a function, called when the spec is asked for."""

    def get(self, name: str, default: Any = None) -> Any:
        value = super().get(name, default)
        return value() if callable(value) else value


def tokenizer() -> Any:
    """A WordPiece tokenizer of few words."""
    from transformers import BertTokenizerFast

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return BertTokenizerFast(
        vocab={word: at for at, word in enumerate([*marks, *dict.fromkeys(WORDS)])}, model_max_length=LIMIT
    )


def bert_config() -> Any:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=len(tokenizer()), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=LIMIT, num_labels=1, initializer_range=0.5,
    )  # fmt: skip


def transformer(folder: Path, kind: str = "BertModel", seed: int = 0) -> Path:
    """A folder with a BERT of one layer and its tokenizer, such as ``BertModel`` or ``BertForMaskedLM``."""
    import torch
    import transformers

    torch.manual_seed(seed)
    getattr(transformers, kind)(bert_config()).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def sentence_model(folder: Path, seed: int = 0) -> Path:
    """A folder with a sentence-transformers model: a BERT of one layer, and the mean of its tokens."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    inner = Transformer(str(transformer(folder.parent / f"{folder.name}-bert", seed=seed)))
    SentenceTransformer(modules=[inner, Pooling(16)], device="cpu").save(str(folder), create_model_card=False)
    return folder


def static_model(folder: Path, width: int = 16) -> Path:
    """A folder with a table of embeddings, as model2vec writes it."""
    import numpy as np
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    words = tokenizer().backend_tokenizer
    words.save(str(folder / "tokenizer.json"))
    table = np.random.default_rng(4).normal(size=(words.get_vocab_size(), width)).astype(np.float32)
    save_file({"embeddings": table}, folder / "model.safetensors")
    (folder / "config.json").write_text('{"model_type": "model2vec", "normalize": true}')
    return folder


def splade_model(folder: Path) -> Path:
    """A folder with a sparse encoder: the largest weights of words over the tokens of a text."""
    from sentence_transformers import SparseEncoder
    from sentence_transformers.sparse_encoder.modules import MLMTransformer, SpladePooling

    inner = MLMTransformer(str(transformer(folder.parent / f"{folder.name}-bert", "BertForMaskedLM")))
    SparseEncoder(modules=[inner, SpladePooling()], device="cpu").save(str(folder), create_model_card=False)
    return folder


@cache
def cross_encoder_spec() -> str:
    """The spec of a small cross-encoder."""
    folder = transformer(shared_folder() / "cross-encoder", "BertForSequenceClassification")
    return write_stage("cross-encoder", str(folder), {})


@cache
def splade_spec() -> str:
    """The spec of a small sparse encoder."""
    return write_stage("splade", str(splade_model(shared_folder() / "splade")), {})


SIZE = 16


def vit_model(folder: Path) -> Path:
    """A folder with a vision transformer of four patches."""
    import torch
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    ViTModel(ViTConfig(**shape, image_size=SIZE, patch_size=8, initializer_range=0.5)).save_pretrained(folder)
    ViTImageProcessor(size={"height": SIZE, "width": SIZE}).save_pretrained(folder)
    return folder


def resnet_model(folder: Path) -> Path:
    """A folder with a network of convolutions."""
    import torch
    from transformers import ResNetConfig, ResNetModel, ViTImageProcessor

    torch.manual_seed(0)
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], layer_type="basic")
    ResNetModel(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def clip_model(folder: Path) -> Path:
    """A folder with a model of pictures and texts."""
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor

    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    words = tokenizer()
    ends = {"bos_token_id": 2, "eos_token_id": words.sep_token_id, "pad_token_id": 0}
    config = CLIPConfig(
        text_config={**shape, **ends, "vocab_size": len(words), "max_position_embeddings": LIMIT},
        vision_config={**shape, "image_size": SIZE, "patch_size": 8},
        projection_dim=12,
    )
    CLIPModel(config).save_pretrained(folder)
    edge = {"size": {"shortest_edge": SIZE}, "crop_size": {"height": SIZE, "width": SIZE}}
    CLIPProcessor(CLIPImageProcessor(**edge), words).save_pretrained(folder)
    return folder


@cache
def vit_spec() -> str:
    """The spec of a small model of pictures."""
    return write_stage("image-model", str(vit_model(shared_folder() / "vit")), {})


@cache
def clip_spec() -> str:
    """The spec of a small model of pictures and texts."""
    return write_stage("clip", str(clip_model(shared_folder() / "clip")), {})


@cache
def shared_folder() -> Path:
    """A folder for models of whole files of tests, which goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="nearby-models-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def static_spec() -> str:
    """The spec of a small static model."""
    return write_stage("static", str(static_model(shared_folder() / "static")), {})
