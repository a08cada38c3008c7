"""Indexing: store a corpus and index it in some spaces, resumable; what ``nearby index`` does."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from encoders.base import Encoder
from encoders.errors import ArtifactError, CollectionError, NearbyError, OptionError
from encoders.numbers import counted, is_whole
from encoders.progress import ProgressCallback, quiet
from indexers.description import parse_description
from indexers.registry import AUTO
from retrieval.collection.base import Collection
from retrieval.collection.generations import WORK, Generations, is_collection
from retrieval.collection.local import LocalCollection
from retrieval.corpora.base import Corpus, OnBad, raise_bad
from retrieval.spaces.kept_codes import kept_blocks
from retrieval.spaces.space_encoder import encoder_of, planned, require_fields

if TYPE_CHECKING:
    from retrieval.collection.elasticsearch.bulk_load import Shard

#: Largest number of shards.
MAX_SHARDS = 100_000


@dataclass(frozen=True)
class IndexRequest:
    """The arguments of ``nearby index``.

    Attributes
    ----------
    specs : tuple of str
        The spaces.
    out : Path or None
        Folder of the collection; None for a shard of a load.
    index : str
        Description of the index of every space.
    rebuild : bool
        Build the served index again, then swap it in.
    resume : bool
        Resume an interrupted load; fail if there is none.
    shard : str or None
        ``3/16``: load one shard.
    finish : bool
        Check the shards and serve them.
    """

    specs: tuple[str, ...]
    out: Path | None
    index: str = AUTO
    rebuild: bool = False
    resume: bool = False
    shard: str | None = None
    finish: bool = False

    @property
    def served(self) -> bool:
        """True for an index on a server."""
        return parse_description(self.index).name == "elasticsearch"

    def require_possible(self, corpus_given: bool) -> None:
        """Refuse options that contradict each other, before any work.

        Raises
        ------
        OptionError
        """
        if not self.specs and (self.shard is not None or self.finish):
            raise OptionError("name the spaces of the load, as in -s bm25: every shard needs the same")
        if not corpus_given and not self.finish:
            raise _no_corpus()
        if self.shard is not None and (self.finish or self.rebuild or self.resume or self.out is not None):
            raise OptionError(
                "--shard loads one shard, and resumes by itself: leave --finish, --rebuild, --resume, -o out"
            )
        if self.shard is None:
            self.folder()
        else:
            self.shard_of_load()
        if not self.served and (self.shard is not None or self.finish or self.rebuild):
            raise OptionError("--shard, --finish and --rebuild are for --index elasticsearch:URL/NAME")

    def folder(self) -> Path:
        """Return the folder of the collection.

        Raises
        ------
        OptionError
            When no folder is named.
        """
        if self.out is None:
            raise OptionError("name the folder of the collection, as in -o FOLDER")
        return self.out

    def shard_of_load(self) -> Shard:
        """Return the shard to load.

        Raises
        ------
        OptionError
            For a text that is not K/N.
        """
        number, slash, of = str(self.shard).partition("/")
        if not (slash and is_whole(of, 1, MAX_SHARDS) and is_whole(number, 1, int(of))):
            raise OptionError(
                f"--shard is written K/N, the K-th of N shards, at most {MAX_SHARDS:,}; got '{self.shard}'"
            )
        from retrieval.collection.elasticsearch.bulk_load import Shard

        return Shard(int(number), int(of))


def index_by_request(
    request: IndexRequest, corpus: Corpus | None, on_bad: OnBad = raise_bad, say: ProgressCallback = quiet
) -> Collection | None:
    """Index a corpus as requested; return None if only a shard was loaded."""
    if request.served:
        return _serve(request, corpus, on_bad, say)
    if request.resume and not is_collection(request.folder()):
        raise OptionError(f"there is nothing to resume in {request.out}: leave --resume out")
    return index_corpus(request.folder(), _given(corpus), request.specs, request.index, on_bad, say)


def remains(request: IndexRequest) -> str:
    """Return what an interrupted `index_by_request` leaves, as the end of a sentence."""
    if request.served:
        return "items that were loaded are kept, and the same command continues"
    try:
        with LocalCollection(request.folder()) as collection:
            spaces = f"in {counted(len(collection.spaces), 'space')}" if collection.spaces else "and no space yet"
            encoded = "; what was encoded is kept" if kept_blocks(request.folder() / WORK) else ""
            items = counted(collection.items.size, "item")
            return f"{request.out} holds {items} {spaces}{encoded}; the same command continues"
    except NearbyError:
        return "nothing is stored yet"


def _serve(request: IndexRequest, corpus: Corpus | None, on_bad: OnBad, say: ProgressCallback) -> Collection | None:
    from retrieval.collection.elasticsearch.indexing import index_served
    from retrieval.collection.elasticsearch.sharding import finish_shards, index_shard

    if request.shard is not None:
        index_shard(_given(corpus), request.specs, request.index, request.shard_of_load(), on_bad, say)
        return None
    if request.finish:
        return finish_shards(request.folder(), request.specs, request.index, corpus, say, request.rebuild)
    return index_served(
        request.folder(), _given(corpus), request.specs, request.index, on_bad, say, request.rebuild, request.resume
    )


def _given(corpus: Corpus | None) -> Corpus:
    if corpus is None:
        raise _no_corpus()
    return corpus


def _no_corpus() -> OptionError:
    return OptionError("name a corpus: one that  nearby corpora  lists, or the path of a file or folder")


def index_corpus(
    folder: Path,
    corpus: Corpus,
    specs: Sequence[str],
    index: str = AUTO,
    on_bad: OnBad = raise_bad,
    say: ProgressCallback = quiet,
) -> LocalCollection:
    """Store a corpus and index it in some spaces; continue an earlier call that was interrupted.

    If the first space of a new collection fails, the collection is removed again, so that the folder can be used for
    the next attempt; but not when a file or the disk failed and a slow encoder has encoded items, which are kept.

    Raises
    ------
    NearbyError
        When a space, an index or the corpus fails; bad specs are refused before anything is stored.
    """
    encoders = [planned(spec, index, corpus.modality) for spec in specs]
    require_fields(corpus, encoders)
    wanted = {str(encoder): spec for encoder, spec in reversed(list(zip(encoders, specs, strict=True)))}
    made = not is_collection(folder)
    collection = LocalCollection.create(folder, corpus, on_bad)
    _require_same_index(collection, list(wanted), index)
    try:
        _require_learnable(collection, encoders)
        for spec, source in reversed(wanted.items()):
            if spec in collection.spaces:
                require_same_encoder(collection, spec, source)
                say(f"{spec} is already indexed")
            else:
                collection = collection.add_space(source, index, say)
    except NearbyError as error:
        if isinstance(error, CollectionError | ArtifactError) and kept_blocks(folder / WORK):
            say(f"what was encoded is kept in {folder / WORK}; the same command continues")
        elif made and not collection.spaces:
            shutil.rmtree(folder / WORK, ignore_errors=True)
            Generations(folder).withdraw(collection.generation)
        if collection.spaces:
            say(_kept(collection, list(wanted)))
        raise
    return collection


def _kept(collection: LocalCollection, wanted: list[str]) -> str:
    """Return which spaces a collection has when one failed, and what to do."""
    missing = [spec for spec in reversed(wanted) if spec not in collection.spaces]
    kept = ", ".join(collection.spaces)
    return (
        f"{collection.folder} keeps {counted(len(collection.spaces), 'space')}: {kept}; not indexed: "
        f"{', '.join(missing)}. Correct what failed and run the same command: it adds what is missing"
    )


def _require_learnable(collection: Collection, encoders: Sequence[Encoder]) -> None:
    """Raise, before any fit, when an encoder could not learn from the labels of the items."""
    for encoder in encoders:
        if encoder.reads_labels and not encoder.__sklearn_is_fitted__() and str(encoder) not in collection.spaces:
            field = encoder.label_field
            known = collection.items.labels_and_fields(collection.items.size)
            encoder.require_learnable([label if field is None else fields.get(field) for label, fields in known])


def require_same_encoder(collection: Collection, spec: str, source: str) -> None:
    """Refuse to keep a space when the request names another saved encoder of the same spec.

    Raises
    ------
    OptionError
    """
    asked = encoder_of(source)
    if not asked.__sklearn_is_fitted__():
        return
    present, wanted = collection.space(spec).encoder.state(), asked.state()
    if present.keys() != wanted.keys() or any(not np.array_equal(present[key], wanted[key]) for key in wanted):
        raise OptionError(
            f"the space '{spec}' of {collection.folder} is not the one in {source}, though its spec is the same: "
            "index the corpus in another folder"
        )


def _require_same_index(collection: Collection, specs: Sequence[str], index: str) -> None:
    """Refuse to keep a space when the request names another index."""
    for spec in specs:
        present = collection.spaces[spec].index if spec in collection.spaces else index
        if index != AUTO and parse_description(present) != parse_description(index):
            raise OptionError(
                f"the space '{spec}' of {collection.folder} has the index '{present}': "
                f"for '{index}' index the corpus in another folder"
            )
