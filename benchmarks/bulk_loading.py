"""How fast 80,000 abstracts get into Elasticsearch beside the client's own parallel_bulk, and in how much memory.

Speed: both send the same ready-made documents (words of BM25, 256 numbers of LSA, the item), which lie in memory as
dicts, into an index with the same mapping, five times in turn; ours makes JSON of them within the time. Memory: the
command that loads a part (encoding included) in a process of its own, its encoders fitted before, on 20,000 and on
80,000 items.

Run: ``NEARBY_DATA=... python benchmarks/bulk_loading.py [ITEMS]``
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from elasticsearch import Elasticsearch, helpers
from record import record, say
from server import server

from encoders.codes import Modality
from encoders.registry import create
from indexers.description import parse_description
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.bulk import Bulk
from indexers.elasticsearch.index_admin import IndexAdmin, write_alias
from indexers.elasticsearch.ownership import nearby_indexes
from retrieval.collection.elasticsearch.document import document_of
from retrieval.collection.elasticsearch.manifest import IndexManifest
from retrieval.collection.elasticsearch.saved_encoders import FittedSpace, mapping_of, targets_of
from retrieval.corpora.registry import open_corpus

SPACES = ("bm25", "tfidf:min-df=2,stop=english+lsa:256")
SMALL, ROUNDS = 20_000, 5
SETTINGS = "flat"


def main(items: str = "80000") -> None:
    corpus = list(open_corpus("arxiv-80k"))[: int(items)]
    work = Path(tempfile.mkdtemp(prefix="nearby-bulk-"))
    try:
        texts = [item.content for item in corpus]
        spaces = [fitted(spec, texts, work / str(position)) for position, spec in enumerate(SPACES)]
        with server() as url:
            documents = ready_made(corpus, spaces, url)
            rates: dict[str, list[float]] = {"parallel_bulk": [], "ours": []}
            for _ in range(ROUNDS):
                for name, send in (("parallel_bulk", theirs), ("ours", ours)):
                    rates[name].append(len(documents) / seconds(send, documents, spaces, url))
                    say(name, rates[name][-1])
            sizes = sorted({min(SMALL, len(corpus)), len(corpus)})
            del documents
            memory = {count: loaded_alone(corpus[:count], spaces, url, work) for count in sizes}
    finally:
        shutil.rmtree(work, ignore_errors=True)
    say(memory)
    record("bulk_loading", {"items": len(corpus), "rates": rates, "memory": memory, "index": SETTINGS})


def fitted(spec: str, texts: list[Any], folder: Path) -> FittedSpace:
    say("fitting", spec)
    create(spec).fit(texts).save(folder)
    return FittedSpace.at(folder)


def described(url: str) -> Any:
    return parse_description(f"elasticsearch:{url}/bulk,{SETTINGS}")


def ready_made(corpus: list[Any], spaces: list[FittedSpace], url: str) -> list[tuple[str, dict[str, Any]]]:
    """Return every document as a dict of plain values."""
    admin = IndexAdmin(Address.read(described(url).backend))
    _, records = mapping_of(spaces, admin, described(url))
    targets = targets_of(spaces, records, described(url), "none")
    found: list[tuple[str, dict[str, Any]]] = []
    for start in range(0, len(corpus), 1024):
        chunk = corpus[start : start + 1024]
        columns = [target.values([item.content for item in chunk]) for target in targets]
        for position, (item, words, vector) in enumerate(zip(chunk, *columns, strict=True), start=start):
            values = orjson.loads(document_of(item, position, Modality.TEXT, {"s0": words}))
            values["s1"] = np.asarray(vector).tolist()
            found.append((item.id, values))
    return found


def seconds(send: Callable[..., None], documents: Any, spaces: list[FittedSpace], url: str) -> float:
    """Make an index, time the load until the last document is acknowledged, count, remove it."""
    admin = IndexAdmin(Address.read(described(url).backend))
    mapping, records = mapping_of(spaces, admin, described(url))
    name = f"{admin.address.name}-{os.getpid()}"
    admin.create(name, admin.next, mapping, IndexManifest("arxiv", Modality.TEXT, records).to_json())
    started = time.perf_counter()
    send(admin, documents, url)
    spent = time.perf_counter() - started
    admin.refresh(name)
    held = admin.count(name)
    admin.remove([name])
    if held != len(documents):
        raise SystemExit(f"{send.__name__}: {held} of {len(documents)} documents arrived")
    return spent


def theirs(admin: IndexAdmin, documents: Any, url: str) -> None:
    """The client's own, at its defaults."""
    with Elasticsearch(url.split(",")) as client:
        actions = ({"_index": admin.next, "_id": key, "_source": values} for key, values in documents)
        for done, answer in helpers.parallel_bulk(client, actions):
            assert done, answer


def ours(admin: IndexAdmin, documents: Any, url: str) -> None:
    name = admin.behind(admin.next)
    assert name is not None
    with Bulk(admin.client, admin.address.hosts, write_alias(name)) as bulk:
        for key, values in documents:
            bulk.put(key, orjson.dumps(values))


def loaded_alone(corpus: list[Any], spaces: list[FittedSpace], url: str, work: Path) -> dict[str, float]:
    """Load a corpus by the command, in a process of its own; return its rate and its peak of memory."""
    path = work / f"{len(corpus)}.jsonl"
    with path.open("wb") as file:
        file.writelines(orjson.dumps({"id": item.id, "text": item.content}) + b"\n" for item in corpus)
    index = f"elasticsearch:{url}/bulk,{SETTINGS}"
    arguments = ["index", str(path), "--index", index, "--shard", "1/1"]
    for space in spaces:
        arguments += ["-s", str(space.folder)]
    code = (
        "import json, re, sys, time; import cli; started = time.perf_counter()\n"
        "try:\n    cli.app(sys.argv[1:], standalone_mode=False)\n"
        # of this process alone: getrusage counts what it was forked from too
        "finally:\n    peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]\n"
        "    print(json.dumps([time.perf_counter() - started, int(peak) / 1024]))"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    spent, peak = json.loads(done.stdout.splitlines()[-1])
    admin = IndexAdmin(Address.read(described(url).backend))
    admin.remove([one.name for one in nearby_indexes(admin)])
    return {"items_per_second": len(corpus) / spent, "peak_mib": peak}


if __name__ == "__main__":
    main(*sys.argv[1:])
