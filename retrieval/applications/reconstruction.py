"""Reconstruction: items encoded and decoded, to show what a space preserves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from encoders.base import Encoder
from encoders.codes import Codes, Kind, Modality, Space, slices, stack_codes
from encoders.errors import BadItemError, NotInvertibleError, QueryError
from encoders.pipeline import decode_through
from encoders.sound import Sound
from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable
from retrieval.collection.base import Collection
from retrieval.corpora.code_matrix import read_npy
from retrieval.corpora.sample import draw
from retrieval.evaluation.picture_quality import squared_error
from retrieval.output import write_npy
from retrieval.search.query import Query
from retrieval.search.read_query import read_query
from retrieval.search.result import show
from retrieval.search.searcher import encode_query

if TYPE_CHECKING:
    from encoders.audio.log_mel import LogMel

T = TypeVar("T")
#: A sum over the values of one item, not a mean, as is usual for MNIST.
SQUARED_ERROR = "squared error per item"


@dataclass(frozen=True)
class Code:
    """The code of one item, to print or to write."""

    spec: str
    space: Space
    values: Codes
    words: list[str] | None

    def to_json(self) -> dict[str, Any]:
        """Return the code as JSON values; a sparse code as its non-zero weights by word."""
        value: dict[str, Any] = {"space": self.spec, **self.space.to_json()}
        if issparse(self.values):
            return {**value, "terms": dict(self._terms())}
        return {**value, "code": self.values[0].tolist()}

    def lines(self) -> list[str]:
        """Return the code as lines of ten numbers; codes of words, or of columns, as one name and number per line."""
        if issparse(self.values):
            return [f"{word}  {weight:.4g}" for word, weight in self._terms()]
        if self.values.dtype == np.uint8:
            return ["".join(map(str, np.unpackbits(self.values[0])[: self.space.dim]))]
        if self.words is not None:
            width = max(map(len, self.words))
            return [f"{word:<{width}}  {value: .4f}" for word, value in zip(self.words, self.values[0], strict=True)]
        return [" ".join(f"{number: .4f}" for number in part) for part in slices(self.values[0], 10)]

    def write(self, path: Path) -> None:
        """Write the code as a dense .npy matrix of one row.

        Raises
        ------
        BadItemError
            When the name of the file does not end in .npy.
        """
        if path.suffix.lower() != ".npy":
            raise BadItemError(f"{path} should end in .npy: a code is a row of numbers")
        write_npy(path, self.values.toarray() if issparse(self.values) else self.values)

    def _terms(self) -> list[tuple[str, float]]:
        words = self.words
        pairs = sorted(zip(self.values.indices.tolist(), self.values.data.tolist(), strict=True), key=lambda p: -p[1])
        return [(words[position] if words else str(position), weight) for position, weight in pairs]


def code_of(collection: Collection, spec: str, query: str) -> Code:
    """Return the code of a query or ``@id``."""
    encoder = collection.space(spec).encoder
    words = encoder.vocabulary if len(encoder.parts) == 1 else None
    return Code(str(encoder), encoder.space, encode_query(encoder, read_query(collection, query).content), words)


def decoded(collection: Collection, spec: str, path: Path) -> ReconstructionTable:
    """Decode the codes of a .npy file.

    Raises
    ------
    QueryError, NotInvertibleError
    """
    encoder = collection.space(spec).encoder
    contents = decoded_codes(encoder, _read_codes(path, encoder.space))
    return ReconstructionTable(
        [f"code {position}" for position in range(len(contents))],
        [ReconstructionRow(str(encoder), contents, words=encoder.vocabulary, hear=hear_of(encoder, contents))],
    )


def _read_codes(path: Path, space: Space) -> Codes:
    """Read codes in the form that 'encode -o' writes: one per row, bits packed into bytes."""
    width = space.columns
    if space.kind is not Kind.BINARY:
        codes = read_npy(path, width, f"codes of {width:,} numbers").astype(np.float32)
        return csr_array(codes) if space.kind is Kind.SPARSE else codes
    wanted = f"codes of {space.dim:,} bits, packed into {width:,} uint8 numbers"
    bits = read_npy(path, width, wanted)
    if bits.dtype != np.uint8:
        raise QueryError(f"{path} holds values of type {bits.dtype}; expected {wanted}")
    return bits


def decoded_codes(encoder: Encoder, codes: Codes) -> list[Any]:
    """Decode codes to items; texts that cannot be restored to word weights, sounds to spectrograms."""
    if encoder.reads is Modality.SOUND:
        return spectrograms(encoder.parts[0], decode_through(encoder.parts[1:], codes))
    try:
        return list(encoder.decode(codes))
    except NotInvertibleError:
        if len(encoder.parts) < 2 or encoder.reads is not Modality.TEXT:
            raise
        items = decode_through(encoder.parts[1:], codes)
        return [items[row : row + 1] for row in range(items.shape[0])]


def spectrograms(first: Encoder, levels: Codes) -> list[Any]:
    """Return the codes of an encoder of sounds as pictures.

    Raises
    ------
    NotInvertibleError
        When they are not spectrograms.
    """
    if first.space.shape is None:
        raise NotInvertibleError(f"the codes of '{first}' are not spectrograms, which could be shown or heard")
    pictures = np.rint(np.clip(np.asarray(levels), 0, 1) * 255).astype(np.uint8)
    return list(pictures.reshape(-1, *first.space.shape))


def hear_of(
    encoder: Encoder, pictures: Sequence[Any], like: Sequence[Sound] | None = None
) -> Callable[[], list[Sound]] | None:
    """Return what makes the sounds of spectrograms; None for an encoder that reads no sounds.

    Parameters
    ----------
    encoder : Encoder
    pictures : sequence of ndarray
    like : sequence of Sound, optional
        Sounds of the same lengths.
    """
    if encoder.reads is not Modality.SOUND:
        return None
    first = cast("LogMel", encoder.parts[0])
    levels = np.stack([unit(picture).ravel() for picture in pictures]).astype(np.float32)
    return lambda: first.sounds(levels, None if like is None else [sound.seconds for sound in like])


def asked_items(collection: Collection, texts: Sequence[str], count: int | None, seed: int) -> list[Query]:
    """Return the items named by `texts`, and `count` random items of the collection.

    Raises
    ------
    QueryError
        When neither items nor a count are given.
    """
    if not texts and count is None:
        raise QueryError("name an item, as in @3, or give a number of random items, as in -n 8")
    drawn = draw(collection.items, count, seed) if count else []
    return [
        *(read_query(collection, text, whole=True) for text in texts),
        *(Query(one.content, show(one), one.id) for one in drawn),
    ]


def reconstructions(
    collection: Collection, asked: Sequence[Query], specs: Sequence[str] | None = None
) -> ReconstructionTable:
    """Encode items and decode them, in every space that can decode.

    Raises
    ------
    NotInvertibleError
        When no space can decode, or one of `specs` cannot.
    """
    contents: list[Any] = [query.content for query in asked]
    rows = [
        ReconstructionRow(
            str(encoder),
            back,
            squared_errors(encoder, contents, back),
            encoder.vocabulary,
            hear_of(encoder, back, contents),
        )
        for encoder, back in by_each(collection, specs, lambda encoder: reconstructed(encoder, contents))
    ]
    modality = collection.items.modality
    if modality is Modality.IMAGE:
        rows.insert(0, ReconstructionRow("the item", contents))
    if modality is Modality.ROW:
        rows.insert(0, ReconstructionRow("the item", contents))
    if modality is Modality.SOUND:
        rows.insert(
            0,
            ReconstructionRow(
                "the item", as_read(collection.space(rows[0].name).encoder, contents), hear=lambda: contents
            ),
        )
    return ReconstructionTable([query.shown.id for query in asked], rows, _what_is_measured(modality, len(asked)))


def _what_is_measured(modality: Modality, count: int) -> str:
    """Return a sentence that says that the errors are sums, which are easily mistaken for means."""
    if modality is Modality.TEXT:
        return ""
    values = {
        Modality.IMAGE: "the pixels, which go from 0 to 1",
        Modality.SOUND: "the levels of the spectrogram, which go from 0 to 1",
        Modality.ROW: "the scaled columns and the categories",
    }.get(modality, "the numbers of a vector")
    mean = f"; mean of {count:,} items" if count > 1 else ""
    return f"errors are summed over {values}{mean}"


def by_each(
    collection: Collection, specs: Sequence[str] | None, make: Callable[[Encoder], T]
) -> list[tuple[Encoder, T]]:
    """Return the result of `make` for the encoder of every space; without specs, those that cannot decode are left out.

    Raises
    ------
    NotInvertibleError
        When no space can decode, or one of `specs` cannot.
    """
    results = []
    for spec in dict.fromkeys(collection.resolve(spec) for spec in specs or collection.spaces):
        encoder = collection.space(spec).encoder
        try:
            results.append((encoder, make(encoder)))
        except NotInvertibleError:
            if specs:
                raise
    if not results:
        raise NotInvertibleError("no space of this collection can turn its codes back into items")
    return results


def reconstructed(encoder: Encoder, contents: Sequence[Any]) -> list[Any]:
    """Return items after encoding and decoding; texts as word weights, sounds as spectrograms."""
    if encoder.reads is Modality.SOUND:
        last, rows = encoder.up_to_last(list(contents))
        levels = last.reconstruct(rows) if len(encoder.parts) > 1 else encoder.encode(rows)
        return spectrograms(encoder.parts[0], decode_through(encoder.parts[1:-1], levels))
    if encoder.reads is Modality.TEXT:
        return decoded_codes(encoder, stack_codes([encode_query(encoder, content) for content in contents]))
    return list(encoder.reconstruct(list(contents)))


def as_read(encoder: Encoder, contents: Sequence[Any]) -> list[Any]:
    """Return items as the first stage of an encoder reads them: pictures resized or grey, sounds as spectrograms."""
    if encoder.reads is Modality.SOUND:
        return reconstructed(encoder.parts[0], contents)
    return list(encoder.parts[0].reconstruct(list(contents)))


def squared_errors(encoder: Encoder, contents: Sequence[Any], decoded_items: Sequence[Any]) -> dict[str, list[float]]:
    """Return the squared error of each copy, summed over its values (pictures: 0 to 1); nothing for texts."""
    if encoder.reads is Modality.TEXT:
        return {}
    if encoder.reads is Modality.ROW:
        first = encoder.parts[0]
        read, decoded = first.encode(list(contents)), first.encode(list(decoded_items))
        return {SQUARED_ERROR: squared_error(read, decoded).tolist()}
    pairs = zip(as_read(encoder, contents), decoded_items, strict=True)
    return {SQUARED_ERROR: [float(squared_error(unit(item)[None], unit(copy)[None])[0]) for item, copy in pairs]}


def unit(content: Any) -> NDArray[np.float64]:
    """Return the grey levels of a picture scaled to 0 to 1; a vector unchanged."""
    scale = 255.0 if content.dtype == np.uint8 else 1.0
    return np.asarray(content, np.float64) / scale
