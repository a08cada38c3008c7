"""Rate against distortion on held-out pictures: files of nearby beside those of picture codecs."""

from __future__ import annotations

import tempfile
import time
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.errors import OptionError
from encoders.progress import ProgressCallback, progress, quiet
from retrieval.applications.compression.compress import compress, training_on
from retrieval.applications.compression.compressed_items import CompressedItems
from retrieval.applications.compression.held_out import Listed
from retrieval.applications.compression.picture_codecs import MOSAIC, available, coded
from retrieval.applications.compression.rate_distortion import Curve, Curves, Point
from retrieval.applications.compression.target import CompressionTarget
from retrieval.corpora.base import Corpus
from retrieval.evaluation.picture_quality import Quality, quality
from retrieval.spaces.fit import fitted
from retrieval.spaces.space_encoder import planned

#: Largest mean bits of a component, and the number of files of a space.
_FINEST, _POINTS = 6.0, 10
#: Largest width of the PCA that stands beside the spaces.
PCA = 256
#: Pictures that are kept to be shown.
SHOWN = 8


def compression_curves(
    train: Corpus,
    test: Listed,
    held_out: str,
    specs: Sequence[str] = (),
    bits: Sequence[float] = (),
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
    bits : sequence of float, optional
        Mean bits of a component, one file each; without them, sizes up to a quarter of a picture.
    say : callable, optional
        Called with a line for each step.

    Raises
    ------
    OptionError
        When the spaces read pictures in different ways, or one is named twice.
    NearbyError
        When a space cannot be fitted or decoded.
    """
    twice = [spec for at, spec in enumerate(specs) if spec in specs[:at]]
    if twice:
        raise OptionError(f"the space '{twice[0]}' is named twice: name each only once")
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
    seconds = fitted(encoder, train.batches_for(encoder))
    training = training_on(train, encoder)
    points = []
    bits = bits or settings(encoder.space.dim, int(originals[0].size))
    with tempfile.TemporaryDirectory() as folder, progress(f"compressing by {encoder}", len(bits), "files") as bar:
        for number in bits:
            path = Path(folder) / f"{number}.nby"
            made = compress(test, encoder, path, CompressionTarget(bits=number), training=training)
            started = time.perf_counter()
            with CompressedItems(path) as items:
                decoded = np.stack([item.content for item in items])
            points.append(
                Point(
                    setting=f"{number:.3g} bit{'' if number == 1 else 's'} per component",
                    bytes_per_item=made.bytes_per_item,
                    once=made.once,
                    quality=quality(originals, decoded),
                    compress_seconds=made.seconds / made.items,
                    decompress_seconds=(time.perf_counter() - started) / len(decoded),
                    shown=decoded[:SHOWN],
                )
            )
            bar.update(1)
    return Curve(str(encoder), True, sorted(points, key=lambda point: point.bytes_per_item), seconds)


def settings(dim: int, raw_bytes: int) -> list[float]:
    """Return mean bits of a component, each half as much again, up to 6, or to a quarter of the bytes of a picture.

    Examples
    --------
    >>> [round(bits, 2) for bits in settings(256, 784)[-3:]], round(settings(10_752, 10_304)[-1], 2)
    ([2.67, 4.0, 6.0], 1.92)
    """
    finest = min(_FINEST, 8 * raw_bytes / 4 / dim)
    return [finest / 1.5**step for step in reversed(range(_POINTS))]


def _codec_curves(originals: NDArray[np.uint8]) -> list[Curve]:
    points_by_name: dict[str, list[Point]] = {}
    for codec in available():
        measured: tuple[Any, Quality | None] = (None, None)
        for one in coded(originals, codec):
            if one.decoded is not measured[0]:  # files with and without headers decode to the same
                measured = (one.decoded, quality(originals, one.decoded))
            name = f"{one.codec}, {'one mosaic' if one.variant == MOSAIC else one.variant}"
            point = Point(
                setting=one.setting,
                bytes_per_item=one.bytes_per_item,
                once=0,
                quality=typing.cast("Quality", measured[1]),
                compress_seconds=one.compress_seconds,
                decompress_seconds=one.decompress_seconds,
                shown=one.decoded[:SHOWN],
            )
            points_by_name.setdefault(name, []).append(point)
    return [
        Curve(name, False, sorted(points, key=lambda point: point.bytes_per_item))
        for name, points in points_by_name.items()
    ]
