"""Fit the encoder of a space, or continue a fit that was killed."""

from __future__ import annotations

import time
from pathlib import Path

from encoders.base import Encoder
from encoders.codes import Batches
from encoders.neural.checkpoint import FILE as CHECKPOINT
from encoders.plain_file import entries_below
from encoders.progress import waiting
from retrieval.spaces.kept_codes import kept_blocks
from retrieval.spaces.training_history import training_seconds


def fitted(encoder: Encoder, batches: Batches, work: Path | None = None) -> float:
    """Fit an encoder and return the seconds; for a fitted one, the seconds of its training."""
    if encoder.__sklearn_is_fitted__():
        return training_seconds(encoder)
    started = time.perf_counter()
    with waiting(f"fitting {encoder}"):
        encoder.fit(batches, work=work)
    return time.perf_counter() - started


def begun(encoder: Encoder, count: int, work: Path) -> str:
    """Return the message that `fitted` starts with `count` items."""
    items = f"{count:,} item{'' if count == 1 else 's'}"
    if encoder.__sklearn_is_fitted__():
        return f"encoding {items} by {encoder}, which is already fitted"
    return f"{'continuing to fit' if checkpoints(work) else 'fitting'} {encoder} on {items}"


def checkpoints(work: Path) -> list[Path]:
    """Return the checkpoints below a work folder, however deep; none where the folder is missing or cannot be read."""
    try:
        return [Path(entry.path) for entry in entries_below(work) if entry.name == CHECKPOINT]
    except OSError:
        return []


def is_unfinished(work: Path) -> bool:
    """Return whether a work folder holds what a killed run has fitted or encoded."""
    return bool(checkpoints(work) or kept_blocks(work))
