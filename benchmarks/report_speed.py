"""The parts of docs/results.md on speed: beside other libraries, at odd shapes, at size, at start-up."""

from __future__ import annotations

from typing import Any

from record import origins
from report_page import TARGETS, Page


def speed(page: Page, run: dict[str, Any]) -> None:
    page.heading("Speed beside other libraries", run)
    page.measured(origins("speed"))
    page.lines += [
        "",
        "Ratio: their seconds divided by ours, median over alternating repeats; above 1, nearby is faster. Of FAISS,",
        "ours is `search`, whose hits have ids; beside it stand the ratios when all ids and scores are read too.",
    ]
    rows, targets, notes = [], [], []
    for part, figures in run["figures"].items():
        for what, row in nested(part, figures):
            if isinstance(row, str):
                notes.append(f"{what}: {row}.")
                continue
            read = [row.get("columns_ratio", ""), row.get("lists_ratio", "")]
            rows.append([what, row["ours_seconds"], row["theirs_seconds"], row["ratio"], *read, row["repeats"]])
            least = {"faiss": 1 / 1.1, "training": 1.5}.get(part, 1.0)
            if "scifact: bm25s numba" in what:  # a call of a compiled function has few documents' worth of overhead
                least = 0.8
            targets.append(page.target(f"{what}: ratio", row["ratio"], least, True, reason(what, row)))
    page.table(["what", "ours s", "theirs s", "ratio", "and columns read", "and hits read", "repeats"], rows)
    page.lines += notes
    page.table(TARGETS, targets)


def reason(what: str, row: dict[str, Any]) -> str:
    """Say why a ratio falls short, where the reason is known."""
    if what.startswith("faiss") and "times" in row:
        micro = 1e6 / row["times"]
        more = micro * (row["ours_seconds"] - row["theirs_seconds"])
        return f"A call of {micro * row['theirs_seconds']:,.0f} µs; ours took {more:,.0f} µs more (medians)."
    if "numba" in what:
        return "bm25s' optional compiled backend; the one that it uses by default is slower than ours."
    return ""


def fit_shapes(page: Page, run: dict[str, Any]) -> None:
    page.heading("Fits at odd shapes", run)
    page.lines += [
        "",
        "Seconds to fit, the least of alternating repeats, beside scikit-learn's counterpart on the same rows; ratio:",
        "ours divided by theirs; below 1, nearby is faster. Fits of less than 5 ms have no target: they are calls, not",
        "arithmetic. scikit-learn's densities by neighbours only store the rows, of which nearby makes a copy.",
    ]
    rows, targets = [], []
    for fit in run["figures"]["fits"]:
        note = fit.get("refused") or ("killed" if "killed" in fit else "")
        if "longer_than" in fit:
            note = f"more than {fit['longer_than']} s"
        peer = fit.get("peer_seconds", "–") if "peer_refused" not in fit else "refused"
        rows.append(
            [
                fit["shape"],
                f"`{fit['spec']}`",
                fit.get("seconds", note),
                peer,
                fit.get("ratio", ""),
                fit.get("cpu_ratio", ""),
            ]
        )
        if "ratio" in fit and fit["seconds"] > 0.005:
            targets.append(page.target(f"{fit['shape']}: `{fit['spec']}`: ratio", fit["ratio"], 1.5, False))
    page.table(["shape", "space", "ours s", "theirs s", "ratio", "of processor time"], rows)
    page.table(TARGETS, targets)


def model_speed(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Embedding texts", run)
    ours, theirs = figures["seconds"]["ours"], figures["seconds"]["theirs"]
    page.lines += [
        "",
        f"{figures['texts']:,} documents of Cranfield by all-MiniLM-L6-v2, the faster of {figures['turns']} turns each:"
        f" `sbert` {ours:.1f} s, `SentenceTransformer.encode` at its defaults {theirs:.1f} s. nDCG@10:"
        f" {figures['ndcg']['ours']:.4f} and {figures['ndcg']['theirs']:.4f}; largest difference of a number:"
        f" {figures['largest_difference']:.1e}.",
    ]
    reason = "Matrix products take two thirds of the time; ours saves padding and memory traffic."
    apart = abs(figures["ndcg"]["ours"] - figures["ndcg"]["theirs"])
    page.table(
        TARGETS,
        [
            page.target("embedding texts: speed beside SentenceTransformer, ratio", theirs / ours, 1.5, True, reason),
            page.target("embedding texts: difference of nDCG@10", apart, 0.002, False),
        ],
    )


def nested(name: str, figures: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return every measured pair below, under its path of names."""
    if "ratio" in figures:
        return [(name, figures)]
    found: list[tuple[str, Any]] = []
    for key, value in figures.items():
        if isinstance(value, dict):
            found += nested(f"{name}: {key}", value)
        elif isinstance(value, str):
            found.append((f"{name}: {key}", value))
    return found


def arxiv(page: Page, run: dict[str, Any]) -> None:
    spaces = run["figures"]["spaces"]
    page.heading("80,000 abstracts (arxiv-80k)", run)
    keys = {
        "fit_seconds": "fit s",
        "encode_seconds": "encode s",
        "index_seconds": "index s",
        "index_mib": "index MiB",
        "peak_rss_mib": "peak RSS MiB",
        "queries_per_second": "abstracts asked/s",
        "title_queries_per_second": "titles asked/s",
    }
    rows = [[f"`{spec}`", row["index"], *(row[key] for key in keys)] for spec, row in spaces.items()]
    page.table(["space", "index", *keys.values()], rows)
    for spec, row in spaces.items():
        if "graph" not in row:
            continue
        graph = row["graph"]
        page.lines.append(
            f"`{spec}` in {graph['index']} (built in {graph['index_seconds']:.1f} s, {graph['index_mib']:.0f} MiB):"
        )
        rows = [[width, at["recall@10"], at["queries_per_second"]] for width, at in graph["widths"].items()]
        page.table(["efSearch", "recall@10 against exact", "queries/s"], rows)
        best = max(at["recall@10"] for at in graph["widths"].values())
        page.table(TARGETS, [page.target("recall@10 of HNSW32", best, 0.95)])


def startup(page: Page, run: dict[str, Any]) -> None:
    page.heading("Start-up", run)
    figures = run["figures"]
    base = figures["imports"]["numpy and scipy.sparse"]["seconds"]
    page.lines += ["", f"`import numpy, scipy.sparse` takes {base:.3f} s in the same run."]
    rows = [page.target("`nearby --help`, seconds", figures["help"]["seconds"], 0.2, False)]
    for what, row in figures["search"].items():
        asked = f"cold `nearby search`, {what}, beside importing numpy and scipy.sparse, ratio"
        why = "Its 16 MB of components are read, and 16 blocks of them are checked for damage." if "lsa" in what else ""
        rows.append(page.target(asked, row["times_imports"], 1.3, False, why))
    page.table(TARGETS, rows)


PARTS = {
    "speed": speed,
    "fit_shapes": fit_shapes,
    "arxiv": arxiv,
    "startup": startup,
    "model_speed": model_speed,
}
