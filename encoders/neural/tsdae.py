"""TSDAE: unsupervised fine-tuning of a sentence model."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import regex

from encoders.base import State
from encoders.codes import Batches, Codes, Kind, Metric, Space
from encoders.errors import BadItemError, OptionError
from encoders.neural.encoder import NeuralEncoder
from encoders.options import option
from encoders.sentence_model_arrays import packed, unpacked
from encoders.sentence_models import DEFAULT, EmbedsTexts, absolute, opened, quiet, shorten
from encoders.token_batches import embedded
from encoders.torch_device import moved

if TYPE_CHECKING:
    from torch import Tensor, nn

#: Texts per batch when they are encoded.
ENCODE_BATCH = 64
#: Scripts that are written without spaces: every character is a word, with its marks.
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{LB=SA}]"
#: A word, marks and all (which ``\\w`` of `re` leaves out), or a punctuation mark, with the space before it.
_WORD = regex.compile(
    rf"\s*+(?:{_UNSPACED}[\p{{M}}\p{{Cf}}]*|[\w--{_UNSPACED}][[\w\p{{Cf}}]--[{_UNSPACED}--\p{{M}}]]*|\S)", regex.V1
)


@dataclass
class TSDAE(EmbedsTexts, NeuralEncoder):
    """Sentence model fine-tuned on your texts without labels: it reconstructs texts from which words were deleted.

    Use it when no sentence model fits your texts and you have no labelled pairs to train one.

    Words of a text are deleted at random, the model embeds the rest, and a decoder that sees only this one vector
    reconstructs the whole text. The decoder, which is discarded after training, is the same transformer with
    attention to the vector; with `tied` the two share their weights. The start model must be of a type that
    transformers can use as a decoder (BERT, RoBERTa, XLM-RoBERTa, ELECTRA, ...).

    The share of deleted words, learning rate, batch size and weight decay are those of the paper and its code. Two
    things differ: the learning rate is the peak of one cycle, not constant; and the pooling of the start model is used,
    where the paper, whose start models have no pooling, uses ``cls``. The decoder sees the pooled vector before it is
    normalised. Training texts get no prompts.

    Start from a model that has learnt language only. A model already trained on pairs of texts, such as
    all-MiniLM-L6-v2, forgets these pairs and retrieves worse (docs/results.md; its authors say the same in issue 1131
    of sentence-transformers): compare both before you serve it.

    A saved encoder contains the whole fine-tuned model, weights and tokenizer: the start model is no longer needed.

    Examples
    --------
    >>> encoder = TSDAE("sentence-transformers/all-MiniLM-L6-v2", epochs=1, max_length=64)
    >>> codes = encoder.fit(texts).encode(texts)  # doctest: +SKIP

    References
    ----------
    Wang, Reimers & Gurevych, TSDAE: using transformer-based sequential denoising auto-encoder for unsupervised
    sentence embedding learning, Findings of EMNLP 2021.
    """

    name: ClassVar[str] = "tsdae"
    is_slow: ClassVar[bool] = True
    model: str = option(
        DEFAULT,
        "Start model, best one not trained on pairs of texts: name on the Hugging Face hub, or local folder.",
    )
    pooling: str = option(
        "keep",
        "Pooling of the token vectors: the start model's own (keep), the first token (cls), or the mean.",
        choices=("keep", "cls", "mean"),
    )
    delete: float = option(0.6, "Share of the words deleted from a text.", ge=0, lt=1)
    tied: bool = option(True, "Share the weights between encoder and decoder.")
    max_length: int | None = option(None, "Number of tokens read from each text; none: the limit of the model.", ge=3)
    revision: str | None = option(None, "Branch, tag or commit of the model on the hub; none: the default branch.")
    epochs: int = option(3, "Passes over the data.", ge=1, kw_only=True)
    batch_size: int = option(8, "Texts per mini-batch.", ge=2, kw_only=True)
    learning_rate: float = option(3e-5, "Largest learning rate of the one-cycle schedule.", gt=0, kw_only=True)
    weight_decay: float = option(0.0, "Weight decay of AdamW.", ge=0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._model: Any = None
        self._packed: State = {}
        self.model = absolute(self.model)

    def _learn(self, batches: Batches, work: Path | None) -> Space:
        import torch

        texts = Texts([text for batch in batches for text in batch.items])
        if not len(texts):
            raise BadItemError("there is nothing to fit on: the corpus holds no items")
        model = opened(self.name, self.model, self.revision, self.max_length, plain=True)
        if self.pooling != "keep":
            pool(model, self.pooling)
        torch.manual_seed(self.seed)  # of the decoder's own weights
        network = denoiser(model, self.tied)
        self._train(network, self._objective(), texts, work)
        self._model, self._packed = model, {}
        return Space(self._embedded(["width"], "encode_document").shape[1], Kind.DENSE, Metric.COSINE)

    def _objective(self) -> Any:
        """Return the loss: mean cross-entropy of the tokens of whole texts, given the texts with deletions."""

        import torch

        def objective(network: Any, texts: list[str]) -> Tensor | float:
            total: Tensor | float = 0.0
            device = torch.get_default_device().type  # where the loop computes
            for start in range(0, len(texts), self.batch_size):  # a validation batch is larger
                whole = texts[start : start + self.batch_size]
                shortened = [deleted(text, self.delete) for text in whole]
                features = [moved(network.encoder.preprocess(side), device) for side in (shortened, whole)]
                total = total + network(features, None) * (len(whole) / len(texts))
            return total

        return objective

    def _embedded(self, texts: list[str], method: str) -> Codes:
        if self._model is None:
            self._model = unpacked(self.name, self._packed)
            shorten(self._model, self.max_length)
            self._packed = {}
        return embedded(self._model, texts, method, ENCODE_BATCH, device=self.device)

    def state(self) -> State:
        """Return the weights by file and name, and the other files of the model's folder as bytes."""
        return self._packed or packed(self._model)

    def restore(self, state: State) -> None:
        """Restore what `state` returned; the model is loaded when the first text is encoded."""
        self._packed, self._model = state, None


class Texts:
    """Training texts."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def take(self, positions: Tensor) -> list[str]:
        """Return the texts at `positions`."""
        return [self._texts[position] for position in positions.tolist()]

    def digest(self) -> str:
        """Return a SHA-256 of the texts and their lengths."""
        digest = hashlib.sha256()
        for text in self._texts:
            encoded = text.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "big") + encoded)
        return digest.hexdigest()


def deleted(text: str, share: float) -> str:
    """Delete each word and punctuation mark with probability `share`; at least one is left.

    Examples
    --------
    >>> deleted("all of it, as it was", 0.0), len(deleted("all of it, as it was", 0.999).split())
    ('all of it, as it was', 1)
    """
    import torch

    words = _WORD.findall(text)
    if not words:
        return text
    remains = torch.rand(len(words)) >= share
    if not remains.any():
        remains[torch.randint(len(words), ())] = True
    return "".join(compress(words, remains.tolist())).strip()


def pool(model: Any, mode: str) -> None:
    """Change the pooling of a sentence-transformers model to `mode`, in place."""
    from sentence_transformers.sentence_transformer.modules import Pooling

    for position, module in enumerate(model):
        if isinstance(module, Pooling):
            model[position] = Pooling(module.embedding_dimension, mode, module.include_prompt)


def denoiser(model: Any, tied: bool) -> nn.Module:
    """Return the loss module of sentence-transformers, with `model` and a decoder; its input is pairs of features.

    Raises
    ------
    OptionError
        When transformers has no decoder with cross-attention for this type of model.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.losses import DenoisingAutoEncoderLoss
    from sentence_transformers.sentence_transformer.modules import Normalize
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING

    transformer = model.transformers_model
    kind = getattr(getattr(transformer, "config", None), "model_type", type(model[0]).__name__)
    refusal = OptionError(
        f"tsdae: no decoder can be made of the start model of type {kind}: use one of type bert, roberta, "
        "xlm-roberta or electra, such as all-MiniLM-L6-v2"
    )
    if transformer is None or type(transformer.config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise refusal
    # the pooled vector itself, as in the paper: with unit length it would have less influence on an untrained decoder
    pooled = SentenceTransformer(modules=[side for side in model if not isinstance(side, Normalize)], device="cpu")
    origin = transformer.config._name_or_path
    with quiet(), tempfile.TemporaryDirectory() as folder:
        # the decoder is loaded by the model's name: the folder ensures the same weights, revision and precision
        transformer.save_pretrained(folder)
        model.tokenizer.save_pretrained(folder)
        transformer.config._name_or_path = folder
        try:
            network: nn.Module = DenoisingAutoEncoderLoss(pooled, None if tied else folder, tie_encoder_decoder=tied)
        finally:
            transformer.config._name_or_path = origin
    if not any("crossattention" in name for name, _ in network.named_parameters()):
        raise refusal
    return network
