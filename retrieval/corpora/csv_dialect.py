"""The one reader of CSV and TSV files: the delimiter, the rows, and quotations that never end."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from encoders.errors import CorpusError, OptionError
from encoders.numbers import shortened
from encoders.options import option
from retrieval.corpora.base import OnBad, raise_bad
from retrieval.corpora.files import open_bytes, plain_name
from retrieval.corpora.lines import checked_encoding, numbered_lines
from retrieval.corpora.size_limits import MAX_TEXT_BYTES, text_lines
from retrieval.corpora.source import FileSource

#: Delimiters that are tried where the user names none.
DELIMITERS = (",", ";", "\t", "|")
#: Largest number of characters in a cell; the csv module takes 4 bytes for each.
LONGEST_CELL = MAX_TEXT_BYTES
_LINE_END = re.compile(r"\r\n|\r|\n")


class Row(NamedTuple):
    """One row: the line on which it begins, and its cells."""

    line: int
    cells: list[str]


@dataclass(eq=False, kw_only=True)
class Cells(FileSource):
    """A delimited file: the options that say how it is written, and the reader of its rows."""

    delimiter: str | None = option(
        None, "Character between the columns, or the word tab (default: detected in the first line)."
    )
    encoding: str = option("utf-8", "Character encoding of the file, e.g. latin-1.")
    quote: str | None = option('"', "Quotation mark around cells; with none, quotation marks are ordinary characters.")

    def rows(self, path: Path, wanted: Callable[[list[str]], bool], on_bad: OnBad = raise_bad) -> Iterator[Row]:
        """Read the rows from the beginning; the first one names the columns.

        Parameters
        ----------
        path : Path
            The file, plain or gzipped.
        wanted : callable
            Tells whether column names are those that are needed; the delimiter is chosen by that.
        on_bad : callable
            Called with each row that cannot be read.

        Raises
        ------
        CorpusError
            When the file is missing, damaged or in another encoding. A row that cannot be read goes to `on_bad`; the
            lines inside its unclosed quotation are then read as rows of their own.
        OptionError
            For a delimiter, quotation mark or encoding that no file can have.
        """
        encoding = checked_encoding(self.encoding)
        self._check_marks()
        with open_bytes(path, self.max_bytes) as stream:
            lines = text_lines(stream, encoding, path)
            reader = None
            try:
                first = next(lines, "").removeprefix("\ufeff")
                reader = _Reader(
                    chain([first] if first else [], lines), path, self._mark(path, first, wanted), self.quote
                )
                yield from reader.rows(on_bad)
            except UnicodeError as error:
                line = _undecodable(path, encoding) or (1 if reader is None else reader.read + 1)
                raise CorpusError(
                    f"{path}:{line}: the line is not {self.encoding}: say how characters are stored, "
                    "as in ?encoding=latin-1"
                ) from error

    def _mark(self, path: Path, first: str, wanted: Callable[[list[str]], bool]) -> str:
        if self.delimiter is not None:
            return "\t" if self.delimiter == "tab" else self.delimiter
        usual = "\t" if plain_name(path).endswith((".tsv", ".tab")) else ","
        return delimiter_of(first, usual, wanted)

    def _check_marks(self) -> None:
        if self.delimiter is not None and self.delimiter != "tab" and not _is_mark(self.delimiter):
            raise OptionError(f"csv: delimiter should be one character, or 'tab'; got {self.delimiter!r}")
        if self.quote is not None and not _is_mark(self.quote):
            raise OptionError(f"csv: quote should be one character, or 'none'; got {self.quote!r}")
        if self.quote is not None and self.quote == self.delimiter:
            raise OptionError(f"csv: quote and delimiter should differ; both are {self.quote!r}")


def _undecodable(path: Path, encoding: str) -> int | None:
    """Return the number of the first line that is not in an encoding; a decoder reads ahead, so it cannot say."""
    with open_bytes(path) as stream:
        for number, raw in numbered_lines(stream, path):
            try:
                raw.decode(encoding)
            except UnicodeError:
                return number
    return None


def _is_mark(text: str) -> bool:
    return len(text) == 1 and text not in "\r\n\ufeff"


def delimiter_of(first: str, usual: str, wanted: Callable[[list[str]], bool]) -> str:
    r"""Return the delimiter of a table, by its first line.

    It is the `usual` one, unless exactly one other splits the line into wanted columns, or into several columns at all.

    Examples
    --------
    >>> delimiter_of("id;text\n", ",", lambda columns: "text" in columns)
    ';'
    >>> delimiter_of("text, long; and one\n", ",", lambda columns: "text" in columns)
    ','
    """
    columns_by_mark = {mark: columns_of(first, mark) for mark in DELIMITERS}
    if wanted(columns_by_mark.get(usual, [])):
        return usual
    others = [mark for mark, columns in columns_by_mark.items() if wanted(columns)]
    if not others and len(columns_by_mark.get(usual, [])) < 2:
        others = [mark for mark, columns in columns_by_mark.items() if len(columns) > 1]
    return others[0] if len(others) == 1 else usual


def columns_of(first: str, mark: str) -> list[str]:
    """Split a first line into column names; none where it cannot be split."""
    try:
        return next(csv.reader([first], delimiter=mark), [])
    except csv.Error:
        return []


class _Reader:
    """Reads rows with the csv module, strictly, and finds where a quotation that never ends begins."""

    def __init__(self, lines: Iterator[str], path: Path, delimiter: str, quote: str | None) -> None:
        self.path, self.read, self.head = path, 0, list[str]()
        quoting: Any = csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL
        self._reader = partial(csv.reader, delimiter=delimiter, quotechar=quote, quoting=quoting)
        self._lines = lines
        #: Lines to read again: they were taken for the inside of a cell.
        self._again: deque[str] = deque()
        #: The lines of the current row, and their number of characters: a row is no longer than a cell.
        self._row: list[str] = []
        self._taken = 0

    def rows(self, on_bad: OnBad) -> Iterator[Row]:
        csv.field_size_limit(LONGEST_CELL)
        while True:
            try:
                for cells in self._reader(self._feed(), strict=True):
                    start = self.read + 1
                    self.read += len(self._row)
                    self._row.clear()
                    self._taken = 0
                    self.head = self.head or cells
                    yield Row(start, cells)
                return
            except csv.Error as error:
                # Without the names of the columns there is no table.
                row = self._broken(error, on_bad if self.head else raise_bad)
            if row is not None:
                yield row

    def _feed(self) -> Iterator[str]:
        while True:
            line = self._again.popleft() if self._again else next(self._lines, None)
            if line is None:
                return
            self._row.append(line)
            self._taken += len(line)
            if self._taken > LONGEST_CELL and len(self._row) > 1:
                raise csv.Error("the row is too long")
            yield line

    def _broken(self, error: csv.Error, on_bad: OnBad) -> Row | None:
        """Read a broken row as far as possible: leniently if it is one line, else up to its last quotation."""
        lines, start = self._row, self.read + 1
        self._row, self._taken = [], 0
        cells, ended = self._leniently(lines)
        if len(lines) == 1 and ended:
            self.read += 1
            return Row(start, cells)
        before, cell = self._last_quotation(cells)
        bad = start + before
        kept = bad - start + 1
        self.read += kept
        self._again.extendleft(reversed(lines[kept:]))
        if not cells:
            on_bad(
                CorpusError(f"{self.path}:{bad}: a cell has more than {LONGEST_CELL:,} letters: close its quotation")
            )
            return None
        column = f"column '{self.head[cell]}'" if cell < len(self.head) else f"cell {cell + 1}"
        content = shortened(cells[cell])
        if len(lines) == 1 or not ended:
            what = f"the quotation mark in {column} is never closed; what follows it begins {content}"
        else:
            what = f"the quotation in {column} runs to line {start + len(lines) - 1} and ends within a cell: {content}"
        on_bad(
            CorpusError(f"{self.path}:{bad}: {what}; close it, or take quotation marks as they are with ?quote=none")
        )
        return None

    def _leniently(self, lines: list[str]) -> tuple[list[str], bool]:
        """Return the cells that can be read, and whether the row ended within its lines."""
        ended = True

        def feed() -> Iterator[str]:
            nonlocal ended
            yield from lines
            ended = False

        try:
            return next(self._reader(feed()), []), ended
        except csv.Error:
            return [], False

    @staticmethod
    def _last_quotation(cells: list[str]) -> tuple[int, int]:
        """Return the number of line ends before the last cell with several lines, and the position of that cell."""
        ends = [len(_LINE_END.findall(cell)) for cell in cells]
        last = max((position for position, count in enumerate(ends) if count), default=len(cells) - 1)
        return sum(ends[: max(last, 0)]), last
