"""The 569 rows of Breast Cancer Wisconsin (Diagnostic) that come with scikit-learn: no download."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from encoders.codes import Modality
from encoders.errors import CorpusError
from encoders.row import Row
from retrieval.corpora.base import Item, OnBad, raise_bad
from retrieval.corpora.source import Source


@dataclass(eq=False)
class BreastCancer(Source):
    """Measurements of cell nuclei: 30 numeric columns; the label is malignant or benign.

    W. N. Street, W. H. Wolberg and O. L. Mangasarian, Nuclear feature extraction for breast tumor diagnosis, 1993.
    """

    name: str = "breast-cancer"
    on_bad: OnBad = raise_bad

    modality = Modality.ROW

    def items(self) -> Iterator[Item]:
        """Give the rows, from the beginning."""
        try:
            from sklearn.datasets import load_breast_cancer
        except ImportError as error:
            raise CorpusError("'breast-cancer' comes with scikit-learn: pip install scikit-learn") from error
        bunch = load_breast_cancer()
        names = tuple(map(str, bunch.feature_names))
        labels = [str(name) for name in bunch.target_names]
        for number, (values, target) in enumerate(zip(bunch.data.tolist(), bunch.target.tolist(), strict=True)):
            yield Item(str(number), Row(names, tuple(values)), None, labels[target])

    @property
    def size(self) -> int | None:
        """Number of rows."""
        return 569
