"""What changes to a large collection cost: vectors in FAISS' IVF index; items added and removed; searches in segments.

A million vectors of 128 numbers are indexed; FAISS alone, in the same run, trains, adds and writes the same. Then 1,000
items are added nine times, and removed; each change is a process of its own, as a command is, and its seconds, the most
memory and the bytes it wrote (hard-linked files are not written) are measured. The same queries are answered in one
segment, in ten, and after `compact`.

Run: ``python benchmarks/segments.py [ITEMS]``
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from record import nothing_else, record, say

from retrieval.collection.local import LocalCollection
from retrieval.corpora.base import Item

WIDTH, ADDED, TIMES = 128, 1_000, 9
QUERIES, SINGLE, REPEATS = 1_000, 200, 5


def main(*arguments: str) -> None:
    """Measure with a million items, or as many as asked for."""
    n = int(arguments[0]) if arguments else 1_000_000
    nothing_else(arguments[1:])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        every = clustered(n + ADDED * TIMES)
        np.save(folder / "vectors.npy", every)
        np.save(folder / "first.npy", every[:n])
        del every
        found: dict[str, Any] = {"items": n, "width": WIDTH, "index": description(n)}
        found["faiss"] = run("faiss", folder, n)
        found["indexing"] = run("index", folder, n)
        found["bytes"] = {"collection": LocalCollection(folder / "c").info().bytes, "codes": 4 * n * WIDTH}
        found["search, one segment"] = run("search", folder, n)
        found["adding"] = [run("add", folder, n + turn * ADDED) for turn in range(TIMES)]
        found["segments"] = len(LocalCollection(folder / "c").segments)
        found["search, in segments"] = run("search", folder, n)
        found["removing"] = [run("delete", folder, turn) for turn in range(3)]
        found["compacting"] = run("compact", folder, n)
        found["search, compact"] = run("search", folder, n)
        say(json.dumps(found, indent=1))
        record("segments", found)


def clustered(n: int) -> Any:
    """Return vectors around 1,000 centres, as embeddings are; uniform noise has no near neighbours."""
    draw = np.random.default_rng(0)
    centres = draw.standard_normal((1_000, WIDTH), dtype=np.float32)
    vectors = draw.standard_normal((n, WIDTH), dtype=np.float32)
    vectors *= 0.5
    vectors += centres[draw.integers(0, 1_000, n)]
    return vectors


def description(n: int) -> str:
    """Return the index: about sqrt(n) lists."""
    return f"faiss:IVF{2 ** int(np.log2(max(64, n) ** 0.5) + 0.5)},Flat?nprobe=16"


def run(step: str, folder: Path, number: int) -> dict[str, Any]:
    """Run a step as a process of its own and return what it measured."""
    made = subprocess.run(
        [sys.executable, __file__, "--step", step, str(folder), str(number)], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(made.stdout.splitlines()[-1])
    say(f"{step} {number:,}: {json.dumps(found)}")
    return found


def measured(step: str, folder: Path, number: int) -> dict[str, Any]:
    """Run a step in this process."""
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    if step == "search":
        return searched(folder, vectors)
    before, started = set(), time.perf_counter()
    if step != "faiss" and step != "index":
        before = inodes(folder / "c")
    {"faiss": faiss_alone, "index": index, "add": add, "delete": delete, "compact": compact}[step](
        folder, vectors, number
    )
    seconds = time.perf_counter() - started
    written = sum(size for inode, size in inodes(folder / "c") - before) if step != "faiss" else 0
    return {"seconds": seconds, "peak_bytes": most_memory(), "written_bytes": written}


def most_memory() -> int:
    """Return the most memory of this process; `getrusage` counts that of the parent before the start, too."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def inodes(folder: Path) -> set[tuple[int, int]]:
    """Return number and size of every file of the current generation."""
    generation = LocalCollection(folder)._stored.generation
    return {(path.stat().st_ino, path.stat().st_size) for path in generation.rglob("*") if path.is_file()}


def faiss_alone(folder: Path, vectors: Any, n: int) -> None:
    """Train, add and write as FAISS' users do."""
    import faiss

    made: Any = faiss.index_factory(WIDTH, description(n).removeprefix("faiss:").partition("?")[0])
    whole = np.ascontiguousarray(vectors[:n])
    made.train(whole)
    made.add(whole)
    faiss.write_index(made, str(folder / "faiss.index"))


def index(folder: Path, vectors: Any, n: int) -> None:
    """Make the collection as ``nearby index`` does."""
    from retrieval.collection.indexing import index_corpus
    from retrieval.corpora.registry import open_corpus

    index_corpus(folder / "c", open_corpus(str(folder / "first.npy")), ["vectors"], description(n))


def add(folder: Path, vectors: Any, start: int) -> None:
    """Add items as ``nearby add`` does."""
    new = (Item(f"new{start + row}", np.array(vectors[start + row])) for row in range(ADDED))
    LocalCollection(folder / "c").put(new)


def delete(folder: Path, vectors: Any, turn: int) -> None:
    """Remove items as ``nearby delete`` does."""
    LocalCollection(folder / "c").delete([str(turn * 2 * ADDED + row) for row in range(ADDED)])


def compact(folder: Path, vectors: Any, n: int) -> None:
    """Merge as ``nearby compact`` does."""
    LocalCollection(folder / "c").compact()


def searched(folder: Path, vectors: Any) -> dict[str, Any]:
    """Return seconds of a query, alone and of many together: the least of some repetitions."""
    collection = LocalCollection(folder / "c")
    (spec,) = collection.spaces
    found = collection.space(spec).index
    queries = np.ascontiguousarray(vectors[:QUERIES]) + np.float32(0.01)
    found.search(queries[:1], 10)
    return {"batch": best(lambda: found.search(queries, 10)) / QUERIES, "single": best(lambda: singles(found, queries))}


def singles(index: Any, queries: Any) -> None:
    """Answer some queries one after the other."""
    for row in range(SINGLE):
        index.search(queries[row : row + 1], 10)[0]


def best(call: Any) -> float:
    """Return the seconds of the fastest of some calls."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        print(json.dumps(measured(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))))
    else:
        main(*sys.argv[1:])
