"""The tables of corpora: names, and formats of a path. A new source is one file plus one line here."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from encoders import options
from encoders.codes import Modality
from encoders.errors import CorpusError, UnknownNameError, closest
from encoders.plain_file import open_plain
from encoders.progress import say
from retrieval.corpora import download
from retrieval.corpora.address import exists, option_names, parse_address, read_options
from retrieval.corpora.base import Corpus, OnBad, raise_bad
from retrieval.corpora.beir import is_beir
from retrieval.corpora.datasets import DATASETS
from retrieval.corpora.files import is_archive, list_names, open_bytes, plain_name, reading
from retrieval.corpora.idx import is_idx
from retrieval.corpora.lines import WIDE_MARKS
from retrieval.corpora.stray_files import binary_kind, is_no_text, stray_reason


class Entry(NamedTuple):
    """How a named corpus is made: the class, its fixed fields, whether it reads one file or a folder."""

    location: str
    fixed: Mapping[str, Any] = {}
    single_file: bool = False


FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
#: Corpora that come with the installed packages.
EMBEDDED: dict[str, Entry] = {
    "api-docs": Entry("retrieval.corpora.api_docs:ApiDocs"),
    "digits": Entry("retrieval.corpora.digits:Digits"),
    "ratings-example": Entry("retrieval.corpora.ratings:RatingsExample"),
}
#: Corpora that are found or downloaded; each has a row in `DATASETS`.
NAMED: dict[str, Entry] = {
    "mnist": Entry("retrieval.corpora.idx:Idx"),
    "fashion-mnist": Entry("retrieval.corpora.idx:Idx", {"class_names": FASHION_CLASSES}),
    "cifar10": Entry("retrieval.corpora.cifar10:Cifar10", single_file=True),
    "20newsgroups": Entry("retrieval.corpora.newsgroups:Newsgroups", single_file=True),
    "cranfield": Entry("retrieval.corpora.beir:Beir"),
    "scifact": Entry("retrieval.corpora.beir:Beir"),
    "cisi": Entry("retrieval.corpora.beir:Beir"),
    "npl": Entry("retrieval.corpora.beir:Beir"),
    "arxiv-80k": Entry("retrieval.corpora.beir:Beir", {"label": "category"}),
    "orl-faces": Entry("retrieval.corpora.images:Images", single_file=True),
    "ml-100k": Entry("retrieval.corpora.movielens:MovieLens"),
}
#: Formats of a path: name -> class.
FORMATS: dict[str, str] = {
    "beir": "retrieval.corpora.beir:Beir",
    "jsonl": "retrieval.corpora.jsonl:JsonLines",
    "csv": "retrieval.corpora.delimited:Delimited",
    "ratings": "retrieval.corpora.ratings:RatingTable",
    "parquet": "retrieval.corpora.parquet:Parquet",
    "texts": "retrieval.corpora.texts:Texts",
    "images": "retrieval.corpora.images:Images",
    "idx": "retrieval.corpora.idx:Idx",
    "vectors": "retrieval.corpora.vectors:Vectors",
}
_BY_SUFFIX = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".parquet": "parquet",
    ".npy": "vectors",
    ".npz": "vectors",
    ".fvecs": "vectors",
}
ACCEPTED = (
    "a BEIR folder (corpus.jsonl), .jsonl, .csv, .tsv, .parquet, a folder or archive (.tar[.gz|.xz|.bz2], "
    ".zip) of texts or pictures, IDX files, .npy, .npz or .fvecs vectors"
)
#: As many names as decide whether a folder holds pictures or texts.
_LOOK_AT = 200


class CorpusInfo(NamedTuple):
    """One row of ``nearby corpora``.

    `queries` counts queries that are no items: 0 where the items query themselves. `bytes` is the size of the
    files here, or of what would be downloaded; `where` a folder on this machine, or where the set can be had.
    """

    name: str
    modality: Modality
    items: int | None
    queries: int | None
    bytes: int
    licence: str
    source: str
    present: bool
    where: str


def open_corpus(address: str, *, on_bad: OnBad = raise_bad) -> Corpus:
    """Open the corpus at an address: a name or a path, optionally with ``?key=value&key=value``.

    Parameters
    ----------
    address : str
        ``digits``, ``mnist?split=test``, ``news.csv?text=body&label=topic``, ``photos/?size=32x32``.
    on_bad : callable
        Called on every pass with each entry that cannot be read; raises it by default.

    Returns
    -------
    Corpus
        Nothing is read yet beyond what tells the format.

    Raises
    ------
    UnknownNameError
        For an address that is neither a name nor a path, or an option that its format does not have.
    CorpusError
        For a path that is not there, or of which it cannot be told what it holds.
    DownloadError
        For a named set that is neither here nor reachable.

    Examples
    --------
    >>> open_corpus("digits").modality
    <Modality.IMAGE: 'image'>
    >>> open_corpus("digitz")
    Traceback (most recent call last):
    encoders.errors.UnknownNameError: unknown corpus or path 'digitz'; did you mean 'digits'?
    """
    target, given = parse_address(address)
    if target in EMBEDDED or target in NAMED:
        return _open_named(target, given, address, on_bad)
    if not exists(target):
        if Path(target).suffix or "/" in target:
            meant = _beside(Path(target).expanduser())
            hint = f"did you mean '{meant}'?" if meant else "and no corpus has that name: see  nearby corpora"
            raise CorpusError(f"'{target}' is no file or folder here{';' if meant else ','} {hint}")
        raise UnknownNameError("corpus or path", target, [*EMBEDDED, *NAMED])
    path = Path(target).expanduser()
    kind = _kind_of(path, given)
    cls = _load(FORMATS[kind])
    return _build(cls, kind, given, path=path, name=address, on_bad=on_bad)


def _beside(path: Path) -> Path | None:
    """Return the file or folder whose name is most like that of a path that does not exist."""
    try:
        names = [entry.name for entry in islice(path.parent.iterdir(), _LOOK_AT)]
    except (OSError, ValueError):
        return None
    name = closest(path.name, names)
    return None if name is None else path.with_name(name)


def _kind_of(path: Path, given: Mapping[str, str]) -> str:
    """Tell the format of a path; the options say whether a table is read as texts or as ratings."""
    kind = format_of(path, given)
    if kind not in ("csv", "ratings"):
        return kind
    texts, ratings = option_names(_load(FORMATS["csv"])), option_names(_load(FORMATS["ratings"]))
    keys = {key.replace("_", "-") for key in given}
    if keys & (ratings - texts):
        return "ratings"
    if keys & (texts - ratings):
        return "csv"
    if kind == "ratings" and any("text" in columns for columns in _heads(path, _max_bytes(given))):
        say(f"{path} is read as ratings; ?text=text reads its texts")
    return kind


def catalogue() -> list[CorpusInfo]:
    """Return every named corpus, with whether it is on this machine; nothing is read or downloaded."""
    rows = [_embedded_info(name) for name in EMBEDDED]
    for name in NAMED:
        row, found = DATASETS[name], download.find(name)
        size = download.stored_bytes(name, found) if found else row.bytes
        where = str(found) if found else (row.remotes[0].url if row.remotes else f"by hand: {row.source}")
        here = found is not None
        info = (name, row.modality, row.items, row.queries, size, row.licence, row.source, here, where)
        rows.append(CorpusInfo(*info))
    return rows


def _max_bytes(given: Mapping[str, str]) -> int | None:
    """Return what a file may decompress to while it is told what it holds; a wrong value is refused later."""
    text = next((value for key, value in given.items() if key.replace("_", "-") == "max-bytes"), "")
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else None


def format_of(path: Path, given: Mapping[str, str] | None = None) -> str:
    """Tell by name and content which of `FORMATS` a path has; options that only texts have are `given` for texts.

    Raises
    ------
    CorpusError
        When it cannot be told, naming what is accepted.
    """
    if path.is_dir() and is_beir(path):
        return "beir"
    if is_idx(path):
        return "idx"
    most = _max_bytes(given or {})
    if path.is_dir() or is_archive(path):
        return _format_of_files(path, given or {}, most)
    suffix = Path(plain_name(path)).suffix
    if suffix in _BY_SUFFIX and (path.suffix != ".gz" or _BY_SUFFIX[suffix] in ("jsonl", "csv")):
        return "ratings" if _BY_SUFFIX[suffix] == "csv" and _is_rating_table(path, most) else _BY_SUFFIX[suffix]
    raise CorpusError(f"it cannot be told what {path} holds; accepted are {ACCEPTED}")


def _is_rating_table(path: Path, max_bytes: int | None) -> bool:
    """Tell by its first line whether a table holds ratings."""
    from retrieval.corpora.ratings import is_rating_head

    return any(is_rating_head(columns) for columns in _heads(path, max_bytes))


def _heads(path: Path, max_bytes: int | None) -> list[list[str]]:
    """Return the columns of a table by each of the marks that may part its first line."""
    from retrieval.corpora.cells import MARKS, columns_of

    with open_bytes(path, max_bytes) as stream:
        head = stream.readline(65_536).decode("utf-8-sig", errors="replace").rstrip("\r\n")
    return [columns_of(head, mark) for mark in MARKS]


def _format_of_files(path: Path, given: Mapping[str, str], max_bytes: int | None) -> str:
    from retrieval.corpora.image_file import COMMON, SUFFIXES

    every = given.get("stray", "").lower() in ("true", "yes", "1")
    wanted = (name for name in list_names(path, max_bytes) if every or stray_reason(name) is None)
    names = list(islice(wanted, _LOOK_AT))
    if not names:
        stray = next(list_names(path, max_bytes), None)
        beside = f" but such as {stray}, which ?stray=true reads as texts" if stray else ""
        raise CorpusError(f"{path} holds no files{beside}; accepted are {ACCEPTED}")
    pictures = [name for name in names if name.lower().endswith(SUFFIXES)]
    if 2 * len(pictures) > len(names) or any(name.lower().endswith(COMMON) for name in pictures):
        return "images"
    foreign = [Path(name).suffix.lower() for name in names if is_no_text(name)]
    if 2 * len(foreign) > len(names):
        readable = [
            name for name in names if is_archive(Path(name)) or Path(plain_name(Path(name))).suffix in _BY_SUFFIX
        ]
        inner = f"; to read one of them, name it: {path / readable[0]}" if path.is_dir() and readable else ""
        kinds = ", ".join(sorted(set(foreign)))
        raise CorpusError(f"{path} holds {kinds} files, neither texts nor pictures{inner}")
    first = next(name for name in names if not is_no_text(name))
    if path.is_dir() and "encoding" not in given:
        with reading(path), open_plain(path / first) as stream:
            begin = stream.read(4096)
        kind = None if begin.startswith(WIDE_MARKS) else binary_kind(begin)
        if kind is not None:
            raise CorpusError(f"{path} holds binary files such as {first}, {kind}; accepted are {ACCEPTED}")
    return "texts"


def _open_named(name: str, given: Mapping[str, str], address: str, on_bad: OnBad) -> Corpus:
    entry = EMBEDDED.get(name) or NAMED[name]
    cls = _load(entry.location)
    read_options(cls, name, given)  # refused before anything is downloaded
    if name in EMBEDDED:
        return _build(cls, name, given, name=address, on_bad=on_bad)
    path = download.fetch(name)
    if entry.single_file:
        path = download.single_file(name, path)
    return _build(cls, name, given, **{"path": path, "name": address, "on_bad": on_bad, **entry.fixed})


def _build(cls: Callable[..., Any], what: str, given: Mapping[str, str], **fixed: Any) -> Corpus:
    values = {**fixed, **read_options(cls, what, given)}  # type: ignore[arg-type]
    corpus: Corpus = cls(**values)
    options.check(corpus, what)
    return corpus


def _load(location: str) -> type[Any]:
    module, _, attribute = location.partition(":")
    cls: type[Any] = getattr(importlib.import_module(module), attribute)
    return cls


def _embedded_info(name: str) -> CorpusInfo:
    if name == "digits":
        source = "Alpaydin, Kaynak (UCI), as scikit-learn ships it"
        return CorpusInfo(name, Modality.IMAGE, 1_797, 0, 0, "CC BY 4.0", source, True, "scikit-learn")
    if name == "ratings-example":
        return CorpusInfo(name, Modality.VECTOR, 4, 0, 0, "-", "five users, four items, 15 ratings", True, "nearby")
    source = "the docstrings of the installed packages"
    # Their number depends on the installed versions, and counting them means importing them all.
    return CorpusInfo(name, Modality.TEXT, None, None, 0, "BSD-3-Clause, PSF-2.0", source, True, "installed packages")
