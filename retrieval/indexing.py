"""A corpus stored and indexed in some spaces, in one go that may be interrupted: what ``nearby index`` does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from encoders.errors import NearbyError, OptionError
from indexers.registry import AUTO, parse_description
from retrieval.collection import Collection, Say, quiet
from retrieval.corpora.base import Corpus, OnBad, raise_bad
from retrieval.filling import encoder_of, planned
from retrieval.generations import is_collection


def index_corpus(
    folder: Path, corpus: Corpus, specs: Sequence[str], index: str = AUTO, on_bad: OnBad = raise_bad, say: Say = quiet
) -> Collection:
    """Store a corpus and index it in some spaces; go on where an earlier call was interrupted.

    When the first space of a new collection cannot be had, the collection is removed again, so that its folder is
    free for the next attempt.

    Raises
    ------
    NearbyError
        When the spaces, their index or the corpus cannot be had; bad specs are refused before anything is stored.
    """
    wanted = {str(planned(spec, index, corpus.modality)): spec for spec in reversed(specs)}
    made = not is_collection(folder)
    collection = Collection.create(folder, corpus, on_bad)
    _require_same_index(collection, list(wanted), index)
    try:
        for spec, source in reversed(wanted.items()):
            if spec in collection.spaces:
                _require_same_encoder(collection, spec, source)
                say(f"{spec} is there already")
            else:
                collection = collection.add_space(source, index, say)
    except NearbyError:
        if made and not collection.spaces:
            collection.withdraw()
        raise
    return collection


def _require_same_encoder(collection: Collection, spec: str, source: str) -> None:
    """Refuse to leave a space as it is when a saved encoder was asked for that is another of the same name."""
    asked = encoder_of(source)
    if not asked.__sklearn_is_fitted__():
        return
    present, wanted = collection.space(spec).encoder.state(), asked.state()
    if present.keys() != wanted.keys() or any(not np.array_equal(present[key], wanted[key]) for key in wanted):
        raise OptionError(
            f"the space '{spec}' of {collection.folder} is not the one in {source}, though called the same: "
            "index the corpus in another folder"
        )


def _require_same_index(collection: Collection, specs: Sequence[str], index: str) -> None:
    """Refuse to leave a space as it is when another index was asked for by name."""
    for spec in specs:
        present = collection.spaces[spec].index if spec in collection.spaces else index
        if index != AUTO and parse_description(present) != parse_description(index):
            raise OptionError(
                f"the space '{spec}' of {collection.folder} has the index '{present}': "
                f"for '{index}' index the corpus in another folder"
            )
