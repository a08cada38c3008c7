"""Generation of new items: decoded from random codes, or from codes between those of two items."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Codes, Kind, slices
from encoders.errors import NotInvertibleError, OptionError
from retrieval.applications.reconstruction import decoded_codes, hear_of
from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable
from retrieval.collection.base import Collection
from retrieval.corpora.base import Content
from retrieval.search.read_query import read_query
from retrieval.search.searcher import encode_query

PRIOR = "the standard normal"
#: Number of codes processed at a time.
PIECE = 4096


def sampled(collection: Collection, spec: str, count: int, seed: int = 0) -> ReconstructionTable:
    """Decode random codes: from the prior of the encoder, or else from a distribution fitted to the collection's codes.

    Raises
    ------
    NotInvertibleError
        When the space cannot decode.
    """
    encoder = collection.space(spec).encoder
    _require_numbers(encoder)
    generator = np.random.default_rng(seed)
    if encoder.has_prior:
        codes: Codes = generator.standard_normal((count, encoder.space.dim), dtype=np.float32)
        source = PRIOR
    else:
        codes, source = _like(collection.codes_of(spec).codes(), encoder.space.dim, count, generator)
    title = f"draws from {source} (seed {seed}), decoded by {encoder}"
    contents = decoded_codes(encoder, codes)
    row = ReconstructionRow(str(encoder), contents, words=encoder.vocabulary, hear=hear_of(encoder, contents))
    return ReconstructionTable([f"draw {number}" for number in range(1, count + 1)], [row], title)


def interpolated(collection: Collection, spec: str, start: str, end: str, steps: int = 10) -> ReconstructionTable:
    """Decode codes on the straight line from one item to another, both ends included.

    Between binary codes there is no line: the bits that differ are flipped one after another.

    Raises
    ------
    NotInvertibleError
        When the space cannot decode.
    """
    encoder = collection.space(spec).encoder
    asked = [read_query(collection, text) for text in (start, end)]
    shares, contents = walk(encoder, asked[0].content, asked[1].content, steps)
    title = f"from {asked[0].shown.id} to {asked[1].shown.id}, decoded by {encoder}"
    row = ReconstructionRow(str(encoder), contents, words=encoder.vocabulary, hear=hear_of(encoder, contents))
    return ReconstructionTable([f"{share:.2f}" for share in shares], [row], title)


def walk(encoder: Encoder, start: Content, end: Content, steps: int) -> tuple[list[float], list[Any]]:
    """Return the shares of the way from one content to another, from 0 to 1, and what the codes there decode to.

    Raises
    ------
    NotInvertibleError
        When the space cannot decode.
    OptionError
        For fewer than 2 steps.
    """
    if steps < 2:
        raise OptionError(f"an interpolation has at least 2 steps; got {steps}")
    _require_numbers(encoder)
    first, last = (encode_query(encoder, content)[0] for content in (start, end))
    shares = np.linspace(0, 1, steps)
    codes = _turned(first, last, shares) if encoder.space.kind is Kind.BINARY else _between(first, last, shares)
    return shares.tolist(), decoded_codes(encoder, codes)


def _require_numbers(encoder: Encoder) -> None:
    if encoder.space.kind is Kind.SPARSE:
        raise NotInvertibleError(
            f"'{encoder}' has sparse codes, which cannot be sampled or interpolated: take a dense space"
        )


def _like(codes: Any, dim: int, count: int, generator: np.random.Generator) -> tuple[Codes, str]:
    """Draw codes from a Gaussian fitted to the given codes, or each bit with its share of ones."""
    if codes.dtype == np.uint8:
        often = np.unpackbits(codes, axis=1, count=dim).mean(axis=0)
        return np.packbits(
            generator.random((count, dim)) < often, axis=1
        ), f"the share of ones of each bit of {_of(codes)}"
    mean = codes.mean(axis=0, dtype=np.float64)
    drawn = np.zeros((count, dim))
    # the same as a draw from the covariance, without its square root: a random sum of the centred codes
    for part in slices(codes, PIECE):
        drawn += generator.standard_normal((count, len(part))) @ (part - mean)
    drawn = mean + drawn / np.sqrt(max(1, len(codes) - 1))
    return drawn.astype(np.float32), f"a Gaussian fitted to {_of(codes)}"


def _of(codes: Any) -> str:
    return f"the codes of {len(codes):,} items"


def _between(first: NDArray[np.float32], last: NDArray[np.float32], shares: NDArray[np.float64]) -> Codes:
    return ((1 - shares)[:, None] * first + shares[:, None] * last).astype(np.float32)


def _turned(first: NDArray[np.uint8], last: NDArray[np.uint8], shares: NDArray[np.float64]) -> Codes:
    """Flip the bits that differ in their order, the given share of them at each step."""
    before, after = np.unpackbits(first), np.unpackbits(last)
    differ = np.flatnonzero(before != after)
    rows = np.repeat(before[None], len(shares), axis=0)
    for row, share in zip(rows, shares, strict=True):
        turned = differ[: round(float(share) * len(differ))]
        row[turned] = after[turned]
    return np.packbits(rows, axis=1)
