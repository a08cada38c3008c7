"""What is compressed, and by which encoder."""

from __future__ import annotations

from pathlib import Path

from encoders.base import Encoder
from encoders.errors import OptionError
from retrieval.collection.open import collection_at, open_collection, open_data
from retrieval.corpora.base import Corpus, OnBad, Unique, raise_bad
from retrieval.spaces.space_encoder import is_saved, planned


def read_source(address: str, spec: str | None, on_bad: OnBad = raise_bad) -> tuple[Corpus, Encoder]:
    """Return the items to compress, and the encoder: of a collection, of a folder, or one that is to be fitted.

    Parameters
    ----------
    address : str
        A corpus, or the folder of a collection.
    spec : str, optional
        A space, or the folder of a saved encoder, such as ``./encoder``; of a collection, one of its spaces, which need
        not be named where there is one alone.

    Raises
    ------
    OptionError
        When no space is named.
    NearbyError
        When there is no such corpus or space.
    """
    collection = collection_at(address)
    if collection is None:
        corpus = Unique(open_data(address, on_bad=on_bad), on_bad)
        if spec is None:
            raise OptionError(
                "name a space that can be decoded, such as -s pixels+pca:64, or the folder of a saved encoder, such as "
                "-s ./encoder"
            )
        return corpus, planned(spec, None, corpus.modality)
    opened = open_collection(collection)
    names = list(opened.spaces)
    if spec is not None and spec not in names and is_saved(Path(spec).expanduser()):
        return opened.items, planned(spec, None, opened.items.modality)
    if spec is None and len(names) != 1:
        raise OptionError(f"{address} has the spaces {', '.join(names)}: name one with -s" if names else
                          f"{address} has no space yet: add one with  nearby index")  # fmt: skip
    return opened.items, opened.space(opened.resolve(spec or names[0])).encoder
