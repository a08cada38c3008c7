"""Curves of rate and distortion: bytes really written against error, and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.applications.compression.picture_codecs import FILES
from retrieval.evaluation.picture_quality import Quality

#: Ratio of two sizes at which curves are compared.
_FINE = 1.1
#: Ratio of two sizes between which one curve must lead to be named.
_LASTING = 1.3


@dataclass(frozen=True)
class Point:
    """One file, or one setting of a codec.

    Attributes
    ----------
    setting : str
    bytes_per_item : float
        Without what stands in a file once.
    once : int
        Bytes of encoder, tables and header.
    quality : Quality
    compress_seconds, decompress_seconds : float
        For each item.
    shown : ndarray uint8
        The first decoded pictures.
    """

    setting: str
    bytes_per_item: float
    once: int
    quality: Quality
    compress_seconds: float
    decompress_seconds: float
    shown: NDArray[np.uint8] = field(repr=False)


@dataclass(frozen=True)
class Curve:
    """The points of a method, by bytes ascending."""

    name: str
    learnt: bool
    points: list[Point]
    fit_seconds: float = 0.0

    @property
    def codec(self) -> str:
        """The name of a picture codec without the way to write it."""
        return self.name.partition(",")[0]

    def within(self, size: float) -> Point:
        """Return the best point of at most `size` bytes, with 2% of tolerance; the smallest if there is none."""
        small = [point for point in self.points if point.bytes_per_item <= 1.02 * size]
        return small[-1] if small else self.points[0]

    def error_at(self, size: float) -> float | None:
        """Return the error that at most `size` bytes buy; see the function `error_at`."""
        return error_at([(point.bytes_per_item, point.quality.error) for point in self.points], size)

    def bytes_at(self, error: float) -> float | None:
        """Return the bytes for an error between two points, by interpolation of their logarithms; None outside."""
        known = sorted((point.quality.error, point.bytes_per_item) for point in self.points if point.quality.error > 0)
        if not known or not known[0][0] <= error <= known[-1][0]:
            return None
        errors, sizes = np.log(np.array(known)).T
        return float(np.exp(np.interp(math.log(error), errors, sizes)))


@dataclass(frozen=True)
class Curves:
    """Everything that was measured on the same held-out pictures."""

    corpus: str
    originals: NDArray[np.uint8]
    trained_on: int
    held_out: str
    curves: list[Curve]

    @property
    def compared(self) -> list[Curve]:
        """The spaces, and the better of two ways to write each codec: without headers, or all pictures in one mosaic.

        A file with its header for each small picture is no match for any.
        """
        curves = [curve for curve in self.curves if curve.learnt]
        for codec in dict.fromkeys(curve.codec for curve in self.curves if not curve.learnt):
            ways = [curve for curve in self.curves if curve.codec == codec and not curve.name.endswith(FILES)]
            curves.append(max(ways, key=lambda way: sum(self._wins(way, ways))))
        return curves

    def _wins(self, way: Curve, ways: list[Curve]) -> Iterator[bool]:
        for size in self.sizes:
            errors = {one.name: one.error_at(size) for one in ways}
            known = [error for error in errors.values() if error is not None]
            yield bool(known) and errors[way.name] == min(known)

    @property
    def sizes(self) -> list[float]:
        """Sizes in bytes from the smallest to the largest point of any curve, at equal ratios of at most 1.1."""
        measured = [point.bytes_per_item for curve in self.curves for point in curve.points if point.bytes_per_item > 0]
        low, high = min(measured), max(measured)
        steps = math.ceil(math.log(high / low) / math.log(_FINE))
        return [float(size) for size in np.geomspace(low, high, steps + 1)]

    @property
    def winners(self) -> list[tuple[str, float]]:
        """What has the smallest error: the name of a space or codec, and the bytes from which on; in order of bytes.

        A lead over less than a third of a size is left out.
        """
        leads: list[tuple[str, float]] = []
        compared = self.compared
        for size in self.sizes:
            errors = [(error, curve.name if curve.learnt else curve.codec) for curve in compared
                      if (error := curve.error_at(size)) is not None]  # fmt: skip
            if errors and (not leads or min(errors)[1] != leads[-1][0]):
                leads.append((min(errors)[1], size))
        ends = [size for _, size in leads[1:]] + [math.inf]
        lasting = [one for one, end in zip(leads, ends, strict=True) if end >= _LASTING * one[1]]
        return [one for at, one in enumerate(lasting) if not at or one[0] != lasting[at - 1][0]]

    @property
    def equal_bytes(self) -> float:
        """The bytes at which pictures are shown side by side: those of the first space at its middle point."""
        first = next(curve for curve in self.curves if curve.learnt)
        return first.points[len(first.points) // 2].bytes_per_item

    @property
    def raw_bytes(self) -> int:
        """Bytes of a picture without compression."""
        return int(self.originals[0].size)

    def best_codec(self, error: float) -> tuple[str, float] | None:
        """Return the picture codec that needs the fewest bytes for an error, and the bytes."""
        named_sizes = [(curve.bytes_at(error), curve.name) for curve in self.curves if not curve.learnt]
        sizes = [(size, name) for size, name in named_sizes if size is not None]
        return (min(sizes)[1], min(sizes)[0]) if sizes else None

    def break_even(self, point: Point) -> int | None:
        """Return from how many items on a file with its encoder is smaller than the best codec at the same error.

        None when it never is, or no codec was measured at this error.
        """
        best = self.best_codec(point.quality.error)
        if best is None or best[1] <= point.bytes_per_item:
            return None
        return math.ceil(point.once / (best[1] - point.bytes_per_item))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "corpus": self.corpus,
            "items": len(self.originals),
            "trained_on": self.trained_on,
            "held_out": self.held_out,
            "raw_bytes": self.raw_bytes,
            "curves": [
                {
                    "name": curve.name,
                    "learnt": curve.learnt,
                    "fit_seconds": curve.fit_seconds,
                    "points": [self._point(curve, point) for point in curve.points],
                }
                for curve in self.curves
            ],
        }

    def _point(self, curve: Curve, point: Point) -> dict[str, Any]:
        value = {name: one for name, one in vars(point).items() if name not in ("shown", "quality")}
        value |= {"bits_per_item": 8 * point.bytes_per_item, **point.quality._asdict()}
        return {**value, "break_even": self.break_even(point)} if curve.learnt else value


def error_at(points: Sequence[tuple[float, float]], size: float) -> float | None:
    """Return the error that at most `size` bytes buy, of points (bytes, error) by bytes ascending.

    Between two points it is interpolated in logarithms; below the first it is None; above the last it is that of the
    best point, because a file may be smaller than allowed.

    Examples
    --------
    >>> points = [(10, 8.0), (40, 2.0)]
    >>> error_at(points, 9), round(error_at(points, 20), 6), round(error_at(points, 99), 6)
    (None, 4.0, 2.0)
    """
    known = [(at, error) for at, error in points if at > 0 and error > 0]
    if not known or size < known[0][0]:
        return None
    sizes, errors = np.log(np.array(known, np.float64)).T
    return float(np.exp(np.interp(math.log(size), sizes, np.minimum.accumulate(errors))))
