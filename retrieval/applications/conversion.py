"""Conversion: the content of one item with the nuisance of others, such as a word in somebody else's voice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Modality
from encoders.errors import QueryError, UnsupportedSpaceError
from retrieval.applications.reconstruction import as_read, hear_of, spectrograms
from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable
from retrieval.collection.base import Collection
from retrieval.corpora.base import Item
from retrieval.search.searcher import Query, read_query

#: Largest number of items of the wanted nuisance whose codes are averaged.
LIKE = 200
#: Largest number of items on which a classifier is trained that judges conversions.
JUDGED = 5_000
#: Probabilities of an item that are independent classifiers' opinions.
Judge = Callable[[Any], NDArray[np.float64]]


def converted(collection: Collection, spec: str, texts: Sequence[str], like: Sequence[str]) -> ReconstructionTable:
    """Convert items: their own content, decoded with the nuisance of others.

    Independent classifiers, trained on the items of the collection, say how probable the wanted nuisance, and the label
    of each item, are before and after.

    Parameters
    ----------
    collection : Collection
    spec : str
        A space of `disentangle`.
    texts : sequence of str
        Items to convert, as `read_query` reads them.
    like : sequence of str
        A value of the nuisance, such as the name of a speaker: all its items; or items.

    Raises
    ------
    UnsupportedSpaceError
        When the space has no such parts.
    QueryError
        When an item, or a value of the nuisance, is unknown.
    """
    encoder = collection.space(spec).encoder
    last = _disentangled(encoder)
    asked = [read_query(collection, text) for text in texts]
    wanted, value = _wanted(collection, last, like)
    contents = [query.content for query in asked]
    rows = _rows(encoder, contents)
    changed = last.convert(rows, _rows(encoder, wanted))
    judges = _judges(collection, encoder, asked, value)
    pictures = _shown(encoder, changed)
    before = as_read(encoder, contents)
    heard: Any = (lambda: contents) if collection.items.modality is Modality.SOUND else None
    return ReconstructionTable(
        [query.shown.id for query in asked],
        [
            ReconstructionRow("the item", before, _opinions(judges, rows), hear=heard),
            ReconstructionRow(f"as {value}", pictures, _opinions(judges, changed), hear=hear_of(encoder, pictures)),
        ],
        "Probabilities are those of classifiers that were trained on the items of the collection, not on conversions.",
    )


def _disentangled(encoder: Encoder) -> Any:
    last: Any = encoder.parts[-1]
    if not hasattr(last, "convert"):
        raise UnsupportedSpaceError(
            f"'{encoder}' does not separate content and nuisance, so it cannot convert: choose a space that does, such "
            "as log-mel+disentangle:32,nuisance=speaker"
        )
    return last


def _wanted(collection: Collection, last: Any, like: Sequence[str]) -> tuple[list[Any], str]:
    """Return the contents of the items with the wanted nuisance, and its value or a name for it."""
    if len(like) == 1 and like[0] in last.classes:
        of_value = (item for item in collection.items if value_of(item, last.label_field) == like[0])
        found = [item.content for item in islice(of_value, LIKE)]
        if not found:
            raise QueryError(f"no item of the collection has the nuisance '{like[0]}' any more: name an item instead")
        return found, like[0]
    if len(like) == 1 and not like[0].startswith("@") and "." not in like[0] and "/" not in like[0]:
        raise QueryError(f"'{like[0]}' is not a nuisance that this space was fitted on: {', '.join(last.classes[:20])}")
    queries = [read_query(collection, text) for text in like]
    known = [query.item_id for query in queries if query.item_id is not None]
    values = {value_of(item, last.label_field) for item in collection.items.get(known)} if known else set()
    one = values.pop() if len(values) == 1 and len(known) == len(queries) else None
    return [query.content for query in queries], one or ", ".join(like)


def value_of(item: Item, field: str | None) -> str | None:
    """Return the nuisance of an item: its label, or a field."""
    return item.label if field is None else item.metadata.get(field)


def _rows(encoder: Encoder, contents: Sequence[Any]) -> Any:
    """Return what the last stage reads."""
    return encoder.up_to_last(list(contents))[1]


def _shown(encoder: Encoder, rows: Any) -> list[Any]:
    """Return converted rows as items: pictures and vectors, or spectrograms of sounds."""
    stages = encoder.parts[:-1]
    for stage in reversed(stages[1:]):
        rows = stage.decode(rows)
    if encoder.reads is Modality.SOUND:
        return spectrograms(stages[0], rows)
    return list(stages[0].decode(rows) if stages else rows)


def _judges(collection: Collection, encoder: Encoder, asked: Sequence[Query], value: str) -> dict[str, Judge]:
    """Return measures of converted items: probability of the wanted nuisance, and of each item's own label."""
    items = list(islice(collection.items, JUDGED))
    field = encoder.parts[-1].label_field
    rows = _rows(encoder, [item.content for item in items])
    judges: dict[str, Judge] = {}
    name = field or "label"
    nuisances = [value_of(item, field) for item in items]
    if value in nuisances and _several(nuisances):
        judges[f"probability of {name} {value}"] = _judge(rows, nuisances, [value] * len(asked))
    labels, own = [item.label for item in items], [query.shown.label for query in asked]
    if field is not None and _several(labels) and all(label is not None and label in labels for label in own):
        judges["probability of its own label"] = _judge(rows, labels, own)
    return judges


def _several(values: Sequence[str | None]) -> bool:
    """Return whether a classifier could distinguish the items: they have at least two values."""
    return len(set(values) - {None}) > 1


def _judge(rows: Any, known: Sequence[str | None], wanted: Sequence[str | None]) -> Judge:
    """Return a classifier's probability of the wanted value of each item."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    has = np.array([value is not None for value in known])
    values = np.array([str(value) for value in known])[has]
    # rows are few and wide: little regularisation would fit noise
    judge = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200))
    judge.fit(np.asarray(rows)[has], values)
    columns = [list(judge.classes_).index(str(value)) for value in wanted]
    return lambda some: judge.predict_proba(np.asarray(some))[np.arange(len(columns)), columns]


def _opinions(judges: dict[str, Judge], rows: Any) -> dict[str, list[float]]:
    return {name: judge(rows).tolist() for name, judge in judges.items()}
