"""Models of transformers that read pictures: opened from a folder, the cache or the hub; their fingerprint."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.cpu_count import available_cores
from encoders.errors import ArtifactError
from encoders.hub import files_digest, model_folder, unreadable
from encoders.sentence_models import quiet

#: What is read of a model: weights as safetensors, settings, words. Never code, never a pickle.
PATTERNS = ("*.safetensors", "*.json", "*.txt", "*.model")

#: The type that transformers gives to the models of timm, whose own settings have none.
_TIMM = "timm_wrapper"


class ImageModel(NamedTuple):
    """A network in memory, what prepares its input, and its fingerprint, uint8 (32,)."""

    network: Any
    processor: Any
    fingerprint: NDArray[np.uint8]


def load(name: str, model: str, revision: str | None, processor: str, kinds: Sequence[str] = ()) -> ImageModel:
    """Return a model of transformers with its processor, cached.

    Parameters
    ----------
    name : str
        The encoder, for errors.
    model : str
        A folder, or a name on the hub.
    revision : str or None
    processor : str
        ``AutoImageProcessor`` or ``AutoProcessor``.
    kinds : sequence of str
        The model types that are accepted; all if empty.

    Raises
    ------
    ArtifactError
        When the folder holds no such model, or needs code of its own.
    DownloadError
        When the model is neither here nor on the hub.
    """
    folder = model_folder(name, model, revision, PATTERNS)
    kind = _type_of(name, folder)
    if kinds and kind not in kinds:
        raise ArtifactError(f"{name}: {folder} holds a model of type '{kind}'; expected {' or '.join(kinds)}")
    written = tuple((str(path), path.stat().st_mtime_ns) for path in sorted(folder.rglob("*.safetensors")))
    if not written:
        raise ArtifactError(f"{name}: {folder} holds no weights (*.safetensors)")
    return _load(name, str(folder), processor, written)


@lru_cache(maxsize=2)
def _load(name: str, folder: str, processor: str, written: tuple[Any, ...]) -> ImageModel:
    """Load a model; `written` invalidates the cache when weights are replaced."""
    import torch
    import transformers

    torch.set_num_threads(available_cores())
    try:
        with quiet():
            network = transformers.AutoModel.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
            )
            prepare = getattr(transformers, processor).from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
    except Exception as error:  # the libraries raise any error for a folder that does not fit
        raise unreadable(name, folder, error) from error
    network.float().eval()
    root = Path(folder)
    names = [
        path.relative_to(root).as_posix() for pattern in ("*.safetensors", "*.json") for path in root.glob(pattern)
    ]
    return ImageModel(network, prepare, files_digest(root, names))


def _type_of(name: str, folder: Path) -> str:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = config.get("model_type", _TIMM if "pretrained_cfg" in config else None)
    except (OSError, ValueError, TypeError, AttributeError):
        kind = None
    if not isinstance(kind, str):
        raise ArtifactError(f"{name}: {folder} holds no model of transformers (config.json with its model_type)")
    return kind


def pictures(items: Sequence[NDArray[Any]]) -> list[Any]:
    """Return pictures as colour images, which these models read."""
    from PIL import Image

    return [Image.fromarray(np.asarray(item, np.uint8).squeeze()).convert("RGB") for item in items]


def prepared(model: ImageModel, items: Sequence[NDArray[Any]], batch_size: int, device: str) -> Iterator[Any]:
    """Yield the input of a network, batch by batch."""
    for start in range(0, len(items), batch_size):
        yield model.processor(images=pictures(items[start : start + batch_size]), return_tensors="pt").to(device)
