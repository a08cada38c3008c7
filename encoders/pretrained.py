"""The base of encoders whose model was trained elsewhere: found, fingerprinted, and refused when it is another one."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, State
from encoders.codes import Batches, Modality, Space, n_rows
from encoders.errors import ArtifactError, BadItemError
from encoders.sentence_models import absolute
from encoders.torch_device import device_of


class Fingerprinted(Protocol):
    """A model in memory, with the SHA-256 of its weights and settings, uint8 (32,)."""

    @property
    def fingerprint(self) -> NDArray[np.uint8]:
        """The SHA-256."""


M = TypeVar("M", bound=Fingerprinted)


class PretrainedEncoder(Encoder, Generic[M]):
    """An encoder that learns nothing from the corpus; a saved one has the fingerprint of its model, not the weights.

    A subclass has a field ``model``, and ``device`` if it computes with torch. It implements ``_load``, ``_space_of``
    and ``_encode``, which ask `_known_model` for the model.
    """

    answers_without_torch: ClassVar[bool] = False
    is_slow: ClassVar[bool] = True
    model: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.model = absolute(self.model)
        self._loaded: M | None = None
        self._fingerprint: NDArray[np.uint8] | None = None

    @abstractmethod
    def _load(self) -> M:
        """Load the model, or raise an error that says how to bring it."""

    @abstractmethod
    def _space_of(self, model: M, first: Any) -> Space:
        """Return the space of the codes; `first` is an item of the corpus."""

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        first = next((batch.items[0] for batch in batches if n_rows(batch.items)), None)
        if first is None:
            things = "pictures" if self.reads is Modality.IMAGE else "items"
            raise BadItemError(f"there is nothing to fit on: the corpus holds no {things}")
        if hasattr(self, "device"):
            device_of(self.name, self.device)
        self._loaded = self._load()
        self._fingerprint = self._loaded.fingerprint
        return self._space_of(self._loaded, first)

    def _known_model(self) -> M:
        """Return the model; load it first if necessary, and refuse another one than was fitted."""
        if self._loaded is None:
            loaded = self._load()
            if self._fingerprint is None or not np.array_equal(loaded.fingerprint, self._fingerprint):
                raise ArtifactError(
                    f"{self.name}: the model at '{self.model}' is not the one that this encoder was saved with, so its "
                    "codes cannot be compared with new codes: bring the old model back, or fit and index again"
                )
            self._loaded = loaded
        return self._loaded

    def state(self) -> State:
        """Return the SHA-256 of the model's weights and settings (32,), not the weights."""
        assert self._fingerprint is not None, "fit or restore sets it"  # noqa: S101
        return {"fingerprint": self._fingerprint}

    def restore(self, state: State) -> None:
        """Restore what `state` returned; the model is loaded when the first item is encoded."""
        self._fingerprint, self._loaded = state["fingerprint"], None
