"""The parts of docs/results.md about the autoencoder family; `report.py` puts them behind its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import report_hashing
from record import deviation, latest_of_each, origin, origins, over_seeds
from report_measured import best_likelihood

if TYPE_CHECKING:
    from report_page import Page

TARGETS = ["target", "measured", "wanted", ""]
WIDE = "deep, wide, ten minutes"
WHY_2 = "Reconstruction alone, no label: the other methods, after eight passes, reach {:.2f} at most, PCA's two {:.2f}."
PLAIN = (
    "The plain loop trains our own network, too (channels last, deconvolution as a product of matrices), and takes the"
    " same steps; ours also measures the twentieth of the pictures that is held out."
)
#: Error of thirty principal components on MNIST.
PCA_30 = 13.87
PROTOCOL = "squared, summed over the 784 pixels in [0, 1]"


def autoencoders(page: Page, run: dict[str, Any]) -> None:
    runs = over_seeds("autoencoders", "method", "size")
    page.heading("Every autoencoder on MNIST at 30, 10 and 2 numbers", run)
    page.lines += [
        "",
        f"Error of reconstruction: {PROTOCOL}, 10,000 test pictures. They are also the queries "
        "against the 60,000 training pictures. `path` marks networks in which information bypasses the code, so their "
        "reconstruction says nothing about the code. Means over the seeds, ± their standard deviation; perceptrons "
        "of 500-250, convolutions of 16-32 channels; epochs are passes over 57,000 pictures, of the last phase. "
        "s to PCA's: seconds until the held-out error was below 13.87, layers' phases included.",
    ]
    rows = []
    by = {}
    for figures in runs:
        by[figures["method"], figures["size"]] = figures
        rows.append([
            figures["size"], figures["method"], figures["test_error"], spread_of(figures, "test_error"),
            "" if figures["decodes"] else "path", figures["P@10"], spread_of(figures, "P@10"), figures["AP@100"],
            figures["seeds"], figures.get("epochs", "–"), figures["fit_seconds"], reached(figures),
            f"`{figures['spec'].removeprefix('pixels+')}`", figures["measured"],
        ])  # fmt: skip
        for name, other in figures.get("spaces", {}).items():
            text = f"{figures['method']}: {name} ({other['dim']} numbers)"
            varied = figures["spread"]["spaces"][name]["P@10"] if figures["seeds"] > 1 else "–"
            beside = [other["P@10"], varied, other["AP@100"], figures["seeds"]]
            rows.append([figures["size"], text, "", "", "", *beside, "", "", "", "", ""])
    rows.sort(key=lambda row: (-row[0], row[1] != "pixels"))
    head = [
        "size", "method", "squared error per item", "±", "", "P@10", "±", "AP@100", "seeds", "epochs", "fit s",
        "s to PCA's", "spec, on pixels", "measured",
    ]  # fmt: skip
    page.table(head, rows)
    page.lines.append("![error beside P@10 for every method](autoencoders.svg)")
    page.table(TARGETS, autoencoder_targets(page, by))


def spread_of(figures: dict[str, Any], key: str) -> Any:
    return figures["spread"][key] if figures["seeds"] > 1 else "–"


def reached(figures: dict[str, Any]) -> Any:
    """Return the seconds until the error on held-out training pictures was below that of thirty components."""
    phases = figures.get("phases", {})
    if figures["size"] != 30 or figures["method"] == "variational" or "training" not in phases:
        return "–"
    last = phases["training"]
    spent = sum(sum(phase["seconds"]) for name, phase in phases.items() if name != "training")
    for seconds, error in zip(np.cumsum(last["seconds"]), last["validation_loss"], strict=True):
        if error <= PCA_30:
            return float(spent + seconds)
    return "not"


def autoencoder_targets(page: Page, by: dict[Any, Any]) -> list[Any]:
    """Return the rows of METHODS that this benchmark answers."""
    rows = []
    for size in (30, 10, 2):
        if ("deep", size) in by and ("pca", size) in by:
            rows.append(
                page.target(f"{size}: error of deep below pca", by["deep", size]["test_error"],
                            by["pca", size]["test_error"], False)
            )  # fmt: skip
        for name in ("conv, deconvolution", "conv, repetition"):
            if (name, size) in by and ("pca", size) in by:
                gain = 10 * np.log10(by["pca", size]["test_error"] / by[name, size]["test_error"])
                rows.append(page.target(f"{size}: PSNR of {name} above pca, dB", float(gain), 0.5))
    if (WIDE, 2) in by:
        target = f"2: accuracy of 15 neighbours, {WIDE}"
        others = [one["accuracy"] for (name, size), one in by.items() if size == 2 and name not in (WIDE, "pixels")]
        why = WHY_2.format(max(others), by["pca", 2]["accuracy"])
        rows.append(page.target(target, by[WIDE, 2]["accuracy"], 0.95, True, why))
    if ("deep, sigmoid", 30) in by and ("deep, sigmoid, layer by layer", 30) in by:
        start, tuned = by["deep, sigmoid", 30], by["deep, sigmoid, layer by layer", 30]
        rows.append(
            page.target("30, sigmoid units: error with layers learnt first, below random start",
                        tuned["test_error"], start["test_error"], False)
        )  # fmt: skip
    return rows


def pretraining(page: Page, run: dict[str, Any]) -> None:
    runs = latest_of_each("pretraining", "labels", "start", "seed")
    page.heading("Layers learnt without labels: errors of a classifier of MNIST", run)
    groups: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for one in runs:
        groups.setdefault((one["figures"]["labels"], one["figures"]["start"]), []).append(one)
    errors = {key: [one["figures"]["error"] for one in group] for key, group in groups.items()}
    rows = [
        [labels, start, f"{np.mean(found):.2%}", f"{np.std(found):.2%}" if len(found) > 1 else "–", len(found),
         origin(*groups[labels, start])]
        for (labels, start), found in errors.items()
    ]  # fmt: skip
    page.table(["labels", "start", "share misclassified of 10,000 test pictures", "spread", "seeds", "measured"], rows)
    targets = []
    for labels in sorted({labels for labels, _ in errors}):
        if (labels, "random") not in errors or (labels, "layer by layer") not in errors:
            continue
        random, layers = (float(np.mean(errors[labels, start])) for start in ("random", "layer by layer"))
        share = 1 - layers / random
        wanted = 0.25 if labels == 1000 else 0.0
        targets.append(page.target(f"{labels:,} labels: share of errors fewer than from random weights", share, wanted))
        if labels == 60_000:
            targets.append(page.target("all labels: error, layers learnt first", layers, 0.011, False))
    page.table(TARGETS, targets)


def faces(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Patches of faces of people never seen (ORL), thirty numbers", run)
    by: dict[int, dict[str, dict[str, Any]]] = {}
    for one in figures["runs"]:
        by.setdefault(one["split"], {})[one["spec"].partition(":")[0]] = one
    rows, shares = [], []
    for split, found in by.items():
        pca, deep = found["pca"], found["deep-ae"]
        shares.append(deep["error"] / pca["error"])
        rows.append([split, pca["error"], deep["error"], shares[-1], f"`{pca['spec']}`", f"`{deep['spec']}`"])
    page.table(["choice of people", "error of PCA", "error of the code", "share", "PCA", "code"], rows)
    mean, half = float(np.mean(shares)), interval(shares)
    page.lines.append(
        f"Error: squared, summed over 625 pixels. Share: mean {mean:.3f}, 95 % interval {mean - half:.3f} to "
        f"{mean + half:.3f} (Student's t over {len(shares)} choices). The options are the best of eight on people "
        "in none of these tests; before that, 15 passes without decay were measured on the test people (share .918)."
    )
    page.table(TARGETS, [page.target("faces: largest share of pca's error over the choices", max(shares), 0.9, False)])


def interval(values: list[float]) -> float:
    """Return half the width of the 95 % interval of a mean, by Student's t."""
    from scipy.stats import t

    return float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))


def denoising(page: Page, run: dict[str, Any]) -> None:
    name = "MNIST" if run["figures"]["level"] == 0.5 else "CIFAR-10"
    figures = run["figures"]
    page.heading(f"Cleaning {name}: Gaussian noise of standard deviation {figures['level']}", run)
    before = figures["before"]
    rows: list[list[Any]] = [["(nothing)", before, "–", 0.0, ""]]
    for what, row in figures["filters"].items():
        rows.append([f"{what} {row['setting']}", row["psnr"], "–", row["psnr"] - before, ""])
    for what, row in figures["cleaners"].items():
        varied = deviation(run, "psnr", "cleaners", what)
        rows.append([what, row["psnr"], varied, row["psnr"] - before, f"`{row['spec']}`"])
    page.table(["by", "PSNR, dB", "±", "gain, dB", "spec, on pixels"], rows)
    page.lines.append("Retrieval by clean and by noisy test pictures, P@10:")
    rows = [[what, row["clean"], row["noisy"], f"`{row['spec']}`"] for what, row in figures["spaces"].items()]
    page.table(["space", "clean", "noisy", "spec, on pixels"], rows)
    cleaners = figures["cleaners"]
    if name == "MNIST":
        gain = cleaners["denoising-ae"]["psnr"] - before
        targets = [page.target("MNIST: gain of denoising-ae, dB", gain, 9.0)]
        for what in figures["filters"]:
            best = figures["filters"][what]["psnr"]
            targets.append(page.target(f"MNIST: denoising-ae above {what}", cleaners["denoising-ae"]["psnr"], best))
    else:
        twins = {"unet-ae": "no paths", "fpn-ae": "fpn-ae, no paths"}
        targets = [
            page.target(
                f"CIFAR-10: {what} above the same network without paths, dB",
                cleaners[what]["psnr"] - cleaners[twin]["psnr"],
                2,
            )
            for what, twin in twins.items()
            if twin in cleaners
        ]
    page.table(TARGETS, targets)


def likelihood(page: Page, run: dict[str, Any]) -> None:
    runs = over_seeds("likelihood", "spec")
    page.heading("Variational autoencoders: minus the log-likelihood of binarised MNIST", run)
    rows = [
        [f"`{one['spec']}`", one["nll"], spread_of(one, "nll"), one["seeds"], one["error"], one["pictures"],
         one["bound"], one["epochs"], one["fit_seconds"], one["measured"]]
        for one in runs
    ]  # fmt: skip
    heads = [
        "spec", "nats", "±", "seeds", "standard error", "pictures", "bound, held out", "epochs", "fit s", "measured",
    ]  # fmt: skip
    page.table(heads, rows)
    page.lines.append(f"Importance sampling, {runs[-1]['draws']:,} draws for each picture.")
    asked = "vae: nats on most test pictures, best bound held out"
    page.table(TARGETS, [page.target(asked, best_likelihood()["nll"], 87.0, False)])


def throughput(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Training beside a plain fp32 PyTorch loop of the same network and loss", run)
    page.measured(origins("throughput", "methods"))
    rows, targets = [], []
    for name, row in figures["methods"].items():
        rows.append([name, row["pictures_per_second"], row["ratio"], f"`{row['spec']}`"])
        targets.append(page.target(f"training of {name}: ratio", row["ratio"], 1.5))
    page.lines += ["", PLAIN]
    page.table(["method", "items/s", "ratio", "spec, on pixels"], rows)
    if any("items" in row for row in figures["methods"].values()):
        page.lines.append(
            "Methods with several players read fewer items: pictures of CIFAR-10 (`deep-infomax`) and MNIST (`gan`), "
            "spectrograms of spoken digits (`disentangle`). Their plain loop computes once what a step can share "
            "(`benchmarks/plain_loops.py`)."
        )
    page.table(TARGETS, targets)


WHY_TSDAE = (
    "The start learnt from a billion pairs of texts; this unlearns it, more at every share of the way (see TSDAE)."
)


def tsdae(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("TSDAE: a sentence model fine-tuned on the corpus", run)
    rows, targets = [], []
    for name, corpus in figures["corpora"].items():
        for what, row in corpus.items():
            rows.append([name, what, row["nDCG@10"], row["R@100"], row["fit_seconds"]])
        targets.append(
            page.target(f"{name}: nDCG@10 of tsdae above its start", corpus["tsdae"]["nDCG@10"],
                        corpus["start"]["nDCG@10"], True, WHY_TSDAE)
        )  # fmt: skip
    page.table(["corpus", "space", "nDCG@10", "R@100", "fit s"], rows)
    page.table(TARGETS, targets)


def tsdae_mixed(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("TSDAE: how far to go from the start's weights to the fine-tuned ones", run)
    page.lines += [
        "",
        f"nDCG@10 of {figures['queries']:,} training queries of SciFact on {figures['documents']:,} of its documents:",
    ]
    page.table(["share of the way", *figures["shares"]], [["nDCG@10", *figures["shares"].values()]])


def five_minutes(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("MNIST: 30 numbers in five minutes of training", run)
    page.lines.append(f"`{figures['spec']}`: {figures['epochs']} passes in {figures['fit_seconds']:.0f} s.")
    page.table(TARGETS, [page.target("test error in five minutes", figures["test_error"], 3.0, False)])


def conv_cifar10(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("CIFAR-10: convolutional autoencoders beside PCA of the same width", run)
    rows = [[name, row["psnr"], row["fit_seconds"], f"`{row['spec']}`"] for name, row in figures["rows"].items()]
    page.table(["method", "PSNR, dB", "fit s", "spec"], rows)
    why = "Eight passes; 256 components of PCA are the best linear code by construction."
    page.table(TARGETS, [page.target("PSNR of the better one above PCA, dB", figures["gain"], 0.5, True, why)])


PARTS = {
    "mnist_five_minutes": five_minutes,
    "conv_cifar10": conv_cifar10,
    "autoencoders": autoencoders,
    "pretraining": pretraining,
    "faces": faces,
    **report_hashing.PARTS,
    "denoising_mnist": denoising,
    "denoising_cifar10": denoising,
    "likelihood": likelihood,
    "throughput": throughput,
    "tsdae": tsdae,
    "tsdae_mixed": tsdae_mixed,
}
