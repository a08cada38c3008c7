"""A sentence-transformers model as arrays: its weights, and the other files of its folder as bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.atomic_write import temporary_folder
from encoders.errors import ArtifactError
from encoders.sentence_models import opened, quiet

#: Files of a model beside its weights: settings, words, SentencePiece models. Never code, never a pickle.
OTHER_FILES = (".json", ".txt", ".model")
WEIGHTS = ".safetensors"


def packed(network: Any) -> dict[str, NDArray[Any]]:
    """Return a model as arrays: weights by file and name, every other file of its folder as bytes."""
    from safetensors.numpy import load_file

    arrays: dict[str, NDArray[Any]] = {}
    with quiet(), temporary_folder(_temporary_target()) as folder:
        network.save(str(folder), create_model_card=False)
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            inner = path.relative_to(folder).as_posix()
            if path.suffix == WEIGHTS:
                arrays |= {f"{inner}:{key}": value for key, value in load_file(path).items()}
            elif path.suffix in OTHER_FILES:
                arrays[inner] = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    return arrays


def unpacked(name: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """Return the model of the arrays of `packed`.

    Raises
    ------
    ArtifactError
        When the arrays name a file outside the model's folder, or a file other than settings, words and weights.
    """
    from safetensors.numpy import save_file

    weights: dict[str, dict[str, NDArray[Any]]] = {}
    with temporary_folder(_temporary_target()) as folder:
        for key, value in arrays.items():
            inner, _, weight = key.partition(":")
            path = _inside(name, folder, inner, (WEIGHTS,) if weight else OTHER_FILES)
            if weight:
                weights.setdefault(str(path), {})[weight] = value
            else:
                path.write_bytes(value.tobytes())
        for file, tensors in weights.items():
            save_file(tensors, file, metadata={"format": "pt"})
        return opened(name, str(folder))


def _temporary_target() -> Path:
    """Return the path beside which temporary folders of models are; `temporary_folder` removes abandoned ones."""
    return Path(tempfile.gettempdir()) / "nearby-model"


def _inside(name: str, folder: Path, inner: str, suffixes: tuple[str, ...]) -> Path:
    path = PurePosixPath(inner)
    if path.is_absolute() or ".." in path.parts or path.suffix not in suffixes:
        raise ArtifactError(f"{name}: a saved model holds no file '{inner}': this one was not written by nearby")
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    return folder / path
