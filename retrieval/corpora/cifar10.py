"""CIFAR-10: 60,000 pictures of 32x32 in ten classes.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Modality
from encoders.errors import CorpusError
from encoders.options import option
from retrieval.corpora.base import Item, OnBad, raise_bad
from retrieval.corpora.folder_files import ReadOptions, read_files
from retrieval.corpora.images import Images
from retrieval.corpora.source import Source

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
#: A record of the authors' binary files: the class, then 1,024 red, green and blue values, row by row.
RECORD = 1 + 3 * 32 * 32


class Split(NamedTuple):
    """One split, held whole: uint8 (n, 32, 32, 3), and an id and label each."""

    pictures: NDArray[np.uint8]
    ids: list[str]
    labels: list[str]


@dataclass(eq=False)
class Cifar10(Source):
    """CIFAR-10: photographs in ten classes, uint8 (32, 32, 3); the test pictures are the queries.

    Reads an archive of ``train/<class>/*.jpg`` and ``test/<class>/*.jpg`` (JPEG, a few grey levels off), or
    the authors' ``cifar-10-binary.tar.gz`` (exact). Each split is decoded once and held as one array.
    """

    path: Path
    name: str = "cifar10"
    on_bad: OnBad = raise_bad
    split: str = option(
        "train",
        "With train, training pictures are the items and test pictures the queries; with test, test pictures are both.",
        choices=("train", "test"),
    )

    modality = Modality.IMAGE

    def __post_init__(self) -> None:
        self._held: dict[str, Split] = {}

    def items(self) -> Iterator[Item]:
        """Give the pictures of the split, from the beginning."""
        return self._read(self.split)

    @property
    def queries_are_items(self) -> bool:
        """False when the test pictures are the queries."""
        return self.split != "train"

    def queries(self) -> Iterator[Item]:
        """Give the test pictures."""
        return self._read("test")

    def _read(self, split: str) -> Iterator[Item]:
        if split not in self._held and "binary" in self.path.name:
            self._held[split] = self._from_binary(split)
        elif split not in self._held:
            self._held = self._from_folder()
        held = self._held[split]
        for name, picture, label in zip(held.ids, held.pictures, held.labels, strict=True):
            yield Item(name, picture, None, label)

    def _from_folder(self) -> dict[str, Split]:
        # Both splits at once where both are needed: the archive is decompressed a single time.
        splits = ("test",) if self.split == "test" else ("train", "test")
        part = splits[0] if len(splits) == 1 else None
        items_by_split: dict[str, list[Item]] = {split: [] for split in splits}
        # With all options given, the heads of the 60,000 pictures need not be read first.
        for item in Images(self.path, self.name, self.on_bad, part=part, size_="32x32", grey=False, white=255.0):
            for split in splits:
                if split in item.id.split("/")[:-1]:
                    items_by_split[split].append(item)
        return {split: self._held_split(split, items) for split, items in items_by_split.items()}

    def _held_split(self, split: str, items: list[Item]) -> Split:
        if not items:
            raise CorpusError(f"{self.path} holds no pictures below a folder '{split}'")
        pictures = np.stack([np.asarray(item.content) for item in items])
        return Split(pictures, [item.id for item in items], [item.label or "" for item in items])

    def _from_binary(self, split: str) -> Split:
        wanted = re.compile(r"data_batch_\d\.bin$" if split == "train" else r"test_batch\.bin$")
        parts = sorted(read_files(self.path, lambda name: wanted.search(name) is not None, ReadOptions(self.on_bad)))
        raw = np.frombuffer(b"".join(part.raw for part in parts), dtype=np.uint8)
        if not len(raw) or len(raw) % RECORD:
            raise CorpusError(f"{self.path} is damaged: its {split} pictures fill {len(raw):,} bytes")
        records = raw.reshape(-1, RECORD)
        pictures = np.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        ids = [f"{split}/{row}" for row in range(len(records))]
        return Split(pictures, ids, [CLASSES[code % len(CLASSES)] for code in records[:, 0]])
