"""The parts of docs/results.md on large collections: what changes cost, and searches in segments."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

from report_page import TARGETS, Page

MIB = 2**20


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
    yield page.target("ten segments beside one, one by one, ratio", several["single"] / one["single"], 1.2, False)
    yield page.target("ten segments beside one, together, ratio", several["batch"] / one["batch"], 1.2, False)
    beside_faiss = index["seconds"] / figures["faiss"]["seconds"]
    yield page.target("index: seconds beside FAISS alone, ratio", beside_faiss, 2, False)
    yield page.target("index: most memory beside the codes, ratio", index["peak_bytes"] / codes, 1.3, False)
    yield page.target(
        "index: bytes on disk beside the codes, ratio", figures["bytes"]["collection"] / codes, 1.3, False
    )


PARTS = {"segments": segments}
