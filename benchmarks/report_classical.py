"""The parts of docs/results.md about the classical methods; `report.py` puts them behind its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from record import origins

if TYPE_CHECKING:
    from report_page import Page

TARGETS = ["target", "measured", "wanted", ""]


def equivalence(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("PCA and a linear autoencoder on MNIST, 30 numbers", run)
    rows = [["`pca:30`", "–", figures["pca"]["train"], figures["pca"]["test"], "–", "–", "–"]]
    for one in figures["runs"]:
        gap = f"{one['gap_train']:+.4%}"
        angles = [f"{one[key]:.4f}" for key in ("largest_angle", "angle_of_25")]
        rows.append([f"`{one['spec']}`", one["fit_seconds"], one["train_error"], one["test_error"], gap, *angles])
    page.table(
        ["space", "fit s", "squared error per item, training", "test", "above PCA", "largest angle, rad", "25th angle"],
        rows,
    )
    values = ", ".join(f"{value:.3f}" for value in figures["eigenvalues"])
    page.lines.append(
        f"Error: squared, summed over the 784 pixels. Thirty random directions: {figures['random_error']:.2f}. The "
        f"last three of the 30 variances are {values}: directions of nearly equal variance are separated last; after "
        "30 passes instead of 45 the largest angle of three seeds was .0111."
    )
    gaps = [one["gap_train"] for one in figures["runs"]]
    angle = max(one["largest_angle"] for one in figures["runs"])
    page.table(
        TARGETS,
        [
            page.target("linear-ae: largest gap to PCA's error on the training pictures", max(gaps), 0.001, False),
            page.target("linear-ae: never below PCA on the training pictures (least gap)", min(gaps), 0.0),
            page.target("linear-ae: largest principal angle, rad", angle, 0.01, False),
        ],
    )


def classical(page: Page, run: dict[str, Any]) -> None:
    page.heading("Every classical encoder as a space", run)
    page.measured(origins("classical"))
    for name, corpus in run["figures"].items():
        page.lines += ["", f"### {name}: {corpus['items']:,} items, {corpus['queries']:,} queries"]
        fixed = {"spec", "dim", "bytes", "fit_seconds", "encode_per_second", "query_ms"}
        measures = [key for key in corpus["rows"][0] if key not in fixed]
        keys = [*measures, "dim", "bytes", "fit_seconds", "encode_per_second"]
        rows = [[f"`{row['spec']}`", *(row[key] for key in keys)] for row in corpus["rows"]]
        page.table(["space", *measures, "dim", "code bytes/item", "fit s", "encoded/s"], rows)


def factorization(page: Page, run: dict[str, Any]) -> None:
    page.heading("NMF beside scikit-learn's, 49 parts", run)
    page.lines += [
        "",
        "scikit-learn (coordinate descent, nndsvda) runs for some passes; ours for as long, and until it is as good. "
        "Mean over three seeds of ours.",
    ]
    rows, targets = [], []
    for name, found in run["figures"].items():
        for race in found["race"]:
            ratio = sum(race["ratio"]) / len(race["ratio"])
            known = [value for value in race["seconds_to_theirs"] if value is not None]
            reached = sum(known) / len(known) if len(known) == len(race["ratio"]) else float("inf")
            rows.append([name, race["passes"], race["seconds"], race["theirs"], ratio, reached])
            what = f"nmf on {name}, {race['passes']} passes of scikit-learn"
            targets.append(page.target(f"{what}: objective after the same time, ratio", ratio, 1.01, False))
            targets.append(
                page.target(f"{what}: time to the same objective, ratio", reached / race["seconds"], 1.0, False)
            )
    page.table(["data", "passes", "seconds", "objective", "ours / theirs", "our seconds to theirs"], rows)
    for name, found in run["figures"].items():
        plain = found["plain"]
        targets.append(
            page.target(f"nmf on {name}: 100 passes beside 100 plain multiplicative ones, ratio",
                        plain["ours"] / plain["multiplicative"], 1.0, False)
        )  # fmt: skip
        hidden = found["missing"]
        targets.append(
            page.target(f"nmf on {name}: parts learnt with a fifth of the entries hidden, error on all, ratio",
                        hidden["refitted_with_its_parts"] / hidden["all_seen"], 1.01, False,
                        "400 pictures for 49 parts: each entry that is not seen costs; 10,000 digits lose nothing. "
                        f"Codes made of the seen entries alone: {hidden['a_fifth_hidden'] / hidden['all_seen']:.3f}.")
        )  # fmt: skip
    page.lines += [
        "![49 components of MNIST by PCA, NMF, ICA and k-means](parts.png)",
        "",
        "*Components of MNIST (`python benchmarks/parts.py docs/parts.png`): blue takes away, orange adds; NMF's are "
        "strokes, which only add.*",
        "",
    ]
    names = list(next(iter(run["figures"].values()))["sparsity"])
    page.lines.append("Hoyer's sparsity of the components (1: one pixel; 0: all alike):")
    page.table(
        ["data", *(f"`{name}`" for name in names)],
        [[data, *(found["sparsity"][name] for name in names)] for data, found in run["figures"].items()],
    )
    page.table(TARGETS, targets)


def recommendation(page: Page, run: dict[str, Any]) -> None:
    page.heading("MovieLens 100k: five folds", run)
    found = run["figures"]["movielens"]
    rows = [
        [f"`{name}`" if name.startswith("mf") else name, row["rmse"], row["spread"], row["seconds_a_fold"]]
        for name, row in found.items()
    ]
    page.table(["method", "RMSE", "spread over 3 seeds", "training, s a fold"], rows)
    page.lines.append(
        "Mean of the folds' errors, predictions cut to 1-5, the same folds for all. d = 15, passes and penalties were "
        "found beforehand on a split of the same 100,000 ratings, so some test ratings had a say in them; the row "
        "whose d is chosen in every fold from its own training part (the seconds include the choice) "
        "does without that for d."
    )
    nested = found["mf, d chosen in every fold"]
    page.table(
        TARGETS,
        [
            page.target("`mf`, d chosen in every fold: RMSE", nested["rmse"], 0.912, False),
            page.target("`mf:15`: RMSE", found["mf:15"]["rmse"], 0.912, False),
            page.target("`mf:15`: RMSE beside Surprise's SVD++", found["mf:15"]["rmse"],
                        found["Surprise SVDpp"]["rmse"], False),
            page.target("`mf:15`: training beside Surprise's SVD++, share of its time",
                        found["mf:15"]["seconds_a_fold"] / found["Surprise SVDpp"]["seconds_a_fold"], 1.0, False),
        ],
    )  # fmt: skip
    example = run["figures"]["example"]
    page.lines += [
        "### The worked example: five users, four items, fifteen ratings",
        "",
        "Two factors, no biases, 20 seeds: the squared error on the fifteen, and each missing rating as mean ± "
        "standard deviation [least, largest].",
    ]
    names = [key for key in next(iter(example.values())) if key != "error"]
    rows = [
        [
            name,
            f"{row['error'][0]:.3f} [{row['error'][1]:.3f}, {row['error'][2]:.3f}]",
            *(f"{row[key][0]:.1f} ± {row[key][1]:.1f} [{row[key][2]:.1f}, {row[key][3]:.1f}]" for key in names),
        ]
        for name, row in example.items()
    ]
    page.table(["fit", "squared error, summed", *names], rows)
    page.lines.append(
        "The source prints −.4, −.3, 2.2, .6, .1 for A3, B3, C3, D2, E1, which its printed factors give. A3 and B3 are "
        "not identified: item 3 was rated by D and E alone, whose factors point almost the same way, so that one "
        "direction of item 3's factors is free but for λ. A rating of item 3 by A, B or C, non-negative factors, or a "
        "larger λ would identify them (λ = .2 gives one answer for all seeds)."
    )
    page.table(
        TARGETS,
        [
            page.target(
                f"worked example, {name}: largest squared error of 20 seeds", example[name]["error"][2], 0.30, False
            )
            for name in example
            if name.endswith("= 0.02")
        ],
    )


def clustering(page: Page, run: dict[str, Any]) -> None:
    page.heading("k-means and trees on MNIST; how many clusters", run)
    page.measured(origins("clustering"))
    figures = run["figures"]
    if "kmeans" in figures:
        _kmeans(page, figures["kmeans"])
    if "hac" in figures:
        _hac(page, figures["hac"])
    if "count" in figures:
        _count(page, figures["count"])


def _kmeans(page: Page, found: dict[str, Any]) -> None:
    page.lines += ["", "k = 10 on the 60,000 training pictures, four starts each, mean ± spread of three seeds:"]
    keys = ("seconds", "inertia", "NMI", "ARI", "accuracy")
    rows = [[whose, *(f"{row[key][0]:,.4g} ± {row[key][1]:.2g}" for key in keys)] for whose, row in found.items()]
    page.table(["", *keys], rows)
    ours, theirs = found["nearby"], found["scikit-learn"]
    page.table(
        TARGETS,
        [
            page.target("kmeans: share of scikit-learn's time", ours["seconds"][0] / theirs["seconds"][0], 1.0, False),
            page.target("kmeans: NMI beside scikit-learn's", ours["NMI"][0], theirs["NMI"][0] - 0.01),
            page.target(
                "kmeans: inertia, share of scikit-learn's", ours["inertia"][0] / theirs["inertia"][0], 1.01, False
            ),
        ],
    )


def _hac(page: Page, found: dict[str, Any]) -> None:
    seconds = found["seconds, 10,000 x 784, ward"]
    page.lines += [
        "",
        f"Ward's tree of 10,000 x 784 pixels: {seconds['nearby']:.1f} s, scipy's pdist and fastcluster "
        f"{seconds['pdist + fastcluster']:.1f} s. Ten clusters of 10,000 pictures:",
    ]
    keys = ("NMI", "ARI", "purity", "accuracy")
    page.table(
        ["space, linkage", *keys],
        [[f"`{name}`", *(row[key] for key in keys)] for name, row in found["quality"].items()],
    )
    large, codes = found["60,000 pictures"], found["60,000 codes"]
    page.lines.append(
        f"All 60,000 pictures (`hac:10`, {large['leaves']:,} leaves): {large['seconds']:.1f} s, peak memory "
        f"{large['peak_mib']:,.0f} MiB of which {large['peak_mib_before']:,.0f} are the pictures, accuracy "
        f"{large['accuracy']:.3f}; all 60,000 deep codes: {codes['seconds']:.1f} s, accuracy {codes['accuracy']:.3f}. "
        "All pairs of 60,000 would take 27 GiB."
    )
    differences = found["largest difference of heights from scipy"]
    code = max(row["accuracy"] for name, row in found["quality"].items() if name.startswith("deep-ae"))
    page.table(
        TARGETS,
        [
            page.target("hac: largest difference of heights from scipy's", max(differences.values()), 1e-9, False),
            page.target("hac on deep codes of 10,000 digits: accuracy", code, 0.80, True,
                        "Width chosen on other digits (.86 there) after a code of 30 numbers gave .60."),
            page.target("hac on deep codes beside k-means on pixels: accuracy", code,
                        found["quality"]["pixels, k-means"]["accuracy"]),
            page.target("hac: share of the time of pdist + fastcluster",
                        seconds["nearby"] / seconds["pdist + fastcluster"], 1.0, False),
        ],
    )  # fmt: skip


def _count(page: Page, found: dict[str, Any]) -> None:
    page.lines += ["### How many clusters?", ""]
    criteria = list(next(iter(found.values()))["recommended"])
    rows = [
        [f"{name} (`{row['spec']}`)", f"{row['tried'][0]}-{row['tried'][1]}", str(row["truth"]),
         *(str(row["recommended"][key]) for key in criteria), f"{row['answer']}: {row['reason']}"]
        for name, row in found.items()
    ]  # fmt: skip
    page.table(["corpus", "tried", "classes", *criteria, "recommended"], rows)
    page.lines.append("Up to 2,000 items of each. Classes need not be clusters: no criterion has seen a label.")


def selection(page: Page, run: dict[str, Any]) -> None:
    found = run["figures"]["criteria"]
    page.heading(f"{run['figures']['k']} pixels of MNIST, chosen", run)
    rows = [
        [f"`select:50,criterion={name}`", f"{row['held_out'][0]:.4f}", f"{row['test'][0]:.4f} ± {row['test'][1]:.4f}",
         row["fit_seconds"]]
        for name, row in found.items()
    ]  # fmt: skip
    page.table(["space", "held out", "test", "fit s"], rows)
    best = max(found, key=lambda name: float(found[name]["held_out"][0]))
    page.lines.append(f"Accuracy of 100 extremely randomised trees, three seeds. Best on held-out pictures: `{best}`.")
    page.table(
        TARGETS,
        [
            page.target(f"select by {best}: accuracy on the test pictures", found[best]["test"][0], 0.92),
            page.target("the same beside variance", found[best]["test"][0], found["variance"]["test"][0]),
        ],
    )


def patches(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("CIFAR-10: k-means over patches", run)
    keys = ("P@10", "P@100", "linear", "dim", "fit_seconds", "encode_per_second")
    rows = [[f"`{name}`", *(row[key] for key in keys)] for name, row in figures["spaces"].items()]
    page.table(["space", "P@10", "P@100", "accuracy of a linear map", "dim", "fit s", "encoded/s"], rows)
    page.lines.append(
        "Before this, 800 centroids without scaled codes were looked at on the test pictures too: linear .6990 (held "
        "out .7026), P@100 .3208. The scale was chosen on held-out training pictures; the larger number of centroids "
        "came after that look, and held-out pictures agree (.7178)."
    )
    code, pixels = figures["spaces"][figures["spec"]], figures["spaces"]["pixels"]
    page.table(
        TARGETS,
        [
            page.target("patch-kmeans: accuracy of a linear map", code["linear"], 0.70),
            page.target(
                "patch-kmeans: P@100",
                code["P@100"],
                0.38,
                True,
                "Scaling the codes gave .03 at 400 centroids (held out); whitened principal components lost.",
            ),
            page.target("patch-kmeans beside pixels: accuracy", code["linear"], pixels["linear"]),
        ],
    )


PARTS = {
    "equivalence": equivalence,
    "classical": classical,
    "factorization": factorization,
    "recommendation": recommendation,
    "clustering": clustering,
    "selection": selection,
    "patches": patches,
}
