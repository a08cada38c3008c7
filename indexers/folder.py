"""The layout of a saved index: manifest.json, ids.json, the backend's own files; written all or nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from encoders.artifact import MANIFEST, check_format, check_seal, digest_of, library_versions, read_json, sealed
from encoders.atomic_write import atomic_folder, write_json
from encoders.checksums import check_file, file_sums
from encoders.codes import Lexicon, Space
from encoders.errors import ArtifactError, NearbyError, OptionError, SpecError, UnknownNameError, one_line
from encoders.json_text import parse_json
from encoders.npy import map_npy, read_npy
from encoders.plain_file import read_plain
from indexers.checked_index import CheckedIndex
from indexers.unit import Unit

FORMAT = 2
IDS, LEXICON = "ids.json", "lexicon.json"


def save_index(index: CheckedIndex, folder: Path) -> Path:
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
            "unit": index._unit.factor,
            "files": {path.name: file_sums(path) for path in files},
            "versions": library_versions(),
        }
        write_json(temporary / MANIFEST, sealed(manifest))
    return folder


def _texts(index: CheckedIndex) -> dict[str, str]:
    """Return the files that every index has."""
    texts = {IDS: json.dumps(index.ids)}
    return texts if index.lexicon is None else {**texts, LEXICON: json.dumps(asdict(index.lexicon))}


def names_bytes(index: CheckedIndex) -> int:
    """Return the size of the files that every index has: its ids, and its words if it weighs them itself."""
    return sum(len(text) for text in _texts(index).values())  # this JSON is ASCII


def load_index(folder: Path, mmap: bool = True) -> CheckedIndex:
    """Read an index that `save_index` wrote; see `indexers.registry.load_index`."""
    from indexers.description import parse_description
    from indexers.registry import create_index, index_class

    manifest = read_json(folder / MANIFEST, "a saved index")
    check_format(manifest, "an index", folder / MANIFEST, FORMAT)
    check_seal(manifest, folder / MANIFEST)
    try:
        mapped = index_class(parse_description(manifest["description"]).name).mapped_files
        check_files(folder, manifest["files"], mapped if mmap else ())
        lexicon = _read_lexicon(folder) if LEXICON in manifest["files"] else None
        index = create_index(manifest["description"], Space.from_json(manifest["space"]), lexicon)
        ids = parse_json(read_plain(folder / IDS))
        if not isinstance(ids, list) or len(ids) != manifest["count"]:
            raise ArtifactError(f"{folder / IDS} is corrupt: expected {manifest['count']} ids")
        if not set(map(type, ids)) <= {str}:
            raise ArtifactError(f"{folder / IDS} is corrupt: an id is not a text")
        index._ids = ids
        index._unit = Unit.from_json(manifest.get("unit", 1.0))  # older folders hold codes as they were given
        index._read(folder, mmap)
    except (SpecError, OptionError, UnknownNameError) as error:
        raise ArtifactError(f"{folder} is corrupt: {one_line(error)}") from error
    except NearbyError:
        raise
    except OSError as error:
        raise ArtifactError(f"{error.filename or folder} cannot be read: {error.strerror or error}") from error
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError) as error:
        raise ArtifactError(f"{folder} is corrupt: {type(error).__name__} {one_line(error)}") from error
    return index


def _read_lexicon(folder: Path) -> Lexicon:
    value = parse_json(read_plain(folder / LEXICON))
    return Lexicon(tuple(value["words"]), float(value["k1"]), float(value["b"]))


def verify_index(folder: Path) -> dict[str, int]:
    """Compare every byte of a saved index with its checksums; the index is not opened.

    Returns
    -------
    dict of str to int
        The name and size of every file that was read.

    Raises
    ------
    ArtifactError
        Naming the file that is missing, truncated or damaged.
    """
    manifest = read_json(folder / MANIFEST, "a saved index")
    check_format(manifest, "an index", folder / MANIFEST, FORMAT)
    check_seal(manifest, folder / MANIFEST)
    try:
        check_files(folder, manifest["files"])
        return {name: int(known["bytes"]) for name, known in manifest["files"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactError(f"{folder / MANIFEST} is corrupt: {type(error).__name__} {error}") from error


def check_files(folder: Path, files: dict[str, dict[str, Any]], mapped: Collection[str] = ()) -> None:
    """Compare files with the manifest: in full, or only some blocks of files that are `mapped`.

    Raises
    ------
    ArtifactError
        Naming the file that is missing, truncated or damaged.
    """
    for name, known in files.items():
        path = folder / name
        if Path(name).name != name:
            raise ArtifactError(f"{folder} is incomplete: it has no file '{name}'")
        if "blocks" in known:
            check_file(path, known, name not in mapped)
        else:
            _check_undivided(path, known)


def _check_undivided(path: Path, known: dict[str, Any]) -> None:
    """Compare a file with a checksum of the whole file, as older versions of nearby wrote it."""
    if not path.is_file():
        raise ArtifactError(f"{path.parent} is incomplete: it has no file '{path.name}'")
    if path.stat().st_size != known["bytes"] or digest_of(path) != known["sha256"]:
        raise ArtifactError(f"{path} is damaged: its size or checksum is not the one in {MANIFEST}")


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write one array as .npy.

    NumPy's own `save` says of a full disk only how many numbers were written.

    Raises
    ------
    OSError
        From the operating system.
    """
    plain = array if array.flags.forc else np.ascontiguousarray(array)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(plain))
        file.write((plain if plain.flags.c_contiguous else plain.T).data)


def array_bytes(array: NDArray[Any]) -> int:
    """Return the size of the file that `write_array` writes."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
    return len(head.getvalue()) + array.nbytes


def csr_bytes(matrix: csr_array) -> int:
    """Return the size of the files that `write_csr` writes."""
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
    _require_rows(name, data, indices, indptr, shape)
    matrix = csr_array((data, indices, indptr), shape=shape, copy=False)
    if not matrix.has_canonical_format:  # else SciPy would sort it, which a mapped file does not allow
        raise ValueError(f"the columns of {name} are not in order")
    return matrix


def _require_rows(
    name: str, data: NDArray[Any], indices: NDArray[Any], indptr: NDArray[Any], shape: tuple[int, int]
) -> None:
    """Refuse arrays that would make SciPy read or write out of bounds: SciPy does not check them.

    This and the check of their order read all indices twice, at memory speed: 0.15 s for 50 million.
    """
    if data.ndim != 1 or any(part.ndim != 1 or part.dtype.kind != "i" for part in (indices, indptr)):
        raise ValueError(f"{name} is not a CSR matrix: its arrays have other types or shapes")
    rows, columns = shape
    if len(indptr) != rows + 1 or indptr[0] != 0 or indptr[-1] != len(indices) or len(data) != len(indices):
        raise ValueError(f"{name} has {len(indptr) - 1} rows of {len(indices)} values, expected {rows} rows")
    if (indptr[1:] < indptr[:-1]).any():
        raise ValueError(f"the rows of {name} overlap")
    if len(indices) and (indices.min() < 0 or indices.max() >= columns):
        raise ValueError(f"{name} has columns outside of 0 to {columns - 1}")
