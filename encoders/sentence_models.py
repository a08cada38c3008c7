"""Sentence-transformers models: load from a folder, the cache or the hub; encode; fingerprint."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Modality, Space
from encoders.cpu_count import available_cores
from encoders.errors import ArtifactError, MissingLibraryError, NearbyError
from encoders.hub import first_sentence, is_own_code, not_here, own_code, reach_hub, unreadable
from encoders.sentence_backends import TORCH, files_fingerprint, loading_options, weight_files

#: The default model.
DEFAULT = "all-MiniLM-L6-v2"
#: Classes of sentence-transformers: a dense model, by default.
DENSE_MODEL = "SentenceTransformer"


class Loaded(NamedTuple):
    """A model in memory and its fingerprint."""

    model: Any
    fingerprint: NDArray[np.uint8]


class EmbedsTexts:
    """The base of encoders with such a model: documents and queries are embedded by different methods of it.

    A subclass implements ``_embedded(texts, method)`` and names this class before `Encoder`.
    """

    reads: ClassVar[Modality] = Modality.TEXT
    answers_without_torch: ClassVar[bool] = False
    space: Space

    def _embedded(self, texts: list[str], method: str) -> Codes:
        raise NotImplementedError

    def _encode(self, items: Any) -> Codes:
        return self._of(items, "encode_document")

    def _encode_queries(self, items: Any) -> Codes:
        return self._of(items, "encode_query")

    def _of(self, texts: list[str], method: str) -> Codes:
        return self._embedded(texts, method) if texts else np.empty((0, self.space.dim), dtype=np.float32)


def absolute(model: str) -> str:
    """Return the absolute path of a local folder, so that any working directory works; other names unchanged."""
    path = os.path.abspath(os.path.expanduser(model))
    return path if path != model and os.path.isdir(path) else model


def load(
    name: str,
    model: str,
    revision: str | None = None,
    max_length: int | None = None,
    backend: str = TORCH,
    trusts: bool | None = None,
    kind: str = DENSE_MODEL,
) -> Loaded:
    """Return a model, read-only and cached; otherwise as `opened`."""
    folder = Path(model)
    written: tuple[Any, ...] = ()
    if folder.is_dir():
        weights = sorted(folder.rglob("*.safetensors")) if backend == TORCH else weight_files(model, backend)
        written = tuple((str(path), path.stat().st_mtime_ns) for path in weights)
    return _load(name, model, revision, max_length, backend, trusts, kind, written)


@lru_cache(maxsize=2)
def _load(
    name: str,
    model: str,
    revision: str | None,
    max_length: int | None,
    backend: str,
    trusts: bool | None,
    kind: str,
    written: tuple[Any, ...],
) -> Loaded:
    """Load a model; `written` (weight files and their times) invalidates the cache if weights are replaced."""
    network = opened(name, model, revision, max_length, backend=backend, trusts=trusts, kind=kind)
    return Loaded(network, fingerprint_of(network) if backend == TORCH else files_fingerprint(model, backend))


def opened(
    name: str,
    model: str,
    revision: str | None = None,
    max_length: int | None = None,
    plain: bool = False,
    backend: str = TORCH,
    trusts: bool | None = None,
    kind: str = DENSE_MODEL,
) -> Any:
    """Open a model from a folder, the Hugging Face cache or the hub, in this order, for the encoder `name`.

    `kind` is the class of sentence-transformers that opens it. With `plain`, a folder may contain a transformer without
    pooling: the mean of its tokens is used. With `trusts`, code that comes with the model is run; None for an encoder
    that has no option for it.

    Raises
    ------
    ArtifactError
        When the folder is missing or is not a sentence-transformers model.
    DownloadError
        When a model is neither in the cache nor on the hub, or the hub cannot be reached.
    """
    import torch

    torch.set_num_threads(available_cores())
    folder = Path(model)
    if folder.is_dir():
        _check_folder(name, folder, plain, trusts)
        network = _opened(name, model, None, True, backend, trusts, kind)
    elif folder.is_absolute():
        raise ArtifactError(f"{name}: there is no model folder {model}: put it back, or give its new path")
    else:
        network = _from_hub(name, model, revision, backend, trusts, kind)
    if backend == TORCH:
        network.float().eval()
    shorten(network, max_length)
    return network


def shorten(network: Any, max_length: int | None) -> None:
    """Make a model read at most `max_length` tokens of a text."""
    if max_length is not None:
        longest = network.max_seq_length
        network.max_seq_length = max_length if longest is None else min(max_length, longest)


def width_of(name: str, model: str, network: Any) -> int:
    """Return the width of an embedding, by embedding one text.

    Raises
    ------
    ArtifactError
        When the model cannot embed: its modules and settings do not fit each other.
    """
    try:
        return int(network.encode_document(["width"], show_progress_bar=False).shape[1])
    except Exception as error:  # the libraries do not check a folder, and can raise any error
        raise ArtifactError(f"{name}: the model '{model}' embeds no text: {first_sentence(error)}") from error


def _check_folder(name: str, folder: Path, plain: bool, trusts: bool | None) -> None:
    """Raise an error for a folder that is not a sentence-transformers model, or that needs its own code."""
    if plain and not (folder / "modules.json").exists():
        _check_transformer(name, folder)
        return
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        types = [module["type"] for module in modules]
    except (OSError, ValueError, TypeError, KeyError):
        raise ArtifactError(
            f"{name}: {folder} is not a sentence-transformers model: it has no readable modules.json"
        ) from None
    foreign = [kind for kind in types if not str(kind).startswith("sentence_transformers.")]
    if foreign and not trusts:
        raise own_code(name, str(folder), str(foreign[0]), can_trust=trusts is not None)


def _check_transformer(name: str, folder: Path) -> None:
    """Raise an error for a folder that is not a transformer either."""
    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, TypeError, KeyError):
        kind = None
    if not isinstance(kind, str):
        raise ArtifactError(
            f"{name}: {folder} holds neither a sentence-transformers model (modules.json) nor a transformer "
            "(config.json with its model_type)"
        )


def _from_hub(name: str, model: str, revision: str | None, backend: str, trusts: bool | None, kind: str) -> Any:
    try:
        return _opened(name, model, revision, True, backend, trusts, kind)
    except NearbyError:  # it is in the cache, and cannot be loaded for another reason
        raise
    except Exception:  # noqa: S110  # not in the cache, or incomplete: the libraries raise many different errors
        pass
    try:
        reach_hub()
        return _opened(name, model, revision, False, backend, trusts, kind)
    except NearbyError:
        raise
    except Exception as error:
        raise not_here(name, model, _repository(model), revision, error) from error


def _repository(model: str) -> str:
    """Return the full name of a model on the hub; sentence-transformers adds the owner to a short name."""
    from sentence_transformers import SentenceTransformer as Model

    # The names of the first transformers, such as bert-base-uncased, have no owner.
    without = getattr(sys.modules.get("sentence_transformers.base.model"), "ORIGINAL_TRANSFORMER_MODELS", ())
    if "/" in model or model.lower() in without:
        return model
    return f"{getattr(Model, 'default_huggingface_organization', None) or 'sentence-transformers'}/{model}"


def _opened(
    name: str, model: str, revision: str | None, local: bool, backend: str, trusts: bool | None, kind: str
) -> Any:
    with quiet():
        import sentence_transformers

        Model = getattr(sentence_transformers, kind)
        try:
            return Model(
                model,
                device="cpu",
                revision=revision,
                local_files_only=local,
                **loading_options(backend, bool(trusts)),
            )
        except Exception as error:
            nearby_error = unreadable(name, model, error, can_trust=trusts is not None)
            # without a folder, the model may only be missing here: the caller asks the hub next, which decides
            may_be_missing = not Path(model).is_dir() and not is_own_code(error)
            if may_be_missing and not isinstance(nearby_error, MissingLibraryError):
                raise
            raise nearby_error from error


@contextmanager
def quiet() -> Iterator[None]:
    """Hide the messages and progress bars of the libraries."""
    from huggingface_hub.utils import logging as hub
    from transformers.utils import logging

    bars = logging.is_progress_bar_enabled()
    verbosity, hub_verbosity = logging.get_verbosity(), hub.get_verbosity()
    logging.set_verbosity_error()
    hub.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        hub.set_verbosity(hub_verbosity)
        if bars:
            logging.enable_progress_bar()


def fingerprint_of(network: Any) -> NDArray[np.uint8]:
    """Return the SHA-256 of the names and bytes of all weights, the pooling and the prompts, as uint8 (32,)."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        name = name.replace("auto_model.", "model.")  # its name up to sentence-transformers 5
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    prompts = {name: prompt for name, prompt in (network.prompts or {}).items() if prompt}
    parts = [[type(module).__name__, _pooling_of(module)] for module in network]
    digest.update(json.dumps([parts, prompts], sort_keys=True).encode())
    return np.frombuffer(digest.digest(), dtype=np.uint8)


def _pooling_of(module: Any) -> str | None:
    mode = getattr(module, "pooling_mode", None)
    if mode is None and hasattr(module, "get_pooling_mode_str"):  # sentence-transformers 5
        mode = module.get_pooling_mode_str()
    return None if mode is None else str(mode)
