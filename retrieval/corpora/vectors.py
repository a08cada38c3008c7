"""Vector files: ``.npy``, ``.npz`` and ``.fvecs``."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.batches import BATCH_BYTES
from encoders.codes import Modality
from encoders.errors import CorpusError
from encoders.npy import MAGIC, map_npy, read_npy_stream, release
from encoders.options import option
from encoders.plain_file import open_plain, require_plain
from retrieval.corpora.archives import opened_zip
from retrieval.corpora.base import Item, raise_bad
from retrieval.corpora.blocks import Block
from retrieval.corpora.files import reading
from retrieval.corpora.lines import read_lines
from retrieval.corpora.records import plain
from retrieval.corpora.size_limits import decompressed_limit, require_text, too_large
from retrieval.corpora.source import FileSource

SUFFIXES = (".npy", ".npz", ".fvecs")
ROWS = 4096
_READABLE = "readable .npz file of numbers (n, dim)"


@dataclass(eq=False)
class Vectors(FileSource):
    """Vectors in a ``.npy``, ``.npz`` or ``.fvecs`` file, one per row.

    Ids and labels come from text files with one line per row, or from arrays of the ``.npz`` file. A text file is
    searched in the current folder, then in the folder of the vectors. Values become float32; a row with NaN or an
    infinite value is a bad entry.
    """

    key: str | None = option(None, "Name of the array with the vectors in an .npz (default: the only matrix).")
    ids: str | None = option(
        None, "File with one id per line, or array of the .npz (default: the array ids; without it, row numbers)."
    )
    labels: str | None = option(
        None, "File with one class per line, or array of the .npz (default: the array labels, if there is one)."
    )

    modality = Modality.VECTOR
    has_only_columns = True

    def items(self) -> Iterator[Item]:
        """Read all rows as float32."""
        for rows, block in self._parts(ROWS):
            for row, id, vector, label in zip(rows, block.ids, block.contents, block.labels, strict=True):
                yield Item(id, vector, None, label, where=f"{self.path}: row {row}")

    def blocks(self, rows: int, label_field: str | None = None) -> Iterator[Block]:
        """Read all rows as matrices; see `Corpus.blocks`."""
        if label_field is not None:
            return super().blocks(rows, label_field)
        return (block for _, block in self._parts(rows))

    def _parts(self, rows: int) -> Iterator[tuple[Sequence[int], Block]]:
        """Read blocks of at most `rows` rows as float32, with the rows that are good entries."""
        matrix = self._matrix()
        ids = self._names(self.ids, "ids", len(matrix))
        labels = self._names(self.labels, "labels", len(matrix))
        rows = max(1, min(rows, BATCH_BYTES // (4 * matrix.shape[1])))
        for start in range(0, len(matrix), rows):
            stop = min(start + rows, len(matrix))
            with np.errstate(over="ignore"):  # values beyond float32 become infinite and are bad entries
                values = np.array(matrix[start:stop], dtype=np.float32)
            release(matrix)
            names = [str(row) for row in range(start, stop)] if ids is None else ids[start:stop]
            bad = self._bad_rows(matrix, start, values, names)
            block = Block(names, values, [None] * len(values) if labels is None else labels[start:stop])  # type: ignore[arg-type]
            if not bad:
                yield range(start, stop), block
                continue
            kept = [row for row in range(len(values)) if row not in bad]
            if kept:
                yield [start + row for row in kept], block.kept(kept)

    def _bad_rows(
        self, matrix: NDArray[Any], start: int, values: NDArray[np.float32], names: Sequence[str | None]
    ) -> set[int]:
        """Return which rows of a block are bad entries, after `on_bad` was called with each."""
        infinite = set(np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist())
        bad = infinite | {row for row, name in enumerate(names) if name is None}
        for row in sorted(bad):
            if row in infinite:
                column = int(np.isfinite(values[row]).argmin())
                reason = f"holds NaN or infinite values: {matrix[start + row, column]} in column {column}"
            else:
                reason = f"has no id: '{self.ids or 'ids'}' is empty in that row"
            self.on_bad(CorpusError(f"{self.path}: row {start + row} {reason}"))
        return bad

    @property
    def size(self) -> int | None:
        """Number of rows; None if bad rows may be left out."""
        return len(self._matrix()) if self.on_bad is raise_bad else None

    def _matrix(self) -> NDArray[Any]:
        with reading(self.path):
            matrix = self._load()
        if matrix.ndim != 2 or matrix.dtype.kind not in "fiub":
            raise CorpusError(f"{self.path} holds {matrix.dtype} of shape {matrix.shape}; expected numbers (n, dim)")
        if not matrix.shape[1]:
            raise CorpusError(
                f"{self.path} holds {len(matrix):,} vectors without any numbers; expected numbers (n, dim)"
            )
        return matrix

    def _load(self) -> NDArray[Any]:
        suffix = self.path.suffix.lower()
        if suffix == ".fvecs":
            return read_fvecs(self.path)
        if suffix == ".npz":
            return self._from_npz()
        try:
            return map_npy(self.path)
        except ValueError as error:
            raise CorpusError(f"{self.path} is not a readable .npy file of numbers (n, dim): {error}") from error

    def _from_npz(self) -> NDArray[Any]:
        arrays = Npz(self.path, self.max_bytes)
        if self.key is not None:
            return arrays.read(self.key)
        matrices = [key for key in arrays.keys if key not in ("ids", "labels", self.ids, self.labels)]
        if len(matrices) != 1:
            raise CorpusError(
                f"{self.path} holds several arrays: choose one with ?key=, of: {', '.join(arrays.keys) or 'none'}"
            )
        return arrays.read(matrices[0])

    def _names(self, given: str | None, default: str, rows: int) -> Sequence[str | None] | None:
        values = self._stored(given, default)
        if values is None and given is None:
            return None
        source = f"'{given or default}'"
        if values is None:
            path = self._beside(str(given))
            values = [line or None for line in read_lines(path)]
            source = str(path)
        if len(values) != rows:
            raise CorpusError(f"{source} holds {len(values)} {default} for the {rows} vectors of {self.path}")
        return values

    def _stored(self, given: str | None, default: str) -> list[str | None] | None:
        if self.path.suffix.lower() != ".npz":
            return None
        with reading(self.path):
            arrays = Npz(self.path, self.max_bytes)
            key = given or default
            if key not in arrays:
                return None
            return _texts(self.path, key, arrays.read(key).ravel())

    def _beside(self, given: str) -> Path:
        path = Path(given).expanduser()
        return path if path.exists() else self.path.parent / given


def _texts(path: Path, key: str, values: NDArray[Any]) -> list[str | None]:
    """Return ids or labels as texts, as tables do; None for a missing value (NaN, NaT, an empty text)."""
    kind = values.dtype.kind
    if kind not in "iubfSUMm":
        raise CorpusError(f"{path}: the array '{key}' holds {values.dtype}, neither texts nor numbers")
    if kind == "f":  # NumPy writes the shortest text of a float32
        return [str(value) if np.isfinite(value) else None for value in values]
    if kind in "Mm":
        return [None if text == "NaT" else text for text in values.astype(str).tolist()]
    try:
        texts = [plain(value, key) or None for value in values.tolist()]
        for text in filter(None, texts):
            require_text(text)
        return texts
    except (CorpusError, UnicodeError) as error:
        raise CorpusError(f"{path}: {error}") from None


def read_fvecs(path: Path) -> NDArray[np.float32]:
    """Map an ``.fvecs`` file; each row is its width as int32, then float32 values (http://corpus-texmex.irisa.fr).

    Raises
    ------
    CorpusError
        When rows differ in width, or the last row is truncated.
    """
    require_plain(path)
    if path.stat().st_size == 0:
        raise CorpusError(f"{path} is empty")
    words = np.memmap(path, dtype="<i4", mode="r", shape=(path.stat().st_size // 4,))
    width = int(words[0]) if len(words) else 0
    if width <= 0 or path.stat().st_size % (4 * (width + 1)):
        raise CorpusError(f"{path} is not an .fvecs file, or is truncated: its rows do not fit its length")
    rows = words.reshape(-1, width + 1)
    if not (rows[:, 0] == width).all():
        raise CorpusError(f"{path} holds vectors of different widths")
    return rows.view("<f4")[:, 1:]


class Npz:
    """The arrays of an .npz file, each read when it is needed.

    Parameters
    ----------
    path : Path
    max_bytes : int, optional
        Largest decompressed size of one array (`size_limits.decompressed_limit`).

    Raises
    ------
    CorpusError
        When it is not an .npz file.
    """

    def __init__(self, path: Path, max_bytes: int | None = None) -> None:
        self.path = path
        self._limit = decompressed_limit(path.stat().st_size, max_bytes)
        with open_plain(path) as file:
            single, is_zip = file.read(len(MAGIC)) == MAGIC, zipfile.is_zipfile(file)
        if not is_zip:
            what = "not an .npz file: it holds a single array; rename it to .npy" if single else f"not a {_READABLE}"
            raise CorpusError(f"{path} is {what}")
        with opened_zip(path) as archive:
            self.keys = [name.removesuffix(".npy") for name in archive.namelist()]

    def __contains__(self, key: str) -> bool:
        return key in self.keys

    def read(self, key: str) -> NDArray[Any]:
        """Return one array.

        Raises
        ------
        CorpusError
            When it is missing, damaged, of Python objects, or too large.
        """
        if key not in self.keys:
            raise CorpusError(f"{self.path} has no array '{key}'; it has: {', '.join(self.keys)}")
        with opened_zip(self.path) as archive:
            names = archive.namelist()
            info = archive.getinfo(f"{key}.npy" if f"{key}.npy" in names else key)
            if info.file_size > self._limit:
                raise too_large(self.path, self._limit)
            try:
                with archive.open(info) as stream:
                    return read_npy_stream(stream, info.file_size)  # type: ignore[arg-type]
            except ValueError as error:
                raise CorpusError(f"{self.path}: the array '{key}' holds no readable numbers: {error}") from error
