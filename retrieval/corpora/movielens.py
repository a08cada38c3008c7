"""MovieLens 100k: films rated by people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from encoders.errors import CorpusError
from retrieval.corpora.files import open_bytes
from retrieval.corpora.folder_files import read_files
from retrieval.corpora.lines import numbered_lines
from retrieval.corpora.ratings import Ratings, RatingSource, assembled

RATINGS, FILMS = "u.data", "u.item"
#: The flags behind a film's address in u.item, in their order; "unknown" is the first.
GENRES = (
    "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir Horror Musical "
    "Mystery Romance Sci-Fi Thriller War Western"
).split()


@dataclass(eq=False)
class MovieLens(RatingSource):
    """MovieLens 100k: 100,000 ratings from 1 to 5 of 1,682 films by 943 users; the label is the film's first genre."""

    def read(self) -> Ratings:
        """Read ``u.data``: user, film, rating and time, separated by tabs."""
        rows = [line.split("\t") for line in self._lines(RATINGS, "ascii") if line.strip()]
        if any(len(row) != 4 for row in rows):
            raise CorpusError(f"{self.path / RATINGS} should hold four cells per line, separated by tabs")
        users, films, marks, _ = zip(*rows, strict=True) if rows else ((), (), (), ())
        try:
            values = np.asarray(marks, dtype=np.float32)
        except ValueError as error:
            raise CorpusError(f"{self.path / RATINGS} should hold numbers in its third column: {error}") from None
        if not np.isfinite(values).all():
            raise CorpusError(f"{self.path / RATINGS} should hold numbers in its third column: one is infinite or NaN")
        return assembled(users, films, values, self.path / RATINGS)

    def described(self) -> dict[str, tuple[str | None, str | None]]:
        """Return every film's title and first genre."""
        films: dict[str, tuple[str | None, str | None]] = {}
        for number, line in enumerate(self._lines(FILMS, "latin-1"), start=1):
            cells = line.rstrip("\r\n").split("|")
            if len(cells) < 2:
                raise CorpusError(f"{self.path / FILMS}:{number}: expected a film's number and title, with | between")
            genres = [genre for genre, flag in zip(GENRES, cells[5:], strict=False) if flag == "1"]
            films[cells[0]] = cells[1], genres[0] if genres else None
        return films

    def _lines(self, name: str, encoding: str) -> Iterator[str]:
        path = self.path / name
        with open_bytes(path) as stream:
            for number, raw in numbered_lines(stream, path, self.on_bad):
                try:
                    yield raw.decode(encoding)
                except UnicodeDecodeError:
                    raise CorpusError(f"{path}:{number}: the line is not {encoding.upper()} text") from None


def unpack(archive: Path, folder: Path) -> None:
    """Copy the two files that are read out of the zip that GroupLens distributes."""
    folder.mkdir(parents=True)
    files = {name.split("/")[-1]: raw for name, raw in read_files(archive, _wanted)}
    for name in (RATINGS, FILMS):
        if name not in files:
            raise CorpusError(f"{archive} has no {name}")
        (folder / name).write_bytes(files[name])


def _wanted(name: str) -> bool:
    return name.split("/")[-1] in (RATINGS, FILMS)
