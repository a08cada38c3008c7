"""JPEG, WebP and JPEG 2000 by Pillow: a file for each picture, the same without headers, or one mosaic of all."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Bytes of a WebP file that say how long it is.
_WEBP_LENGTHS = 8
#: Largest side of a mosaic: WebP allows 16,383 pixels.
_LARGEST_SIDE = 16_000


class Codec(NamedTuple):
    """A format of pictures: its name, the name in Pillow, the feature that Pillow must have, and its settings."""

    name: str
    format: str
    feature: str
    settings: tuple[tuple[str, dict[str, Any]], ...]


def _qualities(*values: int, **options: Any) -> tuple[tuple[str, dict[str, Any]], ...]:
    return tuple((f"quality {value}", {"quality": value, **options}) for value in values)


CODECS = (
    Codec("JPEG", "JPEG", "jpg", _qualities(1, 5, 10, 15, 20, 30, 45, 60, 75, 85, 95)),
    Codec("WebP", "WEBP", "webp", _qualities(0, 5, 15, 30, 45, 60, 75, 85, 95, method=4)),
    Codec(
        "JPEG 2000",
        "JPEG2000",
        "jpg_2000",
        tuple(  # decibels: a ratio counts the header, which is most of the file of a small picture
            (f"{value} dB", {"quality_mode": "dB", "quality_layers": [value], "irreversible": True, "no_jp2": True})
            for value in (12, 15, 18, 20, 22, 24, 26, 29, 33, 38, 45)
        ),
    ),
)


class Coded(NamedTuple):
    """What a codec made of pictures at one setting.

    Attributes
    ----------
    codec, variant, setting : str
    bytes_per_item : float
    decoded : ndarray uint8
    compress_seconds, decompress_seconds : float
        For each picture.
    """

    codec: str
    variant: str
    setting: str
    bytes_per_item: float
    decoded: NDArray[np.uint8]
    compress_seconds: float
    decompress_seconds: float


FILES, BARE, MOSAIC = "files", "without headers", "mosaic"


def available() -> list[Codec]:
    """Return the codecs that this Pillow has."""
    from PIL import features

    return [codec for codec in CODECS if features.check(codec.feature)]


def coded(pictures: NDArray[np.uint8], codec: Codec) -> Iterator[Coded]:
    """Compress pictures (n, height, width[, 3]) at every setting, as files, without headers, and as mosaics."""
    for setting, options in codec.settings:
        started = time.perf_counter()
        files = [_saved(picture, codec, options) for picture in pictures]
        written = time.perf_counter()
        decoded = np.stack([_opened(file, pictures.shape[1:]) for file in files])
        seconds = ((written - started) / len(files), (time.perf_counter() - written) / len(files))
        mean = sum(map(len, files)) / len(files)
        whole = Coded(codec.name, FILES, setting, mean, decoded, *seconds)
        yield whole
        yield whole._replace(variant=BARE, bytes_per_item=mean - _common(files, codec))
        yield _mosaic(pictures, codec, setting, options)


def _saved(picture: NDArray[np.uint8], codec: Codec, options: dict[str, Any]) -> bytes:
    from PIL import Image

    if codec.format == "JPEG2000":  # it halves a picture several times, which a small one does not allow
        options = {**options, "num_resolutions": max(1, min(6, int(math.log2(min(picture.shape[:2])))))}
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format=codec.format, **options)
    return buffer.getvalue()


def _opened(file: bytes, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    from PIL import Image

    with Image.open(io.BytesIO(file)) as image:
        return np.asarray(image.convert("L" if len(shape) == 2 else "RGB"), np.uint8)


def _common(files: list[bytes], codec: Codec) -> int:
    """Return how many bytes need not be written for each file: the same in all, or known from its length."""
    if len(files) < 2:
        return 0
    shortest = min(map(len, files))
    heads = np.array([np.frombuffer(file[:shortest], np.uint8) for file in files])
    tails = np.array([np.frombuffer(file[len(file) - shortest :], np.uint8) for file in files])
    same = (heads == heads[0]).all(axis=0)
    tail = (tails == tails[0]).all(axis=0)[::-1]
    ending = min(int(np.argmin(tail)) if not tail.all() else shortest, shortest - int(same.sum()))
    return int(same.sum()) + ending + (_WEBP_LENGTHS if codec.format == "WEBP" else 0)


def _mosaic(pictures: NDArray[np.uint8], codec: Codec, setting: str, options: dict[str, Any]) -> Coded:
    height, width = pictures.shape[1:3]
    columns = min(math.ceil(math.sqrt(len(pictures) * height / width)), max(1, _LARGEST_SIDE // width))
    per_sheet = columns * max(1, _LARGEST_SIDE // height)
    size, decoded, times = 0, [], [0.0, 0.0]
    for start in range(0, len(pictures), per_sheet):
        some = pictures[start : start + per_sheet]
        rows = math.ceil(len(some) / columns)
        padded = np.concatenate([some, np.repeat(some[-1:], rows * columns - len(some), axis=0)])
        grid = padded.reshape(rows, columns, *pictures.shape[1:]).swapaxes(1, 2)
        started = time.perf_counter()
        file = _saved(grid.reshape(rows * height, columns * width, *pictures.shape[3:]), codec, options)
        written = time.perf_counter()
        sheet = _opened(file, pictures.shape[1:])
        times[0], times[1] = times[0] + written - started, times[1] + time.perf_counter() - written
        size += len(file)
        cells = sheet.reshape(rows, height, columns, *pictures.shape[2:]).swapaxes(1, 2)
        decoded.append(cells.reshape(-1, *pictures.shape[1:])[: len(some)])
    count = len(pictures)
    return Coded(codec.name, MOSAIC, setting, size / count, np.concatenate(decoded), times[0] / count, times[1] / count)
