"""Cross-encoders: a pretrained transformer reads query and text together, and gives one score."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders import options
from encoders.errors import ArtifactError, OptionError, SpecError
from encoders.options import option
from encoders.sentence_models import absolute, opened
from encoders.spec import parse, write_stage
from encoders.torch_device import DEVICE_HELP, DEVICES, device_of, device_or_cpu

NAME = "cross-encoder"


@dataclass
class CrossEncoder:
    """A model that scores pairs of texts (sentence-transformers).

    It has no codes, so it is no space: it orders the candidates that a space finds.

    References
    ----------
    Nogueira & Cho, Passage re-ranking with BERT, 2019.
    """

    model: str = option("cross-encoder/ms-marco-MiniLM-L6-v2", "Model name on the Hugging Face hub, or a local folder.")
    batch_size: int = option(32, "Pairs per batch.", ge=1)
    max_length: int | None = option(None, "Tokens read of query and text; none: the limit of the model.", ge=8)
    revision: str | None = option(None, "Branch, tag or commit of the model on the hub; none: the default branch.")
    device: str = option("auto", DEVICE_HELP, choices=DEVICES)

    def __post_init__(self) -> None:
        options.check(self, NAME)
        self.model = absolute(self.model)

    @classmethod
    def read(cls, spec: str) -> CrossEncoder:
        """Read ``cross-encoder:FOLDER,max-length=256``.

        Raises
        ------
        SpecError, OptionError
        """
        first, *others = parse(spec)
        if others or first.name != NAME:
            raise SpecError(f"'{spec}' should be {NAME}:MODEL, without other stages")
        fields = {options.written_name(field.name): field.name for field in options.fields_of(cls)}
        texts = {**({} if first.argument is None else {"model": first.argument}), **first.named}
        unknown = [key for key in texts if key not in fields]
        if unknown:
            raise OptionError(f"{NAME} has no option '{unknown[0]}'; its options: {', '.join(fields)}")
        kinds: dict[str, Any] = {"batch_size": int, "max_length": int | None}
        values = {
            fields[key]: options.convert(text, kinds.get(fields[key], str), f"{NAME}: {key}")
            for key, text in texts.items()
        }
        return cls(**values)

    def __str__(self) -> str:
        return write_stage(NAME, self.model, {} if self.max_length is None else {"max-length": str(self.max_length)})

    def scores(self, query: str, texts: list[str]) -> NDArray[np.float32]:
        """Return the score of each text; larger is better.

        Raises
        ------
        ArtifactError, DownloadError
            When the model cannot be opened, or gives several scores to a pair.
        """
        if not texts:
            return np.empty(0, np.float32)
        device_of(NAME, self.device)
        network = _opened(self.model, self.revision, self.max_length)
        predictions = network.predict(
            [(query, text) for text in texts],
            batch_size=self.batch_size,
            show_progress_bar=False,
            convert_to_numpy=True,
            device=device_or_cpu(self.device),
        )
        scores = np.asarray(predictions, np.float32)
        if scores.ndim != 1:
            raise ArtifactError(
                f"{NAME}: the model '{self.model}' gives {scores.shape[1]} scores to a pair, so that it does not rank: "
                "choose one that gives one score"
            )
        return scores


@lru_cache(maxsize=1)
def _opened(model: str, revision: str | None, max_length: int | None) -> Any:
    return opened(NAME, model, revision, max_length, plain=True, kind="CrossEncoder")
