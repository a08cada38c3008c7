"""Relevance judgements (qrels): the one reader, for TREC's four columns and BEIR's three."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from encoders.errors import CorpusError
from encoders.numbers import is_whole, read_whole, shortened
from retrieval.corpora.base import OnBad, Qrels, raise_bad
from retrieval.corpora.files import open_bytes
from retrieval.corpora.lines import numbered_lines

#: Grades are stored as 32-bit numbers.
LARGEST_GRADE = 2**31 - 1
#: Names of the last column that identify a header line.
_HEADER_NAMES = {"score", "grade", "relevance", "relevancy", "rel", "label", "judgement", "judgment"}


def read_qrels(path: str | Path, on_bad: OnBad = raise_bad, max_bytes: int | None = None) -> Qrels:
    """Read judgements: ``query 0 document grade``, or ``query document grade`` separated by tabs.

    The first line that is not blank decides which. With three columns, it may be a header, and grades below zero
    ("of no interest" in some collections) count as zero. A repeated judgement changes nothing.

    Raises
    ------
    CorpusError
        When the file is missing, damaged or holds no judgement. A malformed line, or one that judges a document again
        with another grade, goes to `on_bad`.
    """
    path = Path(path)
    qrels: Qrels = {}
    tabs: bool | None = None
    for number, raw in _lines(path, on_bad, max_bytes):
        first = tabs is None
        if tabs is None:
            tabs = raw.count(b"\t") == 2
        try:
            cells = _cells(raw, tabs)
            if first and tabs and _is_header(cells):
                continue
            query, document, grade = _judgement(cells, tabs)
            before = qrels.get(query, {}).get(document, grade)
            if before != grade:
                raise CorpusError(
                    f"document {shortened(document)} has grade {grade} for query {shortened(query)}, "
                    f"but grade {before} in an earlier line"
                )
        except CorpusError as error:
            on_bad(CorpusError(f"{path}:{number}: {error}"))
            continue
        qrels.setdefault(query, {})[document] = grade
    if not qrels:
        raise CorpusError(f"{path} holds no judgements")
    return qrels


def _lines(path: Path, on_bad: OnBad, max_bytes: int | None) -> Iterator[tuple[int, bytes]]:
    with open_bytes(path, max_bytes) as stream:
        for number, raw in numbered_lines(stream, path, on_bad):
            if raw.strip():
                yield number, raw


def _cells(raw: bytes, tabs: bool) -> list[str]:
    """Split a line at tabs or, as C does, at ASCII white space."""
    try:
        return [cell.decode("utf-8") for cell in (raw.split(b"\t") if tabs else raw.split())]
    except UnicodeDecodeError:
        raise CorpusError("the line is not UTF-8 text") from None


def _is_header(cells: list[str]) -> bool:
    """Return whether a first line is a header: by its last cell, or because no cell holds a digit."""
    if cells[-1].strip().lower() in _HEADER_NAMES:
        return True
    return not is_whole(cells[-1]) and not any(letter.isdigit() for cell in cells for letter in cell)


def _judgement(cells: list[str], tabs: bool) -> tuple[str, str, int]:
    if len(cells) != (3 if tabs else 4) or not all(cells):
        wanted = (
            "3 columns 'query, document, grade', separated by tabs" if tabs else "4 columns 'query 0 document grade'"
        )
        raise CorpusError(f"expected {wanted}, got {shortened(cells)}")
    query, document, text = cells[0], cells[-2], cells[-1]
    try:
        grade = read_whole(text)
    except ValueError:
        raise CorpusError(f"the grade should be a whole number, got {shortened(text)}") from None
    if abs(grade) > LARGEST_GRADE:
        raise CorpusError(f"the grade should be at most {LARGEST_GRADE:,}, got {shortened(text)}")
    return query, document, max(0, grade) if tabs else grade
