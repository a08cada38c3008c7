"""The parts of docs/results.md on equal scores, on other tools, and on where the loss of an index arises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from report_page import TARGETS

if TYPE_CHECKING:
    from report_page import Page

#: The largest difference from the mean over random orders, and from the measures of another tool (4 places).
ORDERS, PLACES = 0.0005, 0.00005
_STEPS = ("space", "quantisation", "approximation")


def tie_orders(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Expected measures: random orders, and other tools", run)
    page.lines += [
        "",
        f"`{figures['space']}` on the judged corpora: 16 bits, so that hundreds of documents share a score. Expected: "
        f"the closed forms of `compare`. Drawn: the mean over {figures['orders']:,} random orders of equal scores, "
        "computed from the ranks of the relevant documents alone. Worst and best: relevant documents last, or first, "
        "among equal scores.",
    ]
    rows, largest = [], 0.0
    for corpus, found in figures["corpora"].items():
        for measure, one in found["orders"].items():
            largest = max(largest, abs(one["expected"] - one["drawn"]))
            rows.append([corpus, measure, *(f"{one[key]:.5f}" for key in ("expected", "drawn", "worst", "best"))])
    page.table(["corpus", "measure", "expected", "drawn", "worst", "best"], rows)
    page.lines += [
        "",
        "Largest difference, over nDCG@10, AP, RR@10 and R@100, between the table of `compare` and what other tools "
        "find in the TREC files that it writes. They order equal scores by document id; an LSA space has none.",
    ]
    rows, differences = [], []
    for corpus, found in figures["corpora"].items():
        for spec, by_tool in found["tools"].items():
            rows.append([corpus, f"`{spec}`", *(f"{value:.6f}" for value in by_tool.values())])
            differences += [value for value in by_tool.values() if spec != "bm25"]
    page.table(["corpus", "space", *next(iter(figures["corpora"].values()))["tools"]["bm25"]], rows)
    page.table(
        TARGETS,
        [
            page.target("largest difference of a mean from random orders", largest, ORDERS, False),
            page.target("largest difference from another tool, without equal scores", max(differences), PLACES, False),
        ],
    )


def attribution(page: Page, run: dict[str, Any]) -> None:
    page.heading("Where the loss arises", run)
    page.lines += [
        "",
        "Loss of the measure between a perfect ranking and the answers of the index: the space itself, its quantised "
        "codes, the approximate search. Steps add up to the total for every query; a negative loss is a gain "
        "([measures](measures.md#where-the-loss-arises)). Bytes per item on disk; codes are those at full precision "
        "beside the index.",
    ]
    for corpus, found in run["figures"]["corpora"].items():
        page.lines += [
            "",
            f"{corpus}: `{found['spec']}`, {found['items']:,} items, {found['queries']:,} queries, {found['measure']}, "
            f"{found['seconds']:.0f} s in all.",
        ]
        rows = [
            [
                f"`{row['index']}`",
                f"{row['total']:.4f}",
                *(f"{row['steps'][step]:.4f}" if step in row["steps"] else "–" for step in _STEPS),
                f"{row['recall@10']:.3f}",
                f"{row['index_bytes']:,.0f}",
                f"{row['codes_bytes']:,.0f}",
            ]
            for row in found["rows"]
        ]
        page.table(["index", "total loss", *_STEPS, "recall@10", "index B/item", "codes B/item"], rows)


PARTS = {"tie_orders": tie_orders, "attribution": attribution}
