"""Models on the Hugging Face hub: found in a folder or in the cache, or downloaded."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.errors import ArtifactError, DownloadError, MissingLibraryError, NearbyError

#: How transformers says that a library is not installed, and those that an extra of nearby has.
_LIBRARY = re.compile(r"requires the ([\w.-]+) library")
_EXTRAS = ("timm",)


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


def unreadable(name: str, model: str, error: Exception, can_trust: bool = False) -> NearbyError:
    """Return the error of a model that is here, but that its library cannot load; it says what to do.

    Examples
    --------
    >>> raise unreadable("clip", "m", ImportError("X requires the timm library but it was not found.\\n\\n"))
    Traceback (most recent call last):
    encoders.errors.MissingLibraryError: clip: the model in m needs timm: pip install 'nearby-spaces[timm]'
    """
    if is_own_code(error):
        return own_code(name, model, can_trust=can_trust)
    library = _LIBRARY.search(str(error)) if isinstance(error, ImportError) else None
    if library is not None:
        package = library[1] if library[1] not in _EXTRAS else f"'nearby-spaces[{library[1]}]'"
        return MissingLibraryError(f"{name}: the model in {model} needs {library[1]}: pip install {package}")
    return ArtifactError(f"{name}: cannot read the model in {model}: {first_sentence(error)}")


def is_own_code(error: Exception) -> bool:
    """Return whether a library refused to run the code of a model."""
    return "trust_remote_code" in str(error)


def own_code(name: str, model: str, what: str = "", can_trust: bool = False) -> ArtifactError:
    """Return the refusal of a model that brings program code; `can_trust` if `name` has an option that allows it."""
    code = (
        f"{name}: {model} needs code of its own{f' ({what})' if what else ''}, which could do anything on this machine"
    )
    if can_trust:
        return ArtifactError(f"{code}: read it, and write trust-remote-code=true if you trust it")
    return ArtifactError(f"{code}, and which {name} never runs: choose a model without code")


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
