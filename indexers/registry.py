"""The table of indexes: name -> where it lives and what it is. A new index is one file plus one line here."""

from __future__ import annotations

import importlib
import re
import typing
from pathlib import Path
from typing import NamedTuple

from encoders.codes import Kind, Lexicon, Metric, Space
from encoders.errors import OptionError, UnknownNameError
from indexers.base import Index


class Entry(NamedTuple):
    """One row of the table."""

    location: str
    summary: str


INDEXES: dict[str, Entry] = {
    "exact": Entry("indexers.exact:Exact", "compares with every item; all kinds and metrics; the reference"),
    "sparse": Entry("indexers.sparse:Sparse", "inverted index for sparse codes (BM25, TF-IDF); exact"),
    "faiss": Entry("indexers.faiss:Faiss", "FAISS by its factory string, e.g. faiss:IVF256,PQ16?nprobe=16"),
    "elasticsearch": Entry(
        "indexers.elasticsearch.index:Elasticsearch",
        "a server or cluster, e.g. elasticsearch:http://host:9200/news,int8_hnsw?num_candidates=200",
    ),
}
#: The name that chooses by the space.
AUTO = "auto"


class Description(NamedTuple):
    """What ``name[:backend][?key=value&...]`` says."""

    name: str
    backend: str
    parameters: dict[str, str]


def parse_description(text: str) -> Description:
    """Split the description of an index; the backend's own string is left untouched.

    The name ends at the first ``:``, the search parameters begin at the last ``?``. A backend string that
    holds a ``?`` of its own and has no search parameters ends with one more ``?``.

    Raises
    ------
    OptionError
        For a parameter that is not ``key=value``, or is given twice.

    Examples
    --------
    >>> parse_description("faiss:IVF256,PQ16?nprobe=16")
    Description(name='faiss', backend='IVF256,PQ16', parameters={'nprobe': '16'})
    >>> parse_description("elasticsearch:http://localhost:9200/news?num_candidates=200").backend
    'http://localhost:9200/news'
    """
    if text.startswith("elasticsearch:"):
        from indexers.elasticsearch.address import require_no_password

        require_no_password(text)
    head, mark, tail = text.rpartition("?")
    if not mark:
        head, tail = text, ""
    name, _, backend = head.partition(":")
    parameters: dict[str, str] = {}
    for part in tail.split("&") if tail else ():
        key, equals, value = part.partition("=")
        if not key or not equals or not value:
            raise OptionError(f"expected key=value after '?' in the index '{text.partition(':')[0]}'; got '{part}'")
        if key in parameters:
            raise OptionError(f"'{key}' is given twice in the index '{text.partition(':')[0]}'")
        parameters[key] = value
    return Description(name, backend, parameters)


def index_class(name: str) -> type[Index]:
    """Return the class behind a registry name.

    Raises
    ------
    UnknownNameError
        With the closest known name.
    """
    if name not in INDEXES:
        # A factory string of FAISS, such as HNSW32 or IVF100, written without the name of the library.
        meant = f"faiss:{name}" if re.match(r"B?(HNSW|IVF|Flat|Hash)|O?PQ|LSH|NSG|SQ[0-9]", name) else None
        raise UnknownNameError("index", name, [*INDEXES, AUTO], meant)
    module, _, attribute = INDEXES[name].location.partition(":")
    return typing.cast("type[Index]", getattr(importlib.import_module(module), attribute))


def check_description(description: str | None) -> None:
    """Refuse a description that is wrong whatever the codes, before any work is done.

    Raises
    ------
    UnknownNameError, OptionError

    Examples
    --------
    >>> check_description("exact?nprobe=3")
    Traceback (most recent call last):
    encoders.errors.OptionError: 'exact' has no search parameters; got 'nprobe=3'
    """
    name, backend, parameters = parse_description(AUTO if description is None else description)
    if name != AUTO:
        index_class(name).check(backend, parameters)
    elif backend or parameters:
        raise OptionError(f"'{AUTO}' chooses the index itself and takes nothing; got '{description}'")


def create_index(description: str | None, space: Space, lexicon: Lexicon | None = None) -> Index:
    """Build the (empty) index that a description means, for the codes of `space`.

    With the `lexicon` of a BM25 space, an index that weighs words itself stores counts (`Index.stores_counts`).

    None and ``auto`` choose: `sparse` for sparse codes that are not compared by distance, else `exact`.

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


def load_index(folder: str | Path, mmap: bool = True) -> Index:
    """Read an index that `Index.save` wrote.

    Parameters
    ----------
    folder : str or Path
        The saved folder.
    mmap : bool
        Map large files instead of reading them (their checksums are then not looked at).

    Raises
    ------
    ArtifactError
        When the folder is missing, foreign, of a newer format, or damaged.
    """
    from indexers import folder as saved

    return saved.load_index(Path(folder), mmap)
