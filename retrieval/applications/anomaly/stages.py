"""The two stretches of an encoder: the stage that reads items as rows of components, and the stages that learn.

Every score compares rows, so it works for texts, pictures, sounds and vectors alike, and an explanation can name
components: words, pixels, columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.base import Encoder
from encoders.codes import Codes, Items, Kind, Metric, Modality, Space, n_rows, slices
from encoders.density.density import Density

if TYPE_CHECKING:
    from encoders.table.columns import Columns

#: Numbers of one block of rows: 16 MiB of float32.
BLOCK = 2**22
#: What `component_name` calls the columns of rows whose encoder has no words for them.
COLUMN = "column"


@dataclass(frozen=True)
class Stages:
    """A fitted or unfitted encoder as reader and learners.

    Attributes
    ----------
    encoder : Encoder
    reader : Encoder or None
        The stage whose codes are the rows; None if the encoder reads vectors itself, as ``pca:3`` does.
    learners : tuple of Encoder
        The stages after the reader.
    """

    encoder: Encoder
    reader: Encoder | None
    learners: tuple[Encoder, ...]

    @classmethod
    def of(cls, encoder: Encoder) -> Stages:
        """Return the stages of an encoder.

        Examples
        --------
        >>> from encoders.registry import create
        >>> stages = Stages.of(create("tfidf+lsa:8"))
        >>> str(stages.reader), [str(stage) for stage in stages.learners]
        ('tfidf', ['lsa:8'])
        """
        first, *rest = encoder.parts
        if first.reads is Modality.VECTOR and first.name != "vectors":
            return cls(encoder, None, encoder.parts)
        return cls(encoder, first, tuple(rest))

    def read(self, items: Items) -> Codes:
        """Return items as rows, dense float32 or sparse (n, dim).

        Raises
        ------
        BadItemError, DimensionError
            When the encoder cannot read them.
        """
        if self.reader is None:
            return self.encoder.parts[0].checked(items)
        if self.encoder.lexicon is not None:  # BM25: an item asks which of the stored ones it is like
            return self.reader.encode_queries(items)
        return self.reader.encode(items)

    def encode(self, rows: Codes) -> Codes:
        """Return the codes of rows."""
        return self._through(self.learners, rows)

    def before_last(self, rows: Codes) -> Codes:
        """Return the input of the last stage for rows."""
        return self._through(self.learners[:-1], rows)

    def reconstruct(self, rows: Codes) -> NDArray[np.float32]:
        """Return rows after encoding and decoding, dense float32 (n, dim).

        Raises
        ------
        NotInvertibleError
            When a stage cannot decode.
        """
        back = self.learners[-1].reconstruct(self.before_last(rows))
        for stage in reversed(self.learners[:-1]):
            back = stage.decode(back)
        return dense(back)

    @property
    def ends_in_density(self) -> bool:
        """Whether the code is one log-likelihood, which very different items may share."""
        return bool(self.learners) and isinstance(self.learners[-1], Density)

    @property
    def input_space(self) -> Space:
        """The space of the input of the last stage."""
        if len(self.learners) > 1:
            return self.learners[-2].space
        return Space(self.width, Kind.DENSE, Metric.EUCLIDEAN) if self.reader is None else self.reader.space

    @staticmethod
    def _through(stages: tuple[Encoder, ...], rows: Codes) -> Codes:
        for stage in stages:
            rows = stage.encode(rows)
        return rows

    @property
    def width(self) -> int:
        """Components of a row."""
        return self.reader.space.dim if self.reader is not None else int(self.encoder.parts[0].input_dim or 0)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of a row that is a picture, or a spectrogram."""
        return None if self.reader is None else self.reader.space.shape

    @property
    def words(self) -> list[str] | None:
        """The name of each component: words of texts, columns of tables; None if they have numbers only."""
        return None if self.reader is None else self.reader.vocabulary

    @property
    def table(self) -> Columns | None:
        """The reader of the rows of a table; None for other items."""
        return cast("Columns", self.reader) if self.reader is not None and self.reader.reads is Modality.ROW else None

    @property
    def decodes(self) -> bool:
        """Whether the stages after the reader lose something and can decode."""
        return bool(self.learners) and all(
            type(stage)._decode is not Encoder._decode or type(stage)._reconstruct is not Encoder._reconstruct
            for stage in self.learners
        )


def dense(rows: Codes) -> NDArray[np.float32]:
    """Return rows as a dense float32 matrix."""
    return np.asarray(rows.toarray() if issparse(rows) else rows, dtype=np.float32)


def blocks(rows: Codes, width: int | None = None) -> Iterator[Codes]:
    """Cut rows into blocks of about `BLOCK` numbers, so that one dense block is small."""
    yield from slices(rows, max(1, BLOCK // max(1, width or int(rows.shape[1]))))


def by_blocks(rows: Codes, answer: Any) -> NDArray[np.float64]:
    """Return one number for each row: `answer` of each block, joined."""
    if not n_rows(rows):
        return np.zeros(0)
    return np.concatenate([np.asarray(answer(block), dtype=np.float64) for block in blocks(rows)])
