"""Conversion: the content of one item with the nuisance of others, such as a word in somebody else's voice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, decode_through
from encoders.codes import Modality
from encoders.errors import QueryError, UnsupportedSpaceError
from encoders.progress import waiting
from retrieval.applications.reconstruction import as_read, hear_of, spectrograms
from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable
from retrieval.collection.base import Collection
from retrieval.corpora.sample import draw
from retrieval.search.query import Query, read_query

#: Largest number of items of the wanted nuisance whose codes are averaged.
LIKE = 200
#: Number of random items on which the classifiers are trained that judge conversions.
JUDGED = 5_000
#: Rows of the items to convert, before or after -> the probability (n,) of the wanted class of each.
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
    asked = [read_query(collection, text, whole=True) for text in texts]
    wanted, value = _wanted(collection, last, like)
    contents = [query.content for query in asked]
    rows = _rows(encoder, contents)
    with waiting("converting"):
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
        per_item=True,
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
        of_value = (item for item in collection.items if item.label_in(last.label_field) == like[0])
        contents = [item.content for item in islice(of_value, LIKE)]
        if not contents:
            raise QueryError(f"no item of the collection has the nuisance '{like[0]}' any more: name an item instead")
        return contents, like[0]
    if len(like) == 1 and not like[0].startswith("@") and "." not in like[0] and "/" not in like[0]:
        raise QueryError(f"'{like[0]}' is not a nuisance that this space was fitted on: {', '.join(last.classes[:20])}")
    queries = [read_query(collection, text, whole=True) for text in like]
    known = [query.item_id for query in queries if query.item_id is not None]
    values = {item.label_in(last.label_field) for item in collection.items.get(known)} if known else set()
    one = values.pop() if len(values) == 1 and len(known) == len(queries) else None
    return [query.content for query in queries], one or ", ".join(like)


def _rows(encoder: Encoder, contents: Sequence[Any]) -> Any:
    """Return what the last stage reads."""
    return encoder.up_to_last(list(contents))[1]


def _shown(encoder: Encoder, rows: Any) -> list[Any]:
    """Return converted rows as items: pictures and vectors, or spectrograms of sounds."""
    stages = encoder.parts[:-1]
    rows = decode_through(stages[1:], rows)
    if encoder.reads is Modality.SOUND:
        return spectrograms(stages[0], rows)
    return list(stages[0].decode(rows) if stages else rows)


def _judges(collection: Collection, encoder: Encoder, asked: Sequence[Query], value: str) -> dict[str, Judge]:
    """Return measures of converted items: probability of the wanted nuisance, and of each item's own label.

    A measure is left out when the items that were drawn do not have the wanted class and another one.
    """
    items = draw(collection.items, JUDGED)
    field = encoder.parts[-1].label_field
    rows = _rows(encoder, [item.content for item in items])
    nuisances = [item.label_in(field) for item in items]
    with waiting("training the classifiers that judge"):
        wanted = {f"probability of {field or 'label'} {value}": _judge(rows, nuisances, [value] * len(asked))}
        if field is not None:
            labels = [query.shown.label for query in asked]
            wanted["probability of its own label"] = _judge(rows, [item.label for item in items], labels)
    return {name: judge for name, judge in wanted.items() if judge is not None}


def _judge(rows: Any, known: Sequence[str | None], wanted: Sequence[str | None]) -> Judge | None:
    """Return a classifier's probability of the wanted class of each item; None if it cannot learn these classes."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classes = set(known) - {None}
    if len(classes) < 2 or not classes.issuperset(wanted):
        return None
    has = np.array([value is not None for value in known])
    values = np.array([str(value) for value in known])[has]
    # rows are few and wide: little regularisation would fit noise
    judge = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200))
    judge.fit(np.asarray(rows)[has], values)
    columns = [list(judge.classes_).index(str(value)) for value in wanted]
    return lambda some: judge.predict_proba(np.asarray(some))[np.arange(len(columns)), columns]


def _opinions(judges: dict[str, Judge], rows: Any) -> dict[str, list[float]]:
    return {name: judge(rows).tolist() for name, judge in judges.items()}
