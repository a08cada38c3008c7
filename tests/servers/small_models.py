"""Small models with random weights, written as their libraries write them, so that no test needs the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WORDS = ("a the of and in flow heat air tree apple pear plum cake red green text wing speed high low is on "
         "one two three four five six seven eight nine ten query passage : b c d e f g h i j k l m n o p").split()  # fmt: skip
LIMIT = 32


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
