"""The parts of docs/results.md on sizes: what changes to large collections cost, exact search, tuned indexes."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

from report_page import TARGETS, Page

MIB = 2**20
WHY_SEARCH = "Later items are compared one by one: nine thousand of 128 numbers are 4.6 MB, which a query reads whole."
WHY_INDEX = "Ids are checked, digested and stored in SQLite, microseconds each; FAISS trains and adds with two threads."
WHY_BYTES = "Items and codes are one file; an index of lists holds the vectors again, in their order."

WHY_MEMORY = "The lists of the index are 1.0 of it; ids, Python and its libraries are the rest."


def segments(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("A large collection that changes: segments", run)
    page.lines += [
        "",
        f"{figures['items']:,} vectors of {figures['width']} numbers in `{figures['index']}`; 1,000 items added"
        f" {len(figures['adding'])} times, 1,000 removed {len(figures['removing'])} times, each by a process of its"
        f" own: {figures['segments']} segments after the additions.",
    ]
    steps = {
        "FAISS alone: train, add, write": [figures["faiss"]],
        "`nearby index`": [figures["indexing"]],
        "add 1,000 (median)": figures["adding"],
        "remove 1,000 (median)": figures["removing"],
        "`nearby compact`": [figures["compacting"]],
    }
    page.table(
        ["step", "s", "most memory, MiB", "written, MiB"],
        [
            [name, *(round(median(one[key] for one in runs) / unit, 2) for key, unit in
                     (("seconds", 1), ("peak_bytes", MIB), ("written_bytes", MIB)))]
            for name, runs in steps.items()
        ],
    )  # fmt: skip
    searches = {name: figures[f"search, {name}"] for name in ("one segment", "in segments", "compact")}
    page.table(
        ["search", "200 queries one by one, s", "one of 1,000 together, ms"],
        [[name, round(one["single"], 3), round(1000 * one["batch"], 3)] for name, one in searches.items()],
    )
    page.table(TARGETS, list(_targets(page, figures, searches)))


def _targets(page: Page, figures: dict[str, Any], searches: dict[str, Any]) -> Iterator[Any]:
    one, several = searches["one segment"], searches["in segments"]
    index, codes = figures["indexing"], figures["bytes"]["codes"]
    for name, runs in (("add", figures["adding"]), ("remove", figures["removing"])):
        yield page.target(f"{name} 1,000: median seconds", median(run["seconds"] for run in runs), 1.0, False)
        yield page.target(f"{name} 1,000: most memory, MiB", max(run["peak_bytes"] for run in runs) / MIB, 300, False)
    yield page.target(
        "ten segments beside one, one by one, ratio", several["single"] / one["single"], 1.2, False, WHY_SEARCH
    )
    yield page.target(
        "ten segments beside one, together, ratio", several["batch"] / one["batch"], 1.2, False, WHY_SEARCH
    )
    beside_faiss = index["seconds"] / figures["faiss"]["seconds"]
    yield page.target("index: seconds beside FAISS alone, ratio", beside_faiss, 2, False, WHY_INDEX)
    yield page.target("index: most memory beside the codes, ratio", index["peak_bytes"] / codes, 1.3, False, WHY_MEMORY)
    yield page.target(
        "index: bytes on disk beside the codes, ratio", figures["bytes"]["collection"] / codes, 1.3, False, WHY_BYTES
    )


def exactness(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Exact search that is exact", run)
    page.lines += [
        "",
        f"{figures['items']:,} items; the share of the true {figures['k']} nearest that are found, by distances in"
        f" float64 ({figures['truths']} queries). All {figures['queries']:,} queries are asked together; `few` asks"
        f" {figures['truths']} of them, which FAISS compares one by one.",
    ]
    columns = {
        "exact_recall": "`exact`",
        "flat_recall": "FAISS Flat",
        "flat_recall_few_queries": "FAISS Flat, few",
        "exact_queries_per_second": "`exact`, queries/s",
        "times_flat": "× FAISS Flat",
    }
    rows = figures["rows"]
    page.table(["codes", *columns.values()], [[row["codes"], *(row[key] for key in columns)] for row in rows])
    reason = "FAISS selects the candidates here, too; then their scores are computed by the definition."
    targets = [page.target("exact search: least recall", min(row["exact_recall"] for row in rows), 1.0)]
    targets += [
        page.target(
            f"exact search, {row['codes']}: speed beside FAISS Flat, ratio", row["times_flat"], 1.0, True, reason
        )
        for row in rows
    ]
    page.table(TARGETS, targets)


def tuning(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Tuned indexes, and queries that were not in the sample", run)
    page.lines += [
        "",
        f"`nearby tune` on {figures['items']:,} pictures of MNIST, {figures['sample']:,} of them as queries;"
        f" {figures['held_out']:,} other pictures ask what it recommends. Recall of the {figures['k']} nearest.",
    ]
    columns = {
        "wanted": "wanted",
        "sample_recall": "sample",
        "held_out_recall": "held out",
        "sample_times_exact": "× exact, sample",
        "held_out_times_exact": "× exact, held out",
        "bytes_per_item": "bytes/item",
        "seconds": "tuning, s",
    }
    rows = figures["rows"]
    page.table(
        ["space", "recommended", *columns.values()],
        [[f"`{row['spec']}`", f"`{row['index']}`", *(row[key] for key in columns)] for row in rows],
    )
    page.table(
        TARGETS,
        [
            page.target(
                f"tuned {row['spec']} for {row['wanted']}: recall held out", row["held_out_recall"], row["wanted"]
            )
            for row in rows
        ],
    )


def million_texts(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("A million texts", run)
    page.lines += [
        "",
        f"Abstracts of arxiv-80k; in each repetition {100 * figures['changed']:.0f} % of the words are others. Stored,"
        f" fitted, encoded, indexed and written as by `nearby index`; then {figures['queries']} queries together.",
    ]
    page.table(
        ["space", "texts", "s", "texts/s", "most memory, MiB", "on disk, MiB", "ms a query"],
        [
            [
                f"`{row['spec']}`",
                f"{row['items']:,}",
                round(row["seconds"], 1),
                round(row["items_per_second"]),
                round(row["peak_bytes"] / MIB),
                round(row["bytes"] / MIB),
                round(1000 * row["search_seconds"] / figures["queries"], 3),
            ]
            for row in figures["rows"]
        ],
    )
    page.lines += ["", "Exponents of growth from a size to the next; 1 is linear."]
    names = {"seconds": "seconds", "peak_bytes": "memory", "bytes": "disk", "search_seconds": "search"}
    page.table(
        ["space", "from", "to", *names.values()],
        [
            [f"`{one['spec']}`", f"{one['from']:,}", f"{one['to']:,}", *(round(one[name], 2) for name in names)]
            for one in figures["growth"]
        ],
    )


def kill_trial(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Changes that were killed", run)
    killed = ", ".join(f"{name} {count}" for name, count in sorted(figures["killed"].items()))
    page.lines += [
        "",
        f"{figures['items']:,} vectors in `{figures['index']}`, two spaces, at most {figures['most_segments']}"
        f" segments: {figures['changes']:,} changes ended, {figures['kills']} were killed ({killed}). After each kill"
        " every byte is compared with its checksum, and items, codes and answers with what was acknowledged.",
    ]
    page.table(
        TARGETS,
        [
            page.target("kills in add, delete, compact", figures["kills"], 200),
            page.target("changes lost, or visible in part", figures["lost"], 0, False),
        ],
    )


PARTS = {
    "kill_trial": kill_trial,
    "segments": segments,
    "exactness": exactness,
    "tuning": tuning,
    "million_texts": million_texts,
}
