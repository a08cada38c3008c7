"""The layout of a saved index: manifest.json, ids.json, the backend's own files; written all or nothing."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from encoders.artifact import (
    MANIFEST,
    atomic_folder,
    check_format,
    digest_of,
    library_versions,
    read_json,
    write_json,
)
from encoders.codes import Lexicon, Space
from encoders.errors import ArtifactError, NearbyError, one_line
from encoders.json_text import parse_json
from encoders.npy import map_npy, read_npy
from encoders.plain_file import read_plain
from indexers.base import Index

FORMAT = 1
IDS, LEXICON = "ids.json", "lexicon.json"
#: Larger files are mapped, not read, when an index is opened: their size is checked, the checksum if asked.
CHECKED_BYTES = 16 * 1024 * 1024


def save_index(index: Index, folder: Path) -> Path:
    """Write an index.

    Raises
    ------
    ArtifactError
        When the folder cannot be written; what was there is unchanged.
    """
    with atomic_folder(folder) as temporary:
        for name, text in _texts(index).items():
            (temporary / name).write_text(text, encoding="utf-8")
        index._write(temporary)
        files = sorted(path for path in temporary.iterdir() if path.is_file())
        manifest = {
            "nearby": "an index",
            "format": FORMAT,
            "description": index.description,
            "space": index.space.to_json(),
            "count": len(index),
            "files": {path.name: {"bytes": path.stat().st_size, "sha256": digest_of(path)} for path in files},
            "versions": library_versions(),
        }
        write_json(temporary / MANIFEST, manifest)
    return folder


def _texts(index: Index) -> dict[str, str]:
    """Return the files that every index has."""
    texts = {IDS: json.dumps(index.ids)}
    return texts if index.lexicon is None else {**texts, LEXICON: json.dumps(asdict(index.lexicon))}


def names_bytes(index: Index) -> int:
    """Return the size of the files that every index has: its ids, and its words where it weighs them itself."""
    return sum(len(text) for text in _texts(index).values())  # JSON as it is written here is ASCII


def load_index(folder: Path, mmap: bool = True) -> Index:
    """Read an index that `save_index` wrote; see `indexers.registry.load_index`."""
    from indexers.registry import create_index

    manifest = read_json(folder / MANIFEST, "a saved index")
    check_format(manifest, "an index", folder / MANIFEST, FORMAT)
    try:
        check_files(folder, manifest["files"], everything=not mmap)
        lexicon = _read_lexicon(folder) if LEXICON in manifest["files"] else None
        index = create_index(manifest["description"], Space.from_json(manifest["space"]), lexicon)
        ids = parse_json(read_plain(folder / IDS))
        if not isinstance(ids, list) or len(ids) != manifest["count"]:
            raise ArtifactError(f"{folder / IDS} is corrupt: expected {manifest['count']} ids")
        index._ids = ids
        index._read(folder, mmap)
    except NearbyError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, OSError, RuntimeError) as error:
        raise ArtifactError(f"{folder} is corrupt: {type(error).__name__} {one_line(error)}") from error
    return index


def _read_lexicon(folder: Path) -> Lexicon:
    value = parse_json(read_plain(folder / LEXICON))
    return Lexicon(tuple(value["words"]), float(value["k1"]), float(value["b"]))


def check_files(folder: Path, files: dict[str, dict[str, Any]], everything: bool) -> None:
    """Compare files with the manifest: sizes always, checksums of small ones or (`everything`) of all.

    Raises
    ------
    ArtifactError
        Naming the file that is missing, truncated or damaged.
    """
    for name, known in files.items():
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise ArtifactError(f"{folder} is incomplete: it has no file '{name}'")
        size = path.stat().st_size
        if size != known["bytes"]:
            raise ArtifactError(f"{path} is damaged: it has {size} bytes, {MANIFEST} says {known['bytes']}")
        if (everything or size <= CHECKED_BYTES) and digest_of(path) != known["sha256"]:
            raise ArtifactError(f"{path} is damaged: its checksum is not the one in {MANIFEST}")


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write one array as .npy."""
    np.save(path, array, allow_pickle=False)


def array_bytes(array: NDArray[Any]) -> int:
    """Return the size of the file that `write_array` makes of an array."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
    return len(head.getvalue()) + array.nbytes


def csr_bytes(matrix: csr_array) -> int:
    """Return the size of the files that `write_csr` makes of a matrix."""
    return sum(array_bytes(part) for part in (matrix.data, matrix.indices, matrix.indptr))


def read_array(path: Path, mmap: bool) -> NDArray[Any]:
    """Read (or map) what `write_array` wrote, as a plain array; a mapped one is read-only."""
    return map_npy(path) if mmap else read_npy(path)


def write_csr(folder: Path, name: str, matrix: csr_array) -> None:
    """Write a CSR matrix as three arrays ``NAME.data.npy``, ``NAME.indices.npy`` and ``NAME.indptr.npy``."""
    for part in ("data", "indices", "indptr"):
        write_array(folder / f"{name}.{part}.npy", getattr(matrix, part))


def read_csr(folder: Path, name: str, shape: tuple[int, int], mmap: bool) -> csr_array:
    """Read (or map) what `write_csr` wrote.

    Raises
    ------
    ValueError
        When the arrays do not fit the shape or each other.
    """
    data, indices, indptr = (read_array(folder / f"{name}.{part}.npy", mmap) for part in ("data", "indices", "indptr"))
    matrix = csr_array((data, indices, indptr), shape=shape, copy=False)
    matrix.has_canonical_format = True  # written so; looking again would read all of it
    return matrix
