"""The encoder of a ``.nby`` file: inside the file as one section, or named by its digest."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path
from typing import Any

from encoders.artifact import MANIFEST, STATE, VOCABULARY, encoder_digest
from encoders.base import Encoder
from encoders.errors import ArtifactError, OptionError
from retrieval.applications.compression.nby_reader import NbyReader

SECTION = "encoder"
#: Files of a saved encoder in the order of the section; no other name is ever read or written.
_NAMES = (MANIFEST, STATE, VOCABULARY)
_SIZES = struct.Struct("<3Q")
#: Size of a file that a saved encoder does not have.
_MISSING = (1 << 64) - 1


def pack_encoder(folder: Path) -> bytes:
    """Return the files of a saved encoder as one section: their three sizes, then their bytes."""
    files = [(folder / name).read_bytes() if (folder / name).exists() else None for name in _NAMES]
    sizes = [_MISSING if data is None else len(data) for data in files]
    return _SIZES.pack(*sizes) + b"".join(data for data in files if data is not None)


def packed(encoder: Encoder) -> tuple[bytes, dict[str, Any]]:
    """Return a fitted encoder as a section, and what a header says of it: spec and digest."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = encoder.save(Path(temporary) / "encoder")
        return pack_encoder(folder), {"spec": str(encoder), "digest": encoder_digest(folder)}


def unpack_encoder(section: bytes, digest: str | None = None) -> Encoder:
    """Load the encoder that `pack_encoder` packed.

    Parameters
    ----------
    section : bytes
    digest : str, optional
        The digest that it should have.

    Raises
    ------
    ArtifactError
        When the section is not one, or the encoder is damaged or another one.
    """
    sizes = _SIZES.unpack(section[: _SIZES.size]) if len(section) >= _SIZES.size else ()
    if not sizes or _SIZES.size + sum(size for size in sizes if size != _MISSING) != len(section):
        raise ArtifactError("the encoder in the file is corrupt: its parts do not have the sizes that it says")
    with tempfile.TemporaryDirectory() as temporary:
        folder, at = Path(temporary) / "encoder", _SIZES.size
        folder.mkdir()
        for name, size in zip(_NAMES, sizes, strict=True):
            if size != _MISSING:
                (folder / name).write_bytes(section[at : at + size])
                at += size
        try:
            encoder = Encoder.load(folder)
        except ArtifactError as error:
            raise ArtifactError(str(error).replace(str(folder), "the encoder in the file")) from None
        actual = encoder_digest(folder)
    if digest is not None and actual != digest:
        raise ArtifactError(
            f"the encoder in the file is another one: its digest is {actual[:12]}, the file needs {digest[:12]}"
        )
    return encoder


def open_encoder(reader: NbyReader, folder: Path | None = None) -> Encoder:
    """Return the encoder with which a file was compressed.

    Parameters
    ----------
    reader : NbyReader
        Its description has the field ``encoder`` of `packed`.
    folder : Path, optional
        Folder of a saved encoder; necessary when the file does not hold it.

    Raises
    ------
    OptionError
        When no encoder is given and the file holds none, or another encoder is given.
    ArtifactError
        When the encoder is damaged.
    """
    known = reader.header.description.get("encoder")
    if not isinstance(known, dict) or not isinstance(known.get("digest"), str):
        raise ArtifactError(f"{reader.path} is corrupt: it does not say which encoder it needs")
    if folder is None and not reader.has_section(SECTION):
        raise OptionError(
            f"{reader.path} does not hold its encoder, {ascii(known.get('spec'))[:200]} with digest "
            f"{known['digest'][:12]}: name its folder with --encoder"
        )
    if folder is None:
        try:
            return unpack_encoder(reader.section(SECTION), known["digest"])
        except ArtifactError as error:
            raise ArtifactError(
                f"{error}; if you have the saved encoder ({known['digest'][:12]}), name its folder with --encoder"
            ) from None
    encoder = Encoder.load(folder)
    actual = encoder_digest(folder)
    if actual != known["digest"]:
        raise OptionError(
            f"{folder} holds another encoder than the one of {reader.path}: its digest is {actual[:12]}, "
            f"the file needs {known['digest'][:12]} ({ascii(known.get('spec'))[:200]})"
        )
    return encoder
