"""The identity of a collection on a server: random, made with it, kept in its folder and in every index it makes."""

from __future__ import annotations

from pathlib import Path

from encoders.atomic_write import atomic_file
from indexers.elasticsearch.ownership import new_identity
from retrieval.collection.generations import WORK, Generations
from retrieval.collection.manifest import Manifest

#: In the work folder: the identity of a collection whose first load has not ended.
IDENTITY_FILE = "identity"


def identity_of(folder: Path) -> str:
    """Return the identity of the collection in a folder, of the load that was begun there, or a new one."""
    begun_here = folder / WORK / IDENTITY_FILE
    identity = manifest_identity(folder)
    if not identity and begun_here.is_file() and not begun_here.is_symlink():
        identity = begun_here.read_text(encoding="ascii", errors="replace")[:64].strip()
    return identity if identity.isalnum() else new_identity()


def manifest_identity(folder: Path) -> str:
    """Return the identity that the manifest in a folder holds; empty if there is none."""
    present = Generations(folder).current()
    return "" if present is None else Manifest.read(present).identity


def note_identity(folder: Path, identity: str) -> None:
    """Keep the identity of a collection whose folder is not written yet, so that an interrupted load resumes."""
    Generations(folder).refuse_links()
    with atomic_file(folder / WORK / IDENTITY_FILE) as file:
        file.write(identity.encode("ascii"))
