"""A file of vectors for the items of law tests, as another program would have written it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from encoders.spec import write_stage

ROWS, WIDTH = 300, 12


@cache
def given_spec(prefix: str = "") -> str:
    """The spec of a file with a vector for each of the ids 0 to 299, with a prefix."""
    folder = Path(tempfile.mkdtemp(prefix="nearby-given-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    rows = np.random.default_rng(8).normal(size=(ROWS, WIDTH)).astype(np.float32)
    np.savez(folder / "vectors.npz", vectors=rows, ids=np.array([f"{prefix}{row}" for row in range(ROWS)]))
    return write_stage("given", str(folder / "vectors.npz"), {})
