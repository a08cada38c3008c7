"""The part of docs/results.md on anomalies, and on compression without loss."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

from record import averaged_each, latest, origin
from report_page import TARGETS, written

if TYPE_CHECKING:
    from report_page import Page

#: Share by which a measured rate of false alarms may differ from the asked one.
TOLERANCE = 0.2
SAME_WEIGHTS = "The seeds choose the split of the items; networks start from the same weights with every seed."

WHY_STREAM = "Ours reads any columns by their types, checks each value, and writes a p-value as JSON for each line."


def anomalies(page: Page, run: dict[str, Any]) -> None:
    page.heading("Anomalies", run)
    page.lines += [
        "",
        "Fitted on normal items alone; tested on other normal items and all anomalies. AUROC and average precision "
        "(AP) with 95 % bootstrap intervals. F1: the threshold flags the true number of anomalies. Alarms: share of "
        "normal test items with a conformal p-value of at most 1 % or 5 %. Quantile: the same with the usual "
        "threshold, the quantile of the scores of the training items themselves.",
    ]
    targets: list[list[Any]] = []
    for made in averaged_each("anomalies", "case"):
        figures = made["figures"]
        order = "the first in time to train, the last to test" if figures["by_order"] else "at random"
        training, held_out, normal, anomalous = (
            f"{figures[part]:,.0f}" for part in ("training", "held_out", "normal", "anomalies")
        )
        page.lines += [
            "",
            f"**{figures['case']}** ({origin(*made['runs'])}; {_seeds(made)}): {training} normal items to train, "
            f"{held_out} held out, {normal} to test ({order}), {anomalous} "
            f"anomalies; base rate {figures['base_rate']:.4f}. nearby: {figures['seconds']:.0f} s, "
            f"{figures['GiB']:.2f} GiB.",
        ]
        page.table(
            ["detector", "AUROC", "95 %", "AP", "95 %", "F1", "alarms at 1 %", "at 5 %", "quantile 1 %", "5 %"],
            [_row(name, row, made["spread"]["rows"][name]) for name, row in figures["rows"].items()],
        )
        if not all(_seeds_networks(run["figures"]) for run in made["runs"]):
            page.lines += ["", SAME_WEIGHTS]
        targets += _targets(page, figures)
    page.table(TARGETS, targets)


def _seeds_networks(figures: dict[str, Any]) -> bool:
    """Return whether the networks started from weights of the seed; 0 is the seed of networks that are given none."""
    return not figures["seed"] or bool(figures.get("networks_differ"))


def _seeds(made: dict[str, Any]) -> str:
    return "one seed" if made["seeds"] == 1 else f"means of {made['seeds']} seeds, ± their deviation"


def _with_deviation(row: dict[str, Any], spread: dict[str, Any], what: str) -> Any:
    """Return a figure with its deviation over the seeds, if it has one."""
    return f"{row[what]:.4f} ± {spread[what]:.4f}".replace("0.", ".") if spread.get(what) else row[what]


def _row(name: str, row: dict[str, Any], spread: dict[str, Any]) -> list[Any]:
    ours = row["score"] not in ("PyOD", "rule")
    share = "–" if row["score"] == "rule" else row["F1"]  # a rule ties nearly all items
    return [
        f"`{name}`, {row['score']}" if ours else name,
        *(
            cell
            for what in ("AUROC", "AP")
            for cell in (_with_deviation(row, spread, what), _interval(row[f"{what} interval"]))
        ),
        share,
        row["alarms at 1%"], row["alarms at 5%"], row.get("quantile at 1%", "–"), row.get("quantile at 5%", "–"),
    ]  # fmt: skip


def _interval(ends: list[float]) -> str:
    return f"{ends[0]:.3f} to {ends[1]:.3f}"


def _targets(page: Page, figures: dict[str, Any]) -> list[list[Any]]:
    best, row = judged_space(figures)
    targets = []
    top, highest = max(figures["rows"].items(), key=lambda each: float(each[1]["AUROC"]))
    why = f"The highest AUROC of the table is that of {top}: {written(highest['AUROC'])}."
    if figures["wanted"]:
        what, wanted = figures["wanted"]
        targets.append(page.target(f"{figures['case']}: {what} of `{best}`", row[what], wanted, reason=why))
    if figures["case"] == "kddcup99":
        targets.append(page.target("kddcup99: seconds of all spaces of nearby", figures["seconds"], 300, False))
        targets.append(page.target("kddcup99: their memory, GiB", figures["GiB"], 2, False))
    baselines = [key for key in figures["rows"] if key.startswith(("L2 norm", "untrained"))]
    for key in baselines:
        targets.append(
            page.target(
                f"{figures['case']}: AUROC of `{best}` above {key}",
                row["AUROC"],
                figures["rows"][key]["AUROC"],
                reason=why,
            )
        )
    return targets


def judged_space(figures: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the space that targets are held against: the deep autoencoder, whatever the test items say."""
    (name,) = (key for key, row in figures["rows"].items() if is_space(key, row) and "deep-ae" in key)
    return name, figures["rows"][name]


def is_space(key: str, row: dict[str, Any]) -> bool:
    """Return whether a row is a space of nearby that has learnt."""
    return row["score"] not in ("PyOD", "rule", "length") and not key.startswith("untrained")


def stream(page: Page, run: dict[str, Any]) -> None:
    page.heading("Anomalies in a stream", run)
    figures = run["figures"]
    page.lines += [
        "",
        f"`nearby anomalies score DIR -` with `{figures['spec']}`: {figures['rows']:,} lines of KDD99 with "
        f"{figures['columns']} columns through a pipe, median of {figures['repeats']} runs. Seconds are those of one "
        "processor core. The plain loop reads the same lines with orjson, one by one, and multiplies by four matrices "
        "of the same shapes; ratio: its seconds divided by ours, the start of our process included.",
    ]
    page.table(
        ["", "rows a second", "seconds"],
        [
            ["nearby, start included", round(figures["rows_per_second"]), figures["seconds"]],
            ["nearby, after its start", round(figures["rows_per_second_after_start"]), figures["start_seconds"]],
            ["plain loop", round(figures["plain_rows_per_second"]), figures["plain_seconds"]],
            ["nearby by the clock, beside other programs", round(figures["rows_per_second_of_the_clock"]), "–"],
        ],
    )
    page.lines += ["", f"torch is {'' if figures['imports_torch'] else 'not '}imported. Ratio: {figures['ratio']:.2f}."]
    page.table(
        TARGETS,
        [
            page.target("rows a second of one core, start included", figures["rows_per_second"], 10_000),
            page.target("plain loop's seconds divided by ours", figures["ratio"], 1, reason=WHY_STREAM),
        ],
    )


def lossless(page: Page, run: dict[str, Any]) -> None:
    page.heading("Compression without loss", run)
    page.lines += [
        "",
        "Bits a pixel of all 10,000 test digits, every byte of the file counted except the encoder; the file is "
        "decoded by another process without vector instructions, and every pixel compared.",
    ]
    made = averaged_each("lossless", "part")
    parts = [one["figures"] for one in made]
    spread = [one["spread"] for one in made]
    peers = list(parts[0]["peers"])
    rows = [
        ["bits back", *map(_with_deviation, parts, spread, repeat("bits_per_pixel"))],
        ["minus the ELBO", *(part["bound"] for part in parts)],
        ["published (Townsend 2019)", *(part["published"] for part in parts)],
        ["untrained network", *(part["untrained"] for part in parts)],
        *([peer, *(part["peers"][peer] for part in parts)] for peer in peers),
        ["bytes of the encoder", *(round(part["encoder_bytes"]) for part in parts)],
        [
            "pictures from which it pays, beside bz2",
            *(round(part["break_even_with_bz2"]) if part["break_even_with_bz2"] else "–" for part in parts),
        ],
        ["ms a picture to compress, with the check", *(part["compress_ms"] for part in parts)],
        ["ms a picture to decompress", *(part["decompress_ms"] for part in parts)],
        *_codec_times([part["part"] for part in parts]),
        ["training, s", *(part["fit_seconds"] for part in parts)],
    ]
    page.table(["", *(f"{part['part']}, `{part['spec']}`" for part in parts)], rows)
    wanted = {"binarised": 0.20, "grey": 1.45}
    page.table(
        TARGETS,
        [
            page.target(f"{part['part']} MNIST: bits per pixel", part["bits_per_pixel"], wanted[part["part"]], False)
            for part in parts
        ],
    )


def _codec_times(parts: list[str]) -> list[list[Any]]:
    """Return what PNG and WebP take for a picture, one by one, beside the times of nearby."""
    run = latest("lossless_times")
    if run is None:
        return []
    figures = run["figures"]
    return [
        [
            f"ms a picture to {what}, {name} by Pillow, one by one",
            *(figures[part][name][f"{what}_ms"] for part in parts),
        ]
        for what in ("compress", "decompress")
        for name in figures[parts[0]]
    ]


#: What PyOD's detectors flag by their own threshold: kind of fit in the results file -> head of a column.
OWN = {"own": "PyOD's threshold, share given: found / alarms", "own, default": "default: found / alarms"}


def contamination(page: Page, run: dict[str, Any]) -> None:
    page.heading("Anomalies among the items that a detector learns from", run)
    page.lines += [
        "",
        "The same normal items are fitted on alone, and with 1, 5 or 10 % anomalies among them: as if they were clean, "
        "with `--contaminated` and the true share, and with `--contaminated` alone, which looks for a gap. "
        "Tested on other normal items and other anomalies. Found: share of the anomalies flagged; alarms: share of the "
        "normal items flagged; left out: share of the items left out of the fit by `--contaminated` alone. "
        "The L2 norm, an untrained network and PyOD's detectors have the same items, held-out items and ways to leave "
        "strange items out, by their own scores. PyOD's threshold is a quantile of the scores of all items, fitted on "
        "as if they were clean: with the true share, or with its default of 10 %. Seeds draw the items; networks "
        "start from the same weights.",
    ]
    for made in averaged_each("contamination", "case"):
        figures = made["figures"]
        normal, anomalies, tested_normal, tested_anomalies = (
            f"{figures[part]:,.0f}" for part in ("normal", "anomalies", "tested_normal", "tested_anomalies")
        )
        page.lines += [
            "",
            f"**{figures['case']}** ({origin(*made['runs'])}; {_seeds(made)}): {normal} normal items and up to "
            f"{anomalies} anomalies to fit on, {tested_normal} and {tested_anomalies} others to test; "
            f"{figures['rate']:.0%} false alarms asked.",
        ]
        _clean(page, made)
        for share in (f"{share:.0%}" for share in figures["shares"]):
            _contaminated(page, made, share)


def _clean(page: Page, made: dict[str, Any]) -> None:
    page.lines += ["", "No anomalies among the items:"]
    head = ["detector", "found / alarms", "AUROC", "`--contaminated`: found / alarms", "AUROC", "left out"]
    page.table(
        [*head, "PyOD's threshold, default: found / alarms"],
        [
            [
                _named(name), *_verdict(made, name, "clean"), *_verdict(made, name, "clean, auto"),
                detector["clean, auto"]["left_out"], _flagged(made, name, "clean, own, default"),
            ]
            for name, detector in made["figures"]["spaces"].items()
        ],
    )  # fmt: skip


def _contaminated(page: Page, made: dict[str, Any], share: str) -> None:
    page.lines += ["", f"{share} anomalies among the items:"]
    head = ["detector", "as if clean: found / alarms", "AUROC", "`--contaminated SHARE`: found / alarms", "AUROC"]
    page.table(
        [*head, "`--contaminated`: found / alarms", "AUROC", "left out", *OWN.values()],
        [
            [
                _named(name),
                *(cell for kind in ("naive", "share", "auto") for cell in _verdict(made, name, share, kind)),
                detector[share]["auto"]["left_out"], *(_flagged(made, name, share, kind) for kind in OWN),
            ]
            for name, detector in made["figures"]["spaces"].items()
        ],
    )  # fmt: skip


def _named(detector: str) -> str:
    return f"`{detector}`" if detector.startswith("columns") else detector


def _verdict(made: dict[str, Any], *path: str) -> list[Any]:
    row, spread = _at(made["figures"]["spaces"], path), _at(made["spread"]["spaces"], path)
    return [_flagged(made, *path), _with_deviation(row, spread, "AUROC")]


def _flagged(made: dict[str, Any], *path: str) -> str:
    """Return the share of anomalies found and of false alarms, with deviations; a dash where they were not measured."""
    row, spread = _at(made["figures"]["spaces"], path), _at(made["spread"]["spaces"], path)
    if not row:
        return "–"
    return " / ".join(_share(row[what], spread.get(what)) for what in ("found", "alarms"))


def _share(value: float, deviation: float | None) -> str:
    shown = f"{value:.3f} ± {deviation:.3f}" if deviation else f"{value:.3f}"
    return shown.replace("0.", ".")


def _at(tree: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for step in path:
        tree = tree.get(step, {})
    return tree


PARTS = {"anomalies": anomalies, "contamination": contamination, "anomaly_stream": stream, "lossless": lossless}
