"""Models on the Hugging Face hub: found in a folder or in the cache, or downloaded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.errors import ArtifactError, DownloadError


def model_folder(name: str, model: str, revision: str | None, patterns: Sequence[str]) -> Path:
    """Return the folder of a model for the encoder `name`: the folder itself, the one in the cache, or a download.

    Raises
    ------
    ArtifactError
        When the folder is missing.
    DownloadError
        When the model is neither here nor on the hub, or the hub cannot be reached.
    """
    if Path(model).is_dir():
        return Path(model)
    if Path(model).is_absolute():
        raise ArtifactError(f"{name}: there is no model folder {model}: put it back, or give its new path")
    from huggingface_hub import snapshot_download

    with suppress(Exception):  # not in the cache: the library raises many different errors
        return Path(snapshot_download(model, revision=revision, allow_patterns=list(patterns), local_files_only=True))
    try:
        reach_hub()
        return Path(snapshot_download(model, revision=revision, allow_patterns=list(patterns)))
    except Exception as error:
        raise not_here(name, model, model, revision, error) from error


def not_here(name: str, model: str, repository: str, revision: str | None, error: Exception) -> DownloadError:
    """Return the error of a model that is neither here nor on the hub; it says how to bring it."""
    asked = f"'{model}'" if revision is None else f"'{model}' (revision {revision})"
    return DownloadError(
        f"{name}: cannot get {asked}: it is not a folder here, not in the Hugging Face cache, and the hub gave "
        f"none ({first_sentence(error)}); download it where there is a network, with 'hf download "
        f"{repository}{f' --revision {revision}' if revision else ''} --local-dir FOLDER', "
        f"and write {name}:FOLDER"
    )


def reach_hub() -> None:
    """Send one request to the hub: without a network, loading would retry for a minute."""
    from huggingface_hub import constants, get_session

    get_session().head(constants.ENDPOINT, timeout=10)


def first_sentence(error: Exception) -> str:
    """Return the type and the first line of another library's error."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0].strip()[:200].rstrip('.')}"


def files_digest(folder: Path, names: Sequence[str]) -> NDArray[np.uint8]:
    """Return the SHA-256 of some files of a folder, with their names, as uint8 (32,)."""
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(name.encode() + b"\0")
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return np.frombuffer(digest.digest(), dtype=np.uint8)
