"""The table of indexes: name -> its class and a summary. A new index is one file plus one line here."""

from __future__ import annotations

import importlib
import re
import typing
from pathlib import Path
from typing import NamedTuple

from encoders.codes import Kind, Lexicon, Metric, Space
from encoders.errors import OptionError, UnknownNameError
from indexers.checked_index import CheckedIndex
from indexers.description import parse_description


class IndexClass(NamedTuple):
    """The location of an index class (``module:class``), and a summary."""

    location: str
    summary: str


INDEXES: dict[str, IndexClass] = {
    "exact": IndexClass("indexers.exact:Exact", "compares every item; all kinds and metrics; the reference"),
    "sparse": IndexClass("indexers.sparse:Sparse", "inverted index for sparse codes (BM25, TF-IDF); exact"),
    "faiss": IndexClass("indexers.faiss:Faiss", "FAISS by its factory string, e.g. faiss:IVF256,PQ16?nprobe=16"),
    "elasticsearch": IndexClass(
        "indexers.elasticsearch.index:Elasticsearch",
        "a server or cluster, e.g. elasticsearch:http://host:9200/news,int8_hnsw?num_candidates=200",
    ),
}
#: The name that chooses an index by the space.
AUTO = "auto"


def index_class(name: str) -> type[CheckedIndex]:
    """Return the class behind a registry name.

    Raises
    ------
    UnknownNameError
        With the closest known name.
    """
    if name not in INDEXES:
        # A factory string of FAISS, such as HNSW32 or IVF100, without the name of the library.
        meant = f"faiss:{name}" if re.match(r"B?(HNSW|IVF|Flat|Hash)|O?PQ|LSH|NSG|SQ[0-9]", name) else None
        raise UnknownNameError("index", name, [*INDEXES, AUTO], meant)
    module, _, attribute = INDEXES[name].location.partition(":")
    return typing.cast("type[CheckedIndex]", getattr(importlib.import_module(module), attribute))


def check_description(description: str | None) -> None:
    """Refuse a description that is wrong for every kind of codes, before any work is done.

    Raises
    ------
    UnknownNameError, OptionError

    Examples
    --------
    >>> check_description("exact?nprobe=3")
    Traceback (most recent call last):
    encoders.errors.OptionError: 'exact' takes no search parameters; got 'nprobe'
    """
    name, backend, parameters = parse_description(AUTO if description is None else description)
    if name != AUTO:
        index_class(name).check(backend, parameters)
    elif backend or parameters:
        raise OptionError(f"'{AUTO}' chooses the index itself and takes nothing; got '{description}'")


def create_index(description: str | None, space: Space, lexicon: Lexicon | None = None) -> CheckedIndex:
    """Build the (empty) index of a description, for the codes of `space`.

    With the `lexicon` of a BM25 space, an index that weighs words itself stores counts (`Index.stores_counts`).

    None and ``auto`` choose `sparse` for sparse codes that are not compared by distance, else `exact`.

    Raises
    ------
    UnknownNameError, OptionError, UnsupportedSpaceError

    Examples
    --------
    >>> create_index(None, Space(784, Kind.DENSE, Metric.EUCLIDEAN)).description
    'exact'
    >>> create_index("exat", Space(784, Kind.DENSE, Metric.EUCLIDEAN))
    Traceback (most recent call last):
    encoders.errors.UnknownNameError: unknown index 'exat'; did you mean 'exact'?
    """
    name, backend, parameters = parse_description(AUTO if description is None else description)
    if name == AUTO:
        check_description(description)
        lexical = space.kind is Kind.SPARSE and space.metric is not Metric.EUCLIDEAN
        name = "sparse" if lexical else "exact"
    return index_class(name)(space, backend, parameters, lexicon)


def load_index(folder: str | Path, mmap: bool = True) -> CheckedIndex:
    """Read an index that `Index.save` wrote.

    Parameters
    ----------
    folder : str or Path
        The saved folder.
    mmap : bool
        Map the codes instead of reading them; then only some of their blocks are compared with their checksums.

    Raises
    ------
    ArtifactError
        When the folder is missing, damaged, of a newer format, or not an index.
    """
    from indexers import folder as saved

    return saved.load_index(Path(folder), mmap)
