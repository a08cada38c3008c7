"""Decoded items as files: PNG for pictures, WAV for sounds, one .npy for vectors; and a list of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from encoders.atomic_write import atomic_folder
from encoders.codes import Modality
from encoders.errors import ArtifactError, OptionError
from encoders.progress import progress
from retrieval.applications.compression.compressed_items import CompressedItems, DecodedItem
from retrieval.output import write_wav

LIST, VECTORS = "items.jsonl", "items.npy"
#: A part of a name that every file system takes as it is.
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ -]{0,99}(?<![. ])")
#: Names that Windows keeps for devices.
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_ENDING = re.compile(r"(?i)\.(png|jpe?g|gif|bmp|webp|tiff?|ppm|pgm|wav|flac|ogg|mp3)$")


@dataclass
class Decompressed:
    """What was written.

    Attributes
    ----------
    source, folder : Path
    items : int
        Number of items that were written.
    asked : int
        Number of items that were to be written.
    damage : list of str
        A sentence for each damaged chunk.
    """

    source: Path
    folder: Path
    items: int
    asked: int
    damage: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "file": str(self.source),
            "folder": str(self.folder),
            "items": self.items,
            "lost": self.asked - self.items,
            "damage": self.damage,
        }

    def lines(self) -> list[str]:
        """Return it as lines of a terminal."""
        return [*self.damage, f"{self.items:,} of {self.asked:,} items written"]

    def require_whole(self) -> None:
        """Raise an error when something was lost.

        Raises
        ------
        ArtifactError
        """
        if self.damage:
            lost = self.asked - self.items
            what = (
                f"{lost:,} of {self.asked:,} items are lost" if lost else "ids are lost, positions are written instead"
            )
            raise ArtifactError(f"{self.source} is damaged: {what}; the rest is in {self.folder}")


def require_free(folder: Path) -> None:
    """Refuse a folder that holds something.

    Raises
    ------
    OptionError
    """
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
        raise OptionError(f"{folder} exists and is not an empty folder: name a new one")


def decompress(items: CompressedItems, folder: str | Path, names: Sequence[str] = ()) -> Decompressed:
    """Write decoded items to a new folder; those of damaged chunks are left out.

    Parameters
    ----------
    items : CompressedItems
    folder : str or Path
        New or empty. It gets ``items.jsonl``, a line for each item with its id and file (or row), and the items.
    names : sequence of str, optional
        Items as ``@id`` or numbers; a repeated one is written once. Default: all.

    Raises
    ------
    OptionError
        When the folder holds something.
    QueryError
        When there is no such item.
    ArtifactError
        When the file is damaged before its chunks, or the folder cannot be written.
    """
    folder = Path(folder)
    require_free(folder)
    positions = list(dict.fromkeys(items.position(name) for name in names)) if names else None
    asked = len(items) if positions is None else len(positions)
    write = _write_vectors if items.modality is Modality.VECTOR else _write_files
    written = 0
    with (
        progress("decompressing", asked, "items") as bar,
        atomic_folder(folder) as temporary,
        (temporary / LIST).open("w", encoding="utf-8") as listing,
    ):
        for line in write(items.read(positions), temporary):
            listing.write(f"{json.dumps(line, ensure_ascii=True)}\n")
            written += 1
            bar.update(1)
    return Decompressed(items.reader.path, folder, written, asked, [str(error) for error in items.damaged])


def _write_files(items: Iterator[DecodedItem], folder: Path) -> Iterator[dict[str, Any]]:
    """Write pictures or sounds, one file each."""
    from PIL import Image

    for item in items:
        sound = hasattr(item.content, "samples")
        path = _free_path(folder, item, ".wav" if sound else ".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        if sound:
            write_wav(path, [item.content])
        else:
            picture = item.content[:, :, 0] if item.content.shape[2:] == (1,) else item.content
            Image.fromarray(np.ascontiguousarray(picture)).save(path, format="PNG")
        yield {"id": item.id, "file": path.relative_to(folder).as_posix()}


def _free_path(folder: Path, item: DecodedItem, ending: str) -> Path:
    """Return the path of an item: its id where that is a name of files, else its position."""
    name = safe_name(item.id)
    if name is not None:
        path = folder / f"{name}{ending}"
        if not path.exists() and not any(parent.is_file() for parent in path.parents if folder in parent.parents):
            return path
    return folder / f"item-{item.position}{ending}"


def safe_name(id: str) -> str | None:
    """Return an id as the name of a file without its ending; None if it is not one on every system.

    Examples
    --------
    >>> safe_name("cats/1.jpg"), safe_name("7"), safe_name("../7"), safe_name("/etc/passwd"), safe_name("nul")
    ('cats/1', '7', None, None, None)
    """
    parts = _ENDING.sub("", id).split("/")
    if len(parts) > 8 or not all(_SAFE.fullmatch(part) and not _DEVICES.fullmatch(part) for part in parts):
        return None
    return None if re.fullmatch(r"item-\d+", parts[0]) else "/".join(parts)


def _write_vectors(items: Iterator[DecodedItem], folder: Path) -> Iterator[dict[str, Any]]:
    """Write vectors as the rows of one .npy; the number of rows is known, and written, at the end."""
    rows = width = 0
    with (folder / VECTORS).open("w+b") as file:
        _npy_header(file, 0, 0)
        start = file.tell()
        for item in items:
            vector = np.asarray(item.content.toarray() if hasattr(item.content, "toarray") else item.content)
            width = vector.size
            file.write(vector.astype("<f4").tobytes())
            yield {"id": item.id, "row": rows}
            rows += 1
        file.seek(0)
        _npy_header(file, rows, width)
        if file.tell() != start:  # NumPy leaves room for any number of rows
            raise ArtifactError(f"cannot write {folder / VECTORS}: its header has changed its size")


def _npy_header(file: IO[bytes], rows: int, width: int) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (rows, width)})
