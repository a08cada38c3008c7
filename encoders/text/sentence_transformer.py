"""Sentence embeddings of a pretrained transformer."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Kind, Metric, Modality, Space, n_rows
from encoders.cores import available_cores
from encoders.errors import ArtifactError, BadItemError, DownloadError
from encoders.options import option

#: A progress bar appears from so many texts on, where somebody is looking.
MANY_TEXTS = 2000


class Loaded(NamedTuple):
    """A model in memory and what tells it from every other."""

    model: Any
    fingerprint: NDArray[np.uint8]


@dataclass
class SentenceTransformer(Encoder):
    """Codes are the embeddings of a pretrained model; nothing is learnt from the corpus.

    Queries and documents get the prompts that the model was trained with. A saved encoder holds no weights, only the
    model's name and a fingerprint of its weights: another model under the same name is refused. Weights are read from
    safetensors only, and no code that comes with a model is run.

    References
    ----------
    Reimers & Gurevych, Sentence-BERT: sentence embeddings using Siamese BERT-networks, EMNLP 2019.
    """

    name: ClassVar[str] = "sbert"
    reads: ClassVar[Modality] = Modality.TEXT
    answers_without_torch: ClassVar[bool] = False
    model: str = option("all-MiniLM-L6-v2", "model name on the Hugging Face hub, or a local folder")
    batch_size: int = option(64, "texts encoded at a time", ge=1)
    max_length: int | None = option(None, "read so many tokens of a text; none: as many as the model can", ge=3)
    precision: str = option("fp32", "arithmetic", choices=("fp32", "bf16"))
    revision: str | None = option(None, "branch, tag or commit on the hub")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._loaded: Loaded | None = None
        self._fingerprint: NDArray[np.uint8] | None = None
        self._make_absolute()

    def set_params(self, **params: Any) -> Self:
        """Change hyper-parameters; a local folder is made absolute again."""
        super().set_params(**params)
        self._make_absolute()
        return self

    def _make_absolute(self) -> None:
        """Let a saved encoder find a local folder from any working directory."""
        absolute = os.path.abspath(os.path.expanduser(self.model))
        if absolute != self.model and os.path.isdir(absolute):
            self.model = absolute

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        if not any(n_rows(batch.items) for batch in batches):
            raise BadItemError("there is nothing to fit on: the corpus holds no items")
        self._loaded = load(self.model, self.revision, self.max_length)
        self._fingerprint = self._loaded.fingerprint
        width = self._loaded.model.encode_document(["width"], show_progress_bar=False).shape[1]
        return Space(int(width), Kind.DENSE, Metric.COSINE)

    def _encode(self, items: Any) -> Codes:
        return self._embedded(items, "encode_document")

    def _encode_queries(self, items: Any) -> Codes:
        return self._embedded(items, "encode_query")

    def _embedded(self, texts: list[str], method: str) -> Codes:
        if not texts:
            return np.empty((0, self.space.dim), dtype=np.float32)
        import torch

        model = self._known_model()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            codes = getattr(model, method)(
                texts,
                batch_size=self.batch_size,
                show_progress_bar=len(texts) >= MANY_TEXTS and sys.stderr.isatty(),
                convert_to_numpy=True,
            )
        return np.asarray(codes, dtype=np.float32)

    def _known_model(self) -> Any:
        """Return the model, loaded now if need be, once it has proved to be the one that was fitted."""
        if self._loaded is None:
            loaded = load(self.model, self.revision, self.max_length)
            if self._fingerprint is None or not np.array_equal(loaded.fingerprint, self._fingerprint):
                raise ArtifactError(
                    f"sbert: the model at '{self.model}' is not the one this encoder was saved with, so old and new "
                    "codes cannot be compared: bring the old model back, or fit and index again"
                )
            self._loaded = loaded
        return self._loaded.model

    def state(self) -> State:
        """SHA-256 of the model's weights and configuration (32,); the weights stay where they are."""
        assert self._fingerprint is not None, "fit or restore sets it"  # noqa: S101
        return {"fingerprint": self._fingerprint}

    def restore(self, state: State) -> None:
        """Take back what `state` returned; the model is loaded when the first text is encoded."""
        self._fingerprint, self._loaded = state["fingerprint"], None


def load(model: str, revision: str | None = None, max_length: int | None = None) -> Loaded:
    """Load a model from a folder, the Hugging Face cache or the hub, in this order; twice the same costs nothing.

    Raises
    ------
    ArtifactError
        When the folder is missing or holds no sentence-transformers model.
    DownloadError
        When a model is neither in the cache nor on the hub, or the hub cannot be reached.
    """
    folder = Path(model)
    if folder.is_dir():
        _check_folder(folder)
        written = tuple((str(path), path.stat().st_mtime_ns) for path in sorted(folder.rglob("*.safetensors")))
        return _load(model, None, max_length, written)
    if folder.is_absolute():
        raise ArtifactError(f"sbert: there is no model folder {model}: bring it back, or give its new place")
    return _load(model, revision, max_length, ())


def _check_folder(folder: Path) -> None:
    """Refuse what is no sentence-transformers model, and models whose modules are code of their own."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        types = [module["type"] for module in modules]
    except (OSError, ValueError, TypeError, KeyError):
        raise ArtifactError(
            f"sbert: {folder} is not a sentence-transformers model: it has no readable modules.json"
        ) from None
    foreign = [name for name in types if not str(name).startswith("sentence_transformers.")]
    if foreign:
        raise ArtifactError(f"sbert: {folder} needs code of its own ({foreign[0]}), which is never run")


@lru_cache(maxsize=2)
def _load(model: str, revision: str | None, max_length: int | None, written: tuple[Any, ...]) -> Loaded:
    """`written` (weight files and their times) makes the cache forget a folder whose weights were replaced."""
    import torch

    torch.set_num_threads(available_cores())
    network = _opened(model, revision, local=True) if Path(model).is_dir() else _from_hub(model, revision)
    network.float().eval()
    fingerprint = fingerprint_of(network)
    if max_length is not None:
        longest = network.max_seq_length
        network.max_seq_length = max_length if longest is None else min(max_length, longest)
    return Loaded(network, fingerprint)


def _from_hub(model: str, revision: str | None) -> Any:
    # not in the cache, or not wholly: the libraries have a dozen ways to say so
    with suppress(Exception):
        return _opened(model, revision, local=True)
    try:
        _reach_hub()
        return _opened(model, revision, local=False)
    except Exception as error:
        asked = f"'{model}'" if revision is None else f"'{model}' (revision {revision})"
        raise DownloadError(
            f"sbert: cannot get {asked}: it is no folder here, not in the Hugging Face cache, and the hub gave none "
            f"({_first_sentence(error)}); download it where there is a network, with 'hf download {model} "
            "--local-dir FOLDER', and write sbert:FOLDER"
        ) from error


def _reach_hub() -> None:
    """Ask the hub for a sign of life: without a network, loading would try again and again for a minute."""
    from huggingface_hub import constants, get_session

    get_session().head(constants.ENDPOINT, timeout=10)


def _opened(model: str, revision: str | None, local: bool) -> Any:
    with _quiet():
        from sentence_transformers import SentenceTransformer as Model

        try:
            return Model(
                model,
                device="cpu",
                revision=revision,
                local_files_only=local,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except Exception as error:
            if not Path(model).is_dir():
                raise
            raise ArtifactError(f"sbert: cannot read the model in {model}: {_first_sentence(error)}") from error


def _first_sentence(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0].strip()[:200].rstrip('.')}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' notes and bars about loading off the terminal."""
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
