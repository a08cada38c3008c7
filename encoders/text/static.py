"""Static embeddings of tokens, averaged: model2vec."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, Metric, Modality, Space, normalized
from encoders.errors import ArtifactError, one_line
from encoders.hub import files_digest, model_folder
from encoders.options import option
from encoders.pretrained import PretrainedEncoder

_WEIGHTS, _TOKENIZER, _CONFIG = "model.safetensors", "tokenizer.json", "config.json"
#: Names of the table of embeddings, by model2vec and by sentence-transformers.
_TABLES = ("embeddings", "embedding.weight")
#: Letters of a text that are read for each token that is: longer texts are cut before they are split into tokens.
_LETTERS = 16


class _Model(NamedTuple):
    """A table of embeddings, and what splits a text into its rows."""

    table: NDArray[Any]
    tokenizer: Any
    unknown: int | None
    weights: NDArray[Any] | None
    rows: NDArray[Any] | None
    is_unit: bool
    fingerprint: NDArray[np.uint8]


@dataclass
class Static(PretrainedEncoder[_Model]):
    """The mean of the static embeddings of a text's tokens (model2vec).

    Use it when a sentence model is too slow: a table of embeddings answers some hundred times as fast, and finds less.

    The folder of the model has ``model.safetensors``, ``tokenizer.json`` and ``config.json``, as model2vec writes them.
    Unknown tokens are left out; a text without a known token has a code of zeros. A saved encoder contains a
    fingerprint of the model, not the table.

    References
    ----------
    Tulkens & van Dongen, Model2Vec: fast state-of-the-art static embeddings, 2024.
    """

    name: ClassVar[str] = "static"
    reads: ClassVar[Modality] = Modality.TEXT
    answers_without_torch: ClassVar[bool] = True
    answers_alone: ClassVar[bool] = False
    is_slow: ClassVar[bool] = False
    model: str = option("minishlab/potion-base-8M", "Model name on the Hugging Face hub, or a local folder.")
    max_length: int | None = option(512, "Number of tokens read from each text; none: all.", ge=1)
    revision: str | None = option(None, "Branch, tag or commit of the model on the hub; none: the default branch.")

    def _load(self) -> _Model:
        return _read(self.name, self.model, self.revision)

    def _space_of(self, model: _Model, first: Any) -> Space:
        return Space(int(model.table.shape[1]), Kind.DENSE, Metric.COSINE)

    def _encode(self, items: Any) -> Codes:
        model = self._known_model()
        codes = np.zeros((len(items), self.space.dim), np.float32)
        texts = list(items) if self.max_length is None else [text[: _LETTERS * self.max_length] for text in items]
        for row, encoding in enumerate(model.tokenizer.encode_batch(texts, add_special_tokens=False)):
            tokens = np.array([token for token in encoding.ids if token != model.unknown][: self.max_length], np.int64)
            if len(tokens):
                rows = model.table[tokens if model.rows is None else model.rows[tokens]].astype(np.float32)
                if model.weights is not None:
                    rows *= model.weights[tokens].astype(np.float32)[:, None]
                codes[row] = rows.mean(axis=0)
        return normalized(codes) if model.is_unit else codes


def _read(name: str, model: str, revision: str | None) -> _Model:
    """Read the files of a model.

    Raises
    ------
    ArtifactError
        When one is missing or damaged, or they do not fit each other.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    folder = model_folder(name, model, revision, (_WEIGHTS, _TOKENIZER, _CONFIG))
    try:
        arrays = load_file(folder / _WEIGHTS)
        tokenizer = Tokenizer.from_file(str(folder / _TOKENIZER))
        config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        fingerprint = files_digest(folder, (_WEIGHTS, _TOKENIZER, _CONFIG))
    except (OSError, ValueError, SafetensorError) as error:
        raise ArtifactError(f"{name}: {folder} is no readable model2vec model: {one_line(error)}") from error
    except Exception as error:  # tokenizers raises the base class
        raise ArtifactError(f"{name}: {folder / _TOKENIZER} is no readable tokenizer: {one_line(error)}") from error
    table = next((arrays[key] for key in _TABLES if key in arrays), None)
    size = tokenizer.get_vocab_size()
    rows, weights = arrays.get("mapping"), arrays.get("weights")
    if table is None or table.ndim != 2 or not table.shape[1] or table.dtype.kind != "f":
        raise ArtifactError(f"{name}: {folder / _WEIGHTS} holds no table of embeddings ('{_TABLES[0]}')")
    lookup = np.arange(size) if rows is None else rows
    fits = len(lookup) >= size and lookup.min() >= 0 and lookup.max() < len(table)
    if not size or not fits or not (weights is None or len(weights) >= size) or not np.isfinite(table).all():
        raise ArtifactError(f"{name}: the table in {folder / _WEIGHTS} does not fit the {size:,} tokens beside it")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    unknown = getattr(tokenizer.model, "unk_token", None)
    is_unit = isinstance(config, dict) and bool(config.get("normalize", False))
    token = None if unknown is None else tokenizer.token_to_id(unknown)
    return _Model(table, tokenizer, token, weights, rows, is_unit, fingerprint)
