"""The part of docs/results.md on Elasticsearch."""

from __future__ import annotations

from statistics import median
from typing import Any

TARGETS = ["target", "measured", "wanted", ""]
#: Engines and settings that compare with every code at full precision: their measures have to agree.
EXACT = (",flat", "engines", "faiss:Flat")
CLOSE, LEAST_RECALL = 0.002, 0.95


def engines(page: Any, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("The same spaces on exact, FAISS and Elasticsearch", run)
    targets = []
    for name, corpus in figures["corpora"].items():
        rows = corpus["rows"]
        measures = list(rows[0]["measures"])
        page.lines += ["", f"**{name}**, {corpus['items']:,} items:"]
        page.table(
            ["space", "index", *measures, "recall@10", "p50 ms", "p99 ms", "batched/s", "disk B/item", "read B/item"],
            [
                [
                    f"`{row['spec']}`", f"`{row['index']}`", *row["measures"].values(), row["recall@10"], row["p50_ms"],
                    row["p99_ms"], row["batched_per_second"], row.get("disk_bytes_per_item", "–"),
                    row.get("vector_bytes_per_item", "–"),
                ]
                for row in rows
            ],
        )  # fmt: skip
        targets += _engine_targets(page, name, rows)
    heap = max(row.get("heap_used_mb", 0) for corpus in figures["corpora"].values() for row in corpus["rows"])
    page.lines.append(
        "disk: one copy of the index, documents included. read: of these, graph and the vectors that a search compares, "
        f"which belong in the page cache; they are not on Java's heap, of which at most {heap:.0f} MB were used. "
        f"Graphs: {figures['graph']}, num_candidates={figures['candidates']}."
    )
    page.table(TARGETS, targets)


def _engine_targets(page: Any, name: str, rows: list[dict[str, Any]]) -> list[list[Any]]:
    targets = []
    for spec in dict.fromkeys(row["spec"] for row in rows):
        mine = [row for row in rows if row["spec"] == spec]
        truth = mine[0]["measures"]
        exact = [row for row in mine[1:] if row["index"].endswith(EXACT)]
        apart = max(abs(row["measures"][key] - truth[key]) for row in exact for key in truth)
        why = WHY_BITS if spec.endswith("binarize") else WHY_WORDS if spec == "bm25" else ""
        targets.append(page.target(f"{name}, {spec}: most that a measure differs", apart, CLOSE, False, why))
        graphs = [row for row in mine if row["index"].endswith("engines,m=16,ef_construction=100")]
        targets += [
            page.target(f"{name}, {spec}: recall@10 of hnsw", row["recall@10"], LEAST_RECALL, True, why)
            for row in graphs
        ]
    return targets


WHY_BITS = "Many items are at the same distance, and which of them are among the first differs."
WHY_WORDS = "Lucene rounds the lengths of documents above 40 words."


def bulk_loading(page: Any, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Loading abstracts into Elasticsearch", run)
    rates, memory = figures["rates"], figures["memory"]
    ratio = median(a / b for a, b in zip(rates["ours"], rates["parallel_bulk"], strict=True))
    page.lines.append(f"{figures['items']:,} ready-made documents: words of BM25, 256 numbers, the item.")
    page.table(
        ["loader", "documents/s, each round"],
        [[name, ", ".join(f"{rate:,.0f}" for rate in values)] for name, values in rates.items()],
    )
    page.table(
        ["items", "items/s of the command, encoding included", "peak memory of its process, MiB"],
        [[f"{int(count):,}", row["items_per_second"], row["peak_mib"]] for count, row in memory.items()],
    )
    small, large = (row["peak_mib"] for row in memory.values())
    page.table(
        TARGETS,
        [
            page.target("ours beside parallel_bulk at its defaults: median ratio", ratio, 1.3),
            page.target("peak memory with 80,000 items, share of that with 20,000", large / small, 1.1, False),
        ],
    )


def fault_trial(page: Any, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Faults: three nodes, loads and searches all along", run)
    rounds = figures["rounds"]
    page.table(
        list(rounds[0]),
        [[str(value) if isinstance(value, bool | str) else value for value in one.values()] for one in rounds],
    )


def alias_swap(page: Any, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Searches while an index is built anew and swapped in", run)
    page.table(["figure", "value"], [[key, value] for key, value in figures.items() if isinstance(value, int | float)])


PARTS = {
    "engines": engines,
    "bulk_loading": bulk_loading,
    "fault_trial": fault_trial,
    "alias_swap": alias_swap,
}
