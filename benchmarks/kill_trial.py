"""Whether killed changes lose anything: a collection in segments is changed, and killed at random moments.

A process adds, replaces, removes and compacts without a pause, and writes down each change before and after it. It is
killed after a random time; then every byte of the collection is compared with its checksums, and all items, codes and
answers with what was written down: a change that was acknowledged is there, one that was not is there completely or not
at all. The next process goes on.

Run: ``python benchmarks/kill_trial.py [KILLS]``
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from record import nothing_else, record, say

from retrieval.collection.indexing import index_corpus
from retrieval.collection.local import LocalCollection
from retrieval.collection.verification import verify
from retrieval.corpora.base import Item
from retrieval.corpora.registry import open_corpus

ITEMS, WIDTH, CHANGED = 12_000, 16, 40
SPECS = ("vectors", "vectors+pca:4")
INDEX = "faiss:IVF16,Flat?nprobe=16"
#: Largest number of seconds from the first change of a process to its kill.
LONGEST = 1.5


def main(*arguments: str) -> None:
    """Kill 200 times, or as often as asked for."""
    kills = int(arguments[0]) if arguments else 200
    nothing_else(list(arguments[1:]))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        np.save(folder / "v.npy", np.stack([vector(number, 0) for number in range(ITEMS)]))
        index_corpus(folder / "c", open_corpus(str(folder / "v.npy")), SPECS, INDEX).close()
        (folder / "log.jsonl").touch()
        found = trial(folder, kills)
    say(found)
    record("kill_trial", {"items": ITEMS, "spaces": SPECS, "index": INDEX, **found})


def vector(number: int, version: int) -> Any:
    """Return the vector of an item; a version above 0 is one that was added later."""
    return np.random.default_rng([number, version]).standard_normal(WIDTH, dtype=np.float32)


def trial(folder: Path, kills: int) -> dict[str, Any]:
    """Kill and look, again and again."""
    draw = np.random.default_rng(0)
    interrupted: Counter[str] = Counter()
    present = dict.fromkeys(range(ITEMS), 0)
    acknowledged, segments, seed = 0, 0, 0
    while interrupted.total() < kills:
        seed += 1
        done = len((folder / "log.jsonl").read_text().splitlines())
        worker = subprocess.Popen([sys.executable, __file__, "--work", str(folder), str(seed)])
        wait_for_line(folder / "log.jsonl", done, worker)
        time.sleep(draw.uniform(0, LONGEST))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()[done:]]
        begun = None
        for line in lines:
            if line["done"]:
                present = after(present, line)
                acknowledged += 1
                begun = None
            else:
                begun = line
        if begun is not None:
            interrupted[begun["change"]] += 1
        present, count = looked_at(folder / "c", present, begun)
        segments = max(segments, count)
        with (folder / "log.jsonl").open("a") as log:  # what was killed may have been published
            log.write(json.dumps({"done": False, "change": "none"}) + "\n")
        if interrupted.total() % 20 == 0:
            say(f"{interrupted.total()} kills, {acknowledged} changes, {count} segments")
    return {
        "kills": interrupted.total(),
        "killed": dict(interrupted),
        "changes": acknowledged,
        "most_segments": segments,
        "lost": 0,  # anything lost ends the trial with an error
    }


def wait_for_line(path: Path, lines: int, worker: subprocess.Popen[bytes]) -> None:
    """Wait until a file has more lines than that; an error if the process ends before."""
    while len(path.read_text().splitlines()) <= lines:
        assert worker.poll() is None, "the process that makes changes ended by itself"
        time.sleep(0.01)


def after(present: dict[int, int], change: dict[str, Any]) -> dict[int, int]:
    """Return number and version of all items, in their order, after a change."""
    left = {number: version for number, version in present.items() if number not in set(change["numbers"])}
    if change["change"] == "add":
        left |= dict.fromkeys(change["numbers"], change["version"])
    return left


def looked_at(folder: Path, present: dict[int, int], begun: dict[str, Any] | None) -> tuple[dict[int, int], int]:
    """Return the items that are there, and the number of segments; an error if that is neither of two states."""
    damaged = verify(folder).damaged
    assert not damaged, damaged
    with LocalCollection(folder) as collection:
        found: list[tuple[str, Any]] = [(item.id, item.content) for item in collection.items]
        states = [present] if begun is None or begun["change"] == "none" else [present, after(present, begun)]
        ids = [id for id, _ in found]
        fitting = [one for one in states if ids == list(map(str, one))]
        assert fitting, f"{len(found)} items are neither of {[len(one) for one in states]}"
        state = fitting[-1]
        if len(fitting) == 2 and begun is not None and begun["numbers"]:  # replaced in place: versions tell
            state = next(one for one in fitting if np.array_equal(matrix(one), np.stack([v for _, v in found])))
        wanted = matrix(state)
        np.testing.assert_array_equal(np.stack([content for _, content in found]), wanted)
        np.testing.assert_array_equal(collection.codes_of("vectors").codes(), wanted)
        asked = wanted[:: max(1, len(wanted) // 50)]
        for spec in SPECS:
            space = collection.space(spec)
            hits = space.index.search(space.encoder.encode_queries(asked), 1)
            assert [one[0].id for one in hits] == ids[:: max(1, len(wanted) // 50)], spec
        return state, max(1, len(collection.segments))


def matrix(state: dict[int, int]) -> Any:
    """Return the vectors of items."""
    return np.stack([vector(number, version) for number, version in state.items()])


def work(folder: Path, seed: int) -> None:
    """Change the collection until killed; each change is written down before it begins and after it is published."""
    draw = np.random.default_rng(seed)
    with (folder / "log.jsonl").open("a", buffering=1) as log:
        for turn in range(1_000_000):
            with LocalCollection(folder / "c") as collection:
                ids = np.array([int(id) for block in collection.items.blocks(4096) for id in block.ids])
                kind = ("add", "delete", "add", "compact")[draw.choice(4, p=(0.4, 0.25, 0.25, 0.1))]
                old = draw.choice(ids, CHANGED // 2, replace=False).tolist()
                new = [] if kind == "delete" else (ids.max() + 1 + np.arange(CHANGED // 2)).tolist()
                numbers = [] if kind == "compact" else [int(number) for number in (*old, *new)]
                change: dict[str, Any] = {"change": kind, "numbers": numbers, "version": seed * 1_000_000 + turn + 1}
                log.write(json.dumps({"done": False, **change}) + "\n")
                if kind == "add":
                    collection.put(Item(str(number), vector(number, change["version"])) for number in numbers)
                elif kind == "delete":
                    collection.delete([str(number) for number in numbers])
                else:
                    collection.compact()
                log.write(json.dumps({"done": True, **change}) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main(*sys.argv[1:])
