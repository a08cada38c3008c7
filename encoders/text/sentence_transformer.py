"""Sentence embeddings of a pretrained transformer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Kind, Metric, Space, n_rows
from encoders.errors import ArtifactError, BadItemError
from encoders.options import option
from encoders.sentence_models import DEFAULT, EmbedsTexts, Loaded, absolute, embedded, load, width_of
from encoders.torch_device import DEVICE_HELP, DEVICES, device_of


@dataclass
class SentenceTransformer(EmbedsTexts, Encoder):
    """Sentence embeddings of a pretrained transformer (sentence-transformers).

    Use it when queries and texts say the same thing in different words, and a sentence model is on your machine.

    Nothing is learnt from the corpus. Queries and documents get the prompts with which the model was trained. A saved
    encoder contains the model's name and a fingerprint of its weights, not the weights: a different model under the
    same name is refused. Weights are read from safetensors files only; code that comes with a model is never run.

    References
    ----------
    Reimers & Gurevych, Sentence-BERT: sentence embeddings using Siamese BERT-networks, EMNLP 2019.
    """

    name: ClassVar[str] = "sbert"
    model: str = option(DEFAULT, "Model name on the Hugging Face hub, or a local folder.")
    batch_size: int = option(64, "Texts per batch.", ge=1)
    max_length: int | None = option(None, "Number of tokens read from each text; none: the limit of the model.", ge=3)
    precision: str = option("fp32", "Floating-point format of the computation.", choices=("fp32", "bf16"))
    revision: str | None = option(None, "Branch, tag or commit of the model on the hub; none: the default branch.")
    device: str = option("auto", DEVICE_HELP, choices=DEVICES)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._loaded: Loaded | None = None
        self._fingerprint: NDArray[np.uint8] | None = None
        self.model = absolute(self.model)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        if not any(n_rows(batch.items) for batch in batches):
            raise BadItemError("there is nothing to fit on: the corpus holds no items")
        device_of(self.name, self.device)
        self._loaded = load(self.name, self.model, self.revision, self.max_length)
        self._fingerprint = self._loaded.fingerprint
        width = width_of(self.name, self.model, self._loaded.model)
        return Space(int(width), Kind.DENSE, Metric.COSINE)

    def _embedded(self, texts: list[str], method: str) -> Codes:
        return embedded(self._known_model(), texts, method, self.batch_size, self.precision == "bf16", self.device)

    def _known_model(self) -> Any:
        """Return the model; load it first if necessary, and check that it is the fitted one."""
        if self._loaded is None:
            loaded = load(self.name, self.model, self.revision, self.max_length)
            if self._fingerprint is None or not np.array_equal(loaded.fingerprint, self._fingerprint):
                raise ArtifactError(
                    f"sbert: the model at '{self.model}' is not the one that this encoder was saved with, so its "
                    "codes cannot be compared with new codes: bring the old model back, or fit and index again"
                )
            self._loaded = loaded
        return self._loaded.model

    def state(self) -> State:
        """Return the SHA-256 of the model's weights and configuration (32,), not the weights."""
        assert self._fingerprint is not None, "fit or restore sets it"  # noqa: S101
        return {"fingerprint": self._fingerprint}

    def restore(self, state: State) -> None:
        """Restore what `state` returned; the model is loaded when the first text is encoded."""
        self._fingerprint, self._loaded = state["fingerprint"], None
