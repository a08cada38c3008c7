"""IDX files, the format of the MNIST family (described at http://yann.lecun.com/exdb/mnist/)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Modality
from encoders.errors import CorpusError
from encoders.options import option
from retrieval.corpora.base import Item
from retrieval.corpora.files import existing, open_bytes, plain_name
from retrieval.corpora.source import FileSource

TRAIN, TEST = "train", "t10k"
#: Largest number of dimensions of a NumPy array.
_MAX_DIMENSIONS = 32
_IMAGES = re.compile(r"(images)?[-.]idx[34]-ubyte$")


@dataclass(eq=False)
class Idx(FileSource):
    """Pictures in an IDX file, or in a folder with the four files of MNIST.

    In a folder the items are the training pictures and the queries are the test pictures. The labels are in the file
    whose name has ``labels`` instead of ``images``. Every file may be gzipped. The bytes of a split are held once; its
    items are views into them.
    """

    split: str = option(
        "train",
        "With train, training pictures are the items and test pictures the queries; with test, test pictures are both.",
        choices=("train", "test"),
    )
    class_names: tuple[str, ...] = ()

    modality = Modality.IMAGE

    def __post_init__(self) -> None:
        self._held: dict[Path, NDArray[np.uint8]] = {}

    def items(self) -> Iterator[Item]:
        """Give the pictures, from the beginning."""
        if self.path.is_dir():
            return self._read_split(self.split)
        return self._read(self.path, "")

    @property
    def queries_are_items(self) -> bool:
        """False when the test pictures are the queries."""
        return not (self.path.is_dir() and self.split == "train" and _images_file(self.path, TEST) is not None)

    def queries(self) -> Iterator[Item]:
        """Give the test pictures, or the pictures themselves where there is no other split."""
        return super().queries() if self.queries_are_items else self._read_split("test")

    @property
    def size(self) -> int | None:
        """Number of pictures."""
        path = _images_file(self.path, TRAIN if self.split == "train" else TEST) if self.path.is_dir() else self.path
        return None if path is None else len(self._array(path))

    def _read_split(self, split: str) -> Iterator[Item]:
        path = _images_file(self.path, TRAIN if split == "train" else TEST)
        if path is None:
            raise CorpusError(f"{self.path} has no {split} pictures ({TRAIN if split == 'train' else TEST}-images-...)")
        return self._read(path, f"{split}/")

    def _read(self, path: Path, prefix: str) -> Iterator[Item]:
        pictures, labels = self._array(path), self._labels(path)
        for row, picture in enumerate(pictures):
            yield Item(f"{prefix}{row}", picture, None, None if labels is None else labels[row])

    def _array(self, path: Path) -> NDArray[np.uint8]:
        if path not in self._held:
            pictures = read_idx(path, self.max_bytes)
            if pictures.ndim not in (3, 4):
                raise CorpusError(f"{path} holds {pictures.ndim}-dimensional data, not pictures")
            self._held[path] = pictures
        return self._held[path]

    def _labels(self, images: Path) -> Sequence[str] | None:
        name = (
            images.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1")
        )
        path = existing(images.parent, name)
        if path is None or path == images:
            return None
        codes = read_idx(path, self.max_bytes)
        if codes.shape != (len(self._array(images)),):
            raise CorpusError(
                f"{path} holds {len(codes)} labels for the {len(self._array(images))} pictures of {images}"
            )
        if self.class_names and int(codes.max(initial=0)) < len(self.class_names):
            return [self.class_names[code] for code in codes]
        return [str(code) for code in codes]


def is_idx(path: Path) -> bool:
    """Return whether a path is an IDX file of pictures or a folder with an MNIST-like set."""
    if path.is_dir():
        return any(_images_file(path, split) is not None for split in (TRAIN, TEST))
    return _IMAGES.search(plain_name(path)) is not None


def read_idx(path: Path, max_bytes: int | None = None) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, of any number of dimensions (read-only).

    Raises
    ------
    CorpusError
        When the file is missing, damaged, shorter or longer than its header says, or of another type.
    """
    with open_bytes(path, max_bytes) as stream:
        head = stream.read(4)
        if len(head) < 4 or head[:2] != b"\0\0":
            raise CorpusError(f"{path} is not an IDX file: it does not begin with two zero bytes")
        if head[2] != 0x08:
            raise CorpusError(f"{path} holds IDX type 0x{head[2]:02x}; only unsigned bytes (0x08) are read")
        sizes = stream.read(4 * head[3])
        shape = tuple(int.from_bytes(sizes[start : start + 4], "big") for start in range(0, len(sizes), 4))
        expected = math.prod(shape)
        # One byte more than the header claims shows a file that is too long.
        raw = _read_up_to(stream, expected + 1)
    if len(sizes) != 4 * head[3] or len(raw) != expected:
        size = f"{len(raw):,}" if len(raw) <= expected else "more"
        raise CorpusError(f"{path} is damaged: its header promises {expected:,} bytes, it holds {size}")
    if len(shape) > _MAX_DIMENSIONS or math.prod(filter(None, shape)) >= 2**62:
        raise CorpusError(f"{path} is damaged: its header promises an array of shape {shape}")
    return np.frombuffer(raw, dtype=np.uint8).reshape(shape)


def _read_up_to(stream: IO[bytes], limit: int) -> bytes:
    """Read piece by piece: one large read would allocate all the bytes that the header claims."""
    pieces, length = [], 0
    while length < limit and (piece := stream.read(min(2**20, limit - length))):
        pieces.append(piece)
        length += len(piece)
    return b"".join(pieces)


def _images_file(folder: Path, split: str) -> Path | None:
    return existing(folder, f"{split}-images-idx3-ubyte") or existing(folder, f"{split}-images.idx3-ubyte")
