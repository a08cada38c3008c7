"""What an item costs in Elasticsearch on two cores, by index type, and what that makes of 10^8: docs/scale.md.

Abstracts (80,000 by default), one space of BM25 and one of 256 numbers in one index, as `nearby index` loads them. Each
type is loaded, merged and asked; the page is written from these figures by plain multiplication, and says so.

Run: ``NEARBY_DATA=... python benchmarks/scale.py [ITEMS]``; ``python benchmarks/scale.py page`` writes the page again.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from bulk_loading import SPACES, fitted
from record import latest, record, say, timed
from server import server

from encoders.codes import Modality
from indexers.description import parse_description
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.ownership import new_identity
from retrieval.collection.elasticsearch.bulk_load import Load, Shard
from retrieval.collection.elasticsearch.manifest import IndexManifest
from retrieval.collection.elasticsearch.swap import Build
from retrieval.corpora.base import raise_bad
from retrieval.corpora.registry import open_corpus

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"
TYPES = ("flat", "hnsw", "int8_hnsw", "int4_hnsw", "bbq_hnsw")
TARGET_ITEMS, COPIES = 10**8, 2
#: Elastic's own advice for a shard: 10 to 50 GB, at most 200 million documents.
SHARD_BYTES = 50e9
#: Half of a node of 64 GB is left to the page cache, which graph and vectors should fit into.
NODE_CACHE_BYTES = 32e9
ASKED = 300


def main(items: str = "80000") -> None:
    if items != "page":
        corpus = list(open_corpus("arxiv-80k"))[: int(items)]
        texts = [item.content for item in corpus]
        with tempfile.TemporaryDirectory() as folder, server() as url:
            spaces = [fitted(spec, texts, Path(folder) / str(position)) for position, spec in enumerate(SPACES)]
            measured(TYPES[0], corpus, spaces, url)  # Java compiles what is used often: the first load is slow
            rows = [measured(kind, corpus, spaces, url) for kind in TYPES]
        record("scale", {"items": len(corpus), "dim": 256, "types": rows})
    write_page(latest("scale"))


def measured(kind: str, corpus: list[Any], spaces: Any, url: str) -> dict[str, Any]:
    """Load an index of one type, settle it, look at its size, ask it, remove it."""
    description = parse_description(f"elasticsearch:{url}/scale,{kind}?num_candidates=100")
    admin = IndexAdmin(Address.read(description.backend))
    build = Build.begin(
        admin, description, spaces, IndexManifest("arxiv-80k", Modality.TEXT, (), identity=new_identity())
    )
    with admin.connection() as client:  # or small segments would hide what their parts weigh
        client.indices.put_settings(index=build.index, settings={"index.compound_format": False})
    with timed() as loading:
        done: Load = build.load(open_corpus("arxiv-80k"), corpus, raise_bad, Shard(), len(corpus))
    with timed() as settling:
        admin.settle(build.index)
    count = admin.count(build.index)
    with admin.connection() as client:
        stats = client.indices.stats(index=build.index, metric="store,segments", include_segment_file_sizes=True)
    sizes = stats["_all"]["primaries"]["segments"]["file_sizes"]
    files = {name: part["size_in_bytes"] for name, part in sizes.items()}
    say(files)
    vectors = files.get("veq", 0) + files.get("veb", 0) or files.get("vec", 0)
    row = {
        "type": kind,
        "items_per_second": count / loading.value,
        "encode_seconds": sum(cost.encode_seconds for cost in done.costs),
        "settle_seconds": settling.value,
        "disk_bytes": stats["_all"]["primaries"]["store"]["size_in_bytes"] / count,
        "read_bytes": (files.get("vex", 0) + vectors) / count,
        "p50_ms": asked(build, corpus),
    }
    admin.remove([build.index])
    say(row)
    return row


def asked(build: Build, corpus: list[Any]) -> float:
    """Return the median milliseconds of a query for ten neighbours among the vectors."""
    from retrieval.collection.elasticsearch.saved_encoders import targets_of

    target = targets_of(build.spaces, build.meta.spaces, build.description, build.index)[1]
    codes: Any = target.encoder.encode_queries([item.content for item in corpus[:ASKED]])
    times = []
    for row in range(len(codes)):
        started = time.perf_counter()
        target.field.search(codes[row : row + 1], 10)
        times.append(1000 * (time.perf_counter() - started))
    return float(np.median(times))


HEAD = """\
# What 10⁸ items cost in Elasticsearch

Written by `benchmarks/scale.py`; do not edit.

Measured: {items:,} abstracts with BM25 and {dim} numbers, one node, one shard, loader and server on the same
{machine}; {date}, commit `{commit}`, load of the machine at the end {load}.
"""
MEASURED = """
disk: one copy, documents included. read: graph and vectors that a search compares, which should be in memory (page
cache, not Java's heap).

Multiplied: {items:,} items, {copies} copies (one replica).
"""
UNKNOWN = """
Limits of this estimate: here, two cores did the work of client and server together, so the days of loading are divided
by the number of machines only if network and disks are fast enough. Adding a vector to a graph takes longer in a larger
graph (about the logarithm of its size), and so does merging. A `flat` search compares every item, and would take
{seconds:,.0f} s here. Nodes are counted by memory alone; more replicas answer more queries per second.
Nothing of this size was run.

How to load such a corpus, on any number of machines that can read it (K from 1 to 256):

```sh
# needs an Elasticsearch server
nearby train CORPUS tfidf+lsa:256 -o lsa            # once; and likewise bm25
NEWS=elasticsearch:http://a:9200,http://b:9200/news,int8_hnsw,shards=12
nearby index CORPUS -s ./bm25 -s ./lsa --index $NEWS --shard K/256
nearby index CORPUS -s ./bm25 -s ./lsa --index $NEWS --finish -o news
```

Every worker reads the whole corpus twice, and encodes every 256th chunk of 1,024 items of it. Start a killed worker
again: it sends what is missing. The memory of a worker is in "Loading abstracts" in [results.md](results.md).
"""


def write_page(run: Any) -> None:
    """Multiply the measured costs and write docs/scale.md."""
    figures = run["figures"]
    rows, items = figures["types"], figures["items"]
    measures = [
        "items/s, encoding included",
        "merge, ms/item",
        "disk, bytes/item",
        "read, bytes/item",
        "p50 ms",
    ]
    costs = ["disk, all copies", "in memory, all copies", "shards of at most 50 GB", "memory a shard", "nodes of 64 GB"]
    scan = rows[0]["p50_ms"] * TARGET_ITEMS / items / 1000
    text = HEAD.format(items=items, dim=figures["dim"], **run["provenance"])
    text += table(["type", *measures], [measured_row(row, items) for row in rows])
    text += MEASURED.format(items=TARGET_ITEMS, copies=COPIES)
    text += table(["type", *costs, "loading, days of two cores"], [multiplied_row(row, items) for row in rows])
    PAGE.write_text(text + UNKNOWN.format(seconds=scan))
    say(f"wrote {PAGE}")


def measured_row(row: dict[str, Any], items: int) -> list[str]:
    merge = 1000 * row["settle_seconds"] / items
    return [
        row["type"], f"{row['items_per_second']:,.0f}", f"{merge:.2f}", f"{row['disk_bytes']:,.0f}",
        f"{row['read_bytes']:,.0f}", f"{row['p50_ms']:.1f}",
    ]  # fmt: skip


def multiplied_row(row: dict[str, Any], items: int) -> list[str]:
    disk, read = row["disk_bytes"] * TARGET_ITEMS, row["read_bytes"] * TARGET_ITEMS
    shards = math.ceil(disk / SHARD_BYTES)
    nodes = max(3, math.ceil(COPIES * read / NODE_CACHE_BYTES))
    seconds = TARGET_ITEMS * (1 / row["items_per_second"] + row["settle_seconds"] / items)
    return [
        row["type"], f"{COPIES * disk / 1e12:.2f} TB", f"{COPIES * read / 1e9:,.0f} GB", str(shards),
        f"{read / shards / 1e9:.1f} GB", str(nodes), f"{seconds / 86_400:.1f}",
    ]  # fmt: skip


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
