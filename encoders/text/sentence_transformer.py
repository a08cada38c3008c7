"""Sentence embeddings of a pretrained transformer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from encoders.codes import Codes, Kind, Metric, Space
from encoders.errors import OptionError
from encoders.numbers import counted
from encoders.options import option
from encoders.pretrained import PretrainedEncoder
from encoders.sentence_backends import require_backend, require_trusted
from encoders.sentence_models import DEFAULT, EmbedsTexts, Loaded, load, width_of
from encoders.text.long_texts import LongTexts, chunked, pooled
from encoders.token_batches import embedded
from encoders.torch_device import DEVICE_HELP, DEVICES


@dataclass
class SentenceTransformer(EmbedsTexts, PretrainedEncoder[Loaded]):
    """Sentence embeddings of a pretrained transformer (sentence-transformers).

    Use it when queries and texts say the same thing in different words, and a sentence model is on your machine.

    Nothing is learnt from the corpus. Queries and documents get the prompts with which the model was trained, unless
    you give others. A saved encoder contains the model's name and a fingerprint of its weights, not the weights: a
    different model under the same name is refused. Weights are read from safetensors files only; code that comes with
    a model is run only with ``trust-remote-code=true``, and in a saved space only for the models that the environment
    variable NEARBY_TRUST_REMOTE_CODE names.

    Documents that are longer than the model reads are counted and said. ``chunk=200,overlap=50`` cuts texts into parts
    of 200 tokens, embeds each, and gives the text one code: the mean of the parts' codes, or the largest of each of
    their components (``pool=max``).

    References
    ----------
    Reimers & Gurevych, Sentence-BERT: sentence embeddings using Siamese BERT-networks, EMNLP 2019.
    """

    name: ClassVar[str] = "sbert"
    model: str = option(DEFAULT, "Model name on the Hugging Face hub, or a local folder.")
    batch_size: int = option(64, "Texts per batch.", ge=1)
    max_length: int | None = option(None, "Number of tokens read from each text; none: the limit of the model.", ge=3)
    precision: str = option("fp32", "Floating-point format of the computation.", choices=("fp32", "bf16"))
    prompt: str | None = option(None, "Text before every document; none: the prompt of the model, if it has one.")
    query_prompt: str | None = option(None, "Text before every query; none: the prompt of the model, if it has one.")
    truncate_dim: int | None = option(None, "Number of first components that are kept; none: all.", ge=1)
    chunk: int | None = option(None, "Tokens in each part of a long text; none: the model reads the beginning.", ge=8)
    overlap: int = option(0, "Tokens that a part shares with the part before it.", ge=0)
    pool: str = option("mean", "How the codes of parts become one code.", choices=("mean", "max"))
    backend: str = option("torch", "Library that computes.", choices=("torch", "onnx", "openvino"))
    trust_remote_code: bool = option(False, "Run code that comes with the model.")
    revision: str | None = option(None, "Branch, tag or commit of the model on the hub; none: the default branch.")
    device: str = option("auto", DEVICE_HELP, choices=DEVICES)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._long, self._parts, self._cut = LongTexts(), 0, 0
        if self.chunk is not None and self.overlap >= self.chunk:
            raise OptionError(f"sbert: overlap={self.overlap} should be smaller than chunk={self.chunk}")
        if self.chunk is None and self.overlap:
            raise OptionError("sbert: overlap= is that of the parts of a text: give their length, chunk=, too")

    def _space_of(self, model: Loaded, first: Any) -> Space:
        width = int(width_of(self.name, self.model, model.model))
        if self.truncate_dim is not None and self.truncate_dim > width:
            raise OptionError(
                f"sbert: truncate-dim={self.truncate_dim} is more than the {width} components of the model"
            )
        return Space(self.truncate_dim or width, Kind.DENSE, Metric.COSINE)

    def _load(self) -> Loaded:
        require_backend(self.name, self.backend, self.model, self.precision)
        return load(self.name, self.model, self.revision, self.max_length, self.backend, trusts=self.trust_remote_code)

    def _embedded(self, texts: list[str], method: str) -> Codes:
        is_query = method == "encode_query"
        network, prompt = self._known_model().model, self.query_prompt if is_query else self.prompt
        written = self._prompt_of(network, "query" if is_query else "document") if prompt is None else prompt
        if self.chunk is None:
            if not is_query:
                self._long.count(network, texts, written)
            return self._codes(network, texts, method, prompt)
        parts, starts = chunked(self.name, network, texts, self.chunk, self.overlap, written)
        if not is_query:
            self._cut += int((np.diff(np.append(starts, len(parts))) > 1).sum())
            self._parts += len(parts)
            self._long.seen += len(texts)
        return pooled(self._codes(network, parts, method, prompt), starts, self.pool)

    def _codes(self, network: Any, texts: list[str], method: str, prompt: str | None) -> Any:
        codes = embedded(network, texts, method, self.batch_size, self.precision == "bf16", self.device, prompt)
        return np.ascontiguousarray(codes[:, : self.truncate_dim])

    @staticmethod
    def _prompt_of(network: Any, name: str) -> str:
        """Return the prompt with which the model was trained; empty if it has none."""
        return (network.prompts or {}).get(name) or ""

    def remarks(self) -> list[str]:
        """Return how many documents were read in part, or cut into parts, since the last call."""
        if self.chunk is None:
            return self._long.remarks(self.name)
        seen, cut, parts = self._long.seen, self._cut, self._parts
        self._long.seen = self._cut = self._parts = 0
        if not cut:
            return []
        return [f"{self.name}: {cut:,} of {counted(seen, 'document')} were cut; there are {parts:,} parts in all"]

    def _known_model(self) -> Loaded:
        """Return the model; the code of a saved space's model is run only where the user trusts it."""
        if self._loaded is None and self.trust_remote_code:
            require_trusted(self.name, self.model)
        return super()._known_model()
