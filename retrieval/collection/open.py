"""A collection by its folder, wherever its items are."""

from __future__ import annotations

import re
from pathlib import Path

from encoders.codes import Modality
from encoders.errors import OptionError
from encoders.progress import say
from retrieval.collection.base import Collection
from retrieval.collection.generations import Generations, is_collection
from retrieval.collection.local import LocalCollection
from retrieval.collection.manifest import Manifest
from retrieval.corpora.address import NAME_PREFIX, exists, parse_address, stated_options, with_options
from retrieval.corpora.base import Corpus, OnBad, raise_bad

#: A URL, also one that a path has taken a slash from, or that lacks its scheme and has a user.
_URL = re.compile(r"[A-Za-z]+:/|[^/]*:.*@")


def open_collection(folder: str | Path, trust: bool = False) -> Collection:
    """Open a collection: one whose items are in the folder, or one in Elasticsearch.

    Parameters
    ----------
    folder : str or Path
    trust : bool, optional
        Send user and password, or key, to the server that the folder names, now and later, though the user has never
        named it himself.

    Raises
    ------
    CollectionError, ArtifactError
        When there is none, or it is damaged, foreign, or of a newer format.
    ServerError
        When its server cannot be reached.
    OptionError
        When credentials are set, and the server that the folder names is not trusted.
    """
    if _URL.match(str(folder)) and not Path(folder).exists():  # not repeated: it may hold a password
        raise OptionError(
            "this is a URL where the folder of a collection is expected; the address of an index is written "
            "elasticsearch:http://localhost:9200/news, and of the commands only info and --index take one"
        )
    pin = Generations(Path(folder)).pinned()
    if pin is None or not Manifest.read(pin.folder).server:
        return LocalCollection(folder)
    from indexers.elasticsearch.trust import trusting
    from retrieval.collection.elasticsearch.collection import ServedCollection

    with trusting(trust):
        return ServedCollection(folder)


def open_addition(collection: Collection, address: str, on_bad: OnBad = raise_bad) -> Corpus:
    """Open a corpus whose items are to join a collection: it is read as those there were.

    Pictures get the size of those in the collection, sounds their rate; a table without options is read with the
    options of the table that is there.

    Raises
    ------
    NearbyError
        As of `open_data`.
    """
    from retrieval.corpora.images import Images
    from retrieval.corpora.sounds import Sounds

    if (
        collection.items.modality is Modality.ROW
        and collection_at(address) is None
        and not parse_address(address).options
    ):
        address = with_options(address, _options_of_table(collection, address))
    corpus = open_data(address, on_bad=on_bad)
    if isinstance(corpus, Images) and collection.items.modality is Modality.IMAGE:
        corpus.treat_as(next(iter(collection.items)).content, collection.manifest.corpus)
    if isinstance(corpus, Sounds) and collection.items.modality is Modality.SOUND:
        corpus.treat_as(next(iter(collection.items)).content)  # type: ignore[arg-type]  # a sound, as the modality says
    return corpus


def _options_of_table(collection: Collection, address: str) -> dict[str, str]:
    """Return the options with which the table of a collection was read, for a file of rows."""
    from retrieval.corpora.registry import is_corpus_name

    if is_corpus_name(parse_address(address).target):
        return {}
    return stated_options(collection.manifest.corpus) or {"columns": "*"}


def open_data(address: str, on_bad: OnBad = raise_bad) -> Corpus:
    """Open a corpus by its name or path, or the items of a collection, which are a corpus too.

    Parameters
    ----------
    address : str
        As `retrieval.corpora.registry.open_corpus` reads it, or the folder of a collection.
    on_bad : callable, optional
        Called with each bad entry.

    Raises
    ------
    CorpusError, UnknownNameError, OptionError
        When there is no such corpus, or it cannot be read so.
    """
    from retrieval.corpora.registry import open_corpus

    folder = collection_at(address)
    return open_corpus(address, on_bad=on_bad) if folder is None else open_collection(folder).items


def collection_at(address: str) -> Path | None:
    """Return the folder of a collection that an address names; None if it names a corpus.

    A collection wins over a corpus with the same name; standard error says so.

    Raises
    ------
    OptionError
        For a collection with options.
    """
    from retrieval.corpora.registry import is_corpus_name

    target, given = parse_address(address)
    folder = Path(target).expanduser()
    if not exists(target) or not is_collection(folder):
        return None
    other = f"write {NAME_PREFIX}{address} for the corpus with that name" if is_corpus_name(target) else ""
    if given:
        hint = f"; {other}" if other else ""
        raise OptionError(f"{folder} is a collection and takes no options; got '{next(iter(given))}'{hint}")
    if other:
        say(f"'{target}' is read as the collection in that folder; {other}")
    return folder
