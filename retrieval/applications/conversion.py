"""Conversion: the content of one item with the nuisance of others, such as a word in somebody else's voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from encoders.base import Encoder
from encoders.codes import Modality
from encoders.errors import QueryError, UnsupportedSpaceError
from encoders.pipeline import decode_through
from encoders.progress import waiting
from retrieval.applications.conversion_judges import Judges, judges_of
from retrieval.applications.conversion_pairs import ConversionPairs, conversion_pairs
from retrieval.applications.reconstruction import as_read, hear_of, spectrograms
from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable
from retrieval.collection.base import Collection
from retrieval.corpora.base import Item
from retrieval.corpora.sample import draw
from retrieval.search.query import Query
from retrieval.search.read_query import read_query
from retrieval.search.result import Shown, show

#: Largest number of items of the wanted nuisance whose codes are averaged.
LIKE = 200
#: Number of random items on which the classifiers are trained that judge conversions.
JUDGED = 5_000


@dataclass(frozen=True)
class Conversion:
    """One converted item.

    Attributes
    ----------
    item : Shown
    own, wanted : str or None, str
        The nuisance of the item, and the one that it gets; `own` is None for an item without one.
    example : Shown or None
        A real item with the wanted nuisance, if there is one with the same label.
    heard_nuisance, heard_label : str or None
        What the classifiers hear in the conversion; None without a classifier.
    """

    item: Shown
    own: str | None
    wanted: str
    example: Shown | None
    heard_nuisance: str | None
    heard_label: str | None


@dataclass(frozen=True)
class Conversions:
    """Converted items, and what independent classifiers hear.

    Attributes
    ----------
    spec : str
    corpus : str
    table : ReconstructionTable
        The items, and below them the conversions.
    items : list of Conversion
    field : str
        The name of the nuisance, such as ``speaker``.
    pairs : ConversionPairs, optional
        What is heard in the conversions between all pairs of nuisances.
    """

    spec: str
    corpus: str
    table: ReconstructionTable
    items: list[Conversion]
    field: str
    pairs: ConversionPairs | None = None


@dataclass(frozen=True)
class Wanted:
    """A nuisance that items get: its name, and contents of items that have it."""

    name: str
    contents: list[Any]
    example: Shown | None = None


def converted(
    collection: Collection, spec: str, asked: Sequence[Query], like: Sequence[str] = (), pairs: bool = False
) -> Conversions:
    """Convert items: their own content, decoded with the nuisance of others.

    Independent classifiers, trained on other items of the collection, say how probable the wanted nuisance, and the
    label of each item, are before and after.

    Parameters
    ----------
    collection : Collection
    spec : str
        A space of `disentangle`.
    asked : sequence of Query
        Items to convert.
    like : sequence of str
        A value of the nuisance, such as the name of a speaker: all its items; or items. Empty: the items get the
        values of the nuisance in turn, each another one than its own.
    pairs : bool
        Whether items are also converted between all pairs of nuisances.

    Raises
    ------
    UnsupportedSpaceError
        When the space has no such parts.
    QueryError
        When an item, or a value of the nuisance, is unknown.
    """
    encoder = collection.space(spec).encoder
    last = _disentangled(encoder)
    one = _wanted(collection, last, like) if like else None
    sample = draw(collection.items, JUDGED)
    nuisances = _nuisances_of(collection, last.label_field, asked)
    wanted = [one] * len(asked) if one is not None else _in_turn(last, sample, nuisances)
    contents = [query.content for query in asked]
    rows = _rows(encoder, contents)
    with waiting("converting"):
        changed = _converted_rows(encoder, last, rows, wanted)
    with waiting("training the classifiers that judge"):
        ids = [query.item_id for query in asked if query.item_id is not None]
        judges = judges_of(sample, lambda some: _rows(encoder, some), last.label_field, ids)
    all_pairs = None
    if pairs:
        with waiting("converting between all pairs"):
            all_pairs = conversion_pairs(last, judges, LIKE)
    return Conversions(
        str(encoder),
        collection.items.name,
        _table(encoder, asked, wanted, one, rows, changed, judges),
        _each(asked, nuisances, wanted, judges, changed),
        judges.field,
        all_pairs,
    )


def _disentangled(encoder: Encoder) -> Any:
    last: Any = encoder.parts[-1]
    if not hasattr(last, "convert"):
        raise UnsupportedSpaceError(
            f"'{encoder}' does not separate content and nuisance, so it cannot convert: choose a space that does, such "
            "as log-mel+disentangle:32,nuisance=speaker"
        )
    return last


def _wanted(collection: Collection, last: Any, like: Sequence[str]) -> Wanted:
    """Return the nuisance that all items get: a value of the space, or that of some items."""
    if len(like) == 1 and like[0] in last.classes:
        of_value = (item for item in collection.items if item.label_in(last.label_field) == like[0])
        contents = [item.content for item in islice(of_value, LIKE)]
        if not contents:
            raise QueryError(f"no item of the collection has the nuisance '{like[0]}' any more: name an item instead")
        return Wanted(like[0], contents)
    if len(like) == 1 and not like[0].startswith("@") and "." not in like[0] and "/" not in like[0]:
        raise QueryError(f"'{like[0]}' is not a nuisance that this space was fitted on: {', '.join(last.classes[:20])}")
    queries = [read_query(collection, text, whole=True) for text in like]
    known = [query.item_id for query in queries if query.item_id is not None]
    values = {item.label_in(last.label_field) for item in collection.items.get(known)} if known else set()
    one = values.pop() if len(values) == 1 and len(known) == len(queries) else None
    return Wanted(one or ", ".join(like), [query.content for query in queries], queries[0].shown)


def _nuisances_of(collection: Collection, field: str | None, asked: Sequence[Query]) -> list[str | None]:
    """Return the nuisance of each item; None for a file, of which it is not known."""
    ids = [query.item_id for query in asked if query.item_id is not None]
    known = {item.id: item.label_in(field) for item in collection.items.get(ids)}
    return [known.get(query.item_id) if query.item_id is not None else None for query in asked]


def _in_turn(last: Any, sample: Sequence[Item], nuisances: Sequence[str | None]) -> list[Wanted]:
    """Return a nuisance for each item, the values in turn, each another one than its own."""
    held: dict[str, list[Any]] = {}
    for item in sample:
        value = item.label_in(last.label_field)
        if value is not None and value in last.classes and len(held.setdefault(value, [])) < LIKE:
            held[value].append(item.content)
    if len(held) < 2:
        raise QueryError("the items of the collection no longer have two nuisances: name one with --voice")
    targets = []
    for number, value in enumerate(nuisances):
        others = [name for name in sorted(held) if name != value]
        name = others[number % len(others)]
        targets.append(Wanted(name, held[name]))
    return targets


def _converted_rows(encoder: Encoder, last: Any, rows: Any, wanted: Sequence[Wanted]) -> Any:
    """Return converted rows, in the order of the items; each nuisance is encoded once."""
    rows = np.asarray(rows)
    changed = np.empty_like(rows)
    for one in {each.name: each for each in wanted}.values():
        same = [at for at, other in enumerate(wanted) if other.name == one.name]
        changed[same] = last.convert(rows[same], _rows(encoder, one.contents))
    return changed


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


def _table(
    encoder: Encoder, asked: Sequence[Query], wanted: Sequence[Wanted], one: Wanted | None, rows: Any, changed: Any,
    judges: Judges,
) -> ReconstructionTable:  # fmt: skip
    """Return the items and their conversions, with the opinions of the classifiers."""
    contents: list[Any] = [query.content for query in asked]
    pictures = _shown(encoder, changed)
    names, labels = [each.name for each in wanted], [query.shown.label for query in asked]
    measure = f"the wanted {judges.field}" if one is None else f"{judges.field} {one.name}"
    before, after = (judges.opinions(some, names, labels, measure) for some in (rows, changed))
    columns = [query.shown.id for query in asked]
    if one is None:
        columns = [f"{id} as {name}" for id, name in zip(columns, names, strict=True)]
    heard: Any = (lambda: contents) if encoder.reads is Modality.SOUND else None
    return ReconstructionTable(
        columns,
        [
            ReconstructionRow("the item", as_read(encoder, contents), before, hear=heard),
            ReconstructionRow(
                "converted" if one is None else f"as {one.name}",
                pictures,
                after,
                hear=hear_of(encoder, pictures, contents),
            ),
        ],
        "Probabilities are those of classifiers trained on other items of the collection, not on conversions.",
        per_item=True,
    )


def _each(
    asked: Sequence[Query], nuisances: Sequence[str | None], wanted: Sequence[Wanted], judges: Judges, changed: Any
) -> list[Conversion]:
    nothing = [None] * len(asked)
    heard = nothing if judges.nuisance is None else judges.nuisance.heard(changed)
    labels = nothing if judges.label is None else judges.label.heard(changed)
    return [
        Conversion(
            query.shown, mine, one.name, one.example or _example(judges, one.name, query.shown.label), *heard_classes
        )
        for query, mine, one, *heard_classes in zip(asked, nuisances, wanted, heard, labels, strict=True)
    ]


def _example(judges: Judges, nuisance: str, label: str | None) -> Shown | None:
    """Return a real item with the nuisance, with the same label if there is one."""
    known = judges.training
    having = [at for at, name in enumerate(known.nuisances) if name == nuisance]
    same = [at for at in having if known.labels[at] == label]
    return show(known.items[(same or having)[0]]) if having else None
