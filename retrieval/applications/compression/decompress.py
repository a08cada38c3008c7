"""Decoded items as files: PNG for pictures, WAV for sounds, one .npy for vectors; and a list of them, in a folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from encoders.atomic_write import atomic_folder
from encoders.codes import Modality
from encoders.errors import ArtifactError, OptionError
from encoders.numbers import counted
from encoders.progress import progress
from retrieval.applications.compression.compressed_items import CompressedItems, DecodedItem
from retrieval.applications.compression.nby_file import damage_lines
from retrieval.output import write_npy, write_wav, writing

LIST, VECTORS = "items.jsonl", "items.npy"
#: A part of a name that every file system takes as it is.
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ -]{0,99}(?<![. ])")
#: Names that Windows keeps for devices.
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
#: Names of single files, not of folders.
_FILE = re.compile(r"(?i)\.(png|jpe?g|gif|bmp|webp|tiff?|wav|flac|mp3|ogg|npy|npz|jsonl?|zip|nby)$")
_ENDING = re.compile(r"(?i)\.(png|jpe?g|gif|bmp|webp|tiff?|ppm|pgm|wav|flac|ogg|mp3)$")


@dataclass
class Decompressed:
    """What was written.

    Attributes
    ----------
    source, path : Path
        The compressed file; the folder, or the file of a single item, that was written.
    items : int
        Number of items that were written.
    asked : int
        Number of items that were to be written.
    damage : list of str
        A sentence for each damaged chunk.
    """

    source: Path
    path: Path
    items: int
    asked: int
    damage: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "file": str(self.source),
            "written" if names_a_file(self.path) else "folder": str(self.path),
            "items": self.items,
            "lost": self.asked - self.items,
            "damage": self.damage,
        }

    def lines(self) -> list[str]:
        """Return it as lines of a terminal."""
        return [*self.damage, f"{self.items:,} of {counted(self.asked, 'item')} written"]

    def require_whole(self) -> None:
        """Raise an error when something was lost.

        Raises
        ------
        ArtifactError
        """
        if self.damage:
            lost = self.asked - self.items
            if not lost:
                raise ArtifactError(f"{self.source} is damaged, but no item is lost: all asked for are in {self.path}")
            some = "the only item is lost" if self.asked == 1 else f"{lost:,} of {self.asked:,} items are lost"
            what = f"{self.source} is damaged: {some}"
            raise ArtifactError(f"{what}; the rest is in {self.path}" if self.items else what)


def names_a_file(path: Path) -> bool:
    """Return whether a path looks like the file of a single item, as ``seven.png`` does."""
    return _FILE.search(path.name) is not None and not path.is_dir()


def require_free(folder: Path, names: Sequence[str] = ()) -> None:
    """Refuse a folder that holds something, and a file that exists or cannot hold the items.

    Raises
    ------
    OptionError
    """
    if names_a_file(folder):
        if len(dict.fromkeys(names)) != 1:
            raise OptionError(f"{folder} is the name of a file, which holds one item: name one item, or a folder")
        if folder.exists() or folder.is_symlink():
            raise OptionError(f"{folder} exists: name a new file")
    elif folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
        raise OptionError(f"{folder} exists and is not an empty folder: name a new one")


def decompress(items: CompressedItems, folder: str | Path, names: Sequence[str] = ()) -> Decompressed:
    """Write decoded items to a new folder; those of damaged chunks are left out.

    Parameters
    ----------
    items : CompressedItems
    folder : str or Path
        New or empty. It gets ``items.jsonl``, a line for each item with its id and file (or row), and the items. Or the
        new file of a single item, as ``seven.png``.
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
    require_free(folder, names)
    positions = list(dict.fromkeys(items.position(name) for name in names)) if names else None
    asked = len(items) if positions is None else len(positions)
    if positions is not None and names_a_file(folder):
        written = _write_one(items, positions[0], folder)
        return Decompressed(items.reader.path, folder, written, asked, _damage(items))
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
    return Decompressed(items.reader.path, folder, written, asked, _damage(items))


def _damage(items: CompressedItems) -> list[str]:
    reader = items.reader
    ends = {
        "are cut off its end": reader.missing_bytes,
        "behind its end are not read": reader.extra_bytes,
    }
    lines = [f"{reader.path} is damaged: {counted(size, 'byte')} {what}" for what, size in ends.items() if size]
    return [*damage_lines(items.damaged), *reader.repaired, *lines]


def _write_one(items: CompressedItems, position: int, path: Path) -> int:
    """Write one item as a file; return how many items that were."""
    item = next(items.read([position]), None)
    if item is None:
        return 0
    ending = _ending(item)
    if path.suffix.lower() != ending:
        raise OptionError(f"{path} should end in {ending}")
    if ending == ".wav":
        write_wav(path, [item.content])
    elif ending == ".npy":
        write_npy(path, _vector(item)[None])
    else:
        with writing(path) as file:
            _picture(item).save(file, format="PNG")
    return 1


def _ending(item: DecodedItem) -> str:
    if hasattr(item.content, "samples"):
        return ".wav"
    return ".npy" if np.ndim(item.content) < 2 or hasattr(item.content, "toarray") else ".png"


def _picture(item: DecodedItem) -> Any:
    from PIL import Image

    picture = item.content[:, :, 0] if item.content.shape[2:] == (1,) else item.content
    return Image.fromarray(np.ascontiguousarray(picture))


def _vector(item: DecodedItem) -> NDArray[np.float32]:
    vector = item.content.toarray() if hasattr(item.content, "toarray") else item.content
    return np.asarray(vector, np.float32).ravel()


def _write_files(items: Iterator[DecodedItem], folder: Path) -> Iterator[dict[str, Any]]:
    """Write pictures or sounds, one file each."""
    for item in items:
        ending = _ending(item)
        path = _free_path(folder, item, ending)
        path.parent.mkdir(parents=True, exist_ok=True)
        if ending == ".wav":
            write_wav(path, [item.content])
        else:
            _picture(item).save(path, format="PNG")
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
            vector = _vector(item)
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
