"""The part of docs/results.md on what lies beyond reconstruction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from record import deviation
from report_page import TARGETS

if TYPE_CHECKING:
    from report_page import Page

#: What is wanted, of the layer that was best on held-out training pictures: measure, layer, figure.
WANTED = (("linear", "conv", 0.70), ("kNN", "hidden", 0.66), ("P@100", "hidden", 0.44))
MEASURES = ("linear", "kNN", "P@100")
LAYERS = ("conv", "hidden", "code")


def infomax(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Deep InfoMax: CIFAR-10 by a discriminator of pairs", run)
    page.lines += [
        "",
        f"`pixels+{figures['spec']}`: {figures['trained']['epochs']:.0f} passes, "
        f"{figures['trained']['fit_seconds']:.0f} s. Accuracy of a linear map and of 20 neighbours, and P@100, of "
        "frozen codes; the class is used for nothing else.",
    ]
    rows: list[list[Any]] = []
    for kind in ("trained", "untrained"):
        for layer in LAYERS:
            cells = [cell for key in MEASURES for cell in (figures[kind][layer][key], deviation(run, key, kind, layer))]
            rows.append([f"{kind}, {layer}", *cells])
    for spec, row in figures.get("others", {}).items():
        rows.append([f"`pixels+{spec}`", *(cell for key in MEASURES for cell in (row[key], "–"))])
    page.table(["code", *(head for key in MEASURES for head in (key, "±"))], rows)
    targets = [
        page.target(f"deep-infomax, {layer}: {key}", figures["trained"][layer][key], wanted)
        for key, layer, wanted in WANTED
    ]
    page.table(TARGETS, targets)


def criterion(page: Page, run: dict[str, Any]) -> None:
    page.heading("The criterion of the discriminator, beside retrieval", run)
    page.lines += [
        "",
        "A discriminator is trained on pairs (item, code) and judged on items that it never saw. Loss: nats, ln 2 = "
        ".6931 is chance, 0 is best; bound: nats that item and code have in common, at least, at most ln 256 = 5.55.",
    ]
    for name, corpus in run["figures"]["corpora"].items():
        page.lines += ["", f"**{name}**, {corpus['items']:,.0f} items:"]
        rows = [
            [f"`{spec}`", row["P@10"], row["loss"], row["nats"], row["shuffled"], row["seconds"]]
            for spec, row in sorted(corpus["spaces"].items(), key=lambda pair: -pair[1]["P@10"])
        ]
        page.table(["space", "P@10", "loss", "bound, nats", "loss, codes shuffled", "s"], rows)
        page.lines.append(
            f"Kendall's τ with P@10: of minus the loss {-corpus['tau']['loss']:.2f}, of the bound "
            f"{corpus['tau']['nats']:.2f} (1: the same order; 0: none)."
        )


PARTS = {"infomax": infomax, "criterion": criterion}
