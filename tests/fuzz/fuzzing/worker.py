"""One process that damages inputs and reads them, in bounded memory; it says of each what came of it, a line each.

``python -m fuzzing.worker ROOT SCRATCH`` reads lines ``case<TAB>seed`` and answers each with a line of JSON.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fuzzing.artifacts import ARTIFACTS
from fuzzing.cases import Case, damage, fresh
from fuzzing.readers import READERS

CASES: dict[str, Case] = {case.name: case for case in [*READERS, *ARTIFACTS]}


def _traceback(folder: Path, scratch: Path, rng: random.Random) -> object:
    raise KeyError("a fault")


def _unclear(folder: Path, scratch: Path, rng: random.Random) -> object:
    from encoders.errors import CorpusError

    raise CorpusError("two\nlines")


def _refused(folder: Path, scratch: Path, rng: random.Random) -> object:
    from encoders.errors import CorpusError

    raise CorpusError("one line")


#: Every outcome, for the test of the harness itself.
SELF = {
    f"self {outcome}": Case(f"self {outcome}", lambda folder: None, read)
    for outcome, read in {
        "traceback": _traceback,
        "unclear": _unclear,
        "refused": _refused,
        "memory": lambda folder, scratch, rng: bytearray(2**31),
        "crash": lambda folder, scratch, rng: os.kill(os.getpid(), 11),
        "read": lambda folder, scratch, rng: None,
    }.items()
}
#: What one input may take above what the libraries take by themselves.
MEMORY = 2**30
#: A sentence that nobody reads to its end is none.
LONGEST = 2000


def warm_up(heavy: bool) -> None:
    """Import what readers import, so that the bound holds for the inputs alone."""
    import numpy.random  # noqa: F401
    import PIL.Image
    import pyarrow.parquet  # noqa: F401

    PIL.Image.init()
    import retrieval.search.searcher  # noqa: F401

    if heavy:
        import faiss  # noqa: F401
        import sentence_transformers  # noqa: F401
        import sklearn.decomposition  # noqa: F401
        import torch

        torch.set_num_threads(1)


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Let the process take no more than `MEMORY` beside what it has."""
    with open("/proc/self/statm") as file:
        held = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def peak_bytes() -> int:
    """The most memory held since the last call of `forget_peak`."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


def forget_peak() -> None:
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def outcome_of(case: Case, good: Path, scratch: Path, seed: int) -> dict[str, Any]:
    """Damage a copy of the good files, read it, and say what came of it."""
    from encoders.errors import NearbyError

    place = fresh(scratch / "input")
    shutil.copytree(good, place, dirs_exist_ok=True, copy_function=os.link, symlinks=True)
    rng: random.Random = damage(case, place, seed)
    made = fresh(scratch / "made")
    forget_peak()
    before, started = peak_bytes(), time.process_time()
    found: dict[str, Any]
    try:
        with bounded_memory():
            case.read(place, made, rng)
        found = {"outcome": "read"}
    except NearbyError as error:
        text = str(error)
        plain = bool(text.strip()) and "\n" not in text and len(text) <= LONGEST
        found = {"outcome": "refused" if plain else "unclear", "text": text[:300]}
    except MemoryError as error:
        found = {"outcome": "memory", "text": _where(error)}
    except BaseException as error:
        found = {"outcome": "traceback", "text": _where(error)}
    peak = max(0, peak_bytes() - before)
    if peak > MEMORY and found["outcome"] in ("read", "refused"):
        found = {"outcome": "memory", "text": f"{peak / 2**20:.0f} MiB"}
    return {**found, "bytes": peak, "seconds": round(time.process_time() - started, 3)}


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame for frame in frames if "/fuzz/fuzzing/" not in frame.filename and "site-packages" not in frame.filename
    ]
    last = own[-1] if own else frames[-1]
    inner = [
        frame
        for frame in frames
        if any(f"/{room}/" in frame.filename for room in ("retrieval", "encoders", "indexers"))
    ]
    last = inner[-1] if inner else last
    return (
        f"{type(error).__name__} {str(error)[:150]!r} at {last.filename.rpartition('/')[2]}:{last.lineno} {last.name}"
    )


def main(root: str, scratch: str, heavy: str = "") -> None:
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no answer
    warm_up(bool(heavy))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print(json.dumps({"ready": True}), file=answers)
    for line in sys.stdin:
        name, seed = line.rstrip("\n").split("\t")
        try:
            found = outcome_of({**CASES, **SELF}[name], Path(root) / name, Path(scratch), int(seed))
        except Exception as error:  # of the damage, not of the reading
            found = {"outcome": "harness", "text": repr(error)[:300]}
        print(json.dumps({"case": name, "seed": int(seed), **found}), file=answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
