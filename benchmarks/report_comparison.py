"""The part of docs/results.md on whether a comparison can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from report_page import TARGETS

from encoders.numbers import counted

if TYPE_CHECKING:
    from report_page import Page

#: The largest share of draws in which any two equal spaces may be called different.
ERROR = 0.06


def family_wise_error(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Equal spaces called different, true differences found", run)
    page.lines += [
        "",
        f"{figures['draws']:,.0f} simulated comparisons a row. Error: share of draws in which any two equal spaces are "
        "called different (asked: 5 %). Power: share of the pairs with the better space, of those equal but for it, "
        "that are found. 40 queries; max-T is what `compare` does (decision 38).",
    ]
    methods = next(iter(figures["scenarios"].values()))
    rows = [
        [name, *(cell for method in methods for cell in (row[method]["error"], row[method].get("power", "–")))]
        for name, row in figures["scenarios"].items()
    ]
    page.table(["spaces", *(f"{method}: {what}" for method in methods for what in ("error", "power"))], rows)
    page.lines += ["", "max-T by number of queries and spaces; the deviations of a space are normal, skewed, or rare:"]
    sizes = [[row["queries"], row["spaces"], row["kind"], row["error"], row["ms"]] for row in figures["sizes"]]
    page.table(["queries", "spaces", "deviations", "error", "ms a comparison"], sizes)
    largest = max(row["error"] for row in figures["sizes"])
    targets = [page.target("largest family-wise error of max-T over all sizes", largest, ERROR, False)]
    powers = figures.get("power", [])
    if powers:
        page.lines += ["", "Power by number of queries and spaces, where the first space is better by so much:"]
        page.table(
            ["queries", "spaces", "better by", "max-T", "Holm, all pairs"],
            [[row[key] for key in ("queries", "spaces", "better", "max-T", "Holm, all pairs")] for row in powers],
        )
        least = min(row["max-T"] - row["Holm, all pairs"] for row in powers)
        targets.append(page.target("least power of max-T over that of Holm, over all sizes", least, -0.01))
    for name, row in figures["scenarios"].items():
        if "power" in row["max-T"]:
            wanted = row["Holm, all pairs"]["power"]
            targets.append(page.target(f"{name}: power, that of Holm over all pairs", row["max-T"]["power"], wanted))
    page.table(TARGETS, targets)


def items_as_queries(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Items as queries: equal spaces called different", run)
    page.lines += [
        "",
        "Every item is a query for the items of its label, so the queries are not independent. Codes are noise "
        "(structure 0), or noise around a centre of each label (0.8). Share of draws in which some pair is called "
        "different: when the queries are taken as independent, and by the jackknife, as `compare` does (decision 49).",
    ]
    equal = [row for row in figures["rows"] if len(set(row["noise"])) == 1]
    page.table(
        ["items", "spaces", "structure", "draws", "as if independent", "jackknife"],
        [[row[key] for key in ("items", "spaces", "structure", "draws", "independent", "jackknife")] for row in equal],
    )
    page.lines += ["", "Power: the first of two spaces has 0.7 of the other's noise."]
    better = [row for row in figures["rows"] if row not in equal]
    page.table(
        ["items", "draws", "jackknife"], [[row[key] for key in ("items", "draws", "jackknife")] for row in better]
    )
    largest = max(row["jackknife"] for row in equal)
    page.table(TARGETS, [page.target("largest error of the jackknife over all rows", largest, ERROR, False)])


def explorer(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("The explorer at 10,000 queries", run)
    page.lines += [
        "",
        "Pages of simulated comparisons with 4 measures, in a real Chromium. Milliseconds of processor time for a "
        f"click until the next frame, mean of {figures['repeats']}, and (median time on the clock until layout): "
        "a query in the list, a dot of the plot, another order, another space. Below 5 MB, lists of ten spaces are "
        "shorter, and pictures smaller.",
    ]
    names = ("row", "dot", "order", "space")
    rows = [
        [
            f"{row['queries']:,}", row["spaces"], row["items"], row["bytes"] / 1e6, row["write_seconds"],
            row["open_seconds"], *(f"{row[name]['cpu_ms']:.0f} ({row[name]['ms']:.0f})" for name in names),
        ]
        for row in figures["cases"]
    ]  # fmt: skip
    page.table(
        ["queries", "spaces", "items", "MB", "write, s", "open, s", "query, ms", "dot, ms", "order, ms", "space, ms"],
        rows,
    )
    large = [row for row in figures["cases"] if row["queries"] == 10_000]
    targets = [page.target("largest page of 10,000 queries, MB", max(row["bytes"] for row in large) / 1e6, 5, False)]
    for what, actions in (
        ("a click on a query or dot", ("row", "dot")),
        ("another order or space", ("order", "space")),
    ):
        slowest = max(row[name]["cpu_ms"] for row in large for name in actions)
        targets.append(page.target(f"{what}, ms of processor time, slowest page", slowest, 100, False))
    page.table(TARGETS, targets)


def statistics_cost(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("What the statistics of a comparison cost", run)
    page.lines += [
        "",
        f"All that `compare` computes once the lists of {figures['spaces']} spaces exist, for 4 measures, on "
        f"{counted(figures['cores'], 'core')}: measures, jackknife (items that are queries), all pairs with letters "
        "and intervals "
        "and ranks, the chance level, the overlap of the lists. Simulated lists, of which two in ten have many equal "
        "scores. Memory: the peak of the process, less the lists that it was given.",
    ]
    steps = list(figures["cases"][0]["steps"])
    page.table(
        ["judged by", "queries", "answers", *(f"{step}, s" for step in steps), "all, s", "processor s", "memory, MiB"],
        [
            [
                row["rung"], f"{row['queries']:,}", f"{row['depth']:,}", *row["steps"].values(), row["seconds"],
                row["processor_seconds"], row["memory_mib"],
            ]
            for row in figures["cases"]
        ],
    )  # fmt: skip
    targets = []
    for row in (row for row in figures["cases"] if row["queries"] == 10_000):
        name = f"10 spaces, 10,000 queries, judged by {row['rung']}"
        targets.append(page.target(f"{name}: seconds", row["seconds"], 20, False))
        targets.append(page.target(f"{name}: memory, MiB", row["memory_mib"], 1024, False))
    page.table(TARGETS, targets)


def demo_cost(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("The demo beside an earlier commit", run)
    page.lines += [
        "",
        f"`nearby demo` of this commit and of `{figures['before']}`, before comparisons had tests, page and files of "
        f"now: median of {figures['repeats']} alternating runs of whole processes.",
    ]
    page.table(
        ["commit", "s", "fastest, s", "slowest, s"],
        [[f"`{name}`", row["seconds"], row["fastest"], row["slowest"]] for name, row in figures["commits"].items()],
    )
    page.table(TARGETS, [page.target("demo, ratio to the earlier commit", figures["ratio"], 1.2, False)])


PARTS = {
    "explorer": explorer,
    "family_wise_error": family_wise_error,
    "items_as_queries": items_as_queries,
    "statistics_cost": statistics_cost,
    "demo_cost": demo_cost,
}
