"""The contract of every encoder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders import options
from encoders.batches import Encoded, as_batches
from encoders.codes import MAX_DIM, Batches, Codes, Items, Lexicon, Modality, Space, stack_codes, whole_number
from encoders.errors import BadItemError, DimensionError, NotFittedError, NotInvertibleError
from encoders.items import READERS, as_matrix
from encoders.named import Named
from encoders.products import Products
from encoders.sklearn_names import SklearnNames
from encoders.spec import write_stage

State = dict[str, NDArray[Any]]


@dataclass
class Encoder(SklearnNames, ABC):
    """A method that turns items into codes of one `Space`.

    Subclasses are dataclasses: their fields are the options, the first field is the option without a name in a spec.
    A subclass implements ``_fit``, ``_encode``, ``state``, ``restore`` and, if possible, ``_decode``.
    """

    #: The registry name, as written in a spec.
    name: ClassVar[str]
    #: True when the code of an item is the item itself.
    keeps_items: ClassVar[bool] = False
    #: What the encoder reads: texts, pictures, sounds, rows, vectors, or items of any sort with their ids.
    reads: ClassVar[Modality] = Modality.VECTOR
    #: Whether the encoder reads sparse codes, such as word counts.
    reads_sparse: ClassVar[bool] = True
    #: Whether codes are packed bits, which no other stage can read.
    gives_bits: ClassVar[bool] = False
    #: Whether the encoder reads NaN as a missing entry.
    reads_missing: ClassVar[bool] = False
    #: Whether codes follow a standard normal distribution: samples of it can be decoded to new items.
    has_prior: ClassVar[bool] = False
    #: Whether decoded codes are as far from each other as the codes: decoding is a rotation.
    keeps_distances: ClassVar[bool] = False
    #: Whether queries may be texts although items are none.
    answers_texts: ClassVar[bool] = False
    #: Whether a saved encoder loads and encodes without torch, so that it starts quickly.
    answers_without_torch: ClassVar[bool] = True
    #: Whether a saved encoder encodes without files that are elsewhere, and without a server.
    answers_alone: ClassVar[bool] = True
    #: Whether codes take so long that they are kept on disk until their collection is written.
    is_slow: ClassVar[bool] = False

    def __post_init__(self) -> None:
        options.check(self, self.name)
        self._space: Space | None = None
        self.input_dim: int | None = None
        #: The space of the stage before it in a pipeline (picture shape, kind).
        self.input_space: Space | None = None
        #: Prepared matrix products for `_encode`: the code of an item is the same alone and in any batch.
        self._products = Products()
        #: Digest of the corpus on which the encoder was fitted, written into the manifest.
        self.fitted_on: str | None = None

    # -- what a subclass implements ----------------------------------------------------------------------------

    @abstractmethod
    def _fit(self, batches: Batches, work: Path | None) -> Space:
        """Learn from re-iterable batches and return the space of the codes."""

    @abstractmethod
    def _encode(self, items: Any) -> Codes:
        """Encode checked items."""

    def _encode_queries(self, items: Any) -> Codes:
        return self._encode(items)

    def _decode(self, codes: Codes) -> Items:
        raise NotInvertibleError(f"'{self.name}' codes cannot be turned back into items")

    def _reconstruct(self, items: Any) -> Items:
        return self._decode(self._encode(items))

    @abstractmethod
    def state(self) -> State:
        """Return the learnt arrays by name."""

    @abstractmethod
    def restore(self, state: State) -> None:
        """Restore what `state` returned; ``self.space`` is already set."""

    @property
    def vocabulary(self) -> list[str] | None:
        """The word of each component, for encoders of words; None for others."""
        return None

    @vocabulary.setter
    def vocabulary(self, words: list[str]) -> None:
        raise AttributeError(f"'{self.name}' has no vocabulary")

    # -- the contract ------------------------------------------------------------------------------------------

    @property
    def space(self) -> Space:
        """The space of the codes, known after ``fit``."""
        if self._space is None:
            raise NotFittedError(f"'{self}' is not fitted yet: call fit(batches) or load a saved folder first")
        return self._space

    def fit(self, batches: Batches | Items, y: Sequence[Any] | None = None, *, work: Path | None = None) -> Self:
        """Fit the encoder to items.

        Parameters
        ----------
        batches : Batches or items
            Re-iterable batches, or the items (texts, pictures, sounds, rows, a matrix) of a small corpus.
        y : sequence, optional
            Labels of the items, if `batches` is not batches.
        work : Path, optional
            Folder for checkpoints, from which a killed fit continues. Remove the folder yourself after you have saved
            the encoder.

        Raises
        ------
        BadItemError, DimensionError
            When this encoder cannot read the items.
        """
        checked = Encoded(as_batches(batches, y), self.checked)
        self.input_dim = None
        self._space = self._fit(checked, work)
        self._products = Products()  # the fit may have changed matrices in place
        return self

    def encode(self, items: Items) -> Codes:
        """Return the codes of items; row i is item i."""
        _ = self.space
        return self._encode(self.checked(items))

    def encode_queries(self, items: Items) -> Codes:
        """Return the codes of queries: the same as `encode` unless the encoder is asymmetric."""
        _ = self.space
        return self._encode_queries(items if self.answers_texts else self.checked(items))

    def decode(self, codes: Codes) -> Items:
        """Return the items of codes.

        Raises
        ------
        NotInvertibleError
            When the encoder forgets too much.
        """
        width = codes.shape[1]
        if width != self.space.columns:
            raise DimensionError(f"'{self}' decodes codes of width {self.space.columns}, got {width}")
        return self._decode(codes)

    def reconstruct(self, items: Items) -> Items:
        """Encode items and decode them again; a network with skip connections uses these too.

        Raises
        ------
        NotInvertibleError
            When the encoder forgets too much.
        """
        _ = self.space
        return self._reconstruct(self.checked(items))

    @property
    def parts(self) -> tuple[Encoder, ...]:
        """The stages of a pipeline; for every other encoder, the encoder itself."""
        return (self,)

    @property
    def reads_labels(self) -> bool:
        """Whether ``fit`` learns from labels; queries of an evaluation must then not be in the fit."""
        return False

    @property
    def label_field(self) -> str | None:
        """The field of the items from which ``fit`` learns, for an encoder that reads labels; None: their label."""
        return None

    def require_learnable(self, labels: Sequence[str | None]) -> None:
        """Raise, before any fit, for the labels of all items if ``fit`` could not learn from them; None: no label.

        Raises
        ------
        BadItemError
        """

    def require_known(self, item_ids: Sequence[str], queries: Sequence[Named]) -> None:
        """Raise, before any work, for items and queries that the encoder could not encode when their turn comes.

        Raises
        ------
        BadItemError
        """

    def remarks(self) -> list[str]:
        """Return what the user should know of all items encoded since the last call: what was cut, what was paid."""
        return []

    @property
    def lexicon(self) -> Lexicon | None:
        """What a search engine needs to weight words itself; None for spaces other than BM25."""
        return None

    def encode_counts(self, items: Items) -> Codes:
        """Return the count of each word of the `lexicon`, which such an engine stores, float32 (n, dim)."""
        raise NotInvertibleError(f"'{self}' has codes only, and no words that a search engine could weight")

    def up_to_last(self, items: Items) -> tuple[Encoder, Any]:
        """Return the last stage, and its input for items that the first stage reads."""
        *before, last = self.parts
        for stage in before:
            items = stage.encode(items)
        return last, items

    def encode_batches(self, batches: Batches) -> Iterator[Codes]:
        """Yield the codes of each batch; one batch is in memory at a time."""
        for batch in batches:
            yield self.encode(batch.items)

    def fit_encode(self, batches: Batches | Items, y: Sequence[Any] | None = None) -> Codes:
        """Fit and return the codes of the same items (encoders of words read the items once for both)."""
        batches = as_batches(batches, y)
        return stack_codes(list(self.fit(batches).encode_batches(batches)))

    def checked(self, items: Items) -> Any:
        """Return items in the form that ``_encode`` reads.

        Raises
        ------
        BadItemError, DimensionError
            When the items are not texts, pictures, sounds, rows or vectors of the expected width.
        """
        if self.reads is not Modality.VECTOR:
            return READERS[self.reads](items)
        matrix = as_matrix(items, self.reads_missing)
        if matrix.dtype == np.uint8:  # squares and sums of bytes would overflow
            matrix = matrix.astype(np.float32)
        if issparse(matrix) and not self.reads_sparse:
            raise BadItemError(f"'{self.name}' reads dense codes: put lsa, pca, random-projection or deep-ae before it")
        width = int(matrix.shape[1])
        if self.input_dim is not None and width != self.input_dim:
            raise DimensionError(f"'{self}' was fitted on vectors of width {self.input_dim}, got width {width}")
        self.input_dim = width
        return matrix

    # -- identity ----------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return self.spec()

    def spec(self, full: bool = False) -> str:
        """Return the encoder as a spec, with the options that differ from the defaults, or with all (`full`)."""
        return write_stage(self.name, *options.texts_of(self, full))

    def learnt_shape(self) -> dict[str, Any]:
        """Return the learnt spaces as JSON values (the arrays are in `state`)."""
        return {
            "space": self.space.to_json(),
            "input_dim": self.input_dim,
            "input_space": None if self.input_space is None else self.input_space.to_json(),
        }

    def restore_shape(self, value: dict[str, Any]) -> None:
        """Restore what `learnt_shape` returned."""
        self._space = Space.from_json(value["space"])
        self.input_dim = None if value["input_dim"] is None else whole_number(value["input_dim"], MAX_DIM)
        if value["input_space"] is not None:
            self.input_space = Space.from_json(value["input_space"])

    # -- saving ------------------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> Path:
        """Write the fitted encoder to a folder of JSON and safetensors files, atomically."""
        from encoders.artifact import save_encoder

        return save_encoder(self, Path(folder))

    @staticmethod
    def load(folder: str | Path) -> Encoder:
        """Read an encoder that `save` wrote."""
        from encoders.artifact import load_encoder

        return load_encoder(Path(folder))

    def _forget(self) -> None:
        """Return to the state before the fit; keep what was set from outside."""
        input_space = self.input_space
        self.__post_init__()
        self.input_space = input_space
