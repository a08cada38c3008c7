"""How fast the service answers: searches over HTTP beside the same searches in one process, and its start-up.

80,000 abstracts; every search is one title, over one connection that stays open. Start-up: from the command to the
first answer to a search in all spaces of a small collection.

Run: ``NEARBY_DATA=... python benchmarks/service_speed.py [collection=FOLDER] [quick]``; the folder is kept and used
again; quick: 2,000 abstracts.
"""

from __future__ import annotations

import http.client
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from record import nothing_else, record, say, timed
from serving import NEARBY, post, serving

from retrieval.collection.base import Collection
from retrieval.collection.local import LocalCollection
from retrieval.collection.open import open_collection
from retrieval.corpora.base import Corpus
from retrieval.corpora.registry import open_corpus
from retrieval.report.terminal.listing import search_json
from retrieval.search.query import text_query
from retrieval.search.request import SearchRequest

SPACES = {"bm25": "bm25", "lsa": "tfidf:min-df=2,stop=english,stem=none+lsa:256"}
SEARCHES, TURNS, QUICK = 200, 5, 2_000
STARTS = 10
SMALL = {"digits": ["pixels+pca:16"], "api-docs": ["tfidf", "tfidf+lsa:128", "bm25"]}


def main(*words: str) -> None:
    given = [word.removeprefix("collection=") for word in words if word.startswith("collection=")]
    quick = "quick" in words
    nothing_else([word for word in words if word != "quick" and not word.startswith("collection=")])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(given[0] if given else f"{temporary}/arxiv")
        titles, collection = made(folder, quick)
        figures: dict[str, Any] = {"items": collection.items.size, "searches": throughput(folder, collection, titles)}
        collection.close()
        figures["start"] = start_up(Path(temporary))
    figures["quick"] = quick
    record("service_speed", figures)


def made(folder: Path, quick: bool) -> tuple[list[str], Collection]:
    """Return titles to search by, and the collection, which is made unless it is there."""
    corpus = open_corpus("arxiv-80k")
    titles = [(item.title or str(item.content))[:200] for item in itertools.islice(iter(corpus), SEARCHES)]
    if not folder.exists():
        if quick:
            corpus = first_items(corpus, folder.with_suffix(".jsonl"))
        made = LocalCollection.create(folder, corpus)
        for spec in SPACES.values():
            with timed() as seconds:
                made = made.add_space(spec)
            say(f"{spec}: {seconds.value:.0f} s")
        made.close()
    return titles, open_collection(folder)


def first_items(corpus: Corpus, file: Path) -> Corpus:
    lines = [json.dumps({"id": item.id, "text": item.content}) for item in itertools.islice(iter(corpus), QUICK)]
    file.write_text("\n".join(lines), encoding="utf-8")
    return open_corpus(str(file))


def throughput(folder: Path, collection: Collection, titles: list[str]) -> dict[str, Any]:
    """Return searches a second in this process and over HTTP, in turns."""
    found: dict[str, Any] = {}
    with serving(str(folder)) as (_, port):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        path = f"/v1/collections/{folder.name}/search"
        for name, spec in SPACES.items():
            ways: dict[str, Callable[[str], Any]] = {
                "in_process": lambda title, spec=spec: search_json(
                    SearchRequest((spec,), 10).answer(collection, text_query(collection, title))
                ),
                "http": lambda title, spec=spec: post(
                    connection, path, {"query": {"text": title}, "spaces": [spec], "k": 10}
                ),
            }
            rates: dict[str, list[float]] = {way: [] for way in ways}
            for turn in range(TURNS + 1):  # the first warms up
                for way, ask in ways.items():
                    with timed() as seconds:
                        for title in titles:
                            ask(title)
                    if turn:
                        rates[way].append(len(titles) / seconds.value)
            found[name] = {way: median(values) for way, values in rates.items()}
            found[name]["share"] = found[name]["http"] / found[name]["in_process"]
            say(name, found[name])
        connection.close()
    return found


def start_up(folder: Path) -> dict[str, Any]:
    """Return seconds from the command to the first answer, and whether the process loaded PyTorch."""
    folders = []
    for corpus, specs in SMALL.items():
        folders.append(str(folder / corpus))
        options = [part for spec in specs for part in ("-s", spec)]
        subprocess.run([NEARBY, "index", corpus, *options, "-o", folders[-1]], check=True, capture_output=True)
    seconds, torch = [], False
    for _ in range(STARTS):
        begun = time.perf_counter()
        with serving(*folders) as (started, port):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            post(connection, "/v1/collections/api-docs/search", {"query": {"text": "sort an array in place"}})
            seconds.append(time.perf_counter() - begun)
            torch = torch or "libtorch" in Path(f"/proc/{started.pid}/maps").read_text()
            connection.close()
    row = {"seconds": median(seconds), "slowest": max(seconds), "loads_torch": torch}
    say("start", row)
    return row


if __name__ == "__main__":
    main(*sys.argv[1:])
