"""The parts of docs/results.md about damaged inputs and about fused lists; `report.py` puts them behind its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from report_page import Page

TARGETS = ["target", "measured", "wanted", ""]
FAULTS = ("unclear", "traceback", "memory", "crash", "hang")


def fuzz(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Damaged and hostile inputs", run)
    outcomes = figures["outcomes"]
    page.lines += [
        "",
        f"{figures['inputs']:,} damaged inputs of {len(figures['by_case'])} readers and artifacts, seed "
        f"{figures['seed']}, in {figures['seconds']:.0f} s. `read`: the damage does no harm; `refused`: one sentence. "
        "Faults were mended after the run that found them.",
    ]
    page.table(["outcome", "inputs"], [[name, count] for name, count in outcomes.items()])
    rows = [
        page.target(f"damaged inputs: {name}", outcomes.get(name, 0), 0, False) for name in FAULTS if name in outcomes
    ]
    rows.append(page.target("damaged inputs: number of inputs", figures["inputs"], 20_000))
    page.table(TARGETS, rows)


def hybrid(page: Page, run: dict[str, Any]) -> None:
    found = run["figures"]["scifact"]
    page.heading("BM25 and LSA fused on SciFact", run)
    words, code = found["specs"]
    rows = [
        [f"`{words}`", found["alone"][0]],
        [f"`{code}`", found["alone"][1]],
        [f"convex combination, weight of the code {found['weight_of_the_code']:.2f}", found["convex"]],
        ["reciprocal rank fusion", found["rrf"]],
    ]
    page.table(["list", "nDCG@10"], rows)
    page.lines.append(
        f"The weight was chosen on the training queries (nDCG@10 {max(found['on_training_queries']):.4f}, BM25 alone "
        f"{found['on_training_queries'][0]:.4f}); the {found['queries']} test queries were asked once."
    )
    page.table(TARGETS, [page.target("scifact: gain of bm25 and the code fused over bm25", found["gain"], 0.01)])


PARTS = {"hybrid": hybrid, "fuzz": fuzz}
