"""The 1,797 handwritten digits of scikit-learn: no download."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from encoders.codes import Modality
from encoders.errors import CorpusError
from retrieval.corpora.base import Item, OnBad, raise_bad
from retrieval.corpora.source import Source


@dataclass(eq=False)
class Digits(Source):
    """Handwritten digits: 1,797 pictures uint8 (8, 8), with grey levels 0-16 spread over 0-255; the label is the digit.

    The test part of E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998.
    """

    name: str = "digits"
    on_bad: OnBad = raise_bad

    modality = Modality.IMAGE

    def __post_init__(self) -> None:
        self._held: Any = None

    def items(self) -> Iterator[Item]:
        """Give the digits, from the beginning."""
        pictures, labels = self._load()
        for row, picture in enumerate(pictures):
            yield Item(str(row), picture, None, str(labels[row]))

    @property
    def size(self) -> int | None:
        """Number of digits."""
        return len(self._load()[0])

    def _load(self) -> Any:
        if self._held is None:
            try:
                from sklearn.datasets import load_digits
            except ImportError as error:
                raise CorpusError("'digits' comes with scikit-learn: pip install scikit-learn") from error
            bunch = load_digits()
            self._held = np.rint(bunch.images * (255 / 16)).astype(np.uint8), bunch.target
        return self._held
