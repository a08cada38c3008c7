"""Rate against distortion on held-out pictures: files of nearby beside those of picture codecs."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Modality
from encoders.errors import CorpusError, OptionError
from encoders.progress import ProgressCallback, progress, quiet
from retrieval.applications.compression.compress import compress, training_on
from retrieval.applications.compression.compressed_items import CompressedItems
from retrieval.applications.compression.picture_codecs import MOSAIC, available, coded
from retrieval.applications.compression.picture_quality import Quality, quality
from retrieval.applications.compression.target import CompressionTarget
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.sample import draw
from retrieval.spaces.build import fitted, planned

#: Mean bits of a component at which a space is measured.
BITS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
#: Largest width of the PCA that stands beside the spaces.
PCA = 256
SAMPLE = 1000
#: Of a corpus without queries, one item in this number is held out.
HELD_OUT = 5
#: Pictures that are kept to be shown.
SHOWN = 8


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
    def raw_bytes(self) -> int:
        """Bytes of a picture without compression."""
        return int(self.originals[0].size)

    def best_codec(self, error: float) -> tuple[str, float] | None:
        """Return the picture codec that needs the fewest bytes for an error, and the bytes."""
        found = [(curve.bytes_at(error), curve.name) for curve in self.curves if not curve.learnt]
        sizes = [(size, name) for size, name in found if size is not None]
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


class Some(Corpus):
    """The items of a corpus at chosen positions."""

    def __init__(self, corpus: Corpus, chosen: Callable[[int], bool]) -> None:
        self._corpus, self._chosen = corpus, chosen
        self.name, self.modality = corpus.name, corpus.modality

    def __iter__(self) -> Iterator[Item]:
        return (item for position, item in enumerate(self._corpus) if self._chosen(position))


class Listed(Corpus):
    """Items in memory."""

    def __init__(self, name: str, modality: Modality, items: list[Item]) -> None:
        self.name, self.modality, self._items = name, modality, items

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    @property
    def size(self) -> int:
        """Number of items."""
        return len(self._items)


def held_out_split(corpus: Corpus, sample: int = SAMPLE, seed: int = 0) -> tuple[Corpus, Listed, str]:
    """Return items to fit on, other items to measure, and a phrase that says which.

    The queries of a corpus if it has its own, else every fifth item.

    Raises
    ------
    CorpusError
        When the corpus does not hold pictures, or too few.
    """
    if corpus.modality is not Modality.IMAGE:
        raise CorpusError(f"'{corpus.name}' holds {corpus.modality}s: a compression curve is measured on pictures")
    queries = [] if corpus.queries_are_items else draw(corpus.queries(), sample, seed)
    if queries:
        return corpus, Listed(corpus.name, corpus.modality, queries), "its queries, which no space was fitted on"
    chosen = draw(Some(corpus, lambda position: position % HELD_OUT == HELD_OUT - 1), sample, seed)
    if not chosen:
        raise CorpusError(f"'{corpus.name}' has fewer than {HELD_OUT} items, so none can be held out")
    rest = Some(corpus, lambda position: position % HELD_OUT != HELD_OUT - 1)
    return rest, Listed(corpus.name, corpus.modality, chosen), f"every {HELD_OUT}th item, which no space was fitted on"


def compression_curves(
    train: Corpus,
    test: Listed,
    held_out: str,
    specs: Sequence[str] = (),
    bits: Sequence[float] = BITS,
    say: ProgressCallback = quiet,
) -> Curves:
    """Fit spaces on some items and compress others: by each space, by PCA, and by the codecs of Pillow.

    Files are written and read back. The quantiser of a space is trained on the items of its fit.

    Parameters
    ----------
    train, test : Corpus
        Pictures of one shape.
    held_out : str
        A phrase that says what `test` is.
    specs : sequence of str
        Spaces with one first stage.
    bits : sequence of float
        Mean bits of a component, one file each.
    say : callable, optional
        Called with a line for each step.

    Raises
    ------
    OptionError
        When the spaces read pictures in different ways.
    NearbyError
        When a space cannot be fitted or decoded.
    """
    encoders = [planned(spec, None, train.modality) for spec in specs]
    first = encoders[0].parts[0] if encoders else planned("pixels", None, train.modality)
    if any(str(encoder.parts[0]) != str(first) for encoder in encoders):
        raise OptionError(
            "all spaces should begin with the same stage, such as pixels, or their errors cannot be compared"
        )
    reader = planned(str(first), None, train.modality)
    reader.fit(train.batches())
    originals = np.stack(list(reader.reconstruct([item.content for item in test])))
    count = sum(1 for _ in train)
    if not any(encoder.parts[-1].name == "pca" for encoder in encoders):
        width = max(1, min(PCA, count // 2, reader.space.dim))
        encoders.append(planned(f"{first}+pca:{width}", None, train.modality))
    curves = [_space_curve(encoder, train, test, originals, bits, say) for encoder in encoders]
    say("coding by JPEG, WebP and JPEG 2000")
    curves += _codec_curves(originals)
    return Curves(train.name, originals, count, held_out, curves)


def _space_curve(
    encoder: Encoder,
    train: Corpus,
    test: Listed,
    originals: NDArray[np.uint8],
    bits: Sequence[float],
    say: ProgressCallback,
) -> Curve:
    say(f"fitting {encoder}")
    seconds = fitted(encoder, train.batches(label_field=encoder.label_field))
    training = training_on(train, encoder)
    points = []
    with tempfile.TemporaryDirectory() as folder, progress(f"compressing by {encoder}", len(bits), "files") as bar:
        for number in bits:
            path = Path(folder) / f"{number}.nby"
            made = compress(test, encoder, path, CompressionTarget(bits=number), training=training)
            started = time.perf_counter()
            with CompressedItems(path) as items:
                decoded = np.stack([item.content for item in items])
            reading = (time.perf_counter() - started) / len(decoded)
            once = made.size - made.parts["items"] - made.parts.get("ids", 0)
            found = quality(originals, decoded)
            setting = f"{number:g} bit{'' if number == 1 else 's'} per component"
            points.append(Point(setting, made.bytes_per_item, once, found,
                                made.seconds / made.items, reading, decoded[:SHOWN]))  # fmt: skip
            bar.update(1)
    return Curve(str(encoder), True, sorted(points, key=lambda point: point.bytes_per_item), seconds)


def _codec_curves(originals: NDArray[np.uint8]) -> list[Curve]:
    found: dict[str, list[Point]] = {}
    for codec in available():
        for one in coded(originals, codec):
            name = f"{one.codec}, {'one mosaic' if one.variant == MOSAIC else one.variant}"
            point = Point(one.setting, one.bytes_per_item, 0, quality(originals, one.decoded),
                          one.compress_seconds, one.decompress_seconds, one.decoded[:SHOWN])  # fmt: skip
            found.setdefault(name, []).append(point)
    return [
        Curve(name, False, sorted(points, key=lambda point: point.bytes_per_item)) for name, points in found.items()
    ]
