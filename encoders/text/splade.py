"""Learnt sparse codes of texts: SPLADE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array

from encoders.codes import Codes, Kind, Metric, Modality, Space, small_indices
from encoders.options import option
from encoders.pretrained import PretrainedEncoder
from encoders.sentence_models import Loaded, load
from encoders.text.long_texts import LongTexts
from encoders.torch_device import DEVICE_HELP, DEVICES, device_or_cpu


@dataclass
class Splade(PretrainedEncoder[Loaded]):
    """Weights of words by a pretrained transformer, also of words that a text does not have (SPLADE).

    Use it when words should match as in bm25, but queries and texts also use different words for the same thing.

    A code has one weight for each token of the model's vocabulary, most of them 0; the score is the inner product. The
    model is a sentence-transformers SparseEncoder. Nothing is learnt from the corpus; a saved encoder contains a
    fingerprint of the weights, not the weights.

    References
    ----------
    Formal, Lassance, Piwowarski & Clinchant, SPLADE v2: sparse lexical and expansion model for information retrieval,
    2021.
    """

    name: ClassVar[str] = "splade"
    reads: ClassVar[Modality] = Modality.TEXT
    model: str = option("naver/splade-v3", "Model name on the Hugging Face hub, or a local folder.")
    batch_size: int = option(32, "Texts per batch.", ge=1)
    max_length: int | None = option(None, "Number of tokens read from each text; none: the limit of the model.", ge=3)
    max_words: int | None = option(None, "Largest number of weights in a code: the largest ones; none: all.", ge=1)
    revision: str | None = option(None, "Branch, tag or commit of the model on the hub; none: the default branch.")
    device: str = option("auto", DEVICE_HELP, choices=DEVICES)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._words: list[str] | None = None
        self._long = LongTexts()

    def _load(self) -> Loaded:
        return load(self.name, self.model, self.revision, self.max_length, kind="SparseEncoder")

    def _space_of(self, model: Loaded, first: Any) -> Space:
        width = int(self._weights(["width"], "encode_document").shape[1])
        known = model.model.tokenizer.get_vocab()
        words = {at: word for word, at in known.items()}
        self._words = [words.get(at, f"[{at}]") for at in range(width)]
        return Space(width, Kind.SPARSE, Metric.DOT)

    def _encode(self, items: Any) -> Codes:
        self._long.count(self._known_model().model, items, "")
        return self._weights(items, "encode_document")

    def _encode_queries(self, items: Any) -> Codes:
        return self._weights(items, "encode_query")

    def _weights(self, texts: list[str], method: str) -> Codes:
        if not texts:
            return csr_array((0, self.space.dim), dtype=np.float32)
        weights = getattr(self._known_model().model, method)(
            texts,
            batch_size=self.batch_size,
            show_progress_bar=False,
            convert_to_sparse_tensor=True,
            save_to_cpu=True,
            max_active_dims=self.max_words,
            device=device_or_cpu(self.device),
        ).coalesce()
        rows, columns = weights.indices().numpy()
        shape = tuple(weights.shape)
        matrix = csr_array((weights.values().float().numpy(), (rows, columns)), shape=shape, dtype=np.float32)
        matrix.eliminate_zeros()
        matrix.sort_indices()
        return small_indices(matrix)

    def remarks(self) -> list[str]:
        """Return how many documents were read in part since the last call."""
        return [one.partition(": chunk=")[0] for one in self._long.remarks(self.name)]

    @property
    def vocabulary(self) -> list[str] | None:
        """The token of each component."""
        return self._words

    @vocabulary.setter
    def vocabulary(self, words: list[str]) -> None:
        self._words = words
