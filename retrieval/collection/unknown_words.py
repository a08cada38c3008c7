"""Words of added items that no space knows: searches do not find them until the space is fitted again."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence

from encoders.batches import chunks
from encoders.codes import Modality
from encoders.numbers import counted
from encoders.text.bag_of_words import BagOfWords
from retrieval.collection.base import Collection

#: Items that are read at a time; words that a sentence names.
_AT_ONCE, _NAMED = 1_000, 3


def unknown_words(collection: Collection, ids: Sequence[str]) -> dict[str, Counter[str]]:
    """Return for each space of words how many of some items have each word that the space does not know.

    A word that fewer items have than the space asks for (``min-df``) is left out.
    """
    if collection.items.modality is not Modality.TEXT or not ids:
        return {}
    encoders = {spec: collection.space(spec).encoder.parts[0] for spec in collection.spaces}
    readers = {spec: first for spec, first in encoders.items() if isinstance(first, BagOfWords)}
    unknown: dict[str, Counter[str]] = {spec: Counter() for spec in readers}
    for some in chunks(ids, _AT_ONCE):
        texts = [str(item.content) for item in collection.items.get(list(some))]
        for spec, first in readers.items():
            for text in texts:
                unknown[spec].update(first.unknown_words(text))
    for spec, first in readers.items():
        fewest = first.min_df if first.min_df >= 1 else first.min_df * collection.items.size
        unknown[spec] = Counter({word: count for word, count in unknown[spec].items() if count >= fewest})
    return {spec: words for spec, words in unknown.items() if words}


def unknown_words_line(collection: Collection, ids: Sequence[str]) -> str | None:
    """Return what to know and to type after some items were added; None if every word is known."""
    unknown = unknown_words(collection, ids)
    if not unknown:
        return None
    largest: Counter[str] = max(unknown.values(), key=len)
    named = ", ".join(f"'{word}'" for word, _ in sorted(largest.items(), key=lambda pair: (-pair[1], pair[0]))[:_NAMED])
    more = ", …" if len(largest) > _NAMED else ""
    spaces = " ".join(f"-s {shlex.quote(spec)}" for spec in collection.spaces)
    verb = "is" if len(largest) == 1 else "are"
    return (
        f"{counted(len(largest), 'word')} of the new items ({named}{more}) {verb} not known to "
        f"{', '.join(unknown)}: searches there find the items by their other words only. To fit the spaces again:  "
        f"nearby index {shlex.quote(str(collection.folder))} {spaces} -o NEW_FOLDER"
    )
