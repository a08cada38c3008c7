"""One space of a collection on disk: encoder, index, and codes where the index does not hold them."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from encoders.artifact import MANIFEST, digest_of, encoder_digest
from encoders.atomic_write import atomic_file
from encoders.base import Encoder
from encoders.codes import Space
from encoders.plain_file import read_plain
from retrieval.spaces.filled_index import Filled

_TYPES: dict[str, Any] = {"str": str, "float": int | float, "int": int, "dict": dict}
ENCODER, INDEX, CODES = "encoder", "index", "codes"
#: In the work folder of an interrupted fit.
SPEC = "spec.txt"


@dataclass(frozen=True)
class SpaceRecord:
    """The record of a space in the manifest; its digests tie the index to the encoder, and the encoder to the items."""

    spec: str
    folder: str
    index: str
    encoder_digest: str
    index_digest: str
    fitted_on: str
    fit_seconds: float
    encode_seconds: float
    code_bytes: int
    space: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: Any) -> SpaceRecord:
        """Read the record of a space from a manifest.

        Raises
        ------
        TypeError, ValueError
            When a field is missing, unknown, or of another type.
        """
        if not isinstance(value, dict) or value.keys() - {one.name for one in fields(cls)}:
            raise TypeError("the record of a space has fields that nearby does not know")
        record = cls(**value)
        Space.from_json(record.space)
        checked_name(record.folder)
        for one in fields(cls):
            field_value, wanted = getattr(record, one.name), _TYPES[str(one.type).partition("[")[0]]
            if not isinstance(field_value, wanted) or isinstance(field_value, bool):
                raise TypeError(f"'{one.name}' of a space is {type(field_value).__name__}")
        return record


def checked_name(name: Any) -> str:
    """Return the name of a file or folder in a manifest; refuse one that leads into another folder.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> checked_name("bm25-d1b2a59f")
    'bm25-d1b2a59f'
    """
    if not isinstance(name, str) or name in ("", ".", "..") or re.search(r"[/\\\0]", name):
        raise ValueError(f"{name!r} is not the name of a file that nearby writes")
    return name


def folder_name(spec: str) -> str:
    """Return the folder name of a spec: readable, safe, unique.

    Examples
    --------
    >>> folder_name("pixels+pca:30")
    'pixels-pca-30-a7483882'
    """
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", spec).strip("-.")[:40]
    return f"{readable}-{hashlib.sha256(spec.encode()).hexdigest()[:8]}"


def note_spec(work: Path, spec: str) -> None:
    """Write the spec of an interrupted fit into its work folder, whose name does not hold all of it."""
    with suppress(OSError), atomic_file(work / SPEC) as file:
        file.write(spec.encode())


def spec_of(work: Path) -> str:
    """Return the spec of an interrupted fit, or the name of its work folder if none was written."""
    try:
        return read_plain(work / SPEC, 100_000).decode()
    except (OSError, ValueError):
        return work.name


def save_space(spaces: Path, encoder: Encoder, filled: Filled, fit_seconds: float) -> SpaceRecord:
    """Write a new space below `spaces` and return its record."""
    spec = str(encoder)
    target = spaces / folder_name(spec)
    encoder.save(target / ENCODER)
    record = SpaceRecord(
        spec=spec,
        folder=target.name,
        index=filled.index.description,
        encoder_digest=encoder_digest(target / ENCODER),
        index_digest="",
        fitted_on=encoder.fitted_on or "",
        fit_seconds=fit_seconds,
        encode_seconds=0.0,
        code_bytes=0,
        space=encoder.space.to_json(),
    )
    return save_index(target, record, filled)


def save_index(target: Path, record: SpaceRecord, filled: Filled) -> SpaceRecord:
    """Write the index of a space, and its codes where the index does not hold them; return the new record."""
    filled.index.save(target / INDEX)
    if filled.kept is not None:
        filled.kept.save(target / CODES)
    return with_index(with_cost(record, filled), target)


def with_cost(record: SpaceRecord, more: Filled) -> SpaceRecord:
    """Return the record of a space with the cost of more items."""
    return replace(
        record,
        encode_seconds=record.encode_seconds + more.encode_seconds,
        code_bytes=record.code_bytes + more.code_bytes,
    )


def without_items(record: SpaceRecord, removed: int, before: int) -> SpaceRecord:
    """Return the record of a space that had `before` items, without some of them; a negative number was added.

    Each of their codes counts with the mean size.
    """
    return replace(record, code_bytes=record.code_bytes - record.code_bytes * removed // before)


def with_index(record: SpaceRecord, folder: Path) -> SpaceRecord:
    """Return the record of a space with the digest of the index in its folder."""
    return replace(record, index_digest=digest_of(folder / INDEX / MANIFEST))
