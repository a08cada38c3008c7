"""The contract of every encoder, and what all of them share: checks, scikit-learn's names, saving."""

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
from encoders.batches import Encoded, as_batches, as_images, as_texts
from encoders.codes import (
    MAX_DIM,
    Batches,
    Codes,
    Items,
    Lexicon,
    Modality,
    Space,
    as_matrix,
    stack_codes,
    whole_number,
)
from encoders.errors import BadItemError, DimensionError, NotFittedError, NotInvertibleError, OptionError
from encoders.products import Products

State = dict[str, NDArray[Any]]


@dataclass
class Encoder(ABC):
    """Turns items into codes of one `Space`.

    Subclasses are dataclasses: their fields ARE the hyper-parameters, the first one is the positional argument of
    the spec. A subclass writes ``_fit``, ``_encode``, ``state``, ``restore`` and, where it can, ``_decode``.
    """

    #: The registry name, as written in a spec.
    name: ClassVar[str]
    #: What the encoder reads.
    reads: ClassVar[Modality] = Modality.VECTOR
    #: Whether sparse codes, such as word counts, are read.
    reads_sparse: ClassVar[bool] = True
    #: Whether codes are packed bits, which no further stage reads.
    gives_bits: ClassVar[bool] = False
    #: Whether NaN is read as a missing entry.
    reads_missing: ClassVar[bool] = False
    #: Whether codes follow a standard normal distribution, so that new items are decoded from draws of it.
    has_prior: ClassVar[bool] = False
    #: Whether a saved encoder is loaded and encodes without importing torch (quick to start, light to deploy).
    answers_without_torch: ClassVar[bool] = True

    def __post_init__(self) -> None:
        options.check(self, self.name)
        self._space: Space | None = None
        self.input_dim: int | None = None
        #: The space of the stage before, when a pipeline knows it (picture shape, kind).
        self.input_space: Space | None = None
        #: What `_encode` multiplies with, prepared: an item's code is the same alone and in any batch.
        self._products = Products()
        #: Digest of the corpus this encoder was fitted on, written into the manifest.
        self.fitted_on: str | None = None

    # -- what a subclass writes -------------------------------------------------------------------------------

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
        """Return what ``fit`` learnt, arrays only."""

    @abstractmethod
    def restore(self, state: State) -> None:
        """Take back what `state` returned; ``self.space`` is known already."""

    @property
    def vocabulary(self) -> list[str] | None:
        """The words of the input components, for encoders that learn words."""
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
        """Learn the encoder's parameters.

        Parameters
        ----------
        batches : Batches or items
            Re-iterable batches, or simply the items (texts, pictures, a matrix) of a small corpus.
        y : sequence, optional
            Labels, when items were given.
        work : Path, optional
            Folder for checkpoints; a fit that was killed goes on from there. They stay: remove the folder when the
            encoder is saved.

        Raises
        ------
        BadItemError, DimensionError
            When the items are not what this encoder reads.
        """
        checked = Encoded(as_batches(batches, y), self.checked)
        self.input_dim = None
        self._space = self._fit(checked, work)
        self._products = Products()  # what a fit has changed in place is prepared again
        return self

    def encode(self, items: Items) -> Codes:
        """Return the codes of items; row i is item i."""
        _ = self.space
        return self._encode(self.checked(items))

    def encode_queries(self, items: Items) -> Codes:
        """Return the codes of queries: those of `encode` unless the model is asymmetric."""
        _ = self.space
        return self._encode_queries(self.checked(items))

    def decode(self, codes: Codes) -> Items:
        """Return the items that codes stand for.

        Raises
        ------
        NotInvertibleError
            When the encoder forgets too much.
        """
        width = codes.shape[1]
        if width != stored_width(self.space):
            raise DimensionError(f"'{self}' decodes codes of width {stored_width(self.space)}, got {width}")
        return self._decode(codes)

    def reconstruct(self, items: Items) -> Items:
        """Return items encoded and decoded again; a network with paths beside its code uses them.

        Raises
        ------
        NotInvertibleError
            When the encoder forgets too much.
        """
        _ = self.space
        return self._reconstruct(self.checked(items))

    @property
    def parts(self) -> tuple[Encoder, ...]:
        """The stages in sequence; an encoder that is no pipeline is its only one."""
        return (self,)

    @property
    def reads_labels(self) -> bool:
        """True when ``fit`` learns from labels: whoever measures the codes keeps the queries out of the fit."""
        return False

    @property
    def lexicon(self) -> Lexicon | None:
        """What an engine needs that weighs the words of this space itself; None where there is nothing but codes."""
        return None

    def encode_counts(self, items: Items) -> Codes:
        """Return what such an engine stores: how often each word of the `lexicon` occurs, float32 (n, dim)."""
        raise NotInvertibleError(f"'{self}' has codes, and no words that another engine could weigh")

    def up_to_last(self, items: Items) -> tuple[Encoder, Any]:
        """Return the last stage, and what it reads of items that the first one reads."""
        *before, last = self.parts
        for stage in before:
            items = stage.encode(items)
        return last, items

    def encode_batches(self, batches: Batches) -> Iterator[Codes]:
        """Encode batch after batch, holding one at a time."""
        for batch in batches:
            yield self.encode(batch.items)

    def fit_encode(self, batches: Batches | Items, y: Sequence[Any] | None = None) -> Codes:
        """Fit and return the codes of the same items (bag-of-words encoders do both in one reading)."""
        batches = as_batches(batches, y)
        return stack_codes(list(self.fit(batches).encode_batches(batches)))

    def checked(self, items: Items) -> Any:
        """Return items in the form that ``_encode`` reads, or say what is wrong with them."""
        if self.reads is Modality.TEXT:
            return as_texts(items)
        if self.reads is Modality.IMAGE:
            return as_images(items)
        matrix = as_matrix(items, self.reads_missing)
        if matrix.dtype == np.uint8:  # bytes would overflow where they are squared or summed
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
        """Write the encoder as a spec: what differs from the defaults, or (`full`) every option."""
        from encoders.spec import write_stage

        positional, named = None, {}
        for place, field in enumerate(options.fields_of(type(self))):
            value = getattr(self, field.name)
            if place == 0 and (full or value != field.default or isinstance(value, int)):
                positional = options.text_of(value)
            elif place and (full or value != field.default):
                named[options.written_name(field.name)] = options.text_of(value)
        return write_stage(self.name, positional, named)

    def learnt_shape(self) -> dict[str, Any]:
        """Return, as JSON values, what ``fit`` learnt about spaces (the arrays are in `state`)."""
        return {
            "space": self.space.to_json(),
            "input_dim": self.input_dim,
            "input_space": None if self.input_space is None else self.input_space.to_json(),
        }

    def restore_shape(self, value: dict[str, Any]) -> None:
        """Take back what `learnt_shape` returned."""
        self._space = Space.from_json(value["space"])
        self.input_dim = None if value["input_dim"] is None else whole_number(value["input_dim"], MAX_DIM)
        if value["input_space"] is not None:
            self.input_space = Space.from_json(value["input_space"])

    # -- saving ------------------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> Path:
        """Write the fitted encoder as a folder of JSON and safetensors, all or nothing."""
        from encoders.artifact import save_encoder

        return save_encoder(self, Path(folder))

    @staticmethod
    def load(folder: str | Path) -> Encoder:
        """Read an encoder that `save` wrote."""
        from encoders.artifact import load_encoder

        return load_encoder(Path(folder))

    # -- scikit-learn's names for the same things --------------------------------------------------------------

    def transform(self, items: Items) -> Codes:
        """Scikit-learn's name for `encode`."""
        return self.encode(items)

    def fit_transform(self, items: Batches | Items, y: Sequence[Any] | None = None) -> Codes:
        """Scikit-learn's name for `fit_encode`."""
        return self.fit_encode(items, y)

    def inverse_transform(self, codes: Codes) -> Items:
        """Scikit-learn's name for `decode`."""
        return self.decode(codes)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the hyper-parameters."""
        return {field.name: getattr(self, field.name) for field in options.fields_of(type(self))}

    def set_params(self, **params: Any) -> Self:
        """Change hyper-parameters; unknown names and bad values are refused and change nothing.

        What was fitted with other values is forgotten: it would be saved under values that it does not follow.
        """
        before = self.get_params()
        for key in params:
            if key not in before:
                raise OptionError(f"{self.name} has no option '{key}'; it has: {', '.join(before) or 'none'}")
        type(self)(**{**before, **params})  # options are checked one by one and against each other where they are set
        if any(before[key] != value for key, value in params.items()):
            for key, value in params.items():
                setattr(self, key, value)
            self._forget()
        return self

    def _forget(self) -> None:
        """Return to the state before fit, what others set from outside kept."""
        input_space = self.input_space
        self.__post_init__()
        self.input_space = input_space

    def __sklearn_is_fitted__(self) -> bool:
        return self._space is not None

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        text = self.reads is Modality.TEXT
        return Tags(
            estimator_type="transformer",
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=["float32"]),
            input_tags=InputTags(two_d_array=not text, string=text, sparse=not text),
            requires_fit=True,
        )


def stored_width(space: Space) -> int:
    """Columns of the stored matrix: bytes for packed bits, components otherwise."""
    from encoders.codes import Kind, packed_width

    return packed_width(space.dim) if space.kind is Kind.BINARY else space.dim
