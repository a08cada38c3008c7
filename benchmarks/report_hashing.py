"""The parts of docs/results.md about bits; `report_neural.py` takes them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from record import deviation

if TYPE_CHECKING:
    from report_page import Page

TARGETS = ["target", "measured", "wanted", ""]
WHY_BITS = "The bits are of pixels; bits of patch codes are the next lines."
OTHER_TIES = (
    "Items are shuffled, equal distances count as in random order, and a shortlist takes every tie of its last item. "
    "Three seeds measured on 2026-11-25, with ties in the order of the files, gave .2648 ± .0006 for 256 bits of "
    "pixels and .3506 ± .0005 for those of patches; they are not in this table."
)
WHY_WORDS = "No label is used; LSA's signs of the same length are below it."


def image_hashing(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("CIFAR-10: pixels, numbers and bits", run)
    measures = [f"P@{k}" for k in (1, 2, 5, 10, 20, 50, 100)]
    page.lines += [OTHER_TIES, ""]
    rows = [
        [name, *(row[key] for key in measures), deviation(run, "P@100", "spaces", name), row["bytes_per_item"],
         row["queries_per_second"], row["fit_seconds"], f"`{row['spec']}`"]
        for name, row in figures["spaces"].items()
    ]  # fmt: skip
    page.table(["space", *measures, "±", "code bytes/item", "queries/s", "fit s", "spec"], rows)
    page.lines += ["![mean precision at k](image-hashing.svg)", ""]
    page.lines.append("A shortlist by 28 bits, re-ranked by 256 bits (P@100 of the 256 bits alone = 1):")
    rows = [
        [row["bits"].rstrip(", ") or "pixels", f"{row['share']:.0%}", row["P@100"], row["of_full"], row["answers_kept"]]
        for row in figures["shortlists"]
    ]
    page.table(["bits of", "scanned", "P@100", "of the full scan's", "share of its 100 answers kept"], rows)
    spaces = figures["spaces"]
    targets = []
    for of in ("", "patches, "):
        bits = spaces[f"{of}256 bits"]
        short = next(row for row in figures["shortlists"] if row["share"] == 0.05 and row["bits"] == of)
        random = spaces["random hyperplanes, 256 bits"]["P@100"]
        targets += [
            page.target(f"{of}256 bits: P@100", bits["P@100"], 0.3, True, "" if of else WHY_BITS),
            page.target(f"{of}256 bits: P@100 above pixels", bits["P@100"], spaces["pixels"]["P@100"]),
            page.target(f"{of}256 bits: P@100 above random hyperplanes", bits["P@100"], random),
            page.target(f"{of}28 bits, then 256, scanning 5 %: P@100 of the full scan's", short["of_full"], 0.9),
        ]
    page.table(TARGETS, targets)


def text_hashing(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("20 Newsgroups: bits of postings", run)
    page.lines += ["", "Widths, dropout, noise and passes were chosen on training postings (`tune`)."]
    rows = [
        [name, row["P@10"], row["P@100"], deviation(run, "P@100", "spaces", name), row["bytes"], row["fit_seconds"],
         f"`{row['spec']}`"]
        for name, row in figures["spaces"].items()
    ]  # fmt: skip
    page.table(["space", "P@10", "P@100", "±", "code bytes/item", "fit s", "spec"], rows)
    page.lines.append("Interpolated precision at every recall level:")
    head = ["space", *(f"R={level / 10:.1f}" for level in range(11))]
    page.table(head, [[name, *row["curve"]] for name, row in figures["spaces"].items()])
    page.lines += ["![precision and recall](text-hashing.svg)", ""]
    page.lines.append("A shortlist by bits, re-ranked (as shares of the finer space alone):")
    rows = [
        [row["coarse"], row["fine"], f"{row['share']:.0%}", row["P@10"], row["P@100"], row["of_full"]["P@10"],
         row["of_full"]["P@100"], row["speed_up"]]
        for row in figures["shortlists"]
    ]  # fmt: skip
    page.table(["bits", "re-ranked by", "scanned", "P@10", "P@100", "of P@10", "of P@100", "speed-up"], rows)
    spaces = figures["spaces"]
    targets = [
        page.target("semantic hash, 32 bits: P@100", spaces["semantic hash, 32 bits"]["P@100"], 0.6, True, WHY_WORDS),
        page.target("semantic hash, 32 bits: P@100 above LSA's signs", spaces["semantic hash, 32 bits"]["P@100"],
                    spaces["lsa signs, 32 bits"]["P@100"]),
    ]  # fmt: skip
    page.table(TARGETS, targets)


def headers(page: Page, run: dict[str, Any]) -> None:
    page.heading("20 Newsgroups with headers, signatures and quotations: 32 bits", run)
    spaces = run["figures"]["spaces"]
    page.table(
        ["bits", "P@10", "P@100", "fit s", "spec"],
        [[name, row["P@10"], row["P@100"], row["fit_seconds"], f"`{row['spec']}`"] for name, row in spaces.items()],
    )
    measured = run["figures"]["P@100"]
    page.table(TARGETS, [page.target("semantic hash, 32 bits, headers kept: P@100", measured, 0.5)])


PARTS = {"image_hashing": image_hashing, "text_hashing": text_hashing, "text_hashing_headers": headers}
