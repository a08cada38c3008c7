"""Items to codes and back: what a space keeps of an item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from encoders.base import Encoder, stored_width
from encoders.codes import Codes, Kind, Modality, Space
from encoders.errors import BadItemError, NotInvertibleError, QueryError
from retrieval.collection import Collection
from retrieval.npy import read_npy
from retrieval.output import writing
from retrieval.searcher import encode_query, read_query

TOP_WORDS = 12
_GAP, _SCALE = 2, 4


@dataclass(frozen=True)
class Code:
    """One code, as it is printed or written."""

    spec: str
    space: Space
    values: Codes
    words: list[str] | None

    def to_json(self) -> dict[str, Any]:
        """Return the numbers; of a sparse code those that are not 0, by word."""
        value: dict[str, Any] = {"space": self.spec, **self.space.to_json()}
        if issparse(self.values):
            return {**value, "terms": dict(self._terms())}
        return {**value, "code": self.values[0].tolist()}

    def lines(self) -> list[str]:
        """Return the numbers, ten a line; words with their weights where the code is sparse."""
        if issparse(self.values):
            return [f"{word}  {weight:.4g}" for word, weight in self._terms()]
        if self.values.dtype == np.uint8:
            return ["".join(map(str, np.unpackbits(self.values[0])[: self.space.dim]))]
        return [" ".join(f"{number: .4f}" for number in part) for part in _pieces(self.values[0], 10)]

    def write(self, path: Path) -> None:
        """Write the code as a dense .npy matrix of one row.

        Raises
        ------
        BadItemError
            When the file is to be called something else.
        """
        if path.suffix.lower() != ".npy":
            raise BadItemError(f"{path} should end in .npy: a code is a row of numbers")
        _write_npy(path, self.values.toarray() if issparse(self.values) else self.values)

    def _terms(self) -> list[tuple[str, float]]:
        words = self.words
        pairs = sorted(zip(self.values.indices.tolist(), self.values.data.tolist(), strict=True), key=lambda p: -p[1])
        return [(words[place] if words else str(place), weight) for place, weight in pairs]


@dataclass(frozen=True)
class Reconstruction:
    """An item and what each space makes of it; the first entry may be the item itself."""

    names: list[str]
    contents: list[Any]
    errors: list[float | None]
    words: list[list[str] | None]

    def to_json(self) -> list[dict[str, Any]]:
        """Return names, errors, and the content: numbers, or words with weights."""
        return [
            {"space": name, "squared_error": error, "content": _told(content, words)}
            for name, content, error, words in self._entries()
        ]

    def lines(self) -> list[str]:
        """Return one line for each: its error, and the words it weighs most."""
        width = max(map(len, self.names))
        lines = []
        for name, content, error, words in self._entries():
            parts = [name.ljust(width)]
            if error is not None:
                parts.append(f"squared error {error:.4g}")
            if not is_picture(content):
                parts.append(_brief(_told(content, words)))
            elif error is None:
                parts.append(f"a picture of {content.shape[1]}x{content.shape[0]}: write it with -o FILE.png")
            lines.append("  ".join(parts))
        return lines

    def _entries(self) -> Iterator[tuple[str, Any, float | None, list[str] | None]]:
        return zip(self.names, self.contents, self.errors, self.words, strict=True)

    def write(self, path: Path) -> None:
        """Write pictures side by side as a PNG, or vectors as .npy.

        Raises
        ------
        BadItemError
            When the suffix does not fit what was decoded.
        """
        if path.suffix.lower() == ".npy":
            _write_npy(path, np.stack([np.asarray(_dense(content)).ravel() for content in self.contents]))
        elif path.suffix.lower() == ".png" and all(map(is_picture, self.contents)):
            from PIL import Image

            strip = _side_by_side(self.contents)
            scaled = Image.fromarray(strip).resize((strip.shape[1] * _SCALE, strip.shape[0] * _SCALE), 0)
            with writing(path) as file:
                scaled.save(file, "PNG")
        else:
            raise BadItemError(f"{path} should end in .npy" + (" or .png" if is_picture(self.contents[0]) else ""))


def code_of(collection: Collection, spec: str, query: str) -> Code:
    """Return the code of a query or ``@id``."""
    encoder = collection.space(spec).encoder
    words = encoder.vocabulary if getattr(encoder, "stages", None) is None else None
    return Code(str(encoder), encoder.space, encode_query(encoder, read_query(collection, query).content), words)


def decoded(collection: Collection, spec: str, path: Path) -> Reconstruction:
    """Decode the codes of a .npy file.

    Raises
    ------
    QueryError, NotInvertibleError
    """
    encoder = collection.space(spec).encoder
    contents = _decoded(encoder, _read_codes(path, encoder.space))
    names = [f"code {place}" for place in range(len(contents))]
    return Reconstruction(names, contents, [None] * len(contents), [encoder.vocabulary] * len(contents))


def _read_codes(path: Path, space: Space) -> Codes:
    """Read codes as 'encode -o' writes them: one a row, bits packed into bytes."""
    width = stored_width(space)
    if space.kind is not Kind.BINARY:
        codes = read_npy(path, width, f"codes of {width:,} numbers").astype(np.float32)
        return csr_array(codes) if space.kind is Kind.SPARSE else codes
    wanted = f"codes of {space.dim:,} bits, packed into {width:,} uint8 numbers"
    bits = read_npy(path, width, wanted)
    if bits.dtype != np.uint8:
        raise QueryError(f"{path} holds values of type {bits.dtype}; expected {wanted}")
    return bits


def reconstructions(collection: Collection, query: str, specs: Sequence[str] | None = None) -> Reconstruction:
    """Encode an item and decode it in every space that can.

    Raises
    ------
    NotInvertibleError
        When none can, or one that was asked for by name cannot.
    """
    content = read_query(collection, query).content
    names: list[str] = []
    contents: list[Any] = []
    errors: list[float | None] = []
    words: list[list[str] | None] = []
    for spec in specs or list(collection.spaces):
        encoder = collection.space(spec).encoder
        try:
            back = _decoded(encoder, encode_query(encoder, content))[0]
        except NotInvertibleError:
            if specs:
                raise
            continue
        words.append(encoder.vocabulary)
        names.append(str(encoder))
        contents.append(back)
        errors.append(_squared_error(encoder, content, back))
    if not names:
        raise NotInvertibleError("no space of this collection can turn its codes back into items")
    if collection.items.modality is Modality.IMAGE:
        names, contents, errors, words = ["the item", *names], [content, *contents], [None, *errors], [None, *words]
    return Reconstruction(names, contents, errors, words)


def _decoded(encoder: Encoder, codes: Codes) -> list[Any]:
    """Decode down to what the first stage reads, or to its word weights where a text cannot be had back."""
    try:
        return list(encoder.decode(codes))
    except NotInvertibleError:
        stages = getattr(encoder, "stages", ())
        if len(stages) < 2 or encoder.reads is not Modality.TEXT:
            raise
        items: Any = codes
        for stage in reversed(stages[1:]):
            items = stage.decode(items)
        return [items[row : row + 1] for row in range(items.shape[0])]


def _squared_error(encoder: Encoder, content: Any, back: Any) -> float | None:
    if isinstance(content, str):
        return None
    scale = 255.0 if content.dtype == np.uint8 else 1.0
    difference = (np.asarray(content, np.float64) - np.asarray(back, np.float64)) / scale
    return float(np.square(difference).sum())


def is_picture(content: Any) -> bool:
    """Tell whether something decoded can be looked at."""
    return isinstance(content, np.ndarray) and content.dtype == np.uint8 and content.ndim in (2, 3)


def _told(content: Any, words: list[str] | None) -> Any:
    """Return numbers, or the words that weigh most with their weights."""
    if is_picture(content):
        return content.tolist()
    row = np.asarray(_dense(content)).ravel()
    if words is not None and len(row) == len(words):
        best = np.argsort(-row, kind="stable")[:TOP_WORDS]
        return {words[place]: float(row[place]) for place in best if row[place] > 0}
    return [float(number) for number in row]


def _brief(told: Any) -> str:
    if isinstance(told, dict):
        return ", ".join(told)
    return " ".join(f"{number:.4g}" for number in told[:TOP_WORDS]) + (" ..." if len(told) > TOP_WORDS else "")


def _side_by_side(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    gap = np.full((pictures[0].shape[0], _GAP, *pictures[0].shape[2:]), 255, np.uint8)
    return np.concatenate([part for picture in pictures for part in (picture, gap)][:-1], axis=1)


def _dense(content: Any) -> Any:
    return content.toarray() if issparse(content) else content


def _pieces(row: NDArray[Any], size: int) -> list[NDArray[Any]]:
    return [row[start : start + size] for start in range(0, len(row), size)]


def _write_npy(path: Path, array: NDArray[Any]) -> None:
    with writing(path) as file:
        np.save(file, array, allow_pickle=False)
