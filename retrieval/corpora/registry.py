"""The tables of corpora: names, and formats of a path. A new source is one file plus one line here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from encoders.errors import CorpusError, UnknownNameError, closest
from encoders.progress import say
from retrieval.corpora import download
from retrieval.corpora.address import NAME_PREFIX, exists, option_names, parse_address, read_options
from retrieval.corpora.base import Corpus, OnBad, raise_bad
from retrieval.corpora.format_detection import NAMES_READ, column_names, format_of


class NamedCorpus(NamedTuple):
    """How the corpus of a name is opened.

    Attributes
    ----------
    location : str
        ``module:class``.
    summary : str
        What its items, queries and labels are, in one sentence.
    fixed : mapping
        Fields that the user cannot change.
    single_file : bool
        Whether the class reads one file of the data set, or its folder.
    """

    location: str
    summary: str
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
EMBEDDED: dict[str, NamedCorpus] = {
    "api-docs": NamedCorpus(
        "retrieval.corpora.api_docs:ApiDocs",
        "Docstrings of the installed Python packages; the 'See Also' links of an object are its relevant documents.",
    ),
    "digits": NamedCorpus(
        "retrieval.corpora.digits:Digits", "Pictures of handwritten digits, 8x8 grey; the label is the digit."
    ),
    "breast-cancer": NamedCorpus(
        "retrieval.corpora.breast_cancer:BreastCancer",
        "Rows of 30 measurements of cell nuclei (Wisconsin); the label is the diagnosis, malignant or benign.",
    ),
    "ratings-example": NamedCorpus(
        "retrieval.corpora.ratings:RatingsExample", "Fifteen ratings of four items by five users, for a first look."
    ),
}
#: Corpora that are found on this machine or downloaded; each has a row in `DATASETS`.
NAMED: dict[str, NamedCorpus] = {
    "mnist": NamedCorpus(
        "retrieval.corpora.idx:Idx",
        "Pictures of handwritten digits, 28x28 grey; the label is the digit, the test pictures are the queries.",
    ),
    "fashion-mnist": NamedCorpus(
        "retrieval.corpora.idx:Idx",
        "Pictures of clothes, 28x28 grey; the label is the kind of garment, the test pictures are the queries.",
        {"class_names": FASHION_CLASSES},
    ),
    "cifar10": NamedCorpus(
        "retrieval.corpora.cifar10:Cifar10",
        "Photographs of animals and vehicles, 32x32 colour, in ten classes; the test pictures are the queries.",
        single_file=True,
    ),
    "20newsgroups": NamedCorpus(
        "retrieval.corpora.newsgroups:Newsgroups",
        "Newsgroup postings; the label is the group, the test postings are the queries.",
        single_file=True,
    ),
    "cranfield": NamedCorpus(
        "retrieval.corpora.beir:Beir", "Abstracts on aerodynamics, with queries and graded judgements."
    ),
    "scifact": NamedCorpus(
        "retrieval.corpora.beir:Beir",
        "Abstracts of scientific papers; the queries are claims, the judged documents support or refute them.",
    ),
    "cisi": NamedCorpus("retrieval.corpora.beir:Beir", "Abstracts on library science, with queries and judgements."),
    "npl": NamedCorpus("retrieval.corpora.beir:Beir", "Abstracts on electronics, with queries and judgements."),
    "arxiv-80k": NamedCorpus(
        "retrieval.corpora.beir:Beir",
        "Titles and abstracts of arXiv papers; the label is the paper's category.",
        {"label": "category"},
    ),
    "orl-faces": NamedCorpus(
        "retrieval.corpora.images:Images",
        "Photographs of 40 people, ten of each, 92x112 grey; the label is the person.",
        single_file=True,
    ),
    "speech-digits": NamedCorpus(
        "retrieval.corpora.speech_digits:SpeechDigits",
        "Recordings of ten spoken digits by six speakers, 8 kHz; the label is the digit or the speaker, the test takes "
        "are the queries.",
        single_file=True,
    ),
    "kddcup99": NamedCorpus(
        "retrieval.corpora.kddcup99:KddCup99",
        "Rows of network connections (10% of KDD Cup 1999), 41 columns; the label is the attack, or normal.",
        single_file=True,
    ),
    "paysim": NamedCorpus(
        "retrieval.corpora.paysim:PaySim",
        "Rows of simulated mobile-money transactions; the label is 1 for fraud, else 0.",
        single_file=True,
    ),
    "ml-100k": NamedCorpus(
        "retrieval.corpora.movielens:MovieLens",
        "MovieLens: 100,000 ratings of films by 943 users; an item is a film, its label the first genre.",
    ),
}
#: Formats of a path: name -> class. The first line of its docstring says what it reads.
FORMATS: dict[str, str] = {
    "beir": "retrieval.corpora.beir:Beir",
    "jsonl": "retrieval.corpora.jsonl:JsonLines",
    "csv": "retrieval.corpora.csv_table:CsvTable",
    "ratings": "retrieval.corpora.ratings:RatingTable",
    "parquet": "retrieval.corpora.parquet:Parquet",
    "csv-rows": "retrieval.corpora.csv_table:CsvRows",
    "jsonl-rows": "retrieval.corpora.jsonl:JsonRows",
    "parquet-rows": "retrieval.corpora.parquet:ParquetRows",
    "texts": "retrieval.corpora.texts:Texts",
    "images": "retrieval.corpora.images:Images",
    "sounds": "retrieval.corpora.sounds:Sounds",
    "idx": "retrieval.corpora.idx:Idx",
    "vectors": "retrieval.corpora.vectors:Vectors",
}


#: Options that say that a table is read as rows of columns, not as texts.
ROW_OPTIONS = {"columns", "without"}


def open_corpus(address: str, *, on_bad: OnBad = raise_bad) -> Corpus:
    """Open the corpus at an address: a name or a path, optionally with ``?key=value&key=value``.

    A name wins over a file or folder with the same name; standard error says so. ``./mnist`` is always the path,
    ``corpus:mnist`` always the name.

    Parameters
    ----------
    address : str
        ``digits``, ``mnist?split=test``, ``news.csv?text=body&label=topic``, ``photos/?size=32x32``.
    on_bad : callable
        Called on every pass with each entry that cannot be read; raises it by default.

    Returns
    -------
    Corpus
        Only what tells the format has been read.

    Raises
    ------
    UnknownNameError
        For an address that is neither a name nor a path.
    OptionError
        For an option that the corpus does not have, or a wrong value.
    CorpusError
        For a path that does not exist, or whose format is unknown.
    DownloadError
        For a data set that is neither on this machine nor reachable.

    Examples
    --------
    >>> open_corpus("digits").modality
    <Modality.IMAGE: 'image'>
    >>> open_corpus("digitz")
    Traceback (most recent call last):
    encoders.errors.UnknownNameError: unknown corpus or path 'digitz'; did you mean 'digits'?
    """
    target, given = parse_address(address)
    if is_corpus_name(target):
        if exists(target):
            say(f"'{target}' is read as the corpus with that name; write ./{target} for the file or folder here")
        return _open_named(target, given, address, on_bad)
    if not exists(target):
        if target.startswith(NAME_PREFIX):
            return _open_named(target.removeprefix(NAME_PREFIX), given, address.removeprefix(NAME_PREFIX), on_bad)
        names = [*EMBEDDED, *NAMED]
        if Path(target).suffix or "/" in target or (target and closest(target, names) is None):
            similar = _similar_path(Path(target).expanduser())
            hint = f"did you mean '{similar}'?" if similar else "and no corpus has that name: see  nearby corpora"
            raise CorpusError(f"'{target}' is not a file or folder here{';' if similar else ','} {hint}")
        raise UnknownNameError("corpus or path", target, names)
    return _open_path(Path(target).expanduser(), given, address, on_bad)


def _open_path(path: Path, given: Mapping[str, str], address: str, on_bad: OnBad) -> Corpus:
    kind = format_of(path, given)
    rows = {"ratings": "csv-rows"}.get(kind, f"{kind}-rows")
    if given.keys() & ROW_OPTIONS and rows in FORMATS:
        kind = rows
    if kind in ("csv", "ratings"):
        kind = _table_kind(kind, given)
    cls = load_class(FORMATS[kind])
    values = read_options(cls, kind, given)
    chosen = kind == "ratings" and not given.keys() & _rating_options()
    if chosen and any("text" in columns for columns in column_names(path, given)):
        say(f"{path} is read as ratings; ?text=text reads its texts")
    corpus: Corpus = cls(path=path, name=address, on_bad=on_bad, **values)
    return corpus


def is_corpus_name(text: str) -> bool:
    """Return whether a corpus has this name."""
    return text in EMBEDDED or text in NAMED


def _open_named(name: str, given: Mapping[str, str], address: str, on_bad: OnBad) -> Corpus:
    if not is_corpus_name(name):
        raise UnknownNameError("corpus", name, [*EMBEDDED, *NAMED])
    row = EMBEDDED.get(name) or NAMED[name]
    cls = load_class(row.location)
    values = {"name": address, "on_bad": on_bad, **row.fixed, **read_options(cls, name, given)}
    if name in NAMED:
        folder = download.fetch(name)
        values["path"] = download.single_file(name, folder) if row.single_file else folder
    corpus: Corpus = cls(**values)
    return corpus


def _similar_path(path: Path) -> Path | None:
    """Return the file or folder whose name is nearest to that of a path that does not exist."""
    try:
        names = [entry.name for entry in islice(path.parent.iterdir(), NAMES_READ)]
    except (OSError, ValueError):
        return None
    name = closest(path.name, names)
    return None if name is None else path.with_name(name)


def _table_kind(kind: str, given: Mapping[str, str]) -> str:
    """Return whether a delimited file is read as ``csv`` texts or as ``ratings``: an option that one has decides."""
    if given.keys() & _rating_options():
        return "ratings"
    return "csv" if given.keys() & _text_options() else kind


def _rating_options() -> set[str]:
    return option_names(load_class(FORMATS["ratings"])) - option_names(load_class(FORMATS["csv"]))


def _text_options() -> set[str]:
    return option_names(load_class(FORMATS["csv"])) - option_names(load_class(FORMATS["ratings"]))


def load_class(location: str) -> type[Any]:
    """Import the class of a corpus by its location, ``module:class``."""
    module, _, attribute = location.partition(":")
    cls: type[Any] = getattr(importlib.import_module(module), attribute)
    return cls
