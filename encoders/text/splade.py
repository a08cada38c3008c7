"""Learnt sparse codes of texts: SPLADE."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Kind, Metric, Modality, Space, n_rows, small_indices
from encoders.errors import ArtifactError, BadItemError
from encoders.options import option
from encoders.sentence_models import Loaded, absolute, load
from encoders.text.long_texts import LongTexts
from encoders.torch_device import DEVICE_HELP, DEVICES, device_of, device_or_cpu


@dataclass
class Splade(Encoder):
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
    answers_without_torch: ClassVar[bool] = False
    model: str = option("naver/splade-v3", "Model name on the Hugging Face hub, or a local folder.")
    batch_size: int = option(32, "Texts per batch.", ge=1)
    max_length: int | None = option(None, "Number of tokens read from each text; none: the limit of the model.", ge=3)
    max_words: int | None = option(None, "Largest number of weights in a code: the largest ones; none: all.", ge=1)
    revision: str | None = option(None, "Branch, tag or commit of the model on the hub; none: the default branch.")
    device: str = option("auto", DEVICE_HELP, choices=DEVICES)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.model = absolute(self.model)
        self._loaded: Loaded | None = None
        self._fingerprint: NDArray[np.uint8] | None = None
        self._words: list[str] | None = None
        self._long = LongTexts()

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        if not any(n_rows(batch.items) for batch in batches):
            raise BadItemError("there is nothing to fit on: the corpus holds no items")
        device_of(self.name, self.device)
        self._loaded = self._load()
        self._fingerprint = self._loaded.fingerprint
        width = int(self._weights(["width"], "encode_document").shape[1])
        known = self._loaded.model.tokenizer.get_vocab()
        words = {at: word for word, at in known.items()}
        self._words = [words.get(at, f"[{at}]") for at in range(width)]
        return Space(width, Kind.SPARSE, Metric.DOT)

    def _load(self) -> Loaded:
        return load(self.name, self.model, self.revision, self.max_length, kind="SparseEncoder")

    def _encode(self, items: Any) -> Codes:
        self._long.count(self._known_model(), items, "")
        return self._weights(items, "encode_document")

    def _encode_queries(self, items: Any) -> Codes:
        return self._weights(items, "encode_query")

    def _weights(self, texts: list[str], method: str) -> Codes:
        if not texts:
            return csr_array((0, self.space.dim), dtype=np.float32)
        weights = getattr(self._known_model(), method)(
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

    def _known_model(self) -> Any:
        if self._loaded is None:
            loaded = self._load()
            if self._fingerprint is None or not np.array_equal(loaded.fingerprint, self._fingerprint):
                raise ArtifactError(
                    f"splade: the model at '{self.model}' is not the one that this encoder was saved with, so its "
                    "codes cannot be compared with new codes: bring the old model back, or fit and index again"
                )
            self._loaded = loaded
        return self._loaded.model

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

    def state(self) -> State:
        """Return the SHA-256 of the model's weights and configuration (32,), not the weights."""
        assert self._fingerprint is not None, "fit or restore sets it"  # noqa: S101
        return {"fingerprint": self._fingerprint}

    def restore(self, state: State) -> None:
        """Restore what `state` returned; the model is loaded when the first text is encoded."""
        self._fingerprint, self._loaded = state["fingerprint"], None
