"""Data and queries for a detector: read as the data on which it was fitted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from encoders.codes import Modality
from encoders.errors import BadItemError, DimensionError, OptionError, QueryError, UnknownNameError
from encoders.json_text import parse_json
from encoders.sound import Sound
from retrieval.applications.anomaly.detector import AnomalyDetector, FitRecord
from retrieval.collection.open import open_data
from retrieval.corpora.base import Content, Corpus, Item, OnBad, raise_bad
from retrieval.corpora.code_matrix import read_npy
from retrieval.search.row_query import row_of

#: Ids that are kept for a message about an id that does not exist.
SHOWN_IDS = 1000


def open_for(detector: AnomalyDetector, address: str, on_bad: OnBad = raise_bad) -> Corpus:
    """Open a corpus; pictures get the size and colours of those of the detector, sounds their rate.

    Raises
    ------
    NearbyError
        As of `open_data`; or when the items are of another sort or width.
    """
    from retrieval.corpora.images import Images
    from retrieval.corpora.sounds import Sounds

    corpus, record = open_data(address, on_bad=on_bad), detector.record
    if isinstance(corpus, Images) and record.modality is Modality.IMAGE and record.shape is not None:
        corpus.treat_as(np.zeros(record.shape, np.uint8), record.corpus)
    if isinstance(corpus, Sounds) and record.modality is Modality.SOUND and record.rate is not None:
        corpus.treat_as(Sound(np.zeros(1, np.int16), record.rate))
    detector.require_same_sort(corpus)
    return corpus


def read_item(detector: AnomalyDetector, text: str, data: str | None) -> Item:
    """Read the item to explain: ``@id`` of the data, a text, the path of a file, or JSON.

    A row of a table is a JSON object, read as a query of `search` is; a vector is a JSON array.

    Raises
    ------
    QueryError, UnknownNameError
        When there is no such item, or it is of another sort.
    OptionError
        For an ``@id`` without data.
    """
    record = detector.record
    if text.startswith("@") and not text.startswith("@@"):
        if data is None:
            raise OptionError(f"{text} names an item by its id: say of which data, as in --data {record.corpus}")
        return _item_of(open_for(detector, data), text[1:])
    if record.modality is Modality.TEXT:
        words = text.removeprefix("@") if text.startswith("@@") else text
        if not words.strip():
            raise QueryError("the text is empty: give some words, or @id with --data DATA")
        return Item("query", words)
    if record.modality is Modality.ROW:
        return Item("query", row_of(text, detector.columns))
    if record.modality is Modality.VECTOR and text.lstrip().startswith(("[", "{")):
        return Item("query", vector_of(_parsed(text), record))
    path = Path(text)
    if not path.is_file():
        kind = {Modality.IMAGE: "a picture", Modality.SOUND: "a WAV or FLAC file"}.get(
            record.modality, "a .npy vector, a JSON array of numbers"
        )
        raise QueryError(f"'{text}' is not a file: give the path of {kind}, or @id with --data DATA")
    return Item(path.name, _content(path, record), path.name)


def _parsed(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError as error:
        raise QueryError(f"the query begins as JSON but is not valid: {error}") from None


def _content(path: Path, record: FitRecord) -> Content:
    if record.modality is Modality.IMAGE:
        from retrieval.corpora.image_preprocessing import preprocessing_like
        from retrieval.corpora.images import read_image

        return read_image(path, preprocessing_like(np.zeros(record.shape or [1, 1], np.uint8), record.corpus))
    if record.modality is Modality.SOUND:
        from retrieval.corpora.sound_file import read_sound

        return read_sound(path, record.rate)
    width = (record.shape or [0])[0]
    rows = read_npy(path, width, f"one vector of {width:,} numbers")
    if len(rows) > 1:
        raise QueryError(f"{path} holds an array of shape {rows.shape}; expected one vector of {width:,} numbers")
    return vector_of(rows[0].tolist(), record)


def vector_of(value: Any, record: FitRecord) -> Content:
    """Return a JSON array as a vector float32 (dim,) of the width of the detector.

    Raises
    ------
    BadItemError
        When it is not an array of finite numbers.
    DimensionError
        When it has another width.
    """
    width = (record.shape or [0])[0]
    if not isinstance(value, list) or not all(type(number) in (int, float) for number in value):
        raise BadItemError(f"expected an array of {width:,} numbers")
    if len(value) != width:
        raise DimensionError(f"expected an array of {width:,} numbers, got {len(value):,}")
    try:
        with np.errstate(over="ignore"):
            vector = np.array(value, dtype=np.float64).astype(np.float32)
    except OverflowError:  # a whole number beyond float64
        raise BadItemError("a number is too large for float32") from None
    if not np.isfinite(vector).all():
        raise BadItemError(f"number {int(np.isfinite(vector).argmin())} is infinite, NaN or too large for float32")
    return vector


def _item_of(corpus: Corpus, id: str) -> Item:
    if not id:
        raise QueryError("the query is empty: give the id of an item after '@'")
    ids: list[str] = []
    for item in corpus:
        if item.id == id:
            return item
        if len(ids) <= SHOWN_IDS:
            ids.append(item.id)
    known = ids if len(ids) <= 10 else [*ids[:3], "..."]
    raise UnknownNameError("item", id, known, where=f"in '{corpus.name}'")
