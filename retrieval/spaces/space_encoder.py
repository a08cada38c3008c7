"""The encoder of a space, from a spec or a folder; what it cannot read is refused before any work."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from encoders.artifact import MANIFEST
from encoders.atomic_write import recovered
from encoders.base import Encoder
from encoders.codes import Modality
from encoders.errors import ArtifactError, BadItemError, NearbyError
from encoders.registry import create
from indexers.registry import check_description
from retrieval.corpora.base import Corpus
from retrieval.corpora.inputs import reads_ids

#: Text that begins like this is a path, not a spec.
_PATHS = ("./", "../", "/", "~")


def encoder_of(spec: str) -> Encoder:
    """Return the unfitted encoder that a spec describes, or the fitted one in the folder that it names.

    A spec wins over a folder with the same name; write ./bow for the folder.

    Raises
    ------
    SpecError, UnknownNameError, OptionError
        When no encoder has this spec.
    ArtifactError
        When a folder holds no encoder, or there is none at a path.
    """
    folder = Path(spec).expanduser()
    try:
        return create(spec)
    except NearbyError:
        if is_saved(folder) or (os.sep in spec and folder.is_dir()):
            return Encoder.load(folder)
        if spec.startswith(_PATHS) and not folder.exists():
            raise ArtifactError(f"there is no folder {spec} with a trained encoder") from None
        raise


def is_saved(folder: Path) -> bool:
    """Return whether a folder has the manifest of a saved encoder."""
    recovered(folder)
    try:
        return (folder / MANIFEST).is_file()
    except OSError:  # too long for a path: a spec
        return False


def require_fields(corpus: Corpus, encoders: Iterable[Encoder]) -> None:
    """Raise before any fit when an encoder learns from a field that no item has.

    Raises
    ------
    UnknownNameError, BadItemError
    """
    unfitted = [encoder for encoder in encoders if not encoder.__sklearn_is_fitted__()]
    for field in dict.fromkeys(encoder.label_field for encoder in unfitted):
        corpus.batches(label_field=field)


def planned(spec: str, description: str | None, modality: Modality) -> Encoder:
    """Return a space's encoder (see `encoder_of`), or raise an error before any work.

    Raises
    ------
    SpecError, UnknownNameError, OptionError
        For an encoder or index that does not exist.
    BadItemError
        When the encoder reads another sort of items.

    Examples
    --------
    >>> planned("bm25", None, Modality.IMAGE)
    Traceback (most recent call last):
    encoders.errors.BadItemError: 'bm25' reads texts, but this corpus holds images
    """
    encoder = encoder_of(spec)
    check_description(description)
    if encoder.reads is not modality and not reads_ids(encoder):
        raise BadItemError(f"'{encoder}' reads {encoder.reads}s, but this corpus holds {modality}s")
    return encoder
