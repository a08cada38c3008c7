"""The target of an analysis: a corpus with encoders to fit, or a collection with its fitted encoders."""

from __future__ import annotations

from collections.abc import Sequence

from encoders.base import Encoder
from encoders.errors import OptionError
from retrieval.analysis.analyze import DEFAULTS
from retrieval.collection.open import collection_at, open_collection, open_data
from retrieval.corpora.base import Corpus, OnBad, Unique, raise_bad
from retrieval.spaces.space_encoder import planned


def read_target(address: str, specs: Sequence[str] | None, on_bad: OnBad = raise_bad) -> tuple[Corpus, list[Encoder]]:
    """Return the items and the encoders; those of a collection are fitted.

    Without specs: all spaces of a collection, or the defaults for the modality of a corpus.

    Raises
    ------
    OptionError
        When a collection has no space.
    """
    folder = collection_at(address)
    if folder is not None:
        collection = open_collection(folder)
        names = [collection.resolve(spec) for spec in specs] if specs else list(collection.spaces)
        if not names:
            raise OptionError(f"{folder} has no space yet: add some with  nearby index")
        return collection.items, [collection.space(name).encoder for name in dict.fromkeys(names)]
    corpus = Unique(open_data(address, on_bad=on_bad), on_bad)
    return corpus, [planned(spec, None, corpus.modality) for spec in dict.fromkeys(specs or DEFAULTS[corpus.modality])]
