"""The names of scikit-learn for the methods of an encoder, so that its pipelines and searches accept encoders."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

from encoders import options
from encoders.codes import Batches, Codes, Items, Modality, Space
from encoders.errors import OptionError


class SklearnNames:
    """What scikit-learn calls on an estimator; `Encoder` derives from it."""

    name: ClassVar[str]
    reads: ClassVar[Modality]
    _space: Space | None

    @abstractmethod
    def encode(self, items: Items) -> Codes:
        """Return the codes of items."""

    @abstractmethod
    def decode(self, codes: Codes) -> Items:
        """Return the items of codes."""

    @abstractmethod
    def fit_encode(self, batches: Batches | Items, y: Sequence[Any] | None = None) -> Codes:
        """Fit and return the codes of the same items."""

    @abstractmethod
    def _forget(self) -> None:
        """Return to the state before the fit."""

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
        """Return the options and their values."""
        return {field.name: getattr(self, field.name) for field in options.fields_of(type(self))}

    def set_params(self, **params: Any) -> Self:
        """Change options; unknown names and bad values are refused and change nothing.

        The encoder is then not fitted any more: its arrays would not match its options.
        """
        current = self.get_params()
        for key in params:
            if key not in current:
                raise OptionError(f"{self.name} has no option '{key}'; it has: {', '.join(current) or 'none'}")
        type(self)(**{**current, **params})  # checks all options
        if any(current[key] != value for key, value in params.items()):
            for key, value in params.items():
                setattr(self, key, value)
            self._forget()
        return self

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
