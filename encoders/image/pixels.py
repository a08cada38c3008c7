"""Pixels of pictures as vectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Items, Kind, Metric, Modality, Space
from encoders.errors import BadItemError, DimensionError, OptionError
from encoders.options import option


@dataclass
class Pixels(Encoder):
    """The pixels of a picture, row by row: grey levels or colours in [0, 1].

    Use it when your items are pictures: put it before every encoder of vectors, and compare other spaces with it.

    All pictures must have the shape of the first picture of the fit, unless `size` scales them to one shape.

    Examples
    --------
    >>> encoder = Pixels().fit(np.full((2, 4, 4), 255, dtype=np.uint8))
    >>> encoder.space.shape, float(encoder.encode(np.zeros((1, 4, 4), dtype=np.uint8)).sum())
    ((4, 4), 0.0)

    References
    ----------
    Krizhevsky & Hinton, Using very deep autoencoders for content-based image retrieval, ESANN 2011: the
    "Euclidean distance in pixel space" baseline.
    """

    name: ClassVar[str] = "pixels"
    reads: ClassVar[Modality] = Modality.IMAGE
    size: str | None = option(None, "Scale pictures to WIDTHxHEIGHT pixels, e.g. 32x32; none: do not scale.")
    grey: bool = option(False, "Convert colours to grey levels.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._size = None if self.size is None else parse_size(self.size)
        self._shape: tuple[int, ...] | None = None

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        self._shape = None
        for batch in batches:
            for picture in batch.items:
                shape = self._prepared(np.asarray(picture)).shape
                if self._shape is None:
                    self._shape = shape
                elif shape != self._shape:
                    raise self._other_shape(shape)
        if self._shape is None:
            raise BadItemError("there is nothing to fit on: the corpus holds no pictures")
        return Space(int(np.prod(self._shape)), Kind.DENSE, Metric.EUCLIDEAN, self._shape)

    def _encode(self, items: Any) -> Codes:
        codes = np.empty((len(items), self.space.dim), dtype=np.float32)
        for row, item in enumerate(items):
            picture = self._prepared(item)
            if picture.shape != self.space.shape:
                raise self._other_shape(picture.shape)
            codes[row] = picture.reshape(-1)
            if picture.dtype != np.uint8 and not np.isfinite(codes[row]).all():
                raise BadItemError(f"picture {row} holds NaN or infinite values")
            if picture.dtype == np.uint8:
                codes[row] /= 255
        return codes

    def _decode(self, codes: Codes) -> Items:
        grey_levels = np.clip(np.rint(np.asarray(codes) * 255), 0, 255).astype(np.uint8)
        return grey_levels.reshape(-1, *(self.space.shape or ()))

    def _prepared(self, picture: NDArray[Any]) -> NDArray[Any]:
        if self.grey and picture.ndim == 3:
            mean = picture.mean(axis=2)
            picture = np.rint(mean).astype(np.uint8) if picture.dtype == np.uint8 else mean
        if self._size is not None and picture.shape[:2] != self._size[::-1]:
            from PIL import Image

            picture = np.asarray(Image.fromarray(picture).resize(self._size, Image.Resampling.BILINEAR))
        return picture

    def _other_shape(self, shape: tuple[int, ...]) -> DimensionError:
        expected = self._shape or self.space.shape
        return DimensionError(
            f"this space consists of pictures of shape {_written(expected)}, got one of {_written(shape)}; "
            "use 'pixels:size=WIDTHxHEIGHT' (and grey=true) to convert all pictures to one shape"
        )

    def state(self) -> State:
        """Return no arrays: only the shape is learnt, and the space contains it."""
        return {}

    def restore(self, state: State) -> None:
        """Take the shape from the space."""
        self._shape = self.space.shape


def parse_size(text: str) -> tuple[int, int]:
    """Read ``WIDTHxHEIGHT``.

    Examples
    --------
    >>> parse_size("32x24")
    (32, 24)
    """
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and 0 < int(part) <= 4096 for part in parts):
        raise OptionError(f"pixels: size should be WIDTHxHEIGHT, each 1 to 4096, as in 32x32; got '{text}'")
    return int(parts[0]), int(parts[1])


def _written(shape: tuple[int, ...] | None) -> str:
    return "x".join(str(side) for side in shape or ())
