"""The collections, spaces and items that the examples of the documentation name: those that are served."""

from __future__ import annotations

from dataclasses import replace

from encoders.codes import Kind, Modality
from retrieval.collection.base import Collection
from retrieval.service.examples import ServedNames
from retrieval.service.open_collections import OpenCollections
from retrieval.service.problem import Problem

#: Words of an example query.
MAX_WORDS = 3


def served_names(opened: OpenCollections) -> ServedNames:
    """Return the names: of texts if there are any, of the first collection if there are none."""
    collections: dict[str, Collection] = {}
    for name in opened.names:
        try:
            if opened.collection(name).spaces:
                collections[name] = opened.collection(name)
        except Problem:  # the others are there
            continue
    if not collections:
        return ServedNames()
    texts = [name for name, one in collections.items() if one.items.modality is Modality.TEXT]
    names = _of_collection((texts or list(collections))[0], collections)
    for name, one in collections.items():
        if one.items.modality in (Modality.IMAGE, Modality.SOUND):
            return replace(names, pictures=name, picture=next(iter(one.items.page(0, 1))).id)
    return names


def _of_collection(name: str, collections: dict[str, Collection]) -> ServedNames:
    collection = collections[name]
    specs = list(collection.spaces)
    dense = [spec for spec in specs if collection.spaces[spec].space["kind"] != Kind.SPARSE]
    first, *others = collection.items.page(0, 2)
    second = others[0] if others else first
    words = None
    if isinstance(first.content, str):
        words = " ".join((first.title or first.content).split()[:MAX_WORDS])
    return ServedNames(
        collection=name, space=specs[0], dense=(dense or specs)[0], items=(first.id, second.id), words=words
    )
