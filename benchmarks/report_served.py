"""The part of docs/results.md on Elasticsearch."""

from __future__ import annotations

from statistics import median
from typing import Any

TARGETS = ["target", "measured", "wanted", ""]
#: Engines and settings that compare with every code at full precision: their measures have to agree.
EXACT = (",flat", "engines", "faiss:Flat")
MILLISECONDS = {
    "single_p50_ms": "one p50 ms",
    "single_p99_ms": "one p99 ms",
    "batch_p50_ms": "batch p50 ms",
    "batch_p99_ms": "batch p99 ms",
}
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
            ["space", "index", *measures, "recall@10", *MILLISECONDS.values(), "disk B/item", "read B/item", "heap MB"],
            [
                [
                    f"`{row['spec']}`", f"`{row['index']}`", *row["measures"].values(), row["recall@10"],
                    *(row[key] for key in MILLISECONDS), row.get("disk_bytes_per_item", "–"),
                    row.get("vector_bytes_per_item", "–"), row.get("heap_used_mb", "–"),
                ]
                for row in rows
            ],
        )  # fmt: skip
        targets += _engine_targets(page, name, rows)
    page.lines.append(
        "disk: one copy of the index, documents included. read: of these, graph and vectors that a search compares, "
        "which belong in the page cache, not on Java's heap. heap: what the whole server used of 2 GB at that moment, "
        f"garbage included; no type has a heap of its own to measure. A batch has {figures['batch']} queries. "
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
    page.lines.append("")
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
    rounds = [one for one in figures["rounds"] if one["fault"] != "none"]
    page.heading("Faults: three nodes, a replica, loads and searches all along", run)
    page.lines.append("")
    page.lines.append(
        f"{len(rounds)} rounds after two undisturbed ones, seed {figures['seed']}; a load is {figures['items']:,} items"
        f" rebuilt or {figures['added']:,} added."
        " When the cluster is green again, every acknowledged document is looked up."
    )
    page.table(
        ["round", "load", "harmed", "acknowledged before it, in all", "lost", "twice", "searches", "failed",
         "longest outage s", "green after s", "resumed", "complete"],
        [
            [
                one["round"], one["kind"], harmed(one),
                f"{one['acknowledged_before']:,}, {one['acknowledged']:,}", one["lost"], one["twice"], one["searches"],
                one["failed"], one["outage_seconds"], one["green_seconds"], one["resumed"],
                "yes" if one["complete"] else "no",
            ]
            for one in rounds
        ],
    )  # fmt: skip
    page.table(
        TARGETS,
        [
            page.target("rounds", len(rounds), 20),
            page.target(f"lost of {figures['acknowledged']:,} acknowledged documents", figures["lost"], 0, False),
            page.target("items of the corpus that are not there at the end of a round", figures["missing"], 0, False),
            page.target("documents that are there twice", figures["twice"], 0, False),
            page.target("loads that did not end complete", figures["incomplete"], 0, False),
        ],
    )
    page.lines.append(
        f"Of {figures['searches']:,} searches {figures['failed']:,} failed; the longest time without an answer was "
        f"{figures['longest_outage_seconds']:.1f} s, the longest until all copies were there again "
        f"{figures['longest_green_seconds']:.1f} s. In rounds called pause a node is stopped for 20 s (SIGSTOP)."
    )
    page.lines.append("")


def harmed(one: dict[str, Any]) -> str:
    return one["fault"] if one["fault"] == one["harmed"] else f"{one['fault']}: {one['harmed']}"


def alias_swap(page: Any, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Searches while an index is rebuilt and swapped in", run)
    page.table(["figure", "value"], [[key, value] for key, value in figures.items() if isinstance(value, int | float)])
    page.table(
        TARGETS,
        [
            page.target("searches", figures["searches"], 10_000),
            page.target("that failed", figures["failed"], 0, False),
            page.target("that saw two generations at once", figures["mixtures"], 0, False),
        ],
    )


PARTS = {
    "engines": engines,
    "bulk_loading": bulk_loading,
    "fault_trial": fault_trial,
    "alias_swap": alias_swap,
}
