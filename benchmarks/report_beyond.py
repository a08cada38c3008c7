"""The part of docs/results.md on what lies beyond reconstruction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from record import deviation, spread_cell
from report_page import TARGETS

if TYPE_CHECKING:
    from report_page import Page

#: What is wanted, of the layer that was best on held-out training pictures: measure, layer, figure.
WANTED = (("linear", "conv", 0.70), ("kNN", "hidden", 0.66), ("P@100", "hidden", 0.44))
WHY_INFOMAX = "15 passes, which is what about 20 minutes of one core allow."
MEASURES = ("linear", "kNN", "P@100")
LAYERS = ("conv", "hidden", "code")


def infomax(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Deep InfoMax: CIFAR-10 by a discriminator of pairs", run)
    page.lines += [
        "",
        f"`pixels+{figures['spec'].removesuffix(',seed=0')}`: {figures['trained']['epochs']:.0f} passes, "
        f"{figures['trained']['fit_seconds']:.0f} s{one_seed(figures)}. Accuracy of a linear map and of 20 neighbours, "
        "and P@100, of frozen codes; the class is used for nothing else.",
    ]
    rows: list[list[Any]] = []
    for kind in ("trained", "untrained"):
        for layer in LAYERS:
            cells = [cell for key in MEASURES for cell in (figures[kind][layer][key], deviation(run, key, kind, layer))]
            rows.append([f"{kind}, {layer}", *cells])
    for spec, row in figures.get("others", {}).items():
        cells = [cell for key in MEASURES for cell in (row[key], deviation(run, key, "others", spec))]
        rows.append([f"`pixels+{spec}`", *cells])
    page.table(["code", *(head for key in MEASURES for head in (key, "±"))], rows)
    targets = [
        page.target(f"deep-infomax, {layer}: {key}", figures["trained"][layer][key], wanted, reason=WHY_INFOMAX)
        for key, layer, wanted in WANTED
    ]
    page.table(TARGETS, targets)


def one_seed(figures: dict[str, Any]) -> str:
    """Return how long one seed of all rows takes; nothing where it was not measured."""
    return f" (one seed of all rows: {figures['seconds'] / 60:.0f} minutes)" if "seconds" in figures else ""


def criterion(page: Page, run: dict[str, Any]) -> None:
    page.heading("The criterion of the discriminator, beside retrieval", run)
    timed = one_seed(run["figures"])  # earlier runs had the same spaces for all seeds, and no time
    seeded = f" and of the spaces that have one{timed}" if timed else "; the spaces are the same"
    page.lines += [
        "",
        "A discriminator is trained on pairs (item, code) and judged on items that it never saw. Loss: nats, ln 2 = "
        ".6931 is chance, 0 is best; bound: nats that item and code have in common, at least, at most ln 256 = 5.55. "
        f"Seeds are those of the discriminator{seeded}. Identifying an item is not the same as bringing its class "
        "together: see the random projection of the texts, which has the smallest loss and the lowest P@10.",
    ]
    for name, corpus in run["figures"]["corpora"].items():
        page.lines += ["", f"**{name}**, {corpus['items']:,.0f} items:"]
        rows = [
            [
                f"`{spec}`",
                *(
                    spread_cell(run, row[key], key, "corpora", name, "spaces", spec)
                    for key in ("P@10", "loss", "nats", "shuffled")
                ),
                row["seconds"],
            ]
            for spec, row in sorted(corpus["spaces"].items(), key=lambda pair: -pair[1]["P@10"])
        ]
        page.table(["space", "P@10", "loss", "bound, nats", "loss, codes shuffled", "s"], rows)
        page.lines.append(
            f"Kendall's τ with P@10: of minus the loss {-corpus['tau']['loss']:.2f}, of the bound "
            f"{corpus['tau']['nats']:.2f} (1: the same order; 0: none)."
        )


def disentangling(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Content and speaker of spoken digits", run)
    page.lines += [
        "",
        f"`log-mel+{figures['spec']}`{one_seed(figures)}. What fresh classifiers read from frozen codes of the test "
        "takes (chance: digit .10, speaker .17), and P@10 with cosine.",
    ]
    codes = {
        "content": ("disentangle", "content"), "speaker part": ("disentangle", "nuisance"),
        "content, untrained": ("untrained", "content"),
        "content, before adversary and bottleneck": ("plain", "content"),
        **{name: (name,) for name in figures if name.startswith("PCA")},
    }  # fmt: skip
    columns = [(what, key) for what in ("digits", "speakers") for key in ("linear", "MLP", "kNN", "P@10")]
    rows = [[name, *(_cell(run, *path, what, key) for what, key in columns)] for name, path in codes.items()]
    page.table(["code", *(f"{what}, {key}" for what, key in columns)], rows)
    page.lines += ["", "Digits of MNIST in four styles, the style in the place of the speaker (chance .25):"]
    styled = [
        [part, *(_cell(run, "styles", part, what, key) for what, key in columns)] for part in ("content", "nuisance")
    ]
    page.table(["code", *(f"{what}, {key}".replace("speakers", "styles") for what, key in columns)], styled)
    page.lines += ["", "Content of speakers whom the encoder never heard (leave one out, mean of six):"]
    page.table(["measure", "accuracy"], [[name, _cell(run, "unseen", name)] for name in figures["unseen"]])
    heard = figures["conversion"]
    page.lines += [
        "",
        "Conversion of every test take into each other voice, judged by classifiers trained on real spectrograms (on "
        f"real test takes: digit {heard['judges']['digits']:.3f}, speaker {heard['judges']['speakers']:.3f}):",
    ]
    judged = [
        [name, *(_cell(run, "conversion", "means", name, what) for what in ("speaker", "digit"))]
        for name in heard["means"]
    ]
    page.table(["method", "wanted speaker", "own digit"], judged)
    names = sorted({pair.partition(" to ")[0] for pair in heard["pairs"]})
    page.lines += ["", "All pairs, `disentangle`: wanted speaker / own digit (row: source, column: wanted speaker)."]
    page.table(
        ["from", *names],
        [[source, *(_pair(heard["pairs"].get(f"{source} to {target}")) for target in names)] for source in names],
    )


def _pair(judged: dict[str, float] | None) -> str:
    return "–" if judged is None else f"{judged['speaker']:.2f} / {judged['digit']:.2f}"


def _cell(run: dict[str, Any], *path: str) -> str:
    """Return a figure of an averaged run, with its deviation over the seeds."""
    value: Any = run["figures"]
    for step in path:
        value = value[step]
    return spread_cell(run, value, path[-1], *path[:-1])


#: Keys of the figures of a generator -> heads of the table.
GENERATED = {
    "1-NN": "1-NN", "precision": "precision", "recall": "recall", "density": "density", "coverage": "coverage",
    "frechet": "Fréchet", "smallest_class": "rarest class", "largest_class": "commonest", "fit_seconds": "s",
}  # fmt: skip


def generation(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Generated digits", run)
    page.lines += [
        "",
        "10,000 samples beside the 10,000 test digits, in the codes of a classifier. 1-NN: share of test digits whose "
        f"nearest training digit in the space has their class ({figures['pixels']:.4f} of pixels). Autoencoder and PCA "
        f"draw from a Gaussian that fits their codes{one_seed(figures)}.",
    ]
    rows = [
        [name, *(_cell(run, "methods", name, key) if key in row else "–" for key in GENERATED)]
        for name, row in figures["methods"].items()
    ]
    rows.append(["training digits", *(figures["real"].get(key, "–") for key in GENERATED)])
    page.table(["samples of", *GENERATED.values()], rows)
    names = ", ".join(figures["methods"])
    page.lines += ["", f"![Samples, one row for each method: {names}](generated-digits-0.png)"]
    docs = Path(__file__).parent.parent / "docs"
    for number in range(1, int(run["seeds"])):
        if (docs / f"generated-digits-{number}.png").exists():
            page.lines += ["", f"![The same with seed {number}](generated-digits-{number}.png)"]


PARTS = {"infomax": infomax, "criterion": criterion, "disentangling": disentangling, "generation": generation}
