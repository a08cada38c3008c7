"""What a million texts cost: abstracts repeated with changed words, indexed in BM25 and in latent semantic analysis.

Ten thousand, a hundred thousand and a million texts, each space by a process of its own, as ``nearby index`` does it:
stored, fitted, encoded, indexed, written. In every repetition a tenth of the words are others of the corpus. Growth is
the exponent of the cost from a size to the next: 1 is linear.

Run: ``NEARBY_DATA=... python benchmarks/million_texts.py [ITEMS ...]``
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from record import record, say, timed
from segments import most_memory

from retrieval.collection.indexing import index_corpus
from retrieval.corpora.registry import open_corpus

SPECS = ("bm25", "tfidf:min-df=2,stop=english,stem=none+lsa:256")
SIZES = (10_000, 100_000, 1_000_000)
QUERIES, CHANGED = 200, 0.1


def main(*arguments: str) -> None:
    """Measure the sizes asked for, by default all."""
    sizes = [int(size) for size in arguments] or list(SIZES)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for size in sizes:
            path = Path(scratch) / f"{size}.jsonl"
            with path.open("w") as file:
                file.writelines(f"{json.dumps(one)}\n" for one in texts(size))
            for spec in SPECS:
                made = subprocess.run(
                    [sys.executable, __file__, "--one", spec, str(path)], check=True, stdout=subprocess.PIPE, text=True
                )
                rows.append({"spec": spec, "items": size, **json.loads(made.stdout.splitlines()[-1])})
                say(rows[-1])
            path.unlink()
    record("million_texts", {"rows": rows, "changed": CHANGED, "queries": QUERIES, "growth": growths(rows)})


def texts(count: int) -> Iterator[dict[str, str]]:
    """Give abstracts; from the second repetition on, some of their words are drawn from all words."""
    known = [str(item.content).split() for item in open_corpus("arxiv-80k")]
    words = np.array(sorted({word for text in known[:10_000] for word in text}))
    draw = np.random.default_rng(0)
    for number in range(count):
        repetition, row = divmod(number, len(known))
        text = known[row]
        if repetition:
            text = list(text)
            for place in np.flatnonzero(draw.random(len(text)) < CHANGED):
                text[place] = str(words[draw.integers(len(words))])
        yield {"id": str(number), "text": " ".join(text)}


def one(spec: str, path: str) -> dict[str, Any]:
    """Index a file of texts in one space, and ask some of its beginnings."""
    with tempfile.TemporaryDirectory() as scratch:
        corpus = open_corpus(path)
        with timed() as indexing:
            collection = index_corpus(Path(scratch) / "c", corpus, [spec])
        peak = most_memory()
        first = [item.content for item, _ in zip(corpus, range(QUERIES), strict=False)]
        opened = collection.space(collection.resolve(spec))
        queries = opened.encoder.encode_queries([" ".join(str(text).split()[:12]) for text in first])
        opened.index.search(queries[:1], 10)
        with timed() as asking:
            opened.index.search(queries, 10)
        return {
            "seconds": indexing.value,
            "items_per_second": collection.items.size / indexing.value,
            "peak_bytes": peak,
            "bytes": collection.info().bytes,
            "search_seconds": asking.value,
        }


def growths(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the exponents between each size and the next."""
    found = []
    for spec in SPECS:
        of = [row for row in rows if row["spec"] == spec]
        for small, large in pairwise(of):
            step = math.log(large["items"] / small["items"])
            names = ("seconds", "peak_bytes", "bytes", "search_seconds")
            exponents = {name: math.log(large[name] / small[name]) / step for name in names}
            found.append({"spec": spec, "from": small["items"], "to": large["items"], **exponents})
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(*sys.argv[2:])))
    else:
        main(*sys.argv[1:])
