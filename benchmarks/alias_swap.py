"""Whether a search fails, or sees two generations at once, while a collection is rebuilt and swapped.

Two versions of a corpus are indexed in turn (``nearby index --rebuild``, a process of its own) under one name, each
with encoders fitted on it; half of their ids are the same, and an item's label says which version it is of. Meanwhile
threads search, each in a collection that it opens again after a while: after every search, or so seldom that it was
opened before a swap and still is used after it. Every answer is looked at: all its items must be of one version, and
that must be the one that the encoder which made the query was fitted on.

Run: ``NEARBY_DATA=... python benchmarks/alias_swap.py [SEARCHES [ITEMS]]``
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

from record import record, say
from server import server

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "servers"))
from faults.searching import Searching, longest_outage

from retrieval.corpora.base import unique_ids
from retrieval.corpora.item_record import items_digest
from retrieval.corpora.registry import open_corpus

SPACES = ("bm25", "tfidf:min-df=2,stop=english+lsa:32")
VERSIONS = ("even", "odd")
#: After how many searches each thread opens the collection again. The last ones outlive a swap, not two.
REOPEN = (1, 10, 50, 100)
LEAST_SWAPS = 2


class Judging:
    """Finds fault with answers; counts the versions that it saw, and answers of the one before the served."""

    def __init__(self, fitted_on: dict[str, str]) -> None:
        self.fitted_on = fitted_on
        self.seen: Counter[str] = Counter()

    def __call__(self, collection: Any, found: Any) -> str | None:
        for one in found:
            versions = {answer.shown.label for answer in one.answers}
            if len(versions) != 1:
                return f"mixture: {sorted(map(str, versions))}"
            (version,) = versions
            of_encoder = self.fitted_on[collection.space(one.spec).encoder.fitted_on]
            if of_encoder != version:
                return f"mixture: items of {version} for a query by the encoder of {of_encoder}"
            self.seen[version] += 1
        return None


def main(searches: str = "10000", items: str = "2000") -> None:
    texts = [str(item.content) for item in islice(open_corpus("arxiv-80k"), 2 * int(items))]
    with tempfile.TemporaryDirectory() as name, server() as url:
        work = Path(name)
        corpora = [written(work / f"{VERSIONS[part]}.jsonl", texts[part::2], part) for part in (0, 1)]
        judging = Judging({digest: version for version, (_, digest) in zip(VERSIONS, corpora, strict=True)})
        queries = [" ".join(text.split()[:8]) for text in texts[:200]]
        index(corpora[0][0], work / "collection", url)
        began, swaps = time.monotonic(), []
        with Searching(work / "collection", queries, REOPEN, pause=0, judge=judging) as searching:
            while len(searching.searches) < int(searches) or len(swaps) < LEAST_SWAPS:
                index(corpora[(len(swaps) + 1) % 2][0], work / "collection", url, "--rebuild")
                swaps.append(time.monotonic() - began)
                say(len(swaps), "swaps,", len(searching.searches), "searches")
        ended = time.monotonic()
    done = searching.since(began)
    wrong = [one.error for one in done if one.error is not None]
    mixed = [error for error in wrong if error.startswith("mixture")]
    figures = {
        "items": int(items), "searches": len(done), "swaps": len(swaps), "seconds": ended - began,
        "failed": len(wrong) - len(mixed), "mixtures": len(mixed), "errors": sorted({one[:200] for one in wrong})[:5],
        "answers": dict(judging.seen), "longest_outage": longest_outage(done, began, ended), "threads": len(REOPEN),
    }  # fmt: skip
    say(figures)
    record("alias_swap", figures)


def written(path: Path, texts: list[str], part: int) -> tuple[Path, str]:
    """Write one version of the corpus; return its file, and the digest that its encoders bear."""
    ids = [f"d{at}" if at % 2 else f"{VERSIONS[part]} {at}" for at in range(len(texts))]
    rows = [{"id": id, "text": text, "label": VERSIONS[part]} for id, text in zip(ids, texts, strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path, items_digest(unique_ids(open_corpus(str(path))))


def index(corpus: Path, folder: Path, url: str, *more: str) -> None:
    """Index a version, as a person would."""
    command = [sys.executable, "-m", "cli", "index", str(corpus), "-o", str(folder)]
    command += ["--index", f"elasticsearch:{url}/swapped", *more]
    subprocess.run([*command, *(word for spec in SPACES for word in ("-s", spec))], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
