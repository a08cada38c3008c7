"""The backends of sentence models besides torch: ONNX Runtime and OpenVINO, which read other files."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import ArtifactError, MissingLibraryError, OptionError

TORCH = "torch"
#: Backend -> the modules it needs; the extra of nearby has its name.
MODULES = {TORCH: (), "onnx": ("optimum", "onnxruntime"), "openvino": ("optimum", "openvino")}
#: Backend -> the files of its weights in the folder of a model.
_FILES = {"onnx": ("*.onnx", "*.onnx_data"), "openvino": ("*.xml", "*.bin")}
#: The models whose own code may run when a saved space is opened, separated by commas.
TRUST_VARIABLE = "NEARBY_TRUST_REMOTE_CODE"


def require_backend(name: str, backend: str, model: str, precision: str) -> None:
    """Raise, before a model is loaded, when its backend cannot be used.

    Raises
    ------
    MissingLibraryError
        Naming the extra that brings the libraries.
    OptionError, ArtifactError
        When the model is not a folder with files of that backend, or the precision is one of torch.
    """
    if backend == TORCH:
        return
    missing = [module for module in MODULES[backend] if importlib.util.find_spec(module) is None]
    if missing:
        raise MissingLibraryError(
            f"{name}: backend={backend} needs {' and '.join(missing)}: pip install 'nearby-spaces[{backend}]'"
        )
    if precision != "fp32":
        raise OptionError(
            f"{name}: precision={precision} is one of backend={TORCH}: leave it out with backend={backend}"
        )
    if not weight_files(model, backend):
        raise ArtifactError(
            f"{name}: {model} is no folder with weights for backend={backend} ({' or '.join(_FILES[backend])}): export "
            "the model there first, as sentence-transformers describes"
        )


def weight_files(model: str, backend: str) -> list[Path]:
    """Return the files of the weights of a backend in the folder of a model, sorted."""
    folder = Path(model)
    return sorted({path for pattern in _FILES[backend] for path in folder.rglob(pattern)}) if folder.is_dir() else []


def files_fingerprint(model: str, backend: str) -> NDArray[np.uint8]:
    """Return the SHA-256 of the weight files of a backend and of all settings of the model, as uint8 (32,)."""
    digest = hashlib.sha256()
    for path in [*weight_files(model, backend), *sorted(Path(model).rglob("*.json"))]:
        digest.update(path.relative_to(model).as_posix().encode() + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return np.frombuffer(digest.digest(), dtype=np.uint8)


def require_trusted(name: str, model: str) -> None:
    """Raise when a saved space would run the code of a model that the user of this command has not named.

    The spec of a space is in its folder, which may come from somebody else: what it says is not the user's consent.

    Raises
    ------
    ArtifactError
    """
    trusted = [one.strip() for one in os.environ.get(TRUST_VARIABLE, "").split(",")]
    if model not in trusted:
        raise ArtifactError(
            f"{name}: this saved space runs code that comes with the model '{model}': if you trust it, set "
            f"{TRUST_VARIABLE}={model}"
        )


def loading_options(backend: str, trusts: bool) -> dict[str, Any]:
    """Return the options with which sentence-transformers opens a model."""
    files = {"use_safetensors": True} if backend == TORCH else {}
    return {"backend": backend, "trust_remote_code": trusts, "model_kwargs": files}
