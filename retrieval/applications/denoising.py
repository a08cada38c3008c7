"""Denoising: pictures cleaned by encoding and decoding, optionally after noise was added to measure the gain."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Modality
from encoders.errors import BadItemError, OptionError
from encoders.neural.corruption import CORRUPTIONS, corrupted
from retrieval.applications.reconstruction import as_read, by_each, reconstructed, unit
from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable
from retrieval.collection.base import Collection
from retrieval.evaluation.picture_quality import psnr
from retrieval.search.query import Query

KINDS = CORRUPTIONS[1:]


@dataclass(frozen=True)
class Noise:
    """Noise that is added to a picture; `level` is a standard deviation (of grey levels 0 to 1) or a pixel share."""

    kind: str
    level: float

    @classmethod
    def read(cls, text: str) -> Noise:
        """Read noise from text such as ``gaussian:0.5``.

        Examples
        --------
        >>> Noise.read("gaussian:0.5")
        Noise(kind='gaussian', level=0.5)
        >>> Noise.read("masking:2")
        Traceback (most recent call last):
        encoders.errors.OptionError: noise is gaussian, masking or salt-and-pepper and its level, as in ...
        """
        kind, _, level = text.partition(":")
        number = float(level) if re.fullmatch(r"[0-9]*\.?[0-9]+", level) else math.nan
        if kind not in KINDS or not 0 < number <= (10 if kind == "gaussian" else 1):
            raise OptionError(
                f"noise is {', '.join(KINDS[:-1])} or {KINDS[-1]} and its level, as in gaussian:0.5 (a standard "
                f"deviation) or masking:0.3 (a share); got '{text}'"
            )
        return cls(kind, number)

    def __str__(self) -> str:
        return f"{self.kind}:{self.level:g}"

    def corrupt(self, pictures: Sequence[NDArray[np.uint8]], seed: int) -> list[NDArray[np.uint8]]:
        """Return noisy copies as pictures: values outside the grey levels are clipped."""
        import torch

        torch.manual_seed(seed)
        return [
            np.rint(corrupted(torch.from_numpy(unit(picture)), self.kind, self.level).clamp(0, 1).numpy() * 255).astype(
                np.uint8
            )
            for picture in pictures
        ]


def denoised(
    collection: Collection,
    asked: Sequence[Query],
    specs: Sequence[str] | None = None,
    noise: Noise | None = None,
    seed: int = 0,
) -> ReconstructionTable:
    """Denoise pictures in every space that can decode.

    Parameters
    ----------
    collection : Collection
    asked : sequence of Query
        The pictures. One picture without noise, in one space, gives its cleaned copy and nothing else.
    specs : sequence of str, optional
        Default: every space.
    noise : Noise, optional
        Added to the pictures first; the result then has peak signal-to-noise ratios against the clean pictures.
    seed : int

    Raises
    ------
    BadItemError
        When the collection holds no pictures.
    NotInvertibleError
        When no space can decode, or one of `specs` cannot.
    """
    if collection.items.modality is not Modality.IMAGE:
        raise BadItemError(f"denoise cleans pictures; {collection.folder} holds {collection.items.modality}s")
    clean = [query.content for query in asked]
    given = clean if noise is None else noise.corrupt(clean, seed)  # type: ignore[arg-type]  # pictures, as checked above
    rows = [
        ReconstructionRow(str(encoder), cleaned, {} if noise is None else _ratios(encoder, clean, given, cleaned))
        for encoder, cleaned in by_each(collection, specs, lambda encoder: reconstructed(encoder, given))
    ]
    columns = [query.shown.id for query in asked]
    if noise is None and len(rows) == len(columns) == 1:
        return ReconstructionTable(columns, rows, f"{columns[0]}, cleaned by {rows[0].name}")
    title = f"peak signal-to-noise ratios in dB; noise of seed {seed}" if noise is not None else ""
    noisy = [] if noise is None else [ReconstructionRow(f"corrupted by {noise}", given)]
    return ReconstructionTable(columns, [ReconstructionRow("the item", clean), *noisy, *rows], title)


def _ratios(
    encoder: Encoder, clean: Sequence[Any], given: Sequence[Any], cleaned: Sequence[Any]
) -> dict[str, list[float]]:
    """Return the peak signal-to-noise ratio before and after denoising, of pictures as the space reads them."""
    wanted = as_read(encoder, clean)
    return {
        "PSNR before": [_ratio(item, other) for item, other in zip(wanted, as_read(encoder, given), strict=True)],
        "PSNR after": [_ratio(item, other) for item, other in zip(wanted, cleaned, strict=True)],
    }


def _ratio(picture: NDArray[Any], other: NDArray[Any]) -> float:
    return psnr(float(np.square(unit(picture) - unit(other)).mean()))
