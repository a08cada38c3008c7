"""The parts of docs/results.md on orders without labels, and on fusion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from record import origins

if TYPE_CHECKING:
    from report_page import Page


def label_ladder(page: Page, run: dict[str, Any]) -> None:
    corpora = run["figures"]["corpora"]
    page.heading("Without labels: how far an order of spaces can be believed", run)
    page.measured(origins("label_ladder", "corpora"))
    page.lines += [
        "",
        "The same spaces are ordered by judgements or labels, by known items (RR@10), and by their agreement (mean "
        "RBO). tau: Kendall's tau-b of the rung's order with that of judgements (1: the same, 0: chance); with about "
        "ten spaces its standard error is near .25. Regret: what the first space of the rung loses of the measure "
        "against the best. Corpora are sampled, seed 0: about 1,000 texts (all relevant ones of at most 100 queries "
        "among them) or 2,000 pictures, 300 known items; the sentence encoder reads 64 tokens. No corpus here has both "
        "judgements and labels, so that these two are not compared with each other.",
    ]
    rungs = ("known-item", "agreement")
    rows = [
        [name, row["items"], row["queries"], row["measure"], len(row["spaces"]),
         *(row["tau"][rung] for rung in rungs), *(row["regret"][rung] for rung in rungs)]
        for name, row in corpora.items()
    ]  # fmt: skip
    means = [
        sum(row[kind][rung] for row in corpora.values()) / len(corpora) for kind in ("tau", "regret") for rung in rungs
    ]
    rows.append(["**mean**", "", "", "", "", *means])
    heads = [f"{rung}: {kind}" for kind in ("tau", "regret") for rung in rungs]
    page.table(["corpus", "items", "queries", "judged by", "spaces", *heads], rows)
    for name, row in corpora.items():
        page.lines += ["", f"{name}, the values:"]
        page.table(
            ["space", row["measure"], "known-item RR@10", "agreement"],
            [[f"`{spec}`", one["judged"], one["known-item"], one["agreement"]] for spec, one in row["spaces"].items()],
        )


def fusion(page: Page, run: dict[str, Any]) -> None:
    corpora = run["figures"]["corpora"]
    page.heading("BM25, LSA and a sentence encoder fused", run)
    page.measured(origins("fusion", "corpora"))
    page.lines += [
        "",
        "nDCG@10. RRF: reciprocal rank fusion. Convex: weighted sum of normalised scores, on held-out queries (5-fold "
        "cross-validation, ten times); optimism: what it would seem to gain on the queries that chose its weights. "
        "Oracle: the best space of each query. ≈: the gain of convex over the best space is not significant at 5 %. "
        "Whole corpora; the sentence encoder reads 64 tokens. scifact-whole is without it, with a wider LSA.",
    ]
    rows = []
    for name, corpus in corpora.items():
        for one in corpus["fusions"]:
            gain = one["convex"] - one["single"]
            rows.append([
                f"{name} ({corpus['queries']})", " + ".join(one["spaces"]), f"{one['single']:.3f} ({one['best']})",
                one["rrf"], one["convex"], f"{gain:+.3f}{'' if one['significant'] else ' ≈'}", one["optimism"],
                one["oracle"], " ".join(f"{weight:.2f}" for weight in one["weights"].values()),
            ])  # fmt: skip
    head = ["corpus (queries)", "fused", "best alone", "RRF", "convex", "gain", "optimism", "oracle", "weights"]
    page.table(head, rows)
    gain = gain_over_bm25(corpora["scifact-whole"])
    page.lines += [
        "",
        f"On all of SciFact, BM25 and LSA fused gain {gain:.4f} over BM25. The weights of a query are chosen on other "
        "TEST queries here, so METHODS T5 is not judged by it: with one weight from the training queries the gain is "
        "smaller (see BM25 and LSA fused on SciFact).",
    ]


def gain_over_bm25(corpus: dict[str, Any]) -> float:
    """Return the gain of BM25 and LSA fused over BM25 alone, on held-out queries."""
    pair = next(one for one in corpus["fusions"] if len(one["spaces"]) == 2 and "MiniLM" not in one["spaces"])
    return float(pair["convex"] - pair["alone"]["bm25"])


PARTS = {"label_ladder": label_ladder, "fusion": fusion}
