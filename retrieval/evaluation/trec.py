"""TREC run and qrels files, read and written, plain or gzipped.

A run line is ``query Q0 document rank score tag``. A qrels line is ``query 0 document grade`` (TREC) or
``query document grade`` separated by tabs below a header line (BEIR). Files whose name ends in ``.gz``
are (de)compressed.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from encoders.errors import CorpusError
from encoders.numbers import read_number, shortened
from retrieval.corpora.files import open_bytes, plain_name
from retrieval.corpora.lines import numbered_lines
from retrieval.corpora.qrels import read_qrels
from retrieval.output import writing

__all__ = ["Run", "RunLine", "iter_run", "ranking", "read_qrels", "read_run", "write_qrels", "write_run"]

#: query id -> document id -> score, larger is better. A list of hits becomes one by ``dict(hits)``.
Run = dict[str, dict[str, float]]


class RunLine(NamedTuple):
    """One answer of a run file; the rank is left out, since the score decides."""

    query: str
    document: str
    score: float


def ranking(scores: Mapping[str, float]) -> list[str]:
    """Order documents as trec_eval does: by descending score, ties by descending id.

    Like trec_eval 9 (and pytrec_eval), scores are compared as float32: scores that are equal as float32
    are tied.

    Raises
    ------
    CorpusError
        When a score is not a number.

    Examples
    --------
    >>> ranking({"a": 1.0, "b": 2.0, "c": 1.0})
    ['b', 'c', 'a']
    """
    # Python compares texts by code point, which is the order of their UTF-8 bytes, hence of strcmp.
    documents = sorted(scores, reverse=True)
    with np.errstate(over="ignore"):
        keys = np.array([scores[document] for document in documents], np.float64).astype(np.float32)
    if np.isnan(keys).any():
        raise CorpusError(f"document '{documents[int(np.isnan(keys).argmax())]}' has a score that is not a number")
    return [documents[position] for position in np.argsort(-keys, kind="stable")]


def iter_run(path: str | Path) -> Iterator[RunLine]:
    """Read a run line by line, in the order of the file.

    Raises
    ------
    CorpusError
        When the file is missing or damaged, or a line is not a run line (file and line are named).
    """
    for where, cells in _lines(Path(path)):
        if len(cells) != 6:
            raise CorpusError(f"{where}: expected 6 columns 'query Q0 document rank score tag', got {len(cells)}")
        try:
            score = read_number(cells[4])
        except ValueError:
            raise CorpusError(f"{where}: the score should be a number, got {shortened(cells[4])}") from None
        yield RunLine(cells[0], cells[2], score)


def read_run(path: str | Path) -> Run:
    """Read a run.

    Raises
    ------
    CorpusError
        As `iter_run`; also when a document is returned twice for a query, or there is no line at all.
    """
    run: Run = {}
    for query, document, score in iter_run(path):
        answers = run.setdefault(query, {})
        if document in answers:
            raise CorpusError(f"{path}: document '{document}' is returned twice for query '{query}'")
        answers[document] = score
    if not run:
        raise CorpusError(f"{path} is empty: a run has a line 'query Q0 document rank score tag' for each answer")
    return run


def write_run(path: str | Path, run: Mapping[str, Mapping[str, float]], tag: str = "nearby") -> Path:
    """Write a run, queries in their own order, documents as `ranking` orders them; all or nothing.

    Scores are written so that they read back exactly. A query without answers leaves no line.

    Raises
    ------
    CorpusError
        When a score is infinite, or an id is empty or holds white space: the format has no way to quote one, and
        an id that was rewritten would no longer match the qrels.
    ArtifactError
        When the file cannot be written.
    """
    tag = _checked(tag, "tag")
    with _writing(Path(path)) as put:
        for query, answers in run.items():
            _checked(query, "query id")
            for rank, document in enumerate(ranking(answers), start=1):
                _checked(document, "document id")
                if not math.isfinite(answers[document]):
                    raise CorpusError(f"document '{document}' has the score {answers[document]}, which is not finite")
                put(f"{query} Q0 {document} {rank} {float(answers[document])!r} {tag}\n")
    return Path(path)


def write_qrels(path: str | Path, qrels: Mapping[str, Mapping[str, int]]) -> Path:
    """Write judgements, all or nothing: BEIR's columns where the name ends in ``.tsv[.gz]``, else TREC's.

    Raises
    ------
    CorpusError
        When an id is empty or holds white space.
    ArtifactError
        When the file cannot be written.
    """
    tabs = plain_name(Path(path)).endswith(".tsv")
    with _writing(Path(path)) as put:
        if tabs:
            put("query-id\tcorpus-id\tscore\n")
        for query, judged in qrels.items():
            _checked(query, "query id")
            for document, grade in judged.items():
                _checked(document, "document id")
                put(f"{query}\t{document}\t{grade}\n" if tabs else f"{query} 0 {document} {grade}\n")
    return Path(path)


def _lines(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield ``file:line`` and the columns of every line that is not blank."""
    with open_bytes(path) as stream:
        for number, raw in numbered_lines(stream, path):
            where = f"{path}:{number}"
            try:
                # Split as bytes: like C, at ASCII white space only.
                cells = [cell.decode("utf-8") for cell in raw.split()]
            except UnicodeDecodeError:
                raise CorpusError(f"{where}: the line is not UTF-8 text") from None
            if cells:
                yield where, cells


def _checked(name: str, what: str) -> str:
    if name.split() != [name]:
        raise CorpusError(f"the {what} {name!r} cannot stand in a TREC file: it should be one word without spaces")
    return name


class _Put:
    """Writes text as UTF-8, or says which line cannot be."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile) -> None:
        self.stream = stream

    def __call__(self, line: str) -> None:
        try:
            self.stream.write(line.encode("utf-8"))
        except UnicodeEncodeError:
            raise CorpusError(f"the line {line.rstrip()!r} holds characters that UTF-8 cannot write") from None


@contextmanager
def _writing(path: Path) -> Iterator[_Put]:
    """Write lines, compressed where the name ends in ``.gz``; all or nothing."""
    with writing(path) as file:
        if path.suffix == ".gz":
            # No time stamp and no name inside: the same run is the same bytes.
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                yield _Put(packed)
        else:
            yield _Put(file)
