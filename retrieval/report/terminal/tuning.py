"""The index settings of a space in a terminal: the table, the recommended setting and the command that uses it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from encoders.numbers import counted
from encoders.progress import span
from retrieval.experiment.tuning.result import Reach, Setting, Tuning, best_of
from retrieval.report.json import plain
from retrieval.report.spec_wrapping import wrapped
from retrieval.report.terminal.listing import WIDTH, aligned
from retrieval.report.terminal.printable import shell_line

#: Letters of an index beside the numbers; of a longer one, the search parameters are in the next line.
_INDEX_WIDTH = 36
_EXPLAINED = (
    "* no other setting is as good in recall, speed and bytes together. recall@{k}: share of the {k} nearest items "
    "that are found{groups}; at least: the lower end of its 95 % interval over queries; ?: the sample is too small to "
    "tell whether {wanted:g} is reached. × exact: speed beside exact search, in alternation, all queries together. "
    "bytes/item: of the index, without ids."
)


def tuning_lines(found: Tuning) -> list[str]:
    """Return what was asked, the table, and what to use."""
    asked = " and ".join(_asked(name, count) for name, count in found.n_queries.items())
    head = f"{_measured_items(found)}, {asked} as queries; now in the index {found.present}"
    groups = "" if len(found.n_queries) == 1 else f", by {' or '.join(found.n_queries)}, the lower"
    explained = _EXPLAINED.format(k=found.k, groups=groups, wanted=found.wanted)
    return [
        *wrapped(found.spec, WIDTH),
        *textwrap.wrap(head, WIDTH),
        "",
        *_table(found.settings, found),
        *textwrap.wrap(explained, WIDTH),
        "",
        *_confirmed_lines(found),
        *(line for text in advice(found) for line in textwrap.wrap(text, WIDTH, break_on_hyphens=False)),
        *command_lines(found),
    ]


def _asked(name: str, count: int) -> str:
    if name == "items":
        return counted(count, "item")
    return "1 query of the corpus" if count == 1 else f"{count:,} queries of the corpus"


def _measured_items(found: Tuning) -> str:
    if found.n_sampled == found.n_items:
        return counted(found.n_items, "item")
    return f"{found.n_sampled:,} random items of {found.n_items:,} (--items)"


def _confirmed_lines(found: Tuning) -> list[str]:
    """Return the table of what was measured again on all items."""
    if len(found.confirmed) < 2:
        return []
    said = (
        f"The fastest kind of index that reaches {found.wanted:g} there, on all {found.n_items:,} items, "
        "with the lists that they need:"
    )
    return [*textwrap.wrap(said, WIDTH), "", *_table(found.confirmed, found), ""]


def _table(settings: Sequence[Setting], found: Tuning) -> list[str]:
    best = {one.index for one in best_of(settings)}
    head = [f"recall@{found.k}", "at least", "queries/s", "× exact", "bytes/item", "build s", "", "index"]
    rows: list[list[str]] = []
    for one in settings:
        name, mark, parameters = one.index.partition("?")
        fits = len(one.index) <= _INDEX_WIDTH
        star = "*" if one.index in best else ""
        rows.append([*_cells(one, found.wanted), star, one.index if fits else name])
        if not fits and mark:
            rows.append([""] * 7 + [f"  ?{parameters}"])
    return aligned(head, rows, right=[0, 1, 2, 3, 4, 5])


def _cells(one: Setting, wanted: float) -> list[str]:
    mark = "?" if one.reaches(wanted) is Reach.UNKNOWN else " "
    lowest = min(one.recalls.values(), key=lambda recall: recall.mean).interval
    return [
        f"{one.recall:.3f}{mark}",
        f"{lowest.low:.3f}",
        f"{one.queries_per_second:,.0f}",
        f"{one.speed:.2f}",
        f"{one.bytes_per_item:,.1f}",
        f"{one.build_seconds:.2f}",
    ]


def advice(found: Tuning) -> Iterator[str]:
    """Give the sentences that say what to use, and what the sample cannot tell."""
    chosen, wanted = found.recommended, f"{found.wanted:g}"
    within = "" if found.max_bytes is None else f" within {found.max_bytes:g} bytes per item"
    if chosen is not None and chosen.index == "exact":
        yield f"Recommended: exact; nothing faster is sure to reach a recall@{found.k} of {wanted}{within}."
    elif chosen is not None:
        yield (
            f"Recommended: {chosen.index}, the fastest that reaches a recall@{found.k} of {wanted}{within}: "
            f"{_recall_text(chosen)}, {chosen.speed:.1f} times as fast as exact search, built in "
            f"{span(chosen.build_seconds)}."
        )
    elif not found.allowed:
        yield f"No index fits{within}: raise --max-bytes, or reduce the codes, as in SPEC+pca:32 or SPEC+sq8."
    else:
        best = max(found.allowed, key=lambda one: one.recall)
        yield (
            f"No setting is sure to reach a recall@{found.k} of {wanted}{within}: the best is {best.index} with "
            f"{_recall_text(best)}. Lower --recall or raise --max-bytes."
        )
    open_one = found.undecided
    if open_one is not None:
        yield (
            f"{open_one.index} runs {open_one.speed:.1f} times as fast as exact search, but the sample is too small "
            f"to tell whether it reaches {wanted}: {_recall_text(open_one)}. A larger --sample would tell."
        )


def _recall_text(one: Setting) -> str:
    lowest = min(one.recalls.values(), key=lambda recall: recall.mean)
    return f"recall {lowest.mean:.3f} (95 % interval {lowest.interval.low:.3f} to {lowest.interval.high:.3f})"


def command(found: Tuning) -> list[str] | None:
    """Return the words of the command that indexes the items by the recommended setting; None where it has it now."""
    chosen = found.recommended
    if chosen is None or chosen.index == found.present:
        return None
    out = f"{found.folder.rstrip('/')}-tuned"
    return ["nearby", "index", found.folder, "-s", found.spec, "--index", chosen.index, "-o", out]


def command_lines(found: Tuning) -> list[str]:
    """Return the command in a line of its own, so that it can be copied."""
    words = command(found)
    if words is not None:
        return ["", shell_line(words)]
    return ["The space has this index now."] if found.recommended is not None else []


def tuning_values(found: Tuning) -> dict[str, Any]:
    """Return the settings as JSON values."""
    words = command(found)
    chosen = found.recommended
    values: dict[str, Any] = plain(
        {
            "folder": found.folder,
            "spec": found.spec,
            "present_index": found.present,
            "n_items": found.n_items,
            "n_sampled": found.n_sampled,
            "n_queries": found.n_queries,
            "k": found.k,
            "wanted_recall": found.wanted,
            "max_bytes": found.max_bytes,
            "settings": _values(found.settings, found),
            "confirmed": _values(found.confirmed, found),
            "recommended": None if chosen is None else chosen.index,
            "undecided": None if found.undecided is None else found.undecided.index,
            "command": None if words is None else shell_line(words),
            "advice": list(advice(found)),
        }
    )
    return values


def _values(settings: Sequence[Setting], found: Tuning) -> list[dict[str, Any]]:
    best = {one.index for one in best_of(settings)}
    return [_setting_values(one, found, one.index in best) for one in settings]


def _setting_values(one: Setting, found: Tuning, is_best: bool) -> dict[str, Any]:
    recalls = {name: {"mean": recall.mean, "interval": list(recall.interval)} for name, recall in one.recalls.items()}
    return {
        "index": one.index,
        "recall": one.recall,
        "recalls": recalls,
        "reaches": one.reaches(found.wanted),
        "queries_per_second": one.queries_per_second,
        "times_exact": one.speed,
        "bytes_per_item": one.bytes_per_item,
        "build_seconds": one.build_seconds,
        "pareto_best": is_best,
    }
