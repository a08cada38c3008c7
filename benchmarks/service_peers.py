"""Single searches over HTTP beside txtai's API: BM25 on the same abstracts, in one run, in turns.

Both indexes hold the texts and answer ten of them, to one title at a time over one connection that stays open. txtai's
own BM25 is used (``keyword: true``), which has its own tokenizer: that the answers are much the same is recorded.

Run: ``NEARBY_DATA=... python benchmarks/service_peers.py [collection=FOLDER] [quick]``; quick: 2,000 abstracts. Needs
``txtai[api]``, of the extra ``bench``.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median
from typing import Any
from urllib.parse import urlencode

from record import nothing_else, record, say, timed
from service_speed import SEARCHES, TURNS, first_items
from serving import post, serving

from retrieval.collection.local import LocalCollection
from retrieval.corpora.base import Corpus
from retrieval.corpora.registry import open_corpus

#: Titles asked in each turn of the large corpus: a search takes txtai about a second there.
K, SEARCHES_OF_ALL = 10, 50


def main(*words: str) -> None:
    given = [word.removeprefix("collection=") for word in words if word.startswith("collection=")]
    quick = "quick" in words
    nothing_else([word for word in words if word != "quick" and not word.startswith("collection=")])
    with tempfile.TemporaryDirectory() as temporary:
        corpus = open_corpus("arxiv-80k")
        count = SEARCHES if quick else SEARCHES_OF_ALL
        titles = [(item.title or str(item.content))[:200] for item in itertools.islice(iter(corpus), count)]
        if quick:
            corpus = first_items(corpus, Path(temporary) / "first.jsonl")
        folder = Path(given[0] if given else f"{temporary}/arxiv")
        index_seconds = {"nearby": indexed(folder, corpus), "txtai": indexed_by_txtai(Path(temporary), corpus)}
        with serving(str(folder)) as (_, ours), txtai_serving(Path(temporary)) as theirs:
            figures = compared(folder.name, ours, theirs, titles)
    record("service_peers", {**figures, "index_seconds": index_seconds, "quick": quick})


def indexed(folder: Path, corpus: Corpus) -> float:
    """Make the collection unless it is there; return the seconds that it took."""
    with timed() as seconds:
        if not folder.exists():
            LocalCollection.create(folder, corpus).add_space("bm25").close()
    say(f"nearby: indexed in {float(seconds):.0f} s")
    return float(seconds)


def indexed_by_txtai(folder: Path, corpus: Corpus) -> float:
    """Make txtai's index in a process of its own, and return the seconds that it took."""
    lines = folder / "texts.jsonl"
    with lines.open("w") as file:
        file.writelines(json.dumps({"id": item.id, "text": item.content}) + "\n" for item in corpus)
    program = (
        "import json, sys; from txtai import Embeddings; "
        "made = Embeddings({'keyword': True, 'content': True}); "
        "made.index((one['id'], one['text'], None) for one in map(json.loads, open(sys.argv[1]))); "
        "made.save(sys.argv[2])"
    )
    with timed() as seconds:
        subprocess.run([sys.executable, "-c", program, str(lines), str(folder / "txtai")], check=True)
    say(f"txtai: indexed in {float(seconds):.0f} s")
    return float(seconds)


@contextmanager
def txtai_serving(folder: Path) -> Iterator[int]:
    """Run txtai's API at a free port until the block ends; yield the port."""
    config = folder / "txtai.yml"
    config.write_text(f"path: {folder / 'txtai'}\nwritable: false\nembeddings:\n  keyword: true\n  content: true\n")
    with socket.socket() as listener:  # ours alone, and passed on: no other process can take the port
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        port = listener.getsockname()[1]
        command = [
            sys.executable, "-m", "uvicorn", "txtai.api:app", "--fd", str(listener.fileno()), "--log-level", "warning",
        ]  # fmt: skip
        started = subprocess.Popen(command, env={**os.environ, "CONFIG": str(config)}, pass_fds=[listener.fileno()])
        try:
            searched(http.client.HTTPConnection("127.0.0.1", port, timeout=120), "graph")  # waits until it has started
            yield port
        finally:
            started.terminate()
            started.wait(60)


def searched(connection: http.client.HTTPConnection, title: str) -> list[str]:
    """Return the ids that txtai's API answers."""
    connection.request("GET", "/search?" + urlencode({"query": title, "limit": K}))
    reply = connection.getresponse()
    content = reply.read()
    assert reply.status == 200, content[:500]
    return [one["id"] for one in json.loads(content)]


def compared(name: str, ours: int, theirs: int, titles: list[str]) -> dict[str, Any]:
    """Return searches a second over both APIs, in turns, and how many of the answers are the same."""
    path = f"/v1/collections/{name}/search"

    def by_nearby(connection: http.client.HTTPConnection, title: str) -> list[str]:
        found = post(connection, path, {"query": {"text": title}, "spaces": ["bm25"], "k": K})
        return [hit["id"] for hit in found["results"][0]["spaces"][0].get("hits", [])]

    ways: dict[str, tuple[int, Callable[[http.client.HTTPConnection, str], list[str]]]] = {
        "nearby": (ours, by_nearby),
        "txtai": (theirs, searched),
    }
    rates: dict[str, list[float]] = {way: [] for way in ways}
    answers: dict[str, list[list[str]]] = {}
    for turn in range(TURNS + 1):  # the first warms up
        for way, (port, ask) in ways.items():
            connection = http.client.HTTPConnection("127.0.0.1", port)  # both close one that waits for the other's turn
            ask(connection, titles[0])
            with timed() as seconds:
                answers[way] = [ask(connection, title) for title in titles]
            connection.close()
            if turn:
                rates[way].append(len(titles) / seconds.value)
    same = [len(set(a) & set(b)) / K for a, b in zip(answers["nearby"], answers["txtai"], strict=True)]
    figures = {way: median(values) for way, values in rates.items()}
    say(figures, f"same answers: {mean(same):.2f}")
    return {"searches_per_second": figures, "ratio": figures["nearby"] / figures["txtai"], "same_answers": mean(same)}


if __name__ == "__main__":
    main(*sys.argv[1:])
